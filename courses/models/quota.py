"""How much one may ask for in a while."""

from django.conf import settings
from django.db import models

from core.windows import CountWindow


class CheckQuota(CountWindow):
    """How many answers one user had checked within the window: no key is to be found by trying everything."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="check_quota")

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.count} checks of user {self.user_id} since {self.window_started_at}"
