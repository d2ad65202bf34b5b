"""Free runs that another process makes: they are here for as long as somebody waits for them."""

import uuid

from django.db import models
from django.db.models import Q


class QueuedRun(models.Model):
    """One free run on its way to a worker and back. Whoever asked deletes it; the sweeper what they left behind."""

    class State(models.TextChoices):
        PENDING = "pending"
        CLAIMED = "claimed"
        DONE = "done"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    state = models.CharField(max_length=10, choices=State.choices, default=State.PENDING)
    claim_id = models.UUIDField(null=True, blank=True)
    # The program, its input and its limits, and what came of it.
    request = models.JSONField()
    result = models.JSONField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True, db_index=True)

    class Meta:
        ordering = ["created_at"]
        constraints = [
            models.CheckConstraint(
                condition=(Q(state="done", result__isnull=False) | (~Q(state="done") & Q(result__isnull=True))),
                name="queuedrun_result_iff_done",
            )
        ]

    def __str__(self) -> str:
        return f"free run {self.pk}"
