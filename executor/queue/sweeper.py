"""What has to be looked after from time to time, by whichever process comes to it: any number of them may."""

import threading
import time
from dataclasses import dataclass, field

from core.housekeeping import clean_up
from executor.models import Judgement
from executor.queue.claims import claims_due, claims_recover
from executor.queue.registry import workers_forget_gone
from executor.signals import queue_waits

# What is thrown away is in no hurry.
CLEAN_UP_EVERY_S = 60.0

_turn = threading.Lock()
_cleaned_at_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Swept:
    """What one sweep found. `waiting` counts what is due by lane; `cleaned` is empty where it was not time for that."""

    recovered: int
    workers_forgotten: int
    waiting: dict[str, int]
    cleaned: dict[str, int] = field(default_factory=dict)


def sweep() -> Swept:
    """Return judgements whose worker is lost, strike off lost workers, throw away what is over, and tell of work.

    Telling of it (`queue_waits`) is what makes up for wake-ups that went astray.
    """
    recovered = claims_recover()
    forgotten = workers_forget_gone()
    waiting = claims_due()
    if waiting:
        queue_waits.send_robust(sender=Judgement, counts=waiting)
    cleaned = clean_up() if _is_time_to_clean_up() else {}
    return Swept(recovered=recovered, workers_forgotten=forgotten, waiting=waiting, cleaned=cleaned)


def _is_time_to_clean_up() -> bool:
    global _cleaned_at_s
    with _turn:
        now_s = time.monotonic()
        if _cleaned_at_s is not None and now_s < _cleaned_at_s + CLEAN_UP_EVERY_S:
            return False
        _cleaned_at_s = now_s
        return True
