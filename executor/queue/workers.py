"""Worker threads: they live in the server process, or in `manage.py judge_worker`."""

import threading
import time
from collections.abc import Callable, Mapping

import structlog
from django.conf import settings
from django.db import connection

from core.connections import connection_give_back
from executor.models import Worker
from executor.queue.claims import Claim, claim_next, claim_release
from executor.queue.judge import judge_claimed
from executor.queue.leases import LeaseKeeper
from executor.queue.registry import workers_lost_here
from executor.queue.sweeper import sweep
from executor.services.code_executor import CodeExecutorService
from executor.services.engines import default_engine

logger = structlog.get_logger("assay.queue")

# How long a stopping server waits for judgings to end before it gives them back.
STOP_PATIENCE_S = 10.0


class WorkerPool:
    """A few threads that claim and judge, one that keeps their leases, and one that sweeps.

    Woken after a commit and by a slow poll, so that work queued by another process, or before a crash, is found too.
    What may kill its worker is judged while all other threads rest, so that it takes nobody's judging with it.
    """

    def __init__(
        self,
        threads: int,
        service: CodeExecutorService | None = None,
        *,
        kind: Worker.Kind = Worker.Kind.EMBEDDED,
    ) -> None:
        self._service = service
        self._count = threads
        self._threads: list[threading.Thread] = []
        self._wake = threading.Condition()
        self._has_work = False
        self._stopping = threading.Event()
        self._keeper = LeaseKeeper(kind, threads)
        self._taking = threading.Lock()
        self._judging = 0
        self._is_closed = False

    def start(self) -> None:
        """Start the threads; what a crash on this machine left claimed is taken up at once."""
        self._keeper.start()
        targets: list[tuple[Callable[[], object], str]] = [(self._sweep, "assay-sweeper")]
        if self._service is None:
            # Said in the log at the start, and known before the first submission waits for it.
            targets.append((default_engine().health, "assay-engine"))
        targets += [(self._work, f"assay-worker-{number}") for number in range(self._count)]
        for target, name in targets:
            thread = threading.Thread(target=target, name=name, daemon=True)
            thread.start()
            self._threads.append(thread)

    def wake(self, *, threads: int = 1) -> None:
        """There may be work for so many threads: look now instead of at the next poll."""
        with self._wake:
            self._has_work = True
            self._wake.notify(threads)

    def stop(self) -> None:
        """Finish what is being judged, for a while; give the rest back to the queue."""
        self._stopping.set()
        self.wake(threads=self._count)
        deadline = time.monotonic() + STOP_PATIENCE_S
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        try:
            for claim in self._keeper.held():
                claim_release(claim)
            self._keeper.stop()
        except Exception:
            # The database is away: the leases run out, and the rest of the server has to stop too.
            logger.exception("worker_stop_failed")
        connection.close()

    def _work(self) -> None:
        service = self._service or CodeExecutorService()
        while not self._stopping.is_set():
            try:
                found = self._work_once(service)
            except Exception:
                # The database may be away for a moment; a worker outlives that.
                logger.exception("worker_failed")
                found = False
            if not found:
                connection_give_back()
                self._wait_for_work()
        connection.close()

    def _work_once(self, service: CodeExecutorService) -> bool:
        claim = self._take()
        if claim is None:
            return False
        try:
            with self._keeper.holding(claim):
                judge_claimed(claim, service)
        finally:
            with self._taking:
                self._judging -= 1
                was_closed, self._is_closed = self._is_closed, False
            if was_closed:
                self.wake(threads=self._count)
        return True

    def _take(self) -> Claim | None:
        """Claim the next one; a suspect only while nothing else is judged here, and nothing else while one is."""
        with self._taking:
            if self._is_closed or self._stopping.is_set():
                return None
            claim = claim_next(self._keeper.worker_id, takes_suspects=self._judging == 0)
            if claim is not None:
                self._judging += 1
                self._is_closed = claim.is_suspect
            return claim

    def _wait_for_work(self) -> None:
        with self._wake:
            if not self._has_work:
                self._wake.wait(settings.EXECUTOR_POLL_S)
            self._has_work = False

    def _sweep(self) -> None:
        has_recovered = False
        while not self._stopping.is_set():
            try:
                if not has_recovered:
                    workers_lost_here()
                    has_recovered = True
                if sweep().waiting:
                    self.wake(threads=self._count)
            except Exception:
                logger.exception("sweep_failed")
            connection.close()
            self._stopping.wait(settings.EXECUTOR_SWEEP_S)


_embedded: WorkerPool | None = None


def start_embedded_workers() -> None:
    """Start this process's own workers, `EXECUTOR_WORKER_THREADS` of them, unless others have to judge and sweep.

    Those are `manage.py judge_worker` where the number is 0, and Celery's workers and beat where there is a broker.
    """
    global _embedded
    if settings.EXECUTOR_WORKER_THREADS and not settings.CELERY_BROKER_URL and _embedded is None:
        _embedded = WorkerPool(settings.EXECUTOR_WORKER_THREADS)
        _embedded.start()


def stop_embedded_workers() -> None:
    """Stop them in order."""
    global _embedded
    if _embedded is not None:
        _embedded.stop()
        _embedded = None


def wake_embedded_workers(counts: Mapping[str, int] | None = None, **kwargs: object) -> None:
    """Receiver of `judgement_queued` and `queue_waits`: so many of this process's workers look for work at once."""
    if _embedded is not None:
        _embedded.wake(threads=sum(counts.values()) if counts else 1)
