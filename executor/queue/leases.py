"""Keeping leases alive: a thread that renews what its process judges, and says that its worker lives."""

import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

import structlog
from django.conf import settings
from django.db import connection

from executor.queue.claims import Claim, claims_renew
from executor.queue.registry import worker_forget, worker_named, worker_seen

logger = structlog.get_logger("assay.queue")


class LeaseKeeper:
    """One worker of this process, which is made after any fork: its row, its heartbeat, and the leases it holds."""

    def __init__(self, kind: str, threads: int) -> None:
        self.worker_id: uuid.UUID = worker_named(kind, threads)
        self._claims: dict[int, Claim] = {}
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to say that this worker lives, even before the database answers."""
        self._thread = threading.Thread(target=self._keep, name="assay-leases", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Renew nothing any more, and strike this worker off."""
        self._stopped.set()
        if self._thread is not None:
            # Not for ever: the database may hang.
            self._thread.join(settings.EXECUTOR_LEASE_RENEW_S)
        worker_forget(self.worker_id)

    @contextmanager
    def holding(self, claim: Claim) -> Iterator[None]:
        """Renew a claim's lease for as long as the block lasts."""
        with self._lock:
            self._claims[claim.judgement_id] = claim
        try:
            yield
        finally:
            with self._lock:
                self._claims.pop(claim.judgement_id, None)

    def held(self) -> list[Claim]:
        """What is being judged now."""
        with self._lock:
            return sorted(self._claims.values(), key=lambda claim: claim.judgement_id)

    def _keep(self) -> None:
        while True:
            try:
                lost = claims_renew(self.held())
                worker_seen(self.worker_id)
                held = self.held()
                for claim in lost:
                    if claim in held:
                        # Another may have it by now. What comes of the judging meets the fence.
                        logger.warning("claim_lost", submission_id=claim.submission_id, judgement_id=claim.judgement_id)
            except Exception:
                logger.exception("lease_keeper_failed")
            connection.close()
            if self._stopped.wait(settings.EXECUTOR_LEASE_RENEW_S):
                return
