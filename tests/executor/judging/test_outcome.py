"""From measurements to decisions."""

from dataclasses import replace
from decimal import Decimal

import pytest

from executor.engines.base import CompileResult, RunReport, RunResult, RunStatus, SourceFile
from executor.judging.checkers import CheckerSpec
from executor.judging.languages import LANGUAGES
from executor.judging.outcome import TestOutcome, decide_submission, decide_test
from executor.judging.plan import JudgingPlan, PlanError, PlannedTest, prepare
from executor.judging.scoring import Aggregate, ScoreGroup
from executor.judging.text import CUT_MARK, storable_text
from executor.judging.verdicts import Verdict, failure_of, overall_verdict


def ran(status: RunStatus = RunStatus.EXITED, *, exit_code: int | None = 0, stdout: bytes = b"") -> RunResult:
    return RunResult(
        status=status, exit_code=exit_code, time_ms=7, wall_ms=9, memory_kib=100, stdout=stdout, stderr=b""
    )


def plan(*tests: tuple[str, str | None], weights: tuple[int, ...] = (), entry_point: str = "") -> JudgingPlan:
    return JudgingPlan(
        language=LANGUAGES["python"],
        files=(SourceFile(name="main.py", content="pass"),),
        tests=tuple(
            PlannedTest(key=i, input=given, expected=expected, weight=Decimal(weights[i] if weights else 1))
            for i, (given, expected) in enumerate(tests)
        ),
        checker=CheckerSpec(name="json" if entry_point else "tokens"),
        time_limit_ms=1000,
        memory_limit_mb=64,
        entry_point=entry_point,
    )


class TestFailureOf:
    @pytest.mark.parametrize(
        ("result", "verdict"),
        [
            (ran(), None),
            (ran(exit_code=1), Verdict.RUNTIME_ERROR),
            (ran(RunStatus.SIGNALED, exit_code=None), Verdict.RUNTIME_ERROR),
            (ran(RunStatus.TIME_LIMIT, exit_code=None), Verdict.TIME_LIMIT_EXCEEDED),
            (ran(RunStatus.WALL_LIMIT, exit_code=None), Verdict.TIME_LIMIT_EXCEEDED),
            (ran(RunStatus.MEMORY_LIMIT, exit_code=1), Verdict.MEMORY_LIMIT_EXCEEDED),
            (ran(RunStatus.OUTPUT_LIMIT, exit_code=0), Verdict.OUTPUT_LIMIT_EXCEEDED),
        ],
    )
    def test_each_way_to_end(self, result: RunResult, verdict: Verdict | None) -> None:
        assert failure_of(result) is verdict

    def test_every_run_status_has_an_answer(self) -> None:
        assert all(failure_of(ran(status, exit_code=1)) is not None for status in RunStatus)


class TestOverallVerdict:
    @pytest.mark.parametrize(
        ("verdicts", "overall"),
        [
            ([Verdict.ACCEPTED, Verdict.ACCEPTED], Verdict.ACCEPTED),
            ([Verdict.ACCEPTED, Verdict.RUNTIME_ERROR, Verdict.WRONG_ANSWER], Verdict.RUNTIME_ERROR),
            ([Verdict.WRONG_ANSWER, Verdict.INTERNAL_ERROR], Verdict.INTERNAL_ERROR),
            ([Verdict.WRONG_ANSWER, Verdict.SKIPPED], Verdict.WRONG_ANSWER),
            ([Verdict.SKIPPED], Verdict.INTERNAL_ERROR),
            ([], Verdict.INTERNAL_ERROR),
        ],
    )
    def test_first_that_is_not_accepted(self, verdicts: list[Verdict], overall: Verdict) -> None:
        assert overall_verdict(verdicts) is overall


class TestPrepare:
    def test_one_input_a_test_and_nothing_to_learn_the_answer_from(self) -> None:
        request = prepare(plan(("in", "CANARY"), ("in2", "CANARY"))).request
        assert request.inputs == (b"in", b"in2")
        assert "CANARY" not in repr(request)

    def test_a_function_problem_gets_a_nonce_a_test(self) -> None:
        prepared = prepare(plan(("[1]", "CANARY"), ("[2]", "CANARY"), entry_point="solve"))
        assert len(set(prepared.nonces)) == 2
        assert "CANARY" not in repr(prepared)

    def test_no_tests_are_an_authoring_fault(self) -> None:
        with pytest.raises(PlanError):
            prepare(plan())

    def test_groups_that_make_no_sense_are_an_authoring_fault(self) -> None:
        with pytest.raises(PlanError):
            prepare(replace(plan(("", "")), groups=(ScoreGroup(name="a", requires=("b",)),)))

    def test_the_wall_clock_gives_more_than_the_cpu(self) -> None:
        limits = plan(("", "")).limits
        assert limits.wall_limit_ms == 2 * limits.time_limit_ms + 1000


class TestDecideTest:
    def decide(self, result: RunResult, *, entry_point: str = "", expected: str | None = "1") -> TestOutcome:
        made = plan(("[1]", expected), entry_point=entry_point)
        return decide_test(made, prepare(made), 0, result)

    def test_right_and_wrong_output(self) -> None:
        assert self.decide(ran(stdout=b"1\n")).verdict is Verdict.ACCEPTED
        assert self.decide(ran(stdout=b"2\n")).verdict is Verdict.WRONG_ANSWER

    def test_a_right_output_of_a_failed_run_is_no_use(self) -> None:
        assert self.decide(ran(exit_code=1, stdout=b"1\n")).verdict is Verdict.RUNTIME_ERROR

    def test_a_function_that_never_returned_is_a_runtime_error(self) -> None:
        assert self.decide(ran(stdout=b"1\n"), entry_point="solve").verdict is Verdict.RUNTIME_ERROR

    def test_a_frame_counts_and_prints_do_not(self) -> None:
        made = plan(("[1]", "5"), entry_point="solve")
        prepared = prepare(made)
        nonce = prepared.nonces[0]
        stdout = f'noise\n{nonce}{{"value": 5}}{nonce}\n'.encode()
        outcome = decide_test(made, prepared, 0, ran(stdout=stdout))
        assert outcome.verdict is Verdict.ACCEPTED
        assert outcome.printed == b"noise"

    def test_a_value_that_is_no_json_is_a_wrong_answer(self) -> None:
        made = plan(("[1]", "5"), entry_point="solve")
        prepared = prepare(made)
        nonce = prepared.nonces[0]
        outcome = decide_test(made, prepared, 0, ran(stdout=f'\n{nonce}{{"fault": "set"}}{nonce}\n'.encode()))
        assert outcome.verdict is Verdict.WRONG_ANSWER
        assert "not JSON" in outcome.message

    def test_must_print_nothing_can_be_accepted(self) -> None:
        assert self.decide(ran(), expected="").verdict is Verdict.ACCEPTED
        assert self.decide(ran(stdout=b"x"), expected="").verdict is Verdict.WRONG_ANSWER


class TestDecideSubmission:
    def outcome(self, *verdicts: Verdict) -> list[TestOutcome]:
        return [TestOutcome(key=i, verdict=verdict, result=ran()) for i, verdict in enumerate(verdicts)]

    def test_tests_not_run_are_skipped_and_not_accepted(self) -> None:
        made = replace(plan(("", ""), ("", ""), ("", "")), stops_at_first_failure=True)
        report = RunReport(compilation=None, results=(ran(),), tier="A")
        decided = decide_submission(made, report, self.outcome(Verdict.WRONG_ANSWER), engine="sandbox")
        assert [test.verdict for test in decided.tests] == [Verdict.WRONG_ANSWER, Verdict.SKIPPED, Verdict.SKIPPED]
        assert decided.verdict is Verdict.WRONG_ANSWER
        assert decided.score == 0
        assert (decided.engine, decided.tier, decided.time_ms, decided.memory_kib) == ("sandbox", "A", 7, 100)

    def test_a_test_run_in_vain_is_shown_as_skipped(self) -> None:
        made = replace(plan(("", ""), ("", "")), stops_at_first_failure=True)
        report = RunReport(compilation=None, results=(ran(), ran()), tier="A")
        decided = decide_submission(made, report, self.outcome(Verdict.WRONG_ANSWER, Verdict.ACCEPTED), engine="x")
        assert [(test.verdict, test.result is None) for test in decided.tests] == [
            (Verdict.WRONG_ANSWER, False),
            (Verdict.SKIPPED, True),
        ]
        assert decided.score == 0

    def test_a_test_without_a_result_costs_no_student(self) -> None:
        report = RunReport(compilation=None, results=(ran(),), tier="A")
        decided = decide_submission(plan(("", ""), ("", "")), report, self.outcome(Verdict.ACCEPTED), engine="x")
        assert [test.verdict for test in decided.tests] == [Verdict.ACCEPTED, Verdict.INTERNAL_ERROR]
        assert (decided.verdict, decided.score) == (Verdict.INTERNAL_ERROR, None)

    def test_groups_and_their_rules_make_the_score(self) -> None:
        tests = tuple(PlannedTest(key=i, input="", expected="", group="g") for i in range(2))
        made = replace(plan(), tests=tests, groups=(ScoreGroup(name="g", aggregate=Aggregate.MIN),))
        report = RunReport(compilation=None, results=(ran(), ran()), tier="A")
        outcomes = self.outcome(Verdict.ACCEPTED, Verdict.WRONG_ANSWER)
        assert decide_submission(made, report, outcomes, engine="x").score == 0
        assert decide_submission(replace(made, groups=()), report, outcomes, engine="x").score == 50

    def test_a_failed_compilation_decides_all(self) -> None:
        report = RunReport(compilation=CompileResult(succeeded=False, output="no", time_ms=1), results=(), tier="A")
        decided = decide_submission(plan(("", "")), report, [], engine="sandbox")
        assert decided.verdict is Verdict.COMPILATION_ERROR
        assert decided.time_ms is None

    def test_an_engine_that_ran_nothing_costs_no_student(self) -> None:
        report = RunReport(compilation=None, results=(), tier="A")
        decided = decide_submission(plan(("", "")), report, [], engine="x")
        assert (decided.verdict, decided.score) == (Verdict.INTERNAL_ERROR, None)


class TestStorableText:
    @pytest.mark.parametrize(
        ("data", "text"),
        [(b"a\x00b", "a\\x00b"), (b"\xff", "\\xff"), (b"\xed\xa0\x80", "\\xed\\xa0\\x80"), ("ü".encode(), "ü")],
    )
    def test_what_no_database_takes_is_spelled_out(self, data: bytes, text: str) -> None:
        assert storable_text(data, limit_bytes=100) == text

    def test_it_is_cut_and_says_so(self) -> None:
        assert storable_text(b"x" * 11, limit_bytes=10) == "x" * 10 + CUT_MARK
