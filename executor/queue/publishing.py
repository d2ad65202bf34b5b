"""Telling workers elsewhere that there is work. Messages are hints: a lost one costs the seconds until the next sweep.

Whoever submits never meets the broker: messages are put into a bounded queue of this process, and one thread sends
them. After a failure it rests, and what comes meanwhile is left to the sweeper. Nothing of Celery is imported before
the first message is sent.
"""

import atexit
import os
import queue
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

import structlog
from django.conf import settings

from executor.selectors.queue import threads_live

logger = structlog.get_logger("assay.queue")

WAITING_MAX = 1000
# After a failure; the sweeper looks about as often.
REST_S = 5.0
# A link that was not used for so long is closed, before something on the way forgets it.
IDLE_S = 30.0
# What an ending process gives the messages that still wait.
FLUSH_S = 2.0
RUNS = "runs"


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One wake-up: the task, its arguments, and the queue it goes through."""

    task: str
    args: tuple[str | int | None, ...]
    queue: str


class Link(Protocol):
    """A connection to the broker."""

    def send(self, message: Message) -> None: ...

    def close(self) -> None: ...


class Publisher:
    """Sends messages from a thread of its own, which begins with the first one."""

    def __init__(self, connect: Callable[[], Link], *, rest_s: float = REST_S) -> None:
        self._connect = connect
        self._rest_s = rest_s
        self._waiting: queue.Queue[Message | None] = queue.Queue(WAITING_MAX)
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._link: Link | None = None
        self._rests_until = 0.0

    @property
    def is_resting(self) -> bool:
        """Whether the broker failed a moment ago."""
        return time.monotonic() < self._rests_until

    def offer(self, message: Message) -> bool:
        """Have it sent soon. False, at once, where it will not be: the broker is away, or too many wait."""
        if self.is_resting:
            return False
        try:
            self._waiting.put_nowait(message)
        except queue.Full:
            return False
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._send_all, name="assay-publisher", daemon=True)
                self._thread.start()
        return True

    def stop(self, *, within_s: float = FLUSH_S) -> None:
        """Send what waits, for a while; then leave it to the sweeper."""
        with self._lock:
            thread = self._thread
        if thread is not None:
            try:
                self._waiting.put(None, timeout=within_s)
            except queue.Full:
                return
            thread.join(within_s)

    def _send_all(self) -> None:
        while True:
            try:
                message = self._waiting.get(timeout=IDLE_S)
            except queue.Empty:
                self._close()
                continue
            if message is None:
                self._close()
                return
            if not self.is_resting:
                self._send(message)

    def _send(self, message: Message) -> None:
        try:
            if self._link is None:
                self._link = self._connect()
            self._link.send(message)
        except Exception:
            # Whatever a driver raises, a hint was not given: the rows are the truth, and the sweeper reads them.
            logger.warning("broker_away", rest_s=self._rest_s, exc_info=True)
            self._rests_until = time.monotonic() + self._rest_s
            self._close()

    def _close(self) -> None:
        link, self._link = self._link, None
        if link is not None:
            try:
                link.close()
            except Exception:
                logger.info("broker_link_broken", exc_info=True)


def broker_link() -> Link:
    """A new connection to the broker of the settings; each step of it waits a second or two at most."""
    from executor.queue.messages import BrokerLink, make_app

    return BrokerLink(make_app())


_publisher = Publisher(broker_link)


def _forget_the_parent_s() -> None:
    """A forked process has neither its parent's thread nor a right to its connection."""
    global _publisher
    _publisher = Publisher(broker_link)


os.register_at_fork(after_in_child=_forget_the_parent_s)


def stop() -> None:
    """Send what waits in this process, for a moment, as it ends."""
    _publisher.stop()


atexit.register(stop)


def publish(message: Message) -> bool:
    """Have a message sent soon, if there is a broker; False where it will not be."""
    return settings.CELERY_BROKER_URL is not None and _publisher.offer(message)


def publish_judgement(*, judgement_id: int | None, lane: str, **kwargs: object) -> None:
    """Receiver of `judgement_queued`. The id is for the logs: whoever is woken takes what is most due."""
    publish(Message(task="executor.judge", args=(judgement_id, str(lane)), queue=str(lane)))


def publish_waiting(*, counts: Mapping[str, int], **kwargs: object) -> None:
    """Receiver of `queue_waits`: as many wake-ups as threads could follow, however much waits."""
    if settings.CELERY_BROKER_URL is None:
        return
    followers = max(1, threads_live())
    for lane, count in counts.items():
        for _ in range(min(count, followers)):
            publish_judgement(judgement_id=None, lane=lane)


def publish_free_run(*, run_id: str, **kwargs: object) -> bool | None:
    """Receiver of `free_run_queued`: False where the broker is known to be away."""
    return publish(Message(task="executor.run", args=(run_id,), queue=RUNS))
