"""An end to every exchange: sockets that are cut when its time is over, however many bytes still come."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool


class _Exchange(threading.local):
    """The exchange the current thread is in: the socket it uses and whether its time is over."""

    line: socket.socket | None = None
    is_over: threading.Event | None = None


_exchange = _Exchange()


class _Watched(HTTPConnection):
    """A connection whose socket the watchdog of its exchange can find and cut.

    The socket itself is noted: the connection lets go of it while a body without a length is still being read.
    """

    def connect(self) -> None:
        super().connect()
        self._show_line()

    def request(self, *args: Any, **kwargs: Any) -> None:
        self._show_line()
        super().request(*args, **kwargs)

    def _show_line(self) -> None:
        _exchange.line = self.sock
        if _exchange.is_over is not None and _exchange.is_over.is_set():
            raise TimeoutError("the exchange took too long")


class _WatchedTLS(_Watched, HTTPSConnection):
    pass


class _WatchedPool(HTTPConnectionPool):
    ConnectionCls = _Watched


class _WatchedTLSPool(HTTPSConnectionPool):
    ConnectionCls = _WatchedTLS


class WatchedAdapter(HTTPAdapter):
    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _WatchedPool, "https": _WatchedTLSPool}


@contextmanager
def cut_after(seconds: float) -> Iterator[threading.Event]:
    """Cut the current thread's connection when the time is over.

    Socket timeouts start anew with every byte; a server that drips one at a time would hold a worker for ever.
    """
    is_over = threading.Event()
    exchange = _exchange.__dict__
    exchange.update(line=None, is_over=is_over)

    def cut() -> None:
        is_over.set()
        line: socket.socket | None = exchange.get("line")
        if line is not None:
            with suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(seconds, cut)
    timer.daemon = True
    timer.start()
    try:
        yield is_over
    finally:
        timer.cancel()
        exchange.update(line=None, is_over=None)
