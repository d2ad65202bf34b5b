"""ASGI lifespan around Django: work that lives as long as the server process does."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from asgiref.sync import sync_to_async
from executor.queue.workers import start_embedded_workers, stop_embedded_workers

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Message, Receive, Send], Awaitable[None]]


def with_lifespan(django: Application) -> Application:
    """Answer the server's start-up and shutdown messages around `django`, which knows only requests."""

    async def application(scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] != "lifespan":
            await django(scope, receive, send)
            return
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                await sync_to_async(start_embedded_workers)()
                await send({"type": "lifespan.startup.complete"})
            elif message["type"] == "lifespan.shutdown":
                await sync_to_async(stop_embedded_workers)()
                await send({"type": "lifespan.shutdown.complete"})
                return

    return application
