"""How the queue stands."""

from datetime import timedelta

from django.conf import settings
from django.db.models import Sum
from django.db.models.functions import Now

from executor.models import Worker


def threads_live() -> int:
    """How many judgings can go on at a time, over all workers seen within a lease's length."""
    seen = Worker.objects.filter(seen_at__gte=Now() - timedelta(seconds=settings.EXECUTOR_LEASE_S))
    return int(seen.aggregate(total=Sum("threads"))["total"] or 0)
