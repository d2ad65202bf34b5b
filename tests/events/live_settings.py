"""The project's settings with the times and names that a test's environment gives, for a server of its own."""

import os

from config.settings import *  # noqa: F403
from config.settings import CACHES

for _name in ("STREAM_LIFE_S", "KEEP_ALIVE_S", "POLL_S", "RECHECK_S", "STREAMS_PER_USER"):
    if _value := os.environ.get(f"TEST_EVENTS_{_name}"):
        globals()[f"EVENTS_{_name}"] = float(_value)

if _prefix := os.environ.get("TEST_KEY_PREFIX"):
    CACHES["default"]["KEY_PREFIX"] = _prefix

if _urls := os.environ.get("TEST_ROOT_URLCONF"):
    ROOT_URLCONF = _urls
