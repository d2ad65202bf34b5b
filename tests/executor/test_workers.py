"""Worker threads on a real database: woken, polling, recovering, and stopping in order."""

import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import NoReturn

import pytest
from django.db import OperationalError
from django.utils import timezone
from pytest_django import Settings

from executor.engines.base import RunResult
from executor.models import Judgement, Submission, Worker
from executor.queue import claims, leases, workers
from executor.queue.claims import Claim, claim_next
from executor.queue.judge import judge_claimed
from executor.queue.sweeper import Swept, sweep
from executor.queue.workers import WorkerPool
from executor.services.code_executor import CodeExecutorService
from tests.executor.factories import SubmissionFactory
from tests.executor.fakes import ScriptedEngine, double

pytestmark = pytest.mark.django_db(transaction=True)


def wait_until(condition: Callable[[], bool], *, timeout_s: float = 20) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "it did not come about in time"
        time.sleep(0.02)


def all_judged() -> bool:
    return not Submission.objects.filter(status__in=Submission.UNFINISHED).exists()


@pytest.fixture
def pool_of(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., WorkerPool]]:
    """Start pools that are stopped when the test ends; they look so rarely that only a wake-up can be what helps."""
    settings.EXECUTOR_POLL_S = settings.EXECUTOR_SWEEP_S = 60
    started: list[WorkerPool] = []

    def start(engine: ScriptedEngine, threads: int = 2, *, is_idle: bool = False) -> WorkerPool:
        looked = threading.Semaphore(0)

        def look() -> Swept:
            try:
                return sweep()
            finally:
                looked.release()

        class Watched(WorkerPool):
            def _wait_for_work(self) -> None:
                looked.release()
                super()._wait_for_work()

        monkeypatch.setattr(workers, "sweep", look)
        pool = Watched(threads, CodeExecutorService(engine))
        pool.start()
        started.append(pool)
        if is_idle:
            # Each thread has looked and found nothing, and so has the sweeper.
            for _ in range(threads + 1):
                assert looked.acquire(timeout=20)
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
        pool = pool_of(ScriptedEngine(), is_idle=True)
        SubmissionFactory()
        pool.wake()
        wait_until(all_judged)

    def test_control_without_a_wake_up_nothing_happens_before_the_poll(
        self, pool_of: Callable[..., WorkerPool]
    ) -> None:
        pool_of(ScriptedEngine(), is_idle=True)
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
            finish.wait(30)
            return double(stdin)

        SubmissionFactory()
        pool_of(ScriptedEngine(slow))
        assert running.wait(20)
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
            finish.wait(30)
            return double(stdin)

        SubmissionFactory()
        pool = pool_of(ScriptedEngine(stuck))
        assert running.wait(20)
        pool.stop()
        judgement = Judgement.objects.get()
        assert (judgement.state, judgement.tries, judgement.submission.status) == ("pending", 0, "pending")
        finish.set()
        # The late result of the stopped worker meets the fence.
        time.sleep(0.3)
        assert Judgement.objects.get().state == "pending"

    def test_it_is_a_worker_as_long_as_it_runs(self, pool_of: Callable[..., WorkerPool], settings: Settings) -> None:
        settings.EXECUTOR_LEASE_RENEW_S = 0.05
        pool = pool_of(ScriptedEngine(), threads=3, is_idle=True)
        wait_until(Worker.objects.exists)
        worker = Worker.objects.get()
        assert (worker.kind, worker.threads) == ("embedded", 3)
        wait_until(lambda: Worker.objects.get().seen_at > worker.seen_at)
        SubmissionFactory()
        pool.wake()
        wait_until(all_judged)
        assert Judgement.objects.get().worker_id == worker.pk
        pool.stop()
        assert not Worker.objects.exists()

    def test_it_outlives_a_database_that_is_away(
        self, pool_of: Callable[..., WorkerPool], monkeypatch: pytest.MonkeyPatch, settings: Settings
    ) -> None:
        settings.EXECUTOR_LEASE_RENEW_S = settings.EXECUTOR_SWEEP_S = settings.EXECUTOR_POLL_S = 0.05
        asked = threading.Semaphore(0)

        def away(*args: object, **kwargs: object) -> NoReturn:
            asked.release()
            raise OperationalError("the database is away")

        with monkeypatch.context() as outage:
            for module, name in ((workers, "claim_next"), (workers, "workers_lost_here"), (leases, "claims_renew")):
                outage.setattr(module, name, away)
            pool_of(ScriptedEngine())
            for _ in range(9):
                assert asked.acquire(timeout=20)
        SubmissionFactory()
        wait_until(all_judged)

    def test_stopping_gives_up_where_the_database_is_away(
        self, pool_of: Callable[..., WorkerPool], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def away(worker_id: object) -> NoReturn:
            raise OperationalError("the database is away")

        pool = pool_of(ScriptedEngine(), is_idle=True)
        with monkeypatch.context() as outage:
            outage.setattr(leases, "worker_forget", away)
            pool.stop()

    def test_stopping_waits_for_what_is_nearly_done(self, pool_of: Callable[..., WorkerPool]) -> None:
        running = threading.Event()

        def short(stdin: bytes) -> RunResult:
            running.set()
            time.sleep(0.1)
            return double(stdin)

        SubmissionFactory()
        pool = pool_of(ScriptedEngine(short))
        assert running.wait(20)
        pool.stop()
        assert all_judged()


class TestSuspects:
    """What two workers were lost over is judged alone."""

    def judged_beside(self, monkeypatch: pytest.MonkeyPatch) -> list[set[int]]:
        """Two that are innocent, a suspect, and another innocent: what the suspect ran together with."""
        suspect = [SubmissionFactory().current_judgement_id for _ in range(4)][2]
        Judgement.objects.filter(pk=suspect).update(tries=2, losses=2)
        running: set[int] = set()
        together: list[set[int]] = []
        lock = threading.Lock()

        def judge(claim: Claim, service: CodeExecutorService) -> None:
            with lock:
                running.add(claim.judgement_id)
                together.append(set(running))
            time.sleep(0.3)
            judge_claimed(claim, service)
            with lock:
                running.discard(claim.judgement_id)

        monkeypatch.setattr(workers, "judge_claimed", judge)
        pool = WorkerPool(3, CodeExecutorService(ScriptedEngine()))
        pool.start()
        try:
            wait_until(all_judged)
        finally:
            pool.stop()
        return [group - {suspect} for group in together if suspect in group and len(group) > 1]

    def test_a_suspect_shares_its_process_with_nobody(
        self, monkeypatch: pytest.MonkeyPatch, settings: Settings
    ) -> None:
        settings.EXECUTOR_POLL_S = 0.1
        assert self.judged_beside(monkeypatch) == []

    def test_control_without_the_rule_it_does(self, monkeypatch: pytest.MonkeyPatch, settings: Settings) -> None:
        settings.EXECUTOR_POLL_S = 0.1
        monkeypatch.setattr(claims, "_losses_of_suspects", lambda: 100)
        assert self.judged_beside(monkeypatch)


class TestEmbeddedWorkers:
    def test_with_no_threads_of_its_own_a_server_leaves_judging_to_others(self, settings: Settings) -> None:
        settings.EXECUTOR_WORKER_THREADS = 0
        workers.start_embedded_workers()
        assert workers._embedded is None

    def test_with_a_broker_too(self, settings: Settings) -> None:
        settings.EXECUTOR_WORKER_THREADS, settings.CELERY_BROKER_URL = 2, "redis://127.0.0.1:1/0"
        workers.start_embedded_workers()
        assert workers._embedded is None

    def test_a_committed_judgement_wakes_them(
        self,
        monkeypatch: pytest.MonkeyPatch,
        pool_of: Callable[..., WorkerPool],
    ) -> None:
        from executor.services.submissions import judgement_create

        pool = pool_of(ScriptedEngine(), is_idle=True)
        monkeypatch.setattr(workers, "_embedded", pool)
        submission = SubmissionFactory()
        first = submission.current_judgement
        Judgement.objects.filter(pk=first.pk).update(state="done", verdict="accepted")
        judgement_create(submission=submission, test_set=first.test_set)
        wait_until(lambda: Judgement.objects.get(number=2).state == "done")
