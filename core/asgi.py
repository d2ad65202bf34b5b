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


def with_whole_body(django: Application, *, limit_bytes: int, form_limit_bytes: int | None = None) -> Application:
    """Take in each request's body before `django` begins, keeping at most about `limit_bytes` of it.

    Forms, in which files come, have a limit of their own if there is one.

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
        most = limit_bytes if form_limit_bytes is None or not _has_form(scope) else form_limit_bytes
        has_more = length <= most
        while has_more and len(body) <= most:
            message = await receive()
            if message["type"] != "http.request":
                return  # The caller left in the middle of it; nobody waits for an answer.
            body += message.get("body", b"")
            has_more = message.get("more_body", False)
        length = max(length, len(body))
        if length > most:
            body.clear()
        headers = [(name, value) for name, value in scope["headers"] if name != b"content-length"]
        headers.append((b"content-length", str(length).encode()))
        scope = {**scope, "headers": headers, RECEIVED_AT: timezone.now()}
        await django(scope, _replay(bytes(body), receive), send)

    return application


def is_form(content_type: str) -> bool:
    """Whether a body of this type is a form, in which files come."""
    return content_type.partition(";")[0].strip().lower() == "multipart/form-data"


def _has_form(scope: Scope) -> bool:
    return any(name == b"content-type" and is_form(value.decode("latin-1")) for name, value in scope["headers"])


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
