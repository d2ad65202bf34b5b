"""A cached value is computed once however many ask, is never older than its key, and never worth a long wait (F-35)."""

import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection, transaction
from freezegun import freeze_time

from core import single_flight
from core.single_flight import cached
from tests.core.caches import patient_settings, redis_settings, refusing_port
from tests.core.redis_servers import FakeRedis
from tests.parallel import at_once

ASKERS = 8


class ComputationFailedError(Exception):
    """What a computation raises."""


def is_text(value: object) -> bool:
    return isinstance(value, str)


def is_anything(value: object) -> bool:
    return True


class Computation:
    """Computes a text, counting how often; it may wait for others first, and fail the first time."""

    def __init__(self, *, fails_first: bool = False, before: Callable[[], object] = lambda: None) -> None:
        self.times = 0
        self._fails_first = fails_first
        self._before = before
        self._lock = threading.Lock()

    def __call__(self) -> str:
        with self._lock:
            self.times += 1
            is_first = self.times == 1
        if is_first:
            self._before()
            if self._fails_first:
                raise ComputationFailedError
        return "value"


def ask(compute: Callable[[], Any], key: str = "key", ttl_s: Any = 60) -> Any:
    return cached(key, compute, ttl_s=ttl_s, is_valid=is_text)


@pytest.fixture
def endless_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """A busy machine must not look like a computation that hangs."""
    monkeypatch.setattr(single_flight, "WAIT_S", 30.0)
    monkeypatch.setattr(single_flight, "LOCK_TTL_S", 60.0)


@pytest.fixture
def waiting(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Waits until so many threads wait for another's computation."""
    arrived = threading.Semaphore(0)

    class Flight(single_flight._Flight):
        def __init__(self) -> None:
            super().__init__()
            wait = self.landed.wait

            def announced(timeout: float | None = None) -> bool:
                arrived.release()
                return wait(timeout)

            self.landed.wait = announced  # type: ignore[method-assign]

    monkeypatch.setattr(single_flight, "_Flight", Flight)

    def wait_for(count: int) -> None:
        for _ in range(count):
            assert arrived.acquire(timeout=10)

    return wait_for


@pytest.fixture(params=["in process", "redis"], autouse=True)
def each_cache(request: pytest.FixtureRequest, settings: Any) -> None:
    if request.param == "redis":
        settings.CACHES = patient_settings(request.getfixturevalue("redis_server").port)
    else:
        settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
        cache.clear()


@pytest.fixture(autouse=True)
def nothing_left_behind() -> Iterator[None]:
    yield
    assert single_flight._flights == {}


class TestCached:
    def test_a_miss_is_computed_and_kept(self) -> None:
        compute = Computation()
        assert [ask(compute), ask(compute)] == ["value", "value"]
        assert compute.times == 1
        assert cache.get("key") == "value"
        assert cache.get("key:lock") is None

    def test_keys_are_apart(self) -> None:
        compute = Computation()
        ask(compute, "token-1")
        ask(compute, "token-2")
        assert compute.times == 2

    @pytest.mark.parametrize("value", [None, False, 0, "", [], {}])
    def test_a_value_may_be_nothing(self, value: object) -> None:
        times = 0

        def compute() -> object:
            nonlocal times
            times += 1
            return value

        for _ in range(3):
            assert cached("key", compute, ttl_s=60, is_valid=is_anything) == value
        assert times == 1

    @pytest.mark.parametrize("rubbish", [None, 7, [], {"value": "value"}])
    def test_what_is_not_valid_is_computed_again_and_replaced(self, rubbish: object) -> None:
        cache.set("key", rubbish)
        compute = Computation()
        assert [ask(compute), ask(compute)] == ["value", "value"]
        assert (compute.times, cache.get("key")) == (1, "value")

    def test_its_time_to_live_may_depend_on_it(self) -> None:
        compute = Computation()
        assert ask(compute, ttl_s=len) == "value"
        assert ask(compute, ttl_s=len) == "value"
        assert compute.times == 1

    @pytest.mark.parametrize("ttl_s", [0, -1, lambda value: 0.0])
    def test_what_lives_for_no_time_is_not_kept(self, ttl_s: Any) -> None:
        compute = Computation()
        ask(compute, ttl_s=ttl_s)
        ask(compute, ttl_s=ttl_s)
        assert compute.times == 2

    def test_the_time_it_took_to_compute_is_not_lived_twice(self) -> None:
        with freeze_time() as clock:
            ask(Computation(before=lambda: clock.tick(timedelta(seconds=60))), ttl_s=60)
        assert cache.get("key") is None

    def test_what_json_would_change_is_refused_here_and_now(self) -> None:
        with pytest.raises(TypeError):
            cached("key", lambda: (1, 2), ttl_s=60, is_valid=is_anything)
        assert cache.get("key") is None

    def test_a_failure_reaches_the_caller_and_is_not_kept(self) -> None:
        compute = Computation(fails_first=True)
        with pytest.raises(ComputationFailedError):
            ask(compute)
        assert cache.get("key:lock") is None
        assert ask(compute) == "value"

    def test_a_lock_whose_holder_died_costs_one_wait(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(single_flight, "WAIT_S", 0.05)
        cache.set("key:lock", 1)
        compute = Computation()
        assert [ask(compute), ask(compute)] == ["value", "value"]
        assert compute.times == 1

    def test_a_clock_that_stands_still_ends_the_wait_too(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(single_flight, "WAIT_S", 0.05)
        with freeze_time():
            cache.set("key:lock", 1)
            assert ask(Computation()) == "value"

    def test_what_was_filled_in_just_now_is_not_computed_again(self) -> None:
        cache.set("key", "old")

        def is_new(value: object) -> bool:
            # Between this first look and the lock another process fills in and goes.
            if value == "old":
                cache.set("key", "new")
            return value == "new"

        compute = Computation()
        assert cached("key", compute, ttl_s=60, is_valid=is_new) == "new"
        assert (compute.times, cache.get("key:lock")) == (0, None)

    def test_the_wait_ends_with_the_lock(self, endless_patience: None, monkeypatch: pytest.MonkeyPatch) -> None:
        cache.set("key:lock", 1)
        # Somebody else's computation has failed meanwhile.
        monkeypatch.setattr(single_flight.time, "sleep", lambda s: cache.delete("key:lock"))
        compute = Computation()
        assert ask(compute) == "value"
        assert compute.times == 1

    def test_the_wait_ends_with_the_value(self, endless_patience: None, monkeypatch: pytest.MonkeyPatch) -> None:
        cache.set("key:lock", 1)
        monkeypatch.setattr(single_flight.time, "sleep", lambda s: cache.set("key", "of another process"))
        compute = Computation()
        assert ask(compute) == "of another process"
        assert compute.times == 0
        assert cache.get("key:lock") == 1, "the lock is another's"


@pytest.mark.django_db
class TestInATransaction:
    def test_nothing_is_read_or_filled(self) -> None:
        compute = Computation()
        cache.set("key", "old")
        assert [ask(compute), ask(compute)] == ["value", "value"]
        assert (compute.times, cache.get("key")) == (2, "old")

    def test_without_the_rule_a_value_that_is_rolled_back_would_stay(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(single_flight, "_is_in_transaction", lambda: False)
        ask(Computation())
        assert cache.get("key") == "value"


@pytest.mark.django_db(transaction=True)
class TestOutsideOfTransactions:
    def test_an_open_connection_is_no_transaction(self) -> None:
        connection.ensure_connection()
        compute = Computation()
        ask(compute)
        ask(compute)
        assert compute.times == 1

    def test_once_it_has_ended_the_cache_is_used_again(self) -> None:
        compute = Computation()
        with transaction.atomic():
            ask(compute)
            assert cache.get("key") is None
        ask(compute)
        ask(compute)
        assert compute.times == 2

    def test_a_transaction_managed_by_hand_is_one(self) -> None:
        transaction.set_autocommit(False)
        try:
            ask(Computation())
        finally:
            transaction.rollback()
            transaction.set_autocommit(True)
        assert cache.get("key") is None


class TestThreads:
    def test_one_computes_for_all(self, endless_patience: None, waiting: Callable[[int], None]) -> None:
        compute = Computation(before=lambda: waiting(ASKERS - 1))
        assert at_once([lambda: ask(compute)] * ASKERS) == ["value"] * ASKERS
        assert compute.times == 1

    def test_without_the_flights_and_the_lock_each_would_compute(
        self, endless_patience: None, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        class Nothing(dict[str, Any]):
            """Keeps no entry."""

            def get(self, key: str, default: Any = None) -> Any:
                return None

            def __delitem__(self, key: str) -> None:
                self.pop(key, None)

        monkeypatch.setattr(single_flight, "_flights", Nothing())
        monkeypatch.setattr(single_flight, "add_or_tell", lambda *args, **kwargs: single_flight.Added.UNKNOWN)
        meeting = threading.Barrier(ASKERS)

        def compute() -> str:
            meeting.wait(timeout=10)
            return "value"

        # The barrier opens only where all of them compute at the same time.
        assert at_once([lambda: ask(compute)] * ASKERS) == ["value"] * ASKERS

    def test_who_waited_has_a_value_of_its_own(self, endless_patience: None, waiting: Callable[[int], None]) -> None:
        first = Computation(before=lambda: waiting(ASKERS - 1))

        def compute() -> list[str]:
            return [first()]

        values = at_once([lambda: cached("key", compute, ttl_s=60, is_valid=is_anything)] * ASKERS)
        assert values == [["value"]] * ASKERS
        assert len({id(value) for value in values}) == ASKERS

    def test_after_a_failure_the_others_compute_by_themselves(
        self, endless_patience: None, waiting: Callable[[int], None]
    ) -> None:
        compute = Computation(fails_first=True, before=lambda: waiting(ASKERS - 1))

        def call() -> str:
            try:
                return str(ask(compute))
            except ComputationFailedError:
                return "failed"

        assert sorted(at_once([call] * ASKERS)) == ["failed"] + ["value"] * (ASKERS - 1)

    def test_a_computation_that_hangs_holds_nobody(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(single_flight, "WAIT_S", 0.05)
        others_are_done = threading.Semaphore(0)

        def hang() -> None:
            for _ in range(ASKERS - 1):
                assert others_are_done.acquire(timeout=10)

        compute = Computation(before=hang)

        def call() -> Any:
            value = ask(compute)
            others_are_done.release()
            return value

        # The first ends after all others have: none of them waits for it.
        assert at_once([call] * ASKERS) == ["value"] * ASKERS

    def test_keys_do_not_wait_for_each_other(self, endless_patience: None) -> None:
        meeting = threading.Barrier(2)

        def compute() -> str:
            meeting.wait(timeout=10)
            return "value"

        assert at_once([lambda: ask(compute, "a"), lambda: ask(compute, "b")]) == ["value", "value"]

    def test_many_keys_leave_no_locks(self) -> None:
        for number in range(1000):
            ask(Computation(), f"key-{number}")
        assert single_flight._flights == {}


class TestWithoutACache:
    def test_one_still_computes_for_all_who_ask_at_once(
        self, endless_patience: None, waiting: Callable[[int], None], settings: Any, fresh_breakers: None
    ) -> None:
        with refusing_port() as port:
            settings.CACHES = redis_settings(port)
            compute = Computation(before=lambda: waiting(ASKERS - 1))
            assert at_once([lambda: ask(compute)] * ASKERS) == ["value"] * ASKERS
        assert compute.times == 1

    def test_nobody_waits_for_a_lock_that_cannot_be_had(
        self, endless_patience: None, settings: Any, fake_redis: Callable[..., FakeRedis]
    ) -> None:
        server = fake_redis(answers_after_s=None)
        settings.CACHES = redis_settings(server.port)
        compute = Computation()
        # With patience for half a minute, a lock read as somebody else's would show.
        assert [ask(compute), ask(compute)] == ["value", "value"]
        assert (compute.times, server.count_connections()) == (2, 1)
