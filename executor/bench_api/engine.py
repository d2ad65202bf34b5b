"""`python -m executor.bench_api.engine THREADS TESTS`: the engine alone, in a process of its own.

It prints `{}` once it is ready. For each line of its input, a number of submissions, it runs so many and prints
`{"took_s": ...}`, or a `fault` in place of the time.
"""

import json
import os
import sys
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

from executor.bench import programs
from executor.bench.timing import AnsweredWrongly, check_report
from executor.engines.base import Engine, EngineError


def work_off(engine: Engine, orders: Iterable[str], *, threads: int, tests: int) -> None:
    """Do what each line orders, and print what came of it."""

    def run(count: int) -> None:
        for _ in range(count):
            check_report(engine.run(programs.request_for(programs.PYTHON, tests=tests)), tests=tests)

    with ThreadPoolExecutor(threads) as pool:
        for order in orders:
            started_s = time.perf_counter()
            try:
                list(pool.map(run, shares(int(order), threads)))
            except (AnsweredWrongly, EngineError) as error:
                _say(fault=f"{type(error).__name__}: {error}")
            else:
                _say(took_s=time.perf_counter() - started_s)


def shares(count: int, among: int) -> list[int]:
    """So many things dealt out as evenly as they go."""
    return [count // among + (number < count % among) for number in range(among)]


def _say(**words: object) -> None:
    sys.stdout.write(json.dumps(words) + "\n")
    sys.stdout.flush()


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    import django

    django.setup()
    from executor.services.engines import default_engine

    _say()
    work_off(default_engine(), sys.stdin, threads=int(sys.argv[1]), tests=int(sys.argv[2]))


if __name__ == "__main__":
    main()
