"""The Redis cache backend: a cache that is away costs speed only (law 5)."""

from typing import Any

from django_redis import cache
from redis.exceptions import RedisError


class RedisCache(cache.RedisCache[Any]):
    """django-redis, whose `IGNORE_EXCEPTIONS` holds for every call of Django's cache API but `touch`: here too."""

    def touch(self, *args: Any, **kwargs: Any) -> bool:
        try:
            return bool(super().touch(*args, **kwargs))
        except RedisError:
            if self._ignore_exceptions:
                return False
            raise
