"""How often somebody may run programs freely."""

from django.conf import settings
from django.db import models

from core.windows import CountWindow


class RunQuota(CountWindow):
    """How many free runs one user had within the window, and the one that may be going on, as a claim with a lease."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="run_quota")
    claim_id = models.UUIDField(null=True, blank=True)
    leased_until = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.count} free runs of user {self.user_id} since {self.window_started_at}"
