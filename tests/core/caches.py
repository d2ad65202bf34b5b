"""Caches as the settings make them, on servers of the test's own."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.core.cache import CacheHandler
from django_redis.pool import ConnectionFactory

from config.environment import cache_settings, read_environment
from core.cache import RedisCache


def redis_settings(port: int, **options: Any) -> dict[str, Any]:
    """`CACHES` for a Redis on that port of this machine; `options` replace the configured ones."""
    settings = cache_settings(
        read_environment({"REDIS_URL": f"redis://127.0.0.1:{port}/3"}, base_dir=Path("/srv/assay"))
    )
    settings["default"]["OPTIONS"] |= options
    # django-redis keeps its pools by address, and an earlier test may have had this port with other options.
    ConnectionFactory._pools.pop(settings["default"]["LOCATION"], None)
    return settings


def patient_settings(port: int) -> dict[str, Any]:
    """The same, for tests of what happens while Redis answers: a busy machine must not look like an outage."""
    return redis_settings(port, SOCKET_TIMEOUT=20, SOCKET_CONNECT_TIMEOUT=20)


def cache_of(settings: dict[str, Any]) -> RedisCache:
    cache = CacheHandler(settings)["default"]
    assert isinstance(cache, RedisCache)
    return cache


@contextmanager
def refusing_port() -> Iterator[int]:
    """A port that is taken but refuses connections."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]
