"""One process that asks for a cached value: `python -m tests.core.flying KEY TRACE LOCKS PROCESSES`.

It says "ready", waits for a line, asks, and prints what it got. Each miss and each computation leaves a line in the
file TRACE; a computation waits until all processes have missed. With LOCKS "off" none sees the lock of another.
"""

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

import django
from django.conf import settings

from tests.core.caches import patient_settings


def main(key: str, trace: Path, locks: str, processes: int) -> None:
    settings.CACHES = patient_settings(int(os.environ["FLYING_REDIS_PORT"]))
    django.setup()
    from core import single_flight
    from core.cache import Added

    single_flight.WAIT_S = 60.0
    single_flight.LOCK_TTL_S = 60.0
    if locks == "off":
        single_flight.add_or_tell = lambda *args, **kwargs: Added.UNKNOWN

    def note(what: str) -> None:
        with trace.open("a") as file:
            file.write(f"{what} {os.getpid()}\n")

    def is_expected(value: object) -> bool:
        return value == "computed"

    real_read = single_flight._read

    def read(key: str, is_valid: Callable[[object], bool]) -> object:
        found = real_read(key, is_valid)
        if not is_expected(found):
            note("missed")
        return found

    single_flight._read = read

    def compute() -> str:
        note("computed")
        for _ in range(1000):
            if len({line for line in trace.read_text().splitlines() if line.startswith("missed")}) == processes:
                return "computed"
            time.sleep(0.02)
        raise AssertionError("the other processes did not ask")

    print("ready", flush=True)  # noqa: T201
    sys.stdin.readline()
    print(single_flight.cached(key, compute, ttl_s=60, is_valid=is_expected))  # noqa: T201


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), sys.argv[3], int(sys.argv[4]))
