"""What late work is worth, and when work is due."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum

# A day of lateness is 24 hours, not a day of the calendar: daylight saving makes none longer or shorter.
DAY = timedelta(hours=24)
CENT = Decimal("0.01")


class LateKind(StrEnum):
    """`none`: late work counts in full. `per_day`: each day takes a part of the score. `cut_off`: it counts nothing."""

    NONE = "none"
    PER_DAY = "per_day"
    CUT_OFF = "cut_off"


@dataclass(frozen=True, slots=True, kw_only=True)
class LatePolicy:
    """What lateness costs. `percent_per_day`, 0 to 100, is of the score reached; it is used by `per_day` alone.

    Raises:
        ValueError: the percentage is no percentage.
    """

    kind: LateKind = LateKind.NONE
    percent_per_day: Decimal = Decimal(0)

    def __post_init__(self) -> None:
        if not (self.percent_per_day.is_finite() and 0 <= self.percent_per_day <= 100):
            raise ValueError("percent_per_day is from 0 to 100")


def credit(score: Decimal, received_at: datetime, due_at: datetime | None, policy: LatePolicy) -> Decimal:
    """What a score counts, given when the work was received: rounded to 0.01, halves up.

    Work received exactly at `due_at` is late (windows are half-open), by one day; exactly 24 hours later begins the
    second day. `per_day` credits `score * max(0, 1 - percent_per_day / 100 * days begun)`.

    Raises:
        ValueError: a time has no zone.
    """
    return (score * _share(days_late(received_at, due_at), policy)).quantize(CENT, rounding=ROUND_HALF_UP)


def days_late(received_at: datetime, due_at: datetime | None) -> int:
    """How many days of lateness have begun: 0 in time, 1 from the moment it was due, 2 from 24 hours after that.

    Raises:
        ValueError: a time has no zone.
    """
    # In UTC: two times of one zone would be subtracted by what their clocks show, an hour wrong across a change.
    received_at = _in_utc(received_at)
    if due_at is None or received_at < _in_utc(due_at):
        return 0
    return (received_at - _in_utc(due_at)) // DAY + 1


def effective_due_at(
    problem_due: datetime | None,
    chapter_dues: Collection[datetime | None],
    extension_dues: Collection[datetime] = (),
) -> datetime | None:
    """When a problem is due for one student, in UTC; None is never.

    The problem's own date wins. Else it is the latest of the chapters it stands in, and none if one of them has none.
    An extension replaces that where it is later; it gives no date to what has none.

    Raises:
        ValueError: a time has no zone.
    """
    dues = (problem_due,) if problem_due is not None else tuple(chapter_dues)
    known = [_in_utc(due) for due in dues if due is not None]
    if not known or len(known) < len(dues):
        return None
    return max([*known, *map(_in_utc, extension_dues)])


def _share(days: int, policy: LatePolicy) -> Decimal:
    if not days or policy.kind == LateKind.NONE:
        return Decimal(1)
    if policy.kind == LateKind.CUT_OFF:
        return Decimal(0)
    return max(Decimal(0), 1 - policy.percent_per_day * days / 100)


def _in_utc(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise ValueError("a time without a zone is no moment")
    return moment.astimezone(UTC)
