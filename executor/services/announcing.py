"""Changes of a submission's status: each raises its version, and is told to whoever watches once it is committed."""

from functools import partial

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from executor.models import Submission
from executor.signals import submission_announced


def submission_status_move(submission_id: int, *, before: str, after: str) -> bool:
    """Change a submission's status from `before` to `after` in one conditional write; False where it was another."""
    moved = Submission.objects.filter(pk=submission_id, status=before).update(
        status=after, version=F("version") + 1, updated_at=timezone.now()
    )
    if moved:
        submission_announce(submission_id)
    return bool(moved)


def submission_announce(submission_id: int) -> None:
    """Tell whoever watches a submission that it changed, once the change is committed."""
    transaction.on_commit(partial(submission_announced.send_robust, sender=Submission, submission_id=submission_id))
