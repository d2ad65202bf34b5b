"""How many requests a process works on at a time. The others wait before Django, where waiting costs little."""

import asyncio
import json
from collections import deque
from enum import Enum

import structlog
from django.conf import settings

from core.asgi import Application, Message, Receive, Scope, Send
from core.problems import CONTENT_TYPE, problem_body

logger = structlog.get_logger("assay.places")

# Probes are answered however busy the process is.
ALWAYS_LET_IN = frozenset({"/healthz", "/readyz"})
WAITING_MAX = 1000
PATIENCE_S = 30.0
RETRY_AFTER_S = 5


class Entry(Enum):
    """What came of asking for a place."""

    GIVEN = "given"
    REFUSED = "refused"  # too many wait, or it took too long
    LEFT = "left"  # the caller did not wait for it


def requests_at_once() -> int:
    """`CORE_REQUESTS_AT_ONCE`, and never more than the database pool has connections.

    A request holds its connection from its first query to its end. One more than there are connections would wait in
    the pool, in a thread, with less patience than here and no order; and the judging threads beside it, too.
    """
    pool = settings.DATABASES["default"].get("OPTIONS", {}).get("pool")
    most = pool["max_size"] if isinstance(pool, dict) else settings.CORE_REQUESTS_AT_ONCE
    return int(min(settings.CORE_REQUESTS_AT_ONCE, most))


def with_places(
    django: Application, *, at_once: int, waiting_max: int = WAITING_MAX, patience_s: float = PATIENCE_S
) -> Application:
    """Let at most `at_once` requests into `django`; the next `waiting_max` wait in order for up to `patience_s`.

    Whoever is over that gets a 503 with `Retry-After`. The place is free once the answer begins: reading it slowly is
    the caller's own affair. For behind `with_whole_body`: `received_at` is taken before the wait (law 6), and the body
    is one message.

    A caller that leaves while waiting leaves the line; one that leaves later has its place until its thread has ended.
    """
    places = _Places(at_once, waiting_max=waiting_max, patience_s=patience_s)

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in ALWAYS_LET_IN:
            await django(scope, receive, send)
            return
        body = await receive()
        entry = await places.enter(receive)
        if entry is Entry.REFUSED:
            logger.warning("request_refused", path=scope["path"], waiting=len(places.waiting))
            await _refuse(send)
        if entry is not Entry.GIVEN:
            return
        is_held = True

        async def answered(message: Message) -> None:
            nonlocal is_held
            if is_held:
                is_held = False
                places.leave()
            await send(message)

        try:
            await django(scope, _again(body, receive), answered)
        finally:
            if is_held:
                places.leave()

    return application


class _Places:
    """Some places and a line before them. Of one event loop, so nothing here needs a lock."""

    def __init__(self, count: int, *, waiting_max: int, patience_s: float) -> None:
        self.waiting: deque[asyncio.Future[None]] = deque()
        self._free = count
        self._waiting_max = waiting_max
        self._patience_s = patience_s

    async def enter(self, receive: Receive) -> Entry:
        if self._free and not self.waiting:
            self._free -= 1
            return Entry.GIVEN
        if len(self.waiting) >= self._waiting_max:
            return Entry.REFUSED
        place = asyncio.get_running_loop().create_future()
        self.waiting.append(place)
        leaving = asyncio.ensure_future(left(receive))
        is_kept = False
        try:
            await asyncio.wait((place, leaving), timeout=self._patience_s, return_when=asyncio.FIRST_COMPLETED)
            is_kept = place.done() and not leaving.done()
            if is_kept:
                return Entry.GIVEN
            return Entry.LEFT if leaving.done() else Entry.REFUSED
        finally:
            leaving.cancel()
            if not is_kept:
                self._give_back(place)

    def leave(self) -> None:
        """The place goes to the first of the line."""
        if self.waiting:
            self.waiting.popleft().set_result(None)
        else:
            self._free += 1

    def _give_back(self, place: "asyncio.Future[None]") -> None:
        if place.done():
            self.leave()
        else:
            self.waiting.remove(place)


async def left(receive: Receive) -> None:
    """Return once the caller has left."""
    while (await receive())["type"] != "http.disconnect":
        pass


def _again(body: Message, receive: Receive) -> Receive:
    """The body that was received already, then what else comes."""
    messages = [body]

    async def receive_again() -> Message:
        return messages.pop() if messages else await receive()

    return receive_again


async def _refuse(send: Send) -> None:
    detail = "The server is busy with other requests. Nothing was done; try again."
    body = json.dumps(problem_body(status=503, code="service_unavailable", detail=detail)).encode()
    headers = [
        (b"content-type", CONTENT_TYPE.encode()),
        (b"content-length", str(len(body)).encode()),
        (b"retry-after", str(RETRY_AFTER_S).encode()),
        (b"cache-control", b"no-store"),
    ]
    await send({"type": "http.response.start", "status": 503, "headers": headers})
    await send({"type": "http.response.body", "body": body})
