"""What came of a judging: the decision on each test and on the whole. Pure: measurements in, decisions out."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import zip_longest

from executor.engines.base import CompileResult, RunReport, RunResult
from executor.judging.checkers import BrokenCheck, CheckerSpec, CheckResult, check
from executor.judging.plan import JudgingPlan, PlannedTest, PreparedRun
from executor.judging.scoring import ScoreSheet
from executor.judging.values import PYTHON_LITERAL
from executor.judging.verdicts import Verdict, failure_of, overall_verdict
from executor.judging.wrapping import read_frame

NO_RESULT = "The engine gave no result for this test."


@dataclass(frozen=True, slots=True, kw_only=True)
class TestOutcome:
    """The decision on one test. `result` is None where the test was not run; `printed` is what the student printed.

    `message` may quote the expected output: it is for staff, and for students on samples only (law 7).
    `judge_message` is for staff alone.
    """

    __test__ = False

    key: int
    verdict: Verdict
    result: RunResult | None = None
    printed: bytes = b""
    answer: bytes | None = None
    message: str = ""
    judge_message: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unchecked:
    """A test whose run ended well, so that a checker decides: the output, and what it is compared by."""

    key: int
    result: RunResult
    input: bytes
    expected: str | None
    printed: bytes
    answer: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgingOutcome:
    """The decision on a program: verdict, score from 0 to 100, and each test in judging order.

    There is no score with the verdict `internal_error`: what we could not judge must not look like a mark (law 3).
    `time_ms` and `memory_kib` are the highest of any test, None where none ran.
    """

    verdict: Verdict
    score: Decimal | None
    tests: tuple[TestOutcome, ...]
    compilation: CompileResult | None
    time_ms: int | None
    memory_kib: int | None
    engine: str
    tier: str


def decide_test(plan: JudgingPlan, prepared: PreparedRun, index: int, result: RunResult) -> TestOutcome:
    """Decide one test from its measured run, with one of our own checkers.

    Raises:
        KeyError: the problem's checker is not one of ours.
    """
    decided = decide_run(plan, prepared, index, result)
    if isinstance(decided, TestOutcome):
        return decided
    return decide_check(decided, check(_checker_of(plan), output=decided.answer, expected=decided.expected))


def decide_run(plan: JudgingPlan, prepared: PreparedRun, index: int, result: RunResult) -> TestOutcome | Unchecked:
    """Decide one test as far as its run decides it.

    A function that never returned is a runtime error, however well the program ended; one that returned what is no
    value of the encoding is a wrong answer.
    """
    test = plan.tests[index]
    failure = failure_of(result)
    if not prepared.program.is_framed:
        if failure is not None:
            return TestOutcome(key=test.key, verdict=failure, result=result, printed=result.stdout)
        return _unchecked(test, result, printed=result.stdout, answer=result.stdout)
    answer = read_frame(result.stdout, nonce=prepared.nonces[index], encoding=plan.value_encoding)
    if failure is None and not answer.has_returned:
        failure = Verdict.RUNTIME_ERROR
    if failure is None and answer.value is None:
        failure = Verdict.WRONG_ANSWER
    if failure is not None or answer.value is None:
        message = answer.fault if result.exit_code == 0 else ""
        return TestOutcome(
            key=test.key,
            verdict=failure or Verdict.WRONG_ANSWER,
            result=result,
            printed=answer.printed,
            message=message,
        )
    return _unchecked(test, result, printed=answer.printed, answer=answer.value)


def decide_check(unchecked: Unchecked, checked: CheckResult | BrokenCheck) -> TestOutcome:
    """Decide a test by what a checker said. A broken one is an `internal_error`, with the reason for staff."""
    if isinstance(checked, BrokenCheck):
        verdict, message, judge_message = Verdict.INTERNAL_ERROR, "", checked.reason
    else:
        verdict = Verdict.ACCEPTED if checked.is_right else Verdict.WRONG_ANSWER
        message, judge_message = checked.message, checked.judge_message
    return TestOutcome(
        key=unchecked.key,
        verdict=verdict,
        result=unchecked.result,
        printed=unchecked.printed,
        answer=unchecked.answer,
        message=message,
        judge_message=judge_message,
    )


def decide_submission(
    plan: JudgingPlan, report: RunReport, outcomes: Sequence[TestOutcome], *, engine: str
) -> JudgingOutcome:
    """Put the decided tests together: what the problem's rules skip is skipped, also where the engine ran it.

    A test that was to be run and was not is an `internal_error`.
    """
    compilation = report.compilation
    if compilation is not None and not compilation.succeeded:
        tests = [_skipped(test) for test in plan.tests]
        verdict, score = Verdict.COMPILATION_ERROR, Decimal(0)
    else:
        sheet = ScoreSheet(plan.tests, plan.scoring)
        tests = []
        for test, outcome in zip_longest(plan.tests, outcomes):
            counted = sheet.enter(outcome.verdict if outcome is not None else Verdict.INTERNAL_ERROR)
            if counted is Verdict.SKIPPED:
                tests.append(_skipped(test))
            else:
                tests.append(outcome or TestOutcome(key=test.key, verdict=counted, judge_message=NO_RESULT))
        verdict, score = overall_verdict(test.verdict for test in tests), sheet.score()
    results = [test.result for test in tests if test.result is not None]
    return JudgingOutcome(
        verdict=verdict,
        score=None if verdict is Verdict.INTERNAL_ERROR else score,
        tests=tuple(tests),
        compilation=compilation,
        time_ms=max((result.time_ms for result in results), default=None),
        memory_kib=max((result.memory_kib for result in results), default=None),
        engine=engine,
        tier=report.tier,
    )


def _skipped(test: PlannedTest) -> TestOutcome:
    return TestOutcome(key=test.key, verdict=Verdict.SKIPPED)


def _unchecked(test: PlannedTest, result: RunResult, *, printed: bytes, answer: bytes) -> Unchecked:
    return Unchecked(
        key=test.key,
        result=result,
        input=test.input.encode("utf-8", "surrogatepass"),
        expected=test.expected,
        printed=printed,
        answer=answer,
    )


def _checker_of(plan: JudgingPlan) -> CheckerSpec:
    if plan.checker.name != "json" or plan.value_encoding != PYTHON_LITERAL:
        return plan.checker
    return CheckerSpec(name="json", options={**plan.checker.options, "encoding": PYTHON_LITERAL})
