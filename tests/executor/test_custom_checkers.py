"""Authors' checkers on the real sandbox: the contract, every way to break it, and that students never meet them."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from executor.engines.base import EngineUnavailable, OnResult, RunReport, RunRequest, SourceFile
from executor.engines.sandbox import SandboxEngine
from executor.judging.checkers import CUSTOM, CheckerSpec
from executor.judging.custom import LIMITS, CustomChecker
from executor.judging.languages import LANGUAGES
from executor.judging.outcome import JudgingOutcome, TestOutcome
from executor.judging.plan import JudgingPlan, PlanError, PlannedTest
from executor.judging.scoring import Aggregate, ScoreGroup
from executor.judging.verdicts import Verdict
from executor.services import custom_checkers
from executor.services.code_executor import CodeExecutorService
from executor.services.custom_checkers import CheckerRunner
from executor.services.engines import engine_named
from tests.executor.fakes import ScriptedEngine, run_result


class RecordingSandbox(SandboxEngine):
    """The real sandbox, keeping what it was asked to run."""

    def __init__(self) -> None:
        super().__init__()
        self.requests: list[RunRequest] = []
        self.run_counts: list[int] = []

    def run(self, request: RunRequest, on_result: OnResult | None = None) -> RunReport:
        self.requests.append(request)
        report = super().run(request, on_result)
        self.run_counts.append(len(report.results))
        return report


def checker(source: str, language: str = "python") -> CustomChecker:
    chosen = LANGUAGES[language]
    return CustomChecker(language=chosen, file=SourceFile(name=chosen.main_name, content=source))


def plan(
    made: CustomChecker, tests: Sequence[tuple[str, str | None]] = (("1", "2"),), code: str = "", **changes: Any
) -> JudgingPlan:
    python = LANGUAGES["python"]
    planned = tuple(PlannedTest(key=i, input=given, expected=expected) for i, (given, expected) in enumerate(tests))
    particulars: dict[str, Any] = {"tests": changes.pop("planned", planned), **changes}
    return JudgingPlan(
        language=python,
        files=(SourceFile(name="main.py", content=code or "print(int(input()) * 2)"),),
        checker=CheckerSpec(name=CUSTOM),
        custom_checker=made,
        time_limit_ms=2000,
        memory_limit_mb=64,
        **particulars,
    )


def judge(made: JudgingPlan) -> JudgingOutcome:
    return CodeExecutorService(engine_named("sandbox")).run_all_test_cases(made)


def judged(source: str, language: str = "python", **changes: Any) -> TestOutcome:
    (test,) = judge(plan(checker(source, language), **changes)).tests
    return test


FORGED = '{"exit": 42, "judge": "", "team": ""}'
# Right is any even number at least as large as the answer's.
EVEN = """
import sys
output = sys.stdin.read().split()
answer = int(open(sys.argv[2]).read())
right = len(output) == 1 and int(output[0]) % 2 == 0 and int(output[0]) >= answer
with open(sys.argv[3] + "/teammessage.txt", "w") as team: team.write("even?")
with open(sys.argv[3] + "/judgemessage.txt", "w") as judge: judge.write(f"the answer is {answer}")
sys.exit(42 if right else 43)
"""
SUM = {
    "python": "import sys\nn = int(sys.stdin.read())\nsys.exit(42 if n == int(open(sys.argv[1]).read()) * 2 else 43)",
    "c": '#include <stdio.h>\nint main(int c, char **v) { int n, m; FILE *f = fopen(v[1], "r");'
    ' if (!f || fscanf(f, "%d", &m) != 1) return 1; return scanf("%d", &n) == 1 && n == 2 * m ? 42 : 43; }',
    "cpp": "#include <fstream>\n#include <iostream>\nint main(int c, char **v) { std::ifstream in(v[1]); int n, m;"
    " in >> m; return std::cin >> n && n == 2 * m ? 42 : 43; }",
    "java": "import java.nio.file.*;\npublic class Main { public static void main(String[] a) throws Exception {"
    " int m = Integer.parseInt(Files.readString(Path.of(a[0])).trim());"
    " int n = new java.util.Scanner(System.in).nextInt(); System.exit(n == 2 * m ? 42 : 43); } }",
    "javascript": "const fs = require('fs');\nconst m = Number(fs.readFileSync(process.argv[2]));\n"
    "process.exit(Number(fs.readFileSync(0)) === 2 * m ? 42 : 43);",
}


class TestContract:
    @pytest.mark.parametrize("language", SUM)
    def test_42_is_right_and_43_is_wrong_in_every_language(self, language: str) -> None:
        code = "n = int(input())\nprint(n * 2 if n != 3 else 0)"
        outcome = judge(plan(checker(SUM[language], language), [("1", ""), ("3", ""), ("5", "")], code))
        assert [test.verdict.value for test in outcome.tests] == ["accepted", "wrong_answer", "accepted"], outcome
        assert (outcome.verdict, outcome.score) == (Verdict.WRONG_ANSWER, Decimal("66.66"))

    def test_it_reads_the_answer_and_leaves_messages_for_each_reader(self) -> None:
        test = judged(EVEN, tests=[("1", "2")], code="print(4)")
        assert (test.verdict, test.message, test.judge_message) == (Verdict.ACCEPTED, "even?", "the answer is 2")
        assert judged(EVEN, code="print(3)").verdict is Verdict.WRONG_ANSWER

    def test_all_outputs_go_to_one_box(self) -> None:
        engine = RecordingSandbox()
        service = CodeExecutorService(engine_named("sandbox"), CheckerRunner(engine))
        assert service.run_all_test_cases(plan(checker(EVEN), [("1", "2")] * 5)).verdict is Verdict.ACCEPTED
        assert engine.run_counts == [5]

    def test_nothing_is_expected_and_it_decides_all_the_same(self) -> None:
        source = "import sys\nsys.exit(42 if open(sys.argv[2]).read() == '' else 43)"
        assert judged(source, tests=[("1", None)]).verdict is Verdict.ACCEPTED

    def test_a_function_s_value_is_the_output(self) -> None:
        source = "import json, sys\nsys.exit(42 if json.load(sys.stdin) == {'sum': 3} else 43)"
        code = "def solve(a, b):\n    print('noise')\n    return {'sum': a + b}"
        assert judged(source, tests=[("[1, 2]", "null")], code=code, entry_point="solve").verdict is Verdict.ACCEPTED

    @pytest.mark.parametrize(
        "code",
        [
            "import sys; sys.stdout.buffer.write(b'4\\x00\\xff\\n')",
            "import sys; sys.stdout.buffer.write(b'4' * 1000000 + b'\\x00\\xff\\n')",
        ],
    )
    def test_the_output_arrives_byte_for_byte(self, code: str) -> None:
        source = "import sys\nsys.exit(42 if sys.stdin.buffer.read().endswith(b'4\\x00\\xff\\n') else 43)"
        assert judged(source, code=code).verdict is Verdict.ACCEPTED

    def test_a_failed_run_is_not_shown_to_it(self) -> None:
        engine = RecordingSandbox()
        service = CodeExecutorService(engine_named("sandbox"), CheckerRunner(engine))
        outcome = service.run_all_test_cases(plan(checker(EVEN), code="print(4); 1 / 0"))
        assert (outcome.verdict, engine.requests) == (Verdict.RUNTIME_ERROR, [])

    def test_messages_are_bounded(self) -> None:
        source = "import sys\nopen(sys.argv[3] + 'teammessage.txt', 'wb').write(b'\\xff\\x00' * 100000)\nsys.exit(43)"
        test = judged(source)
        assert test.verdict is Verdict.WRONG_ANSWER
        assert 0 < len(test.message) <= 5 * 4096


class TestBroken:
    """Whatever the checker does wrong is ours and the author's: `internal_error`, no score, the reason for staff."""

    @pytest.mark.parametrize(
        ("language", "source", "reason"),
        [
            ("python", "", "exit code 0"),
            ("python", "import sys; sys.exit(1)", "exit code 1"),
            ("python", "import sys; sys.exit(44)", "exit code 44"),
            ("python", "1 / 0", "ZeroDivisionError"),
            ("python", "import os; os.kill(os.getpid(), 11)", "signal 11"),
            ("python", "import os; os.kill(os.getppid(), 9)", "signaled"),
            ("python", "x = []\nwhile True: x.append('x' * 100000)", ""),
            ("python", "while True: print('x' * 1000)", "output_limit"),
            ("python", f"print({FORGED!r})", "exit code 0"),
            ("python", f"import os\nos.write(1, {FORGED.encode()!r})\nos.kill(os.getppid(), 9)", "signaled"),
            ("python", "import socket\nsocket.create_connection(('127.0.0.1', 80))\nexit(42)", "PermissionError"),
            ("python", "import sys\nopen('/etc/shadow').read()\nsys.exit(42)", "exit code 1"),
            ("python", "import os, sys\nos.mkfifo(sys.argv[3] + 'judgemessage.txt')", "exit code 0"),
            ("cpp", "int main() { return *(volatile int *)0; }", "signal 11"),
            ("cpp", "int main() { return 0; }", "exit code 0"),
        ],
    )  # fmt: skip
    def test_is_never_held_against_the_student(self, language: str, source: str, reason: str) -> None:
        outcome = judge(plan(checker(source, language), [("1", "2"), ("2", "4")]))
        assert (outcome.verdict, outcome.score) == (Verdict.INTERNAL_ERROR, None)
        assert [test.verdict for test in outcome.tests] == [Verdict.INTERNAL_ERROR, Verdict.SKIPPED]
        assert reason in outcome.tests[0].judge_message
        assert outcome.tests[0].message == ""

    @pytest.mark.parametrize("source", ["while True: pass", "import time; time.sleep(60)"])
    def test_one_that_never_ends_is_ended_once(self, source: str, monkeypatch: pytest.MonkeyPatch) -> None:
        """With limits a tenth as large; the first output it hangs on is the last it is asked about."""
        monkeypatch.setattr(custom_checkers, "checker_request", _hurried(custom_checkers.checker_request))
        engine = RecordingSandbox()
        service = CodeExecutorService(engine_named("sandbox"), CheckerRunner(engine))
        outcome = service.run_all_test_cases(plan(checker(source), [("1", "2")] * 20))
        assert (outcome.verdict, engine.run_counts) == (Verdict.INTERNAL_ERROR, [1])
        assert "limit" in outcome.tests[0].judge_message

    def test_one_that_does_not_compile_is_an_authoring_fault(self) -> None:
        with pytest.raises(PlanError, match="does not compile"):
            judge(plan(checker("int main( {", "cpp")))

    def test_one_that_is_missing_is_an_authoring_fault(self) -> None:
        with pytest.raises(PlanError):
            judge(plan(None))  # type: ignore[arg-type]

    def test_a_box_that_fails_is_no_verdict(self) -> None:
        broken = CheckerRunner(ScriptedEngine(lambda stdin: EngineUnavailable("gone")))
        with pytest.raises(EngineUnavailable):
            CodeExecutorService(engine_named("sandbox"), broken).run_all_test_cases(plan(checker(EVEN)))

    @pytest.mark.parametrize("said", [b"", b"no JSON", b"[]", b'{"exit": "x"}', b'{"exit": 42}', b"[" * 100_000])
    def test_a_harness_that_makes_no_sense_is_no_verdict(self, said: bytes) -> None:
        runner = CheckerRunner(ScriptedEngine(lambda stdin: run_result(said)))
        outcome = CodeExecutorService(engine_named("sandbox"), runner).run_all_test_cases(plan(checker(EVEN)))
        assert outcome.verdict is Verdict.INTERNAL_ERROR


def _hurried(real: Any) -> Any:
    limits = replace(LIMITS, time_limit_ms=LIMITS.time_limit_ms // 10, wall_limit_ms=LIMITS.wall_limit_ms // 10)
    return lambda *args, **kwargs: replace(real(*args, **kwargs), limits=limits)


class TestScoring:
    GROUP = (ScoreGroup(name="g", aggregate=Aggregate.MIN),)

    def planned(self, *inputs: str, group: str = "") -> tuple[PlannedTest, ...]:
        return tuple(PlannedTest(key=i, input=given, expected="", group=group) for i, given in enumerate(inputs))

    def test_what_it_refuses_skips_the_rest_of_the_group(self) -> None:
        code = "n = int(input())\nprint(n * 2 if n != 3 else 0)"
        made = plan(
            checker(SUM["python"]), code=code, groups=self.GROUP, planned=self.planned("1", "3", "5", group="g")
        )
        outcome = judge(made)
        assert [test.verdict.value for test in outcome.tests] == ["accepted", "wrong_answer", "skipped"]
        assert outcome.score == 0

    def test_a_break_on_a_test_that_is_skipped_does_not_count(self) -> None:
        source = SUM["python"].replace("n = ", "if open(sys.argv[1]).read() == '5': sys.exit(1)\nn = ", 1)
        code = "n = int(input())\nprint(n * 2 if n != 3 else 0)"
        made = plan(checker(source), code=code, groups=self.GROUP, planned=self.planned("1", "3", "5", group="g"))
        assert judge(made).verdict is Verdict.WRONG_ANSWER
        assert (
            judge(plan(checker(source), code=code, planned=self.planned("1", "5", "3"))).verdict
            is Verdict.INTERNAL_ERROR
        )

    def test_a_failed_run_ends_the_runs(self) -> None:
        student, runner = RecordingSandbox(), RecordingSandbox()
        made = plan(
            checker(SUM["python"]),
            code="n = int(input())\nif n == 3: 1 / 0\nprint(n * 2)",
            planned=self.planned("1", "3", "5"),
            stops_at_first_failure=True,
        )
        outcome = CodeExecutorService(student, CheckerRunner(runner)).run_all_test_cases(made)
        assert [test.verdict.value for test in outcome.tests] == ["accepted", "runtime_error", "skipped"]
        assert (student.run_counts, runner.run_counts) == ([2], [1])


class TestApart:
    """The student's box has neither the checker nor the answer; only the checker's own box has (law 1)."""

    SEARCH = (
        "import gc, os\n"
        "word = 'CAN' + 'ARY'\n"
        "count = sum(word in text for text in gc.get_objects() if isinstance(text, str) and text is not word)\n"
        "for root, dirs, names in os.walk('/'):\n"
        "    if root == '/': dirs.remove('usr')\n"
        "    if root.count('/') > 4: dirs.clear()\n"
        "    for name in names:\n"
        "        try: count += word in open(os.path.join(root, name), errors='replace').read(65536)\n"
        "        except OSError: pass\n"
        "print(count)"
    )

    def canaries(self) -> tuple[JudgingPlan, RecordingSandbox, RecordingSandbox]:
        source = f"# CANARY\n{EVEN}"
        made = plan(checker(source), [("1", "0 ")], self.SEARCH)
        student, runner = RecordingSandbox(), RecordingSandbox()
        return made, student, runner

    def test_a_student_finds_neither(self) -> None:
        made, student, runner = self.canaries()
        (test,) = CodeExecutorService(student, CheckerRunner(runner)).run_all_test_cases(made).tests
        assert (test.verdict, test.printed) == (Verdict.ACCEPTED, b"0\n")
        assert "CANARY" not in repr(student.requests)
        assert "CANARY" in repr(runner.requests)
        assert len(student.requests) == len(runner.requests) == 1

    def test_control_the_search_finds_what_is_in_the_box(self) -> None:
        made, student, runner = self.canaries()
        files = (*made.files, SourceFile(name="checker.py", content="# CANARY"))
        (test,) = (
            CodeExecutorService(student, CheckerRunner(runner)).run_all_test_cases(replace(made, files=files)).tests
        )
        assert test.printed not in (b"", b"0\n")

    def test_students_elsewhere_leave_the_checker_here(self) -> None:
        """Where students' programs run on another engine, that engine never sees the checker."""
        elsewhere = ScriptedEngine(lambda stdin: run_result(b"4"))
        outcome = CodeExecutorService(elsewhere).run_all_test_cases(plan(checker(f"# CANARY\n{EVEN}"), [("1", "2")]))
        assert (outcome.verdict, outcome.engine) == (Verdict.ACCEPTED, "scripted")
        assert "CANARY" not in repr(elsewhere.requests)
