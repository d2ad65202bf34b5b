"""CodeExecutorService: what is wrapped, what is scored, what is refused; on the real sandbox."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from core.errors import InvalidInput
from executor.engines.base import EngineUnavailable, Toolchain
from executor.judging.checkers import CheckerSpec
from executor.judging.languages import LANGUAGES, Language
from executor.judging.outcome import JudgingOutcome
from executor.judging.plan import JudgingPlan, PlanError, PlannedTest
from executor.judging.wrapping import WrappingError
from executor.services.code_executor import CodeExecutorService
from executor.services.engines import engine_named
from executor.services.sources import language_of
from tests.executor.fakes import ScriptedEngine, run_result
from tests.executor.plans import TESTS, function_plan, plan, verdicts


@pytest.fixture(scope="module")
def service() -> CodeExecutorService:
    return CodeExecutorService(engine_named("sandbox"))


def weighted(*weights: int) -> tuple[PlannedTest, ...]:
    """Tests whose number is their input, each of the given weight; right is the number itself."""
    return tuple(
        PlannedTest(key=index, input=str(index), expected=str(index), weight=Decimal(weight))
        for index, weight in enumerate(weights)
    )


def judged(passing: Sequence[bool], tests: tuple[PlannedTest, ...], **changes: Any) -> JudgingOutcome:
    """The decision on a program that is right on the tests marked so, and prints nonsense on the others."""
    engine = ScriptedEngine(lambda stdin: run_result(stdin if passing[int(stdin)] else b"nonsense"))
    return CodeExecutorService(engine).run_all_test_cases(replace(plan("python", "1", [], **changes), tests=tests))


class CodeExecutorServiceTestCase:
    """Lines 6, 7, 9 and 10 of the test plan."""

    # Line 6: code is wrapped by the template, and every variable is substituted.

    @pytest.mark.parametrize(
        ("language", "template", "prelude", "code", "postlude"),
        [
            (
                "python",
                "{{{ prelude }}}\n{{{ code }}}\n{{{ postlude }}}\nprint({{{ entry_point }}}(int(input())) + MORE)\n",
                "BASE = 2",
                "def twice(n):\n    return BASE * n",
                "MORE = 0",
            ),
            (
                "javascript",
                "{{{ prelude }}}\n{{{ code }}}\n{{{ postlude }}}\nconst n = +require('fs').readFileSync(0, 'utf8');\n"
                "console.log({{{ entry_point }}}(n) + MORE);\n",
                "const BASE = 2;",
                "function twice(n) { return BASE * n; }",
                "const MORE = 0;",
            ),
            (
                "c",
                "#include <stdio.h>\n{{{ prelude }}}\n{{{ code }}}\n{{{ postlude }}}\n"
                'int main(void) { int n; scanf("%d", &n); printf("%d", {{{ entry_point }}}(n) + MORE); return 0; }\n',
                "#define BASE 2",
                "int twice(int n) { return BASE * n; }",
                "#define MORE 0",
            ),
            (
                "cpp",
                "#include <iostream>\n{{{ prelude }}}\n{{{ code }}}\n{{{ postlude }}}\n"
                "int main() { int n; std::cin >> n; std::cout << {{{ entry_point }}}(n) + MORE; }\n",
                "constexpr int BASE = 2;",
                "int twice(int n) { return BASE * n; }",
                "constexpr int MORE = 0;",
            ),
        ],
        ids=["python", "javascript", "c", "cpp"],
    )
    def test_every_hole_of_an_author_s_template_is_filled(
        self, service: CodeExecutorService, language: str, template: str, prelude: str, code: str, postlude: str
    ) -> None:
        made = plan(language, code, TESTS, template=template, prelude=prelude, postlude=postlude, entry_point="twice")
        outcome = service.run_all_test_cases(made)
        assert verdicts(outcome) == ["accepted"] * 3, outcome

    @pytest.mark.parametrize("language", ["python", "javascript"])
    def test_the_built_in_template_calls_whatever_the_problem_names(
        self, service: CodeExecutorService, language: str
    ) -> None:
        code = {"python": "def {0}(n): return n * 2", "javascript": "function {0}(n) {{ return n * 2; }}"}[language]
        for name in ("solve", "_twice", "twice2", "value", "main"):
            made = function_plan(language, code.format(name), [("[21]", "42")], entry_point=name)
            assert verdicts(service.run_all_test_cases(made)) == ["accepted"], name

    def test_holes_in_what_a_student_writes_stay_text(self, service: CodeExecutorService) -> None:
        code = "def solve(n):\n    return '{{{ code }}}{{{ entry_point }}}{{{ nothing }}}'"
        made = function_plan("python", code, [("[1]", '"{{{ code }}}{{{ entry_point }}}{{{ nothing }}}"')])
        assert verdicts(service.run_all_test_cases(made)) == ["accepted"]

    @pytest.mark.parametrize(
        ("template", "says"),
        [
            ("{{{ code }}}\n{{{ expected }}}\n", "expected"),
            ("print({{{ entry_point }}}())\n{{{ code }}}\n", "entry point"),
            ("if True:\n    {{{ code }}}\n", "code"),
            ("x = '{{{ code }}}'\n", "code"),
        ],
        ids=["unknown hole", "no entry point", "indented", "in a string"],
    )
    def test_a_template_at_fault_is_named_and_nothing_runs(self, template: str, says: str) -> None:
        engine = ScriptedEngine()
        with pytest.raises(WrappingError, match=says):
            CodeExecutorService(engine).run_all_test_cases(plan("python", "1", TESTS, template=template))
        assert engine.requests == []

    def test_a_nonce_is_new_for_each_run(self) -> None:
        engine = ScriptedEngine(lambda stdin: run_result(b""))
        for _ in range(2):
            CodeExecutorService(engine).run_all_test_cases(function_plan("python", "1", [("[1]", "1")] * 3))
        headers = [stdin.split(b"\n")[0] for request in engine.requests for stdin in request.inputs]
        assert len(set(headers)) == len(headers) == 6

    # Line 7: scores are computed, and the status is decided.

    @pytest.mark.parametrize(
        ("passing", "weights", "score"),
        [
            ("++++", (1, 1, 1, 1), "100"),
            ("----", (1, 1, 1, 1), "0"),
            ("+-++", (1, 1, 1, 1), "75"),
            ("+--", (1, 1, 1), "33.33"),
            ("++-", (1, 1, 1), "66.66"),
            ("+-", (3, 1), "75"),
            ("-+", (3, 1), "25"),
            ("+-", (1, 0), "100"),
            ("-+", (1, 0), "0"),
            ("++", (0, 0), "100"),
            ("+-", (0, 0), "0"),
            ("++++++-", (1, 1, 1, 1, 1, 1, 10), "37.5"),
            ("-++++++", (10000, 1, 1, 1, 1, 1, 1), "0.05"),
        ],
    )
    def test_the_score_is_the_accepted_share_of_all_weight(
        self, passing: str, weights: tuple[int, ...], score: str
    ) -> None:
        outcome = judged([mark == "+" for mark in passing], weighted(*weights))
        assert outcome.score == Decimal(score)
        assert (outcome.verdict == "accepted") is ("-" not in passing)

    def test_without_partial_credit_it_is_all_or_nothing(self) -> None:
        tests = weighted(1, 1, 1)
        assert judged([True, True, False], tests, is_partial_credit=False).score == 0
        assert judged([True, True, True], tests, is_partial_credit=False).score == 100

    def test_time_and_memory_are_the_highest_of_any_test(self) -> None:
        outcome = judged([True, True], weighted(1, 1))
        measured = [test.result for test in outcome.tests if test.result is not None]
        assert outcome.time_ms == max(result.time_ms for result in measured)
        assert outcome.memory_kib == max(result.memory_kib for result in measured)

    def test_a_program_that_must_print_nothing_can_be_accepted(self, service: CodeExecutorService) -> None:
        assert verdicts(service.run_all_test_cases(plan("python", "input()", [("1", ""), ("2", "")]))) == [
            "accepted",
            "accepted",
        ]
        assert verdicts(service.run_all_test_cases(plan("python", "print(1)", [("1", "")]))) == ["wrong_answer"]

    def test_a_test_without_an_expected_output_takes_any_but_no_failure(self, service: CodeExecutorService) -> None:
        code = "n = int(input())\nprint('anything', 1 // n)"
        assert verdicts(service.run_all_test_cases(plan("python", code, [("1", None), ("0", None)]))) == [
            "accepted",
            "runtime_error",
        ]

    @pytest.mark.parametrize(
        ("checker", "options", "expected", "printed", "verdict"),
        [
            ("exact", {}, "a\n", "a\n", "accepted"),
            ("exact", {}, "a\n", "a", "wrong_answer"),
            ("tokens", {}, "a b", " a\n\tb ", "accepted"),
            ("tokens", {"case_sensitive": False}, "A", "a", "accepted"),
            ("tokens", {"space_sensitive": True}, "a b", "a  b", "wrong_answer"),
            ("lines", {}, "a\nb", "a \nb\n\n", "accepted"),
            ("lines", {}, "a\nb", "b\na", "wrong_answer"),
            ("float", {"absolute": 0.1}, "1.0", "1.05", "accepted"),
            ("float", {"relative": 0.001}, "1000", "1002", "wrong_answer"),
            ("unordered", {}, "a\nb", "b\na", "accepted"),
            ("unordered", {"unit": "tokens"}, "a b", "b a", "accepted"),
            ("json", {}, '{"a": [1, 2.0]}', '{"a":[1.0,2]}', "accepted"),
            ("json", {}, "[1, 2]", "[2, 1]", "wrong_answer"),
        ],
    )
    def test_each_checker_decides_the_status(
        self, checker: str, options: dict[str, Any], expected: str, printed: str, verdict: str
    ) -> None:
        engine = ScriptedEngine(lambda stdin: run_result(printed.encode()))
        spec = CheckerSpec(name=checker, options=options)
        made = plan("python", "1", [("", expected)], checker=spec)
        assert verdicts(CodeExecutorService(engine).run_all_test_cases(made)) == [verdict]

    # Line 9: some test cases pass, some fail.

    @pytest.mark.parametrize("passing", ["+-", "-+", "+-+", "-+-", "++-", "--+"])
    def test_each_test_has_its_own_verdict_and_the_first_failure_names_the_whole(
        self, service: CodeExecutorService, passing: str
    ) -> None:
        """A failure of the odd tests is a crash, of the even ones a wrong answer."""
        right = [mark == "+" for mark in passing]
        code = (
            f"n = int(input())\nright = {right!r}\n"
            "if not right[n] and n % 2: raise ValueError(n)\nprint(n if right[n] else 'wrong')"
        )
        outcome = service.run_all_test_cases(plan("python", code, [(str(n), str(n)) for n in range(len(right))]))
        failures = ["wrong_answer", "runtime_error"]
        assert verdicts(outcome) == ["accepted" if ok else failures[n % 2] for n, ok in enumerate(right)]
        assert outcome.verdict.value == failures[right.index(False) % 2]
        assert outcome.score == (Decimal(100) * sum(right) / len(right)).quantize(Decimal("0.01"), "ROUND_DOWN")

    def test_a_failure_does_not_spill_into_the_tests_that_follow(self, service: CodeExecutorService) -> None:
        code = (
            "import os, time\nn = int(input())\n"
            "if n == 0:\n    while True: pass\n"
            "if n == 1: os.abort()\n"
            "if n == 2: x = bytearray(1 << 30)\n"
            "if n == 3: print('x' * 3000000)\n"
            "print(n)"
        )
        tests = [(str(n), str(n)) for n in range(5)]
        outcome = service.run_all_test_cases(plan("python", code, tests, time_limit_ms=500))
        assert verdicts(outcome) == [
            "time_limit_exceeded",
            "runtime_error",
            "memory_limit_exceeded",
            "output_limit_exceeded",
            "accepted",
        ]
        assert outcome.verdict.value == "time_limit_exceeded"

    # Line 10: no test cases, an inactive language, a missing entry point.

    @pytest.mark.parametrize("language", LANGUAGES)
    def test_without_test_cases_nothing_runs(self, language: str) -> None:
        engine = ScriptedEngine()
        with pytest.raises(PlanError, match="no test cases"):
            CodeExecutorService(engine).run_all_test_cases(plan(language, "x", []))
        assert engine.requests == []

    def test_a_language_that_is_not_installed_is_no_verdict(self, service: CodeExecutorService) -> None:
        absent = Language(
            key="absent",
            name="Absent",
            main_name="main.abs",
            toolchain=Toolchain(
                language="absent",
                source_suffixes=(".abs",),
                run_argv=("no-such-interpreter", "{main}"),
                debian_packages=("absent",),
            ),
        )
        made = plan("python", "1", TESTS)
        request = JudgingPlan(
            language=absent,
            files=made.files,
            tests=made.tests,
            checker=made.checker,
            time_limit_ms=1000,
            memory_limit_mb=64,
        )
        with pytest.raises(EngineUnavailable, match="no-such-interpreter is missing: apt-get install absent"):
            service.run_all_test_cases(request)

    @pytest.mark.parametrize(
        ("language", "allowed", "code"),
        [("cobol", (), "unknown_language"), ("python", ("c", "java"), "language_not_allowed")],
    )
    def test_a_language_the_problem_does_not_take_is_refused_by_name(
        self, language: str, allowed: tuple[str, ...], code: str
    ) -> None:
        with pytest.raises(InvalidInput) as caught:
            language_of(language, allowed=allowed)
        assert [error.code for error in caught.value.errors] == [code]

    @pytest.mark.parametrize(
        ("language", "code"),
        [
            ("python", "def other(n): return n"),
            ("python", "solve = 7"),
            ("python", "class Solution:\n    def solve(self, n): return n"),
            ("javascript", "const other = (n) => n;"),
            ("javascript", "const solve = 7;"),
            ("javascript", "{ function inner(n) { return n; } }"),
        ],
    )
    def test_a_missing_entry_point_is_a_runtime_error_that_says_so(
        self, service: CodeExecutorService, language: str, code: str
    ) -> None:
        outcome = service.run_all_test_cases(function_plan(language, code, [("[1]", "1"), ("[2]", "2")]))
        assert verdicts(outcome) == ["runtime_error"] * 2
        result = outcome.tests[0].result
        assert result is not None
        assert b"There is no function named solve" in result.stderr

    @pytest.mark.parametrize("language", ["c", "cpp", "java"])
    def test_a_language_without_a_template_takes_no_function_problem(self, language: str) -> None:
        engine = ScriptedEngine()
        with pytest.raises(WrappingError, match="template by the author"):
            CodeExecutorService(engine).run_all_test_cases(function_plan(language, "x", [("[1]", "1")]))
        assert engine.requests == []
