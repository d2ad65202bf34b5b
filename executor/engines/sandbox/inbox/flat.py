"""The flat runner: for machines where a box cannot make namespaces of its own. Programs are its plain children.

It takes the orders of the runner and gives its answers, and runs in one of three ways, the tiers B to D:
  B  as process 1 of a bubblewrap box that serves one run; the box is what holds the program
  C  outside any box; the program is one process, held by Landlock, system-call filters and limits
  D  outside any box; the program, which is trusted, has limits only
Arguments: the control socket's descriptor, the tier, the program's directory, and what a program of tier C may read.
"""

from __future__ import annotations

import _signal  # type: ignore[import-not-found]  # `signal` would take as long to load as all others together
import _socket
import fcntl
import os
import resource
import select
import sys
import time

from executor.engines.sandbox.inbox.framing import MESSAGE_LIMIT_BYTES, pack, receive_descriptors, unpack
from executor.engines.sandbox.inbox.keeper import SIGKILL, WORK, Setup, hand_over
from executor.engines.sandbox.inbox.kernel import Failure, Kernel
from executor.engines.sandbox.inbox.landlock import restrict
from executor.engines.sandbox.inbox.meter import Meter

_METER_S = 0.05
# The threads and processes that our user may start elsewhere during a run, where the kernel counts them together.
_TASKS_ELSEWHERE = 256
_FILES = 8192  # as many as both directories of a tier A run may have
_DEVICES = ("/dev/zero", "/dev/full", "/dev/random", "/dev/urandom")


class FlatRunner:
    """Serves one engine on one socket until it hangs up."""

    def __init__(self, control: _socket.socket, tier: str, directory: str, readable: list[str]) -> None:
        self._control, self._tier, self._directory, self._readable = control, tier, directory, readable
        self._kernel = Kernel()
        self._pid = os.getpid()
        self._setup: Setup | None = None
        self._names: list[str] = []
        self._artefacts = -1
        self._program = 0

    def serve(self) -> None:
        """Carry out orders until the engine hangs up."""
        self._kernel.set_dumpable(False)
        self._kernel.adopt_orphans()
        while True:
            message, descriptors = receive_descriptors(self._control, MESSAGE_LIMIT_BYTES)
            if not message:
                return
            order, *fields = unpack(message)
            if order == b"setup":
                files, *artefacts = descriptors
                self._artefacts = artefacts[0] if artefacts else -1
                self._prepare(Setup(fields), files)
            elif order == b"run":
                self._run(int(fields[0]), descriptors)

    def say(self, *fields: bytes) -> None:
        self._control.send(pack(*fields))

    def clear(self) -> None:
        """End what still runs, and leave nothing in the program's directory."""
        self._end_all()
        if self._tier == "B":
            return  # the box and all in it end with us
        try:
            for name in self._names:
                os.unlink(f"{self._directory}/{name}")
            os.rmdir(self._directory)
        except OSError:
            return  # the engine was faster, or looks after what is left

    def _prepare(self, setup: Setup, files: int) -> None:
        with open(files, "rb") as file:
            fields = unpack(file.read())
        for name, mode, content in zip(fields, fields, fields, strict=True):
            self._names.append(os.fsdecode(name))
            descriptor = os.open(
                f"{self._directory}/{self._names[-1]}", os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, int(mode)
            )
            with open(descriptor, "wb") as target:
                target.write(content)
        setup.argv[0] = self._placed(setup.argv[0])
        setup.environment = {name: self._placed(value) for name, value in setup.environment.items()}
        self._setup = setup

    def _placed(self, word: bytes) -> bytes:
        """A word that begins with a box's working directory, with the directory that stands for it here."""
        return os.fsencode(self._directory) + word[len(WORK) :] if word.startswith(os.fsencode(WORK)) else word

    def _run(self, wall_ms: int, descriptors: list[int]) -> None:
        setup = self._setup
        if setup is None:
            raise Failure("a run was ordered before its setup")
        self._forget_times()
        started = time.monotonic()
        report, report_end = os.pipe()
        self._program = os.fork()
        if self._program == 0:
            self._become(setup, descriptors, report_end)
        for descriptor in (report_end, *descriptors):
            os.close(descriptor)
        meter = self._meter()
        reason = self._watch(setup, meter, started + wall_ms / 1000)
        wall_us = int((time.monotonic() - started) * 1e6)
        status, cpu_us, peak_kib = self._end_all()
        said = os.read(report, 4096)
        os.close(report)
        if said:
            self.say(b"failed", said)
            return
        if self._artefacts >= 0 and status == 0:
            hand_over(self._directory, setup, set(self._names), self._artefacts)
        cpu_us = max(cpu_us, meter.cpu_ns() // 1000)
        if not reason and cpu_us > setup.cpu_ms * 1000:
            reason = b"cpu"
        self.say(b"ended", reason, *(b"%d" % figure for figure in (status, cpu_us, wall_us, peak_kib)))

    def _meter(self) -> Meter:
        if self._tier == "B":
            return BoxMeter(0, 0)
        return DescendantsMeter(0, 0) if self._tier == "D" else ProcessMeter(self._program)

    def _watch(self, setup: Setup, meter: Meter, wall_end: float) -> bytes:
        """Wait for the program's end, and bring it about where a limit is passed. Gives the reason, empty if none."""
        ended, reason = os.pidfd_open(self._program), b""
        poll = select.poll()
        poll.register(ended, select.POLLIN)
        poll.register(self._control, select.POLLIN)
        pause_s = _METER_S
        try:
            while True:
                left_s = max(0.0, min(pause_s, wall_end - time.monotonic()))
                ready = [descriptor for descriptor, _ in poll.poll(left_s * 1000)]
                if ended in ready:
                    return reason
                if ready:
                    message = receive_descriptors(self._control, MESSAGE_LIMIT_BYTES)[0]
                    if not message:
                        self.clear()
                        os._exit(0)  # the engine is gone
                    if next(unpack(message)) == b"stop":
                        reason = reason or b"stop"
                if not reason:
                    meter.read()
                    cpu_left_s = setup.cpu_ms / 1000 - meter.cpu_ns() / 1e9
                    if cpu_left_s < 0:
                        reason = b"cpu"
                    elif time.monotonic() >= wall_end:
                        reason = b"wall"
                    elif meter.memory_kib(setup.memory_kib) > setup.memory_kib:
                        reason = b"memory"
                    # Two threads can use up what is left in half the time; a look costs a fraction of a millisecond.
                    pause_s = min(_METER_S, max(0.004, cpu_left_s / 2))
                if reason:
                    wall_end, pause_s = time.monotonic() + 60, 0.01
                    for pid in meter.pids():
                        _kill(pid)
        finally:
            os.close(ended)

    def _end_all(self) -> tuple[int, int, int]:
        """Kill and reap all descendants: the program's wait status, CPU time in microseconds, and highest peak."""
        status, cpu_s, peak_kib = 0, 0.0, 0
        while True:
            self._kill_all()
            try:
                pid, wait_status, usage = os.wait4(-1, 0)
            except ChildProcessError:
                self._program = 0
                return status, int(cpu_s * 1e6), peak_kib
            cpu_s += usage.ru_utime + usage.ru_stime
            peak_kib = max(peak_kib, usage.ru_maxrss)
            if pid == self._program:
                status = wait_status

    def _kill_all(self) -> None:
        if self._pid == 1:
            _kill(-1)
        elif self._tier == "D":
            for pid in DescendantsMeter(0, 0).pids():
                _kill(pid)
        elif self._program:
            _kill(self._program)

    def _become(self, setup: Setup, standard: list[int], report: int) -> None:
        """Turn into the program, with its limits and no rights. Does not return."""
        try:
            os.setsid()  # no terminal, and kill(0) reaches nobody else
            os.umask(0o022)
            self._kernel.set_death_signal(SIGKILL)
            if os.getppid() != self._pid:
                os._exit(0)
            for number in (_signal.SIGINT, _signal.SIGPIPE, _signal.SIGXFSZ):
                _signal.signal(number, _signal.SIG_DFL)
            # High copies first: a descriptor that is already 0, 1 or 2 must not be overwritten before its turn.
            for target, source in enumerate([fcntl.fcntl(one, fcntl.F_DUPFD_CLOEXEC, 64) for one in standard]):
                os.dup2(source, target)
            report = os.dup2(fcntl.fcntl(report, fcntl.F_DUPFD_CLOEXEC, 64), 3, inheritable=False)
            os.closerange(4, 1024)
            os.chdir(self._directory)
            tasks_elsewhere = 0 if self._tier == "B" else _tasks_of_user() + _TASKS_ELSEWHERE
            for kind, limit in setup.rlimits:
                limit += tasks_elsewhere if kind == resource.RLIMIT_NPROC else 0
                resource.setrlimit(kind, (limit, limit))  # soft = hard
            self._kernel.drop_capabilities()
            self._kernel.set_dumpable(True)
            self._kernel.set_no_new_privileges()
            if self._tier == "C":
                readable = (self._directory, *_DEVICES)
                restrict(executable=self._readable, readable=readable, writable=["/dev/null"])
            for code in unpack(setup.seccomp):
                self._kernel.install_filter(code)
            os.execve(setup.argv[0], setup.argv, setup.environment)  # noqa: S606  no shell is the point
        except BaseException as error:  # noqa: BLE001  nothing may unwind into the runner's own frames
            os.write(report, f"{type(error).__name__}: {error}".encode()[:2000])
        os._exit(127)

    def _forget_times(self) -> None:
        """Runs in one directory must not tell each other by times of access which of its files they have read."""
        # In the future: a file system notes an access only after the last change, or a day after the last access.
        times = (time.time() + 3600, 0)
        for path in (self._directory, *(f"{self._directory}/{name}" for name in self._names)):
            os.utime(path, times)


class BoxMeter(Meter):
    """The meter of a box that serves one run; files without end count as too much memory."""

    def memory_kib(self, enough_kib: int) -> int:
        # Each costs the kernel about 1 KiB that nobody counts, and no limit of bubblewrap's holds for their number.
        files = 0
        for directory in (WORK, "/tmp"):  # noqa: S108  a file system of the run's own
            figures = os.statvfs(directory)
            files += figures.f_files - figures.f_ffree
        return enough_kib + 1 if files > _FILES else super().memory_kib(enough_kib)


class ProcessMeter(Meter):
    """The meter of one process that can have no others."""

    def __init__(self, pid: int) -> None:
        super().__init__(0, 0)
        self._pid = pid

    def pids(self) -> list[int]:
        return [self._pid]


class DescendantsMeter(Meter):
    """The meter of all processes that descend from us, among those of the machine."""

    def pids(self) -> list[int]:
        children: dict[int, list[int]] = {}
        for pid in map(int, filter(str.isdigit, os.listdir("/proc"))):
            children.setdefault(_parent(pid), []).append(pid)
        found = [os.getpid()]
        for pid in found:
            found += children.get(pid, ())
        return found[1:]


def _parent(pid: int) -> int:
    try:
        with open(f"/proc/{pid}/stat") as file:
            return int(file.read().rpartition(")")[2].split()[1])
    except OSError:
        return 0  # it has just ended


def _tasks_of_user() -> int:
    """How many threads our user has on this machine now."""
    count = 0
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            if os.stat(f"/proc/{pid}").st_uid == os.getuid():
                count += len(os.listdir(f"/proc/{pid}/task"))
        except OSError:
            continue
    return count


def _kill(pid: int) -> None:
    try:
        os.kill(pid, SIGKILL)
    except ProcessLookupError:
        return


def main() -> None:
    """Serve the engine on the descriptor named by the first argument."""
    control, tier, directory, *readable = sys.argv[1:]
    os.closerange(3, int(control))
    os.closerange(int(control) + 1, 1024)
    _signal.signal(_signal.SIGINT, _signal.SIG_IGN)  # of a program of the same user, or of a terminal
    try:
        with open("/proc/self/oom_score_adj", "w") as file:
            file.write("800")  # where the machine runs out of memory, a program goes before the server
    except OSError:
        pass
    runner = FlatRunner(_socket.socket(fileno=int(control)), tier, directory, readable)
    try:
        runner.serve()
    except (Failure, OSError, ValueError, KeyError, IndexError) as error:
        runner.say(b"failed", f"{type(error).__name__}: {error}".encode())
    finally:
        runner.clear()
