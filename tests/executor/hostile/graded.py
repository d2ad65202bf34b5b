"""Attacks of the letters G, L and Z through the whole judging: the problem of each, and what came of it."""

from dataclasses import replace
from decimal import Decimal
from pathlib import Path

from executor.judging.outcome import JudgingOutcome
from executor.judging.plan import JudgingPlan
from executor.services.code_executor import CodeExecutorService
from tests.executor.hostile.header import Attack, load
from tests.executor.hostile.planted import escapes_in, plant
from tests.executor.tricks.problems import COUNTING, FUNCTION, HIDDEN, PROGRAM, SAMPLE, SLOW, TrickProblem, plan_of

ATTACKS = Path(__file__).parent / "attacks"

CPP_DRIVER = """\
#include <cstdio>
#include <iostream>
{{{ code }}}
int main() { int n; std::scanf("%d", &n); std::printf("%lld\\n", {{{ entry_point }}}(n)); return 0; }
"""
JAVA_DRIVER = """\
import java.util.Scanner;
{{{ code }}}
public class Main {
    public static void main(String[] arguments) {
        System.out.println(new Solution().{{{ entry_point }}}(new Scanner(System.in).nextInt()));
    }
}
"""
DRIVEN = TrickProblem(
    name="a function called by the author's driver",
    tests=[(str(number), str(value)) for number, value in enumerate(HIDDEN[:2], start=1)],
    honest={
        "cpp": "long long solve(int n) { return 0; }\n",
        "java": "class Solution { long solve(int n) { return 0; } }\n",
    },
    honest_score=Decimal(0),
    entry_point="solve",
    templates={"cpp": CPP_DRIVER, "java": JAVA_DRIVER},
)
# Inputs and expected outputs are planted words: whoever finds one of the latter has the answer.
SOUGHT = TrickProblem(
    name="words to be found, as a program",
    tests=[(plant("input"), plant("expected")) for _ in range(2)],
    honest={"python": "print()\n", "c": "int main(void) { return 0; }\n"},
    honest_score=Decimal(0),
)
SOUGHT_FUNCTION = TrickProblem(
    name="words to be found, as a function",
    tests=[(f'["{plant("input")}"]', f'"{plant("expected")}"') for _ in range(2)],
    honest={"python": "def solve(word):\n    return ''\n", "javascript": "const solve = (word) => '';\n"},
    honest_score=Decimal(0),
    entry_point="solve",
)
PROBLEM_OF: dict[str, TrickProblem] = {
    "g01_early_end.cpp": PROGRAM,
    "g01_halt.java": PROGRAM,
    "g02_blind_frame.js": FUNCTION,
    "g02_blind_frame.py": FUNCTION,
    "g02_markers.cpp": PROGRAM,
    "g02_markers.java": PROGRAM,
    "g03_result_files.c": PROGRAM,
    "g03_result_files.java": PROGRAM,
    "g05_package.js": FUNCTION,
    "g06_memory.c": SOUGHT,
    "g06_search.js": SOUGHT_FUNCTION,
    "g06_search.py": SOUGHT_FUNCTION,
    "g07_interposed.cpp": DRIVEN,
    "g07_reflection.java": DRIVEN,
    "g08_signs.c": SAMPLE,
    "g09_tools.js": SOUGHT,
    "g12_residue.java": COUNTING,
    "g15_threads.java": SLOW,
    "g18_macros.c": SOUGHT,
    "l01_walk.c": SOUGHT,
    "l01_walk.java": SOUGHT,
    "l01_walk.js": SOUGHT,
    "l01_walk.py": SOUGHT,
}


def attack_named(name: str) -> Attack:
    """The attack in the file of this name."""
    return next(attack for attack in load(ATTACKS, letter=name[0].upper()) if attack.name == name)


def plan_for_attack(attack: Attack, problem: TrickProblem) -> JudgingPlan:
    """What judges the attack as an answer to the problem, within the limits of its header."""
    plan = plan_of(problem, attack.language, attack.source, dict(attack.files))
    limits = attack.limits
    return replace(plan, time_limit_ms=limits.time_limit_ms, memory_limit_mb=limits.memory_limit_mb)


def judged(service: CodeExecutorService, attack: Attack) -> JudgingOutcome:
    """What comes of the attack on its problem."""
    return service.run_all_test_cases(plan_for_attack(attack, PROBLEM_OF[attack.name]))


def escapes_of(outcome: JudgingOutcome) -> list[str]:
    """What the program, or what the compiler said of it, tells of an escape."""
    said = [text for test in outcome.tests if test.result for text in (test.printed, test.result.stdout)]
    said += [test.result.stderr for test in outcome.tests if test.result]
    return escapes_in([*said, outcome.compilation.output.encode() if outcome.compilation else b""])
