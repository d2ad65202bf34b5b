"""`uvicorn tests.reliability.web:application`: the product's web process, with points to die at around it."""

import asyncio
import json
import os
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.reliability.settings")

from config.asgi import application as product
from tests.reliability import hosts

hosts.install()
_pass_by = hosts.orders().pass_by
# How long the control that answers too early lets a promise stand before it is kept.
EARLY_S = 1.0
_promises: set[asyncio.Task[None]] = set()


async def application(scope: Any, receive: Any, send: Any) -> None:
    """The product; a submission's answer passes a point before it leaves."""
    is_submission = scope["type"] == "http" and (scope["method"], scope["path"]) == ("POST", "/api/v1/submissions/")
    if not is_submission:
        await product(scope, receive, send)
    elif hosts.is_without("acknowledgement"):
        await _answer_before_it_is_done(scope, receive, send)
    else:
        await product(_as_asked(scope), receive, _with_point(send))


def _as_asked(scope: Any) -> Any:
    """The request; a control that knows no idempotency does not see its key."""
    if not hosts.is_without("idempotency"):
        return scope
    return {**scope, "headers": [header for header in scope["headers"] if header[0] != b"idempotency-key"]}


def _with_point(send: Any) -> Any:
    async def sent(message: Any) -> None:
        if message["type"] == "http.response.start" and message["status"] < 300:
            _pass_by("submit_unanswered")
        await send(message)

    return sent


async def _answer_before_it_is_done(scope: Any, receive: Any, send: Any) -> None:
    """A control: 202 at once, and the submission is written a little later, unless somebody dies."""
    message = await receive()
    answer = json.dumps({"id": None}).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(answer)).encode())]
    await send({"type": "http.response.start", "status": 202, "headers": headers})
    await send({"type": "http.response.body", "body": answer})

    messages = [message]

    async def again() -> Any:
        if messages:
            return messages.pop()
        # Whoever asked stays connected.
        return await asyncio.Future[Any]()

    async def nowhere(message: Any) -> None:
        return

    async def keep() -> None:
        await asyncio.sleep(EARLY_S)
        await product(scope, again, nowhere)

    promise = asyncio.create_task(keep())
    _promises.add(promise)
    promise.add_done_callback(_promises.discard)
