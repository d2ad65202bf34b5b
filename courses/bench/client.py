"""Starting the server, and asking it over one connection that stays open."""

import gzip
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
STOP_WAIT_S = 20
REQUEST_TIMEOUT_S = 60


class ServerFailed(Exception):
    """The server did not start, or answered something else than it should; nothing is measured."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """A server that runs, and whose name to ask in."""

    port: int
    token: str
    course_id: int


@contextmanager
def served(*, chapters: int, problems: int) -> Iterator[Served]:
    """A server of our own on a database that is thrown away.

    Raises:
        ServerFailed: it did not come up; its last words are in the message.
    """
    with tempfile.TemporaryDirectory(prefix="bench-api") as directory:
        log = Path(directory, "log")
        environment = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
        environment |= {"ASSAY_DATA_DIR": directory, "LOG_FORMAT": "json"}
        with log.open("wb") as errors:
            process = subprocess.Popen(
                [sys.executable, "-m", "courses.bench.serve", str(chapters), str(problems)],
                cwd=ROOT,
                env=environment,
                stdout=subprocess.PIPE,
                stderr=errors,
            )
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            if not line:
                raise ServerFailed(f"The server did not start: {log.read_text(errors='replace')[-500:]}")
            yield Served(**json.loads(line))
        finally:
            process.terminate()
            try:
                process.wait(STOP_WAIT_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            process.stdout.close() if process.stdout else None


class Asking:
    """One connection to the server, signed in."""

    def __init__(self, server: Served) -> None:
        self._connection = HTTPConnection("127.0.0.1", server.port, timeout=REQUEST_TIMEOUT_S)
        self._headers = {"Authorization": f"Bearer {server.token}"}

    def close(self) -> None:
        self._connection.close()

    def timed(self, method: str, path: str, *, is_compressed: bool = False) -> tuple[float, bytes]:
        """The seconds until the whole answer was there, and its content, decompressed after the clock stopped.

        Raises:
            ServerFailed: there was no answer, or one that is no success.
        """
        headers = {**self._headers, "Accept-Encoding": "gzip" if is_compressed else "identity"}
        started_s = time.perf_counter()
        try:
            self._connection.request(method, path, headers=headers)
            response = self._connection.getresponse()
            content = response.read()
        except (OSError, HTTPException) as error:
            raise ServerFailed(f"{method} {path}: {type(error).__name__}: {error}") from error
        took_s = time.perf_counter() - started_s
        if not 200 <= response.status < 300:
            raise ServerFailed(f"{method} {path}: {response.status}")
        return took_s, gzip.decompress(content) if response.headers["Content-Encoding"] == "gzip" else content
