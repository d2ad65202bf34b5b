"""What is cached for one student in one course.

A key carries organization, user, enrollment and problem, and two random tokens: that of the enrollment and that of the
course. Whoever changes what the student sees replaces a token in the same transaction (`courses.services.tokens`), so
that no key of before is ever asked for again: nothing has to be deleted, and a lost deletion costs nothing (law 5).
"""

import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar

from django.utils import timezone

from core.single_flight import cached
from courses.models import Enrollment

TTL_MAX = timedelta(minutes=10)
KIND = re.compile(r"[a-z][a-z_]{0,29}")

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class CachePlace:
    """Whose cache it is, and the tokens that make today's keys."""

    organization_id: int
    user_id: int
    enrollment_id: int
    enrollment_token: uuid.UUID
    content_token: uuid.UUID


def cache_place(enrollment_id: int) -> CachePlace | None:
    """Where this enrollment's values are cached now; None where there is no such enrollment. One query."""
    row = (
        Enrollment.objects.filter(pk=enrollment_id)
        .values_list("course__organization_id", "user_id", "cache_token", "course__content_token")
        .first()
    )
    if row is None:
        return None
    organization_id, user_id, enrollment_token, content_token = row
    return CachePlace(
        organization_id=organization_id,
        user_id=user_id,
        enrollment_id=enrollment_id,
        enrollment_token=enrollment_token,
        content_token=content_token,
    )


def student_cache_key(place: CachePlace, kind: str, problem_id: int | None = None) -> str:
    """The key of one value; at most 250 characters, since ids are numbers and a kind is a short word.

    Raises:
        ValueError: the kind is no short word, such as `outline`.
    """
    if not KIND.fullmatch(kind):
        raise ValueError("a kind is at most 30 small letters and underscores")
    problem = "-" if problem_id is None else problem_id
    return (
        f"student:o{place.organization_id}:u{place.user_id}:e{place.enrollment_id}:p{problem}:{kind}"
        f":{place.enrollment_token.hex}:{place.content_token.hex}"
    )


def student_cached(
    *,
    enrollment_id: int,
    kind: str,
    compute: Callable[[], T],
    problem_id: int | None = None,
    expires_at: Callable[[T], datetime | None] = lambda value: None,
    is_shape: Callable[[Any], bool] = lambda value: isinstance(value, dict),
) -> T:
    """What `compute` gives for one student, cached until a change, `expires_at(value)`, or for ten minutes.

    The value is plain JSON. `expires_at` tells the next moment at which time alone changes it, such as a chapter that
    opens; it is compared with the application's clock at every reading (law 6). What stands in the cache and is not of
    its shape is computed again and replaced. Inside a transaction nothing is read from the cache or put there.
    """
    # Read before anything else: what is computed from here on is at least as new as these tokens.
    place = cache_place(enrollment_id)
    if place is None:
        return compute()
    key = student_cache_key(place, kind, problem_id)

    def wrap() -> dict[str, Any]:
        # The moment before reading: what opens while it is being computed is not missed.
        latest = timezone.now() + TTL_MAX
        value = compute()
        return {"key": key, "until": min(latest, expires_at(value) or latest).isoformat(), "value": value}

    def is_valid(entry: Any) -> bool:
        return _is_entry(entry, key) and is_shape(entry["value"])

    value: T = cached(key, wrap, ttl_s=_ttl_s, is_valid=is_valid)["value"]
    return value


def _ttl_s(entry: dict[str, Any]) -> float:
    return (datetime.fromisoformat(entry["until"]) - timezone.now()).total_seconds()


def _is_entry(entry: Any, key: str) -> bool:
    """Whether this was stored under this very key, and its time has not run out."""
    if not isinstance(entry, dict) or entry.keys() != {"key", "until", "value"} or entry["key"] != key:
        return False
    try:
        left = datetime.fromisoformat(entry["until"]) - timezone.now()
    except (TypeError, ValueError):
        return False
    # More than it could ever have had: it was stored by a clock that was ahead.
    return timedelta() < left <= TTL_MAX
