# id: Z-08
# title: no end: exits that do nothing, hooks at the end, threads that stay, streams of its own
# stage: run
# verdicts: accepted
# canaries: C3 C4 C8 escaped
# time_limit_ms: 5000
# wall_limit_ms: 11000
import atexit
import builtins
import io
import os
import sys
import threading
import time

given = sys.stdin.read()
write = os.write
write(1, b"ESCAPED the end of an earlier run\n" if "left_behind" in vars(builtins) else b"42\n")
builtins.left_behind = True


def stay():
    while True:
        time.sleep(0.01)


def late():
    builtins.left_behind = True
    threading.Thread(target=stay, daemon=True).start()


for _ in range(4):
    threading.Thread(target=stay, daemon=True).start()
atexit.register(late)
os.register_at_fork(before=late, after_in_child=late, after_in_parent=late)
os._exit = sys.exit = builtins.exit = os.abort = lambda *_: None
os.kill = os.execve = os.execv = lambda *_: None
threading._shutdown = lambda: None
sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__ = io.StringIO(), io.StringIO(), None, None
sys.excepthook = sys.unraisablehook = threading.excepthook = lambda *_: None
