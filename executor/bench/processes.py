"""What the kernel says of this process's descendants: their CPU time, their memory, how many there are.

Boxes that stay alive between submissions are not in RUSAGE_CHILDREN until they are reaped, so they are read one by one.
"""

import os
import resource
import time
from dataclasses import dataclass
from pathlib import Path

_TICK_S = 1 / os.sysconf("SC_CLK_TCK")
_PAGE_KIB = os.sysconf("SC_PAGE_SIZE") // 1024
_QUIET_S = 0.05
_GIVE_UP_S = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessFigures:
    """One process; `cpu_s` is its own CPU time and that of the children it has reaped, in steps of a clock tick."""

    pid: int
    parent: int
    cpu_s: float
    resident_kib: int


def descendants(root: int) -> list[ProcessFigures]:
    """All processes below `root`, zombies included."""
    by_parent: dict[int, list[ProcessFigures]] = {}
    for name in os.listdir("/proc"):
        if name.isdigit() and (figures := read_process(int(name))):
            by_parent.setdefault(figures.parent, []).append(figures)
    found: list[ProcessFigures] = []
    parents = [root]
    while parents:
        children = by_parent.pop(parents.pop(), [])
        found += children
        parents += [child.pid for child in children]
    return found


def read_process(pid: int) -> ProcessFigures | None:
    """The figures of one process; None where there is none."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(errors="replace")
    except OSError:
        return None
    fields = stat.rpartition(")")[2].split()  # from the state on: a name may hold anything
    return ProcessFigures(
        pid=pid,
        parent=int(fields[1]),
        cpu_s=sum(int(ticks) for ticks in fields[11:15]) * _TICK_S,
        resident_kib=int(fields[21]) * _PAGE_KIB,
    )


def own_cpu_s() -> float:
    """CPU time of this process with all its threads, and of every descendant that has been reaped."""
    usages = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def settled(root: int, *, quiet_s: float = _QUIET_S) -> list[ProcessFigures]:
    """All processes below `root`, once nothing has changed for `quiet_s`, or after five seconds if it always does.

    An engine may tidy up or prepare boxes after its answer: that work is its own and must not slow what follows.
    """
    give_up_at = time.monotonic() + _GIVE_UP_S
    before, now = None, descendants(root)
    while now != before and time.monotonic() < give_up_at:
        time.sleep(quiet_s)
        before, now = now, descendants(root)
    return now


def settled_cpu_s() -> float:
    """CPU time of all our living descendants, at rest."""
    return sum(process.cpu_s for process in settled(os.getpid()))
