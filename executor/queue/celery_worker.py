"""A worker under Celery: each child process judges one at a time, and is a `Worker` of its own.

The main process only hands out messages. When it is told to stop, its children learn that from a pipe, end what they
judge or give it back, and are struck off; a killed one is found by the sweep.

A child that has heard nothing for a while looks for work by itself: main processes were seen to go deaf, without a word
in the log, when their Redis was restarted.
"""

import os
import threading
import time
import uuid
from collections.abc import Collection
from functools import partial
from pathlib import Path
from typing import Any

import structlog
from celery import Celery
from celery.signals import (
    after_task_publish,
    heartbeat_sent,
    user_preload_options,
    worker_init,
    worker_process_init,
    worker_process_shutdown,
    worker_shutting_down,
)
from click import Option
from django.conf import settings
from django.db import connection

from executor.models import Judgement, Worker
from executor.queue import publishing, sweeper
from executor.queue.claims import claim_next, claim_release
from executor.queue.judge import judge_claimed
from executor.queue.leases import LeaseKeeper
from executor.queue.registry import workers_lost_here
from executor.queue.workers import STOP_PATIENCE_S
from executor.services.code_executor import CodeExecutorService
from executor.services.languages import languages_tell
from executor.services.queued_runs import queued_run_work_off, queued_runs_overlooked

logger = structlog.get_logger("assay.queue")

# What one message may lead to. Short, so that sweeps and free runs come in between, and a stop is soon heard.
TURN_S = 5.0
TURN_JUDGINGS_MAX = 50
# A child that heard no message for so many sweeps' time looks by itself.
DEAF_SWEEPS = 3


def sweep_all() -> list[str]:
    """Return what lost workers held, throw away what is over, tell what this worker offers; overlooked free runs."""
    workers_lost_here()
    sweeper.sweep()
    languages_tell()
    return [str(run_id) for run_id in queued_runs_overlooked()]


class ChildWorker:
    """The worker that a process is; `stop` may come from another thread."""

    def __init__(self) -> None:
        self.stopping = threading.Event()
        self._idle = threading.Event()
        self._idle.set()
        self._keeper = LeaseKeeper(Worker.Kind.CELERY, 1)
        self._service: CodeExecutorService | None = None
        # A message and a look by oneself do not judge at once.
        self._turn = threading.Lock()
        self._heard_at_s = time.monotonic()

    def start(self) -> None:
        """Begin to live; what another process of this machine left when it was killed is taken up at once."""
        self._keeper.start()
        try:
            workers_lost_here()
        except Exception:
            # The database is away: the sweep does it later.
            logger.exception("recovery_failed")
        connection.close()

    def hear(self) -> None:
        """A message came."""
        self._heard_at_s = time.monotonic()

    def look_while_deaf(self, queues: Collection[str]) -> None:
        """Until it stops: where no message comes, look again and again at what the messages of its queues tell of."""
        while not self.stopping.wait(settings.EXECUTOR_SWEEP_S):
            if time.monotonic() >= self._heard_at_s + DEAF_SWEEPS * settings.EXECUTOR_SWEEP_S:
                try:
                    self.look(queues)
                except Exception:
                    logger.exception("look_failed")
                connection.close()

    def look(self, queues: Collection[str]) -> None:
        """Do once what the messages of these queues would have led to."""
        if publishing.RUNS in queues:
            for run_id in sweep_all():
                queued_run_work_off(run_id=uuid.UUID(run_id))
        for lane in Judgement.Lane.values:
            if lane in queues:
                self.judge_some(lane)

    def judge_some(self, lane: str) -> bool:
        """Judge what waits in a lane, for a bounded time; whether that ended it, so that more may wait."""
        with self._turn:
            return self._judge_some(lane)

    def _judge_some(self, lane: str) -> bool:
        if self._service is None:
            self._service = CodeExecutorService()
        ends_at = time.monotonic() + TURN_S
        self._idle.clear()
        try:
            for _ in range(TURN_JUDGINGS_MAX):
                if self.stopping.is_set() or time.monotonic() >= ends_at:
                    return True
                claim = claim_next(self._keeper.worker_id, lanes=[lane])
                if claim is None:
                    return False
                with self._keeper.holding(claim):
                    judge_claimed(claim, self._service)
            return True
        finally:
            self._idle.set()

    def stop(self) -> None:
        """Take nothing any more; what is not judged within a while goes back into the queue at once."""
        self.stopping.set()
        if self._idle.wait(STOP_PATIENCE_S):
            return
        try:
            for claim in self._keeper.held():
                claim_release(claim)
        except Exception:
            logger.exception("worker_stop_failed")
        connection.close()

    def end(self) -> None:
        """Strike this worker off, as its process ends."""
        try:
            self._keeper.stop()
        except Exception:
            logger.exception("worker_stop_failed")
        connection.close()


_worker: ChildWorker | None = None
# Its write end is open in the main process alone, until that one stops.
_pipe: tuple[int, int] | None = None
_alive_file: Path | None = None


def this_worker() -> ChildWorker:
    """The worker that this process is, begun by need where the pool has no processes of its own."""
    global _worker
    if _worker is None:
        _worker = ChildWorker()
        _worker.start()
    return _worker


def with_lifecycle(app: Celery) -> Celery:
    """Let the app's workers begin and end as such, and say that they live: `--alive-file`, also for beat."""
    app.user_options["preload"].add(
        Option(["--alive-file"], help="Touch this file while messages go to and from the broker.")
    )
    user_preload_options.connect(_note_alive_file)
    heartbeat_sent.connect(_touch_alive_file)
    after_task_publish.connect(_touch_alive_file)
    worker_init.connect(_open_pipe)
    worker_shutting_down.connect(_close_pipe)
    worker_process_init.connect(partial(_begin, app), weak=False)
    worker_process_shutdown.connect(_end)
    return app


def _open_pipe(**kwargs: object) -> None:
    global _pipe
    _pipe = os.pipe()


def _close_pipe(**kwargs: object) -> None:
    """In the main process, when it is told to stop."""
    global _pipe
    if _pipe is not None:
        os.close(_pipe[1])
        _pipe = None


def _begin(app: Celery, **kwargs: object) -> None:
    worker = this_worker()
    consumed = [name.removeprefix(settings.EXECUTOR_MESSAGES_PREFIX) for name in app.amqp.queues.consume_from]
    threading.Thread(target=worker.look_while_deaf, args=(consumed,), name="assay-look", daemon=True).start()
    if _pipe is not None:
        os.close(_pipe[1])
        threading.Thread(target=_await_stop, args=(worker, _pipe[0]), name="assay-stop", daemon=True).start()


def _await_stop(worker: ChildWorker, read_end: int) -> None:
    os.read(read_end, 1)
    worker.stop()


def _end(**kwargs: object) -> None:
    if _worker is not None:
        _worker.end()
    # Such a process ends without the usual last rites.
    publishing.stop()


def _note_alive_file(*, options: dict[str, Any], **kwargs: object) -> None:
    global _alive_file
    if options.get("alive_file"):
        _alive_file = Path(options["alive_file"])


def _touch_alive_file(**kwargs: object) -> None:
    if _alive_file is not None:
        _alive_file.touch()
