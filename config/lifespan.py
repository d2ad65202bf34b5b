"""ASGI lifespan around Django: work that lives as long as the server process does."""

from collections.abc import Callable

import structlog
from asgiref.sync import sync_to_async

from core.asgi import Application, Receive, Scope, Send

logger = structlog.get_logger("assay.lifespan")


def with_lifespan(django: Application, *, start: Callable[[], None], stop: Callable[[], None]) -> Application:
    """Call `start` before the server takes requests and `stop` after its last one; `django` knows only requests.

    A `start` that fails stops the server: one that only looks alive would take submissions and never judge them.
    """

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "lifespan":
            await django(scope, receive, send)
            return
        await receive()
        if not await _answered(start, "lifespan.startup", send):
            return
        await receive()
        await _answered(stop, "lifespan.shutdown", send)

    return application


async def _answered(step: Callable[[], None], message_type: str, send: Send) -> bool:
    try:
        await sync_to_async(step)()
    except Exception as error:
        logger.exception("lifespan_failed", step=message_type)
        await send({"type": f"{message_type}.failed", "message": f"{type(error).__name__}: {error}"})
        return False
    await send({"type": f"{message_type}.complete"})
    return True
