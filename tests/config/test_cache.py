"""A Redis that is gone or silent costs a little time, and nothing else (law 5)."""

import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import CacheHandler
from django.core.cache.backends.base import BaseCache
from redis.exceptions import ConnectionError as RedisConnectionError

from config.environment import cache_settings, read_environment


def cache_on(port: int, **options: Any) -> BaseCache:
    settings = cache_settings(
        read_environment({"REDIS_URL": f"redis://127.0.0.1:{port}/0"}, base_dir=Path("/srv/assay"))
    )
    settings["default"]["OPTIONS"] |= options
    return CacheHandler(settings)["default"]


@pytest.fixture
def dead_port() -> Iterator[int]:
    """A port that is taken but refuses connections."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A server that accepts and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


class TestDeadRedis:
    def test_no_call_raises_and_all_are_cheap(self, dead_port: int) -> None:
        cache = cache_on(dead_port)
        started_s = time.monotonic()
        assert cache.get("key") is None
        assert cache.get("key", "other") == "other"
        assert not cache.set("key", 1)  # type: ignore[func-returns-value]
        assert not cache.add("key", 1)
        assert not cache.delete("key")
        assert cache.get_many(["a", "b"]) == {}
        cache.set_many({"a": 1})
        cache.delete_many(["a"])
        assert not cache.has_key("key")
        assert not cache.touch("key", 5)
        assert cache.get_or_set("key", "made") == "made"
        assert not cache.incr("key")
        assert not cache.decr("key")
        assert "key" not in cache
        cache.clear()
        assert time.monotonic() - started_s < 1

    def test_without_the_option_it_would_raise(self, dead_port: int) -> None:
        cache = cache_on(dead_port, IGNORE_EXCEPTIONS=False)
        with pytest.raises(RedisConnectionError):
            cache.get("key")
        with pytest.raises(RedisConnectionError):
            cache.touch("key")

    def test_the_library_alone_would_raise_on_touch(self, dead_port: int) -> None:
        settings = {"BACKEND": "django_redis.cache.RedisCache", "LOCATION": f"redis://127.0.0.1:{dead_port}/0"}
        cache = CacheHandler({"default": {**settings, "OPTIONS": {"IGNORE_EXCEPTIONS": True}}})["default"]
        with pytest.raises(RedisConnectionError):
            cache.touch("key")


class TestSilentRedis:
    def test_a_call_waits_a_moment_only(self, silent_port: int) -> None:
        cache = cache_on(silent_port)
        started_s = time.monotonic()
        assert cache.get("key", "other") == "other"
        assert time.monotonic() - started_s < 1

    def test_both_limits_reach_the_connection(self, silent_port: int) -> None:
        client = cache_on(silent_port).client.get_client()  # type: ignore[attr-defined]
        arguments = client.connection_pool.connection_kwargs
        assert (arguments["socket_timeout"], arguments["socket_connect_timeout"]) == (0.2, 0.2)
        assert client.connection_pool.make_connection().retry.get_retries() == 0

    def test_without_the_limit_it_would_wait_much_longer(self, silent_port: int) -> None:
        cache = cache_on(silent_port, SOCKET_TIMEOUT=1.5)
        started_s = time.monotonic()
        cache.get("key")
        assert time.monotonic() - started_s > 1.4
