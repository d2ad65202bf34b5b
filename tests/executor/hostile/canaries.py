"""What is planted around an attack, and whether it was touched: listeners, files, processes, and what remains.

Everything is observed from outside the box. Nothing here knows an engine.
"""

import os
import shutil
import socket
import tempfile
import uuid
from collections.abc import Iterable
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

_PAYLOAD_BYTES = 200
_WRITABLE_PLACES = ("/tmp", "/var/tmp", "/dev/shm", "/run/lock", "/dev/mqueue", "/var/crash")


class Listeners:
    """Sockets of the machine that wait to be reached from a box: TCP, UDP and local ones."""

    def __init__(self, directory: Path, mark: str) -> None:
        self._stack = ExitStack()
        self._sockets: dict[str, socket.socket] = {}
        self.abstract, self.datagram = f"{mark}-abstract", f"{mark}-datagram"
        self.path = str(directory / "socket")
        self._add("TCP", socket.AF_INET, socket.SOCK_STREAM, ("127.0.0.1", 0))
        self._add("UDP", socket.AF_INET, socket.SOCK_DGRAM, ("127.0.0.1", 0))
        with suppress(OSError):  # a machine without IPv6
            self._add("TCP6", socket.AF_INET6, socket.SOCK_STREAM, ("::1", 0))
            self._add("UDP6", socket.AF_INET6, socket.SOCK_DGRAM, ("::1", 0))
        self._add("ABSTRACT", socket.AF_UNIX, socket.SOCK_STREAM, "\0" + self.abstract)
        self._add("DATAGRAM", socket.AF_UNIX, socket.SOCK_DGRAM, "\0" + self.datagram)
        self._add("UNIX", socket.AF_UNIX, socket.SOCK_STREAM, self.path)
        os.chmod(self.path, 0o777)

    def _add(self, name: str, family: int, kind: int, address: object) -> None:
        opened = self._stack.enter_context(socket.socket(family, kind))
        opened.bind(address)  # type: ignore[arg-type]
        if kind == socket.SOCK_STREAM:
            opened.listen(64)
        opened.setblocking(False)
        self._sockets[name] = opened

    def port(self, name: str) -> int:
        """The port of a listener; that of the discard service where the machine lacks the protocol."""
        return int(self._sockets[name].getsockname()[1]) if name in self._sockets else 9

    def arrived(self) -> list[str]:
        """What came since the last look, a sentence each. The kernel took it in; nobody has to wait for it."""
        heard = []
        for name, opened in self._sockets.items():
            while True:
                try:
                    if opened.type == socket.SOCK_DGRAM:
                        text = opened.recv(_PAYLOAD_BYTES)
                    else:
                        connection, _ = opened.accept()
                        with connection:
                            connection.setblocking(False)
                            text = _received(connection)
                except BlockingIOError:
                    break
                heard.append(f"{name} heard {text!r}")
        return heard

    def close(self) -> None:
        self._stack.close()


def _received(connection: socket.socket) -> bytes:
    try:
        return connection.recv(_PAYLOAD_BYTES)
    except OSError:
        return b""


@dataclass(frozen=True, slots=True)
class _FileState:
    content: bytes
    mode: int
    uid: int
    links: int
    changed_ns: int
    read_ns: int


class Files:
    """Files with secrets in a directory that everybody may enter: one for its owner alone, one for the whole world."""

    def __init__(self, directory: Path) -> None:
        self.closed, self.open = directory / "closed", directory / "open"
        self.secrets = {path: f"secret-{uuid.uuid4().hex}" for path in (self.closed, self.open)}
        for path, secret in self.secrets.items():
            path.write_text(secret)
            path.chmod(0o600 if path == self.closed else 0o644)
            os.utime(path, ns=(0, 10**18))  # never read: reading sets the time of access, which lies before the change
        self._states = {path: _state(path) for path in self.secrets}

    def touched(self) -> list[str]:
        """How the files are not what they were, a sentence each."""
        said = []
        for path, before in self._states.items():
            try:
                now = _state(path)
            except OSError as error:
                said.append(f"the {path.name} file cannot be looked at any more: {error}")
                continue
            if now.read_ns != before.read_ns:
                said.append(f"the {path.name} file was read")
            if (now.content, now.mode, now.uid, now.links, now.changed_ns) != (
                before.content,
                before.mode,
                before.uid,
                before.links,
                before.changed_ns,
            ):
                said.append(f"the {path.name} file was changed")
        return said


def _state(path: Path) -> _FileState:
    info = path.lstat()
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    try:
        content = os.read(descriptor, 1000)
    finally:
        os.close(descriptor)
    with suppress(OSError):
        os.utime(path, ns=(info.st_atime_ns, info.st_mtime_ns))  # that we have read it is not to be seen
    return _FileState(content, info.st_mode, info.st_uid, info.st_nlink, info.st_mtime_ns, info.st_atime_ns)


class Canaries:
    """All that one attack could touch, from before its start to after its end. A context manager."""

    def __init__(self) -> None:
        # Short enough for the name of a process (15 bytes), and the number for keys of System V objects.
        self.key = int.from_bytes(os.urandom(4), "big") & 0x7FFFFFFF | 0x40000000
        self.mark = f"hx{self.key:08x}"
        self.directory = Path(tempfile.mkdtemp(prefix="canaries-"))
        try:
            self.directory.chmod(0o755)
            self.listeners = Listeners(self.directory, self.mark)
            self.files = Files(self.directory)
        except BaseException:
            shutil.rmtree(self.directory)
            raise

    def __enter__(self) -> "Canaries":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.listeners.close()
        shutil.rmtree(self.directory)

    def fill(self, text: str) -> str:
        """Put what the attack aims at in place of `@NAME@`."""
        values = {
            "MARK": self.mark,
            "KEY": str(self.key),
            "CLOSED_FILE": str(self.files.closed),
            "OPEN_FILE": str(self.files.open),
            "DIRECTORY": str(self.directory),
            "UNIX_PATH": self.listeners.path,
            "ABSTRACT": self.listeners.abstract,
            "DATAGRAM": self.listeners.datagram,
            "ENGINE_PID": str(os.getpid()),
            **{f"{name}_PORT": str(self.listeners.port(name)) for name in ("TCP", "UDP", "TCP6", "UDP6")},
        }
        for name, value in values.items():
            text = text.replace(f"@{name}@", value)
        return text

    def residue(self) -> list[str]:
        """What of the attack lies where programs of this machine can see it."""
        said = []
        for place in {*_WRITABLE_PLACES, tempfile.gettempdir()}:
            with suppress(OSError):
                said += [f"{place}/{name} on the machine" for name in os.listdir(place) if self.mark in name]
        for kind in ("shm", "sem", "msg"):
            with suppress(OSError):
                lines = Path(f"/proc/sysvipc/{kind}").read_text().splitlines()[1:]
                said += [f"a System V {kind} on the machine" for line in lines if int(line.split()[0]) == self.key]
        return said


def processes_naming(mark: str) -> list[int]:
    """The processes of the machine that carry the mark in their name or command line."""
    found = []
    for pid in _pids():
        with suppress(OSError):
            if any(mark.encode() in Path(f"/proc/{pid}/{name}").read_bytes() for name in ("comm", "cmdline")):
                found.append(pid)
    return found


def descendants(ancestor: int) -> set[int]:
    """All processes below one, whether or not they have ended."""
    parents = {}
    for pid in _pids():
        with suppress(OSError):
            parents[pid] = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    below: set[int] = set()
    while more := {pid for pid, parent in parents.items() if parent in below | {ancestor}} - below:
        below |= more
    return below


def _pids() -> Iterable[int]:
    return (int(name) for name in os.listdir("/proc") if name.isdigit())


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessState:
    """What this process, which is the engine's, holds. `temporary` are names in the directory for temporary files."""

    descriptors: int
    threads: int
    processes: int
    memory_kib: int
    temporary: frozenset[str]

    @classmethod
    def now(cls) -> "ProcessState":
        status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
        return cls(
            descriptors=len(os.listdir("/proc/self/fd")),
            threads=int(status["Threads"]),
            processes=len(descendants(os.getpid())),
            memory_kib=int(status["VmRSS"].split()[0]),
            temporary=frozenset(os.listdir(tempfile.gettempdir())),
        )
