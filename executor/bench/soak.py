"""Many small submissions of every fate, and what the server holds early on and at the end."""

import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from executor.bench import programs
from executor.bench.census import Census, changes, take_census
from executor.bench.programs import BenchProgram
from executor.bench.timing import AnsweredWrongly, check_report
from executor.engines.base import Engine, Limits, RunReport, RunStatus

_WARM_UP = 100
_EXCLUSIVE_EVERY = 10
_LIMITS = Limits(time_limit_ms=5_000, wall_limit_ms=10_000, memory_limit_mb=64, output_limit_kib=64)
_LITTLE_CPU = Limits(time_limit_ms=100, wall_limit_ms=10_000, memory_limit_mb=64, output_limit_kib=64)
_LITTLE_TIME = Limits(time_limit_ms=200, wall_limit_ms=200, memory_limit_mb=64, output_limit_kib=64)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fate:
    """A kind of submission, and how each of its runs must end; a failing exit is one whose code is not 0."""

    program: BenchProgram
    tests: int = 1
    limits: Limits = _LIMITS
    status: RunStatus = RunStatus.EXITED
    is_right: bool = False

    def check(self, report: RunReport) -> None:
        """Return if the submission met its fate.

        Raises:
            AnsweredWrongly: it met another one.
        """
        if self.is_right:
            check_report(report, tests=self.tests)
            return
        if len(report.results) != self.tests:
            raise AnsweredWrongly(f"{len(report.results)} of {self.tests} tests were run")
        for result in report.results:
            if result.status is not self.status or result.exit_code == 0:
                raise AnsweredWrongly(f"{self.program.source!r} ended with {result.status.value}")


@dataclass(frozen=True, slots=True, kw_only=True)
class SoakResult:
    """What was held after `warm_up` submissions, and after all of them."""

    warm_up: int
    submissions: int
    before: Census
    after: Census

    @property
    def is_clean(self) -> bool:
        """Whether nothing is held that was not held before."""
        return all(change.is_allowed for change in changes(self.before, self.after))


def _python(source: str) -> BenchProgram:
    return BenchProgram(language="python", source=source, run_words=programs.PYTHON.run_words, comment="#")


_RIGHT = Fate(program=programs.PYTHON, tests=3, is_right=True)
# Seven: with every tenth submission exclusive, each fate takes its turn at that too.
FATES = (
    _RIGHT,
    Fate(program=programs.CPP_IOSTREAM, tests=3, is_right=True),
    Fate(program=_python("raise ValueError\n")),
    Fate(program=_python("while True: pass\n"), limits=_LITTLE_CPU, status=RunStatus.TIME_LIMIT),
    Fate(program=_python("import time\ntime.sleep(60)\n"), limits=_LITTLE_TIME, status=RunStatus.WALL_LIMIT),
    Fate(program=_python("x = bytearray(1 << 30)\n"), status=RunStatus.MEMORY_LIMIT),
    Fate(program=_python("while True: print('x' * 1000)\n"), status=RunStatus.OUTPUT_LIMIT),
)


def soak(
    engine: Engine,
    *,
    submissions: int,
    workers: int,
    directories: Sequence[Path],
    root: int,
    on_submission: Callable[[], object],
) -> SoakResult:
    """Hand in so many submissions, `workers` at a time, and count after the first hundred (or half) and at the end.

    Raises:
        AnsweredWrongly: a submission did not meet its fate.
        EngineError: the engine failed.
    """
    fates = [fate for fate in FATES if fate.program.missing(engine) is None]
    warm_up = min(_WARM_UP, max(1, submissions // 2))

    def hand_in_all(numbers: Iterator[int], lock: threading.Lock) -> None:
        while True:
            with lock:
                number = next(numbers, None)
            if number is None:
                return
            _hand_in(engine, fates[number % len(fates)], is_exclusive=number % _EXCLUSIVE_EVERY == 0)
            on_submission()

    def hand_in(numbers: range) -> None:
        # Taken one by one: thousands of tasks made ahead would be found as memory that grew.
        waiting, lock = iter(numbers), threading.Lock()
        try:
            for task in [pool.submit(hand_in_all, waiting, lock) for _ in range(workers)]:
                task.result()
        finally:
            with lock:
                deque(waiting, maxlen=0)  # after a fault nobody goes on

    def count() -> Census:
        # After one and the same submission: an engine may just have let go of something that the next one makes anew.
        _hand_in(engine, _RIGHT, is_exclusive=False)
        return take_census(directories, root=root)

    # Threads that live as long as the server's, since a box may depend on the one that started it.
    with ThreadPoolExecutor(workers) as pool:
        hand_in(range(warm_up))
        before = pool.submit(count).result()
        hand_in(range(warm_up, submissions))
        return SoakResult(warm_up=warm_up, submissions=submissions, before=before, after=pool.submit(count).result())


def _hand_in(engine: Engine, fate: Fate, *, is_exclusive: bool) -> None:
    fate.check(
        engine.run(programs.request_for(fate.program, tests=fate.tests, limits=fate.limits, is_exclusive=is_exclusive))
    )
