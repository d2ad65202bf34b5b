"""Tickets to event streams: leave to open one, once, within a minute."""

import hashlib
import secrets
from datetime import datetime, timedelta

from django.conf import settings
from django.utils import timezone

from core.errors import DomainError, TooManyRequests
from events.models import StreamTicket
from events.rights import Credential, credentials_standing

# Unused ones that one user may have at a time.
TICKETS_MAX = 20
CLEANUP_STEP = 1000


class TicketRefused(DomainError):
    """Unknown, used before, too old, or issued under a sign-in that has ended: all alike."""

    status = 401
    code = "ticket_refused"
    title = "The ticket is not valid; ask for a new one"


class TooManyTickets(TooManyRequests):
    """Somebody asks for tickets and does not use them."""

    code = "too_many_tickets"
    title = "You have too many unused tickets"


def ticket_issue(*, credential: Credential) -> tuple[str, datetime]:
    """A new ticket for who holds this credential, and when it is over. Only its hash is kept."""
    now = timezone.now()
    waiting = StreamTicket.objects.filter(user_id=credential.user_id, expires_at__gt=now).count()
    if waiting >= TICKETS_MAX:
        raise TooManyTickets("Use those you have.", retry_after_s=settings.EVENTS_TICKET_S)
    text = secrets.token_urlsafe(32)
    expires_at = now + timedelta(seconds=settings.EVENTS_TICKET_S)
    StreamTicket.objects.create(
        user_id=credential.user_id,
        token_hash=_hash(text),
        token_family_id=credential.family_id,
        session_key=credential.session_key,
        expires_at=expires_at,
    )
    return text, expires_at


def ticket_redeem(*, text: str) -> Credential:
    """Use a ticket up, and learn whose it is.

    Raises:
        TicketRefused: it is not valid, or not any more.
    """
    ticket = StreamTicket.objects.filter(token_hash=_hash(text)).first()
    # Of several who bring the same one, only one deletes its row.
    if ticket is None or not StreamTicket.objects.filter(pk=ticket.pk).delete()[0]:
        raise TicketRefused
    credential = Credential(user_id=ticket.user_id, family_id=ticket.token_family_id, session_key=ticket.session_key)
    if ticket.expires_at <= timezone.now() or credential not in credentials_standing({credential}):
        raise TicketRefused
    return credential


def tickets_clean_up() -> int:
    """Delete tickets that are over, some at a time; how many that were."""
    over = StreamTicket.objects.filter(expires_at__lte=timezone.now()).order_by("expires_at")
    return StreamTicket.objects.filter(pk__in=list(over.values_list("pk", flat=True)[:CLEANUP_STEP])).delete()[0]


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
