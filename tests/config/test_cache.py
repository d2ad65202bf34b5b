"""How Redis is spoken to: with short patience, no second try, and no more words than needed (law 5)."""

from typing import Any

import pytest
from redis.connection import ConnectionPool

from config.environment import CACHE_TIMEOUT_S
from core.plain_json import PlainJsonSerializer
from tests.core.caches import cache_of, redis_settings, refusing_port


@pytest.fixture
def pool() -> ConnectionPool:
    with refusing_port() as port:
        pool = cache_of(redis_settings(port)).client.get_client().connection_pool
    assert isinstance(pool, ConnectionPool)
    return pool


class TestConnections:
    def test_both_limits_reach_them(self, pool: ConnectionPool) -> None:
        arguments = pool.connection_kwargs
        limits = arguments["socket_connect_timeout"], arguments["socket_timeout"]
        assert limits == (CACHE_TIMEOUT_S, CACHE_TIMEOUT_S)
        # To connect, to sign in, to choose the database, to be answered.
        assert 4 * max(limits) <= 0.2

    def test_nothing_is_tried_twice(self, pool: ConnectionPool) -> None:
        connection: Any = pool.make_connection()
        assert connection.retry.get_retries() == 0
        assert connection.health_check_interval == 0

    def test_they_do_not_introduce_themselves(self, pool: ConnectionPool) -> None:
        connection: Any = pool.make_connection()
        assert (connection.protocol, connection.driver_info) == (2, None)
        assert not pool.maint_notifications_enabled()

    def test_values_are_plain_json(self) -> None:
        with refusing_port() as port:
            assert isinstance(cache_of(redis_settings(port)).client._serializer, PlainJsonSerializer)
