"""Cached values that are computed once, however many ask at the same moment."""

import threading
import time
from collections.abc import Callable
from typing import TypeVar, cast

from django.core.cache import cache
from django.db import connections

from core import plain_json
from core.cache import Added, add_or_tell

# Who finds somebody else computing waits no longer than this in all, then computes too: a computation that hangs
# must not hang the others.
WAIT_S = 0.2
POLL_S = 0.02
# How long a lock outlives its process. While it does, who misses waits once, computes and fills; then all hit.
LOCK_TTL_S = 5.0

T = TypeVar("T")

_MISSING = object()


class _Flight:
    """One computation in this process, for which others may wait."""

    def __init__(self) -> None:
        self.landed = threading.Event()
        # As JSON, so that each of those who waited has an object of its own to change; None where it failed.
        self.value: bytes | None = None


# Those in the air now: an entry leaves with its computation, so there are never more than threads.
_flights: dict[str, _Flight] = {}
_flights_lock = threading.Lock()


def cached(
    key: str, compute: Callable[[], T], *, ttl_s: Callable[[T], float] | float, is_valid: Callable[[object], bool]
) -> T:
    """The value cached under `key`; on a miss it is computed once and kept for `ttl_s` seconds.

    The value must be plain JSON (`core.plain_json`) and the key must change whenever the value would (law 5).
    `is_valid` is asked about whatever stands in the cache, of any shape; what it refuses is computed again and
    replaced. The cache's own clock ends `ttl_s`; where the application's must (a problem opens at ten), keep the
    moment in the value and let `is_valid` compare. What is to live for no time is not kept. Inside a transaction
    `compute` is called each time: what was written there may be rolled back, and what was read may be old by now.

    Raises:
        TypeError: the value is no plain JSON.
        Exception: whatever `compute` raises; others who wait for it compute by themselves.
    """
    if _is_in_transaction():
        return compute()
    found = _read(key, is_valid)
    if found is not _MISSING:
        return cast(T, found)
    with _flights_lock:
        ahead = _flights.get(key)
        flight = _flights.setdefault(key, _Flight())
    if ahead is not None:
        if ahead.landed.wait(WAIT_S) and ahead.value is not None:
            return cast(T, plain_json.decode(ahead.value))
        value, _ = _compute_and_fill(key, compute, ttl_s)
        return value
    try:
        value, flight.value = _lead(key, compute, ttl_s, is_valid)
        return value
    finally:
        with _flights_lock:
            del _flights[key]
        flight.landed.set()


def _is_in_transaction() -> bool:
    """Views run outside of transactions; a service that is inside of one has written, or is about to."""
    return any(
        connection.in_atomic_block or (connection.connection is not None and not connection.autocommit)
        for connection in connections.all(initialized_only=True)
    )


def _lead(
    key: str, compute: Callable[[], T], ttl_s: Callable[[T], float] | float, is_valid: Callable[[object], bool]
) -> tuple[T, bytes]:
    """Compute for this process, unless another process does. Returns the value, and the same as JSON."""
    lock_key = f"{key}:lock"
    added, found = _wait_for_other_processes(key, lock_key, is_valid)
    try:
        if found is not _MISSING:
            return cast(T, found), plain_json.encode(found)
        return _compute_and_fill(key, compute, ttl_s)
    finally:
        if added is Added.OURS:
            # If it ran out meanwhile this may be another's. That costs one computation more, never a wrong value.
            cache.delete(lock_key)


def _wait_for_other_processes(key: str, lock_key: str, is_valid: Callable[[object], bool]) -> tuple[Added, object]:
    """Take the lock, or wait for what its holder fills in, or for its end without having filled in anything."""
    ends_s = time.monotonic() + WAIT_S
    polls = 0
    while True:
        added = add_or_tell(cache, lock_key, 1, ttl_s=LOCK_TTL_S)
        # Read after the lock is asked for: whoever held it before has filled in by now.
        found = _read(key, is_valid)
        # Counted too, as the clock stands still where a test has frozen it.
        if found is not _MISSING or added is not Added.HELD or polls >= WAIT_S / POLL_S or time.monotonic() >= ends_s:
            return added, found
        time.sleep(POLL_S)
        polls += 1


def _compute_and_fill(key: str, compute: Callable[[], T], ttl_s: Callable[[T], float] | float) -> tuple[T, bytes]:
    started_s = time.monotonic()
    value = compute()
    data = plain_json.encode(value)
    # The time to live began when the value was read from the database, not when it was ready.
    left_s = (ttl_s(value) if callable(ttl_s) else ttl_s) - (time.monotonic() - started_s)
    if left_s > 0:
        cache.set(key, value, timeout=left_s)
    return value, data


def _read(key: str, is_valid: Callable[[object], bool]) -> object:
    found = cache.get(key, _MISSING)
    return found if found is not _MISSING and is_valid(found) else _MISSING
