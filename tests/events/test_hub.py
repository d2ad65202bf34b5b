"""Messages reach those who listen, and nobody can harm who publishes."""

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
from pytest_django import Settings

from events import hub, relay
from events.hub import latest, listening, publish
from events.relay import Relay
from tests.core.redis_servers import FakeRedis, RealRedis

TOPIC = "thing:1"


@pytest.fixture(autouse=True)
def nothing_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub, "_kept", {})


@pytest.fixture
def without_redis(settings: Settings) -> None:
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "LOCATION": "alone"}}


@pytest.mark.usefixtures("without_redis")
class TestInProcess:
    def test_a_message_reaches_all_who_listen_to_its_topic_while_they_do(self) -> None:
        first: list[Any] = []
        second: list[Any] = []
        with listening(TOPIC, first.append):
            with listening(TOPIC, second.append), listening("thing:2", lambda message: pytest.fail("not mine")):
                publish(TOPIC, {"n": 1})
            publish(TOPIC, {"n": 2})
        publish(TOPIC, {"n": 3})
        assert (first, second) == ([{"n": 1}, {"n": 2}], [{"n": 1}])
        assert TOPIC not in hub._listeners

    def test_one_listener_that_fails_costs_nobody_else_anything(self) -> None:
        heard: list[Any] = []

        def failing(message: Mapping[str, Any]) -> None:
            raise RuntimeError("gone")

        with listening(TOPIC, failing), listening(TOPIC, heard.append):
            publish(TOPIC, {})
        assert heard == [{}]

    def test_the_last_one_is_kept_for_who_comes_later_for_a_while(self, monkeypatch: pytest.MonkeyPatch) -> None:
        publish(TOPIC, {"n": 1}, is_kept=True)
        publish(TOPIC, {"n": 2})
        assert (latest(TOPIC), latest("thing:2")) == ({"n": 1}, None)
        hub._kept.clear()
        monkeypatch.setattr(hub, "KEPT_S", -1.0)
        publish("thing:3", {}, is_kept=True)
        assert latest("thing:3") is None
        publish("thing:4", {}, is_kept=True)
        assert "thing:3" not in hub._kept

    def test_many_threads_at_once(self) -> None:
        heard: list[Any] = []
        with listening(TOPIC, heard.append):
            threads = [threading.Thread(target=publish, args=(TOPIC, {"n": n})) for n in range(20)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        assert sorted(message["n"] for message in heard) == list(range(20))


def caches(port: int, number: int = 3) -> dict[str, Any]:
    options = {"SOCKET_CONNECT_TIMEOUT": 0.2, "SOCKET_TIMEOUT": 0.2, "IGNORE_EXCEPTIONS": True}
    location = f"redis://127.0.0.1:{port}/{number}"
    return {
        "default": {"BACKEND": "core.cache.RedisCache", "LOCATION": location, "KEY_PREFIX": "hub", "OPTIONS": options}
    }


class TestThroughRedis:
    @pytest.fixture
    def redis(self, tmp_path: Any, settings: Settings, fresh_breakers: None) -> Iterator[RealRedis]:
        server = RealRedis(tmp_path)
        server.start()
        settings.CACHES = caches(server.port)
        yield server
        server.stop()

    def test_what_was_kept_is_there_for_other_processes(
        self, redis: RealRedis, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        publish(TOPIC, {"n": 1}, is_kept=True)
        monkeypatch.setattr(hub, "_kept", {})
        assert latest(TOPIC) == {"n": 1}

    def test_another_database_of_the_server_is_another_world(
        self, redis: RealRedis, settings: Settings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        publish(TOPIC, {"n": 1}, is_kept=True)
        monkeypatch.setattr(hub, "_kept", {})
        settings.CACHES = caches(redis.port, number=4)
        assert latest(TOPIC) is None

    @pytest.mark.parametrize("text", ["", "junk", "[]", "1", "null", '{"topic": 1}', "[" * 100_000])
    def test_rubbish_is_no_message(self, redis: RealRedis, text: str) -> None:
        way = relay.current_relay()
        assert isinstance(way, Relay)
        way._client.set(way._key(TOPIC), text)
        assert latest(TOPIC) is None

    def test_a_message_that_is_no_object_is_none(self, redis: RealRedis) -> None:
        way = relay.current_relay()
        assert way is not None
        way._client.set(way._key(TOPIC), json.dumps({"origin": "x", "topic": TOPIC, "message": [1]}))
        assert latest(TOPIC) is None

    def test_dead_it_costs_one_try_and_no_error(self, redis: RealRedis) -> None:
        redis.stop()
        heard: list[Any] = []
        with listening(TOPIC, heard.append):
            for number in range(3):
                publish(TOPIC, {"n": number}, is_kept=True)
        assert len(heard) == 3
        assert latest(TOPIC) == {"n": 2}

    def test_silent_it_is_asked_once(self, fake_redis: Callable[..., FakeRedis], settings: Settings) -> None:
        silent = fake_redis(answers_after_s=None)
        settings.CACHES = caches(silent.port)
        for _ in range(50):
            publish(TOPIC, {})
        assert silent.commands["PUBLISH"] <= 1
