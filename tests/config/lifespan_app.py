"""A tiny server around `with_lifespan`, for the test that starts it: it writes what happens to the file in STEPS."""

import os
from pathlib import Path

from config.lifespan import with_lifespan
from core.asgi import Receive, Scope, Send


def _note(step: str) -> None:
    with Path(os.environ["STEPS"]).open("a") as file:
        file.write(f"{step}\n")
    if os.environ.get("FAILS") == step:
        raise RuntimeError(f"{step} failed")


async def _hello(scope: Scope, receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"hello"})


application = with_lifespan(_hello, start=lambda: _note("start"), stop=lambda: _note("stop"))
