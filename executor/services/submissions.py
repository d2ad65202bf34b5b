"""Handing in a program."""

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Any

from django.db import IntegrityError, transaction

from accounts.models import User
from core.errors import Conflict, NotFound
from courses.models import Course, Problem, TestSet
from courses.selectors import current_test_set
from courses.selectors.state import problem_require_open
from courses.services import testset_freeze
from executor.engines.base import SourceFile
from executor.models import Judgement, Submission
from executor.services.sources import language_of, source_files
from executor.signals import judgement_queued

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

    The program is either `code` or `files`, the main file first.

    Raises:
        InvalidInput: the language or a file is not acceptable; every fault is named.
        NotFound: there is no such problem for this user, be it missing, foreign, unpublished or not enrolled.
        ProblemNotReady: it is no algorithm problem, has no tests, or its course is archived.
        ProblemLocked: it is not open to this user yet.
    """
    try:
        with transaction.atomic():
            return _create(
                user=user,
                problem_id=problem_id,
                language=language,
                received_at=received_at,
                program=code if code is not None else tuple(files),
                purpose=purpose,
                feedback=feedback,
            )
    except IntegrityError as error:
        # The problem was deleted while we were at it, and the database noticed at the commit.
        if Problem.objects.filter(pk=problem_id).exists():
            raise
        raise NotFound(NO_SUCH_PROBLEM) from error


def _create(
    *,
    user: User,
    problem_id: int,
    language: str,
    received_at: datetime,
    program: str | tuple[SourceFile, ...],
    purpose: Submission.Purpose,
    feedback: Submission.Feedback,
) -> Submission:
    problem = open_problem(user=user, problem_id=problem_id)
    chosen = language_of(language, allowed=problem.algorithm.languages)
    files = source_files(chosen, program)
    test_set = current_test_set(problem)
    if test_set is None:
        raise ProblemNotReady("This problem has no tests yet.")

    submission = Submission.objects.create(
        user=user,
        problem=problem,
        purpose=purpose,
        feedback=feedback,
        language=chosen.key,
        files=files_as_json(files),
        received_at=received_at,
    )
    judgement_create(submission=submission, test_set=test_set)
    return submission


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
    *, submission: Submission, test_set: TestSet, lane: Judgement.Lane = Judgement.Lane.LIVE
) -> Judgement:
    """Queue a judging of a submission on a test set, which is frozen by that; workers are woken after the commit."""
    # Locked so that judgings asked for together each get a number of their own.
    Submission.objects.select_for_update().get(pk=submission.pk)
    testset_freeze(test_set_id=test_set.pk)
    judgement = Judgement.objects.create(
        submission=submission,
        number=submission.judgements.count() + 1,
        lane=lane,
        student_id=submission.user_id,
        course_id=submission.problem.course_id,
        organization_id=submission.problem.course.organization_id,
        **_judged_with(submission.problem, test_set),
    )
    submission.current_judgement = judgement
    submission.save(update_fields=["current_judgement", "updated_at"])
    transaction.on_commit(
        partial(judgement_queued.send_robust, sender=Judgement, judgement_id=judgement.pk, lane=judgement.lane)
    )
    return judgement


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
