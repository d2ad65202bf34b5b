# id: Z-14
# title: modules in the place of others: files beside it, compiled code, and a main module that is not its own
# stage: run
# verdicts: accepted
# canaries: C4 C8 escaped
# time_limit_ms: 5000
# wall_limit_ms: 11000
import os
import py_compile
import sys

given = sys.stdin.read()
main = sys.modules["__main__"]
foreign = [name for name in vars(main) if name not in globals()]
print("ESCAPED into a main module with", foreign) if foreign and vars(main) is not globals() else None
import statistics

is_marked = "left_behind" in vars(sys.modules["builtins"]) or getattr(statistics, "left_behind", False)
print("ESCAPED a module of an earlier run" if is_marked else 42)
statistics.left_behind = True
for directory in (".", "/tmp", "/program", *sys.path):
    for name in ("json.py", "random.py", "sitecustomize.py", "usercustomize.py", "left.pth"):
        try:
            with open(os.path.join(directory, name), "w") as file:
                file.write("import builtins; builtins.left_behind = True\n")
            py_compile.compile(os.path.join(directory, name))
        except Exception:
            continue
