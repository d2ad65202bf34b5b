"""The runner: the trusted program inside the box. It starts one run at a time and measures it.

It takes orders from the engine on a socket, as messages of byte strings with descriptors beside them:
  setup  argv, environment, limits and filter; descriptors: the program's files, and for a compiler one to fill with
         what it leaves
  run    the wall limit; descriptors: stdin, stdout, stderr
  stop   ends the current run
and answers `ended` with what it measured, or `failed` with a sentence. A run never gets the runner's descriptors, and
nothing a program says is believed: what counts are the kernel's figures.

Three processes make a run: this runner, the keeper as process 1 of fresh PID, IPC and mount namespaces, and the
program, so that signals mean to the program what they mean outside a box.
"""

from __future__ import annotations

import _signal  # type: ignore[import-not-found]
import _socket
import os
import select
import sys
import time

from executor.engines.sandbox.inbox.framing import MESSAGE_LIMIT_BYTES, pack, receive_descriptors, unpack
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

_METER_S = 0.05
_GRACE_S = 1.0  # for the keeper to report after its run was killed


class Runner:
    """Serves one engine on one socket until it hangs up."""

    def __init__(self, control: _socket.socket) -> None:
        self._control = control
        self._kernel = Kernel()
        self._setup: Setup | None = None
        self._names: list[str] = []
        self._artefacts = -1
        self._runs_left = 0
        self._ahead: Started | None = None

    def serve(self) -> None:
        """Carry out orders until the engine hangs up."""
        while True:
            message, descriptors = self._receive()
            order, *fields = unpack(message)
            if order == b"setup":
                files, *artefacts = descriptors
                self._artefacts = artefacts[0] if artefacts else -1
                self._prepare(Setup(fields), files)
            elif order == b"run":
                self._run(int(fields[0]), descriptors)

    def say(self, *fields: bytes) -> None:
        self._control.send(pack(*fields))

    def _receive(self) -> tuple[bytes, list[int]]:
        message, descriptors = receive_descriptors(self._control, MESSAGE_LIMIT_BYTES)
        if not message:
            os._exit(0)  # the engine is gone: with process 1 of the box everything in it ends
        return message, descriptors

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
        self._runs_left = setup.runs

    def _start_keeper(self, setup: Setup) -> Started:
        report, report_end = os.pipe()
        ours, theirs = _socket.socketpair(_socket.AF_UNIX, _socket.SOCK_SEQPACKET)
        pid = self._kernel.clone(CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWNS)
        if pid == 0:
            self._control.close()
            ours.close()
            keep(self._kernel, setup, self._names, theirs, report_end, self._artefacts)
        os.close(report_end)
        theirs.close()
        return Started(pid, report, ours)

    def _run(self, wall_ms: int, descriptors: list[int]) -> None:
        setup = self._setup
        if setup is None:
            raise Failure("a run was ordered before its setup")
        keeper = self._ahead or self._start_keeper(setup)
        self._ahead = None
        started = time.monotonic()
        keeper.hand(descriptors)
        self._runs_left -= 1
        if self._runs_left > 0:
            # The next run's namespaces are made while this program runs; nothing passes from one to the other.
            self._ahead = self._start_keeper(setup)
        reason, meter = self._watch(setup, keeper, started + wall_ms / 1000)
        wall_us = int((time.monotonic() - started) * 1e6)
        said = keeper.said()
        if said.startswith(b"E"):
            self.say(b"failed", said[1:])
        elif said:
            status, cpu_us, peak_kib = (int(figure) for figure in said.split())
            self._conclude(setup, reason, status, max(cpu_us, meter.cpu_ns() // 1000), wall_us, peak_kib)
            os.wait4(keeper.pid, 0)  # after the answer: all it kept has ended before it reported
        else:
            _, _, usage = os.wait4(keeper.pid, 0)
            if not reason:
                raise Failure("the keeper of a run ended without a report")
            cpu_us = max(int((usage.ru_utime + usage.ru_stime) * 1e6), meter.cpu_ns() // 1000)
            self._conclude(setup, reason, SIGKILL, cpu_us, wall_us, usage.ru_maxrss)

    def _conclude(self, setup: Setup, reason: bytes, *figures: int) -> None:
        if not reason and figures[1] > setup.cpu_ms * 1000:
            reason = b"cpu"
        self.say(b"ended", reason, *(b"%d" % figure for figure in figures))

    def _watch(self, setup: Setup, keeper: Started, wall_end: float) -> tuple[bytes, Meter]:
        """Wait for the keeper's report; end the run where a limit is passed. Gives the reason, empty if none."""
        meter, reason, kill_at = Meter(keeper.pid, self._ahead.pid if self._ahead else 0), b"", 0.0
        poll = select.poll()
        poll.register(keeper.report, select.POLLIN)
        poll.register(self._control, select.POLLIN)
        pause_s = _METER_S
        while True:
            left_s = max(0.0, min(pause_s, wall_end - time.monotonic()))
            ready = [descriptor for descriptor, _ in poll.poll(left_s * 1000)]
            if keeper.report in ready:
                return reason, meter
            if ready and next(unpack(self._receive()[0])) == b"stop":
                reason = reason or b"stop"
            now = time.monotonic()
            if not reason:
                meter.read()
                cpu_left_s = setup.cpu_ms / 1000 - meter.cpu_ns() / 1e9
                if cpu_left_s < 0:
                    reason = b"cpu"
                elif now >= wall_end:
                    reason = b"wall"
                elif meter.memory_kib(setup.memory_kib) > setup.memory_kib:
                    reason = b"memory"
                # Two threads can use up what is left in half the time; a look costs a fraction of a millisecond.
                pause_s = min(_METER_S, max(0.004, cpu_left_s / 2))
            if reason:
                wall_end, pause_s, kill_at = now + 60, 0.01, kill_at or now + _GRACE_S
                for pid in (keeper.pid,) if now > kill_at else meter.pids():
                    _kill(pid)


class Started:
    """A keeper as the runner knows it."""

    def __init__(self, pid: int, report: int, channel: _socket.socket) -> None:
        self.pid, self.report, self._channel = pid, report, channel

    def hand(self, descriptors: list[int]) -> None:
        """Give the program its standard descriptors, which starts it, and keep no copy."""
        raw = b"".join(descriptor.to_bytes(4, sys.byteorder) for descriptor in descriptors)
        try:
            self._channel.sendmsg([b"start"], [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, raw)])
        except OSError:
            pass  # it has failed already, and has said why in its report
        finally:
            self._channel.close()
            for descriptor in descriptors:
                os.close(descriptor)

    def said(self) -> bytes:
        """The keeper's report: its figures, or what failed after an E; empty if it was killed."""
        said = os.read(self.report, 4096)
        os.close(self.report)
        return said


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
    _signal.signal(_signal.SIGINT, _signal.SIG_IGN)  # a program may send it to the keeper above it
    try:
        with open("/proc/self/oom_score_adj", "w") as file:
            file.write("800")  # where the machine runs out of memory, a box goes before the server
    except OSError:
        pass
    runner = Runner(_socket.socket(fileno=control))
    try:
        runner.serve()
    except (Failure, OSError, ValueError, KeyError, IndexError) as error:
        runner.say(b"failed", f"{type(error).__name__}: {error}".encode())
