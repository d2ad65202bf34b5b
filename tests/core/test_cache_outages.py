"""A Redis that is gone, silent, slow, emptied or restarted costs a little time, once, and nothing else (F-10, F-11)."""

import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import CacheHandler
from django.test import Client
from freezegun import freeze_time
from redis.exceptions import ConnectionError as RedisConnectionError

from core.cache import RedisCache
from core.cache_breaker import REST_S, Breaker, Ticket
from tests.core.caches import cache_of, patient_settings, redis_settings, refusing_port
from tests.core.redis_servers import FakeRedis, Server

StartFake = Callable[..., FakeRedis]


def ask_everything(cache: RedisCache) -> None:
    """Every call of Django's cache API, each of which must be a miss."""
    assert cache.get("key") is None
    assert cache.get("key", "other") == "other"
    assert not cache.set("key", 1)
    assert cache.add("key", 1) is None
    assert not cache.delete("key")
    assert cache.get_many(["a", "b"]) == {}
    assert cache.set_many({"a": 1, "b": 2}) == ["a", "b"]
    assert cache.delete_many(["a"]) == 0
    assert cache.delete_pattern("*") == 0
    assert not cache.has_key("key")
    assert not cache.touch("key", 5)
    assert cache.ttl("key") == 0
    assert cache.pttl("key") == 0
    assert cache.get_or_set("key", "made") == "made"
    assert cache.incr("key") is None
    assert cache.decr("key") is None
    assert cache.incr_version("key") is None
    assert cache.decr_version("key") is None
    assert "key" not in cache
    cache.clear()
    cache.close()


def always_admitted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Breaker, "admit", lambda self: Ticket(-1))


class TestDeadRedis:
    @pytest.fixture
    def port(self, fresh_breakers: None) -> Iterator[int]:
        with refusing_port() as port:
            yield port

    def test_no_call_raises(self, port: int) -> None:
        ask_everything(cache_of(redis_settings(port)))

    def test_no_call_raises_where_each_is_made(self, port: int, monkeypatch: pytest.MonkeyPatch) -> None:
        always_admitted(monkeypatch)
        ask_everything(cache_of(redis_settings(port)))

    def test_without_the_option_calls_raise(self, port: int) -> None:
        cache = cache_of(redis_settings(port, IGNORE_EXCEPTIONS=False))
        calls: list[Callable[[], Any]] = [
            lambda: cache.get("key"),
            lambda: cache.touch("key"),
            lambda: cache.ttl("key"),
            lambda: cache.add("key", 1),
        ]
        for call in calls:
            with pytest.raises(RedisConnectionError):
                call()

    def test_the_library_alone_would_raise(self, port: int) -> None:
        settings = redis_settings(port)
        settings["default"]["BACKEND"] = "django_redis.cache.RedisCache"
        cache: Any = CacheHandler(settings)["default"]
        for call in (cache.touch, cache.ttl):
            with pytest.raises(RedisConnectionError):
                call("key")

    def test_a_name_that_means_nothing_is_a_miss(self, fresh_breakers: None) -> None:
        settings = redis_settings(1)
        settings["default"]["LOCATION"] = "unix:///nonexistent/redis.sock"
        ask_everything(cache_of(settings))


@pytest.mark.parametrize("answers_after_s", [None, 2.0], ids=["silent", "slow"])
class TestSilentRedis:
    def test_all_calls_of_a_request_wait_once(self, fake_redis: StartFake, answers_after_s: float | None) -> None:
        server = fake_redis(answers_after_s=answers_after_s)
        # That it ends at all shows the timeout, whose length `tests/config/test_cache.py` holds.
        ask_everything(cache_of(redis_settings(server.port)))
        assert server.count_connections() == 1
        assert server.commands.total() <= 1

    def test_without_the_breaker_each_would_wait(
        self, fake_redis: StartFake, answers_after_s: float | None, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        always_admitted(monkeypatch)
        server = fake_redis(answers_after_s=answers_after_s)
        ask_everything(cache_of(redis_settings(server.port)))
        assert server.count_connections() > 15

    def test_the_timeout_is_what_ends_a_call(self, fake_redis: StartFake, answers_after_s: float | None) -> None:
        # The control: with more patience the same call waits longer.
        server = fake_redis(answers_after_s=answers_after_s)
        started_s = time.monotonic()
        cache_of(redis_settings(server.port, SOCKET_TIMEOUT=1)).get("key")
        assert time.monotonic() - started_s > 0.9

    def test_cache_objects_of_all_threads_share_the_breaker(
        self, fake_redis: StartFake, answers_after_s: float | None
    ) -> None:
        server = fake_redis(answers_after_s=answers_after_s)
        settings = redis_settings(server.port)
        for _ in range(5):
            assert cache_of(settings).get("key", "other") == "other"
        assert server.count_connections() == 1

    @pytest.mark.django_db
    @pytest.mark.urls("tests.core.urls")
    def test_a_request_is_answered(
        self, fake_redis: StartFake, answers_after_s: float | None, client: Client, settings: Any
    ) -> None:
        server = fake_redis(answers_after_s=answers_after_s)
        settings.CACHES = redis_settings(server.port)
        response = client.get("/readyz")
        assert response.status_code == 200
        assert response.json()["checks"]["cache"] == {"ok": False, "detail": "redis"}
        assert server.count_connections() == 1


class TestRecovery:
    def test_a_redis_that_comes_back_is_used_again_after_the_rest(self, fake_redis: StartFake) -> None:
        server = fake_redis(answers_after_s=None)
        cache = cache_of(redis_settings(server.port, SOCKET_TIMEOUT=1))
        with freeze_time() as clock:
            assert not cache.set("key", "value")
            server.release()
            assert not cache.set("key", "value")
            assert server.commands["SET"] == 0
            clock.tick(timedelta(seconds=REST_S))
            assert cache.set("key", "value")
            assert cache.get("key") == "value"

    def test_a_late_answer_is_never_read_as_anothers(self, fake_redis: StartFake) -> None:
        server = fake_redis()
        cache = cache_of(redis_settings(server.port, SOCKET_TIMEOUT=1))
        with freeze_time() as clock:
            assert cache.set_many({"secret": "of another", "key": "value"}) == []
            server.answers_after_s = None
            assert cache.get("secret") is None
            server.release()
            clock.tick(timedelta(seconds=REST_S))
            assert cache.get("key") == "value"

    def test_a_restart_in_between_loses_values_only(self, redis_server: Server) -> None:
        cache = cache_of(patient_settings(redis_server.port))
        assert cache.set("key", "value")
        redis_server.stop()
        redis_server.start()
        # The connection in the pool is dead, and that is found out before anything is sent on it.
        assert cache.get("key", "gone") == "gone"
        assert cache.set("key", "value")
        assert cache.get("key") == "value"

    def test_an_outage_in_between(self, redis_server: Server) -> None:
        cache = cache_of(patient_settings(redis_server.port))
        with freeze_time() as clock:
            assert cache.set("key", "value")
            redis_server.stop()
            assert cache.get("key", "gone") == "gone"
            redis_server.start()
            assert not cache.set("key", "value")
            clock.tick(timedelta(seconds=REST_S))
            assert cache.set("key", "value")
            assert cache.get("key") == "value"

    def test_a_flush_in_between_is_a_miss(self, redis_server: Server) -> None:
        cache = cache_of(patient_settings(redis_server.port))
        assert cache.set("key", "value")
        cache.client.get_client().flushall()
        assert cache.get("key", "gone") == "gone"
        assert cache.add("key", "value") is True
