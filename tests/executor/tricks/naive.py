"""The control: a harness as many courses have one, running the answer inside its own process.

It knows the expected outputs, and its exit code, or the marker it prints, decides. It runs in the sandbox, like every
other hostile program here: what it lacks is not walls but the distance between the answer and who judges it.
"""

from dataclasses import dataclass

from executor.engines.base import SourceFile
from executor.judging.languages import LANGUAGES
from executor.judging.plan import limits_for
from executor.services.code_executor import CodeExecutorService
from tests.executor.tricks.problems import HIDDEN, TIME_LIMIT_MS, Trick

MARKER = "ALL TESTS PASSED"

PYTHON_HARNESS = f"""\
import sys

CASES = [([1], {HIDDEN[0]}), ([2], {HIDDEN[1]})]


def run_tests():
    namespace = {{"__name__": "solution"}}
    with open("solution.py") as file:
        exec(compile(file.read(), "solution.py", "exec"), namespace)
    for arguments, expected in CASES:
        actual = namespace["solve"](*arguments)
        if actual != expected:
            print("FAILED:", arguments)
            sys.exit(1)
    print("{MARKER}")


run_tests()
"""

JAVASCRIPT_HARNESS = f"""\
const fs = require("fs");
const vm = require("vm");
globalThis.require = require;
globalThis.module = module;

const CASES = [[[1], {HIDDEN[0]}], [[2], {HIDDEN[1]}]];

const solve = vm.runInThisContext(fs.readFileSync("solution.js", "utf8") + "\\n;solve");
const results = CASES.map(([given, expected]) => JSON.stringify(solve(...given)) === JSON.stringify(expected));
if (!results.every(Boolean)) {{
  console.log("FAILED");
  process.exit(1);
}}
console.log("{MARKER}");
"""

HARNESSES = {"python": PYTHON_HARNESS, "javascript": JAVASCRIPT_HARNESS}


@dataclass(frozen=True, slots=True)
class NaiveVerdict:
    """What the harness would have believed, by its exit code and by its printed marker."""

    by_exit_code: bool
    by_marker: bool

    @property
    def is_passed(self) -> bool:
        return self.by_exit_code or self.by_marker


def judge_naively(service: CodeExecutorService, *, language: str, code: str) -> NaiveVerdict:
    """Run a solution inside the harness of its language."""
    chosen = LANGUAGES[language]
    suffix = chosen.main_name.partition(".")[2]
    run = service.run_freely(
        language=chosen,
        files=(
            SourceFile(name=chosen.main_name, content=HARNESSES[language]),
            SourceFile(name=f"solution.{suffix}", content=code),
        ),
        stdin="",
        limits=limits_for(time_limit_ms=TIME_LIMIT_MS, memory_limit_mb=128),
    )
    assert run.result is not None
    return NaiveVerdict(
        by_exit_code=run.result.exit_code == 0, by_marker=MARKER.encode() in run.result.stdout.splitlines()
    )


def can_be_judged_naively(trick: Trick) -> bool:
    """The harness calls functions; it takes neither whole programs nor several files."""
    return trick.problem.entry_point == "solve" and trick.language in HARNESSES and not trick.files
