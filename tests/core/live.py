"""A real uvicorn in a process of its own, on a port that was free, ended with the test."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.db import connection

START_PATIENCE_S = 30
STOP_PATIENCE_S = 15
RUNNING = re.compile(r"Uvicorn running on http://127\.0\.0\.1:(\d+)")


@dataclass(kw_only=True)
class LiveServer:
    process: subprocess.Popen[bytes]
    port: int
    log: Path

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def lines(self) -> list[dict[str, Any]]:
        """Everything written so far; a line that is no JSON object fails the test."""
        return [json.loads(line) for line in self.log.read_text().splitlines()]

    def stop(self) -> float:
        """Ask it to end; returns the seconds it took."""
        started_s = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(timeout=STOP_PATIENCE_S)
        return time.monotonic() - started_s


def process_environment(directory: Path, **extra: str) -> dict[str, str]:
    """An environment whose server keeps its files in `directory` and uses the database of this test run."""
    inherited = {
        name: os.environ[name]
        for name in ("PATH", "HOME", "REDIS_URL", "COVERAGE_PROCESS_START", "COVERAGE_FILE")
        if name in os.environ
    }
    environment = {**inherited, "ASSAY_DATA_DIR": str(directory), "EXECUTOR_WORKER_THREADS": "0"}
    if connection.vendor == "postgresql":
        url = urlsplit(os.environ["DATABASE_URL"])
        environment["DATABASE_URL"] = url._replace(path=f"/{connection.settings_dict['NAME']}").geturl()
    return {**environment, **extra}


def run_manage(*arguments: str, environment: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """`manage.py` as an operator would run it."""
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=settings.BASE_DIR,
        env=dict(environment),
        capture_output=True,
        text=True,
        timeout=60,
    )


@contextmanager
def live_server(
    directory: Path, *arguments: str, environment: Mapping[str, str], application: str = "config.asgi:application"
) -> Iterator[LiveServer]:
    """Start a server, wait until it takes requests, and end it whatever happens."""
    log = directory / "server.log"
    with log.open("wb") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", "uvicorn", application, "--host", "127.0.0.1", "--port", "0", *arguments],
            cwd=settings.BASE_DIR,
            env=dict(environment),
            stdout=file,
            stderr=file,
        )
    try:
        deadline = time.monotonic() + START_PATIENCE_S
        while not (found := RUNNING.search(log.read_text())):
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.05)
        yield LiveServer(process=process, port=int(found[1]), log=log)
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()
