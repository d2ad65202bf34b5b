"""Tickets to event streams, for browsers, which can send no header with them."""

from django.conf import settings
from django.db import models


class StreamTicket(models.Model):
    """Leave to open one stream once, within the next minute. Only a hash of the ticket is kept."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="stream_tickets")
    token_hash = models.CharField(max_length=64, unique=True)
    # The sign-in it was issued under, which must still stand: a token's, or a session.
    token_family = models.ForeignKey(
        "accounts.TokenFamily", on_delete=models.CASCADE, related_name="+", null=True, blank=True
    )
    session_key = models.CharField(max_length=40, blank=True, default="", db_default="")
    expires_at = models.DateTimeField(db_index=True)

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"ticket {self.pk} of user {self.user_id}"
