"""Handing in over HTTP and running on the engine alone, in turns."""

import json
import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import chain, cycle, islice
from statistics import fmean, median
from typing import Any

from django.conf import settings

from courses.bench.client import Asking, ServerFailed, Started, started
from executor.bench import programs
from executor.bench.processes import settled
from executor.bench_api.engine import shares

AT_LEAST = 0.4
TESTS = 10
SOURCE = programs.PYTHON.source
# As in a class: what one student hands in to one problem is folded into their progress each time.
STUDENTS = 20
POLL_S = 0.02
# How long the last verdict may take after the last answer.
PATIENCE_S = 120
# Nothing to start but the server; and quotas are not what is measured.
EMBEDDED = {
    "REDIS_URL": "",
    "CELERY_BROKER_URL": "",
    "EXECUTOR_ENGINE": "sandbox",
    "EXECUTOR_QUEUE_CAPACITY": "1000000",
    "EXECUTOR_PENDING_PER_STUDENT": "100000",
    "EXECUTOR_SUBMISSIONS_PER_MINUTE": "100000",
    "EXECUTOR_SUBMISSIONS_PER_PROBLEM_HOUR": "100000",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """For each round, how many submissions a second went the whole way, and through the engine alone.

    `request_ms` is how long handing one in took, `stages_ms` what became of it then.
    """

    clients: int
    submissions: int
    whole_way: tuple[float, ...]
    engine: tuple[float, ...]
    request_ms: float
    stages_ms: dict[str, float]

    @property
    def ratios(self) -> list[float]:
        """Of each round: the whole way over the engine."""
        return [mine / bare for mine, bare in zip(self.whole_way, self.engine, strict=True)]

    @property
    def ratio(self) -> float:
        """The median of the rounds' ratios: what disturbs a round disturbs both its sides."""
        return median(self.ratios)

    @property
    def is_met(self) -> bool:
        return self.ratio >= AT_LEAST


def measure(*, rounds: int, submissions: int, clients: int, on_round: Callable[[], object]) -> Measured:
    """So many rounds of so many submissions a side, after one that does not count; `clients` at a time.

    As many workers judge in the server as there are clients, and as many threads ask the engine.

    Raises:
        ServerFailed: a side did not start, or a program was judged or answered wrongly.
    """
    with _sides(clients) as (over_http, engine):
        samples: dict[str, list[float]] = {"whole_way": [], "engine": []}
        for number in range(-1, rounds):
            # Every other round goes backwards: nobody always comes first.
            for name in list(samples) if number % 2 else reversed(samples):
                # What an engine does after its answer is not for the other side to suffer.
                settled(os.getpid())
                took_s = (over_http.hand_in if name == "whole_way" else engine)(submissions)
                if number >= 0:
                    samples[name].append(submissions / took_s)
            if number >= 0:
                on_round()
        counted = rounds * submissions
        return Measured(
            clients=clients,
            submissions=submissions,
            whole_way=tuple(samples["whole_way"]),
            engine=tuple(samples["engine"]),
            request_ms=fmean(over_http.requests_s[-counted:]) * 1000,
            stages_ms=over_http.stages_ms(counted),
        )


class OverHTTP:
    """Students who hand in, so many at a time, over one connection each in a round; workers judge meanwhile."""

    def __init__(self, *, port: int, tokens: list[str], problem_id: int, clients: int) -> None:
        self._students = [Asking(port=port, token=token) for token in tokens]
        self._clients = [self._students[number::clients] for number in range(clients)]
        self._pool = ThreadPoolExecutor(clients)
        self._body = {"problem": problem_id, "language": "python", "code": SOURCE}
        self.requests_s: list[float] = []

    def close(self) -> None:
        self._pool.shutdown()
        self._hang_up()

    def hand_in(self, submissions: int) -> float:
        """The seconds from the first of so many requests until the last verdict was stored.

        Raises:
            ServerFailed: a submission was not accepted on all its tests, or never judged.
        """
        started_s = time.perf_counter()
        found = list(self._pool.map(self._share, self._clients, shares(submissions, len(self._clients))))
        self._wait_for_the_last()
        took_s = time.perf_counter() - started_s
        # The server would, meanwhile: it keeps no connection that is idle for seconds.
        self._hang_up()
        for student, pk, seconds in chain.from_iterable(found):
            check_answer(json.loads(student.timed("GET", f"/api/v1/submissions/{pk}/")[1]))
            student.close()
            self.requests_s.append(seconds)
        return took_s

    def stages_ms(self, last: int) -> dict[str, float]:
        """Where the time of the last submissions went, as the server's database has it."""
        _, content = self._students[0].timed("GET", f"/bench/stages/?last={last}")
        stages: dict[str, float] = json.loads(content)
        return stages

    def _hang_up(self) -> None:
        for student in self._students:
            student.close()

    def _share(self, students: list[Asking], count: int) -> list[tuple[Asking, int, float]]:
        return [self._hand_in_once(student) for student in islice(cycle(students), count)]

    def _hand_in_once(self, student: Asking) -> tuple[Asking, int, float]:
        took_s, content = student.timed("POST", "/api/v1/submissions/", body=self._body)
        return student, json.loads(content)["id"], took_s

    def _wait_for_the_last(self) -> None:
        give_up_at_s = time.monotonic() + PATIENCE_S
        while json.loads(self._students[0].timed("GET", "/bench/unfinished/")[1])["unfinished"]:
            if time.monotonic() > give_up_at_s:
                raise ServerFailed(f"After {PATIENCE_S} s not all were judged.")
            time.sleep(POLL_S)


def check_answer(answer: dict[str, Any]) -> None:
    """Return if this is the verdict of a right program.

    Raises:
        ServerFailed: it is not.
    """
    verdicts = [test["verdict"] for test in answer["tests"]]
    if answer["status"] != "accepted" or verdicts != ["accepted"] * TESTS:
        raise ServerFailed(f"A right program was judged {answer['status']}, and its tests {verdicts}.")


@contextmanager
def _sides(clients: int) -> Iterator[tuple[OverHTTP, Callable[[int], float]]]:
    """Both sides, each in processes of its own; they end with the block."""
    variables = {
        **EMBEDDED,
        "EXECUTOR_WORKER_THREADS": str(clients),
        # What was made to judge faster serves both sides, though their data directories are new.
        "EXECUTOR_KIT_DIRECTORY": str(settings.EXECUTOR_KIT_DIRECTORY),
    }
    with ExitStack() as stack:
        server = stack.enter_context(
            started("executor.bench_api.serve", max(STUDENTS, clients), TESTS, variables=variables)
        )
        engine = stack.enter_context(started("executor.bench_api.engine", clients, TESTS, variables=variables))
        over_http = OverHTTP(**server.answer(), clients=clients)
        stack.callback(over_http.close)
        engine.answer()
        yield over_http, lambda submissions: _engine_round(engine, submissions)


def _engine_round(engine: Started, submissions: int) -> float:
    engine.tell(str(submissions))
    answer = engine.answer()
    if "fault" in answer:
        raise ServerFailed(f"The engine alone: {answer['fault']}")
    return float(answer["took_s"])
