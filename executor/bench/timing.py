"""Timing one side of a case once, and finding out wrong answers."""

import secrets
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeVar

from executor.bench import programs
from executor.bench.bare import BareProgram
from executor.bench.cases import Case
from executor.bench.processes import own_cpu_s, settled_cpu_s
from executor.engines.base import Engine, RunReport, RunRequest, RunStatus

T = TypeVar("T")
R = TypeVar("R")


class AnsweredWrongly(Exception):
    """A program did not print what it must, so its time means nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """What one side took in one round: seconds in all, for so many submissions and so many tests in all."""

    wall_s: float
    cpu_s: float
    submissions: int
    tests: int


class Side(Protocol):
    """One side of a case, to be timed again and again."""

    def measure(self) -> Sample:
        """Do it once, when no work of the engine's is left over from before.

        Raises:
            AnsweredWrongly, BareFailed, EngineError.
        """
        ...


class EngineSide:
    """A case's submissions on an engine. `pool` has a thread for each of the case's workers, if there are several."""

    def __init__(self, case: Case, engine: Engine, pool: Executor) -> None:
        self._case, self._engine, self._pool = case, engine, pool

    def measure(self) -> Sample:
        """See `Side`. The CPU time is that of this process and of all processes below it."""
        case = self._case
        shares = [[self._request() for _ in range(case.submissions)] for _ in range(case.workers)]
        below, own, started = settled_cpu_s(), own_cpu_s(), time.perf_counter()
        reports = _side_by_side(self._pool, self._run, shares)
        wall_s = time.perf_counter() - started
        # Waiting for rest is our own work; what the engine still does meanwhile is its.
        watching = time.thread_time()
        below_after = settled_cpu_s()
        watching = time.thread_time() - watching
        cpu_s = own_cpu_s() - own - watching + below_after - below
        for report in (report for share in reports for report in share):
            check_report(report, tests=case.tests)
        submissions = case.submissions * case.workers
        return Sample(wall_s=wall_s, cpu_s=cpu_s, submissions=submissions, tests=submissions * case.tests)

    def _request(self) -> RunRequest:
        case = self._case
        source = unseen_source(case) if case.is_compiled_anew else None
        return programs.request_for(case.program, tests=case.tests, source=source, is_exclusive=case.is_exclusive)

    def _run(self, requests: Sequence[RunRequest]) -> list[RunReport]:
        return [self._engine.run(request) for request in requests]


class BareSide:
    """The same programs run the plain way, each worker in a directory of its own below `directory`."""

    def __init__(self, case: Case, directory: Path, pool: Executor) -> None:
        """Raises BareFailed where the program cannot be compiled."""
        self._case, self._pool = case, pool
        self._programs: list[BareProgram] = []
        for number in range(case.workers):
            place = directory / str(number)
            place.mkdir(parents=True)
            self._programs.append(BareProgram(case.program, place, tests=case.bare_tests))
            if not case.is_compiled_anew:
                self._programs[-1].compile()

    def measure(self) -> Sample:
        """See `Side`. The CPU time is that of the bare processes alone."""
        case = self._case
        if case.is_compiled_anew:
            for program in self._programs:
                program.write(unseen_source(case))
        settled_cpu_s()
        started = time.perf_counter()
        cpu_s = sum(_side_by_side(self._pool, self._run, self._programs))
        wall_s = time.perf_counter() - started
        for program in self._programs:
            check_outputs(program.outputs(), tests=case.bare_tests)
        submissions = case.bare_submissions * case.workers
        return Sample(wall_s=wall_s, cpu_s=cpu_s, submissions=submissions, tests=submissions * case.bare_tests)

    def _run(self, program: BareProgram) -> float:
        cpu_s = 0.0
        for _ in range(self._case.bare_submissions):
            if self._case.is_compiled_anew:
                cpu_s += program.compile()
            cpu_s += program.run()
        return cpu_s


def unseen_source(case: Case) -> str:
    """The case's program as a source that no cache can know."""
    return f"{case.program.source}\n{case.program.comment} {secrets.token_hex(16)}\n"


def check_report(report: RunReport, *, tests: int) -> None:
    """Return if every test ended well with the right output.

    Raises:
        AnsweredWrongly: one did not; the message says which, and how.
    """
    if report.compilation is not None and not report.compilation.succeeded:
        raise AnsweredWrongly(f"it was not compiled: {report.compilation.output.strip()[:300]}")
    for number, result in enumerate(report.results):
        if result.status is not RunStatus.EXITED or result.exit_code != 0:
            words = result.stderr.decode(errors="replace").strip()[-300:]
            raise AnsweredWrongly(f"test {number + 1} ended with {result.status.value}: {words}")
    check_outputs([result.stdout for result in report.results], tests=tests)


def check_outputs(outputs: Sequence[bytes], *, tests: int) -> None:
    """Return if these are the right outputs of so many tests, in their order.

    Raises:
        AnsweredWrongly: they are not; the message names the first that is wrong.
    """
    if len(outputs) != tests:
        raise AnsweredWrongly(f"{len(outputs)} of {tests} tests were run")
    for number, (output, answer) in enumerate(zip(outputs, programs.answers(tests), strict=True)):
        if output.strip() != answer:
            raise AnsweredWrongly(f"test {number + 1} printed {output[:80]!r} and not {answer!r}")


def _side_by_side(pool: Executor, work: Callable[[T], R], shares: Sequence[T]) -> list[R]:
    # Alone in this very thread: handing over to another one costs what the plain way does not.
    return [work(shares[0])] if len(shares) == 1 else list(pool.map(work, shares))
