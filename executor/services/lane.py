"""The lane of what runs while somebody waits: its places in this process, and each user's quota in the database.

The quota is exact under parallel requests and asks no cache; the places keep judging from starving: while the queue of
submissions is busy there is one, and none while it is full.
"""

import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from threading import BoundedSemaphore, Semaphore

from django.conf import settings
from django.db import transaction
from django.db.models import DateTimeField, ExpressionWrapper, F
from django.db.models.functions import Now
from django.utils import timezone

from accounts.models import User
from core.errors import ServiceUnavailable, TooManyRequests
from executor.engines.base import EngineError
from executor.models import RunQuota
from executor.selectors.queue import QueueStatus, live_pending, queue_status

BUSY_RETRY_S = 2
FULL_RETRY_S = 10
ENGINE_RETRY_S = 5
# What a run may take beyond its wall clock: compiling, and waiting for its engine. Only after a crash is it waited for.
LEASE_MARGIN_S = 60

_places = BoundedSemaphore(settings.EXECUTOR_RUNS_AT_ONCE)
# Needed beside a place while submissions wait for longer than usual.
_place_while_busy = BoundedSemaphore(1)


class RunCapacityFull(TooManyRequests):
    code = "run_capacity_full"
    title = "Too many programs are running"


class RunQuotaUsed(TooManyRequests):
    code = "run_quota_used"
    title = "You have run as much as you may for now"


@contextmanager
def lane_place(user: User | None, *, wall_ms: int) -> Iterator[None]:
    """A place to run something in, for as long as the block lasts; it is expected to take up to `wall_ms`.

    It counts against the user's quota unless the engine fails (law 3); without a user, against nobody's.

    Raises:
        RunCapacityFull: all places are taken, or submissions need them; nothing was counted.
        RunQuotaUsed: the user has a run going, or used up the window.
        ServiceUnavailable: in place of an error of the engine.
    """
    with ExitStack() as taken:
        _take(_places, taken)
        # Counted only by who has a place, so that many refusals cost the queue nothing.
        status = queue_status(live_pending().count())
        if status == QueueStatus.FULL:
            raise RunCapacityFull("Submissions need all places for now; try again later.", retry_after_s=FULL_RETRY_S)
        if status == QueueStatus.BUSY:
            _take(_place_while_busy, taken)
        claim_id = None if user is None else _quota_take(user, lease_s=wall_ms / 1000 + LEASE_MARGIN_S)
        is_counted = True
        try:
            yield
        except EngineError as error:
            is_counted = False
            detail = "Programs cannot be run at the moment; nothing was lost."
            raise ServiceUnavailable(detail, retry_after_s=ENGINE_RETRY_S) from error
        finally:
            if claim_id is not None:
                _quota_release(claim_id, is_counted=is_counted)


def _take(place: Semaphore, taken: ExitStack) -> None:
    if not place.acquire(blocking=False):
        raise RunCapacityFull("All places for free runs are taken; try again in a moment.", retry_after_s=BUSY_RETRY_S)
    taken.callback(place.release)


@transaction.atomic
def _quota_take(user: User, *, lease_s: float) -> uuid.UUID:
    """Count one run and mark it as going on. The row is locked: of many at once, one is let through."""
    now = timezone.now()
    row, _ = RunQuota.objects.select_for_update().get_or_create(user=user, defaults={"window_started_at": now})
    # Leases go by the database's clock, windows by the application's (law 6).
    if RunQuota.objects.filter(pk=row.pk, leased_until__gt=Now()).exists():
        raise RunQuotaUsed("You have a program running; wait for it to end.", retry_after_s=BUSY_RETRY_S)
    retry_after_s = row.count_one(
        now=now, window_s=settings.EXECUTOR_RUN_WINDOW_S, most=settings.EXECUTOR_RUNS_PER_WINDOW
    )
    if retry_after_s is not None:
        raise RunQuotaUsed(
            f"You may run {settings.EXECUTOR_RUNS_PER_WINDOW} programs in {settings.EXECUTOR_RUN_WINDOW_S} seconds.",
            retry_after_s=retry_after_s,
        )
    claim_id = uuid.uuid4()
    leased_until = ExpressionWrapper(Now() + timedelta(seconds=lease_s), output_field=DateTimeField())
    RunQuota.objects.filter(pk=row.pk).update(claim_id=claim_id, leased_until=leased_until)
    return claim_id


def _quota_release(claim_id: uuid.UUID, *, is_counted: bool) -> None:
    """End the run that holds this claim; a claim whose lease ran out and was taken over changes nothing."""
    held = RunQuota.objects.filter(claim_id=claim_id)
    if is_counted:
        held.update(claim_id=None, leased_until=None)
    else:
        # While the claim is held nobody else counts, so that the window and this count are still the same.
        held.update(claim_id=None, leased_until=None, count=F("count") - 1)
