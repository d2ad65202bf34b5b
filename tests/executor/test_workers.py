"""Worker threads on a real database: woken, polling, recovering, and stopping in order."""

import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django import Settings

from executor.engines.base import RunResult
from executor.models import Judgement, Submission
from executor.queue import workers
from executor.queue.claims import claim_next
from executor.queue.workers import WorkerPool
from executor.services.code_executor import CodeExecutorService
from tests.executor.factories import SubmissionFactory
from tests.executor.fakes import ScriptedEngine, double

pytestmark = pytest.mark.django_db(transaction=True)


def wait_until(condition: Callable[[], bool], *, timeout_s: float = 10) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "it did not come about in time"
        time.sleep(0.02)


def all_judged() -> bool:
    return not Submission.objects.filter(status__in=Submission.UNFINISHED).exists()


@pytest.fixture
def pool_of(settings: Settings) -> Iterator[Callable[..., WorkerPool]]:
    """Start pools that are stopped when the test ends; polling is so slow that only a wake-up can be what helps."""
    settings.EXECUTOR_POLL_S = 60
    started: list[WorkerPool] = []

    def start(engine: ScriptedEngine, threads: int = 2) -> WorkerPool:
        pool = WorkerPool(threads, CodeExecutorService(engine))
        pool.start()
        started.append(pool)
        return pool

    yield start
    for pool in started:
        pool.stop()


class TestWorkerPool:
    def test_what_waits_at_start_is_judged(self, pool_of: Callable[..., WorkerPool]) -> None:
        for _ in range(5):
            SubmissionFactory()
        engine = ScriptedEngine()
        pool_of(engine)
        wait_until(all_judged)
        assert set(Submission.objects.values_list("status", flat=True)) == {"accepted"}
        assert len(engine.requests) == 5

    def test_a_wake_up_is_enough(self, pool_of: Callable[..., WorkerPool]) -> None:
        pool = pool_of(ScriptedEngine())
        time.sleep(0.2)  # the threads have looked and found nothing
        SubmissionFactory()
        pool.wake()
        wait_until(all_judged, timeout_s=5)

    def test_control_without_a_wake_up_nothing_happens_before_the_poll(
        self, pool_of: Callable[..., WorkerPool]
    ) -> None:
        pool_of(ScriptedEngine())
        time.sleep(0.2)
        SubmissionFactory()
        time.sleep(0.5)
        assert not all_judged()

    def test_a_lost_worker_s_judgement_is_taken_over_at_start(self, pool_of: Callable[..., WorkerPool]) -> None:
        SubmissionFactory()
        claim_next()
        Judgement.objects.update(leased_until=timezone.now() - timedelta(seconds=1))
        pool_of(ScriptedEngine())
        wait_until(all_judged)

    def test_leases_are_renewed_while_a_program_runs(
        self, pool_of: Callable[..., WorkerPool], settings: Settings
    ) -> None:
        settings.EXECUTOR_LEASE_RENEW_S = 0.05
        running, finish = threading.Event(), threading.Event()

        def slow(stdin: bytes) -> RunResult:
            running.set()
            finish.wait(10)
            return double(stdin)

        SubmissionFactory()
        pool_of(ScriptedEngine(slow))
        assert running.wait(5)
        first = Judgement.objects.get().leased_until
        wait_until(lambda: (Judgement.objects.get().leased_until or timezone.now()) > (first or timezone.now()))
        finish.set()
        wait_until(all_judged)

    def test_stopping_gives_back_what_cannot_be_finished(
        self, pool_of: Callable[..., WorkerPool], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(workers, "STOP_PATIENCE_S", 0.2)
        running, finish = threading.Event(), threading.Event()

        def stuck(stdin: bytes) -> RunResult:
            running.set()
            finish.wait(10)
            return double(stdin)

        SubmissionFactory()
        pool = pool_of(ScriptedEngine(stuck))
        assert running.wait(5)
        pool.stop()
        judgement = Judgement.objects.get()
        assert (judgement.state, judgement.tries, judgement.submission.status) == ("pending", 0, "pending")
        finish.set()
        # The late result of the stopped worker meets the fence.
        time.sleep(0.3)
        assert Judgement.objects.get().state == "pending"

    def test_stopping_waits_for_what_is_nearly_done(self, pool_of: Callable[..., WorkerPool]) -> None:
        running = threading.Event()

        def short(stdin: bytes) -> RunResult:
            running.set()
            time.sleep(0.1)
            return double(stdin)

        SubmissionFactory()
        pool = pool_of(ScriptedEngine(short))
        assert running.wait(5)
        pool.stop()
        assert all_judged()


class TestEmbeddedWorkers:
    def test_a_committed_judgement_wakes_them(
        self,
        monkeypatch: pytest.MonkeyPatch,
        pool_of: Callable[..., WorkerPool],
    ) -> None:
        from executor.services.submissions import judgement_create

        pool = pool_of(ScriptedEngine())
        monkeypatch.setattr(workers, "_embedded", pool)
        time.sleep(0.2)
        submission = SubmissionFactory()
        first = submission.current_judgement
        Judgement.objects.filter(pk=first.pk).update(state="done", verdict="accepted")
        judgement_create(submission=submission, test_set=first.test_set)
        wait_until(lambda: Judgement.objects.get(number=2).state == "done", timeout_s=5)
