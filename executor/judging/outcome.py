"""What came of a judging: the decision on each test and on the whole. Pure: measurements in, decisions out."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_DOWN, Decimal

from executor.engines.base import CompileResult, RunReport, RunResult
from executor.judging.checkers import CheckerSpec, check
from executor.judging.plan import JudgingPlan, PlannedTest, PreparedRun
from executor.judging.values import PYTHON_LITERAL
from executor.judging.verdicts import Verdict, failure_of, overall_verdict
from executor.judging.wrapping import read_frame

FULL_SCORE = Decimal(100)


@dataclass(frozen=True, slots=True, kw_only=True)
class TestOutcome:
    """The decision on one test. `result` is None where the test was not run; `printed` is what the student printed.

    `message` may quote the expected output: it is for staff, and for students on samples only (law 7).
    """

    __test__ = False

    key: int
    verdict: Verdict
    result: RunResult | None = None
    printed: bytes = b""
    answer: bytes | None = None
    message: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgingOutcome:
    """The decision on a program: verdict, score from 0 to 100, and each test in judging order.

    `time_ms` and `memory_kib` are the highest of any test, None where none ran.
    """

    verdict: Verdict
    score: Decimal
    tests: tuple[TestOutcome, ...]
    compilation: CompileResult | None
    time_ms: int | None
    memory_kib: int | None
    engine: str
    tier: str


def decide_test(plan: JudgingPlan, prepared: PreparedRun, index: int, result: RunResult) -> TestOutcome:
    """Decide one test from its measured run.

    A function that never returned is a runtime error, however well the program ended; one that returned what is no
    value of the encoding is a wrong answer.
    """
    test = plan.tests[index]
    failure = failure_of(result)
    if not prepared.program.is_framed:
        if failure is not None:
            return TestOutcome(key=test.key, verdict=failure, result=result, printed=result.stdout)
        return _compare(plan, test, result, printed=result.stdout, answer=result.stdout)
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
    return _compare(plan, test, result, printed=answer.printed, answer=answer.value)


def decide_submission(
    plan: JudgingPlan, report: RunReport, outcomes: Sequence[TestOutcome], *, engine: str
) -> JudgingOutcome:
    """Put the decided tests together: tests that were not run are skipped, and count as not accepted."""
    compilation = report.compilation
    has_compiled = compilation is None or compilation.succeeded
    tests = (
        *outcomes,
        *(TestOutcome(key=test.key, verdict=Verdict.SKIPPED) for test in plan.tests[len(outcomes) :]),
    )
    results = [outcome.result for outcome in outcomes if outcome.result is not None]
    return JudgingOutcome(
        verdict=overall_verdict(test.verdict for test in tests) if has_compiled else Verdict.COMPILATION_ERROR,
        score=score_of(plan.tests, tests),
        tests=tests,
        compilation=compilation,
        time_ms=max((result.time_ms for result in results), default=None),
        memory_kib=max((result.memory_kib for result in results), default=None),
        engine=engine,
        tier=report.tier,
    )


def score_of(planned: Sequence[PlannedTest], decided: Sequence[TestOutcome]) -> Decimal:
    """The accepted tests' share of all weight, from 0 to 100, rounded down to 0.01: 100 means every one.

    Where all weights are 0, it is 100 if all tests are accepted, else 0.
    """
    is_accepted = [outcome.verdict is Verdict.ACCEPTED for outcome in decided]
    total = sum((test.weight for test in planned), Decimal(0))
    if total == 0:
        return FULL_SCORE if all(is_accepted) else Decimal(0)
    earned = sum((test.weight for test, accepted in zip(planned, is_accepted, strict=True) if accepted), Decimal(0))
    return (FULL_SCORE * earned / total).quantize(Decimal("0.01"), rounding=ROUND_DOWN)


def _compare(plan: JudgingPlan, test: PlannedTest, result: RunResult, *, printed: bytes, answer: bytes) -> TestOutcome:
    checked = check(_checker_of(plan), output=answer, expected=test.expected)
    return TestOutcome(
        key=test.key,
        verdict=Verdict.ACCEPTED if checked.is_right else Verdict.WRONG_ANSWER,
        result=result,
        printed=printed,
        answer=answer,
        message=checked.message,
    )


def _checker_of(plan: JudgingPlan) -> CheckerSpec:
    if plan.checker.name != "json" or plan.value_encoding != PYTHON_LITERAL:
        return plan.checker
    return CheckerSpec(name="json", options={**plan.checker.options, "encoding": PYTHON_LITERAL})
