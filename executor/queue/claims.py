"""Who may work on a judgement: claims and their leases.

A claim is a fresh id on the row and a lease by the database's clock. Taking one is a single conditional write, so that
losing a race is silence; whoever lost their claim can change nothing (the fence is in `executor.services.judgements`).
"""

import uuid
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

import structlog
from django.conf import settings
from django.db import connection, models, transaction
from django.db.models import Exists, F, Q
from django.db.models.functions import Now
from django.utils import timezone

from executor import metrics
from executor.models import Judgement, QueueSwitch, Submission
from executor.queue.registry import worker_is_gone
from executor.selectors.queue import threads_live
from executor.services.announcing import submission_status_move
from executor.services.judgements import claimed_lock, judgement_give_up

logger = structlog.get_logger("assay.queue")

BACKOFF_FIRST_S = 2
BACKOFF_MAX_S = 60
# Beyond so many it does not matter how many wait: nobody has that many workers to wake.
DUE_COUNTED_MAX = 1000
# Any number that means the same to all who take rejudges, and nothing to others who share the database.
_REJUDGES_LOCK = 6_120_917_334
_LANES = tuple(Judgement.Lane.values)


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to judge one judgement, for as long as the lease is renewed. `losses` workers were lost over it."""

    judgement_id: int
    claim_id: uuid.UUID
    submission_id: int
    lane: str
    losses: int

    @property
    def is_suspect(self) -> bool:
        """One more lost worker and it is put away: it has to be judged alone, lest it takes others with it."""
        return self.losses >= _losses_of_suspects()


def claim_next(
    worker_id: uuid.UUID | None = None, *, lanes: Collection[str] = _LANES, takes_suspects: bool = True
) -> Claim | None:
    """Take the judgement whose turn it is; None where nothing waits that this worker may take, or work is paused.

    Live work comes before rejudges, of which only a part of all threads is given any; inside a lane the lowest virtual
    start is next. While that is a suspect, who takes none gets nothing: a process runs dry and then judges it alone.

    On PostgreSQL rows that others are taking are skipped; on SQLite the conditional write decides.
    """
    while True:
        # Read first: looking for work in vain must not make writers of SQLite wait.
        head = _next(_due())
        if head is None or head.lane not in lanes:
            return None
        if head.losses >= _losses_of_suspects() and not takes_suspects:
            return None
        with transaction.atomic():
            if head.lane == Judgement.Lane.REJUDGE and not _has_place_for_rejudge():
                return None
            if connection.features.has_select_for_update_skip_locked:
                head = _lock_first(head.lane, takes_suspects=takes_suspects)
                if head is None:
                    return None
            claim = Claim(head.judgement_id, uuid.uuid4(), head.submission_id, head.lane, head.losses)
            taken = Judgement.objects.filter(pk=head.judgement_id, state=Judgement.State.PENDING).update(
                state=Judgement.State.CLAIMED,
                claim_id=claim.claim_id,
                worker_id=worker_id,
                leased_until=_after(settings.EXECUTOR_LEASE_S),
                tries=F("tries") + 1,
                started_at=Now(),
            )
            if taken and head.shown_id == head.judgement_id:
                submission_status_move(
                    head.submission_id, before=Submission.Status.PENDING, after=Submission.Status.JUDGING
                )
        if taken:
            wait_s = max(0.0, (timezone.now() - (head.not_before or head.created_at)).total_seconds())
            metrics.WAIT_SECONDS.labels(lane=claim.lane).observe(wait_s)
            logger.info(
                "judgement_claimed",
                **_named(claim),
                lane=claim.lane,
                worker_id=worker_id and str(worker_id),
                wait_s=round(wait_s, 3),
            )
            return claim


def claims_due() -> dict[str, int]:
    """How many judgements wait for nothing but a worker, by lane, counted to a bound; nothing while work is paused."""
    counts = {lane: _due().filter(lane=lane)[:DUE_COUNTED_MAX].count() for lane in _LANES}
    return {lane: count for lane, count in counts.items() if count}


def claims_renew(claims: Iterable[Claim]) -> list[Claim]:
    """Move the leases of claims that are still held into the future; those that are not held any more."""
    until = _after(settings.EXECUTOR_LEASE_S)
    return [claim for claim in claims if not _held(claim).update(leased_until=until)]


@transaction.atomic
def claim_return(claim: Claim, *, fault: str, is_charged: bool, retry_after_s: float | None = None) -> None:
    """Put a judgement back into the queue after an infrastructure fault, to be tried again after a pause.

    A charged fault counts against `EXECUTOR_TRIES_MAX`, after which the judgement ends as `internal_error`. An engine
    that is away is not charged: the submission waits until it is back, however long that takes.
    """
    judgement = claimed_lock(claim.judgement_id, claim_id=claim.claim_id)
    if judgement is None:
        return
    if is_charged and judgement.tries >= settings.EXECUTOR_TRIES_MAX:
        judgement_give_up(judgement_id=claim.judgement_id, claim_id=claim.claim_id, fault=fault)
        return
    pause_s = retry_after_s or min(BACKOFF_MAX_S, BACKOFF_FIRST_S * 2 ** min(judgement.faults, 10))
    _put_back(
        judgement,
        tries=judgement.tries if is_charged else judgement.tries - 1,
        faults=judgement.faults + 1,
        not_before=_after(pause_s),
        fault=fault,
    )
    transaction.on_commit(metrics.RETRIES.inc)
    logger.warning("judgement_returned", **_named(claim), fault=fault, pause_s=pause_s)


@transaction.atomic
def claim_release(claim: Claim) -> None:
    """Give a claim back unworked, for another to take at once: the worker is stopping."""
    judgement = claimed_lock(claim.judgement_id, claim_id=claim.claim_id)
    if judgement is not None:
        _put_back(judgement, tries=judgement.tries - 1)
        logger.info("judgement_released", **_named(claim))


def claims_recover() -> int:
    """Return judgements whose lease ran out; how many there were.

    After `EXECUTOR_TRIES_MAX` tries a judgement ends, with an alert in the log: `quarantined` where each of them cost a
    worker its life, and else as `internal_error`.
    """
    expired = Judgement.objects.filter(state=Judgement.State.CLAIMED, leased_until__lt=Now()).order_by("pk")
    return sum(_recover(judgement_id) for judgement_id in list(expired.values_list("pk", flat=True)))


@transaction.atomic
def _recover(judgement_id: int) -> bool:
    # Looked at again under the lock: its worker may have renewed the lease after all, or have ended it. Rows that
    # somebody holds are left to the next sweep, lest one of them keeps all others waiting.
    judgement = claimed_lock(judgement_id, skip_locked=True, leased_until__lt=Now())
    if judgement is None:
        return False
    assert judgement.claim_id is not None  # a constraint of the table: whatever is claimed has a claim
    is_lost = worker_is_gone(judgement.worker_id)
    losses = judgement.losses + is_lost
    transaction.on_commit(metrics.LEASES_EXPIRED.inc)
    logger.warning(
        "lease_expired",
        submission_id=judgement.submission_id,
        judgement_id=judgement_id,
        worker_id=judgement.worker_id and str(judgement.worker_id),
        is_lost=is_lost,
        tries=judgement.tries,
        losses=losses,
    )
    Judgement.objects.filter(pk=judgement_id).update(losses=losses)
    if judgement.tries < settings.EXECUTOR_TRIES_MAX:
        _put_back(judgement)
        transaction.on_commit(metrics.RETRIES.inc)
        return True
    is_quarantined = losses >= judgement.tries
    fault = (
        f"Its worker was lost {losses} times while judging this, the last time while it judged nothing else."
        if is_quarantined
        else f"It was tried {judgement.tries} times, and each time the lease ran out or the judging failed."
    )
    judgement_give_up(
        judgement_id=judgement_id, claim_id=judgement.claim_id, fault=fault, is_quarantined=is_quarantined
    )
    return True


def _due() -> models.QuerySet[Judgement]:
    """What waits for nothing but a worker."""
    return Judgement.objects.filter(
        Q(not_before__isnull=True) | Q(not_before__lte=Now()),
        ~Exists(QueueSwitch.objects.filter(is_paused=True)),
        state=Judgement.State.PENDING,
    )


class _Next(NamedTuple):
    """A judgement that waits, as its row says; `shown_id` is the judgement whose result its submission shows."""

    judgement_id: int
    lane: str
    losses: int
    submission_id: int
    shown_id: int | None
    created_at: datetime
    not_before: datetime | None


_NEXT_COLUMNS = ("pk", "lane", "losses", "submission", "submission__current_judgement", "created_at", "not_before")


def _next(due: models.QuerySet[Judgement]) -> _Next | None:
    """The one of these whose turn it is."""
    row = due.order_by("lane", "virtual_start", "pk").values_list(*_NEXT_COLUMNS).first()
    return _Next(*row) if row else None


def _lock_first(lane: str, *, takes_suspects: bool) -> _Next | None:
    """The judgement whose turn it is in a lane, locked with its submission, so that what follows waits for nobody.

    Both are skipped where somebody else holds one of them: waiting for the second while holding the first is how those
    who take the submission first would be met in a deadlock.
    """
    due = _due().filter(lane=lane)
    if not takes_suspects:
        due = due.filter(losses__lt=_losses_of_suspects())
    free = due.select_for_update(skip_locked=True, of=("self", "submission"), no_key=True).select_related("submission")
    columns = ("lane", "losses", "created_at", "not_before", "submission__current_judgement")
    first = free.order_by("virtual_start", "pk").only(*columns).first()
    if first is None:
        return None
    return _Next(
        judgement_id=first.pk,
        lane=first.lane,
        losses=first.losses,
        submission_id=first.submission_id,
        shown_id=first.submission.current_judgement_id,
        created_at=first.created_at,
        not_before=first.not_before,
    )


def _has_place_for_rejudge() -> bool:
    """Whether one rejudge more may run. On PostgreSQL who asks in the same moment waits until this one has taken it."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_REJUDGES_LOCK])
    running = Judgement.objects.filter(state=Judgement.State.CLAIMED, lane=Judgement.Lane.REJUDGE).count()
    return running < max(1, threads_live() // 2)


def _losses_of_suspects() -> int:
    return int(settings.EXECUTOR_TRIES_MAX) - 1


def _put_back(judgement: Judgement, **changes: object) -> None:
    """Let a claimed judgement, which the caller has locked, wait again; a rejudge's submission shows nothing of it."""
    Judgement.objects.filter(pk=judgement.pk).update(
        state=Judgement.State.PENDING, claim_id=None, leased_until=None, **changes
    )
    if judgement.submission.current_judgement_id == judgement.pk:
        submission_status_move(
            judgement.submission_id, before=Submission.Status.JUDGING, after=Submission.Status.PENDING
        )


def _held(claim: Claim) -> models.QuerySet[Judgement]:
    return Judgement.objects.filter(pk=claim.judgement_id, claim_id=claim.claim_id, state=Judgement.State.CLAIMED)


def _named(claim: Claim) -> dict[str, int]:
    return {"submission_id": claim.submission_id, "judgement_id": claim.judgement_id}


def _after(seconds: float) -> models.Expression:
    """So many seconds from now by the database's clock."""
    return Now() + timedelta(seconds=seconds)
