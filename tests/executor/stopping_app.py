"""The product's web process, which stops or dies once at a place of a keyed request that a test names.

`STOP_AT` is `before` it is looked at, `inside` the transaction with everything written, or `committed` and not yet
answered. `STOP_HOW` is `die`, or `wait`: then the file `reached` appears in `STOP_IN`, and `go` is waited for.
"""

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from config.asgi import application as application  # the name that uvicorn looks for
from core import idempotency

PATIENCE_S = 30
POINT, HOW, DIRECTORY = os.environ["STOP_AT"], os.environ["STOP_HOW"], Path(os.environ["STOP_IN"])
_make, _record = idempotency._make, idempotency._record


def _pass_by(point: str) -> None:
    if point != POINT or (DIRECTORY / "reached").exists():
        return
    if HOW == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    (DIRECTORY / "reached").touch()
    ends_s = time.monotonic() + PATIENCE_S
    while not (DIRECTORY / "go").exists() and time.monotonic() < ends_s:
        time.sleep(0.02)


def _stopping_make(asked: idempotency._Asked, make: Callable[[], Any]) -> idempotency.Once:
    _pass_by("before")
    once = _make(asked, make)
    _pass_by("committed")
    return once


def _stopping_record(asked: idempotency._Asked, **columns: Any) -> None:
    _record(asked, **columns)
    _pass_by("inside")


idempotency._make, idempotency._record = _stopping_make, _stopping_record
