"""Starting a server, and asking it over one connection that stays open."""

import gzip
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any

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


class Started:
    """A process of ours that answers in lines of JSON."""

    def __init__(self, process: subprocess.Popen[str], log: Path) -> None:
        self._process, self._log = process, log

    def tell(self, line: str) -> None:
        """Write one line to it.

        Raises:
            ServerFailed: it has ended.
        """
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(line + "\n")
            self._process.stdin.flush()
        except BrokenPipeError as error:
            raise self._ended() from error

    def answer(self) -> dict[str, Any]:
        """The next object that it prints.

        Raises:
            ServerFailed: it ended instead; its last words are in the message.
        """
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise self._ended()
        answer: dict[str, Any] = json.loads(line)
        return answer

    def _ended(self) -> ServerFailed:
        return ServerFailed(f"The server did not start: {self._log.read_text(errors='replace')[-500:]}")


@contextmanager
def started(module: str, *words: object, variables: Mapping[str, str] | None = None) -> Iterator[Started]:
    """A Python module as a process of its own, on a data directory that is thrown away; it ends with the block.

    `variables` join the environment.
    """
    with tempfile.TemporaryDirectory(prefix="bench-api") as directory:
        log = Path(directory, "log")
        environment = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
        environment |= {"ASSAY_DATA_DIR": directory, "LOG_FORMAT": "json", **(variables or {})}
        with log.open("wb") as errors:
            process = subprocess.Popen(
                [sys.executable, "-m", module, *map(str, words)],
                cwd=ROOT,
                env=environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
            )
        with process:
            try:
                yield Started(process, log)
            finally:
                process.terminate()
                try:
                    process.wait(STOP_WAIT_S)
                except subprocess.TimeoutExpired:
                    process.kill()


@contextmanager
def served(*, chapters: int, problems: int) -> Iterator[Served]:
    """A server of our own on a database that is thrown away.

    Raises:
        ServerFailed: it did not come up; its last words are in the message.
    """
    with started("courses.bench.serve", chapters, problems) as process:
        yield Served(**process.answer())


class Asking:
    """One connection to a server on this machine, signed in."""

    def __init__(self, *, port: int, token: str) -> None:
        self._connection = HTTPConnection("127.0.0.1", port, timeout=REQUEST_TIMEOUT_S)
        self._headers = {"Authorization": f"Bearer {token}"}

    def close(self) -> None:
        self._connection.close()

    def timed(
        self, method: str, path: str, *, body: Mapping[str, Any] | None = None, is_compressed: bool = False
    ) -> tuple[float, bytes]:
        """The seconds until the whole answer was there, and its content, decompressed after the clock stopped.

        Raises:
            ServerFailed: there was no answer, or one that is no success.
        """
        headers = {**self._headers, "Accept-Encoding": "gzip" if is_compressed else "identity"}
        content = None
        if body is not None:
            headers["Content-Type"] = "application/json"
            content = json.dumps(body).encode()
        started_s = time.perf_counter()
        try:
            self._connection.request(method, path, body=content, headers=headers)
            response = self._connection.getresponse()
            answer = response.read()
        except (OSError, HTTPException) as error:
            raise ServerFailed(f"{method} {path}: {type(error).__name__}: {error}") from error
        took_s = time.perf_counter() - started_s
        if not 200 <= response.status < 300:
            raise ServerFailed(f"{method} {path}: {response.status} {answer[:300].decode(errors='replace')}")
        return took_s, gzip.decompress(answer) if response.headers["Content-Encoding"] == "gzip" else answer
