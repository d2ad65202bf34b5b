"""Keys across real server processes: many posts at once, clients that give up, and servers that are killed."""

import json
import socket
import time
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import requests
from django.db import connection

from accounts.models import User
from core.models import IdempotencyRecord
from courses.models import Problem
from executor.models import Judgement, Submission
from tests.core.live import LiveServer, live_server, process_environment
from tests.courses.factories import AlgorithmProblemFactory, EnrollmentFactory
from tests.executor.databases import DOUBLE
from tests.parallel import at_once

pytestmark = pytest.mark.django_db(transaction=True)

PASSWORD = "correct horse battery staple"
REPLAYED = "Idempotency-Replayed"
PATH = "/api/v1/submissions/"
TIMEOUT_S = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """A student, what they hand in, and the environment of servers that share this test's database."""

    student: User
    given: dict[str, Any]
    directory: Path

    def environment(self, **extra: str) -> dict[str, str]:
        extra |= {"SECRET_KEY": "0123456789abcdef-of-both-processes"}
        if connection.vendor == "sqlite":
            extra |= {"DATABASE_URL": f"sqlite:///{connection.settings_dict['NAME']}"}
        return process_environment(self.directory, **extra)

    def token(self, server: LiveServer) -> str:
        signing_in = {"username": self.student.email, "password": PASSWORD}
        answer = requests.post(f"{server.url}/api/v1/auth/token/", json=signing_in, timeout=TIMEOUT_S)
        return str(answer.json()["access"])

    def hand_in(self, server: LiveServer, token: str, *, key: str | None = "k1") -> requests.Response:
        headers = {"Authorization": f"Bearer {token}"} | ({"Idempotency-Key": key} if key else {})
        return requests.post(server.url + PATH, json=self.given, headers=headers, timeout=TIMEOUT_S)

    def give_up(self, server: LiveServer, token: str, *, when: Path | None = None) -> None:
        """Send the whole request and leave without an answer; where `when` is given, once that file is there."""
        body = json.dumps(self.given)
        lines = [
            f"POST {PATH} HTTP/1.1",
            "Host: localhost",
            f"Authorization: Bearer {token}",
            "Idempotency-Key: k1",
            "Content-Type: application/json",
            f"Content-Length: {len(body)}",
        ]
        with socket.create_connection(("127.0.0.1", server.port), timeout=TIMEOUT_S) as caller:
            caller.sendall("\r\n".join([*lines, "", body]).encode())
            if when is not None:
                wait_for(when)


def wait_for(path: Path) -> None:
    ends_s = time.monotonic() + TIMEOUT_S
    while not path.exists():
        assert time.monotonic() < ends_s, f"{path.name} did not appear"
        time.sleep(0.02)


@pytest.fixture
def world(tmp_path: Path) -> World:
    problem: Problem = AlgorithmProblemFactory().problem
    student: User = EnrollmentFactory(course=problem.course).user
    student.set_password(PASSWORD)
    student.save()
    return World(
        student=student,
        given={"problem": problem.pk, "language": "python", "code": DOUBLE},
        directory=tmp_path,
    )


def stopping(world: World, point: str, how: str) -> dict[str, str]:
    return world.environment(STOP_AT=point, STOP_HOW=how, STOP_IN=str(world.directory))


class TestTwoProcesses:
    def test_twenty_posts_at_once_make_one_submission(self, world: World) -> None:
        with ExitStack() as running:
            servers = []
            for name in ("one", "two"):
                (world.directory / name).mkdir()
                servers.append(
                    running.enter_context(live_server(world.directory / name, environment=world.environment()))
                )
            token = world.token(servers[0])
            answers = at_once([partial(world.hand_in, servers[number % 2], token) for number in range(20)])
            (submission,) = Submission.objects.all()
            assert Judgement.objects.count() == 1
            assert {answer.status_code for answer in answers} <= {202, 409}
            named = [answer for answer in answers if answer.status_code == 202]
            assert {answer.json()["id"] for answer in named} == {submission.pk}
            assert sum(REPLAYED not in answer.headers for answer in named) == 1
            assert {world.hand_in(server, token).json()["id"] for server in servers} == {submission.pk}


class TestGivingUp:
    @pytest.mark.parametrize("point", ["before", "inside", "committed"])
    def test_who_gives_up_and_asks_five_times_finds_one(self, world: World, point: str) -> None:
        """F-06: the first request is held at the point, its caller leaves, and the next four leave too."""
        application = "tests.executor.stopping_app:application"
        with live_server(
            world.directory, environment=stopping(world, point, "wait"), application=application
        ) as server:
            token = world.token(server)
            world.give_up(server, token, when=world.directory / "reached")
            for _ in range(4):
                world.give_up(server, token)
            (world.directory / "go").touch()
            response = world.hand_in(server, token)
            while response.status_code == 409:
                response = world.hand_in(server, token)
            assert response.status_code == 202
        assert Submission.objects.get().pk == response.json()["id"]
        assert Judgement.objects.count() == 1


class TestKilled:
    @pytest.mark.parametrize(
        ("point", "is_committed"), [("before", False), ("inside", False), ("committed", True)], ids=str
    )
    def test_the_next_try_with_the_key_leaves_exactly_one(self, world: World, point: str, is_committed: bool) -> None:
        """F-05, F-14: nobody was told what came of it; all or nothing of it is there, and the key tells which."""
        self.die(world, point)
        assert Submission.objects.exists() is IdempotencyRecord.objects.exists() is is_committed
        with live_server(world.directory, environment=world.environment()) as server:
            token = world.token(server)
            responses = [world.hand_in(server, token) for _ in range(2)]
        assert [response.status_code for response in responses] == [202, 202]
        assert [REPLAYED in response.headers for response in responses] == [is_committed, True]
        assert {response.json()["id"] for response in responses} == {Submission.objects.get().pk}
        assert Judgement.objects.count() == 1

    def test_control_without_a_key_the_next_try_makes_a_second(self, world: World) -> None:
        self.die(world, "committed")
        with live_server(world.directory, environment=world.environment()) as server:
            assert world.hand_in(server, world.token(server), key=None).status_code == 202
        assert Submission.objects.count() == 2

    def die(self, world: World, point: str) -> None:
        """A server is killed in the middle of handing in."""
        application = "tests.executor.stopping_app:application"
        with live_server(world.directory, environment=stopping(world, point, "die"), application=application) as server:
            token = world.token(server)
            with pytest.raises(requests.ConnectionError):
                world.hand_in(server, token)
            assert server.process.wait(timeout=TIMEOUT_S) == -9
