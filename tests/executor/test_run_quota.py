"""Who may run how much: one at a time and so many in a window, exactly, whatever comes at once or is away."""

import os
import threading
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta

import pytest
from django.conf import settings
from django.db import connections
from django.db.models import F
from django.db.models.functions import Now
from django.utils import timezone
from freezegun import freeze_time
from pytest_django import Settings
from rest_framework.test import APIClient

from accounts.models import User
from core.errors import ServiceUnavailable
from executor.engines.base import EngineUnavailable, RunResult
from executor.models import RunQuota
from executor.services import lane
from executor.services.code_executor import CodeExecutorService
from executor.services.lane import RunCapacityFull, RunQuotaUsed, lane_place
from executor.services.runs import run_create
from tests.accounts.factories import UserFactory
from tests.courses.factories import AlgorithmProblemFactory, EnrollmentFactory
from tests.executor.fakes import ScriptedEngine, run_result
from tests.parallel import at_once

ApiAs = Callable[[User], APIClient]
URL = "/api/v1/runs/"
BODY = {"language": "python", "code": "print(1)"}
LIMIT = 3


@pytest.fixture
def few(settings: Settings) -> None:
    settings.EXECUTOR_RUNS_PER_WINDOW = LIMIT


@pytest.fixture
def quick_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs that take no time: here only their number counts."""
    engine = ScriptedEngine(lambda stdin: run_result(b"1\n"))
    monkeypatch.setattr("executor.services.code_executor.default_engine", lambda: engine)


def run_once(user: User, engine: ScriptedEngine) -> object:
    return run_create(user=user, language="python", code="1", stdin="", service=CodeExecutorService(engine))


@pytest.mark.django_db
@pytest.mark.usefixtures("few", "quick_engine")
class TestWindow:
    def test_once_used_up_it_is_429_and_says_when(self, api_as: ApiAs) -> None:
        client = api_as(UserFactory())
        with freeze_time("2026-11-20T10:00:00Z") as clock:
            assert [client.post(URL, BODY).status_code for _ in range(LIMIT)] == [200] * LIMIT
            clock.move_to("2026-11-20T10:00:20Z")
            response = client.post(URL, BODY)
            assert (response.status_code, response.json()["code"]) == (429, "run_quota_used")
            assert response["Retry-After"] == "40"
            clock.move_to("2026-11-20T10:00:59.9Z")
            assert client.post(URL, BODY).status_code == 429
            clock.move_to("2026-11-20T10:01:00Z")
            assert client.post(URL, BODY).status_code == 200

    def test_control_without_counting_it_would_not_end(self, api_as: ApiAs, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(RunQuota, "count_one", lambda self, **kwargs: None)
        client = api_as(UserFactory())
        assert [client.post(URL, BODY).status_code for _ in range(LIMIT + 2)] == [200] * (LIMIT + 2)

    def test_the_usual_quota_is_30_in_a_minute(self, api_as: ApiAs, settings: Settings) -> None:
        settings.EXECUTOR_RUNS_PER_WINDOW = 30
        client = api_as(UserFactory())
        with freeze_time("2026-11-20T10:00:00Z"):
            assert [client.post(URL, BODY).status_code for _ in range(31)] == [200] * 30 + [429]

    def test_each_user_has_their_own(self, api_as: ApiAs) -> None:
        for _ in range(2):
            client = api_as(UserFactory())
            assert [client.post(URL, BODY).status_code for _ in range(LIMIT + 1)] == [200] * LIMIT + [429]

    def test_what_is_refused_for_its_body_is_not_counted(self, api_as: ApiAs) -> None:
        client = api_as(UserFactory())
        for _ in range(LIMIT + 1):
            assert client.post(URL, {"language": "cobol", "code": "x"}).status_code == 422
        assert client.post(URL, BODY).status_code == 200

    def test_samples_count_in_the_same_window(self, api_as: ApiAs) -> None:
        problem = AlgorithmProblemFactory().problem
        client = api_as(EnrollmentFactory(course=problem.course).user)
        samples = f"/api/v1/problems/{problem.pk}/run-samples/"
        urls = [URL, samples, URL, samples, URL]
        assert [client.post(url, BODY).status_code for url in urls] == [200] * LIMIT + [429] * 2

    def test_an_engine_that_is_away_costs_nothing(self) -> None:
        user = UserFactory()
        engine = ScriptedEngine(lambda stdin: EngineUnavailable("gone"))
        for _ in range(LIMIT + 2):
            with pytest.raises(ServiceUnavailable):
                run_once(user, engine)
        assert RunQuota.objects.values_list("count", "claim_id", "leased_until").get() == (0, None, None)

    def test_a_fault_of_ours_gives_the_place_back(self, monkeypatch: pytest.MonkeyPatch) -> None:
        places = threading.BoundedSemaphore(1)
        monkeypatch.setattr(lane, "_places", places)
        user = UserFactory()
        for _ in range(2):
            with pytest.raises(ZeroDivisionError), lane_place(user, wall_ms=1):
                raise ZeroDivisionError
        assert places.acquire(blocking=False)
        assert RunQuota.objects.get().leased_until is None

    def test_full_places_are_not_counted(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(lane, "_places", threading.Semaphore(0))
        with pytest.raises(RunCapacityFull):
            run_once(UserFactory(), ScriptedEngine())
        assert not RunQuota.objects.exists()

    def test_redis_is_not_asked(self, api_as: ApiAs, settings: Settings) -> None:
        settings.CACHES = {"default": {"BACKEND": "django_redis.cache.RedisCache", "LOCATION": "redis://127.0.0.1:1/0"}}
        client = api_as(UserFactory())
        assert [client.post(URL, BODY).status_code for _ in range(LIMIT + 1)] == [200] * LIMIT + [429]


class TestPlaces:
    def test_there_are_never_more_than_processors(self) -> None:
        places = settings.EXECUTOR_RUNS_AT_ONCE
        assert 1 <= places <= (os.cpu_count() or 1)
        assert lane._places._initial_value == places  # type: ignore[attr-defined]


@pytest.mark.django_db
class TestLease:
    def test_a_run_that_never_ended_is_waited_for_no_longer_than_its_lease(self) -> None:
        user = UserFactory()
        row = RunQuota.objects.create(user=user, window_started_at=timezone.now(), count=1)
        held = RunQuota.objects.filter(pk=row.pk)
        held.update(claim_id="0" * 32, leased_until=Now() + timedelta(seconds=60))
        with pytest.raises(RunQuotaUsed) as refusal, lane_place(user, wall_ms=1000):
            raise AssertionError
        assert refusal.value.retry_after_s
        held.update(leased_until=Now() - timedelta(seconds=1))
        with lane_place(user, wall_ms=1000):
            assert held.get().claim_id
        assert held.values_list("count", "claim_id").get() == (2, None)

    def test_a_run_that_was_given_up_ends_no_other(self) -> None:
        user = UserFactory()
        with lane_place(user, wall_ms=1000):
            RunQuota.objects.update(leased_until=Now() - timedelta(seconds=1))
            slow = RunQuota.objects.get().claim_id
            RunQuota.objects.update(claim_id="1" * 32, leased_until=Now() + timedelta(seconds=60))
            assert slow
        assert RunQuota.objects.get().leased_until is not None


@pytest.mark.django_db(transaction=True)
class TestParallel:
    POSTS = 12

    @pytest.fixture(autouse=True)
    def many_places(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(lane, "_places", threading.BoundedSemaphore(self.POSTS))

    @pytest.fixture
    def held_engine(self) -> ScriptedEngine:
        """Runs last until every post has had its answer, or is waiting in here."""
        self.answered = threading.Semaphore(0)

        def answer(stdin: bytes) -> RunResult:
            connections.close_all()
            for _ in range(self.POSTS - 1):
                if not self.answered.acquire(timeout=5):
                    break
            return run_result(b"")

        return ScriptedEngine(answer)

    def outcomes(self, user: User, engine: ScriptedEngine) -> Counter[str]:
        def post() -> str:
            try:
                run_once(user, engine)
            except RunQuotaUsed:
                return "refused"
            finally:
                self.answered.release()
            return "run"

        return Counter(at_once([post] * self.POSTS))

    def test_of_many_at_once_one_is_run(self, held_engine: ScriptedEngine) -> None:
        assert self.outcomes(UserFactory(), held_engine) == {"run": 1, "refused": self.POSTS - 1}
        assert len(held_engine.requests) == 1
        assert RunQuota.objects.get().count == 1

    def test_exactly_the_window_is_let_through(self, settings: Settings) -> None:
        settings.EXECUTOR_RUNS_PER_WINDOW = 10
        user = UserFactory()
        engine = ScriptedEngine(lambda stdin: run_result(b""))

        def try_often() -> int:
            let_through = 0
            for _ in range(10):
                with suppress(RunQuotaUsed):
                    run_once(user, engine)
                    let_through += 1
            return let_through

        with freeze_time("2026-11-20T10:00:00Z"):
            first = sum(at_once([try_often] * 4))
            # Those who met a run going on were refused without being counted: what is left is let through now.
            rest = try_often()
        assert (first + rest, RunQuota.objects.get().count, len(engine.requests)) == (10, 10, 10)

    def test_control_a_count_read_before_it_is_written_lets_all_pass(
        self, held_engine: ScriptedEngine, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        user = UserFactory()
        row = RunQuota.objects.create(user=user, window_started_at=timezone.now())
        everybody_has_read = threading.Barrier(self.POSTS)

        def racy(user: User, *, lease_s: float) -> None:
            is_running = RunQuota.objects.filter(pk=row.pk, leased_until__gt=Now()).exists()
            everybody_has_read.wait(timeout=10)
            if is_running:
                raise RunQuotaUsed
            RunQuota.objects.filter(pk=row.pk).update(count=F("count") + 1)

        monkeypatch.setattr(lane, "_quota_take", racy)
        assert self.outcomes(user, ScriptedEngine(lambda stdin: run_result(b""))) == {"run": self.POSTS}
