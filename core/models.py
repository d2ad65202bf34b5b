"""What the core stores: the answers to requests that were sent with an idempotency key."""

from django.db import models


class IdempotencyRecord(models.Model):
    """One key of one user: what was asked with it, and what was answered.

    The user's id is no foreign key, since accounts are above; what is left of somebody ends after a day anyway.
    """

    user_id = models.BigIntegerField()
    key = models.CharField(max_length=200)
    # SHA-256 of what was asked: the method, the address and the body.
    fingerprint = models.CharField(max_length=64)
    # Who is at it, while nobody has answered, and until when to believe that (by the database's clock).
    claim_id = models.UUIDField(null=True, blank=True)
    leased_until = models.DateTimeField(null=True, blank=True)
    # {"status": 202, "body": ..., "headers": {...}}; null as long as nothing came of it.
    answer = models.JSONField(null=True, blank=True)
    created_at = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user_id", "key"], name="idempotency_key_unique")]

    def __str__(self) -> str:
        return f"key {self.key} of user {self.user_id}"
