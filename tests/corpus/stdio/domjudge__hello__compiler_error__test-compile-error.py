# Parses, and yet is no Python: a future statement comes after others.
print("Hello world!")
from __future__ import annotations
