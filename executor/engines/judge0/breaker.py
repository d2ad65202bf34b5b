"""A circuit breaker: a Judge0 that fails again and again is left alone for a while, by all threads together.

Closed, every request goes out. Open, none does. When the pause is over one request, the trial, goes out alone: it
closes the circuit, or opens it again for twice as long.
"""

import random
import threading
from collections.abc import Callable

import structlog

from executor.engines.base import EngineBusy

# More than the polls that one run repeats by itself: only what outlives a run's own patience opens the circuit.
FAULTS_TO_OPEN = 8
FIRST_PAUSE_S, LONGEST_PAUSE_S = 2.0, 30.0
# How long a server may close the circuit by its own wish.
LONGEST_WISH_S = 300.0
# While the trial is out nobody knows how long it takes; whoever is refused meanwhile may ask again soon.
TRIAL_PAUSE_S = 1.0
JITTER = 0.25

logger = structlog.get_logger("assay.judge0")
_random = random.SystemRandom()


class CircuitOpen(EngineBusy):
    """Nothing was sent: the server has failed too often, or asked to be left alone."""


class Breaker:
    """One per Judge0, shared by all threads. Every `admit` that returned is followed by one of the three reports."""

    def __init__(
        self, *, clock: Callable[[], float], jitter: Callable[[float, float], float] = _random.uniform
    ) -> None:
        self._clock, self._jitter = clock, jitter
        self._lock = threading.Lock()
        # Grows with every opening, trial and closing; a report on a request of an earlier era changes nothing.
        self._era = 0
        self._faults_in_a_row = 0
        self._pause_s = FIRST_PAUSE_S
        self._open_until: float | None = None
        self._is_trial_out = False
        self._faults = 0

    @property
    def faults(self) -> int:
        """All faults ever reported; a later, higher number says that something went wrong meanwhile."""
        return self._faults

    def admit(self, where: str) -> int:
        """Let a request out and return the era to report its end with.

        Raises:
            CircuitOpen: it must not go out now; `retry_after_s` says when to ask again, differently for each.
        """
        with self._lock:
            left_s = self._left_s()
            if left_s is None:
                return self._era
            if left_s > 0 or self._is_trial_out:
                wait_s = max(left_s, TRIAL_PAUSE_S if self._is_trial_out else 0.0)
                raise CircuitOpen(
                    f"{where}: not sent, since Judge0 failed {self._faults_in_a_row} times in a row or asked for a "
                    f"pause; it is left alone for {wait_s:.1f} s more.",
                    retry_after_s=wait_s * self._jitter(1.0, 1.0 + JITTER),
                )
            self._is_trial_out = True
            self._era += 1
            return self._era

    def passed(self, era: int) -> None:
        """The server answered, sensibly."""
        with self._lock:
            if era != self._era:
                return
            self._faults_in_a_row = 0
            if self._open_until is not None:
                self._open_until, self._is_trial_out, self._pause_s = None, False, FIRST_PAUSE_S
                self._era += 1
                logger.info("judge0_breaker_closed")

    def failed(self, era: int, fault: str, *, wish_s: float | None = None) -> None:
        """The server failed; `wish_s` is the pause that it asked for itself, which is granted at once."""
        with self._lock:
            self._faults += 1
            if era != self._era:
                return
            self._faults_in_a_row += 1
            if self._is_trial_out:
                self._pause_s = min(self._pause_s * 2, LONGEST_PAUSE_S)
            if self._is_trial_out or wish_s or self._faults_in_a_row >= FAULTS_TO_OPEN:
                self._open(max(self._pause_s, min(wish_s or 0.0, LONGEST_WISH_S)), fault)

    def neither(self, era: int) -> None:
        """The exchange ended without telling anything about the server: we cut it short ourselves."""
        with self._lock:
            if era == self._era and self._is_trial_out:
                self._open(self._pause_s, "the trial was cut short")

    def open_for_s(self) -> float | None:
        """How much longer nothing goes out, 0 where the next request is the trial; None while the circuit is closed."""
        with self._lock:
            left_s = self._left_s()
            return TRIAL_PAUSE_S if left_s == 0 and self._is_trial_out else left_s

    def _left_s(self) -> float | None:
        return None if self._open_until is None else max(0.0, self._open_until - self._clock())

    def _open(self, pause_s: float, fault: str) -> None:
        # Jitter: many processes that lost one server must not come back to it together.
        pause_s *= self._jitter(1.0, 1.0 + JITTER)
        self._open_until, self._is_trial_out = self._clock() + pause_s, False
        self._era += 1
        logger.error("judge0_breaker_opened", fault=fault, pause_s=round(pause_s, 1), faults=self._faults_in_a_row)
