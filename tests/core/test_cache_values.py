"""What stands in Redis is anybody's: values that cannot be read are misses, and are replaced."""

from collections.abc import Callable

import pytest
from django.core.cache import CacheHandler

from core.cache import Added, RedisCache, add_or_tell
from core.plain_json import CorruptValueError
from tests.core.caches import cache_of, patient_settings, redis_settings, refusing_port
from tests.core.redis_servers import Server

RUBBISH = [b"", b"{", b"\x80\x04K\x01.", b"\xff\xfe", b"9" * 5000]


@pytest.fixture
def cache(redis_server: Server) -> RedisCache:
    return cache_of(patient_settings(redis_server.port))


@pytest.fixture
def store(cache: RedisCache) -> Callable[[str, bytes], None]:
    """Puts bytes under a key behind the cache's back."""

    def put(key: str, data: bytes) -> None:
        cache.client.get_client().set(cache.client.make_key(key), data)

    return put


class TestValues:
    @pytest.mark.parametrize("value", ["ok", 7, -1, 10**30, True, None, 1.5, [1, None], {"a": {"b": ["c"]}}])
    def test_they_come_back(self, cache: RedisCache, value: object) -> None:
        assert cache.set("key", value)
        back = cache.get("key", "missing")
        assert (back, type(back)) == (value, type(value))

    def test_what_would_change_is_refused_and_not_stored(self, cache: RedisCache) -> None:
        with pytest.raises(TypeError):
            cache.set("key", (1, 2))
        assert cache.get("key", "missing") == "missing"

    def test_many_at_once(self, cache: RedisCache) -> None:
        assert cache.set_many({"a": 1, "b": [2]}) == []
        assert cache.get_many(["a", "b", "c"]) == {"a": 1, "b": [2]}
        assert cache.delete_many(["a", "b", "c"]) == 2
        assert cache.get_many(["a", "b"]) == {}

    def test_time_to_live(self, cache: RedisCache) -> None:
        cache.set("key", "value", timeout=100)
        assert 90 < (cache.ttl("key") or 0) <= 100
        assert cache.touch("key", 1000)
        assert 900 < (cache.ttl("key") or 0) <= 1000


class TestCorruptValues:
    @pytest.mark.parametrize("rubbish", RUBBISH)
    def test_it_is_a_miss_and_can_be_replaced(
        self, cache: RedisCache, store: Callable[[str, bytes], None], rubbish: bytes
    ) -> None:
        store("key", rubbish)
        assert cache.get("key") is None
        assert cache.get("key", "other") == "other"
        assert cache.set("key", "mended")
        assert cache.get("key") == "mended"

    def test_it_costs_its_neighbors_nothing(self, cache: RedisCache, store: Callable[[str, bytes], None]) -> None:
        cache.set_many({"a": 1, "b": None, "d": 4})
        store("c", b"{")
        assert cache.get_many(["a", "b", "c", "d", "e"]) == {"a": 1, "b": None, "d": 4}

    def test_a_key_of_another_type_is_a_miss_and_no_outage(self, cache: RedisCache) -> None:
        cache.client.get_client().lpush(cache.client.make_key("key"), "element")
        assert cache.get("key", "other") == "other"
        assert cache.set("key", "mended")
        assert cache.get("key") == "mended"

    def test_the_library_alone_would_raise(self, redis_server: Server, store: Callable[[str, bytes], None]) -> None:
        settings = patient_settings(redis_server.port)
        settings["default"]["BACKEND"] = "django_redis.cache.RedisCache"
        store("key", b"{")
        with pytest.raises(CorruptValueError):
            CacheHandler(settings)["default"].get("key")


class TestAdding:
    def test_the_first_has_it_and_the_second_is_told(self, cache: RedisCache) -> None:
        assert add_or_tell(cache, "key", 1, ttl_s=10) is Added.OURS
        assert add_or_tell(cache, "key", 1, ttl_s=10) is Added.HELD

    def test_the_same_in_this_process(self) -> None:
        local = CacheHandler({"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}})["default"]
        local.delete("test_adding")
        assert add_or_tell(local, "test_adding", 1, ttl_s=10) is Added.OURS
        assert add_or_tell(local, "test_adding", 1, ttl_s=10) is Added.HELD
        local.delete("test_adding")

    def test_an_absent_cache_tells_of_nobody(self, fresh_breakers: None) -> None:
        with refusing_port() as port:
            away = cache_of(redis_settings(port))
            assert add_or_tell(away, "key", 1, ttl_s=10) is Added.UNKNOWN
            # Skipped by the breaker, it is as unknown.
            assert add_or_tell(away, "key", 1, ttl_s=10) is Added.UNKNOWN

    def test_a_full_cache_tells_of_nobody(self, cache: RedisCache) -> None:
        cache.client.get_client().config_set("maxmemory", 1)
        assert add_or_tell(cache, "key", 1, ttl_s=10) is Added.UNKNOWN
        cache.client.get_client().config_set("maxmemory", 0)
        # It answered: nobody leaves it alone for that.
        assert add_or_tell(cache, "key", 1, ttl_s=10) is Added.OURS
