"""One bubblewrap box as the engine holds it: started, given its program, asked for runs, and ended with all in it."""

import contextlib
import fcntl
import os
import select
import socket
import time
from collections import deque
from collections.abc import Generator, Iterable, Mapping, Sequence
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


class BoxHangs(EngineUnavailable):
    """The box gave no answer; a machine that is too busy does that to boxes as well."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BoxFile:
    """A file for a box: content and mode bits."""

    name: str
    content: bytes
    mode: int = 0o444


@dataclass(frozen=True, slots=True, kw_only=True)
class BoxPlan:
    """What all runs of one submission have in common. Zero for `data_kib` and `address_kib` means no such limit.

    `is_forked`: the program is a Python source, `argv[0]`, and is forked from the box's zygote instead of started.
    """

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
    is_forked: bool = False


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


@dataclass(slots=True, kw_only=True)
class _Order:
    """A run that the box was told to make, and that has not been looked at yet. Runs of a box are numbered from 1."""

    number: int
    streams: list[_Stream]
    wall_ms: int


class Box:
    """A context manager around one box; on leaving it, every process in the box is gone."""

    def __init__(self, host: Host) -> None:
        """Start the box, empty.

        Raises:
            OSError: it cannot be started.
        """
        self.loads = 0
        self._ordered = 0
        self._takes_orders_ahead = host.native_runner is not None
        self._plan: BoxPlan | None = None
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
        self._control.settimeout(WATCHDOG_MARGIN_S)

    def start_zygote(self, argv: Sequence[str], environment: Mapping[str, str], code: bytes) -> None:
        """Start the interpreter that programs with `is_forked` are forked from, and wait until it is warm.

        Raises:
            EngineUnavailable: it cannot be started.
        """
        script = _memfd(code)
        try:
            order = pack(b"zygote", pack(*(word.encode() for word in argv)), _packed_pairs(environment))
            self._send(order, [script])
        finally:
            os.close(script)
        if list(self._receive()) != [b"ready"]:
            raise EngineProtocolError("the box did not start its interpreter, and did not say why")

    def load(self, plan: BoxPlan) -> None:
        """Hand the box the program that it is to run.

        Raises:
            EngineUnavailable: the box has ended.
        """
        self.loads += 1
        self._plan = plan
        self._close_artefacts()
        files = _memfd(b"".join(pack(os.fsencode(f.name), b"%d" % f.mode, f.content) for f in plan.files))
        try:
            if plan.artefacts_bytes:
                self._artefacts = os.memfd_create("artefacts", os.MFD_CLOEXEC)
            self._send(_setup_message(plan), [files, *([self._artefacts] if plan.artefacts_bytes else [])])
        finally:
            os.close(files)

    def unload(self) -> None:
        """Let the box forget its program, and end what was made ahead for it.

        Raises:
            EngineUnavailable: the box has ended.
        """
        self._plan = None
        self._close_artefacts()
        self._send(pack(b"unload"), [])

    def _close_artefacts(self) -> None:
        if self._artefacts >= 0:
            os.close(self._artefacts)
        self._artefacts = -1

    def __enter__(self) -> "Box":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def is_alive(self) -> bool:
        """Whether its processes are still there."""
        return self._process.poll() is None

    def close(self) -> None:
        """End the box. The runner hangs up with us, and with process 1 the kernel ends all others before we return."""
        self._control.close()
        if not self._has_ended():
            self._process.kill()
        self._process.wait()
        self._close_artefacts()
        if self._log >= 0:
            os.close(self._log)
        self._log = -1

    def runs(
        self, inputs: Iterable[bytes], *, wall_ms: int, output_limit_bytes: int
    ) -> Generator[Measured, None, None]:
        """Run the program on one input after another. To be closed where it is left before its end.

        Raises:
            EngineUnavailable: the box ended or hangs.
            EngineProtocolError: its answer makes no sense.
        """
        # A box that takes orders ahead begins with a run while we still look at the one before.
        depth = 2 if self._takes_orders_ahead else 1
        orders: deque[_Order] = deque()
        try:
            for stdin in inputs:
                orders.append(self._order(stdin, wall_ms=wall_ms, output_limit_bytes=output_limit_bytes))
                if len(orders) == depth:
                    yield self._measured(orders.popleft())
            while orders:
                yield self._measured(orders.popleft())
        except GeneratorExit:
            for order in orders:
                self._stop(order)
                self._measured(order)
            raise

    def run(self, stdin: bytes, *, wall_ms: int, output_limit_bytes: int) -> Measured:
        """Run the program once on `stdin`.

        Raises:
            EngineUnavailable: the box ended or hangs.
            EngineProtocolError: its answer makes no sense.
        """
        return self._measured(self._order(stdin, wall_ms=wall_ms, output_limit_bytes=output_limit_bytes))

    def _order(self, stdin: bytes, *, wall_ms: int, output_limit_bytes: int) -> "_Order":
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
        except BaseException:
            for stream in streams:
                stream.close()
            raise
        finally:
            for descriptor in descriptors:
                os.close(descriptor)
        self._ordered += 1
        return _Order(number=self._ordered, streams=streams, wall_ms=wall_ms)

    def _measured(self, order: "_Order") -> Measured:
        try:
            reason, *figures = self._await_end(order)
            for stream in order.streams:
                while stream.is_open and stream.read():
                    pass
            status, cpu_us, wall_us, peak_kib = (int(figure) for figure in figures)
            stdout, stderr = order.streams
            return Measured(
                reason=_REASONS[reason],
                wait_status=status,
                cpu_us=cpu_us,
                wall_us=wall_us,
                peak_kib=peak_kib,
                stdout=bytes(stdout.kept),
                stderr=bytes(stderr.kept),
                is_output_cut=stdout.is_cut or stderr.is_cut,
                artefacts=tuple(self._read_artefacts()),
            )
        except (ValueError, KeyError) as error:
            raise EngineProtocolError(f"the box gave an answer that makes no sense: {error}") from error
        finally:
            for stream in order.streams:
                stream.close()

    def _stop(self, order: "_Order") -> None:
        self._send(pack(b"stop", b"%d" % order.number), [])

    def _await_end(self, order: "_Order") -> list[bytes]:
        deadline = time.monotonic() + order.wall_ms / 1000 + WATCHDOG_MARGIN_S
        poll = select.poll()
        poll.register(self._control, select.POLLIN)
        by_descriptor = {stream.descriptor: stream for stream in order.streams}
        for descriptor in by_descriptor:
            poll.register(descriptor, select.POLLIN)
        was_stopped = False
        while True:
            left_s = deadline - time.monotonic()
            if left_s < 0:
                self._process.kill()
                raise BoxHangs("the box did not answer in time and was ended")
            ready = [descriptor for descriptor, _ in poll.poll(left_s * 1000)]
            for descriptor in ready:
                if stream := by_descriptor.get(descriptor):
                    stream.read()
                    if not stream.is_open:
                        poll.unregister(descriptor)
                    if stream.is_cut and not was_stopped:
                        was_stopped = True
                        self._stop(order)
            if self._control.fileno() in ready:
                return self._answer()

    def _receive(self) -> list[bytes]:
        try:
            message = self._control.recv(MESSAGE_LIMIT_BYTES)
        except TimeoutError:
            self._process.kill()
            message = b""
        except ConnectionError:  # it ended with orders unread
            message = b""
        if not message:
            raise EngineUnavailable(f"the box ended by itself: {self._last_words()}")
        kind, *fields = unpack(message)
        if kind == b"failed":
            raise EngineUnavailable(f"the box failed: {b' '.join(fields).decode(errors='replace')}")
        return [kind, *fields]

    def _answer(self) -> list[bytes]:
        kind, *fields = self._receive()
        if kind != b"ended" or len(fields) != 5:
            raise EngineProtocolError(f"the box answered {kind!r} with {len(fields)} fields")
        return fields

    def _send(self, message: bytes, descriptors: list[int]) -> None:
        if len(message) > MESSAGE_LIMIT_BYTES:
            raise EngineProtocolError("an order to the box is too long")
        try:
            socket.send_fds(self._control, [message], descriptors)
        except OSError as error:
            raise EngineUnavailable(f"the box ended by itself: {self._last_words()}") from error

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
        for _ in range(2):  # at first it may only be told that orders were left unread
            with contextlib.suppress(OSError, ValueError):
                kind, *fields = unpack(self._control.recv(MESSAGE_LIMIT_BYTES, socket.MSG_DONTWAIT))
                if kind == b"failed":
                    return b" ".join(fields).decode(errors="replace")
        words = os.pread(self._log, 2000, 0).decode(errors="replace").strip()
        return words or f"exit {self._process.returncode}"

    def _read_artefacts(self) -> Iterable[BoxFile]:
        if self._artefacts < 0 or self._plan is None:
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
        b"fork" if plan.is_forked else b"start",
        pack(*(word.encode() for word in plan.argv)),
        _packed_pairs(plan.environment),
        _packed_pairs(limits),
        plan.seccomp,
    )


def _packed_pairs(pairs: Mapping[str, str | int]) -> bytes:
    return pack(*(f"{name}={value}".encode() for name, value in pairs.items()))


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
