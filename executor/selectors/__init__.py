"""Reading submissions: who may see what of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Exists, OuterRef, Prefetch, Q, QuerySet

from accounts.models import User
from courses.models import Course
from executor.judging.verdicts import Verdict
from executor.models import Judgement, Submission, TestResult
from executor.selectors.queue import UNENDED

# Feedback under which the student sees the verdict and the score of the whole.
OPEN_FEEDBACK = (Submission.Feedback.VERDICTS, Submission.Feedback.FULL)
# What a finished submission shows where its verdict must not be told.
JUDGED = "judged"
# What students learn of the figures of hidden tests: it tells a slow program from a fast one, and little else.
_TIME_STEP_MS = 10
_MEMORY_STEP_KIB = 1024
# Statuses that tell of no verdict: whoever may see the submission may know them.
UNJUDGED = (*Submission.UNFINISHED, Submission.Status.SUPERSEDED)


@dataclass(frozen=True, slots=True, kw_only=True)
class TestReport:
    """One test as a certain reader may see it; what they may not see is None."""

    __test__ = False

    number: int
    is_sample: bool
    verdict: str
    time_ms: int | None = None
    memory_kib: int | None = None
    exit_code: int | None = None
    signal: int | None = None
    input: str | None = None
    expected_output: str | None = None
    stdout: str | None = None
    stderr: str | None = None
    message: str | None = None
    judge_message: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmissionReport:
    """A submission's result as a certain reader may see it; what they may not see is None."""

    status: str
    score: Decimal | None
    time_ms: int | None
    memory_kib: int | None
    compile_output: str | None
    tests: Sequence[TestReport]


def submissions_for(user: User, *, among: QuerySet[Submission] | None = None) -> QuerySet[Submission]:
    """The submissions a user may see, newest first; told `among` which all may be seen, those.

    Each says in `is_staff` whether they are staff of its course, and in `is_rejudging` whether a new judgement is on
    its way while an older one is shown.
    """
    staffed = Course.objects.staffed_by(user).filter(pk=OuterRef("problem__course"))
    rejudgings = Judgement.objects.filter(submission=OuterRef("pk"), state__in=UNENDED)
    return (
        (Submission.objects.visible_to(user) if among is None else among)
        .select_related("current_judgement")
        .annotate(is_staff=Exists(staffed))
        .annotate(is_rejudging=Exists(rejudgings.exclude(pk=OuterRef("current_judgement"))))
    )


def with_results(submissions: QuerySet[Submission]) -> QuerySet[Submission]:
    """The same, with the test results of the shown judgement, in a constant number of queries."""
    results = TestResult.objects.select_related("test_case").order_by("order")
    return submissions.prefetch_related(Prefetch("current_judgement__test_results", queryset=results))


def status_filter(statuses: Sequence[str]) -> Q:
    """Submissions of these statuses, as far as the reader may know them: a filter must tell no more than the list."""
    unjudged = Q(status__in=[status for status in statuses if status in UNJUDGED])
    return unjudged | (Q(status__in=statuses) & (Q(is_staff=True) | Q(feedback__in=OPEN_FEEDBACK)))


def submission_report(submission: Submission, *, is_staff: bool, has_tests: bool = True) -> SubmissionReport:
    """What a reader may see of a submission's result: staff everything, its student what `feedback` allows.

    A hidden test shows a student its verdict alone: its input, output and traceback could carry the test away (L-03).
    So could the figures, the highest of all tests, bit by bit: they are rounded up, unless all is shown (L-04).
    With `has_tests` the submission must come from `with_results`.
    """
    judgement = submission.current_judgement
    is_open = is_staff or submission.feedback in OPEN_FEEDBACK
    is_judged = submission.status not in UNJUDGED
    shows_compilation = is_staff or submission.feedback != Submission.Feedback.NONE
    is_compilation_error = submission.status == Verdict.COMPILATION_ERROR
    is_exact = is_staff or submission.feedback == Submission.Feedback.FULL
    time_step_ms, memory_step_kib = (1, 1) if is_exact else (_TIME_STEP_MS, _MEMORY_STEP_KIB)
    status = submission.status
    if is_judged and not is_open and not (is_compilation_error and shows_compilation):
        status = JUDGED
    tests: list[TestReport] = []
    # A verdict that came after the status was read has brought its tests: they belong to the next answer.
    if judgement is not None and has_tests and is_judged:
        for result in judgement.test_results.all():
            if report := _test_report(result, feedback=submission.feedback, is_staff=is_staff):
                tests.append(report)
    return SubmissionReport(
        status=status,
        score=submission.score if is_open else None,
        time_ms=_coarse(judgement.time_ms, time_step_ms) if judgement is not None and is_open else None,
        memory_kib=_coarse(judgement.memory_kib, memory_step_kib) if judgement is not None and is_open else None,
        compile_output=judgement.compile_output if judgement is not None and shows_compilation else None,
        tests=tests,
    )


def _coarse(figure: int | None, step: int) -> int | None:
    """The figure rounded up to whole steps."""
    return None if figure is None else -(-figure // step) * step


def _test_report(result: TestResult, *, feedback: str, is_staff: bool) -> TestReport | None:
    case = result.test_case
    is_known = is_staff or feedback in OPEN_FEEDBACK or (feedback == Submission.Feedback.SAMPLES and case.is_sample)
    if not is_known:
        return None
    is_shown = is_staff or case.is_sample or feedback == Submission.Feedback.FULL
    if not is_shown:
        return TestReport(number=result.order + 1, is_sample=False, verdict=result.verdict)
    return TestReport(
        number=result.order + 1,
        is_sample=case.is_sample,
        verdict=result.verdict,
        time_ms=result.time_ms,
        memory_kib=result.memory_kib,
        exit_code=result.exit_code,
        signal=result.signal,
        input=case.input,
        expected_output=case.expected_output,
        stdout=result.stdout,
        stderr=result.stderr,
        message=result.message,
        judge_message=result.judge_message if is_staff else None,
    )
