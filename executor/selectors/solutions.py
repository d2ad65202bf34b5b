"""Reading reference solutions: what came of each, and what an author should know of them."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import OuterRef, QuerySet, Subquery

from courses.announcements import ProblemWarning
from courses.models import Problem, TestSet
from executor.judging.verdicts import Verdict
from executor.models import ReferenceSolution

# The status of a solution that was never judged: its problem had no tests, or it came with a copy.
UNVERIFIED = "unverified"


@dataclass(frozen=True, slots=True, kw_only=True)
class SolutionReport:
    """What came of a reference solution's last verification. What is not known yet is None."""

    status: str
    verdict: str | None
    as_expected: bool | None
    test_set_version: int | None
    is_stale: bool
    score: Decimal | None
    time_ms: int | None
    memory_kib: int | None
    fault: str


def with_verifications(solutions: QuerySet[ReferenceSolution]) -> QuerySet[ReferenceSolution]:
    """The same, with what `solution_report` reads, in one query."""
    newest = TestSet.objects.filter(problem=OuterRef("problem")).order_by("-version").values("version")[:1]
    return (
        solutions.select_related("submission__current_judgement__test_set")
        .defer("submission__files")
        .annotate(current_version=Subquery(newest))
    )


def solution_report(solution: ReferenceSolution) -> SolutionReport:
    """What came of a solution that comes from `with_verifications`.

    A verdict of a version of the tests that is not the current one is `is_stale`. Where the judging itself failed
    (`internal_error`), nothing is known of the program: `as_expected` stays None, and `fault` says why.
    """
    submission = solution.submission
    judgement = submission.current_judgement if submission is not None else None
    if submission is None or judgement is None:
        return SolutionReport(
            status=UNVERIFIED,
            verdict=None,
            as_expected=None,
            test_set_version=None,
            is_stale=False,
            score=None,
            time_ms=None,
            memory_kib=None,
            fault="",
        )
    verdict = judgement.verdict or None
    return SolutionReport(
        status=submission.status,
        verdict=verdict,
        as_expected=None if verdict in (None, Verdict.INTERNAL_ERROR) else verdict == solution.expected_verdict,
        test_set_version=judgement.test_set.version,
        # An annotation of with_verifications.
        is_stale=judgement.test_set.version != solution.current_version,  # type: ignore[attr-defined]
        score=judgement.score,
        time_ms=judgement.time_ms,
        memory_kib=judgement.memory_kib,
        fault=judgement.fault,
    )


def solution_warnings(problem: Problem) -> Iterator[ProblemWarning]:
    """One for each of a problem's reference solutions that does not get the verdict it must, or cannot be judged."""
    if problem.type != Problem.Type.ALGORITHM:
        return
    for solution in with_verifications(problem.reference_solutions.defer("files")):
        report = solution_report(solution)
        name = f"The reference solution {solution.name!r} in {solution.language}"
        if report.as_expected is False:
            yield ProblemWarning(
                code="solution_not_as_expected",
                detail=f"{name} must get {solution.expected_verdict}, and got {report.verdict} "
                f"on version {report.test_set_version} of the tests.",
            )
        elif report.verdict == Verdict.INTERNAL_ERROR:
            yield ProblemWarning(code="solution_not_judged", detail=f"{name} could not be judged: {report.fault}")
