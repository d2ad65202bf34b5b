"""ASGI lifespan around Django: work that lives as long as the server process does."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from types import FrameType
from typing import Any

import structlog
from asgiref.sync import sync_to_async

from core.asgi import Application, Receive, Scope, Send

logger = structlog.get_logger("assay.lifespan")


def with_lifespan(
    django: Application,
    *,
    start: Callable[[], None],
    stop: Callable[[], None],
    ending: Callable[[], None] = lambda: None,
) -> Application:
    """Call `start` before the server takes requests and `stop` after its last one; `django` knows only requests.

    `ending` is called the moment the process is asked to end, in a signal handler. A server first waits for the answers
    it has begun and tells nobody, so that open streams would keep it for minutes.

    A `start` that fails stops the server: one that only looks alive would take submissions and never judge them.
    """

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "lifespan":
            await django(scope, receive, send)
            return
        await receive()
        with _told_of_the_end(ending):
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


@contextmanager
def _told_of_the_end(ending: Callable[[], None]) -> Iterator[None]:
    """Call `ending` before what the server does with a signal to end. Only the main thread may ask for signals."""
    with ExitStack() as stack:
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGTERM, signal.SIGINT):
                before = signal.getsignal(number)
                if callable(before):
                    stack.callback(signal.signal, number, before)
                    signal.signal(number, _first(ending, before))
        yield


def _first(ending: Callable[[], None], then: Callable[[int, FrameType | None], Any]) -> Any:
    def handle(number: int, frame: FrameType | None) -> None:
        ending()
        then(number, frame)

    return handle
