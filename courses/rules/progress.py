"""A student's progress on a problem: a fold over all results, whatever their order.

What is stored is only ever this fold over what is there, so that it can be recomputed at any time.
"""

from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from courses.rules.lateness import LatePolicy, credit


class ProgressStatus(StrEnum):
    """Where a student stands with a problem."""

    NOT_STARTED = "not_started"
    IN_PROGRESS = "in_progress"
    SOLVED = "solved"


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What one piece of work came to. Internal errors are no results: they cost nobody an attempt.

    `score` is from 0 to 100. `time_ms` is None where nothing ran. `key` tells results apart, such as a submission's id.
    """

    key: Hashable
    received_at: datetime
    score: Decimal
    is_accepted: bool
    time_ms: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgressFold:
    """What all results come to. Without any, scores are 0 and times None.

    `best_score` knows no lateness; `credited_score` is the most that any one result counts after lateness.
    `best_time_ms` is the least of the accepted results; `solved_at` is when the earliest of them was received.
    """

    status: ProgressStatus
    attempts: int
    best_score: Decimal
    credited_score: Decimal
    best_time_ms: int | None
    first_at: datetime | None
    last_at: datetime | None
    solved_at: datetime | None


def fold(results: Iterable[Result], *, due_at: datetime | None, policy: LatePolicy) -> ProgressFold:
    """What these results come to. The order does not matter, and one that is given twice counts once.

    Raises:
        ValueError: two different results have one key.
    """
    distinct = set(results)
    if len({result.key for result in distinct}) < len(distinct):
        raise ValueError("two different results have one key")
    received = [result.received_at for result in distinct]
    accepted = [result for result in distinct if result.is_accepted]
    return ProgressFold(
        status=_status(bool(distinct), bool(accepted)),
        attempts=len(distinct),
        best_score=max((result.score for result in distinct), default=Decimal(0)),
        credited_score=max(
            (credit(result.score, result.received_at, due_at, policy) for result in distinct), default=Decimal(0)
        ),
        best_time_ms=min((result.time_ms for result in accepted if result.time_ms is not None), default=None),
        first_at=min(received, default=None),
        last_at=max(received, default=None),
        solved_at=min((result.received_at for result in accepted), default=None),
    )


def _status(has_any: bool, has_accepted: bool) -> ProgressStatus:
    if has_accepted:
        return ProgressStatus.SOLVED
    return ProgressStatus.IN_PROGRESS if has_any else ProgressStatus.NOT_STARTED
