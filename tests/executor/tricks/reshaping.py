"""G-07 and G-10: give the words of the judge's JavaScript or C another meaning, or cut its text short."""

from collections.abc import Sequence

from tests.executor.tricks.problems import DRIVEN, FUNCTION, PROGRAM, Trick, TrickProblem


def _reshape(
    tries: str,
    code: str,
    verdicts: Sequence[str],
    *,
    id: str = "G-07",
    language: str = "javascript",
    problem: TrickProblem = FUNCTION,
    fools_naive: bool = False,
) -> Trick:
    return Trick(
        id=id,
        tries=tries,
        language=language,
        problem=problem,
        code=code,
        verdicts=verdicts,
        fools_naive=fools_naive,
    )


WRONG, FAILED, REFUSED = ["wrong_answer"], ["runtime_error"], ["skipped"]

_JAVASCRIPT = (
    _reshape(
        "Array.prototype.every says yes",
        "Array.prototype.every = Array.prototype.some = () => true;\nconst solve = (n) => 0;\n",
        WRONG,
        fools_naive=True,
    ),
    _reshape(
        "Array.prototype.map gives nothing",
        "Array.prototype.map = () => [];\nconst solve = (n) => 0;\n",
        WRONG,
        fools_naive=True,
    ),
    _reshape(
        "JSON.stringify writes the same for everything",
        "JSON.stringify = () => '{\"value\":true}';\nconst solve = (n) => 0;\n",
        WRONG,
        fools_naive=True,
    ),
    _reshape(
        "every number has the same JSON",
        "Number.prototype.toJSON = Object.prototype.toJSON = () => 'same';\nconst solve = (n) => 0;\n",
        WRONG,
    ),
    _reshape(
        "every object has a score, a verdict and a nonce",
        "for (const name of ['score', 'verdict', 'is_right', 'expected', 'nonce', 'fault'])\n"
        "  Object.defineProperty(Object.prototype, name, { get: () => 100, set() {}, configurable: true });\n"
        "const solve = (n) => undefined;\n",
        WRONG,
    ),
    _reshape(
        "writing that drops what it is given",
        "require('fs').writeSync = (descriptor, data) => data.length;\nconst solve = (n) => 0;\n",
        FAILED,
    ),
    _reshape(
        "a vm, a Buffer and a Promise of its own",
        "require('vm').runInThisContext = () => () => 1;\n"
        "Promise.prototype.then = function (done) { process.exit(0); };\n"
        "Buffer.from = () => ({ length: 0 });\nconst solve = (n) => 0;\n",
        FAILED,
    ),
    _reshape(
        "a log that always says passed, and an exit that always ends well",
        "const say = console.log, end = process.exit;\n"
        "console.log = () => say('ALL TESTS PASSED');\nprocess.exit = () => end(0);\nconst solve = (n) => 0;\n",
        WRONG,
        fools_naive=True,
    ),
    _reshape(
        "a require that finds the student's modules first",
        "const Module = require('module');\nModule._load = () => ({ readFileSync: () => '0' });\n"
        "module.exports = new Proxy({}, { get: () => () => true });\n",
        WRONG,
    ),
    _reshape(
        "text that would close the template's strings and blocks",
        "// {{{ postlude }}} */ ` ${0} </script>\nconst solve = (n) => 0; /* `\"' */ //}});({{{ code }}}\n",
        WRONG,
        id="G-10",
    ),
    _reshape(
        "closing braces of the driver's",
        "}});})();\nconst solve = (n) => 0;\n",
        FAILED,
        id="G-10",
    ),
)

_C_ZERO = "long long solve(int n) { return 0; }\n"
_C_MAIN = '#include <stdio.h>\nint main(void) { puts("accepted"); return 0; }\n'
_C = (
    _reshape(
        "a main of its own, and another name for the driver's",
        f"{_C_ZERO}{_C_MAIN}#define main hidden\n",
        WRONG,
        language="c",
        problem=DRIVEN,
    ),
    _reshape(
        "another meaning for printf",
        f'#define printf(...) puts("42")\n{_C_ZERO}',
        WRONG,
        language="c",
        problem=DRIVEN,
    ),
    _reshape(
        "a constructor that answers before main",
        "#include <stdio.h>\n#include <unistd.h>\n__attribute__((constructor)) static void early(void)\n"
        f'{{ puts("ALL TESTS PASSED"); fflush(stdout); _exit(0); }}\n{_C_ZERO}',
        WRONG,
        language="c",
        problem=DRIVEN,
    ),
    _reshape(
        "functions of libc in its own words",
        '#include <unistd.h>\nint printf(const char *f, ...) { return write(1, "1\\n", 2); }\n'
        f"int scanf(const char *f, ...) {{ return 1; }}\n{_C_ZERO}",
        WRONG,
        language="c",
        problem=DRIVEN,
    ),
    _reshape(
        "itself again, with libraries of its own loaded first",
        "#include <stdio.h>\n#include <stdlib.h>\n#include <unistd.h>\n"
        "int main(int argc, char **argv) {\n"
        '  if (!getenv("LD_PRELOAD")) { setenv("LD_PRELOAD", "/box/evil.so", 1);'
        ' setenv("LD_LIBRARY_PATH", "/box", 1); execv(argv[0], argv); }\n'
        '  puts("42"); return 0; }\n',
        WRONG,
        language="c",
        problem=PROGRAM,
    ),
    _reshape(
        "a driver inside a condition that is false",
        f"{_C_ZERO}{_C_MAIN}#if 0\n",
        REFUSED,
        id="G-10",
        language="c",
        problem=DRIVEN,
    ),
    _reshape("a driver inside a comment", f"{_C_ZERO}{_C_MAIN}/*\n", REFUSED, id="G-10", language="c", problem=DRIVEN),
    _reshape(
        "a driver inside a body that never runs",
        f"{_C_ZERO}static void never(void) {{\n",
        REFUSED,
        id="G-10",
        language="c",
        problem=DRIVEN,
    ),
)

TRICKS = (*_JAVASCRIPT, *_C)
