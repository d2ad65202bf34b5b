"""G-05, G-10 and G-18: change what the judge's Python means, from inside, beside or around it."""

from collections.abc import Mapping, Sequence

from tests.executor.tricks.problems import FUNCTION, Trick

_ZERO = "def solve(n):\n    return 0\n"


def _patch(
    tries: str,
    code: str,
    verdicts: Sequence[str],
    *,
    id: str = "G-05",
    files: Mapping[str, str] | None = None,
    fools_naive: bool = False,
) -> Trick:
    return Trick(
        id=id,
        tries=tries,
        language="python",
        problem=FUNCTION,
        code=code,
        verdicts=verdicts,
        files=files or {},
        fools_naive=fools_naive,
    )


WRONG, FAILED = ["wrong_answer"], ["runtime_error"]

TRICKS = (
    _patch(
        "a print that always says passed, and an exit that always ends well",
        "import builtins, os, sys\n"
        "builtins.print = lambda *_, **__: os.write(1, b'ALL TESTS PASSED\\n')\n"
        "sys.exit = lambda *_: os._exit(0)\n" + _ZERO,
        WRONG,
        fools_naive=True,
    ),
    _patch(
        "no test cases left in the main module",
        "import sys\nmain = sys.modules['__main__']\n"
        "for value in list(vars(main).values()):\n"
        "    if isinstance(value, list): value.clear()\n" + _ZERO,
        WRONG,
        fools_naive=True,
    ),
    _patch(
        "test cases that all expect 0",
        "import sys\nmain = sys.modules['__main__']\n"
        "for value in list(vars(main).values()):\n"
        "    if isinstance(value, list): value[:] = [(case[0], 0) for case in value]\n" + _ZERO,
        WRONG,
        fools_naive=True,
    ),
    _patch(
        "a tracer that rewrites the frames above",
        "import os, sys\n"
        "def solve(n):\n"
        "    frame = sys._getframe(1)\n"
        "    def trace(frame, event, argument):\n"
        "        if event == 'line': os._exit(0)\n"
        "        return trace\n"
        "    sys.settrace(trace)\n"
        "    frame.f_trace = trace\n"
        "    return 0\n",
        FAILED,
        fools_naive=True,
    ),
    _patch(
        "json that writes the same for everything",
        "import json\njson.dumps = lambda *_, **__: '{\"value\": true}'\njson.loads = lambda *_: [0]\n" + _ZERO,
        FAILED,
    ),
    _patch(
        "a json module of its own",
        "import sys, types\n"
        "fake = types.ModuleType('json')\n"
        "real = __import__('json')\n"
        "fake.loads = real.loads\nfake.dumps = lambda value: '{\"value\": null}'\n"
        "sys.modules['json'] = fake\n" + _ZERO,
        WRONG,
    ),
    _patch(
        "os.write that drops what it is given",
        "import os\nos.write = lambda descriptor, data: len(data)\n" + _ZERO,
        FAILED,
    ),
    _patch(
        "builtins that answer as one likes",
        "import builtins\n"
        "builtins.callable = builtins.isinstance = lambda *_: True\n"
        "builtins.repr = builtins.str = lambda *_: '1'\n"
        "builtins.all = builtins.any = lambda *_: True\n" + _ZERO,
        FAILED,
    ),
    _patch(
        "a main module and standard streams of its own",
        "import io, sys, types\n"
        "sys.modules['__main__'] = sys.modules['solution'] = types.ModuleType('__main__')\n"
        "sys.stdout = sys.stderr = sys.__stdout__ = io.StringIO()\n" + _ZERO,
        WRONG,
    ),
    _patch(
        "clocks and tolerances that always agree",
        "import math, time\nmath.isclose = lambda *_, **__: True\n"
        "time.time = time.monotonic = time.perf_counter = time.process_time = lambda: 0.0\n" + _ZERO,
        WRONG,
    ),
    _patch(
        "a wrapper of its own in the driver's name",
        "_assay_call = lambda: 0\ndef solve(n):\n    global _assay_frame_fd\n    _assay_frame_fd = 2\n    return 0\n",
        FAILED,
    ),
    _patch(
        "files named like the modules that the driver imports",
        _ZERO,
        FAILED,
        files={
            "json.py": "loads = lambda text: {'nonce': '', 'encoding': 'json'}\ndumps = lambda value: '1'\n",
            "ast.py": "literal_eval = lambda text: [0]\n",
            "traceback.py": "print_exception = lambda *_: None\n",
        },
    ),
    _patch(
        "files that configure an interpreter or a test runner",
        _ZERO,
        WRONG,
        files={
            "sitecustomize.py": "import os\nos._exit(0)\n",
            "usercustomize.py": "import os\nos._exit(0)\n",
            "conftest.py": "def pytest_sessionfinish(session, exitstatus):\n    session.exitstatus = 0\n",
            "pytest.ini": "[pytest]\naddopts = --collect-only\n",
        },
    ),
    _patch(
        "a second file in the place of the wrapped one",
        _ZERO,
        WRONG,
        files={"solution.py": "def solve(n):\n    raise SystemExit(0)\n"},
    ),
    _patch(
        "exec without the word, by getattr and wide letters",
        "getattr(__import__('o' + 's'), '_' + 'exit')(0)\n𝐢𝐦𝐩𝐨𝐫𝐭 = 0\n",
        FAILED,
        id="G-18",
        fools_naive=True,
    ),
    _patch(
        "text that would close the template's strings and blocks",
        "'''\"\"\"\n{{{ postlude }}}\n'''\n# {{{ entry_point }}} */ --> ]]> </script>\n" + _ZERO,
        WRONG,
        id="G-10",
    ),
    _patch(
        "an end of file in the middle of the program",
        "def solve(n):\n    return 0\n\x1a\x04\n__END__\n",
        FAILED,
        id="G-10",
    ),
    _patch(
        "a program that is one half of the driver's next statement",
        "def solve(n):\n    return 0\nif False:\n    '''\n",
        FAILED,
        id="G-10",
    ),
)
