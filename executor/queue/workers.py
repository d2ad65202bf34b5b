"""Worker threads: they live in the server process, or in `manage.py judge_worker`."""

import threading
import time
from collections.abc import Callable

import structlog
from django.conf import settings
from django.db import connection

from executor.queue.claims import Claim, claim_next, claim_release, claims_recover, claims_renew
from executor.queue.judge import judge_claimed
from executor.services.code_executor import CodeExecutorService
from executor.services.engines import default_engine

logger = structlog.get_logger("assay.queue")

# How long a stopping server waits for judgings to end before it gives them back.
STOP_PATIENCE_S = 10.0


class WorkerPool:
    """A few threads that claim and judge, and one that renews their leases and returns those of lost workers.

    Woken after a commit and by a slow poll, so that work queued by another process, or before a crash, is found too.
    """

    def __init__(self, threads: int, service: CodeExecutorService | None = None) -> None:
        self._service = service
        self._count = threads
        self._threads: list[threading.Thread] = []
        self._wake = threading.Condition()
        self._has_work = False
        self._stopping = threading.Event()
        self._claims: dict[int, Claim] = {}
        self._claims_lock = threading.Lock()

    def start(self) -> None:
        """Start the threads; judgements that a crash left claimed are returned as their leases run out."""
        targets: list[tuple[Callable[[], object], str]] = [(self._keep_leases, "assay-leases")]
        if self._service is None:
            # Said in the log at the start, and known before the first submission waits for it.
            targets.append((default_engine().health, "assay-engine"))
        targets += [(self._work, f"assay-worker-{number}") for number in range(self._count)]
        for target, name in targets:
            thread = threading.Thread(target=target, name=name, daemon=True)
            thread.start()
            self._threads.append(thread)

    def wake(self) -> None:
        """There may be work: look now instead of at the next poll."""
        with self._wake:
            self._has_work = True
            self._wake.notify_all()

    def stop(self) -> None:
        """Finish what is being judged, for a while; give the rest back to the queue."""
        self._stopping.set()
        self.wake()
        deadline = time.monotonic() + STOP_PATIENCE_S
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        with self._claims_lock:
            unfinished = list(self._claims.values())
        for claim in unfinished:
            claim_release(claim)
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
                connection.close()
                self._wait_for_work()
        connection.close()

    def _work_once(self, service: CodeExecutorService) -> bool:
        claim = claim_next()
        if claim is None:
            return False
        with self._claims_lock:
            self._claims[claim.judgement_id] = claim
        try:
            judge_claimed(claim, service)
        finally:
            with self._claims_lock:
                self._claims.pop(claim.judgement_id, None)
        return True

    def _wait_for_work(self) -> None:
        with self._wake:
            if not self._has_work:
                self._wake.wait(settings.EXECUTOR_POLL_S)
            self._has_work = False

    def _keep_leases(self) -> None:
        while True:
            try:
                with self._claims_lock:
                    held = list(self._claims.values())
                claims_renew(held)
                if claims_recover():
                    self.wake()
            except Exception:
                logger.exception("lease_keeper_failed")
            connection.close()
            if self._stopping.wait(settings.EXECUTOR_LEASE_RENEW_S):
                return


_embedded: WorkerPool | None = None


def start_embedded_workers() -> None:
    """Start this process's own workers, `EXECUTOR_WORKER_THREADS` of them; with 0 others have to judge."""
    global _embedded
    if settings.EXECUTOR_WORKER_THREADS and _embedded is None:
        _embedded = WorkerPool(settings.EXECUTOR_WORKER_THREADS)
        _embedded.start()


def stop_embedded_workers() -> None:
    """Stop them in order."""
    global _embedded
    if _embedded is not None:
        _embedded.stop()
        _embedded = None


def wake_embedded_workers(**kwargs: object) -> None:
    """Receiver of `judgement_queued`: this process's workers, if it has any, look for work at once."""
    if _embedded is not None:
        _embedded.wake()
