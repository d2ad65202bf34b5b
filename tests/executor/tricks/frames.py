"""G-02: forge what a judge might read, on every channel there is."""

from tests.executor.tricks.problems import FUNCTION, PROGRAM, Trick, TrickProblem

# Small answers: who may give several at once is right with one of them.
DIGIT = TrickProblem(
    name="a function whose values are digits",
    tests=[("[1]", "7"), ("[2]", "4")],
    honest={"python": "def solve(n):\n    return 0\n", "javascript": "const solve = (n) => 0;\n"},
    honest_score=FUNCTION.honest_score,
    entry_point="solve",
)

# The header with the nonce is the first line of stdin, which a program can always read again.
PYTHON_NONCE = "import json, os, sys\nNONCE = json.loads(os.pread(0, 4096, 0).split(b'\\n')[0])['nonce']\n"
JAVASCRIPT_NONCE = (
    "const fs = require('fs'); const head = Buffer.alloc(4096);\n"
    "const NONCE = JSON.parse(head.toString('utf8', 0, fs.readSync(0, head, 0, 4096, 0)).split('\\n')[0]).nonce;\n"
    "const frame = (text) => `\\n${NONCE}${text}${NONCE}\\n`;\n"
)
FORGE = PYTHON_NONCE + "def frame(text):\n    return f'\\n{NONCE}{text}{NONCE}\\n'.encode()\n"
MARKERS = (
    "ALL TESTS PASSED",
    "OK",
    "1..2",
    "ok 1",
    "ok 2",
    '{"status": 3, "verdict": "accepted", "score": 100}',
    '<testsuite tests="2" failures="0" errors="0"/>',
    "2 passed in 0.01s",
    '{"scores": {"solve": 100}}',
)

TRICKS = (
    Trick(
        id="G-02",
        tries="print every pass marker, and end well",
        language="python",
        problem=FUNCTION,
        code=(
            "import os, sys\n"
            f"for stream in (sys.stdout, sys.stderr):\n    print({chr(10).join(MARKERS)!r}, file=stream, flush=True)\n"
            "os._exit(0)\n"
        ),
        verdicts=["runtime_error"],
        fools_naive=True,
    ),
    Trick(
        id="G-02",
        tries="print every pass marker, and end badly",
        language="python",
        problem=FUNCTION,
        code=f"print({chr(10).join(MARKERS)!r})\nraise SystemExit(1)\n",
        verdicts=["runtime_error"],
        fools_naive=True,
    ),
    Trick(
        id="G-02",
        tries="print every pass marker",
        language="python",
        problem=PROGRAM,
        code=f"print({chr(10).join(MARKERS)!r})\n",
        verdicts=["wrong_answer"],
    ),
    Trick(
        id="G-02",
        tries="a frame of its own with a guess, then the end",
        language="python",
        problem=DIGIT,
        code=FORGE + "os.write(1, frame('{\"value\": 1}'))\nos._exit(0)\n",
        verdicts=["wrong_answer"],
    ),
    Trick(
        id="G-02",
        tries="a frame for every possible answer",
        language="python",
        problem=DIGIT,
        code=FORGE + "for digit in range(10):\n    os.write(1, frame('{\"value\": %d}' % digit))\nos._exit(0)\n",
        verdicts=["wrong_answer"],
    ),
    Trick(
        id="G-02",
        tries="a frame for every possible answer, from the last to the first, and one that is true",
        language="python",
        problem=DIGIT,
        code=(
            FORGE + "def solve(n):\n    for digit in range(9, -1, -1):\n"
            "        os.write(1, frame('{\"value\": %d}' % digit))\n    return 0\n"
        ),
        verdicts=["wrong_answer"],
    ),
    Trick(
        id="G-02",
        tries="one frame with all answers as values of one key",
        language="python",
        problem=DIGIT,
        code=(
            FORGE + "text = '{' + ', '.join('\"value\": %d' % digit for digit in range(10)) + '}'\n"
            "os.write(1, frame(text))\nos._exit(0)\n"
        ),
        verdicts=["wrong_answer"],
    ),
    Trick(
        id="G-02",
        tries="a list of all answers",
        language="python",
        problem=DIGIT,
        code="def solve(n):\n    return list(range(10))\n",
        verdicts=["wrong_answer"],
    ),
    Trick(
        id="G-02",
        tries="half a frame before the true one",
        language="python",
        problem=FUNCTION,
        code=FORGE + "os.write(1, f'\\n{NONCE}{{\"value\":'.encode())\ndef solve(n):\n    return 0\n",
        verdicts=["wrong_answer"],
    ),
    Trick(
        id="G-02",
        tries="half a frame and no other",
        language="python",
        problem=FUNCTION,
        code=FORGE + "os.write(1, f'\\n{NONCE}{{\"value\": 0}}'.encode())\nos._exit(0)\n",
        verdicts=["runtime_error"],
    ),
    Trick(
        id="G-02",
        tries="a frame inside the returned text",
        language="python",
        problem=FUNCTION,
        code=FORGE + "def solve(n):\n    return frame('{\"value\": 0}').decode()\n",
        verdicts=["wrong_answer"],
    ),
    Trick(
        id="G-02",
        tries="a frame with a verdict and a score",
        language="python",
        problem=FUNCTION,
        code=(
            FORGE + 'text = \'{"value": 0, "verdict": "accepted", "score": 100, "is_right": true, "expected": 0}\'\n'
            "os.write(1, frame(text))\nos._exit(0)\n"
        ),
        verdicts=["wrong_answer"],
    ),
    Trick(
        id="G-02",
        tries="frames on stderr and on every other descriptor",
        language="python",
        problem=FUNCTION,
        code=(
            FORGE + "for descriptor in range(2, 300):\n"
            "    if descriptor == _assay_frame_fd:\n        continue\n"
            "    try:\n        os.write(descriptor, frame('{\"value\": 0}'))\n"
            "    except OSError:\n        pass\n"
            "os._exit(0)\n"
        ),
        verdicts=["runtime_error"],
    ),
    Trick(
        id="G-02",
        tries="a frame nested 100,000 deep",
        language="python",
        problem=FUNCTION,
        code=FORGE + "os.write(1, frame('{\"value\": ' + '[' * 100000 + ']' * 100000 + '}'))\nos._exit(0)\n",
        verdicts=["wrong_answer"],
    ),
    Trick(
        id="G-02",
        tries="a frame as large as the output may be",
        language="python",
        problem=FUNCTION,
        code=FORGE + "os.write(1, frame('{\"value\": \"%s\"}' % ('x' * 1000000)))\nos._exit(0)\n",
        verdicts=["wrong_answer"],
    ),
    Trick(
        id="G-02",
        tries="a frame larger than the output may be",
        language="python",
        problem=FUNCTION,
        code="def solve(n):\n    return 'x' * 3000000\n",
        verdicts=["output_limit_exceeded"],
    ),
    Trick(
        id="G-02",
        tries="a frame that is a failure with a value",
        language="python",
        problem=FUNCTION,
        code=FORGE + 'os.write(1, frame(\'{"fault": {"value": 0}}\'))\nos._exit(0)\n',
        verdicts=["wrong_answer"],
    ),
    Trick(
        id="G-02",
        tries="frames that are null, text, a number and a list",
        language="python",
        problem=FUNCTION,
        code=(
            FORGE + "kind = os.pread(0, 4096, 0).split(b'\\n')[1]\n"
            "os.write(1, frame('null' if kind == b'[1]' else '[\"value\"]'))\nos._exit(0)\n"
        ),
        verdicts=["wrong_answer"],
    ),
    Trick(
        id="G-02",
        tries="a frame of bytes that are no text",
        language="python",
        problem=FUNCTION,
        code=FORGE + "os.write(1, frame('@').replace(b'@', b'{\"value\": \"\\xff\\xfe\\x00\"}'))\nos._exit(0)\n",
        verdicts=["wrong_answer"],
    ),
    Trick(
        id="G-02",
        tries="print every pass marker, and end well",
        language="javascript",
        problem=FUNCTION,
        code=f"console.log({chr(10).join(MARKERS)!r});\nprocess.exit(0);\n",
        verdicts=["runtime_error"],
        fools_naive=True,
    ),
    Trick(
        id="G-02",
        tries="a frame for every possible answer",
        language="javascript",
        problem=DIGIT,
        code=(
            JAVASCRIPT_NONCE
            + 'for (let digit = 0; digit < 10; digit++) fs.writeSync(1, frame(`{"value":${digit}}`));\n'
            "process.exit(0);\n"
        ),
        verdicts=["wrong_answer"],
    ),
    Trick(
        id="G-02",
        tries="a frame for every possible answer, and one that is true",
        language="javascript",
        problem=DIGIT,
        code=(
            JAVASCRIPT_NONCE + "function solve(n) {\n"
            '  for (let digit = 0; digit < 10; digit++) fs.writeSync(1, frame(`{"value":${digit}}`));\n'
            "  return 0;\n}\n"
        ),
        verdicts=["wrong_answer"],
    ),
    Trick(
        id="G-02",
        tries="half a frame before the true one",
        language="javascript",
        problem=FUNCTION,
        code=JAVASCRIPT_NONCE + 'fs.writeSync(1, `\\n${NONCE}{"value":`);\nconst solve = (n) => 0;\n',
        verdicts=["wrong_answer"],
    ),
    Trick(
        id="G-02",
        tries="a frame with a verdict and a score",
        language="javascript",
        problem=FUNCTION,
        code=(
            JAVASCRIPT_NONCE
            + 'fs.writeSync(1, frame(\'{"value": 0, "verdict": "accepted", "score": 100}\'));\nprocess.exit(0);\n'
        ),
        verdicts=["wrong_answer"],
    ),
)
