"""What only informs or only makes things faster may break, and nobody's program is lost or refused over it.

Lines 3, 6 and 7 of `ErrorRecoveryTestCase` in the test plan, as they concern judging: caches, receivers, brokers.
"""

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from django.core.cache import cache
from django.dispatch import Signal
from pytest_django import Settings
from rest_framework.test import APIClient

from accounts.models import User
from courses.models import Problem
from events.hub import latest, publish
from executor.models import Judgement, Submission
from executor.queue import publishing
from executor.queue.publishing import Publisher, broker_link
from executor.selectors.queue import OVERVIEW_KEY, queue_overview, queue_overview_lately
from executor.services.live import submission_shown, submissions_read, topic_of
from executor.services.queueing import retry_seconds
from executor.signals import judgement_queued, submission_announced
from tests.core.caches import refusing_port
from tests.core.conftest import fresh_breakers
from tests.core.redis_servers import FakeRedis
from tests.courses.factories import EnrollmentFactory
from tests.courses.refusals import ApiAs, refusal
from tests.events.listeners import Listener, event_server, signed_in
from tests.executor.databases import claimed, judge_next, submit
from tests.executor.fakes import ScriptedEngine
from tests.executor.recovering import ADDRESS, all_judged, body, everything, hearing, working
from tests.shell import wait_until

__all__ = ["fresh_breakers"]

pytestmark = pytest.mark.django_db(transaction=True)

QUEUE_STATUS = f"{ADDRESS}queue-status/"
SIGNALS = pytest.mark.parametrize("signal", [judgement_queued, submission_announced], ids=["queued", "announced"])


@pytest.fixture
def user(problem: Problem) -> User:
    return EnrollmentFactory(course=problem.course).user


@pytest.fixture
def student(user: User, api_as: ApiAs) -> APIClient:
    return api_as(user)


def fail(**kwargs: object) -> None:
    raise RuntimeError("nobody to tell")


class ErrorRecoveryTestCase:
    # Line 3: a corrupt value is computed anew, and replaced.

    @pytest.mark.parametrize(
        "rubbish",
        [
            "text",
            7,
            [],
            {},
            {"pending_live": 1},
            {"more": 1},
            {"pending_live": "many"},
            {"threads": None},
            {"mean_judging_s": "soon"},
            {"status": 7},
        ],
        ids=str,
    )
    def test_a_corrupt_state_of_the_queue_is_computed_again_and_replaced(
        self, rubbish: Any, user: User, problem: Problem, student: APIClient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        # A busy machine must not make the moment pass.
        monkeypatch.setattr("executor.selectors.queue.OVERVIEW_KEPT_S", 600)
        submit(user, problem)
        right = student.get(QUEUE_STATUS).json()
        good = cache.get(OVERVIEW_KEY)
        assert good is not None
        is_partial = isinstance(rubbish, dict) and rubbish and rubbish != {"pending_live": 1}
        cache.set(OVERVIEW_KEY, {**good, **rubbish} if is_partial else rubbish, timeout=600)
        response = student.get(QUEUE_STATUS)
        assert (response.status_code, response.json()) == (200, right)
        assert retry_seconds(1) == 1
        assert cache.get(OVERVIEW_KEY).keys() == good.keys()

    @pytest.mark.parametrize(
        "tests",
        ["garbage", 7, [7], [[1, True]], [[1, True, "accepted", 4]], {"a": 1}, [None], None],
        ids=str,
    )
    def test_corrupt_progress_is_not_shown_and_stops_nobody(
        self, tests: Any, user: User, problem: Problem, student: APIClient
    ) -> None:
        submission = submit(user, problem)
        claim = claimed()
        topic = topic_of(submission.pk)
        publish(topic, {"run": str(claim.claim_id), "tests": tests}, is_kept=True)
        (read,) = submissions_read(user, [submission.pk])
        shown = submission_shown(read, latest(topic))
        assert (shown.data["status"], shown.items) == ("judging", [])

    def test_progress_of_another_try_is_not_shown(self, user: User, problem: Problem) -> None:
        submission = submit(user, problem)
        claimed()
        topic = topic_of(submission.pk)
        publish(topic, {"run": "of before", "tests": [[1, True, "accepted"]]}, is_kept=True)
        (read,) = submissions_read(user, [submission.pk])
        assert submission_shown(read, latest(topic)).items == []

    # Line 6: a receiver that fails does not fail what it is only told of.

    @SIGNALS
    def test_a_failing_receiver_costs_nobody_anything_and_is_logged(
        self, signal: Signal, user: User, problem: Problem, student: APIClient, caplog: pytest.LogCaptureFixture
    ) -> None:
        told: list[object] = []

        def tell(**kwargs: object) -> None:
            told.append(kwargs)

        with hearing(signal, fail), hearing(signal, tell), caplog.at_level(logging.ERROR):
            assert student.post(ADDRESS, body(problem)).status_code == 202
            judge_next()
        assert Submission.objects.get().status == "accepted"
        assert told, "who was to be told after it, was not"
        assert any("nobody to tell" in str(record.exc_info) for record in caplog.records)

    @SIGNALS
    def test_control_sent_without_a_net_it_would_fail_the_request_or_the_judging(
        self, signal: Signal, problem: Problem, student: APIClient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(signal, "send_robust", signal.send)
        student.raise_request_exception = False
        with hearing(signal, fail):
            response = student.post(ADDRESS, body(problem))
            assert response.status_code == (500 if signal is judgement_queued else 202)
            if signal is submission_announced:
                with pytest.raises(RuntimeError):
                    judge_next()
        assert Submission.objects.count() == 1

    def test_a_receiver_that_fails_stops_no_worker(self, user: User, problem: Problem) -> None:
        with hearing(submission_announced, fail), working(ScriptedEngine()) as pool:
            for _ in range(4):
                submit(user, problem)
            pool.wake()
            wait_until(all_judged, what="all is judged")
        assert set(Judgement.objects.values_list("tries", "faults")) == {(1, 0)}

    # Line 7: the stated answers.

    @pytest.mark.parametrize(
        ("limit", "code"),
        [
            ({"EXECUTOR_QUEUE_CAPACITY": 1}, "queue_full"),
            ({"EXECUTOR_PENDING_PER_STUDENT": 1}, "too_many_pending"),
            ({"EXECUTOR_SUBMISSIONS_PER_MINUTE": 1}, "submission_rate_exceeded"),
            ({"EXECUTOR_SUBMISSIONS_PER_PROBLEM_HOUR": 1}, "problem_rate_exceeded"),
        ],
    )
    def test_what_is_too_much_for_now_is_429_with_a_time_and_writes_nothing(
        self, limit: dict[str, int], code: str, problem: Problem, student: APIClient, settings: Settings
    ) -> None:
        for name, value in limit.items():
            setattr(settings, name, value)
        assert student.post(ADDRESS, body(problem)).status_code == 202
        before = everything()
        response = student.post(ADDRESS, body(problem))
        assert refusal(response) == (429, code)
        assert 1 <= int(response["Retry-After"]) <= 3600
        assert response.json()["detail"]
        assert everything() == before

    @pytest.mark.parametrize("scheme", ["redis", "amqp"])
    def test_with_the_broker_down_it_is_accepted_and_waits_for_the_sweep(
        self,
        scheme: str,
        problem: Problem,
        student: APIClient,
        settings: Settings,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        publisher = Publisher(broker_link, rest_s=3600)
        monkeypatch.setattr(publishing, "_publisher", publisher)
        with refusing_port() as port:
            settings.CELERY_BROKER_URL = f"{scheme}://127.0.0.1:{port}/"
            assert student.post(ADDRESS, body(problem)).status_code == 202
            wait_until(lambda: publisher.is_resting, what="the broker is given up")
            assert student.post(ADDRESS, body(problem)).status_code == 202
            publisher.stop()
        settings.CELERY_BROKER_URL = None
        with working(ScriptedEngine()):
            wait_until(all_judged, what="all is judged")
        assert set(Submission.objects.values_list("status", flat=True)) == {"accepted"}

    @pytest.fixture(params=["dead", "hung"])
    def redis_url(self, request: pytest.FixtureRequest) -> Iterator[str]:
        """A Redis that refuses connections, or takes them and says nothing."""
        if request.param == "dead":
            with refusing_port() as port:
                yield f"redis://127.0.0.1:{port}/3"
            return
        fake = FakeRedis(answers_after_s=None)
        fake.start()
        yield f"redis://127.0.0.1:{fake.port}/3"
        fake.stop()

    def test_without_redis_everything_is_answered(
        self, redis_url: str, tmp_path: Path, user: User, problem: Problem
    ) -> None:
        """A real server: it takes programs in, tells how the queue stands, and brings the verdict."""
        bearer = {"Authorization": f"Bearer {signed_in(user)}"}
        with event_server(tmp_path, REDIS_URL=redis_url) as server:
            made = requests.post(server.url + ADDRESS, json=body(problem), headers=bearer, timeout=30)
            assert made.status_code == 202
            found = requests.get(server.url + QUEUE_STATUS, headers=bearer, timeout=30)
            assert (found.status_code, found.json()["pending"]) == (200, 1)
            address = f"{ADDRESS}{made.json()['id']}/"
            with Listener(server, f"{address}events/", token=signed_in(user)) as stream:
                first = stream.next()
                assert first is not None
                assert (stream.status, first.data["status"]) == (200, "pending")
                judge_next()
                assert stream.rest()[-1].data["status"] == "accepted"
            shown = requests.get(server.url + address, headers=bearer, timeout=30)
            assert (shown.status_code, shown.json()["status"]) == (200, "accepted")
            server.stop()

    def test_the_queue_is_never_judged_by_its_cached_state(
        self, problem: Problem, student: APIClient, settings: Settings
    ) -> None:
        """Lines 3 and 7: a cache that says `full` refuses nobody, and one that says there is room lets nobody in."""
        settings.EXECUTOR_QUEUE_CAPACITY = 1
        good = queue_overview_lately()
        assert student.post(ADDRESS, body(problem)).status_code == 202
        assert refusal(student.post(ADDRESS, body(problem))) == (429, "queue_full")
        assert queue_overview().status == "full"
        judge_next()
        told = {field: getattr(good, field) for field in good.__dataclass_fields__}
        cache.set(OVERVIEW_KEY, {**told, "status": "full"}, timeout=600)
        assert student.post(ADDRESS, body(problem)).status_code == 202
