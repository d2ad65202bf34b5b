"""The processes of a test, and this one above them: measured by the kernel's figures, ended to the last."""

import ctypes
import os
import signal
import time

PR_GET_DUMPABLE, PR_SET_DUMPABLE, PR_SET_CHILD_SUBREAPER = 3, 4, 36
LONGEST_END_S = 2.0


class Stop(Exception):
    """No further test can be run in this job; the text says why."""


class Tree:
    """The processes of one test: all below this one, since orphans come to it."""

    def __init__(self, main: int) -> None:
        self.main = main
        self.status = None  # type: int | None
        self.memory_kib = 0
        self._reaped_us = 0
        self._living_us = 0
        self._own_us = {}  # type: dict[int, int]

    def reap(self) -> bool:
        """Collect what has ended; False once nothing is left."""
        while True:
            try:
                pid, status, usage = os.wait4(-1, os.WNOHANG)
            except ChildProcessError:
                return False
            if pid == 0:
                return True
            self._reaped_us += int((usage.ru_utime + usage.ru_stime) * 1e6)
            self.memory_kib = max(self.memory_kib, usage.ru_maxrss)
            if pid == self.main:
                self.status = status

    def look(self) -> "list[int]":
        """The living processes, their CPU time noted."""
        below, cpu = processes()
        self._living_us = 0
        for pid in below:
            own_us, with_children_us = cpu[pid]
            self._own_us[pid] = own_us
            self._living_us += with_children_us
        return below

    def cpu_us(self) -> int:
        """CPU time of all processes: what the kernel charged for the ended ones, and the living as last looked at."""
        return max(self._reaped_us + self._living_us, sum(self._own_us.values()))

    def end(self) -> None:
        """Kill and collect everything, so that nothing of this test is there when the next begins.

        Raises:
            Stop: something resists.
        """
        until = time.monotonic() + LONGEST_END_S
        while self.reap():
            if time.monotonic() > until:
                raise Stop("processes that do not end")
            for pid in self.look():
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    continue
            signal.sigtimedwait([signal.SIGCHLD], 0.01)
        self._living_us = 0


def processes() -> "tuple[list[int], dict[int, tuple[int, int]]]":
    """All processes below this one, and of each process its CPU time, without and with that of collected children."""
    tick_us = 1000000 // os.sysconf("SC_CLK_TCK")
    children = {}  # type: dict[int, list[int]]
    cpu = {}  # type: dict[int, tuple[int, int]]
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open("/proc/" + name + "/stat", "rb") as file:
                fields = file.read().rpartition(b")")[2].split()
        except OSError:
            continue  # it has just ended
        children.setdefault(int(fields[1]), []).append(int(name))
        own, collected = int(fields[11]) + int(fields[12]), int(fields[13]) + int(fields[14])
        cpu[int(name)] = (own * tick_us, (own + collected) * tick_us)
    below = list(children.get(os.getpid(), []))
    for pid in below:  # grows on the way
        below += children.get(pid, [])
    return below, cpu


def protect() -> None:
    """Close this process to others of its uid, and make it the heir of orphans.

    Raises:
        Stop: the kernel refused; nothing is run then.
    """
    libc = ctypes.CDLL(None)
    libc.prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)
    if libc.prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) != 0 or libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise Stop("a kernel that does not keep processes apart")


def offer_to_oom_killer(pid: int) -> None:
    """Where the job's memory runs out, the test is to go and not this process; without /proc it may be either."""
    try:
        with open("/proc/" + str(pid) + "/oom_score_adj", "w") as file:
            file.write("1000")
    except OSError:
        return
