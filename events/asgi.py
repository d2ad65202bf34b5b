"""The server's part of event streams: it goes on with one after Django has answered, in the event loop alone."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from django.conf import settings

from core.asgi import Application, Message, Receive, Scope, Send
from core.places import left
from events.hub import deliver
from events.relay import current_relay
from events.streams import HANDOVER, Handover, Stream, stream_closed
from events.watching import Ended, Watch
from events.wire import KEEP_ALIVE, event_of, event_text

# How long the last piece may take beyond a stream's life: a listener that does not read is let go.
GRACE_S = 30.0


class EventStreams:
    """Django, and the streams that its views hand over (`events.streams.stream_response`), each until it is over.

    That is when its last event is sent, the right to it has fallen, the listener or the server leaves, or after
    `EVENTS_STREAM_LIFE_S`: the client then connects again and goes on where it was.
    """

    def __init__(self, django: Application) -> None:
        self._django = django
        self._parts: _Parts | None = None
        self._is_ending = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._django(scope, receive, send)
            return
        if self._parts is None or self._parts.watch.loop is not asyncio.get_running_loop():
            self._parts = _Parts()
        watch, handover = self._parts.watch, Handover()
        try:
            await self._django({**scope, HANDOVER: handover}, receive, _leaving_open(handover, send))
            if handover.stream is not None:
                await _go_on(watch, handover.stream, receive, send, is_ending=lambda: self._is_ending)
        finally:
            if handover.stream is not None:
                stream_closed(handover.stream)

    def end(self) -> None:
        """End all streams, and new ones at once: their clients find another server. For any thread, and for signals."""
        self._is_ending = True
        if self._parts is not None:
            with suppress(RuntimeError):  # the loop has ended
                self._parts.watch.loop.call_soon_threadsafe(self._parts.watch.end_all)


class _Parts:
    """What the streams of one event loop share: the watch, and the way in for other processes' messages."""

    def __init__(self) -> None:
        self.watch = Watch()
        relay = current_relay()
        self.relaying = asyncio.ensure_future(relay.pass_on(deliver)) if relay else None


def _leaving_open(handover: Handover, send: Send) -> Send:
    """Pass an answer on; that of a stream without its length and its end."""

    async def passing(message: Message) -> None:
        if handover.stream is None:
            await send(message)
        elif message["type"] == "http.response.start":
            headers = [(name, value) for name, value in message["headers"] if name.lower() != b"content-length"]
            await send({**message, "headers": headers})
        else:
            await send({**message, "more_body": True})

    return passing


async def _go_on(watch: Watch, stream: Stream, receive: Receive, send: Send, *, is_ending: Callable[[], bool]) -> None:
    listener = watch.join(stream)
    leaving = asyncio.ensure_future(left(receive))
    leaving.add_done_callback(lambda _: listener.stirred.set())
    ends_s = watch.loop.time() + settings.EVENTS_STREAM_LIFE_S
    try:
        async with asyncio.timeout_at(ends_s + GRACE_S):
            while not (leaving.done() or is_ending()) and (remaining_s := ends_s - watch.loop.time()) > 0:
                try:
                    async with asyncio.timeout(min(remaining_s, settings.EVENTS_KEEP_ALIVE_S)):
                        await listener.stirred.wait()
                except TimeoutError:
                    await _send_text(send, KEEP_ALIVE)
                    continue
                text, is_over = _next_text(stream, listener.take())
                if text and not leaving.done():
                    await _send_text(send, text)
                if is_over:
                    break
            await send({"type": "http.response.body", "body": b"", "more_body": False})
    except TimeoutError:
        pass  # it does not read; the server closes the connection
    finally:
        leaving.cancel()
        watch.leave(listener)


def _next_text(stream: Stream, news: Any) -> tuple[str, bool]:
    """What to send, and whether that is the last."""
    if news is None:
        return "", False
    if isinstance(news, Ended):
        return (event_text("end", {"reason": news.reason}) if news.reason else ""), True
    event = event_of(stream.seen, news)
    if event is None:
        return "", news.is_final
    stream.seen = event.seen
    return event.text, news.is_final


async def _send_text(send: Send, text: str) -> None:
    await send({"type": "http.response.body", "body": text.encode(), "more_body": True})
