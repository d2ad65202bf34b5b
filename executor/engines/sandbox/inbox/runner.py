"""The runner: the trusted program inside the box. It starts one run at a time and measures it.

It takes orders from the engine on a socket, as messages of byte strings with descriptors beside them:
  setup  argv, environment, limits and filter; descriptor: the program's files
  run    the wall limit; descriptors: stdin, stdout, stderr and, after a compilation, one for what the program leaves
  stop   ends the current run
and answers `ended` with what it measured, or `failed` with a sentence. A run never gets the runner's descriptors, and
nothing a program says is believed: what counts are the kernel's figures.

Three processes make a run: this runner, the keeper as process 1 of fresh PID, IPC and mount namespaces, and the
program, so that signals mean to the program what they mean outside a box.
"""

from __future__ import annotations

import _socket
import os
import select
import sys
import time

from executor.engines.sandbox.inbox.framing import MESSAGE_LIMIT_BYTES, pack, unpack
from executor.engines.sandbox.inbox.keeper import PROGRAM, SIGKILL, Setup, keep
from executor.engines.sandbox.inbox.kernel import (
    CLONE_NEWIPC,
    CLONE_NEWNS,
    CLONE_NEWPID,
    MS_BIND,
    MS_NODEV,
    MS_NOSUID,
    MS_RDONLY,
    MS_REC_PRIVATE,
    MS_REMOUNT,
    Failure,
    Kernel,
)
from executor.engines.sandbox.inbox.meter import Meter

_CMSG_CLOEXEC = 0x40000000
_METER_S = 0.05
_GRACE_S = 1.0  # for the keeper to report after its run was killed


class Runner:
    """Serves one engine on one socket until it hangs up."""

    def __init__(self, control: _socket.socket) -> None:
        self._control = control
        self._kernel = Kernel()
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
        # Mounting takes a mount namespace of the runner's own: the box's belongs to an outer user namespace.
        self._kernel.unshare(CLONE_NEWNS)
        self._kernel.mount("none", "/", "none", MS_REC_PRIVATE)
        for device in os.listdir("/dev"):
            if not os.path.islink(f"/dev/{device}"):
                # Devices are the machine's own: on a writable mount their times could be set, and read by the next run.
                self._kernel.mount("none", f"/dev/{device}", "none", MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID)
        flags = MS_NOSUID | MS_NODEV
        self._kernel.mount("tmpfs", PROGRAM, "tmpfs", flags, "mode=0755,size=160m,nr_inodes=4k")
        with open(files, "rb") as file:
            fields = unpack(file.read())
        for name, mode, content in zip(fields, fields, fields, strict=True):
            self._names.append(os.fsdecode(name))
            path = f"{PROGRAM}/{self._names[-1]}"
            with open(path, "wb") as target:
                target.write(content)
            os.chmod(path, int(mode))
        self._kernel.mount("none", PROGRAM, "none", flags | MS_REMOUNT | MS_BIND | MS_RDONLY)
        self._setup = setup

    def _run(self, wall_ms: int, descriptors: list[int]) -> None:
        setup = self._setup
        if setup is None:
            raise Failure("a run was ordered before its setup")
        report, report_end = os.pipe()
        started = time.monotonic()
        keeper = self._kernel.clone(CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWNS)
        if keeper == 0:
            self._control.close()
            keep(self._kernel, setup, self._names, descriptors, report_end)
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

    def _watch(self, setup: Setup, keeper: int, report: int, wall_end: float) -> tuple[bytes, Meter]:
        """Wait for the keeper's report; end the run where a limit is passed. Gives the reason, empty if none."""
        meter, reason, kill_at = Meter(keeper), b"", 0.0
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


def _kill(pid: int) -> None:
    try:
        os.kill(pid, SIGKILL)
    except ProcessLookupError:
        return


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
