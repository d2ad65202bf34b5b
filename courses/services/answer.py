"""Answers to choices and blanks in practice: graded at once, recorded, and counted for progress."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.models import User
from core.errors import FieldError, InvalidInput, NotFound
from courses.answer_keys import blanks_of, choice_key
from courses.errors import CheckQuotaUsed, NotCheckable, ProblemArchived
from courses.models import CheckQuota, PracticeAnswer, Problem, ProgressResult
from courses.rules.choice import choice_errors, grade_choice
from courses.rules.fillblank import answer_errors, grade_blanks
from courses.selectors.state import problem_require_open
from courses.services.progress import progress_record
from courses.services.validation import refuse

NO_SUCH_PROBLEM = "There is no such problem."
PARTS_OF_ANSWERS = {Problem.Type.CHOICE: "chosen", Problem.Type.FILLBLANK: "blanks"}


@dataclass(frozen=True, slots=True, kw_only=True)
class BlankResult:
    """What one blank earned, of what it is worth."""

    is_correct: bool
    score: Decimal
    score_max: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedAnswer:
    """An answer as it was recorded, and what each blank earned; a choice has none."""

    row: PracticeAnswer
    blanks: tuple[BlankResult, ...] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Mark:
    fraction: Decimal
    is_correct: bool
    blanks: tuple[BlankResult, ...] | None = None


def answer_check(
    *,
    user: User,
    problem_id: int,
    received_at: datetime,
    chosen: Sequence[str] | None = None,
    blanks: Sequence[str] | None = None,
) -> CheckedAnswer:
    """Grade an answer by today's key, record it, and let it count for the user's progress, or do nothing of it.

    A choice is answered with the letters `chosen`, a text with one text for each of its `blanks`. Whoever has no place
    in the course, such as an admin, gets a mark like anybody, and no progress.

    Raises:
        NotFound: there is no such problem for this user.
        ProblemArchived: it or its course is archived.
        NotCheckable: it is answered with a program.
        ProblemLocked: it is not open to this user yet.
        InvalidInput: the answer does not fit the problem; nothing is told of what is right.
        CheckQuotaUsed: the user had as many answers checked as the window allows. Refused answers do not count.
    """
    try:
        with transaction.atomic():
            return _check(user, problem_id, received_at, {"chosen": chosen, "blanks": blanks})
    except IntegrityError as error:
        # The problem was deleted while we were at it, and the database noticed at the commit.
        if Problem.objects.filter(pk=problem_id).exists():
            raise
        raise NotFound(NO_SUCH_PROBLEM) from error


def _check(user: User, problem_id: int, received_at: datetime, given: dict[str, Sequence[str] | None]) -> CheckedAnswer:
    # The first lock: two checks of one user wait for each other here, holding nothing that others wait for.
    _quota_take(user)
    problem = _open_problem(user, problem_id)
    part = PARTS_OF_ANSWERS[Problem.Type(problem.type)]
    answer = _fitting(part, given)
    mark = _choice_mark(problem, answer) if part == "chosen" else _blanks_mark(problem, answer)
    row = PracticeAnswer.objects.create(
        user=user,
        problem=problem,
        answer={part: list(answer)},
        score=(100 * mark.fraction).quantize(Decimal("0.01")),
        is_correct=mark.is_correct,
        received_at=received_at,
    )
    progress_record(
        user_id=user.pk,
        problem_id=problem.pk,
        source=ProgressResult.Source.ANSWER,
        source_id=row.pk,
        received_at=received_at,
        score=row.score,
        is_accepted=row.is_correct,
        time_ms=None,
    )
    return CheckedAnswer(row=row, blanks=mark.blanks)


def _quota_take(user: User) -> None:
    """Count one check. The row is locked: of many at once, no more are let through than the window allows."""
    now = timezone.now()
    quota, _ = CheckQuota.objects.select_for_update(no_key=True).get_or_create(
        user=user, defaults={"window_started_at": now}
    )
    most, window_s = settings.COURSES_CHECKS_PER_WINDOW, settings.COURSES_CHECK_WINDOW_S
    retry_after_s = quota.count_one(now=now, window_s=window_s, most=most)
    if retry_after_s is not None:
        raise CheckQuotaUsed(f"You may have {most} answers checked in {window_s} seconds.", retry_after_s=retry_after_s)


def _open_problem(user: User, problem_id: int) -> Problem:
    visible = Problem.objects.visible_to(user).select_related("course", "choice", "fillblank")
    problem = visible.filter(pk=problem_id).first()
    if problem is None:
        raise NotFound(NO_SUCH_PROBLEM)
    if Problem.Status.ARCHIVED in (problem.status, problem.course.status):
        raise ProblemArchived("This problem is archived and takes no more answers.")
    if problem.type not in PARTS_OF_ANSWERS or not hasattr(problem, problem.type):
        raise NotCheckable("This problem is answered with a program: hand it in as a submission.")
    problem_require_open(user=user, problem=problem)
    return problem


def _fitting(part: str, given: dict[str, Sequence[str] | None]) -> Sequence[str]:
    """The one part of an answer that fits the problem."""
    refuse(
        [
            FieldError(pointer=f"#/answer/{name}", code="other_type", detail="This problem is not answered like this.")
            for name, value in given.items()
            if name != part and value is not None
        ]
    )
    answer = given[part]
    if answer is None:
        detail = "This problem is answered with this."
        raise InvalidInput(detail, errors=(FieldError(pointer=f"#/answer/{part}", code="required", detail=detail),))
    return answer


def _choice_mark(problem: Problem, chosen: Sequence[str]) -> _Mark:
    key = choice_key(problem.choice)
    refuse(choice_errors(key, chosen))
    mark = grade_choice(key, chosen)
    return _Mark(fraction=mark.fraction, is_correct=mark.is_correct)


def _blanks_mark(problem: Problem, answers: Sequence[str]) -> _Mark:
    blanks = blanks_of(problem.fillblank)
    refuse(answer_errors(blanks, answers))
    mark = grade_blanks(blanks, answers)
    results = tuple(
        BlankResult(is_correct=one.is_correct, score=one.score, score_max=blank.score)
        for one, blank in zip(mark.blanks, blanks, strict=True)
    )
    return _Mark(fraction=mark.fraction, is_correct=mark.is_correct, blanks=results)
