"""Python programs that touch all that an interpreter does for its program, from its start to its exit."""

PROGRAMS = {
    "nothing": "",
    "hello": "print('hello')",
    "names": (
        "print(sorted(globals()), __name__, __file__, __spec__)\n"
        "print(__package__, __doc__, __cached__, __annotations__)"
    ),
    "loader": "print(type(__loader__), __loader__.name, __loader__.path, __builtins__)",
    "docstring": ("'what it does'\nprint(__doc__)"),
    "arguments": ("import sys\nprint(sys.argv, sys.orig_argv[1:], sys.path, sys.flags, sys.executable, sys.prefix)"),
    "environment": ("import os\nprint(sorted(os.environ.items()), os.getcwd(), os.listdir('.'), os.umask(0))"),
    "standard files": (
        "import sys\n"
        "for f in sys.stdin, sys.stdout, sys.stderr:\n"
        "    print(f, f.encoding, f.errors, f.line_buffering, f.seekable(), f.isatty(), f.fileno(), type(f.buffer))"
    ),
    "hashes": "print(hash('a'), list({'b', 'a', 'c', 'e', 'd'}))",
    "recursion limit": (
        "import sys, threading\nprint(sys.getrecursionlimit(), threading.main_thread().name, threading.active_count())"
    ),
    "signals": ("import signal\nprint([(s, str(signal.getsignal(s))[:20]) for s in sorted(signal.valid_signals())])"),
    "file of its own": "print(open(__file__).read())",
    "module of its own": (
        "import sys, __main__\nx = 5\nprint(__main__.x, sys.modules['__main__'] is __main__, __main__)"
    ),
    "pickle": ("import pickle\nclass A: pass\nprint(type(pickle.loads(pickle.dumps(A()))))"),
    "dataclass": ("from dataclasses import dataclass\n@dataclass\nclass A:\n    x: int\nprint(A(3))"),
    "annotations": (
        "import typing\n"
        "class A:\n"
        "    x: 'B'\n"
        "class B: pass\n"
        "y: int = 3\n"
        "print(typing.get_type_hints(A), __annotations__)"
    ),
    "read all": ("import sys\nprint(sys.stdin.read().upper())"),
    "read lines": ("print([input(), input()])\nimport sys\nprint(list(sys.stdin))"),
    "read bytes": ("import sys\nprint(sys.stdin.buffer.read(3), open(0).read())"),
    "read past the end": ("while True:\n    input()"),
    "syntax error": ("def f(:\n    pass"),
    "indentation error": ("if True:\nprint(1)"),
    "null bytes": ("print('a\\x00b')\nexec('a\\x00')"),
    "syntax warning": ("x = 5\nprint(x is 5)"),
    "odd escape": "print('\\d')",
    "coding line": ("# -*- coding: latin-1 -*-\nprint('\\xe9')"),
    "bad coding line": ("# -*- coding: nonsense -*-\nprint(1)"),
    "future": ("from __future__ import annotations\nx: nothing = 3\nprint(__annotations__)"),
    "error": ("def f():\n    return 1 / 0\nf()"),
    "error in a class": ("class A:\n    x = undefined"),
    "chained error": ("try:\n    {}['a']\nexcept KeyError as e:\n    raise ValueError('b') from e"),
    "error in handler": ("try:\n    1 / 0\nexcept ZeroDivisionError:\n    int('x')"),
    "error group": "raise ExceptionGroup('some', [ValueError(1), TypeError(2)])",
    "assertion": "assert 1 == 2, 'no'",
    "import error": "import nothing_of_that_name",
    "hint": ("class A:\n    attribute = 1\nA.atribute"),
    "recursion": ("def f(n):\n    return f(n + 1)\nf(0)"),
    "custom hook": ("import sys\nsys.excepthook = lambda k, e, t: print('hook', k, e, t.tb_lineno)\n1 / 0"),
    "broken hook": ("import sys\ndef hook(k, e, t):\n    raise ValueError('in hook')\nsys.excepthook = hook\n1 / 0"),
    "hook that exits": ("import sys\nsys.excepthook = lambda k, e, t: sys.exit(7)\n1 / 0"),
    "base exception": ("class Odd(BaseException): pass\nraise Odd('x')"),
    "interrupt": "raise KeyboardInterrupt",
    "interrupt by signal": ("import os, signal\nos.kill(os.getpid(), signal.SIGINT)\nprint('no')"),
    "exit": "raise SystemExit",
    "exit number": ("import sys\nsys.exit(3)"),
    "exit big number": ("import sys\nsys.exit(256 + 4)"),
    "exit negative": ("import sys\nsys.exit(-1)"),
    "exit boolean": ("import sys\nsys.exit(True)"),
    "exit text": ("import sys\nprint('out')\nsys.exit('reason')"),
    "exit tuple": "raise SystemExit((1, 2))",
    "quit": ("print(1)\nquit()"),
    "hard exit": ("import os\nprint('lost')\nos._exit(5)"),
    "exit in thread": (
        "import threading, sys\nt = threading.Thread(target=sys.exit, args=(3,))\nt.start()\nt.join()\nprint('on')"
    ),
    "error in thread": (
        "import threading\nt = threading.Thread(target=lambda: 1 / 0, name='t')\nt.start()\nt.join()\nprint('on')"
    ),
    "thread that goes on": (
        "import threading, time\n"
        "def f():\n"
        "    time.sleep(0.05)\n"
        "    print('late')\n"
        "threading.Thread(target=f).start()\n"
        "print('end')"
    ),
    "daemon": (
        "import threading, time\nthreading.Thread(target=time.sleep, args=(20,), daemon=True).start()\nprint('end')"
    ),
    "atexit": ("import atexit\natexit.register(print, 'bye')\natexit.register(print, 'first')\nprint('main')"),
    "atexit after an error": ("import atexit\natexit.register(print, 'bye')\n1 / 0"),
    "atexit that fails": ("import atexit\natexit.register(lambda: 1 / 0)\natexit.register(print, 'bye')"),
    "destructor": ("class A:\n    def __del__(self):\n        print('gone')\na = A()\nprint('end')"),
    "destructors": (
        "class A:\n"
        "    def __init__(self, n):\n"
        "        self.n = n\n"
        "    def __del__(self):\n"
        "        print('gone', self.n)\n"
        "def f():\n"
        "    return a\n"
        "a, b, _c = A(1), A(2), A(3)\n"
        "print('end')"
    ),
    "destructor in a cycle": (
        "class A:\n    def __del__(self):\n        print('gone')\na = A()\na.me = a\nprint('end')"
    ),
    "destructor after an error": (
        "class A:\n    def __del__(self):\n        print('gone')\ndef f():\n    a = A()\n    1 / 0\nf()"
    ),
    "generator": (
        "def g():\n    try:\n        yield 1\n    finally:\n        print('closed')\nx = g()\nprint(next(x))"
    ),
    "context manager": (
        "import contextlib\n@contextlib.contextmanager\ndef c():\n    yield\n    print('left')\nwith c():\n    exit()"
    ),
    "finalizer": ("import weakref\nclass A: pass\na = A()\nweakref.finalize(a, print, 'final')\nprint('end')"),
    "coroutine never awaited": ("async def f(): pass\nf()\nprint('end')"),
    "asyncio": ("import asyncio\nasync def f():\n    await asyncio.sleep(0.01)\n    return 4\nprint(asyncio.run(f()))"),
    "writer of its own": ("import os\nout = os.fdopen(1, 'w')\nout.write('kept')"),
    "wrapped output": (
        "import sys, io\nsys.stdout = io.TextIOWrapper(sys.stdout.buffer, encoding='utf-16')\nprint('x')"
    ),
    "output elsewhere": ("import sys, io\nsys.stdout = io.StringIO()\nprint('x')\nsys.stderr.write('y')"),
    "no output": ("import sys\nsys.stdout = None\nprint('x')"),
    "deleted output": ("import sys\ndel sys.stdout\n"),
    "closed output": ("import sys\nprint('x', flush=True)\nsys.stdout.close()"),
    "closed descriptor": ("import os\nos.close(1)\nprint('x')"),
    "output that fails": (
        "import sys\n"
        "class W:\n"
        "    closed = False\n"
        "    def write(self, t): pass\n"
        "    def flush(self): raise OSError('full')\n"
        "sys.stdout = W()"
    ),
    "surrogate": "print('\\ud800')",
    "unicode": ("print('\\u00fc\\u4e2d\\U0001f600')\nimport sys\nsys.stderr.write('\\ud800\\n')"),
    "no newline": "print('x', end='')",
    "order of outputs": ("import sys\nprint('out')\nprint('err', file=sys.stderr)\nprint('out')"),
    "abort": ("import os\nos.abort()"),
    "terminate": ("import os, signal\nos.kill(os.getpid(), signal.SIGTERM)"),
    "segmentation fault": ("import ctypes\nctypes.string_at(0)"),
    "alarm": ("import signal\nsignal.alarm(1)\nsignal.pause()"),
    "fork": (
        "import os, sys\n"
        "pid = os.fork()\n"
        "if pid == 0:\n"
        "    print('child')\n"
        "    sys.exit(4)\n"
        "print(os.waitstatus_to_exitcode(os.wait()[1]))"
    ),
    "subprocess": (
        "import subprocess, sys\nprint(subprocess.run([sys.executable, '-c', 'print(6)'], capture_output=True).stdout)"
    ),
    "process number": (
        "import os\nprint(os.getpid() == os.getppid(), os.getsid(0) == os.getpid(), os.getpgrp() == os.getpid())"
    ),
    "collector": ("import gc\nprint(gc.isenabled(), gc.get_threshold(), gc.get_debug(), gc.callbacks, gc.garbage)"),
    "warnings": ("import warnings\nwarnings.warn('careful')\nwarnings.warn('old', DeprecationWarning)"),
    "hidden frame": ("import sys\nprint(sys._getframe().f_code.co_name, sys._getframe().f_lineno)"),
    "inspect source": ("import inspect\ndef f():\n    return 1\nprint(inspect.getsource(f))"),
    "traceback module": ("import traceback\ntry:\n    1 / 0\nexcept ZeroDivisionError:\n    traceback.print_exc()"),
    "written module": ("open('made.py', 'w').write('x = 3')\nimport made\nprint(made.x, made.__file__)"),
    "preloaded module anew": ("import sys, importlib, json\nprint(importlib.reload(json) is json)"),
    "interned": (
        "import sys\nprint(sys.intern('abc') is 'ab' + 'c', sys.getswitchinterval(), sys.get_int_max_str_digits())"
    ),
    "decimal context": (
        "import decimal, locale\nprint(decimal.getcontext(), locale.getlocale(), locale.getpreferredencoding())"
    ),
    "deep nesting": "x = " + "(" * 150 + ")" * 150,
    "too deep nesting": "x = " + "(" * 5000 + ")" * 5000,
}
