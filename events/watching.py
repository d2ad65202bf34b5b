"""What the streams of a process watch: messages wake them, one query looks for what messages did not tell, and before
anything is told the right to it is read again. All of it in two threads, however many listen.
"""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import structlog
from django.conf import settings
from django.db import connections

from events.hub import Message, listening
from events.rights import credentials_standing
from events.streams import Asked, Source, Stream
from events.wire import Shown

logger = structlog.get_logger("assay.events")

# Streams read in one go, and the pause after each, in which more gather.
BATCH = 100
GATHER_S = 0.05


@dataclass(frozen=True, slots=True)
class Ended:
    """The stream is over. `reason` is told to the listener; nothing is where it is empty."""

    reason: str = ""


SIGNED_OUT = Ended("signed_out")
NOT_AVAILABLE = Ended("not_available")
SERVER_STOPS = Ended()

News = Shown | Ended


@dataclass(eq=False)
class Listener:
    """One stream while it is open: the last thing there is to tell, and that there is something."""

    stream: Stream
    checked_at_s: float
    news: News | None = None
    stirred: asyncio.Event = field(default_factory=asyncio.Event)

    def tell(self, news: News) -> None:
        """Newer news replace older ones that were not sent yet; the end stays the end."""
        if not isinstance(self.news, Ended):
            self.news = news
        self.stirred.set()

    def take(self) -> News | None:
        news, self.news = self.news, None
        self.stirred.clear()
        return news


class Watch:
    """The open streams of one event loop. Its threads and tasks live while there are any."""

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self._listeners: dict[Listener, ExitStack] = {}
        self._stale: dict[Listener, None] = {}
        self._has_stale = asyncio.Event()
        self._running = ExitStack()

    def join(self, stream: Stream) -> Listener:
        """Begin to watch for a stream; what changed since its first events were read is told too."""
        listener = Listener(stream, checked_at_s=self.loop.time())
        if not self._listeners:
            self._start()
        stack = self._listeners[listener] = ExitStack()
        stack.enter_context(listening(stream.topic, partial(self._heard_in_a_thread, listener)))
        self._mark(listener)
        return listener

    def leave(self, listener: Listener) -> None:
        """Watch no longer."""
        self._listeners.pop(listener).close()
        self._stale.pop(listener, None)
        if not self._listeners:
            self._running.close()

    def _start(self) -> None:
        pool = ThreadPoolExecutor(2, thread_name_prefix="assay-events")
        self._running.callback(pool.shutdown, wait=False)
        for work in (self._tell(pool), self._look(pool)):
            self._running.callback(self.loop.create_task(work).cancel)

    def end_all(self) -> None:
        """The server stops."""
        for listener in self._listeners:
            listener.tell(SERVER_STOPS)

    def _heard_in_a_thread(self, listener: Listener, message: Message) -> None:
        with suppress(RuntimeError):  # the loop has ended
            self.loop.call_soon_threadsafe(self._heard, listener, message)

    def _heard(self, listener: Listener, message: Message) -> None:
        if message:
            listener.stream.progress = message
        self._mark(listener)

    def _mark(self, listener: Listener) -> None:
        if listener in self._listeners:
            self._stale[listener] = None
            self._has_stale.set()

    async def _tell(self, pool: ThreadPoolExecutor) -> None:
        """Read for those for whom something may have changed, in batches."""
        while True:
            await self._has_stale.wait()
            batch = list(self._stale)[:BATCH]
            for listener in batch:
                del self._stale[listener]
            try:
                streams = [listener.stream for listener in batch]
                answers = await self.loop.run_in_executor(pool, _in_a_thread, partial(read_for, streams))
            except Exception:
                # Without the database nobody's right is known, so nobody is told anything; the next look tries again.
                logger.warning("event_read_failed", streams=len(batch), exc_info=True)
                answers = []
            now_s = self.loop.time()
            for listener, news in zip(batch, answers, strict=False):
                listener.checked_at_s = now_s
                if listener in self._listeners:
                    listener.tell(news)
            await asyncio.sleep(GATHER_S)
            if not self._stale:
                self._has_stale.clear()

    async def _look(self, pool: ThreadPoolExecutor) -> None:
        """Find what no message told, and whose right was not read for a while."""
        while True:
            await asyncio.sleep(settings.EVENTS_POLL_S)
            keys: dict[Source, set[int]] = {}
            for listener in self._listeners:
                keys.setdefault(listener.stream.source, set()).add(listener.stream.key)
            try:
                versions = await self.loop.run_in_executor(pool, _in_a_thread, partial(_versions, keys))
            except Exception:
                logger.warning("event_poll_failed", exc_info=True)
                continue
            due_s = self.loop.time() - settings.EVENTS_RECHECK_S
            for listener in list(self._listeners):
                stream = listener.stream
                known = stream.seen.version
                if listener.checked_at_s <= due_s or versions.get((stream.source, stream.key), known + 1) != known:
                    self._mark(listener)


def read_for(streams: Sequence[Stream]) -> list[News]:
    """What each stream's listener may be told now, by what the database says now."""
    users = credentials_standing({stream.credential for stream in streams})
    standing = [stream for stream in streams if stream.credential in users]
    news: dict[Stream, News] = dict.fromkeys(streams, SIGNED_OUT)
    for source in {stream.source for stream in standing}:
        of_source = [stream for stream in standing if stream.source == source]
        asked = [Asked(user=users[stream.credential], key=stream.key, progress=stream.progress) for stream in of_source]
        for stream, shown in zip(of_source, source.read(asked), strict=True):
            news[stream] = NOT_AVAILABLE if shown is None else shown
    # Once more, after what is told was read: it may be newer than the end of a sign-in.
    stand_yet = credentials_standing({stream.credential for stream in standing})
    return [news[stream] if stream.credential in stand_yet else SIGNED_OUT for stream in streams]


def _versions(keys: dict[Source, set[int]]) -> dict[tuple[Source, int], int]:
    return {
        (source, key): version for source, wanted in keys.items() for key, version in source.versions(wanted).items()
    }


def _in_a_thread(work: Callable[[], Any]) -> Any:
    """The connection is given back after each piece of work: idle threads hold none."""
    try:
        return work()
    finally:
        connections.close_all()
