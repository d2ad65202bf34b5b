"""Who may work on a judgement: claims and their leases.

A claim is a fresh id on the row and a lease by the database's clock. Taking one is a single conditional write, so that
losing a race is silence; whoever lost their claim can change nothing (the fence is in `executor.services.judgements`).
"""

import uuid
from dataclasses import dataclass
from datetime import timedelta

import structlog
from django.conf import settings
from django.db import connection, models, transaction
from django.db.models import DateTimeField, ExpressionWrapper, F, Q
from django.db.models.functions import Now

from executor.models import Judgement, Submission
from executor.services.announcing import submission_status_move
from executor.services.judgements import judgement_give_up

logger = structlog.get_logger("assay.queue")

BACKOFF_FIRST_S = 2
BACKOFF_MAX_S = 60


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to judge one judgement, for as long as the lease is renewed."""

    judgement_id: int
    claim_id: uuid.UUID


def claim_next() -> Claim | None:
    """Take the oldest judgement that waits; None where none does.

    On PostgreSQL rows that others are taking are skipped; on SQLite the conditional UPDATE decides, and a lost race is
    tried again with the next row.
    """
    while True:
        with transaction.atomic():
            waiting = (
                Judgement.objects.filter(state=Judgement.State.PENDING)
                .filter(Q(not_before__isnull=True) | Q(not_before__lte=Now()))
                .order_by("pk")
            )
            if connection.features.has_select_for_update_skip_locked:
                waiting = waiting.select_for_update(skip_locked=True)
            judgement_id = waiting.values_list("pk", flat=True).first()
            if judgement_id is None:
                return None
            claim = Claim(judgement_id, uuid.uuid4())
            taken = Judgement.objects.filter(pk=judgement_id, state=Judgement.State.PENDING).update(
                state=Judgement.State.CLAIMED,
                claim_id=claim.claim_id,
                leased_until=_after(settings.EXECUTOR_LEASE_S),
                tries=F("tries") + 1,
                started_at=Now(),
            )
            if taken:
                submission_id = Submission.objects.filter(current_judgement=judgement_id).values_list("pk", flat=True)
                for pk in submission_id:
                    submission_status_move(pk, before=Submission.Status.PENDING, after=Submission.Status.JUDGING)
                return claim


def claims_renew(claims: list[Claim]) -> None:
    """Move the leases of claims that are still held into the future."""
    for claim in claims:
        _held(claim).update(leased_until=_after(settings.EXECUTOR_LEASE_S))


@transaction.atomic
def claim_return(claim: Claim, *, fault: str, is_charged: bool, retry_after_s: float | None = None) -> None:
    """Put a judgement back into the queue after an infrastructure fault, to be tried again after a pause.

    A charged fault counts against `EXECUTOR_TRIES_MAX`, after which the judgement ends as `internal_error`. An engine
    that is away is not charged: the submission waits until it is back, however long that takes.
    """
    judgement = _held(claim).first()
    if judgement is None:
        return
    if is_charged and judgement.tries >= settings.EXECUTOR_TRIES_MAX:
        judgement_give_up(judgement_id=claim.judgement_id, claim_id=claim.claim_id, fault=fault)
        return
    pause_s = retry_after_s or min(BACKOFF_MAX_S, BACKOFF_FIRST_S * 2 ** min(judgement.faults, 10))
    _return_to_queue(
        Q(pk=claim.judgement_id, claim_id=claim.claim_id),
        tries=judgement.tries if is_charged else judgement.tries - 1,
        faults=judgement.faults + 1,
        not_before=_after(pause_s),
        fault=fault,
    )
    logger.warning("judgement_returned", judgement_id=claim.judgement_id, fault=fault, pause_s=pause_s)


def claim_release(claim: Claim) -> None:
    """Give a claim back unworked, for another to take at once: the worker is stopping."""
    _return_to_queue(Q(pk=claim.judgement_id, claim_id=claim.claim_id), tries=F("tries") - 1)


def claims_recover() -> int:
    """Return judgements whose lease ran out, their worker being gone; how many there were.

    After `EXECUTOR_TRIES_MAX` tries a judgement ends as `internal_error`, with an alert in the log.
    """
    expired = list(
        Judgement.objects.filter(state=Judgement.State.CLAIMED, leased_until__lt=Now()).values_list(
            "pk", "claim_id", "tries"
        )
    )
    for judgement_id, claim_id, tries in expired:
        assert claim_id is not None  # a constraint of the table: whatever is claimed has a claim
        logger.warning("lease_expired", judgement_id=judgement_id, tries=tries)
        if tries >= settings.EXECUTOR_TRIES_MAX:
            fault = f"The worker was lost {tries} times while judging this."
            judgement_give_up(judgement_id=judgement_id, claim_id=claim_id, fault=fault)
        else:
            _return_to_queue(Q(pk=judgement_id, claim_id=claim_id))
    return len(expired)


@transaction.atomic
def _return_to_queue(condition: Q, **changes: object) -> None:
    returned = Judgement.objects.filter(condition, state=Judgement.State.CLAIMED)
    # Parents first, as whoever applies a result does: the other order would deadlock with a late one.
    submissions = list(
        Submission.objects.select_for_update()
        .filter(pk__in=list(returned.values_list("submission_id", flat=True)))
        .order_by("pk")
        .values_list("pk", flat=True)
    )
    returned.update(state=Judgement.State.PENDING, claim_id=None, leased_until=None, **changes)
    for submission_id in submissions:
        submission_status_move(submission_id, before=Submission.Status.JUDGING, after=Submission.Status.PENDING)


def _held(claim: Claim) -> models.QuerySet[Judgement]:
    return Judgement.objects.filter(pk=claim.judgement_id, claim_id=claim.claim_id, state=Judgement.State.CLAIMED)


def _after(seconds: float) -> ExpressionWrapper:
    return ExpressionWrapper(Now() + timedelta(seconds=seconds), output_field=DateTimeField())
