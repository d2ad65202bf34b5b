"""Looks in a box for what an earlier program left: runs as a later submission, with the mark to look for on stdin.

Prints the answer of a right program first, then one line for each thing found. It is a program, not a module.
"""

import builtins
import ctypes
import os
import sys

number, mark, key = sys.stdin.read().split()
found = []
for directory, folders, files in os.walk("/"):
    if directory == "/":
        folders[:] = [name for name in folders if name not in {"usr", "lib", "lib32", "lib64", "libx32", "sys"}]
    for name in folders + files:
        path = os.path.join(directory, name)
        if mark in name:
            found.append(f"a file named {path}")
        elif os.path.isfile(path) and not directory.startswith(("/proc", "/dev")):
            try:
                with open(path, "rb") as file:
                    if mark.encode() in file.read(1 << 20):
                        found.append(f"its mark in {path}")
            except OSError:
                continue
for word in (*os.environ, *os.environ.values(), *sys.argv, *sys.path, *sys.modules, *vars(builtins)):
    if mark in word:
        found.append(f"its mark in {word!r}")
libc = ctypes.CDLL(None)
for kind, arguments in (("shmget", (4096, 0)), ("semget", (1, 0)), ("msgget", (0,))):
    if getattr(libc, kind)(int(key), *arguments) >= 0:
        found.append(f"its {kind}")
sys.stdout.write("\n".join([str(int(number) * 2), *found]) + "\n")
