"""The shortest way from a program and its tests to a plan for CodeExecutorService."""

from collections.abc import Sequence
from typing import Any

from executor.engines.base import SourceFile
from executor.judging.checkers import CheckerSpec
from executor.judging.languages import LANGUAGES
from executor.judging.outcome import JudgingOutcome
from executor.judging.plan import JudgingPlan, PlannedTest

# A program in each language that doubles a number, and tests for it. SQL is not among them: it reads no numbers.
DOUBLES = {
    "python": "print(int(input()) * 2)",
    "c": '#include <stdio.h>\nint main(void) { int n; scanf("%d", &n); printf("%d\\n", n * 2); return 0; }',
    "cpp": "#include <iostream>\nint main() { int n; std::cin >> n; std::cout << n * 2 << std::endl; }",
    "java": "import java.util.Scanner;\npublic class Main { public static void main(String[] a) {"
    " System.out.println(new Scanner(System.in).nextInt() * 2); } }",
    "javascript": "console.log(Number(require('fs').readFileSync(0, 'utf8')) * 2)",
    "typescript": "import { readFileSync } from 'fs'; console.log(Number(readFileSync(0, 'utf8')) * 2)",
    "go": 'package main\nimport "fmt"\nfunc main() { var n int; fmt.Scan(&n); fmt.Println(n * 2) }',
    "rust": "fn main() { let mut s = String::new(); std::io::stdin().read_line(&mut s).unwrap();"
    ' println!("{}", s.trim().parse::<i64>().unwrap() * 2); }',
    "ruby": "puts gets.to_i * 2",
    "php": '<?php echo (int) fgets(STDIN) * 2, "\\n";',
    "bash": "read -r n; echo $((n * 2))",
}
DOUBLES["cpp20"] = DOUBLES["cpp"]
TESTS = [("1", "2"), ("21", "42"), ("-3", "-6")]


def plan(language: str, code: str, tests: Sequence[tuple[str, str | None]], **changes: Any) -> JudgingPlan:
    """A stdio problem's plan, by default with the checker `tokens`; `changes` are fields of JudgingPlan."""
    chosen = LANGUAGES[language]
    particulars: dict[str, Any] = {
        "checker": CheckerSpec(name="tokens"),
        "time_limit_ms": 2000,
        "memory_limit_mb": 128,
        "files": (SourceFile(name=chosen.main_name, content=code),),
        **changes,
    }
    planned = tuple(PlannedTest(key=i, input=given, expected=expected) for i, (given, expected) in enumerate(tests))
    return JudgingPlan(language=chosen, tests=planned, **particulars)


def function_plan(language: str, code: str, tests: Sequence[tuple[str, str]], **changes: Any) -> JudgingPlan:
    """A function problem's plan: inputs are JSON arguments of `solve`, expected outputs JSON values."""
    return plan(language, code, tests, **{"entry_point": "solve", "checker": CheckerSpec(name="json"), **changes})


def verdicts(outcome: JudgingOutcome) -> list[str]:
    """Each test's verdict, in judging order."""
    return [test.verdict.value for test in outcome.tests]
