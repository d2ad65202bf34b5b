"""Counting what a server holds: memory, descriptors, processes, files."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from executor.bench.processes import read_process, settled

# What resident memory may grow by: the allocator's pages come and go, and a leak does not stay below it.
GROWTH_LIMIT = 0.05
# Longer than between two measurements: on a busy machine, what has been killed takes its time to go.
_QUIET_S = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Census:
    """What is held at one time: memory of this process and of all others below `root`, its descriptors, processes
    below `root`, and files below the directories.
    """

    server_kib: int
    descendants_kib: int
    descriptors: int
    processes: int
    files: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One figure of a census, before and after, and whether it may have changed so."""

    name: str
    before: int
    after: int
    is_allowed: bool


def take_census(directories: Sequence[Path], *, root: int) -> Census:
    """Count, once all processes below `root` are at rest. This process is `root` or below it."""
    below = [process for process in settled(root, quiet_s=_QUIET_S) if process.pid != os.getpid()]
    this = read_process(os.getpid())
    assert this is not None
    return Census(
        server_kib=this.resident_kib,
        descendants_kib=sum(process.resident_kib for process in below),
        descriptors=len(os.listdir("/proc/self/fd")),
        processes=len(below),
        files=sum(_count(directory) for directory in directories),
    )


def changes(before: Census, after: Census) -> list[Change]:
    """What became of each figure: memory may have grown a little, and all else is to be as it was."""
    memory = ("server_kib", "descendants_kib")
    counts = ("descriptors", "processes", "files")
    pairs = {name: (getattr(before, name), getattr(after, name)) for name in memory + counts}
    return [
        Change(
            name=name,
            before=old,
            after=new,
            is_allowed=new <= old * (1 + GROWTH_LIMIT) if name in memory else new == old,
        )
        for name, (old, new) in pairs.items()
    ]


def _count(directory: Path) -> int:
    return sum(len(directories) + len(files) for _, directories, files in os.walk(directory))
