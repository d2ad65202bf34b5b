"""Counting within windows of time, in the database: exact with several processes, and there when Redis is not."""

import math
from datetime import datetime, timedelta

from django.db import models


class CountWindow(models.Model):
    """So many of something since `window_started_at`; once the window is over, the count begins anew."""

    window_started_at = models.DateTimeField(db_index=True)
    count = models.PositiveIntegerField(default=0)

    class Meta:
        abstract = True

    def count_one(self, *, now: datetime, window_s: int, most: int) -> int | None:
        """Count one more and save it; or, where `most` are counted, change nothing and return the seconds to wait.

        The caller holds a lock on the row until its transaction ends: only then is no more than `most` ever counted.
        """
        window_ends_at = self.window_started_at + timedelta(seconds=window_s)
        if window_ends_at <= now:
            self.window_started_at, self.count = now, 0
        elif self.count >= most:
            return math.ceil((window_ends_at - now).total_seconds())
        self.count += 1
        self.save(update_fields=["window_started_at", "count"])
        return None
