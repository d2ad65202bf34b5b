"""A student's program that tells all that an earlier one could have left in its interpreter or process, the right
answer first. It is a program, not a module: run before and after an attack, it must say the same.
"""

import atexit
import codecs
import copyreg
import decimal
import gc
import hashlib
import json
import linecache
import locale
import logging
import os
import re
import resource
import signal
import sys
import tempfile
import threading
import warnings

given = sys.stdin.read().split()


def shape(module: object) -> str:
    """What the names of a module stand for: replaced functions and added names change it."""
    names = sorted(
        f"{name}:{type(held).__name__}:{getattr(held, '__qualname__', '')}:{getattr(held, '__module__', '')}"
        for name, held in list(vars(module).items())
        if not name.startswith("__")
    )
    return hashlib.sha256("\n".join(names).encode()).hexdigest()[:12]


def is_known(codec: str) -> bool:
    try:
        return codecs.lookup(codec) is not None
    except LookupError:
        return False


def descriptors() -> list[int]:
    found = []
    for number in range(4096):
        try:
            os.fstat(number)
            found.append(number)
        except OSError:
            continue
    return found


umask = os.umask(0o22)
modules = {name: shape(held) for name, held in sorted(sys.modules.items()) if name != "__main__"}
state = {
    "modules": modules,
    "types": [sorted(vars(kind)) for kind in (str, int, list, dict, type, object, json.JSONEncoder)],
    "imports": [sys.path, sorted(sys.path_importer_cache), list(map(repr, sys.meta_path)), len(sys.path_hooks)],
    "words": [sys.argv, str(sys.flags), sorted(os.environ.items()), os.getcwd(), umask, tempfile.tempdir],
    "streams": [type(held).__name__ for held in (sys.stdin, sys.stdout, sys.stderr, sys.__stdout__)],
    "descriptors": descriptors(),
    "hooks": [
        *(repr(held).partition(" at ")[0] for held in (sys.excepthook, sys.displayhook, sys.unraisablehook)),
        sys.gettrace(),
        sys.getprofile(),
        atexit._ncallbacks(),
    ],
    "threads": [thread.name for thread in threading.enumerate()],
    "signals": [str(signal.getsignal(number)) for number in range(1, 32)],
    "blocked": sorted(map(int, signal.pthread_sigmask(signal.SIG_BLOCK, []))),
    "timer": signal.getitimer(signal.ITIMER_REAL),
    "limits": [resource.getrlimit(kind) for kind in range(16)],
    "place": [os.getpriority(os.PRIO_PROCESS, 0), sorted(os.sched_getaffinity(0)), os.getuid(), os.getgid()],
    "collector": [gc.isenabled(), gc.get_threshold(), len(gc.callbacks)],
    "interpreter": [sys.getrecursionlimit(), sys.get_int_max_str_digits(), sys.getswitchinterval()],
    "hash": [hash("x"), hash(b"x"), list({"a", "b", "c", "d"})],
    "contexts": [str(decimal.getcontext()), locale.setlocale(locale.LC_ALL), list(map(str, warnings.filters))],
    "registries": [
        len(copyreg.dispatch_table),
        sorted(linecache.cache),
        is_known("leftbehind"),
        sorted(logging.root.manager.loggerDict),
        len(logging.root.handlers),
        "left-behind" in str(vars(re)["_cache"]),
    ],
}
sys.stdout.write(f"{2 * int(given[1])}\n")
sys.stderr.write(f"{json.dumps(state, default=str)}\n")
