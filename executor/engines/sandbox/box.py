"""One bubblewrap box as the engine holds it: started, given its program, asked for runs, and ended with all in it."""

import fcntl
import os
import select
import socket
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import TracebackType

from executor.engines.base import EngineProtocolError, EngineUnavailable
from executor.engines.sandbox.host import Host
from executor.engines.sandbox.inbox.framing import MESSAGE_LIMIT_BYTES, pack, unpack

# Beyond a run's own wall limit, for the box to start on a busy machine and for the runner to report.
WATCHDOG_MARGIN_S = 15.0
_END_S = 5.0
_CHUNK_BYTES = 65536
_REASONS = {b"": "", b"cpu": "cpu", b"wall": "wall", b"memory": "memory", b"stop": "stop"}


@dataclass(frozen=True, slots=True, kw_only=True)
class BoxFile:
    """A file for a box: content and mode bits."""

    name: str
    content: bytes
    mode: int = 0o444


@dataclass(frozen=True, slots=True, kw_only=True)
class BoxPlan:
    """What all runs of one box have in common. Zero for `data_kib` and `address_kib` means no such limit."""

    argv: Sequence[str]
    files: Sequence[BoxFile]
    environment: Mapping[str, str]
    seccomp: bytes
    cpu_ms: int
    memory_kib: int
    data_kib: int
    address_kib: int
    stack_kib: int
    processes: int
    runs: int = 1
    descriptors: int = 256
    disk_kib: int = 32 * 1024
    has_proc: bool = False
    artefacts_bytes: int = 0
    artefacts_count: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """The kernel's figures of one run, and what it wrote. `reason` is the limit that ended it, empty if none did."""

    reason: str
    wait_status: int
    cpu_us: int
    wall_us: int
    peak_kib: int
    stdout: bytes
    stderr: bytes
    is_output_cut: bool
    artefacts: tuple[BoxFile, ...] = ()


@dataclass(slots=True)
class _Stream:
    """One output of a run: kept up to the limit, counted as too long beyond it."""

    descriptor: int
    limit: int
    kept: bytearray = field(default_factory=bytearray)
    is_cut: bool = False
    is_open: bool = True

    def read(self) -> bool:
        """Take what is there. False when nothing is there now; the descriptor is closed at its end or the limit."""
        try:
            chunk = os.read(self.descriptor, _CHUNK_BYTES)
        except BlockingIOError:
            return False
        self.kept += chunk[: self.limit - len(self.kept) + 1]
        if len(self.kept) > self.limit:
            del self.kept[self.limit :]
            self.is_cut = True
        if not chunk or self.is_cut:
            self.close()
        return self.is_open

    def close(self) -> None:
        if self.is_open:
            self.is_open = False
            os.close(self.descriptor)


class Box:
    """A context manager around one box; on leaving it, every process in the box is gone."""

    def __init__(self, host: Host, plan: BoxPlan) -> None:
        """Start the box and hand it the program.

        Raises:
            EngineUnavailable: it cannot be started.
        """
        self._plan = plan
        self._artefacts = -1
        self._log = os.memfd_create("box-log", os.MFD_CLOEXEC)
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        try:
            with theirs:
                self._process = host.spawn(theirs.fileno(), self._log)
        except BaseException:
            self._control.close()
            os.close(self._log)
            raise
        try:
            self._control.settimeout(WATCHDOG_MARGIN_S)
            files = _memfd(b"".join(pack(os.fsencode(f.name), b"%d" % f.mode, f.content) for f in plan.files))
            try:
                if plan.artefacts_bytes:
                    self._artefacts = os.memfd_create("artefacts", os.MFD_CLOEXEC)
                self._send(_setup_message(plan), [files, *([self._artefacts] if plan.artefacts_bytes else [])])
            finally:
                os.close(files)
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> "Box":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the box. The runner hangs up with us, and with process 1 the kernel ends all others before we return."""
        self._control.close()
        if not self._has_ended():
            self._process.kill()
        self._process.wait()
        for descriptor in (self._log, self._artefacts):
            if descriptor >= 0:
                os.close(descriptor)
        self._log = self._artefacts = -1

    def run(self, stdin: bytes, *, wall_ms: int, output_limit_bytes: int) -> Measured:
        """Run the program once on `stdin`.

        Raises:
            EngineUnavailable: the box ended or hangs.
            EngineProtocolError: its answer makes no sense.
        """
        descriptors: list[int] = []
        streams: list[_Stream] = []
        try:
            descriptors.append(_memfd(stdin, is_sealed=True))
            for _ in ("stdout", "stderr"):
                ours, theirs = os.pipe2(os.O_CLOEXEC)
                descriptors.append(theirs)
                streams.append(_Stream(ours, output_limit_bytes))
                os.set_blocking(ours, False)
            self._send(pack(b"run", b"%d" % wall_ms), descriptors)
            while descriptors:
                os.close(descriptors.pop())
            reason, *figures = self._await_end(streams, time.monotonic() + wall_ms / 1000 + WATCHDOG_MARGIN_S)
            for stream in streams:
                while stream.is_open and stream.read():
                    pass
            status, cpu_us, wall_us, peak_kib = (int(figure) for figure in figures)
            return Measured(
                reason=_REASONS[reason],
                wait_status=status,
                cpu_us=cpu_us,
                wall_us=wall_us,
                peak_kib=peak_kib,
                stdout=bytes(streams[0].kept),
                stderr=bytes(streams[1].kept),
                is_output_cut=any(stream.is_cut for stream in streams),
                artefacts=tuple(self._read_artefacts()),
            )
        except (ValueError, KeyError) as error:
            raise EngineProtocolError(f"the box gave an answer that makes no sense: {error}") from error
        finally:
            for stream in streams:
                stream.close()
            for descriptor in descriptors:
                os.close(descriptor)

    def _await_end(self, streams: list[_Stream], deadline: float) -> list[bytes]:
        poll = select.poll()
        poll.register(self._control, select.POLLIN)
        by_descriptor = {stream.descriptor: stream for stream in streams}
        for descriptor in by_descriptor:
            poll.register(descriptor, select.POLLIN)
        was_stopped = False
        while True:
            left_s = deadline - time.monotonic()
            if left_s < 0:
                self._process.kill()
                raise EngineUnavailable("the box did not answer in time and was ended")
            ready = [descriptor for descriptor, _ in poll.poll(left_s * 1000)]
            for descriptor in ready:
                if stream := by_descriptor.get(descriptor):
                    stream.read()
                    if not stream.is_open:
                        poll.unregister(descriptor)
                    if stream.is_cut and not was_stopped:
                        was_stopped = True
                        self._send(pack(b"stop"), [])
            if self._control.fileno() in ready:
                return self._answer()

    def _answer(self) -> list[bytes]:
        try:
            message = self._control.recv(MESSAGE_LIMIT_BYTES)
        except ConnectionError:  # it ended with orders unread
            message = b""
        if not message:
            raise EngineUnavailable(f"the box ended by itself: {self._last_words()}")
        kind, *fields = unpack(message)
        if kind == b"failed":
            raise EngineUnavailable(f"the box failed: {b' '.join(fields).decode(errors='replace')}")
        if kind != b"ended" or len(fields) != 5:
            raise EngineProtocolError(f"the box answered {kind!r} with {len(fields)} fields")
        return fields

    def _send(self, message: bytes, descriptors: list[int]) -> None:
        if len(message) > MESSAGE_LIMIT_BYTES:
            raise EngineProtocolError("an order to the box is too long")
        try:
            socket.send_fds(self._control, [message], descriptors)
        except OSError as error:
            raise EngineUnavailable(f"the box ended at its start: {self._last_words()}") from error

    def _has_ended(self) -> bool:
        """Wait for the box's process for a while, woken by its end; Popen.wait with a timeout would sleep in steps."""
        if self._process.poll() is not None:
            return True
        descriptor = os.pidfd_open(self._process.pid)
        try:
            poll = select.poll()
            poll.register(descriptor, select.POLLIN)
            return bool(poll.poll(_END_S * 1000))
        finally:
            os.close(descriptor)

    def _last_words(self) -> str:
        if not self._has_ended():
            return "its process still runs"
        self._process.wait()
        words = os.pread(self._log, 2000, 0).decode(errors="replace").strip()
        return words or f"exit {self._process.returncode}"

    def _read_artefacts(self) -> Iterable[BoxFile]:
        if self._artefacts < 0:
            return
        size = os.fstat(self._artefacts).st_size
        if size > self._plan.artefacts_bytes * 2 + 1_000_000:
            raise EngineProtocolError("the box handed over more than it may")
        fields = unpack(os.pread(self._artefacts, size, 0))
        for name, mode, content in zip(fields, fields, fields, strict=True):
            yield BoxFile(name=os.fsdecode(name), content=content, mode=int(mode) & 0o555)


def _setup_message(plan: BoxPlan) -> bytes:
    limits = {
        "cpu_ms": plan.cpu_ms,
        "memory_kib": plan.memory_kib,
        "data_kib": plan.data_kib,
        "address_kib": plan.address_kib,
        "stack_kib": plan.stack_kib,
        "processes": plan.processes,
        "runs": plan.runs,
        "descriptors": plan.descriptors,
        "disk_kib": plan.disk_kib,
        "proc": int(plan.has_proc),
        "artefacts_bytes": plan.artefacts_bytes,
        "artefacts_count": plan.artefacts_count,
    }
    return pack(
        b"setup",
        pack(*(word.encode() for word in plan.argv)),
        pack(*(f"{name}={value}".encode() for name, value in plan.environment.items())),
        pack(*(f"{name}={value}".encode() for name, value in limits.items())),
        plan.seccomp,
    )


def _memfd(content: bytes, *, is_sealed: bool = False) -> int:
    """A file in memory, read from its start; sealed, nobody can change it any more."""
    descriptor = os.memfd_create("input", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    view = memoryview(content)
    while view:
        view = view[os.write(descriptor, view) :]
    os.lseek(descriptor, 0, os.SEEK_SET)
    if is_sealed:
        seals = fcntl.F_SEAL_WRITE | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_SEAL
        fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, seals)
    return descriptor
