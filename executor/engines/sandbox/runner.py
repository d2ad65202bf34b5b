"""The runner: the only trusted program inside the box. It starts one run at a time and measures it.

The box's own interpreter executes this file with nothing but the standard library; the engine imports it for the framing
alone. It takes orders from the engine on a socket, as messages of byte strings with descriptors beside them:
  setup  argv, environment, limits and filter; descriptor: the program's files
  run    the wall limit; descriptors: stdin, stdout, stderr and, after a compilation, one for what the program leaves
  stop   ends the current run
and answers `ended` with what it measured, or `failed` with a sentence. A run never gets the runner's descriptors, and
nothing a program says is believed: what counts are the kernel's figures.

Three processes make a run: this runner, `_keep` as process 1 of fresh PID, IPC and mount namespaces, and the program,
so that signals mean to the program what they mean outside a box.
"""

from __future__ import annotations

import _socket
import ctypes
import fcntl
import os
import resource
import select
import sys
import time
from collections.abc import Callable, Iterator

MESSAGE_LIMIT_BYTES = 120_000
CLONE_NUMBERS = {"x86_64": 56, "aarch64": 220}
_NEW_NAMESPACES = 0x20000000 | 0x08000000 | 0x00020000  # CLONE_NEWPID, CLONE_NEWIPC, CLONE_NEWNS
_SIGKILL, _SIGCHLD = 9, 17
_MS_RDONLY, _MS_NOSUID, _MS_NODEV, _MS_NOEXEC, _MS_REMOUNT, _MS_BIND = 1, 2, 4, 8, 32, 4096
_MS_REC_PRIVATE = 16384 | 1 << 18
_PR_SET_DUMPABLE, _PR_SET_SECCOMP, _PR_SET_NO_NEW_PRIVS, _PR_CAP_AMBIENT = 4, 22, 38, 47
_CMSG_CLOEXEC = 0x40000000
_PROGRAM = "/program"  # the program's files, read-only
_WORK = "/box"  # a run's own working directory
_METER_S = 0.05
_GRACE_S = 1.0  # for the keeper to report after its run was killed


def pack(*fields: bytes) -> bytes:
    """Join byte strings so that `unpack` gives them back, whatever they contain."""
    return b"".join(b"%d:%b" % (len(field), field) for field in fields)


def unpack(data: bytes | memoryview) -> Iterator[bytes]:
    """The byte strings that `pack` joined.

    Raises:
        ValueError: the data were not made by `pack`, or were cut.
    """
    data, at = bytes(data), 0
    while at < len(data):
        colon = data.find(b":", at, at + 20)
        if colon < 0 or not data[at:colon].isdigit():
            raise ValueError("not a packed message")
        at = colon + 1 + int(data[at:colon])
        if at > len(data):
            raise ValueError("a packed message was cut")
        yield data[colon + 1 : at]


class Failure(Exception):
    """The box does not do what it must; the engine reports it, and no program is blamed."""


class _Kernel:
    """System calls that the standard library lacks. Loaded in the box only."""

    def __init__(self) -> None:
        self._libc = ctypes.PyDLL(None, use_errno=True)
        self._clone_number = CLONE_NUMBERS[os.uname().machine]

    def _checked(self, what: str, result: int) -> int:
        if result < 0:
            raise Failure(f"{what}: {os.strerror(ctypes.get_errno())}")
        return result

    def clone(self, flags: int) -> int:
        return self._checked("clone", self._libc.syscall(self._clone_number, flags | _SIGCHLD, 0, 0, 0, 0))

    def unshare(self, flags: int) -> None:
        self._checked("unshare", self._libc.unshare(flags))

    def mount(self, source: str, target: str, kind: str, flags: int, options: str = "") -> None:
        words = (source.encode(), target.encode(), kind.encode(), ctypes.c_ulong(flags), options.encode())
        self._checked(f"mount {target}", self._libc.mount(*words))

    def prctl(self, option: int, *values: int | ctypes._Pointer[_Filter]) -> None:
        self._checked(f"prctl {option}", self._libc.prctl(option, *values, *(0,) * (4 - len(values))))

    def drop_capabilities(self) -> None:
        self.prctl(_PR_CAP_AMBIENT, 4)  # PR_CAP_AMBIENT_CLEAR_ALL
        header = (ctypes.c_uint32 * 2)(0x20080522, 0)
        self._checked("capset", self._libc.capset(header, (ctypes.c_uint32 * 6)()))


class _Filter(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("code", ctypes.c_char_p))


class Setup:
    """What all runs of one box have in common."""

    def __init__(self, fields: list[bytes]) -> None:
        argv, environment, limits, self.seccomp = fields
        self.argv = list(unpack(argv))
        self.environment = dict(field.split(b"=", 1) for field in unpack(environment))
        numbers = dict(field.split(b"=", 1) for field in unpack(limits))

        def number(name: bytes) -> int:
            return int(numbers[name])

        self.cpu_ms, self.memory_kib = number(b"cpu_ms"), number(b"memory_kib")
        self.processes, self.disk_kib, self.has_proc = number(b"processes"), number(b"disk_kib"), number(b"proc")
        self.artefacts_bytes, self.artefacts_count = number(b"artefacts_bytes"), number(b"artefacts_count")
        infinity = resource.RLIM_INFINITY
        cpu_s = self.cpu_ms // 1000 + 2  # the meter is exact; this is for when the runner itself is gone
        self.rlimits = [
            (resource.RLIMIT_CPU, cpu_s),
            (resource.RLIMIT_DATA, number(b"data_kib") * 1024 or infinity),
            (resource.RLIMIT_AS, number(b"address_kib") * 1024 or infinity),
            (resource.RLIMIT_STACK, number(b"stack_kib") * 1024),
            (resource.RLIMIT_FSIZE, self.disk_kib * 1024),
            (resource.RLIMIT_NPROC, self.processes),
            (resource.RLIMIT_NOFILE, number(b"descriptors")),
            (resource.RLIMIT_CORE, 0),
            (resource.RLIMIT_MEMLOCK, 65536),
            (resource.RLIMIT_MSGQUEUE, 0),
            (resource.RLIMIT_SIGPENDING, 256),
        ]


class Runner:
    """Serves one engine on one socket until it hangs up."""

    def __init__(self, control: _socket.socket) -> None:
        self._control = control
        self._kernel = _Kernel()
        self._setup: Setup | None = None
        self._names: list[str] = []

    def serve(self) -> None:
        """Carry out orders until the engine hangs up."""
        while True:
            message, descriptors = self._receive()
            order, *fields = unpack(message)
            if order == b"setup":
                self._prepare(Setup(fields), descriptors[0])
            elif order == b"run":
                self._run(int(fields[0]), descriptors)

    def say(self, *fields: bytes) -> None:
        self._control.send(pack(*fields))

    def _receive(self) -> tuple[bytes, list[int]]:
        message, ancillary, _, _ = self._control.recvmsg(MESSAGE_LIMIT_BYTES, 256, _CMSG_CLOEXEC)
        if not message:
            os._exit(0)  # the engine is gone: with process 1 of the box everything in it ends
        raw = b"".join(data for _, _, data in ancillary)
        return message, [int.from_bytes(raw[at : at + 4], sys.byteorder) for at in range(0, len(raw), 4)]

    def _prepare(self, setup: Setup, files: int) -> None:
        # Mounts are only possible in a mount namespace of the runner's own; the box's belongs to an outer user namespace.
        self._kernel.unshare(0x00020000)
        self._kernel.mount("none", "/", "none", _MS_REC_PRIVATE)
        flags = _MS_NOSUID | _MS_NODEV
        self._kernel.mount("tmpfs", _PROGRAM, "tmpfs", flags, "mode=0755,size=160m,nr_inodes=4k")
        with open(files, "rb") as file:
            fields = unpack(file.read())
        for name, mode, content in zip(fields, fields, fields, strict=True):
            path = f"{_PROGRAM}/{name.decode()}"
            with open(path, "wb") as target:
                target.write(content)
            os.chmod(path, int(mode))
            self._names.append(name.decode())
        self._kernel.mount("none", _PROGRAM, "none", flags | _MS_REMOUNT | _MS_BIND | _MS_RDONLY)
        self._setup = setup

    def _run(self, wall_ms: int, descriptors: list[int]) -> None:
        setup = self._setup
        if setup is None:
            raise Failure("a run was ordered before its setup")
        report, report_end = os.pipe()
        started = time.monotonic()
        keeper = self._kernel.clone(_NEW_NAMESPACES)
        if keeper == 0:
            self._control.close()
            _keep(self._kernel, setup, self._names, descriptors, report_end)
        for descriptor in (report_end, *descriptors):
            os.close(descriptor)
        reason, meter = self._watch(setup, keeper, report, started + wall_ms / 1000)
        wall_us = int((time.monotonic() - started) * 1e6)
        said = os.read(report, 4096)
        os.close(report)
        _, _, usage = os.wait4(keeper, 0)
        cpu_us, peak_kib, status = int((usage.ru_utime + usage.ru_stime) * 1e6), usage.ru_maxrss, b"-1"
        if said.startswith(b"E"):
            self.say(b"failed", said[1:])
            return
        if said:
            status, *figures = said.split()
            cpu_us, peak_kib = (int(figure) for figure in figures)
        elif not reason:
            self.say(b"failed", b"the keeper of a run ended without a report")
            return
        cpu_us = max(cpu_us, meter.cpu_ns() // 1000)
        if not reason and cpu_us > setup.cpu_ms * 1000:
            reason = b"cpu"
        self.say(b"ended", reason, status, *(b"%d" % figure for figure in (cpu_us, wall_us, peak_kib)))

    def _watch(self, setup: Setup, keeper: int, report: int, wall_end: float) -> tuple[bytes, _Meter]:
        """Wait for the keeper's report; end the run where a limit is passed. Gives the reason, empty if none."""
        meter, reason, kill_at = _Meter(keeper), b"", 0.0
        poll = select.poll()
        poll.register(report, select.POLLIN)
        poll.register(self._control, select.POLLIN)
        pause_s = _METER_S
        while True:
            now = time.monotonic()
            ready = [descriptor for descriptor, _ in poll.poll(max(0.0, min(pause_s, wall_end - now)) * 1000)]
            if report in ready:
                return reason, meter
            if ready and list(unpack(self._receive()[0])) == [b"stop"]:
                reason = reason or b"stop"
            now = time.monotonic()
            if not reason:
                meter.read()
                left_s = setup.cpu_ms / 1000 - meter.cpu_ns() / 1e9
                if left_s < 0:
                    reason = b"cpu"
                elif now >= wall_end:
                    reason = b"wall"
                elif meter.memory_kib(setup.memory_kib) > setup.memory_kib:
                    reason = b"memory"
                # Two threads can use up what is left in half the time; a look costs a fraction of a millisecond.
                pause_s = min(_METER_S, max(0.004, left_s / 2))
            if reason:
                wall_end, pause_s, kill_at = now + 60, 0.01, kill_at or now + _GRACE_S
                for pid in (keeper,) if now > kill_at else meter.pids():
                    _kill(pid)


class _Meter:
    """CPU time and memory of all processes of a run, as the kernel counts them, also of those nobody waits for."""

    def __init__(self, keeper: int) -> None:
        self._keeper = keeper
        self._runner = os.getpid()
        self._cpu_ns: dict[int, int] = {}
        self._alive: list[int] = []

    def pids(self) -> list[int]:
        """The run's processes now: everything in the box but the runner and the keeper."""
        pids = (int(name) for name in os.listdir("/proc") if name.isdigit())
        return [pid for pid in pids if pid not in (self._keeper, self._runner)]

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


def _kill(pid: int) -> None:
    try:
        os.kill(pid, _SIGKILL)
    except ProcessLookupError:
        return


def _keep(kernel: _Kernel, setup: Setup, names: list[str], descriptors: list[int], report: int) -> None:
    """Be process 1 of a run: furnish it, start the program, report its end, and let nothing outlive it."""
    try:
        stdin, stdout, stderr, *artefacts = descriptors
        kernel.prctl(_PR_SET_DUMPABLE, 0)
        _furnish(kernel, setup, names)
        program = os.fork()
        if program == 0:
            _become(kernel, setup, (stdin, stdout, stderr), report)
        for descriptor in (stdin, stdout, stderr):
            os.close(descriptor)
        while True:
            pid, status = os.waitpid(-1, 0)
            if pid == program:
                break
        _end_all()
        if artefacts and status == 0:
            _hand_over(setup, set(names), artefacts[0])
        usage = resource.getrusage(resource.RUSAGE_CHILDREN)
        cpu_us = int((usage.ru_utime + usage.ru_stime) * 1e6)
        os.write(report, b"%d %d %d" % (status, cpu_us, usage.ru_maxrss))
    except BaseException as error:  # noqa: BLE001  nothing may unwind into the runner's own frames
        os.write(report, b"E" + f"{type(error).__name__}: {error}".encode()[:2000])
    os._exit(0)


def _furnish(kernel: _Kernel, setup: Setup, names: list[str]) -> None:
    """Give the run its own empty directories, with the program's files bound read-only into the first."""
    flags = _MS_NOSUID | _MS_NODEV | _MS_NOEXEC
    options = f"mode=0700,size={setup.disk_kib}k,nr_inodes=4k"
    for target in (_WORK, "/tmp"):  # noqa: S108  a file system of the run's own
        kernel.mount("tmpfs", target, "tmpfs", flags, options)
    for name in names:
        os.close(os.open(f"{_WORK}/{name}", os.O_CREAT | os.O_WRONLY, 0o600))
        kernel.mount(f"{_PROGRAM}/{name}", f"{_WORK}/{name}", "none", _MS_BIND)
    if setup.has_proc:
        kernel.mount("proc", "/proc", "proc", flags, "subset=pid")
    else:
        kernel.mount("tmpfs", "/proc", "tmpfs", flags | _MS_RDONLY, "size=4k,nr_inodes=2")
    os.chdir(_WORK)


def _become(kernel: _Kernel, setup: Setup, standard: tuple[int, int, int], report: int) -> None:
    """Turn into the program: its descriptors, its limits, no rights. Does not return."""
    try:
        # High copies first: a descriptor that is already 0, 1 or 2 must not be overwritten before its turn.
        for target, source in enumerate([fcntl.fcntl(one, fcntl.F_DUPFD_CLOEXEC, 20) for one in standard]):
            os.dup2(source, target)
        report = os.dup2(fcntl.fcntl(report, fcntl.F_DUPFD_CLOEXEC, 20), 3, inheritable=False)
        os.closerange(4, 1024)
        os.setsid()  # a group of its own: kill(0) reaches nobody else
        os.umask(0o022)
        for kind, limit in setup.rlimits:
            resource.setrlimit(kind, (limit, limit))  # soft = hard
        kernel.drop_capabilities()
        kernel.prctl(_PR_SET_DUMPABLE, 1)
        kernel.prctl(_PR_SET_NO_NEW_PRIVS, 1)
        code = _Filter(len(setup.seccomp) // 8, setup.seccomp)
        kernel.prctl(_PR_SET_SECCOMP, 2, ctypes.pointer(code))
        os.execve(setup.argv[0], setup.argv, setup.environment)
    except BaseException as error:  # noqa: BLE001  nothing may unwind into the runner's own frames
        os.write(report, b"E" + f"{type(error).__name__}: {error}".encode()[:2000])
    os._exit(127)


def _end_all() -> None:
    """Kill and reap everything in this PID namespace but process 1, which is us."""
    while True:
        try:
            os.kill(-1, _SIGKILL)
        except ProcessLookupError:
            pass
        try:
            os.waitpid(-1, 0)
        except ChildProcessError:
            return


def _hand_over(setup: Setup, given: set[str], target: int) -> None:
    """Write the regular files that the program left in its directory to a descriptor; links and the like are passed by."""
    left, count = setup.artefacts_bytes, 0
    for name in sorted(os.listdir(_WORK)):
        descriptor = -1
        try:
            if name not in given:
                descriptor = os.open(f"{_WORK}/{name}", os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError:
            continue  # a symbolic link, a socket, or a file made unreadable: nothing a compiler leaves
        if descriptor < 0:
            continue
        with open(descriptor, "rb") as file:
            info = os.fstat(descriptor)
            if info.st_mode & 0o170000 != 0o100000:
                continue
            count, left = count + 1, left - info.st_size
            if left < 0 or count > setup.artefacts_count:
                os.ftruncate(target, 0)
                os.write(target, b"too much")
                return
            mode = b"365" if info.st_mode & 0o100 else b"292"  # 0555 and 0444
            record = memoryview(pack(os.fsencode(name), mode, file.read()))
            while record:
                record = record[os.write(target, record) :]


def main() -> None:
    """Serve the engine on the descriptor named by the only argument."""
    control = int(sys.argv[1])
    os.closerange(3, control)
    os.closerange(control + 1, 1024)
    runner = Runner(_socket.socket(fileno=control))
    try:
        runner.serve()
    except (Failure, OSError, ValueError, KeyError, IndexError) as error:
        runner.say(b"failed", f"{type(error).__name__}: {error}".encode())


if __name__ == "__main__":
    main()
