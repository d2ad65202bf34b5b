"""The promises that only a real server can show: threads, sockets, chunked bodies, its own log lines."""

import json
import re
import socket
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import requests

from tests.core.live import LiveServer, live_server, process_environment

pytestmark = pytest.mark.django_db
JSON = {"Content-Type": "application/json"}
LIMIT_BYTES = 2 * 1024 * 1024


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, django_db_setup: None) -> Iterator[LiveServer]:
    directory = tmp_path_factory.mktemp("live")
    environment = process_environment(directory, DJANGO_SETTINGS_MODULE="tests.core.live_settings")
    with live_server(directory, environment=environment) as running:
        yield running


def peak_memory_kib(server: LiveServer) -> int:
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    assert found
    return int(found[1])


def raw_exchange(server: LiveServer, *parts: bytes, pause_s: float = 0) -> bytes:
    """Send the parts as they are, and return all that comes back."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as connection:
        for part in parts:
            connection.sendall(part)
            time.sleep(pause_s)
        answer = b""
        while chunk := connection.recv(65536):
            answer += chunk
    return answer


class TestRequestContext:
    @pytest.mark.parametrize("address", ["/api/v1/fail/bug/", "/plain/fail/bug/"])
    def test_the_id_reaches_the_view_its_log_lines_and_the_answer(self, server: LiveServer, address: str) -> None:
        request_id = f"live-{time.monotonic_ns()}"
        response = requests.get(server.url + address, headers={"X-Request-ID": request_id}, timeout=10)
        assert response.status_code == 500
        assert response.json()["request_id"] == response.headers["X-Request-ID"] == request_id
        lines = [line for line in server.lines() if line.get("request_id") == request_id]
        assert sum("Traceback" in line.get("exception", "") for line in lines) == 1
        assert sum(line["event"] == "request" and line["status"] == 500 for line in lines) == 1
        assert ("about_to_fail" in {line["event"] for line in lines}) == address.startswith("/api/")

    def test_every_line_of_the_server_is_json(self, server: LiveServer) -> None:
        requests.get(server.url + "/static/drf_spectacular_sidecar/swagger-ui-dist/swagger-ui.css", timeout=10)
        events = {line["event"] for line in server.lines()}
        assert "Application startup complete." in events
        assert not any("GET /static" in event or "Warning" in event for event in events)


class TestBodies:
    def test_a_chunked_body_is_read(self, server: LiveServer) -> None:
        response = requests.post(
            server.url + "/api/v1/echo/", data=iter([b'{"name"', b': "chunked"}']), headers=JSON, timeout=10
        )
        assert response.json()["got"]["name"] == "chunked"

    def test_a_body_that_states_too_much_is_refused_unsent(self, server: LiveServer) -> None:
        head = (
            f"POST /api/v1/echo/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: {10**12}\r\n\r\n"
        )
        started_s = time.monotonic()
        answer = raw_exchange(server, head.encode())
        assert answer.startswith(b"HTTP/1.1 413")
        assert b'"body_too_large"' in answer
        assert time.monotonic() - started_s < 5

    def test_an_endless_chunked_body_is_refused_in_bounded_memory(self, server: LiveServer) -> None:
        requests.get(server.url + "/healthz", timeout=10)
        before_kib = peak_memory_kib(server)
        response = requests.post(
            server.url + "/api/v1/echo/", data=(b" " * 65536 for _ in range(2048)), headers=JSON, timeout=60
        )
        assert response.status_code == 413
        assert response.json()["code"] == "body_too_large"
        # 128 MiB were sent.
        assert peak_memory_kib(server) - before_kib < 32 * 1024

    def test_a_body_at_the_limit_passes(self, server: LiveServer) -> None:
        body = b'{"name": "x"}'.ljust(LIMIT_BYTES)
        assert requests.post(server.url + "/api/v1/echo/", data=body, headers=JSON, timeout=10).status_code == 200
        response = requests.post(server.url + "/api/v1/echo/", data=body + b" ", headers=JSON, timeout=10)
        assert response.status_code == 413

    def test_two_lengths_are_refused(self, server: LiveServer) -> None:
        head = b"POST /api/v1/echo/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 2\r\n"
        assert raw_exchange(server, head + b"Content-Length: 3\r\n\r\n{}").startswith(b"HTTP/1.1 400")
        answer = raw_exchange(server, head + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n")
        assert answer.startswith(b"HTTP/1.1 400")

    def test_receipt_is_the_end_of_the_body(self, server: LiveServer) -> None:
        head = (
            b"POST /api/v1/echo/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json\r\n"
        )
        started_at = datetime.now(UTC)
        answer = raw_exchange(server, head + b"Content-Length: 2\r\n\r\n", b"{", b"}", pause_s=0.5)
        received_at = datetime.fromisoformat(json.loads(answer.split(b"\r\n\r\n", 1)[1])["received_at"])
        assert (received_at - started_at).total_seconds() >= 0.9

    def test_without_whole_bodies_a_chunked_one_would_be_swallowed(self, tmp_path: Path) -> None:
        environment = process_environment(tmp_path, DJANGO_SETTINGS_MODULE="tests.core.live_settings")
        with live_server(
            tmp_path, "--factory", environment=environment, application="django.core.asgi:get_asgi_application"
        ) as bare:
            response = requests.post(
                bare.url + "/api/v1/echo/", data=(b" " * 65536 for _ in range(64)), headers=JSON, timeout=60
            )
            assert response.status_code == 200
            assert response.json()["got"] == {"owner": "nobody"}


class TestParts:
    def test_it_is_ready_on_the_database_of_this_run(self, server: LiveServer) -> None:
        response = requests.get(server.url + "/readyz", timeout=10)
        assert response.json()["checks"]["database"]["ok"] is True
        assert response.json()["checks"]["cache"]["ok"] is True

    def test_without_database_and_redis_it_lives_and_says_what_is_missing(self, tmp_path: Path) -> None:
        environment = process_environment(
            tmp_path,
            DATABASE_URL="postgres://assay:hunter2@127.0.0.1:1/assay",
            REDIS_URL="redis://127.0.0.1:1/0",
            DJANGO_SETTINGS_MODULE="tests.core.live_settings",
            # Without the pool, whose patience is longer than a test's.
            ASSAY_PROCESS="other",
        )
        with live_server(tmp_path, environment=environment) as server:
            assert requests.get(server.url + "/healthz", timeout=10).status_code == 200
            response = requests.get(server.url + "/readyz", timeout=10)
            assert response.status_code == 503
            checks = response.json()["checks"]
            assert checks["database"] == {"ok": False, "detail": "OperationalError"}
            assert checks["cache"] == {"ok": False, "detail": "redis"}
            assert "hunter2" not in response.text
            response = requests.get(server.url + "/api/v1/people/", timeout=10)
            assert (response.status_code, response.json()["code"]) == (503, "service_unavailable")

    def test_it_ends_when_asked(self, tmp_path: Path) -> None:
        with live_server(tmp_path, environment=process_environment(tmp_path)) as server:
            requests.get(server.url + "/healthz", timeout=10)
            assert server.stop() < 5
            assert server.process.returncode in (0, -15)
            events = [line["event"] for line in server.lines()]
            assert events.count("Application startup complete.") == 1
            assert events.count("Application shutdown complete.") == 1
