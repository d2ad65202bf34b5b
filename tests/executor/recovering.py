"""What tests of faults and of many at once need: pools, a database that fails at a place, and what may not change."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import OperationalError, connection
from django.dispatch import Signal

from courses.models import Enrollment, Problem, ProblemProgress, ProgressResult
from executor import metrics
from executor.engines.base import Engine
from executor.models import Judgement, Submission, TestResult
from executor.queue.workers import WorkerPool
from executor.services.code_executor import CodeExecutorService
from executor.signals import judgement_queued, submission_announced
from tests.courses.progressing import drifted, progress_of
from tests.executor.databases import DOUBLE, rows

ADDRESS = "/api/v1/submissions/"
SERVER_GONE = "server closed the connection unexpectedly"
# Whatever storing a result writes.
APPLYING = [
    ("executor_testresult", "INSERT"),
    ("executor_judgement", "UPDATE"),
    ("executor_submission", "UPDATE"),
    ("courses_problemprogress", "INSERT"),
    ("courses_progressresult", "INSERT"),
    ("courses_problemprogress", "UPDATE"),
    ("courses_enrollment", "UPDATE"),
]


def body(problem: Problem, code: str = DOUBLE) -> dict[str, Any]:
    """What a client posts to hand in a program."""
    return {"problem": problem.pk, "language": "python", "code": code}


@contextmanager
def working(engine: Engine | None = None, threads: int = 2) -> Iterator[WorkerPool]:
    """Real worker threads, for as long as the block lasts; without an engine they judge with that of the settings."""
    pool = WorkerPool(threads, None if engine is None else CodeExecutorService(engine))
    pool.start()
    try:
        yield pool
    finally:
        pool.stop()


@contextmanager
def failing(start: str, error: Callable[[], Exception] = lambda: OperationalError(SERVER_GONE)) -> Iterator[None]:
    """Each statement of this thread that starts like this fails before the database has seen it."""

    def fail(execute: Callable[..., Any], sql: str, *rest: Any) -> Any:
        if sql.startswith(start):
            raise error()
        return execute(sql, *rest)

    with connection.execute_wrapper(fail):
        yield


@contextmanager
def news() -> Iterator[list[str]]:
    """What goes out meanwhile, in order: `queued` or `announced`."""
    told: list[str] = []

    def announced(**kwargs: object) -> None:
        told.append("announced")

    def queued(**kwargs: object) -> None:
        told.append("queued")

    with hearing(submission_announced, announced), hearing(judgement_queued, queued):
        yield told


@contextmanager
def hearing(signal: Signal, receiver: Callable[..., Any]) -> Iterator[None]:
    """A receiver more, for as long as the block lasts."""
    signal.connect(receiver, weak=False)
    try:
        yield
    finally:
        signal.disconnect(receiver)


def everything() -> dict[str, list[dict[str, Any]]]:
    """Every row that handing in and judging write, down to the progress."""
    tables = (ProblemProgress, ProgressResult, Enrollment)
    return rows() | {table.__name__: list(table._default_manager.order_by("pk").values()) for table in tables}


def figures() -> dict[tuple[str, ...], float]:
    """What was counted so far of submissions, verdicts, waits, retries and leases that ran out."""
    counted = (metrics.SUBMISSIONS, metrics.VERDICTS, metrics.WAIT_SECONDS, metrics.RETRIES, metrics.LEASES_EXPIRED)
    return {
        (sample.name, *sample.labels.values()): sample.value
        for metric in counted
        for family in metric.collect()
        for sample in family.samples
        if not sample.name.endswith("_created")
    }


def all_judged() -> bool:
    return not Submission.objects.filter(status__in=Submission.UNFINISHED).exists()


def pauses_over() -> None:
    """Let every pause between two tries have passed."""
    Judgement.objects.update(not_before=None)


@contextmanager
def shorter_patience(seconds: float = 0.1) -> Iterator[None]:
    """This thread waits no longer than that for what another session holds."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(f"SET lock_timeout = {int(seconds * 1000)}")
        try:
            yield
        finally:
            connection.close()
        return
    options = connection.settings_dict["OPTIONS"]
    usual, options["timeout"] = options["timeout"], seconds
    connection.close()
    try:
        yield
    finally:
        options["timeout"] = usual
        connection.close()


def judged_once(enrollment: Enrollment, problem: Problem) -> None:
    """The submission there is has its verdict, once, and has counted once."""
    submission = Submission.objects.get()
    assert (submission.status, submission.score) == ("accepted", 100)
    assert TestResult.objects.count() == 2
    assert progress_of(enrollment, problem).attempts == 1
    assert drifted() == []


def expire() -> None:
    """Let all leases have run out."""
    Judgement.objects.filter(state="claimed").update(leased_until="2020-01-01T00:00:00Z")
