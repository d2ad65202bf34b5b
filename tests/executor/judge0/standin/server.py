"""HTTP of the stand-in: a server of its own on loopback, each request counted by kind and answered by a behaviour."""

import json
import re
import socket
import struct
import sys
import threading
from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from tests.executor.judge0.standin.api import Judge, Judge0Api

JSON = "application/json; charset=utf-8"
# The kinds that requests are counted by; anything else is "other", and nothing that Assay ever sends.
KINDS = (
    ("GET", r"/about", "about"),
    ("GET", r"/config_info", "config_info"),
    ("GET", r"/languages", "languages"),
    ("GET", r"/languages/[0-9]+", "language"),
    ("POST", r"/submissions/batch", "create"),
    ("GET", r"/submissions/batch", "poll"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """A whole answer."""

    status: int = 200
    body: bytes = b""
    content_type: str = JSON
    headers: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, status: int, answer: object, **headers: str) -> "Reply":
        """JSON; None is an empty body."""
        body = b"" if answer is None else json.dumps(answer).encode()
        return cls(status=status, body=body, headers=headers)

    @property
    def json(self) -> Any:
        """The body parsed."""
        return json.loads(self.body)

    def head(self, *, length: int | None = None) -> bytes:
        """Status line and headers; `length` is announced instead of the body's own."""
        lines = [f"HTTP/1.1 {self.status} {_phrase(self.status)}", f"Content-Type: {self.content_type}"]
        lines += [f"Content-Length: {len(self.body) if length is None else length}"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in self.headers.items()]
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


class Exchange:
    """One request, and the ways to answer it."""

    def __init__(self, standin: "StandIn", handler: "_Handler", body: bytes) -> None:
        address = urlsplit(handler.path)
        self.standin = standin
        self.method, self.path = handler.command, address.path
        self.query = dict(parse_qsl(address.query))
        self.body: Any = json.loads(body) if body else None
        self.key = handler.headers.get("X-Auth-Token", "")
        self.kind = next(
            (kind for method, path, kind in KINDS if method == self.method and re.fullmatch(path, self.path)), "other"
        )
        self._handler = handler

    def right_answer(self) -> Reply:
        """What Judge0 would answer; jobs are created by asking."""
        return Reply.of(*self.standin.api.answer(self.method, self.path, self.query, self.body, self.key))

    def send(self, reply: Reply) -> None:
        self.send_raw(reply.head() + reply.body)

    def send_raw(self, content: bytes) -> None:
        """Bytes as they are, at once. Whether the connection stays open is the caller's to say."""
        self._handler.wfile.write(content)

    def close(self) -> None:
        """End the connection in order."""
        self._handler.close_connection = True

    def reset(self) -> None:
        """End it with a TCP reset."""
        connection = self._handler.connection
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._handler.close_connection = True
        self._handler.rfile.close()
        self._handler.wfile.close()
        connection.close()

    def wait(self, seconds: float) -> bool:
        """Let time pass; False where the stand-in is stopping."""
        return not self.standin.stopping.wait(seconds)


Behaviour = Callable[[Exchange], None]


def well(exchange: Exchange) -> None:
    """Answer as Judge0 would."""
    exchange.send(exchange.right_answer())


def in_turn(**scripts: Sequence[Behaviour]) -> Callable[[Exchange], Behaviour]:
    """For each kind of request a behaviour for the first, the second and so on; then all is well."""
    queues = {kind: deque(behaviours) for kind, behaviours in scripts.items()}
    lock = threading.Lock()

    def choose(exchange: Exchange) -> Behaviour:
        with lock:
            queue = queues.get(exchange.kind)
            return queue.popleft() if queue else well

    return choose


class StandIn:
    """A Judge0 on a free port of loopback, or on a given one. It ends, threads and connections too, with its block."""

    def __init__(
        self,
        judge: Judge,
        *,
        auth_token: str = "",
        behave: Callable[[Exchange], Behaviour] | None = None,
        port: int = 0,
    ) -> None:
        self.api = Judge0Api(judge, auth_token=auth_token)
        self.behave = behave or (lambda _exchange: well)
        self.counts: Counter[str] = Counter()
        self.stopping = threading.Event()
        self._lock = threading.Lock()
        self._connections: set[socket.socket] = set()
        self._server = self._listen(port)
        self.port: int = self._server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._is_up = True

    def __enter__(self) -> "StandIn":
        return self

    def __exit__(self, *_exc: object) -> None:
        self.stopping.set()
        if self._is_up:
            self.go_down()

    @property
    def total(self) -> int:
        """How many requests there were."""
        return self.counts.total()

    def go_down(self) -> None:
        """Nobody listens any more: connections are cut, new ones refused."""
        self._is_up = False
        self._server.shutdown()
        self._server.socket.close()
        with self._lock:
            connections = list(self._connections)
        for connection in connections:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        self._server.server_close()

    def go_up(self) -> None:
        """Listen again, at the same address."""
        self._server = self._listen(self.port)
        self._is_up = True

    def serve(self, exchange: Exchange) -> None:
        """Count a request and answer it."""
        with self._lock:
            self.counts[exchange.kind] += 1
        self.behave(exchange)(exchange)

    def opened(self, connection: socket.socket) -> None:
        with self._lock:
            self._connections.add(connection)

    def closed(self, connection: socket.socket) -> None:
        with self._lock:
            self._connections.discard(connection)

    def _listen(self, port: int) -> ThreadingHTTPServer:
        standin = self

        class Handler(_Handler):
            owner = standin

        server = _Server(("127.0.0.1", port), Handler)
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return server


class _Server(ThreadingHTTPServer):
    daemon_threads = False  # joined by server_close()
    request_queue_size = 64

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hung up is the client's affair; anything else must not be overlooked."""
        if not isinstance(sys.exc_info()[1], OSError | ValueError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    owner: StandIn
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def setup(self) -> None:
        super().setup()
        self.owner.opened(self.connection)

    def finish(self) -> None:
        self.owner.closed(self.connection)
        with suppress(OSError, ValueError):
            super().finish()

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        try:
            self.owner.serve(Exchange(self.owner, self, body))
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def log_message(self, format: str, *args: Any) -> None:
        """Requests are counted, not printed."""


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"
