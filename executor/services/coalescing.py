"""Judging only the newest of what a student has waiting for a problem."""

from functools import partial

import structlog
from django.db import transaction

from executor.models import Judgement, Submission
from executor.services.announcing import submission_status_move

logger = structlog.get_logger("assay.queue")


def submissions_supersede(*, student_id: int, problem_id: int) -> int:
    """End this student's practice submissions to the problem that still wait, as `superseded`; how many these were.

    In the transaction of the one that takes their place. What a worker has taken, or is taking now, is judged: rows
    that somebody holds are passed over, so that this waits for nobody, and nobody deadlocks with it.
    """
    waiting = Judgement.objects.filter(
        state=Judgement.State.PENDING,
        lane=Judgement.Lane.LIVE,
        student_id=student_id,
        submission__problem=problem_id,
        submission__purpose=Submission.Purpose.PRACTICE,
    )
    # Parents first.
    older = list(
        Submission.objects.select_for_update(skip_locked=True, of=("self",))
        .filter(pk__in=list(waiting.values_list("submission", flat=True)), status=Submission.Status.PENDING)
        .order_by("pk")
        .values_list("pk", flat=True)
    )
    held = Judgement.objects.select_for_update(skip_locked=True).filter(
        submission__in=older, state=Judgement.State.PENDING, lane=Judgement.Lane.LIVE
    )
    withdrawn = dict(held.order_by("pk").values_list("pk", "submission"))
    Judgement.objects.filter(pk__in=withdrawn).update(state=Judgement.State.WITHDRAWN)
    for judgement_id, submission_id in withdrawn.items():
        submission_status_move(submission_id, before=Submission.Status.PENDING, after=Submission.Status.SUPERSEDED)
        transaction.on_commit(
            partial(logger.info, "submission_superseded", submission_id=submission_id, judgement_id=judgement_id)
        )
    return len(withdrawn)
