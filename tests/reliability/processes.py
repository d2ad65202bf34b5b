"""Processes that are started again whenever they end, as a supervisor would, and ended for good at the end."""

import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from executor.bench.processes import descendants
from tests.reliability.stores import WITH_US

STOP_PATIENCE_S = 20.0
# One that cannot start, its database being away, is not started a hundred times a second.
PAUSE_S = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """A process that ended, and how: minus a signal's number, or its exit status."""

    name: str
    pid: int
    code: int


class Supervised:
    """One process under supervision, by the name of what it does."""

    def __init__(self, name: str, command: Sequence[str], *, environment: Mapping[str, str], log: Path, fd: int = -1):
        self.name, self._command, self._environment, self._log = name, command, environment, log
        self._fds = [fd] if fd >= 0 else []
        self._process: subprocess.Popen[bytes] | None = None
        self._start_at_s = 0.0

    @property
    def pid(self) -> int | None:
        """The living process, if there is one."""
        return self._process.pid if self._process is not None and self._process.poll() is None else None

    def start(self) -> None:
        """Start it, with its output in a file."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [*WITH_US, "--", *self._command],
                env=dict(self._environment),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=self._fds,
            )

    def look(self) -> Ended | None:
        """Start it again where it ended; how it ended, told once."""
        if self._process is None:
            if time.monotonic() >= self._start_at_s:
                self.start()
            return None
        code = self._process.poll()
        if code is None:
            return None
        ended = Ended(name=self.name, pid=self._process.pid, code=code)
        self._process = None
        # Killed from outside: at once. By itself: it will hardly do better this very moment.
        self._start_at_s = time.monotonic() + (0.0 if code < 0 else PAUSE_S)
        return ended

    def terminate(self) -> None:
        """Ask it to end."""
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()

    def finish(self, deadline_s: float) -> None:
        """Wait for it to end until this moment of the monotonic clock, then kill it."""
        if self._process is None:
            return
        try:
            self._process.wait(max(0.0, deadline_s - time.monotonic()))
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


class Supervisor:
    """All processes of a run. Everything here is called by one thread, the one that the processes die with."""

    def __init__(self, processes: Sequence[Supervised]) -> None:
        self._processes = processes

    def start(self) -> None:
        """Start them all."""
        for process in self._processes:
            process.start()

    def look(self) -> list[Ended]:
        """Start again what ended; what that was."""
        return [ended for process in self._processes if (ended := process.look())]

    def alive(self) -> Iterator[tuple[str, int]]:
        """Name and pid of every process that may be killed: those started here, and workers' children."""
        for process in self._processes:
            pid = process.pid
            if pid is None:
                continue
            yield process.name, pid
            if process.name.startswith("celery"):
                yield from ((f"{process.name} child", child.pid) for child in descendants(pid) if child.parent == pid)

    def stop(self) -> None:
        """End them all, in order where they let us."""
        for process in self._processes:
            process.terminate()
        deadline_s = time.monotonic() + STOP_PATIENCE_S
        for process in self._processes:
            process.finish(deadline_s)
