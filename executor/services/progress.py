"""What a student's progress learns of their submissions."""

from dataclasses import asdict
from functools import partial

import structlog
from django.db import transaction

from courses.models import ProgressResult
from courses.selectors.results import Counted
from courses.services import progress_record
from executor.judging.verdicts import Verdict
from executor.models import Judgement, Submission

logger = structlog.get_logger("assay.judging")

SOURCE = ProgressResult.Source.SUBMISSION.value


def submission_progress_update(*, submission: Submission, judgement: Judgement) -> None:
    """Let a judged submission count in its student's progress as this judgement says, in the caller's transaction.

    Only practice counts, and a judging that broke takes nothing away: what an earlier one found counts on (law 3). The
    caller has locked the submission: submissions come before whatever progress locks.
    """
    if submission.purpose != Submission.Purpose.PRACTICE:
        return
    if counted := counted_of(submission, judgement):
        progress_record(source=SOURCE, source_id=submission.pk, **asdict(counted))
        transaction.on_commit(
            partial(logger.info, "progress_recorded", submission_id=submission.pk, judgement_id=judgement.pk)
        )


def counted_of(submission: Submission, judgement: Judgement) -> Counted | None:
    """What a finished judgement counts. What ended as `internal_error` is ours to mend, and no attempt (law 3)."""
    if judgement.score is None or judgement.verdict == Verdict.INTERNAL_ERROR:
        return None
    return Counted(
        user_id=submission.user_id,
        problem_id=submission.problem_id,
        received_at=submission.received_at,
        score=judgement.score,
        is_accepted=judgement.verdict == Verdict.ACCEPTED,
        time_ms=judgement.time_ms,
    )
