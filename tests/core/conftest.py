"""Redis servers of a test's own, and a breaker that remembers no other test."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from core import cache_breaker
from tests.core.redis_servers import FakeRedis, Server, own_redis


@pytest.fixture
def fresh_breakers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache_breaker, "_breakers", {})


@pytest.fixture
def redis_server(tmp_path: Path, fresh_breakers: None) -> Iterator[Server]:
    """A Redis of this test's own: a real one where the program is installed."""
    server = own_redis(tmp_path)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def fake_redis(fresh_breakers: None) -> Iterator[Callable[..., FakeRedis]]:
    """Starts fakes that are as slow or silent as they are told to be."""
    servers: list[FakeRedis] = []

    def start(*, answers_after_s: float | None = 0.0) -> FakeRedis:
        servers.append(FakeRedis(answers_after_s=answers_after_s))
        servers[-1].start()
        return servers[-1]

    yield start
    for server in servers:
        server.stop()
