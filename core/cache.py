"""The Redis cache backend: a cache that is away, slow or full of rubbish costs speed only (law 5)."""

from collections.abc import Callable, Iterable, Mapping
from enum import Enum
from typing import Any, TypeVar, cast

from django.core.cache.backends.base import BaseCache
from django_redis import cache
from django_redis.exceptions import ConnectionInterrupted
from redis.exceptions import DataError, RedisError, ResponseError

from core.cache_breaker import breaker_of
from core.plain_json import CorruptValueError

T = TypeVar("T")

_MISSING = object()


class RedisCache(cache.RedisCache[Any]):
    """django-redis, whose `IGNORE_EXCEPTIONS` holds for every call of Django's cache API and for the time to live.

    A call that fails is a miss, and so are all calls of this process for some seconds after it (`core.cache_breaker`).
    A value that cannot be read is a miss too, to be computed again and replaced. Without `IGNORE_EXCEPTIONS` every
    call is made, and raises what redis-py raises.
    """

    def get(self, key: Any, default: Any = None, version: int | None = None, client: Any = None) -> Any:
        return self._ask(
            lambda: self.client.get(key, default=default, version=version, client=client), when_away=default
        )

    def get_many(self, keys: Iterable[Any], version: int | None = None, client: Any = None) -> dict[Any, Any]:
        wanted = list(keys)

        def ask() -> dict[Any, Any]:
            try:
                return dict(self.client.get_many(wanted, version=version, client=client))
            except CorruptValueError:
                # One bad value must not cost the good ones.
                each = {key: self.get(key, _MISSING, version=version, client=client) for key in wanted}
                return {key: value for key, value in each.items() if value is not _MISSING}

        return self._ask(ask, when_away={})

    def set(self, *args: Any, **kwargs: Any) -> bool:
        return bool(self._ask(lambda: self.client.set(*args, **kwargs), when_away=False))

    def set_many(self, data: Mapping[Any, Any], *args: Any, **kwargs: Any) -> list[Any]:
        """The keys that could not be stored, as Django has it."""

        def ask() -> list[Any]:
            self.client.set_many(data, *args, **kwargs)
            return []

        return self._ask(ask, when_away=list(data))

    def add(self, *args: Any, **kwargs: Any) -> bool | None:
        """True where the key is added, False where it was there, None where nobody knows: see `add_or_tell`."""
        return self._ask(lambda: bool(self.client.add(*args, **kwargs)), when_away=None)

    def touch(self, *args: Any, **kwargs: Any) -> bool:
        return self._ask(lambda: bool(self.client.touch(*args, **kwargs)), when_away=False)

    def delete(self, *args: Any, **kwargs: Any) -> bool:
        return self._ask(lambda: bool(self.client.delete(*args, **kwargs)), when_away=False)

    def delete_many(self, *args: Any, **kwargs: Any) -> int:
        return self._ask(lambda: int(self.client.delete_many(*args, **kwargs)), when_away=0)

    def delete_pattern(self, *args: Any, **kwargs: Any) -> int:
        kwargs.setdefault("itersize", self._default_scan_itersize)
        return self._ask(lambda: int(self.client.delete_pattern(*args, **kwargs)), when_away=0)

    def clear(self) -> None:
        self._ask(self.client.clear, when_away=None)

    def has_key(self, *args: Any, **kwargs: Any) -> bool:
        return self._ask(lambda: bool(self.client.has_key(*args, **kwargs)), when_away=False)

    def incr(self, *args: Any, **kwargs: Any) -> int | None:
        """The new value, or None where the cache is away; a key that is not there is a `ValueError`, as ever."""
        return self._ask(lambda: self.client.incr(*args, **kwargs), when_away=None)

    def decr(self, *args: Any, **kwargs: Any) -> int | None:
        return self._ask(lambda: self.client.decr(*args, **kwargs), when_away=None)

    def incr_version(self, *args: Any, **kwargs: Any) -> int | None:
        return self._ask(lambda: self.client.incr_version(*args, **kwargs), when_away=None)

    def ttl(self, *args: Any, **kwargs: Any) -> int | None:
        """Seconds to live: 0 for a key that is not there or a cache that is away, None for one that lives for ever."""
        return self._ask(lambda: self.client.ttl(*args, **kwargs), when_away=0)

    def pttl(self, *args: Any, **kwargs: Any) -> int | None:
        return self._ask(lambda: self.client.pttl(*args, **kwargs), when_away=0)

    def _ask(self, call: Callable[[], T], *, when_away: T) -> T:
        if not self._ignore_exceptions:
            return self._ask_plainly(call, when_away=when_away)
        breaker = breaker_of(str(self._server))
        ticket = breaker.admit()
        if ticket is None:
            return when_away
        try:
            answer = self._ask_plainly(call, when_away=when_away)
        except (ResponseError, DataError):
            # It did answer: a key of another type, a full memory, a replica that takes no writes.
            answer = when_away
        except (RedisError, OSError) as error:
            breaker.failed(ticket, type(error).__name__)
            return when_away
        breaker.passed(ticket)
        return answer

    def _ask_plainly(self, call: Callable[[], T], *, when_away: T) -> T:
        try:
            return call()
        except CorruptValueError:
            return when_away
        except ConnectionInterrupted as error:
            # What redis-py raised, which django-redis wraps in some of its calls only.
            raise (error.__cause__ or error) from None


class Added(Enum):
    """What came of adding a key."""

    OURS = "ours"
    HELD = "held"  # by somebody who was first
    UNKNOWN = "unknown"  # the cache is away: nobody may conclude that somebody else holds it


def add_or_tell(backend: BaseCache, key: str, value: object, *, ttl_s: float) -> Added:
    """Add a key for `ttl_s` seconds, and tell "somebody was first" from "the cache did not answer"."""
    is_added = cast("bool | None", backend.add(key, value, timeout=ttl_s))
    if is_added is None:
        return Added.UNKNOWN
    return Added.OURS if is_added else Added.HELD
