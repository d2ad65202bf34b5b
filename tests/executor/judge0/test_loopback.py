"""What only real sockets show: drips, cut bodies, silence, refused connections, proxies of the environment."""

import json
import socket
import threading
import time
from collections.abc import Callable

import pytest
import requests

from executor.engines.base import EngineUnavailable
from executor.engines.judge0 import Judge0Engine, Timeouts, watchdog
from tests.executor.judge0.support import KEY, SERVER, RawServer, request_of

CONFIG = json.dumps(SERVER["config_info"]).encode()
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
SHORT = Timeouts(connect_s=1.0, read_s=2.0, exchange_s=0.4, queue_allowance_s=5.0)

Behaviour = Callable[[socket.socket, threading.Event], None]


def dripping(head: bytes, body: bytes) -> Behaviour:
    """Send the head at once and the body a byte at a time, each well within any read timeout."""

    def behave(connection: socket.socket, stop: threading.Event) -> None:
        connection.sendall(head)
        for position in range(len(body)):
            if stop.wait(0.05):
                return
            connection.sendall(body[position : position + 1])

    return behave


def silent(connection: socket.socket, stop: threading.Event) -> None:
    stop.wait(30)


def sending(content: bytes) -> Behaviour:
    return lambda connection, _stop: connection.sendall(content)


DRIPS = [
    pytest.param(dripping(HEAD + f"Content-Length: {len(CONFIG)}\r\n\r\n".encode(), CONFIG), id="body"),
    pytest.param(dripping(HEAD + b"Connection: close\r\n\r\n", CONFIG), id="body without a length"),
    pytest.param(dripping(HEAD, b"X-Slow: " + b"y" * 2000), id="headers"),
    pytest.param(dripping(b"", HEAD), id="status line"),
    pytest.param(dripping(HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n" * 200), id="chunks"),
]


def ask(server: RawServer, timeouts: Timeouts = SHORT) -> None:
    Judge0Engine(base_url=server.url, auth_token=KEY, timeouts=timeouts).run(request_of(b"x"))


class SlowServerTestCase:
    @pytest.mark.parametrize("behave", DRIPS)
    def test_an_exchange_ends_in_its_time_however_it_drips(self, behave: Behaviour) -> None:
        with RawServer(behave) as server:
            started = time.monotonic()
            with pytest.raises(EngineUnavailable, match="too long"):
                ask(server)
            took_s = time.monotonic() - started
        assert 0.3 < took_s < 1.5

    def test_without_the_watchdog_a_drip_outlasts_every_timeout(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """The control of the test above: socket timeouts alone do not end it."""

        class NeverFires(threading.Timer):
            def __init__(self, _seconds: float, function: Callable[[], None]) -> None:
                super().__init__(3600, function)

        monkeypatch.setattr(watchdog.threading, "Timer", NeverFires)
        body = b" " * 40 + b"{"
        with RawServer(dripping(HEAD + f"Content-Length: {len(body)}\r\n\r\n".encode(), body)) as server:
            started = time.monotonic()
            with pytest.raises(Exception, match="something other than JSON"):
                ask(server)
            assert time.monotonic() - started > 1.5

    def test_silence_ends_in_its_time(self) -> None:
        with RawServer(silent) as server:
            started = time.monotonic()
            with pytest.raises(EngineUnavailable):
                ask(server)
            assert time.monotonic() - started < 1.5

    def test_a_read_timeout_ends_it_sooner(self) -> None:
        timeouts = Timeouts(connect_s=1.0, read_s=0.2, exchange_s=30.0)
        with RawServer(silent) as server:
            started = time.monotonic()
            with pytest.raises(EngineUnavailable, match="no answer in time"):
                ask(server, timeouts)
            assert time.monotonic() - started < 1.5

    def test_the_health_of_a_silent_server_is_told_in_time(self) -> None:
        with RawServer(silent) as server:
            engine = Judge0Engine(base_url=server.url, timeouts=SHORT)
            started = time.monotonic()
            health = engine.health()
            assert time.monotonic() - started < 1.5
        assert not health.is_ready


class BrokenServerTestCase:
    @pytest.mark.parametrize(
        "content",
        [
            pytest.param(HEAD + b"Content-Length: 5000\r\n\r\n" + CONFIG[:100], id="body shorter than announced"),
            pytest.param(HEAD + b"Transfer-Encoding: chunked\r\n\r\nff\r\n{", id="chunk cut"),
            pytest.param(HEAD + b"Transfer-Encoding: chunked\r\n\r\nnonsense\r\n", id="chunk without a size"),
            pytest.param(b"", id="closed at once"),
            pytest.param(b"SSH-2.0-OpenSSH_9.2\r\n", id="not HTTP"),
            pytest.param(HEAD + b"X: y\r\n" * 200 + b"\r\n", id="too many headers"),
        ],
    )
    def test_a_broken_answer_is_tried_again_later(self, content: bytes) -> None:
        with RawServer(sending(content)) as server, pytest.raises(EngineUnavailable):
            ask(server)

    def test_a_closed_port_is_named(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]
        health = Judge0Engine(base_url=f"http://127.0.0.1:{port}").health()
        assert not health.is_ready
        assert f"127.0.0.1:{port}" in health.detail
        assert "refused" in health.detail

    def test_a_server_that_speaks_no_tls_is_named(self) -> None:
        with RawServer(sending(b"HTTP/1.1 400 Bad Request\r\n\r\n")) as server:
            engine = Judge0Engine(base_url=server.url.replace("http:", "https:"), timeouts=SHORT)
            health = engine.health()
        assert not health.is_ready
        assert "TLS" in health.detail


class EnvironmentTestCase:
    def test_no_proxy_of_the_environment_comes_to_know_the_key(self, monkeypatch: pytest.MonkeyPatch) -> None:
        answer = HEAD + f"Content-Length: {len(CONFIG)}\r\n\r\n".encode() + CONFIG
        with RawServer(sending(answer)) as proxy, RawServer(sending(b"")) as server:
            monkeypatch.setenv("HTTP_PROXY", proxy.url)
            monkeypatch.setenv("http_proxy", proxy.url)
            monkeypatch.setenv("NO_PROXY", "")
            monkeypatch.setenv("no_proxy", "")
            with pytest.raises(EngineUnavailable):
                ask(server)
            assert proxy.connections == 0
            assert server.connections == 1
            # Control: an ordinary session would have gone there.
            requests.get(server.url, timeout=2)
            assert proxy.connections == 1
