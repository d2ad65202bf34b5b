"""What a run uses while it runs: CPU time and memory of all its processes."""

from __future__ import annotations

import os
import time

TYPE_CHECKING = False  # typing and collections would double the time the box takes to start
if TYPE_CHECKING:
    from collections.abc import Callable


class Meter:
    """CPU time and memory of all processes of a run, as the kernel counts them, also of those nobody waits for."""

    def __init__(self, keeper: int, next_keeper: int) -> None:
        """`next_keeper` is the one made ahead for the next run (0 if none); it and its child are not this run's."""
        self._next_keeper = next_keeper
        self._others = {os.getpid(), keeper, next_keeper}
        self._cpu_ns: dict[int, int] = {}
        self._alive: list[int] = []

    def pids(self) -> list[int]:
        """The run's processes now."""
        pids = [pid for pid in map(int, filter(str.isdigit, os.listdir("/proc"))) if pid not in self._others]
        if self._next_keeper:
            for pid in pids:
                if pid not in self._cpu_ns and self._figure(pid, "stat", _parent) == self._next_keeper:
                    self._others.add(pid)
        return [pid for pid in pids if pid not in self._others]

    def read(self) -> None:
        self._alive = self.pids()
        for pid in self._alive:
            try:
                self._cpu_ns[pid] = max(time.clock_gettime_ns((~pid << 3) | 2), self._cpu_ns.get(pid, 0))
            except OSError:
                continue  # it has just ended

    def cpu_ns(self) -> int:
        return sum(self._cpu_ns.values())

    def memory_kib(self, enough_kib: int) -> int:
        """Memory of the processes together. Pages they share are told apart only if it could exceed `enough_kib`."""
        resident = sum(self._figure(pid, "statm", lambda text: int(text.split()[1]) * 4) for pid in self._alive)
        if resident <= enough_kib:
            return resident
        return sum(self._figure(pid, "smaps_rollup", _proportional_kib) for pid in self._alive)

    @staticmethod
    def _figure(pid: int, name: str, parse: Callable[[str], int]) -> int:
        try:
            with open(f"/proc/{pid}/{name}") as file:
                return parse(file.read())
        except (OSError, ValueError, IndexError):
            return 0  # it has just ended


def _proportional_kib(rollup: str) -> int:
    return int(rollup.split("\nPss:")[1].split()[0])


def _parent(stat: str) -> int:
    return int(stat.rpartition(")")[2].split()[1])
