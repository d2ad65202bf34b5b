"""Handing in a program."""

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Any

import structlog
from django.conf import settings
from django.db import IntegrityError, transaction

from accounts.models import User
from core.errors import Conflict, NotFound, TooManyRequests
from courses.models import Course, Problem, TestSet
from courses.selectors import current_test_set
from courses.selectors.state import problem_require_open
from courses.services import testset_freeze
from executor.engines.base import SourceFile
from executor.metrics import REFUSALS, SUBMISSIONS
from executor.models import Judgement, Submission
from executor.services.coalescing import submissions_supersede
from executor.services.queueing import (
    REJUDGE_START,
    VERIFICATION_START,
    Place,
    capacity_require,
    place_of,
    standing_of,
)
from executor.services.quotas import pending_require, rates_require, student_lock
from executor.services.sources import language_of, source_files
from executor.signals import judgement_queued

logger = structlog.get_logger("assay.queue")

NO_SUCH_PROBLEM = "There is no such problem."


class ProblemNotReady(Conflict):
    """The problem cannot be judged yet, or not any more."""

    code = "problem_not_ready"


def submission_create(
    *,
    user: User,
    problem_id: int,
    language: str,
    received_at: datetime,
    code: str | None = None,
    files: Sequence[SourceFile] = (),
    purpose: Submission.Purpose = Submission.Purpose.PRACTICE,
    feedback: Submission.Feedback = Submission.Feedback.VERDICTS,
) -> Submission:
    """Take a program in: the submission and its first judgement are on disk before this returns; judging follows.

    The program is either `code` or `files`, the main file first. Where submissions are coalesced, the student's older
    ones to this problem that still wait become `superseded`.

    Raises:
        InvalidInput: the language or a file is not acceptable; every fault is named.
        NotFound: there is no such problem for this user, be it missing, foreign, unpublished or not enrolled.
        ProblemNotReady: it is no algorithm problem, has no tests, or its course is archived.
        ProblemLocked: it is not open to this user yet.
        QueueFull: too much waits already.
        SubmissionRateExceeded, ProblemRateExceeded, TooManyPending: the user has used up what they may hand in for now.
    """
    # Reading comes before the transaction: SQLite has one writer, whom others should not wait for while it reads.
    problem = open_problem(user=user, problem_id=problem_id)
    chosen = language_of(language, allowed=problem.algorithm.languages)
    program = source_files(chosen, code if code is not None else files)
    try:
        with transaction.atomic():
            return _create(
                Submission(
                    user=user,
                    problem=problem,
                    purpose=purpose,
                    feedback=feedback,
                    language=chosen.key,
                    files=files_as_json(program),
                    received_at=received_at,
                )
            )
    except IntegrityError as error:
        # The problem was deleted while we were at it, and the database noticed at the commit.
        if Problem.objects.filter(pk=problem_id).exists():
            raise
        raise NotFound(NO_SUCH_PROBLEM) from error
    except TooManyRequests as refusal:
        REFUSALS.labels(refusal.code).inc()
        raise


def _create(submission: Submission) -> Submission:
    user, problem = submission.user, submission.problem
    test_set = current_test_set(problem)
    if test_set is None:
        if not Problem.objects.filter(pk=problem.pk).exists():
            raise NotFound(NO_SUCH_PROBLEM)  # it went since we looked
        raise ProblemNotReady("This problem has no tests yet.")

    # From here on it counts: what cannot be taken in at all was refused before.
    capacity_require()
    student_lock(user)
    rates_require(user, problem_id=problem.pk)
    if settings.EXECUTOR_COALESCE_SUBMISSIONS and submission.purpose == Submission.Purpose.PRACTICE:
        submissions_supersede(student_id=user.pk, problem_id=problem.pk)
    standing = standing_of(user.pk)
    pending_require(standing)
    submission.save(force_insert=True)
    # Before workers are woken: its story begins with it.
    transaction.on_commit(partial(_log_received, submission))
    testset_freeze(test_set_id=test_set.pk)
    place = place_of(standing, organization_id=problem.course.organization_id)
    _judgement_add(submission, number=1, lane=Judgement.Lane.LIVE, place=place, test_set=test_set)
    transaction.on_commit(SUBMISSIONS.labels(submission.purpose).inc)
    return submission


def _log_received(submission: Submission) -> None:
    logger.info(
        "submission_received",
        submission_id=submission.pk,
        judgement_id=submission.current_judgement_id,
        user_id=submission.user_id,
        problem_id=submission.problem_id,
        language=submission.language,
        purpose=submission.purpose,
    )


def files_as_json(files: Sequence[SourceFile]) -> list[dict[str, str]]:
    """A program's files as they are stored, the main one first."""
    return [{"name": file.name, "content": file.content} for file in files]


def open_problem(*, user: User, problem_id: int) -> Problem:
    """The problem, with its `algorithm`, if this user may answer it with a program now.

    Raises:
        NotFound: there is no such problem for this user, be it missing, foreign, unpublished or not enrolled.
        ProblemNotReady: it is no algorithm problem, or it or its course is archived.
        ProblemLocked: it is not open to this user yet.
    """
    problem = Problem.objects.visible_to(user).select_related("algorithm", "course").filter(pk=problem_id).first()
    if problem is None:
        raise NotFound(NO_SUCH_PROBLEM)
    if problem.type != Problem.Type.ALGORITHM or not hasattr(problem, "algorithm"):
        raise ProblemNotReady("This problem is not answered with a program.")
    if problem.status == Problem.Status.ARCHIVED or problem.course.status == Course.Status.ARCHIVED:
        raise ProblemNotReady("This problem is archived and takes no more submissions.")
    problem_require_open(user=user, problem=problem)
    return problem


@transaction.atomic
def judgement_create(
    *,
    submission: Submission,
    test_set: TestSet,
    lane: Judgement.Lane = Judgement.Lane.LIVE,
    place: Place | None = None,
) -> Judgement:
    """Queue a judging of a submission on a test set, which is frozen by that; workers are woken after the commit.

    Live work stands at `place`, else where it is its student's turn; the other lane is worked off in order. What a
    submission that was judged before shows, stays until the new judgement is applied.
    """
    # Locked so that judgings asked for together each get a number of their own.
    Submission.objects.select_for_update().get(pk=submission.pk)
    testset_freeze(test_set_id=test_set.pk)
    if lane == Judgement.Lane.LIVE and place is None:
        organization_id = submission.problem.course.organization_id
        place = place_of(standing_of(submission.user_id), organization_id=organization_id)
    number = submission.judgements.count() + 1
    return _judgement_add(submission, number=number, lane=lane, place=place, test_set=test_set)


def _judgement_add(
    submission: Submission, *, number: int, lane: Judgement.Lane, place: Place | None, test_set: TestSet
) -> Judgement:
    row = judgement_row(submission, number=number, lane=lane, place=place, test_set=test_set)
    row.save(force_insert=True)
    if submission.current_judgement is None:
        submission.current_judgement = row
        submission.save(update_fields=["current_judgement", "updated_at"])
    judgement_announce(row)
    return row


def judgement_row(
    submission: Submission,
    *,
    number: int,
    lane: Judgement.Lane,
    test_set: TestSet,
    place: Place | None = None,
) -> Judgement:
    """A judging of a submission on a test set with its problem as it is now, not stored yet.

    Whose it is, is copied onto it, so that the queue is read from one table.
    """
    if place is None:
        is_verification = submission.purpose == Submission.Purpose.VERIFY
        place = Place(virtual_start=VERIFICATION_START if is_verification else REJUDGE_START, turn=0)
    return Judgement(
        submission=submission,
        number=number,
        lane=lane,
        virtual_start=place.virtual_start,
        turn=place.turn,
        student_id=submission.user_id,
        course_id=submission.problem.course_id,
        organization_id=submission.problem.course.organization_id,
        **_judged_with(submission.problem, test_set),
    )


def judgement_announce(judgement: Judgement) -> None:
    """Wake a worker for this judgement once it is committed."""
    transaction.on_commit(partial(judgement_log_queued, judgement))
    transaction.on_commit(
        partial(judgement_queued.send_robust, sender=Judgement, judgement_id=judgement.pk, lane=judgement.lane)
    )


def judgement_log_queued(judgement: Judgement) -> None:
    """The line that tells of a judgement that waits from now on."""
    logger.info(
        "judgement_queued",
        submission_id=judgement.submission_id,
        judgement_id=judgement.pk,
        number=judgement.number,
        lane=judgement.lane,
    )


def judgement_refresh(*, submission: Submission, test_set: TestSet) -> bool:
    """Let a judging that still waits use this test set, and the problem as it is now. False where none waits any more.

    For judgings that nobody asked to be made on the version they were queued for.
    """
    testset_freeze(test_set_id=test_set.pk)
    # One conditional write: a worker that takes it first makes this find nothing.
    return bool(
        Judgement.objects.filter(submission=submission, state=Judgement.State.PENDING).update(
            **_judged_with(submission.problem, test_set)
        )
    )


def _judged_with(problem: Problem, test_set: TestSet) -> dict[str, Any]:
    """What a judgement notes of the problem as it is now."""
    algorithm = problem.algorithm
    return {
        "test_set": test_set,
        "checker": algorithm.checker,
        "checker_options": algorithm.checker_options,
        "is_partial_credit": algorithm.is_partial_credit,
        "stops_at_first_failure": algorithm.stops_at_first_failure,
        "time_limit_ms": algorithm.time_limit_ms,
        "memory_limit_mb": algorithm.memory_limit_mb,
    }
