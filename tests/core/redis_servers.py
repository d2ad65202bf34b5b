"""Redis servers for tests: a real one of our own where the program is installed, and a small fake that misbehaves."""

import shutil
import socket
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO, Protocol

Command = list[bytes]


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


class Server(Protocol):
    """What tests need of a server; after `stop`, `start` brings it back on its port with nothing in it."""

    port: int

    def start(self) -> None: ...
    def stop(self) -> None: ...


class RealRedis:
    """`redis-server` on a free port, which keeps nothing on disk."""

    def __init__(self, directory: Path) -> None:
        self.port = free_port()
        self._directory = directory
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        options = ["--bind", "127.0.0.1", "--port", str(self.port), "--save", "", "--dir", str(self._directory)]
        self._process = subprocess.Popen(["redis-server", *options], stdout=subprocess.DEVNULL)
        for _ in range(500):
            if _is_alive(self.port):
                return
            time.sleep(0.02)
        raise AssertionError("redis-server did not begin to answer")

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


def _is_alive(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1) as client:
        client.sendall(b"PING\r\n")
        return client.recv(7) == b"+PONG\r\n"
    return False


class FakeRedis:
    """As much of Redis as a cache uses, in threads; it counts what reaches it, and can be slow or silent.

    `answers_after_s` delays each answer; None withholds them until `release`.
    """

    def __init__(self, *, answers_after_s: float | None = 0.0) -> None:
        self.port = free_port()
        self.answers_after_s = answers_after_s
        self.is_full = False
        self._callers: list[Any] = []
        self.commands: Counter[str] = Counter()
        self._lock = threading.Lock()
        self._stopped, self._released = threading.Event(), threading.Event()
        self._open: list[socket.socket] = []

    def start(self) -> None:
        self._values: dict[bytes, Any] = {}
        self._ends_s: dict[bytes, float] = {}
        self._stopped, self._released = threading.Event(), threading.Event()
        self._listening = socket.create_server(("127.0.0.1", self.port))
        threading.Thread(target=self._accept, args=(self._listening,), daemon=True).start()

    def count_connections(self) -> int:
        """How many were made so far, also those that this server has not come round to accepting yet."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=10) as last:
            for _ in range(1000):
                # They are accepted in the order in which they were made.
                if last.getsockname() in self._callers:
                    self._callers.remove(last.getsockname())
                    return len(self._callers)
                time.sleep(0.01)
        raise AssertionError("the fake Redis accepts no connections")

    def release(self) -> None:
        """Give the answers that were withheld, late as they are, and all others at once."""
        self.answers_after_s = 0.0
        self._released.set()

    def stop(self) -> None:
        self._stopped.set()
        self._released.set()
        with suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        for connection in self._open:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        self._open.clear()

    def _accept(self, listening: socket.socket) -> None:
        with suppress(OSError):
            while True:
                connection, caller = listening.accept()
                self._callers.append(caller)
                self._open.append(connection)
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        queued: list[Command] | None = None
        with suppress(OSError), connection, connection.makefile("rb") as stream:
            for command in _commands(stream):
                name = command[0].decode().upper()
                self.commands[name] += 1
                if self.answers_after_s is None:
                    self._released.wait()
                if self._stopped.wait(self.answers_after_s or 0.0):
                    return
                if name == "MULTI":
                    queued, answer = [], b"+OK\r\n"
                elif name == "EXEC":
                    answers = [self._answer(each) for each in queued or []]
                    queued, answer = None, b"*%d\r\n%s" % (len(answers), b"".join(answers))
                elif queued is not None:
                    queued.append(command)
                    answer = b"+QUEUED\r\n"
                else:
                    answer = self._answer(command)
                connection.sendall(answer)

    def _answer(self, command: Command) -> bytes:
        with self._lock:
            for key in [key for key, end_s in self._ends_s.items() if end_s <= time.monotonic()]:
                self._forget(key)
            return self._answer_of(command[0].decode().upper(), command[1:])

    def _answer_of(self, name: str, arguments: Command) -> bytes:
        match name:
            case "GET" if isinstance(self._values.get(arguments[0]), list):
                return b"-WRONGTYPE Operation against a key holding the wrong kind of value\r\n"
            case "GET":
                return _bulk(self._values.get(arguments[0]))
            case "MGET":
                return b"*%d\r\n%s" % (len(arguments), b"".join(_bulk(self._values.get(key)) for key in arguments))
            case "SET" if self.is_full:
                return b"-OOM command not allowed when used memory > 'maxmemory'.\r\n"
            case "SET":
                return self._set(arguments[0], arguments[1], [option.upper() for option in arguments[2:]])
            case "CONFIG" if arguments[:2] == [b"SET", b"maxmemory"]:
                self.is_full = arguments[2] != b"0"
                return b"+OK\r\n"
            case "LPUSH":
                self._values[arguments[0]] = arguments[1:]
                return b":1\r\n"
            case "DEL" | "EXISTS":
                known = [key for key in arguments if key in self._values]
                if name == "DEL":
                    for key in known:
                        self._forget(key)
                return b":%d\r\n" % len(known)
            case "TTL":
                return b":%d\r\n" % round(self._ends_s.get(arguments[0], 0) - time.monotonic())
            case "PEXPIRE":
                self._ends_s[arguments[0]] = time.monotonic() + int(arguments[1]) / 1000
                return b":%d\r\n" % (arguments[0] in self._values)
            case "FLUSHDB" | "FLUSHALL":
                self._values.clear()
                self._ends_s.clear()
                return b"+OK\r\n"
            case _:
                return b"+OK\r\n"

    def _set(self, key: bytes, value: bytes, options: Command) -> bytes:
        if b"NX" in options and key in self._values:
            return b"$-1\r\n"
        self._forget(key)
        self._values[key] = value
        if b"PX" in options:
            self._ends_s[key] = time.monotonic() + int(options[options.index(b"PX") + 1]) / 1000
        return b"+OK\r\n"

    def _forget(self, key: bytes) -> None:
        self._values.pop(key, None)
        self._ends_s.pop(key, None)


def _commands(stream: BinaryIO) -> Iterator[Command]:
    while line := stream.readline():
        parts = []
        for _ in range(int(line[1:])):
            length = int(stream.readline()[1:])
            parts.append(stream.read(length + 2)[:-2])
        yield parts


def _bulk(value: bytes | None) -> bytes:
    return b"$-1\r\n" if value is None else b"$%d\r\n%s\r\n" % (len(value), value)


def own_redis(directory: Path) -> Server:
    return RealRedis(directory) if shutil.which("redis-server") else FakeRedis()
