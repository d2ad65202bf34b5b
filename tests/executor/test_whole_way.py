"""From an HTTP request to a stored verdict: real token, real worker threads, real sandbox."""

import time
from collections.abc import Iterator

import pytest
from pytest_django import Settings
from rest_framework.test import APIClient

from accounts.models import User
from courses.models import Problem
from executor.models import Submission, TestResult
from executor.queue.workers import start_embedded_workers, stop_embedded_workers
from tests.courses.factories import EnrollmentFactory

pytestmark = pytest.mark.django_db(transaction=True)

PASSWORD = "correct horse battery staple"


@pytest.fixture
def workers(settings: Settings) -> Iterator[None]:
    settings.EXECUTOR_WORKER_THREADS = 2
    start_embedded_workers()
    yield
    stop_embedded_workers()


@pytest.fixture
def client(problem: Problem) -> APIClient:
    user: User = EnrollmentFactory(course=problem.course).user
    user.set_password(PASSWORD)
    user.save()
    client = APIClient()
    token = client.post("/api/v1/auth/token/", {"username": user.email, "password": PASSWORD}).json()["access"]
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {token}")
    return client


class TestWholeWay:
    @pytest.mark.parametrize(
        ("language", "code", "status", "score"),
        [
            ("python", "print(int(input()) * 2)", "accepted", "100.00"),
            ("python", "print(4)", "wrong_answer", "50.00"),
            ("c", "int main( {", "compilation_error", "0.00"),
        ],
    )
    def test_a_verdict_arrives_while_one_waits(
        self, workers: None, client: APIClient, problem: Problem, language: str, code: str, status: str, score: str
    ) -> None:
        body = {"problem": problem.pk, "language": language, "code": code}
        response = client.post("/api/v1/submissions/?wait=20", body)
        assert response.status_code == 200
        answer = response.json()
        assert (answer["status"], answer["score"], answer["queue_position"]) == (status, score, None)
        assert len(answer["tests"]) == 2
        stored = Submission.objects.select_related("current_judgement").get()
        assert (stored.status, str(stored.score)) == (status, score)
        judgement = stored.current_judgement
        assert judgement is not None
        assert (judgement.engine, judgement.tier) == ("sandbox", "A")
        assert TestResult.objects.count() == 2

    def test_without_waiting_it_is_asked_for_later(self, workers: None, client: APIClient, problem: Problem) -> None:
        body = {"problem": problem.pk, "language": "python", "code": "print(int(input()) * 2)"}
        response = client.post("/api/v1/submissions/", body)
        assert response.status_code == 202
        deadline = time.monotonic() + 20
        while (answer := client.get(response["Location"]).json())["status"] in ("pending", "judging"):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        assert answer["status"] == "accepted"

    def test_a_wait_that_is_too_short_is_202(self, client: APIClient, problem: Problem) -> None:
        body = {"problem": problem.pk, "language": "python", "code": "print(1)"}
        started = time.monotonic()
        response = client.post("/api/v1/submissions/?wait=1", body)
        assert response.status_code == 202
        assert time.monotonic() - started >= 1
