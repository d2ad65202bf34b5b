"""What is cached for a student is never stale, never of another, and never in the way (law 5)."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from django.core.cache import cache
from django.db import transaction
from freezegun import freeze_time
from pytest_django import Settings

from core.cache_breaker import Breaker, Ticket
from courses.models import Enrollment
from courses.selectors.cached import TTL_MAX, cache_place, student_cache_key, student_cached
from courses.services import enrollment_cache_replace
from tests.core.caches import patient_settings, redis_settings, refusing_port
from tests.core.conftest import fake_redis as fake_redis
from tests.core.conftest import fresh_breakers as fresh_breakers
from tests.core.conftest import redis_server as redis_server
from tests.core.redis_servers import FakeRedis, Server
from tests.courses.factories import EnrollmentFactory
from tests.parallel import at_once, meeting_point

pytestmark = pytest.mark.django_db(transaction=True)

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)


class Counter:
    """A computation that tells how often it was asked."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self) -> dict[str, Any]:
        self.calls += 1
        return {"call": self.calls}


@pytest.fixture
def enrollment() -> Enrollment:
    return EnrollmentFactory()


@pytest.fixture
def compute() -> Counter:
    return Counter()


@pytest.fixture
def ask(enrollment: Enrollment, compute: Counter) -> Callable[..., dict[str, Any]]:
    return partial(student_cached, enrollment_id=enrollment.pk, kind="outline", compute=compute)


Ask = Callable[..., dict[str, Any]]


def key_of(enrollment: Enrollment) -> str:
    place = cache_place(enrollment.pk)
    assert place is not None
    return student_cache_key(place, "outline")


class TestHits:
    def test_computed_once(self, ask: Ask, compute: Counter) -> None:
        assert [ask() for _ in range(3)] == [{"call": 1}] * 3
        assert compute.calls == 1

    def test_another_problem_or_kind_is_another_value(self, ask: Ask, compute: Counter) -> None:
        for more in ({}, {"problem_id": 1}, {"problem_id": 2}, {"kind": "next"}):
            ask(**more)
            ask(**more)
        assert compute.calls == 4

    def test_each_has_a_value_of_their_own_to_change(self, ask: Ask) -> None:
        ask()["call"] = 7
        assert ask() == {"call": 1}

    def test_an_enrollment_that_is_gone_is_computed_each_time(self, ask: Ask, enrollment: Enrollment) -> None:
        enrollment.delete()
        assert [ask(), ask()] == [{"call": 1}, {"call": 2}]

    def test_inside_a_transaction_nothing_is_read_or_kept(
        self, ask: Ask, compute: Counter, enrollment: Enrollment
    ) -> None:
        with transaction.atomic():
            ask()
            assert cache.get(key_of(enrollment)) is None
        ask()
        with transaction.atomic():
            assert ask() == {"call": 3}

    def test_many_who_miss_at_once_compute_once(
        self, ask: Ask, compute: Counter, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("core.single_flight.WAIT_S", 30.0)
        missed = meeting_point(8)

        def slow() -> dict[str, Any]:
            missed()
            return compute()

        assert at_once([partial(ask, compute=slow)] * 8) == [{"call": 1}] * 8


class TestTimeToLive:
    """The application's clock ends it, so that what opens at ten is seen at ten (law 6)."""

    def test_it_ends_on_time(self, ask: Ask) -> None:
        with freeze_time(NOON) as clock:
            ask()
            clock.move_to(NOON + TTL_MAX - SECOND)
            assert ask() == {"call": 1}
            clock.move_to(NOON + TTL_MAX)
            assert ask() == {"call": 2}

    def test_it_ends_when_time_alone_changes_something(self, ask: Ask) -> None:
        expires_at = iter([NOON + 5 * SECOND, None])
        with freeze_time(NOON) as clock:
            ask(expires_at=lambda value: next(expires_at))
            clock.move_to(NOON + 4 * SECOND)
            assert ask() == {"call": 1}
            clock.move_to(NOON + 5 * SECOND)
            assert ask(expires_at=lambda value: next(expires_at)) == {"call": 2}

    def test_what_changes_later_still_ends_after_ten_minutes(self, ask: Ask) -> None:
        with freeze_time(NOON) as clock:
            ask(expires_at=lambda value: NOON + timedelta(days=1))
            clock.move_to(NOON + TTL_MAX)
            assert ask() == {"call": 2}

    def test_what_has_changed_by_now_is_not_kept(self, ask: Ask) -> None:
        with freeze_time(NOON):
            assert [ask(expires_at=lambda value: NOON)["call"] for _ in range(2)] == [1, 2]

    def test_what_a_fast_clock_stored_is_not_believed(self, ask: Ask) -> None:
        with freeze_time(NOON + timedelta(hours=1)):
            ask()
        with freeze_time(NOON):
            assert ask() == {"call": 2}

    def test_control_without_looking_at_the_clock_it_would_stay(
        self, ask: Ask, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("courses.selectors.cached._is_entry", lambda entry, key: True)
        monkeypatch.setattr("courses.selectors.cached._ttl_s", lambda entry: 86_400.0)
        with pytest.raises(AssertionError):
            self.test_it_ends_on_time(ask)


class TestCorruptValues:
    @pytest.mark.parametrize(
        "rubbish",
        [
            pytest.param("text", id="text"),
            pytest.param(["list"], id="list"),
            pytest.param({}, id="nothing in it"),
            pytest.param({"key": "KEY", "until": "UNTIL", "value": "text"}, id="value of another shape"),
            pytest.param({"key": "other", "until": "UNTIL", "value": {}}, id="of another key"),
            pytest.param({"key": "KEY", "until": "never", "value": {}}, id="no time"),
            pytest.param({"key": "KEY", "until": 5, "value": {}}, id="time of another type"),
            pytest.param({"key": "KEY", "until": "2026-11-20T12:05:00", "value": {}}, id="time without a zone"),
            pytest.param({"key": "KEY", "until": "UNTIL", "value": {}, "more": 1}, id="something more"),
        ],
    )
    def test_it_is_computed_again_and_replaced(self, rubbish: Any, ask: Ask, enrollment: Enrollment) -> None:
        key = key_of(enrollment)
        words = {"KEY": key, "UNTIL": (NOON + SECOND).isoformat()}
        if isinstance(rubbish, dict):
            rubbish = {
                name: words.get(value, value) if isinstance(value, str) else value for name, value in rubbish.items()
            }
        with freeze_time(NOON):
            cache.set(key, rubbish, timeout=600)
            assert [ask(), ask()] == [{"call": 1}] * 2
            assert cache.get(key)["value"] == {"call": 1}

    def test_a_shape_that_the_caller_does_not_know(self, ask: Ask) -> None:
        ask()
        assert ask(is_shape=lambda value: "title" in value) == {"call": 2}


@pytest.fixture
def real_redis(redis_server: Server, settings: Settings) -> Server:
    settings.CACHES = patient_settings(redis_server.port)
    return redis_server


class TestRedis:
    """On a Redis of this test's own, which is emptied, restarted and filled with rubbish."""

    def test_hits_and_tokens(self, real_redis: Server, ask: Ask, enrollment: Enrollment) -> None:
        assert [ask(), ask()] == [{"call": 1}] * 2
        enrollment_cache_replace(enrollment_id=enrollment.pk)
        assert [ask(), ask()] == [{"call": 2}] * 2

    def test_flushed(self, real_redis: Server, ask: Ask) -> None:
        ask()
        cache.clear()
        assert [ask(), ask()] == [{"call": 2}] * 2

    def test_stopped_and_started_again(self, real_redis: Server, ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
        ask()
        real_redis.stop()
        assert [ask()["call"], ask()["call"]] == [2, 3]
        real_redis.start()
        monkeypatch.setattr("core.cache_breaker._breakers", {})
        assert [ask()["call"], ask()["call"]] == [4, 4]

    def test_a_value_that_is_no_json(self, real_redis: Server, ask: Ask, enrollment: Enrollment) -> None:
        client = cache.client.get_client()  # type: ignore[attr-defined]
        client.set(cache.make_key(key_of(enrollment)), b"\x80\x04rubbish")
        assert [ask(), ask()] == [{"call": 1}] * 2

    def test_a_token_is_replaced_though_redis_forgets_nothing(
        self, real_redis: Server, ask: Ask, enrollment: Enrollment, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The process was killed before it could tidy: what is old is there still, and is not found."""
        monkeypatch.setattr("courses.services.tokens.TIDIED_KINDS", ())
        ask()
        key = key_of(enrollment)
        enrollment_cache_replace(enrollment_id=enrollment.pk)
        assert cache.get(key)["value"] == {"call": 1}
        assert ask() == {"call": 2}


class TestOutages:
    """Speed is all that is lost, and no request waits for long."""

    @pytest.fixture
    def dead(self, fresh_breakers: None, settings: Settings) -> Iterator[None]:
        with refusing_port() as port:
            settings.CACHES = redis_settings(port)
            yield

    @pytest.fixture
    def slow(
        self, fake_redis: Callable[..., FakeRedis], settings: Settings, monkeypatch: pytest.MonkeyPatch
    ) -> FakeRedis:
        # Longer than any machine takes for what stands for one request here.
        monkeypatch.setattr(Breaker.__init__, "__kwdefaults__", {"rest_s": 600.0})
        server = fake_redis(answers_after_s=2.0)
        settings.CACHES = redis_settings(server.port)
        return server

    def test_a_dead_redis(self, dead: None, ask: Ask, enrollment: Enrollment) -> None:
        assert [ask()["call"] for _ in range(5)] == [1, 2, 3, 4, 5]
        before = cache_place(enrollment.pk)
        enrollment_cache_replace(enrollment_id=enrollment.pk)
        assert cache_place(enrollment.pk) != before

    def test_a_redis_that_answers_after_two_seconds(self, slow: FakeRedis, ask: Ask, enrollment: Enrollment) -> None:
        """Ten values and ten tokens in one request: one call reaches the wire, then the cache is left alone."""
        assert [ask(problem_id=number)["call"] for number in range(1, 11)] == list(range(1, 11))
        for _ in range(10):
            enrollment_cache_replace(enrollment_id=enrollment.pk)
        assert slow.count_connections() == 1

    def test_control_without_the_breaker_each_call_waits(
        self, slow: FakeRedis, ask: Ask, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(Breaker, "admit", lambda self: Ticket(-1))
        for number in range(1, 4):
            ask(problem_id=number)
        assert slow.count_connections() > 3

    def test_what_changed_during_an_outage_is_seen_after_it(
        self,
        redis_server: Server,
        settings: Settings,
        ask: Ask,
        enrollment: Enrollment,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        settings.CACHES = patient_settings(redis_server.port)
        ask()
        with monkeypatch.context() as outage:
            # Unreachable from here, but with all its memory: the worst that can happen to a cache of deleted keys.
            outage.setattr("django_redis.client.default.DefaultClient.get", _unreachable)
            outage.setattr("django_redis.client.default.DefaultClient.delete_many", _unreachable)
            enrollment_cache_replace(enrollment_id=enrollment.pk)
        monkeypatch.setattr("core.cache_breaker._breakers", {})
        assert ask() == {"call": 2}


def _unreachable(*args: object, **kwargs: object) -> None:
    raise ConnectionError("there is no way to the server")
