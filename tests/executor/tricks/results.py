"""G-03: stand in the way of the result, or leave one of its own where a judge might read it."""

from tests.executor.tricks.problems import FUNCTION, Trick

TRICKS = (
    Trick(
        id="G-03",
        tries="files that a judge might read its result from",
        language="python",
        problem=FUNCTION,
        code=(
            "import os\n"
            "for place in ('.', '/tmp', '/grade', '/grade/results', '/autograder/results', '/box', '/program'):\n"
            "    for name in ('results.json', 'result.json', 'report.xml', 'stdout', 'metadata', 'score'):\n"
            "        try:\n"
            "            os.makedirs(place, exist_ok=True)\n"
            "            with open(os.path.join(place, name), 'w') as file:\n"
            '                file.write(\'{"score": 100, "status": 3, "verdict": "accepted"}\')\n'
            "            os.chmod(os.path.join(place, name), 0o444)\n"
            "        except OSError:\n            pass\n"
            "def solve(n):\n    return 0\n"
        ),
        verdicts=["wrong_answer"],
    ),
    Trick(
        id="G-03",
        tries="a disk so full that no result could be written",
        language="python",
        problem=FUNCTION,
        code=(
            "for place in ('/tmp/full', 'full'):\n"
            "    try:\n"
            "        with open(place, 'wb', buffering=0) as file:\n"
            "            while file.write(b'x' * 1048576): pass\n"
            "    except OSError:\n        pass\n"
            "def solve(n):\n    return 0\n"
        ),
        verdicts=["wrong_answer"],
    ),
    Trick(
        id="G-03",
        tries="no standard output left to write a result to",
        language="python",
        problem=FUNCTION,
        code=(
            "import os\n"
            "nothing = os.open('/dev/null', os.O_WRONLY)\n"
            "for descriptor in range(1, 10):\n"
            "    if descriptor != nothing:\n        os.dup2(nothing, descriptor)\n"
            "def solve(n):\n    return 0\n"
        ),
        verdicts=["runtime_error"],
    ),
    Trick(
        id="G-03",
        tries="files that a judge might read its result from",
        language="javascript",
        problem=FUNCTION,
        code=(
            "for (const name of ['results.json', '/tmp/results.json', '/grade/results/results.json', 'stdout'])\n"
            "  try { require('fs').writeFileSync(name, '{\"score\": 100}'); } catch (error) {}\n"
            "const solve = (n) => 0;\n"
        ),
        verdicts=["wrong_answer"],
    ),
    Trick(
        id="G-03",
        tries="no standard output left to write a result to",
        language="javascript",
        problem=FUNCTION,
        code="require('fs').closeSync(1);\nconst solve = (n) => 0;\n",
        verdicts=["runtime_error"],
    ),
)
