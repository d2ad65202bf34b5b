"""What happens to a request before Django sees it: its body is taken in whole, within bounds."""

from collections.abc import Awaitable, Callable, Coroutine, Mapping
from typing import Any

from django.utils import timezone

Scope = dict[str, Any]
Message = Mapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Coroutine[Any, Any, None]]

RECEIVED_AT = "assay.received_at"


def with_whole_body(django: Application, *, limit_bytes: int) -> Application:
    """Take in each request's body before `django` begins, keeping at most about `limit_bytes` of it.

    Django alone would write a body of any length to disk before its first middleware could object, and would take a
    chunked one for empty. Here the length is always stated, as far as it was read: `BodyLimitMiddleware` refuses what
    is over the limit. The moment the body was complete is the moment of receipt (law 6): a request that is begun
    before a deadline and dribbled in after it is late. A slow sender holds no thread and no database connection.
    """

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await django(scope, receive, send)
            return
        body = bytearray()
        length = _stated_length(scope)
        has_more = length <= limit_bytes
        while has_more and len(body) <= limit_bytes:
            message = await receive()
            if message["type"] != "http.request":
                return  # The caller left in the middle of it; nobody waits for an answer.
            body += message.get("body", b"")
            has_more = message.get("more_body", False)
        length = max(length, len(body))
        if length > limit_bytes:
            body.clear()
        headers = [(name, value) for name, value in scope["headers"] if name != b"content-length"]
        headers.append((b"content-length", str(length).encode()))
        scope = {**scope, "headers": headers, RECEIVED_AT: timezone.now()}
        await django(scope, _replay(bytes(body), receive), send)

    return application


def _stated_length(scope: Scope) -> int:
    """The `Content-Length`, or 0 where there is none; servers have refused what is no number."""
    for name, value in scope["headers"]:
        if name == b"content-length" and value.isdigit() and len(value) < 20:
            return int(value)
    return 0


def _replay(body: bytes, receive: Receive) -> Receive:
    """Give the whole body as one message, then wait for the caller to leave, dropping what else arrives."""
    is_given = False

    async def replayed() -> Message:
        nonlocal is_given
        if not is_given:
            is_given = True
            return {"type": "http.request", "body": body, "more_body": False}
        while (message := await receive())["type"] == "http.request":
            pass
        return message

    return replayed
