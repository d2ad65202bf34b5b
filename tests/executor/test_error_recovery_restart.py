"""Servers and workers that are killed in the middle of judging, and started again: real processes, the real sandbox.

Line 1 of `ErrorRecoveryTestCase` in the test plan, as it concerns judging. Leases last for an hour here.
"""

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests
from django.conf import settings
from django.db import connection

from courses.models import AlgorithmProblem, Enrollment, Problem
from executor.models import Judgement, Submission, TestResult, Worker
from tests.core.live import LiveServer, live_server, process_environment
from tests.courses.factories import AlgorithmProblemFactory
from tests.courses.progressing import drifted, progress_of
from tests.events.listeners import signed_in
from tests.executor.databases import DOUBLE
from tests.executor.recovering import ADDRESS, all_judged, body
from tests.shell import wait_until

pytestmark = pytest.mark.django_db(transaction=True)

SLOW = f"import time\ntime.sleep(2)\n{DOUBLE}"
TIMEOUT_S = 60


@pytest.fixture
def problem() -> Problem:
    problem: Problem = AlgorithmProblemFactory().problem
    # A busy machine is slower than any program.
    AlgorithmProblem.objects.filter(problem=problem).update(time_limit_ms=10_000)
    return problem


def environment_of(directory: Path, threads: int) -> dict[str, str]:
    own = {
        "DJANGO_SETTINGS_MODULE": "tests.executor.long_lease_settings",
        "SECRET_KEY": settings.SECRET_KEY,
        "EXECUTOR_WORKER_THREADS": str(threads),
        "EXECUTOR_KIT_DIRECTORY": str(settings.EXECUTOR_KIT_DIRECTORY),
    }
    if connection.vendor == "sqlite":
        own["DATABASE_URL"] = f"sqlite:///{connection.settings_dict['NAME']}"
    return process_environment(directory, **own)


@contextmanager
def judge_worker(directory: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """`manage.py judge_worker` with a single thread, ended whatever happens."""
    with (directory / "worker.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "manage.py", "judge_worker", "--threads", "1"],
            cwd=settings.BASE_DIR,
            env=environment_of(directory, 0),
            stdout=log,
            stderr=log,
        )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()


def hand_in(server: LiveServer, token: str, given: dict[str, Any]) -> int:
    bearer = {"Authorization": f"Bearer {token}"}
    answer = requests.post(server.url + ADDRESS, json=given, headers=bearer, timeout=TIMEOUT_S)
    assert answer.status_code == 202
    return int(answer.json()["id"])


def end(process: "subprocess.Popen[bytes]", how: signal.Signals) -> None:
    process.send_signal(how)
    code = process.wait(TIMEOUT_S)
    if how is signal.SIGKILL:
        assert code == -signal.SIGKILL


def is_judging() -> bool:
    return Submission.objects.filter(status="judging").exists()


def all_counted_once(made: list[int], enrollment: Enrollment, problem: Problem) -> None:
    assert dict(Submission.objects.values_list("pk", "status")) == dict.fromkeys(made, "accepted")
    assert Judgement.objects.count() == len(made)
    assert TestResult.objects.count() == 2 * len(made)
    assert progress_of(enrollment, problem).attempts == len(made)
    assert drifted() == []


class ErrorRecoveryTestCase:
    @pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM], ids=["killed", "stopped"])
    def test_a_server_goes_on_where_it_was_ended(
        self, how: signal.Signals, tmp_path: Path, problem: Problem, enrollment: Enrollment
    ) -> None:
        """What was being judged is judged again, what waited is judged, and nobody has to ask for it."""
        token, environment = signed_in(enrollment.user), environment_of(tmp_path, 1)
        with live_server(tmp_path, environment=environment) as server:
            made = [hand_in(server, token, body(problem, code)) for code in (SLOW, DOUBLE, DOUBLE)]
            wait_until(is_judging, what="it judges")
            end(server.process, how)
        was_lost = Judgement.objects.filter(state="claimed").count()
        assert (was_lost, Worker.objects.count()) == ((1, 1) if how is signal.SIGKILL else (0, 0))
        assert not all_judged()
        with live_server(tmp_path, environment=environment) as server:
            wait_until(all_judged, what="all is judged")
            bearer = {"Authorization": f"Bearer {token}"}
            shown = requests.get(f"{server.url}{ADDRESS}{made[0]}/", headers=bearer, timeout=TIMEOUT_S).json()
            server.stop()
        assert (shown["status"], shown["score"], len(shown["tests"])) == ("accepted", "100.00", 2)
        assert sum(Judgement.objects.values_list("losses", flat=True)) == was_lost
        all_counted_once(made, enrollment, problem)
        assert not Worker.objects.exists()

    def test_a_worker_of_its_own_goes_on_where_it_was_killed(
        self, tmp_path: Path, problem: Problem, enrollment: Enrollment
    ) -> None:
        """The server takes submissions in all the while, also while nobody judges."""
        token = signed_in(enrollment.user)
        with live_server(tmp_path, environment=environment_of(tmp_path, 0)) as server:
            with judge_worker(tmp_path) as process:
                made = [hand_in(server, token, body(problem, SLOW))]
                wait_until(is_judging, what="it judges")
                end(process, signal.SIGKILL)
            made.append(hand_in(server, token, body(problem)))
            assert sorted(Submission.objects.values_list("status", flat=True)) == ["judging", "pending"]
            with judge_worker(tmp_path) as process:
                wait_until(all_judged, what="all is judged")
                end(process, signal.SIGTERM)
        assert list(Judgement.objects.order_by("pk").values_list("tries", "losses")) == [(2, 1), (1, 0)]
        all_counted_once(made, enrollment, problem)
