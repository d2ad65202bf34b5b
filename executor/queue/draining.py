"""Waiting until a paused queue stands still."""

import time
from collections.abc import Callable

from executor.models import Judgement
from executor.queue.claims import claims_recover
from executor.queue.switch import queue_state

POLL_S = 0.25
RECOVER_EVERY_S = 5.0


class QueueResumed(Exception):
    """Somebody let work be taken again while we waited for it to end."""


def held_count() -> int:
    """How many judgements workers hold."""
    return Judgement.objects.filter(state=Judgement.State.CLAIMED).count()


def queue_drain(*, timeout_s: float, tell: Callable[[int], None]) -> int:
    """Wait until workers of a paused queue hold nothing; how much they still do when the time is over.

    `tell` is called with that number whenever it is looked at. What a lost worker held goes back to the queue
    meanwhile, so that nobody waits for the dead.

    Raises:
        QueueResumed: the queue is not paused, or not any more.
    """
    deadline = time.monotonic() + timeout_s
    recover_at = time.monotonic()
    while True:
        if not queue_state().is_paused:
            raise QueueResumed
        if time.monotonic() >= recover_at:
            claims_recover()
            recover_at = time.monotonic() + RECOVER_EVERY_S
        held = held_count()
        tell(held)
        if not held or time.monotonic() >= deadline:
            return held
        time.sleep(POLL_S)
