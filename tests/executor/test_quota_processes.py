"""A quota against a hundred requests at once, over four servers, whatever becomes of Redis."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from functools import partial
from pathlib import Path

import pytest
import requests
from django.contrib.auth.hashers import make_password
from django.db import connection

from accounts.models import User
from courses.models import Problem
from executor.models import Judgement, Submission
from tests.accounts.factories import UserFactory
from tests.core.caches import refusing_port
from tests.core.live import LiveServer, live_server, process_environment
from tests.core.redis_servers import own_redis
from tests.courses.factories import EnrollmentFactory
from tests.executor.factories import DOUBLE
from tests.parallel import at_once

pytestmark = pytest.mark.django_db(transaction=True)

SERVERS, POSTS, MOST, TRIES = 4, 100, 7, 10
PASSWORD = "correct horse battery staple"


@contextmanager
def redis_up(directory: Path) -> Iterator[int]:
    server = own_redis(directory)
    server.start()
    try:
        yield server.port
    finally:
        server.stop()


@contextmanager
def redis_down(directory: Path) -> Iterator[int]:
    with refusing_port() as port:
        yield port


@contextmanager
def servers(directory: Path, redis_port: int, application: str = "config.asgi:application") -> Iterator[list[str]]:
    """The addresses of four that share the database of this test, and no judge."""
    environment = process_environment(
        directory,
        SECRET_KEY=f"{PASSWORD}, again and again",
        REDIS_URL=f"redis://127.0.0.1:{redis_port}/0",
        EXECUTOR_PENDING_PER_STUDENT=str(MOST),
        EXECUTOR_SUBMISSIONS_PER_MINUTE="1000",
    )
    if connection.vendor == "sqlite":
        environment["DATABASE_URL"] = f"sqlite:///{connection.settings_dict['NAME']}"
    with ExitStack() as stack:
        started: list[LiveServer] = []
        for number in range(SERVERS):
            own = directory / str(number)
            own.mkdir()
            started.append(stack.enter_context(live_server(own, environment=environment, application=application)))
        yield [server.url for server in started]


@pytest.fixture
def student(problem: Problem) -> User:
    return EnrollmentFactory(course=problem.course, user=UserFactory(password=make_password(PASSWORD))).user


def answers(urls: Sequence[str], student: User, problem: Problem) -> Counter[tuple[int, str]]:
    """How often each status and code came."""
    signed_in = requests.post(
        f"{urls[0]}/api/v1/auth/token/", json={"username": student.username, "password": PASSWORD}, timeout=60
    )
    headers = {"Authorization": f"Bearer {signed_in.json()['access']}"}
    body = {"problem": problem.pk, "language": "python", "code": DOUBLE}

    def post(number: int) -> tuple[int, str]:
        url = f"{urls[number % len(urls)]}/api/v1/submissions/"
        for _ in range(TRIES):
            answer = requests.post(url, json=body, headers=headers, timeout=120)
            # A busy machine may keep one of SQLite's writers waiting too long; then nothing was stored.
            if answer.status_code != 503:
                break
        assert answer.status_code == 202 or 1 <= int(answer.headers["Retry-After"]) <= 60, answer.text
        return answer.status_code, answer.json().get("code", "")

    return Counter(at_once([partial(post, number) for number in range(POSTS)]))


@pytest.mark.parametrize("redis", [redis_up, redis_down])
def test_exactly_as_many_are_accepted_as_may_be(
    student: User, problem: Problem, tmp_path: Path, redis: Callable[[Path], AbstractContextManager[int]]
) -> None:
    with redis(tmp_path) as port, servers(tmp_path, port) as urls:
        found = answers(urls, student, problem)
    assert found == {(202, ""): MOST, (429, "too_many_pending"): POSTS - MOST}
    assert Submission.objects.count() == Judgement.objects.filter(state="pending").count() == MOST


def test_control_without_the_lock_more_are_accepted(student: User, problem: Problem, tmp_path: Path) -> None:
    """On SQLite the one writer that there is at a time is the lock; the count stays exact."""
    with redis_up(tmp_path) as port, servers(tmp_path, port, "tests.executor.unlocked_asgi:application") as urls:
        accepted = answers(urls, student, problem)[202, ""]
    assert accepted == MOST if connection.vendor == "sqlite" else accepted > MOST
