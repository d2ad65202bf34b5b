"""Who judges, and whether anybody may."""

import uuid

from django.conf import settings
from django.db import models


class Worker(models.Model):
    """A process that judges. One that was not seen for longer than a lease is lost, and so is what it held."""

    class Kind(models.TextChoices):
        EMBEDDED = "embedded"
        COMMAND = "command"
        CELERY = "celery"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=10, choices=Kind.choices)
    # Where its process id means something: the machine's boot and its process namespace.
    host = models.CharField(max_length=200)
    process_id = models.PositiveIntegerField()
    # When that process began, as the kernel counts: a number that comes back is another process.
    process_started = models.CharField(max_length=30)
    threads = models.PositiveSmallIntegerField()
    started_at = models.DateTimeField()
    # By the database's clock, as leases are.
    seen_at = models.DateTimeField(db_index=True)

    class Meta:
        ordering = ["started_at"]

    def __str__(self) -> str:
        return f"{self.kind} worker {self.process_id} on {self.host}"


class QueueSwitch(models.Model):
    """The one row that says whether work is taken from the queue. Work is accepted either way."""

    ONLY = 1

    is_paused = models.BooleanField(default=False)
    reason = models.CharField(max_length=200, blank=True)
    # Who did it; nobody where an operator did, from the machine's own shell.
    changed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, related_name="+", null=True, blank=True
    )
    changed_at = models.DateTimeField()

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(pk=1), name="queueswitch_only_one")]

    def __str__(self) -> str:
        return "paused" if self.is_paused else "running"
