"""Event streams: a view answers the first events, and the server goes on with the stream after Django is done with it.

So an open stream holds no thread and no database connection. Without the server's part, under WSGI or in a test, the
answer is what the view gave, and the client asks again.
"""

import threading
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from accounts.models import User
from core.errors import ServiceUnavailable, TooManyRequests
from events.hub import Message
from events.rights import Credential
from events.wire import RETRY, Seen, Shown, event_of

# Where in a request's scope the server waits for a stream. No header, so nothing a caller or a view could forge.
HANDOVER = "assay.stream"
RETRY_AFTER_S = 30


class TooManyStreams(TooManyRequests):
    """One user has only so many streams open in a process."""

    code = "too_many_streams"
    title = "You have too many event streams open"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One question to a source: what may this user be told of this key now? `progress` is the last message heard."""

    user: User
    key: int
    progress: Message | None


class Source(Protocol):
    """Where the events of one kind of topic come from. Called in a thread, for many streams at once."""

    def versions(self, keys: Collection[int]) -> Mapping[int, int]:
        """The present version of each key, in one query; keys that are gone are left out."""

    def read(self, asked: Sequence[Asked]) -> Sequence[Shown | None]:
        """What each asker may be told now; None where they may not know that there is such a thing."""


@dataclass(slots=True, eq=False, kw_only=True)
class Stream:
    """One listener: to what, with which right, and what they have seen."""

    source: Source
    topic: str
    key: int
    credential: Credential
    seen: Seen
    progress: Message | None = None


@dataclass(slots=True)
class Handover:
    """Where a view leaves its stream for the server."""

    stream: Stream | None = None


def stream_response(request: HttpRequest, stream: Stream, shown: Shown) -> HttpResponse:
    """The answer that opens a stream: what is shown now, as far as its listener has not seen it.

    Raises:
        TooManyStreams: this user has enough of them open.
        ServiceUnavailable: this process has.
    """
    event = event_of(stream.seen, shown)
    text = RETRY
    if event is not None:
        text += event.text
        stream.seen = event.seen
    handover = getattr(request, "scope", {}).get(HANDOVER)
    if isinstance(handover, Handover) and request.method == "GET" and not shown.is_final:
        _open.enter(stream.credential.user_id)
        handover.stream = stream
    headers = {"Cache-Control": "no-cache, no-store", "X-Accel-Buffering": "no"}
    return HttpResponse(text, content_type="text/event-stream; charset=utf-8", headers=headers)


def stream_closed(stream: Stream) -> None:
    """Its place in the count is free; for the server, once for each stream it was handed."""
    _open.leave(stream.credential.user_id)


@dataclass(slots=True)
class _Open:
    """The streams of this process, by user."""

    of_user: Counter[int] = field(default_factory=Counter)
    lock: Any = field(default_factory=threading.Lock)

    def enter(self, user_id: int) -> None:
        with self.lock:
            if self.of_user[user_id] >= settings.EVENTS_STREAMS_PER_USER:
                raise TooManyStreams("Close some, or ask for the object itself.", retry_after_s=RETRY_AFTER_S)
            if self.of_user.total() >= settings.EVENTS_STREAMS_AT_ONCE:
                raise ServiceUnavailable("Too many listen already. Ask again later.", retry_after_s=RETRY_AFTER_S)
            self.of_user[user_id] += 1

    def leave(self, user_id: int) -> None:
        with self.lock:
            self.of_user[user_id] -= 1
            if not self.of_user[user_id]:
                del self.of_user[user_id]


_open = _Open()
