"""Who judges: each process that does is a row, seen again and again by the database's clock.

A worker that is not seen any more is lost, and so is what it held. On the machine it ran on that is known at once.
"""

import os
import socket
import uuid
from datetime import timedelta
from pathlib import Path

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef
from django.db.models.functions import Now

from executor.models import Judgement, Worker

logger = structlog.get_logger("assay.queue")

# A worker says every quarter of a lease that it lives, and renews its leases with it: when one of them runs out, it was
# not seen for about a lease's length, be it a moment less.
GONE_AFTER_SHARE = 0.75
_ENDED = ("Z", "X")

# What this process's workers are, for a row that was forgotten while the process was frozen.
_own: dict[uuid.UUID, tuple[str, int]] = {}


def worker_named(kind: str, threads: int) -> uuid.UUID:
    """An id for a worker of this process that judges `threads` at a time; `worker_seen` writes it down."""
    worker_id = uuid.uuid4()
    _own[worker_id] = (kind, threads)
    return worker_id


def worker_register(kind: str, threads: int) -> uuid.UUID:
    """Write down a new worker of this process, as seen now."""
    worker_id = worker_named(kind, threads)
    worker_seen(worker_id)
    return worker_id


def worker_seen(worker_id: uuid.UUID) -> None:
    """Note that a worker of this process lives; one whose row is not there, or not any more, gets it."""
    if Worker.objects.filter(pk=worker_id).update(seen_at=Now()):
        return
    kind, threads = _own[worker_id]
    process_id = os.getpid()
    Worker.objects.create(
        id=worker_id,
        kind=kind,
        host=_host(),
        process_id=process_id,
        process_started=_process_started(process_id) or "",
        threads=threads,
        started_at=Now(),
        seen_at=Now(),
    )


def worker_forget(worker_id: uuid.UUID) -> None:
    """Strike off a worker of this process: it has ended in order and holds nothing."""
    _own.pop(worker_id, None)
    Worker.objects.filter(pk=worker_id).delete()


def worker_is_gone(worker_id: uuid.UUID | None) -> bool:
    """Whether a worker that let a lease run out is lost, rather than alive and slow; nobody in particular is lost."""
    if worker_id is None:
        return True
    seen_since = Now() - timedelta(seconds=GONE_AFTER_SHARE * settings.EXECUTOR_LEASE_S)
    return not Worker.objects.filter(pk=worker_id, seen_at__gte=seen_since).exists()


def workers_lost_here() -> int:
    """End the leases of workers of this very machine whose process is gone; how many claims that were.

    After a crash and a restart the work goes on at once, instead of when the leases run out.
    """
    ended = 0
    for worker in Worker.objects.filter(host=_host()):
        if _is_running(worker.process_id, worker.process_started):
            continue
        with transaction.atomic():
            # Locked so that of several processes that start together one does it.
            if not Worker.objects.select_for_update().filter(pk=worker.pk).exists():
                continue
            held = Judgement.objects.filter(worker_id=worker.pk, state=Judgement.State.CLAIMED)
            claims = held.update(leased_until=Now() - timedelta(seconds=1))
            Worker.objects.filter(pk=worker.pk).delete()
        logger.warning("worker_lost", worker_id=str(worker.pk), process_id=worker.process_id, claims=claims)
        ended += claims
    return ended


def workers_forget_gone() -> int:
    """Strike off workers that were not seen for a lease's length and hold nothing; how many that were."""
    held = Judgement.objects.filter(worker_id=OuterRef("pk"), state=Judgement.State.CLAIMED)
    unseen = Worker.objects.filter(seen_at__lt=Now() - timedelta(seconds=settings.EXECUTOR_LEASE_S))
    return unseen.filter(~Exists(held)).delete()[0]


def _host() -> str:
    """Where a process id of ours means the same process: one boot of one machine, and one process namespace."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        namespace = os.readlink("/proc/self/ns/pid")
    except OSError:
        boot = namespace = "unknown"
    return f"{socket.gethostname()[:100]} {boot} {namespace}"


def _is_running(process_id: int, started: str) -> bool:
    """Whether that very process still runs; where it cannot be told, it does."""
    try:
        os.kill(process_id, 0)
    except ProcessLookupError:
        return False
    except OSError:
        pass  # another user's
    now = _process_started(process_id)
    return now is None or not started or now == started


def _process_started(process_id: int) -> str | None:
    """When a process began, in ticks since the boot; None where it cannot be read, and "ended" for a dead one."""
    try:
        # Behind the last parenthesis: a process may be called anything.
        fields = Path(f"/proc/{process_id}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return "ended" if fields[0] in _ENDED else fields[19]
