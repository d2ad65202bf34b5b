"""A breaker for the cache: after one failure this process leaves it alone for a while.

Without it a request that asks a hanging Redis ten times would wait ten times. It opens at the first failure, unlike
one that guards something needed: a call that is skipped is only a miss.
"""

import threading
import time
from dataclasses import dataclass

import structlog

# Recovery takes as long at most (M-19); meanwhile one call in so many seconds and process waits for its timeout.
REST_S = 2.0

logger = structlog.get_logger("assay.cache")


@dataclass(frozen=True, slots=True)
class Ticket:
    """Leave to make one call. Its end is reported with it; a report of an earlier era changes nothing."""

    era: int


class Breaker:
    """Shared by all threads of a process. Half open, one call goes out alone and decides for the rest."""

    def __init__(self, *, rest_s: float = REST_S) -> None:
        self._rest_s = rest_s
        self._lock = threading.Lock()
        self._era = 0
        self._is_open = False
        self._rest_ends_s = 0.0

    def admit(self) -> Ticket | None:
        """Leave to ask the cache, or None where the call is to be skipped."""
        with self._lock:
            if self._is_open:
                now_s = time.monotonic()
                # A rest that would be longer than any was set on another clock: a test had frozen it.
                if 0 < self._rest_ends_s - now_s <= self._rest_s:
                    return None
                # This one is the probe. The others rest on meanwhile, and try again themselves if it never reports.
                self._rest_ends_s = now_s + self._rest_s
                self._era += 1
            return Ticket(self._era)

    def passed(self, ticket: Ticket) -> None:
        """The cache answered."""
        with self._lock:
            if not self._is_open or ticket.era != self._era:
                return
            self._is_open = False
            self._era += 1
        logger.info("cache_back")

    def failed(self, ticket: Ticket, fault: str) -> None:
        """The cache did not answer, or not in time; `fault` is the kind of failure, for the log."""
        with self._lock:
            if ticket.era != self._era:
                return
            was_open, self._is_open = self._is_open, True
            self._rest_ends_s = time.monotonic() + self._rest_s
            self._era += 1
        if not was_open:
            logger.warning("cache_away", fault=fault, rest_s=self._rest_s)


_breakers: dict[str, Breaker] = {}


def breaker_of(server: str) -> Breaker:
    """The one breaker of this process for this server: Django makes a cache object for each thread."""
    return _breakers.setdefault(server, Breaker())
