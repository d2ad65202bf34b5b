"""The switch of the queue: while it is paused nobody takes work, and submissions are accepted all the same."""

from dataclasses import dataclass
from datetime import datetime

import structlog
from django.db import transaction
from django.utils import timezone

from accounts.audit import audit_record
from accounts.models import User
from core.errors import InvalidInput
from executor.models import Judgement, QueueSwitch
from executor.queue.claims import claims_due
from executor.signals import queue_waits

logger = structlog.get_logger("assay.queue")

REASON_MAX = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueState:
    """Whether work is taken, and who said so when; nobody did as long as the switch was never used."""

    is_paused: bool
    reason: str = ""
    changed_by: User | None = None
    changed_at: datetime | None = None


def queue_state() -> QueueState:
    """How the switch stands."""
    switch = QueueSwitch.objects.select_related("changed_by").filter(pk=QueueSwitch.ONLY).first()
    if switch is None:
        return QueueState(is_paused=False)
    return QueueState(
        is_paused=switch.is_paused,
        reason=switch.reason,
        changed_by=switch.changed_by,
        changed_at=switch.changed_at,
    )


@transaction.atomic
def queue_pause(*, actor: User | None, reason: str) -> QueueState:
    """Let nobody take work any more; what is being judged ends. `actor` is None for whoever has the machine's shell.

    Whether the actor may is for the caller to know: this is for operators.

    Raises:
        InvalidInput: the reason is too long, or holds what cannot be shown.
    """
    reason = reason.strip()
    if len(reason) > REASON_MAX:
        raise InvalidInput.at("reason", "max_length", f"A reason has at most {REASON_MAX} characters.")
    if not reason.isprintable():
        raise InvalidInput.at("reason", "invalid", "A reason is one line of text.")
    return _turn(actor=actor, is_paused=True, reason=reason)


@transaction.atomic
def queue_resume(*, actor: User | None) -> QueueState:
    """Let work be taken again, and wake whoever takes it. Resuming what is not paused changes nothing."""
    return _turn(actor=actor, is_paused=False, reason="")


def _turn(*, actor: User | None, is_paused: bool, reason: str) -> QueueState:
    now = timezone.now()
    # Made first and then locked, so that two who turn it at once do so in turn, the very first time too.
    QueueSwitch.objects.get_or_create(pk=QueueSwitch.ONLY, defaults={"changed_at": now})
    switch = QueueSwitch.objects.select_for_update().get(pk=QueueSwitch.ONLY)
    before = (switch.is_paused, switch.reason)
    if before == (is_paused, reason):
        return queue_state()
    switch.is_paused, switch.reason, switch.changed_by, switch.changed_at = is_paused, reason, actor, now
    switch.save()
    if actor is not None:
        audit_record(
            actor=actor,
            action="queue.pause" if is_paused else "queue.resume",
            target=switch,
            organization_id=None,
            changes={"is_paused": [before[0], is_paused], "reason": [before[1], reason]},
        )
    logger.warning("queue_paused" if is_paused else "queue_resumed", reason=reason, actor=actor and actor.pk)
    if not is_paused:
        transaction.on_commit(_tell_of_work)
    return queue_state()


def _tell_of_work() -> None:
    if counts := claims_due():
        queue_waits.send_robust(sender=Judgement, counts=counts)
