"""G-01: end the process well before the tests have run."""

from tests.executor.tricks.problems import DRIVEN, FUNCTION, Trick

TRICKS = (
    Trick(
        id="G-01",
        tries="sys.exit(0) while it is imported",
        language="python",
        problem=FUNCTION,
        code="import sys\nsys.exit(0)\n",
        verdicts=["runtime_error"],
        fools_naive=True,
    ),
    Trick(
        id="G-01",
        tries="os._exit(0) in the function",
        language="python",
        problem=FUNCTION,
        code="import os\ndef solve(n):\n    os._exit(0)\n",
        verdicts=["runtime_error"],
        fools_naive=True,
    ),
    Trick(
        id="G-01",
        tries="raise SystemExit from a constructor that stands for the function",
        language="python",
        problem=FUNCTION,
        code="class solve:\n    def __init__(self, n):\n        raise SystemExit\n",
        verdicts=["runtime_error"],
        fools_naive=True,
    ),
    Trick(
        id="G-01",
        tries="fail, and end well in atexit",
        language="python",
        problem=FUNCTION,
        code="import atexit, os\natexit.register(os._exit, 0)\ndef solve(n):\n    raise ValueError(n)\n",
        verdicts=["runtime_error"],
        fools_naive=True,
    ),
    Trick(
        id="G-01",
        tries="end the process from a thread",
        language="python",
        problem=FUNCTION,
        code=(
            "import os, threading, time\n"
            "threading.Thread(target=os._exit, args=(0,)).start()\n"
            "def solve(n):\n    time.sleep(30)\n"
        ),
        verdicts=["runtime_error"],
        fools_naive=True,
    ),
    Trick(
        id="G-01",
        tries="end the process from a signal handler",
        language="python",
        problem=FUNCTION,
        code=(
            "import os, signal\n"
            "signal.signal(signal.SIGALRM, lambda *_: os._exit(0))\n"
            "signal.setitimer(signal.ITIMER_REAL, 0.05)\n"
            "def solve(n):\n    while True: pass\n"
        ),
        verdicts=["runtime_error"],
        fools_naive=True,
    ),
    Trick(
        id="G-01",
        tries="an excepthook that ends well",
        language="python",
        problem=FUNCTION,
        code="import os, sys\nsys.excepthook = lambda *_: os._exit(0)\ndef solve(n):\n    1 / 0\n",
        verdicts=["runtime_error"],
        fools_naive=True,
    ),
    Trick(
        id="G-01",
        tries="become /usr/bin/true",
        language="python",
        problem=FUNCTION,
        code="import os\nos.execv('/usr/bin/true', ['true'])\n",
        verdicts=["runtime_error"],
        fools_naive=True,
    ),
    Trick(
        id="G-01",
        tries="fork, and let the parent end well at once",
        language="python",
        problem=FUNCTION,
        code="import os, time\nif os.fork():\n    os._exit(0)\ntime.sleep(0.2)\ndef solve(n):\n    return 0\n",
        verdicts=["runtime_error"],
        fools_naive=True,
    ),
    Trick(
        id="G-01",
        tries="process.exit(0) while it is loaded",
        language="javascript",
        problem=FUNCTION,
        code="process.exit(0);\n",
        verdicts=["runtime_error"],
        fools_naive=True,
    ),
    Trick(
        id="G-01",
        tries="reallyExit in the function",
        language="javascript",
        problem=FUNCTION,
        code="function solve(n) { process.reallyExit(0); }\n",
        verdicts=["runtime_error"],
        fools_naive=True,
    ),
    Trick(
        id="G-01",
        tries="throw, and end well in the handler of what nobody caught",
        language="javascript",
        problem=FUNCTION,
        code=(
            "process.on('uncaughtException', () => process.exit(0));\n"
            "process.on('unhandledRejection', () => process.exit(0));\n"
            "function solve(n) { throw new Error('no'); }\n"
        ),
        verdicts=["runtime_error"],
        fools_naive=True,
    ),
    Trick(
        id="G-01",
        tries="throw, and set the exit code to 0 on the way out",
        language="javascript",
        problem=FUNCTION,
        code="process.on('exit', () => process.reallyExit(0));\nfunction solve(n) { throw new Error('no'); }\n",
        verdicts=["runtime_error"],
        fools_naive=True,
    ),
    Trick(
        id="G-01",
        tries="a promise that is never kept",
        language="javascript",
        problem=FUNCTION,
        code="const solve = (n) => new Promise(() => {});\n",
        verdicts=["runtime_error"],
    ),
    Trick(
        id="G-01",
        tries="a promise-like that swallows its own end",
        language="javascript",
        problem=FUNCTION,
        code="const solve = (n) => ({ then(done) { process.exit(0); } });\n",
        verdicts=["runtime_error"],
    ),
    Trick(
        id="G-01",
        tries="exit(0) in the function",
        language="c",
        problem=DRIVEN,
        code="#include <stdlib.h>\nlong long solve(int n) { exit(0); }\n",
        verdicts=["wrong_answer"],
    ),
    Trick(
        id="G-01",
        tries="a constructor that ends the process before main",
        language="c",
        problem=DRIVEN,
        code=(
            "#include <unistd.h>\n"
            "__attribute__((constructor)) static void early(void) { _exit(0); }\n"
            "long long solve(int n) { return 0; }\n"
        ),
        verdicts=["wrong_answer"],
    ),
    Trick(
        id="G-01",
        tries="crash, and end well in the handler of the signal",
        language="c",
        problem=DRIVEN,
        code=(
            "#include <signal.h>\n#include <unistd.h>\n"
            "static void end(int s) { _exit(0); }\n"
            "long long solve(int n) { signal(SIGSEGV, end); return *(volatile int *)0; }\n"
        ),
        verdicts=["wrong_answer"],
    ),
)
