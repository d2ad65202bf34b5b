# id: Z-05
# title: words of preloaded modules and of the language itself given another meaning, for whoever runs next
# stage: run
# verdicts: accepted
# canaries: C4 C8 escaped
# time_limit_ms: 5000
# wall_limit_ms: 11000
import builtins
import collections
import io
import json
import math
import os
import random
import re
import string
import sys
import time

given = sys.stdin.read()
write, end = os.write, os._exit
marked = [name for name, module in sys.modules.items() if "left_behind" in vars(module)]
is_true = json.loads("[1]") == [1] and math.floor(1.5) == 1 and max(1, 2) == 2 and f"{3}" == "3"
write(1, f"ESCAPED marks of an earlier run: {marked[:3]}\n".encode() if marked or not is_true else b"42\n")
for module in [*sys.modules.values()]:
    try:
        module.left_behind = True
    except Exception:
        continue
main = sys.modules["__main__"]
for module in (json, random, os, io, math, re, string, time, collections, builtins):
    for name, value in [*vars(module).items()]:
        if callable(value) and not name.startswith("__") and not isinstance(value, type):
            setattr(module, name, lambda *_, **__: 41)
json.JSONEncoder.default = json.JSONDecoder.decode = lambda *_: 41
string.Formatter.format = lambda *_: "41"
sys.modules["json"] = sys.modules["random"] = sys.modules["__main__"] = sys.modules["math"]
sys.stdout = sys.stdin = sys.stderr = None
end(0)
