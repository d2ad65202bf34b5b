"""Process 1 of a run: furnishes its namespaces, becomes the program in a child, and lets nothing outlive it."""

from __future__ import annotations

import _signal  # type: ignore[import-not-found]  # `signal` would take as long to load as all others together
import _socket
import fcntl
import os
import resource
import stat

from executor.engines.sandbox.inbox.framing import pack, receive_descriptors, unpack
from executor.engines.sandbox.inbox.kernel import MS_BIND, MS_NODEV, MS_NOEXEC, MS_NOSUID, MS_RDONLY, Kernel

PROGRAM = "/program"  # the program's files, read-only
WORK = "/box"  # a run's own working directory
SIGKILL = 9
# The runner, two keepers and the child that waits for the next run count towards the limit of the box's user.
_OWN_PROCESSES = 4


class Setup:
    """What all runs of one box have in common."""

    def __init__(self, fields: list[bytes]) -> None:
        _, argv, environment, limits, self.seccomp = fields
        self.argv = list(unpack(argv))
        self.environment = dict(field.split(b"=", 1) for field in unpack(environment))
        numbers = dict(field.split(b"=", 1) for field in unpack(limits))

        def number(name: bytes) -> int:
            return int(numbers[name])

        self.cpu_ms, self.memory_kib = number(b"cpu_ms"), number(b"memory_kib")
        self.disk_kib, self.has_proc = number(b"disk_kib"), number(b"proc")
        self.artefacts_bytes, self.artefacts_count = number(b"artefacts_bytes"), number(b"artefacts_count")
        infinity = resource.RLIM_INFINITY
        self.runs = number(b"runs")
        cpu_s = self.cpu_ms // 1000 + 2  # the meter is exact; this is for when the runner itself is gone
        self.rlimits = [
            (resource.RLIMIT_CPU, cpu_s),
            (resource.RLIMIT_DATA, number(b"data_kib") * 1024 or infinity),
            (resource.RLIMIT_AS, number(b"address_kib") * 1024 or infinity),
            (resource.RLIMIT_STACK, number(b"stack_kib") * 1024),
            (resource.RLIMIT_FSIZE, self.disk_kib * 1024),
            (resource.RLIMIT_NPROC, number(b"processes") + _OWN_PROCESSES),
            (resource.RLIMIT_NOFILE, number(b"descriptors")),
            (resource.RLIMIT_CORE, 0),
            (resource.RLIMIT_MEMLOCK, 65536),
            (resource.RLIMIT_MSGQUEUE, 0),
            (resource.RLIMIT_SIGPENDING, 256),
        ]


def keep(kernel: Kernel, setup: Setup, names: list[str], channel: _socket.socket, report: int, artefacts: int) -> None:
    """Be process 1 of a run: furnish it, start the program, report its end, and let nothing outlive it."""
    try:
        kernel.set_dumpable(False)
        _furnish(kernel, setup, names)
        program = os.fork()
        if program == 0:
            _become(kernel, setup, channel, report)
        channel.close()
        while True:
            pid, status = os.waitpid(-1, 0)
            if pid == program:
                break
        _end_all()
        if artefacts >= 0 and status == 0:
            hand_over(WORK, setup, set(names), artefacts)
        usage = resource.getrusage(resource.RUSAGE_CHILDREN)
        cpu_us = int((usage.ru_utime + usage.ru_stime) * 1e6)
        os.write(report, b"%d %d %d" % (status, cpu_us, usage.ru_maxrss))
    except BaseException as error:  # noqa: BLE001  nothing may unwind into the runner's own frames
        os.write(report, b"E" + f"{type(error).__name__}: {error}".encode()[:2000])
    os._exit(0)


def _furnish(kernel: Kernel, setup: Setup, names: list[str]) -> None:
    """Give the run its own empty directories, with the program's files bound read-only into the first."""
    flags = MS_NOSUID | MS_NODEV | MS_NOEXEC
    options = f"mode=0700,size={setup.disk_kib}k,nr_inodes=4k"
    for target in (WORK, "/tmp"):  # noqa: S108  a file system of the run's own
        kernel.mount("tmpfs", target, "tmpfs", flags, options)
    for name in names:
        os.close(os.open(f"{WORK}/{name}", os.O_CREAT | os.O_WRONLY, 0o600))
        kernel.mount(f"{PROGRAM}/{name}", f"{WORK}/{name}", "none", MS_BIND)
    if setup.has_proc:
        kernel.mount("proc", "/proc", "proc", flags, "subset=pid")
    else:
        kernel.mount("tmpfs", "/proc", "tmpfs", flags | MS_RDONLY, "size=4k,nr_inodes=2")
    os.chdir(WORK)


def _become(kernel: Kernel, setup: Setup, channel: _socket.socket, report: int) -> None:
    """Wait for the standard descriptors, then turn into the program, with its limits and no rights. Does not return."""
    try:
        for number in (_signal.SIGINT, _signal.SIGPIPE, _signal.SIGXFSZ):  # which Python itself ignores or catches
            _signal.signal(number, _signal.SIG_DFL)
        os.setsid()  # a group of its own: kill(0) reaches nobody else
        os.umask(0o022)
        standard = receive_descriptors(channel, 16)[1]
        if len(standard) != 3:
            os._exit(0)  # the runner needs no run of us after all
        # High copies first: a descriptor that is already 0, 1 or 2 must not be overwritten before its turn.
        for target, source in enumerate([fcntl.fcntl(one, fcntl.F_DUPFD_CLOEXEC, 64) for one in standard]):
            os.dup2(source, target)
        report = os.dup2(fcntl.fcntl(report, fcntl.F_DUPFD_CLOEXEC, 64), 3, inheritable=False)
        os.closerange(4, 1024)
        for kind, limit in setup.rlimits:
            resource.setrlimit(kind, (limit, limit))  # soft = hard
        kernel.drop_capabilities()
        kernel.set_dumpable(True)
        kernel.set_no_new_privileges()
        kernel.install_filter(setup.seccomp)
        os.execve(setup.argv[0], setup.argv, setup.environment)  # noqa: S606  no shell is the point
    except BaseException as error:  # noqa: BLE001  nothing may unwind into the runner's own frames
        os.write(report, b"E" + f"{type(error).__name__}: {error}".encode()[:2000])
    os._exit(127)


def _end_all() -> None:
    """Kill and reap everything in this PID namespace but process 1, which is us."""
    while True:
        try:
            os.kill(-1, SIGKILL)
        except ProcessLookupError:
            return
        try:
            os.waitpid(-1, 0)
        except ChildProcessError:
            continue  # a grandchild whose parent is about to leave it to us


def hand_over(directory: str, setup: Setup, given: set[str], target: int) -> None:
    """Write the regular files that the program left in its directory to a descriptor; links and such are left out."""
    left, count = setup.artefacts_bytes, 0
    for name in sorted(set(os.listdir(directory)) - given):
        try:
            descriptor = os.open(f"{directory}/{name}", os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError:
            continue  # a symbolic link, a socket, or a file made unreadable: nothing a compiler leaves
        info = os.fstat(descriptor)
        if stat.S_ISREG(info.st_mode):
            count, left = count + 1, left - info.st_size
            if left < 0 or count > setup.artefacts_count:
                os.ftruncate(target, 0)  # nothing at all, which the engine takes for a failed compilation
                return
            mode = b"%d" % (0o555 if info.st_mode & stat.S_IXUSR else 0o444)
            with open(descriptor, "rb", closefd=False) as file:
                record = memoryview(pack(os.fsencode(name), mode, file.read()))
            while record:
                record = record[os.write(target, record) :]
        os.close(descriptor)
