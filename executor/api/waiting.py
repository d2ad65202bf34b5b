"""Waiting for a verdict inside a request (`?wait=`): few at a time, woken by messages, holding no connection asleep."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings

from core.connections import connection_give_back
from core.places import requests_at_once
from events.hub import listening
from executor.models import Submission
from executor.services.live import topic_of

# How often the database is asked, where no message comes.
POLL_S = 1.0


def wait_for_verdict(submission_id: int, wait_s: float) -> bool:
    """Whether the submission is judged, after up to `wait_s` seconds; at once, where enough requests wait already."""
    deadline_s = time.monotonic() + wait_s
    wakes = threading.Event()
    with listening(topic_of(submission_id), lambda message: wakes.set()), _place(is_wanted=wait_s > 0) as has_place:
        while True:
            if not Submission.objects.filter(pk=submission_id, status__in=Submission.UNFINISHED).exists():
                return True
            remaining_s = deadline_s - time.monotonic()
            if not has_place or remaining_s <= 0:
                return False
            # A connection held while asleep would be one less for those who work.
            connection_give_back()
            wakes.wait(min(remaining_s, POLL_S))
            wakes.clear()


def waits_at_once() -> int:
    """`EXECUTOR_WAITS_AT_ONCE`, and at most half of the places there are: those who wait must not starve the others."""
    return min(settings.EXECUTOR_WAITS_AT_ONCE, requests_at_once() // 2)


_lock = threading.Lock()
_waiting = 0


@contextmanager
def _place(*, is_wanted: bool) -> Iterator[bool]:
    """One of the places to wait in, if it is wanted and one is free."""
    global _waiting
    with _lock:
        has_place = is_wanted and _waiting < waits_at_once()
        _waiting += has_place
    try:
        yield has_place
    finally:
        with _lock:
            _waiting -= has_place
