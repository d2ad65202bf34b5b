# id: S-22
# title: plants files and names that the next start of an interpreter or compiler would take in
# stage: run
# verdicts: accepted
# canaries: C4 C8
# runs: 3
import builtins
import json
import os
import random
import site
import sys

if "@MARK@" in os.environ or hasattr(builtins, "@MARK@") or hasattr(json, "mark") or "@MARK@" in sys.modules:
    print("RESIDUE in the interpreter")
os.environ["@MARK@"] = "1"
setattr(builtins, "@MARK@", 1)
setattr(json, "mark", "@MARK@")
sys.modules["@MARK@"] = sys
random.seed(1)
places = [os.getcwd(), os.path.expanduser("~"), "/root", "/tmp", "/etc", "/program", *sys.path, *site.getsitepackages()]
places += [
    os.path.dirname(json.__file__),
    os.path.join(os.path.dirname(json.__file__), "__pycache__"),
    "/usr/local/bin",
]
names = [
    "sitecustomize.py",
    "usercustomize.py",
    "json.py",
    "@MARK@.pth",
    "main.pyc",
    ".gccrc",
    "ld.so.preload",
    "python3",
]
for place in {os.path.realpath(place) for place in places}:
    for name in names:
        path = os.path.join(place, name)
        try:
            if os.path.exists(path) and "@MARK@" in open(path).read():
                print("RESIDUE", path)
            with open(path, "w") as file:
                file.write("# @MARK@\nprint('RESIDUE taken in')\n")
        except OSError:
            pass
with open("main.py") as file:
    source = file.read()
try:
    with open("main.py", "w") as file:
        file.write("print('RESIDUE the program is another')\n" + source)
    print("ESCAPED the program could be changed")
except OSError:
    pass
print(42)
