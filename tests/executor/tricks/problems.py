"""What a trick is, and the problems it is tried on: each says what an honest program without the answer gets."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from executor.engines.base import SourceFile
from executor.judging.checkers import CheckerSpec
from executor.judging.languages import LANGUAGES
from executor.judging.plan import JudgingPlan, PlannedTest

TIME_LIMIT_MS = 1000
# Nobody guesses one of these, and JavaScript's numbers hold them.
HIDDEN = tuple(secrets.randbits(48) | 1 << 47 for _ in range(3))


@dataclass(frozen=True, slots=True, kw_only=True)
class TrickProblem:
    """A problem to be cheated on. `honest` is, by language, a program that knows no more than it may.

    `tests` are inputs and expected outputs; with an entry point the inputs are JSON arguments.
    """

    name: str
    tests: Sequence[tuple[str, str]]
    honest: Mapping[str, str]
    honest_score: Decimal
    entry_point: str = ""
    templates: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trick:
    """One attempt at a mark that was not earned, after catalogue G of the reliability notes.

    `verdicts` is what the tests may end with, in order; a shorter list is repeated. `fools_naive`: the harness of
    naive.py falls for it, which proves that the trick is a real one.
    """

    id: str
    tries: str
    language: str
    problem: TrickProblem
    code: str
    verdicts: Sequence[str]
    files: Mapping[str, str] = field(default_factory=dict)
    fools_naive: bool = False

    @property
    def label(self) -> str:
        """The test's id: readable, and unique among all tricks."""
        return f"{self.id}-{self.language}-{self.tries}"


def plan_of(
    trick_problem: TrickProblem, language: str, code: str, files: Mapping[str, str] | None = None
) -> JudgingPlan:
    """The plan that judges this code on the problem."""
    chosen = LANGUAGES[language]
    others = tuple(SourceFile(name=name, content=content) for name, content in (files or {}).items())
    return JudgingPlan(
        language=chosen,
        files=(SourceFile(name=chosen.main_name, content=code), *others),
        tests=tuple(
            PlannedTest(key=index, input=given, expected=expected)
            for index, (given, expected) in enumerate(trick_problem.tests)
        ),
        checker=CheckerSpec(name="json" if trick_problem.entry_point else "tokens"),
        time_limit_ms=TIME_LIMIT_MS,
        memory_limit_mb=128,
        entry_point=trick_problem.entry_point,
        template=trick_problem.templates.get(language, ""),
    )


# The driver an author would write for C.
C_DRIVER = """\
#include <stdio.h>
{{{ code }}}
int main(void) { int n; scanf("%d", &n); printf("%lld\\n", {{{ entry_point }}}(n)); return 0; }
"""

FUNCTION = TrickProblem(
    name="a function whose values are hidden",
    tests=[(f"[{number}]", str(value)) for number, value in enumerate(HIDDEN[:2], start=1)],
    honest={
        "python": "def solve(n):\n    return 0\n",
        "javascript": "const solve = (n) => 0;\n",
    },
    honest_score=Decimal(0),
    entry_point="solve",
)
DRIVEN = TrickProblem(
    name="a C function called by the author's driver",
    tests=[(str(number), str(value)) for number, value in enumerate(HIDDEN[:2], start=1)],
    honest={"c": "long long solve(int n) { return 0; }\n"},
    honest_score=Decimal(0),
    entry_point="solve",
    templates={"c": C_DRIVER},
)
PROGRAM = TrickProblem(
    name="a program whose outputs are hidden",
    tests=[(str(number), str(value)) for number, value in enumerate(HIDDEN[:2], start=1)],
    honest={
        "python": "print(0)\n",
        "javascript": "console.log(0);\n",
        "c": '#include <stdio.h>\nint main(void) { puts("0"); return 0; }\n',
    },
    honest_score=Decimal(0),
)
# Every test looks the same, so that only a program which remembers the run before can get more than one right.
COUNTING = TrickProblem(
    name="the number of the run",
    tests=[("go", "1"), ("go", "2"), ("go", "3")],
    honest={
        "python": "print(1)\n",
        "javascript": "console.log(1);\n",
        "c": '#include <stdio.h>\nint main(void) { puts("1"); return 0; }\n',
    },
    honest_score=Decimal("33.33"),
)
# The first test is a sample that everybody has read: its answer is 42.
SAMPLE = TrickProblem(
    name="one sample and two hidden tests",
    tests=[("7", "42"), *((str(number), str(value)) for number, value in enumerate(HIDDEN[:2], start=1))],
    honest={"python": "print(42)\n", "javascript": "console.log(42);\n"},
    honest_score=Decimal("33.33"),
)
# Everybody knows the answer; honestly, it takes more CPU time than there is.
SLOW = TrickProblem(
    name="known answers, too slowly",
    tests=[("1", "2")],
    honest={
        "python": "while True: pass\n",
        "javascript": "for (;;) {}\n",
        "c": "int main(void) { for (volatile int i = 0;; i = i + 1) {} }\n",
    },
    honest_score=Decimal(0),
)
PROBLEMS = (FUNCTION, DRIVEN, PROGRAM, COUNTING, SAMPLE, SLOW)
