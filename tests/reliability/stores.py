"""Databases that a run has for itself, and Redis: started in a temporary folder on free ports, restarted, ended."""

import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import time
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import Protocol

import psycopg

START_PATIENCE_S = 30.0
COUNT_UNFINISHED = "SELECT count(*) FROM executor_submission WHERE status IN ('pending', 'judging')"
# Dies with the harness, however that ends.
WITH_US = ("setpriv", "--pdeathsig", "KILL")


class Database(Protocol):
    """Where a run's rows are."""

    url: str

    def count_unfinished(self) -> int: ...


class Sqlite:
    """A file."""

    def __init__(self, directory: Path) -> None:
        self._path = directory / "assay.sqlite3"
        self.url = f"sqlite:///{self._path}"

    def count_unfinished(self) -> int:
        """How many submissions have no verdict yet."""
        with closing(sqlite3.connect(self._path, timeout=20)) as connection:
            return int(connection.execute(COUNT_UNFINISHED).fetchone()[0])


class Server:
    """A server process of our own that may be killed and started again on its port."""

    # How it may be ended.
    ENDINGS: tuple[signal.Signals, ...] = (signal.SIGKILL,)

    def __init__(self, command: Sequence[str], log: Path, *, answers: Callable[[], bool]) -> None:
        self._command, self._log, self._answers = command, log, answers
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, and wait until it answers."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(self._command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        deadline = time.monotonic() + START_PATIENCE_S
        while not self._answers():
            assert self._process.poll() is None, self._log.read_text(errors="replace")
            assert time.monotonic() < deadline, self._log.read_text(errors="replace")
            time.sleep(0.05)

    def stop(self, how: signal.Signals) -> None:
        """End it; whoever is connected finds out for themselves."""
        if self._process is not None:
            self._process.send_signal(how)
            try:
                self._process.wait(START_PATIENCE_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None


class Postgres(Server):
    """PostgreSQL with a cluster of its own, which keeps its promises: nothing of its durability is switched off."""

    # At once for whoever is in a transaction, but in order; and as after a power cut.
    ENDINGS = (signal.SIGINT, signal.SIGQUIT)

    def __init__(self, directory: Path) -> None:
        self.port = free_port()
        self.url = f"postgres://assay@127.0.0.1:{self.port}/assay"
        programs, data = _postgres_programs(), directory / "postgres"
        data.mkdir()
        as_user = [*WITH_US]
        if os.geteuid() == 0:
            # It refuses to run as root; the user of the package is there wherever its programs are.
            shutil.chown(data, "postgres", "postgres")
            _let_through(directory)
            as_user += ["--reuid", "postgres", "--regid", "postgres", "--init-groups"]
        initdb = [str(programs / "initdb"), "--auth", "trust", "--username", "assay", "--encoding", "UTF8"]
        made = subprocess.run(
            [*as_user, "--", *initdb, "--no-sync", str(data / "cluster")], capture_output=True, text=True, cwd="/"
        )
        assert made.returncode == 0, made.stdout + made.stderr
        # The cluster has to be on disk before it is killed.
        os.sync()
        options = ["-D", str(data / "cluster"), "-p", str(self.port), "-k", str(data)]
        settings = ["-c", "listen_addresses=127.0.0.1", "-c", "max_connections=100"]
        super().__init__(
            [*as_user, "--", str(programs / "postgres"), *options, *settings],
            directory / "postgres.log",
            answers=self._is_up,
        )

    def start(self) -> None:
        super().start()
        with psycopg.connect(self._address("postgres"), autocommit=True) as connection:
            if not connection.execute("SELECT 1 FROM pg_database WHERE datname = 'assay'").fetchone():
                connection.execute("CREATE DATABASE assay")

    def count_unfinished(self) -> int:
        """How many submissions have no verdict yet."""
        with psycopg.connect(self._address("assay")) as connection:
            row = connection.execute(COUNT_UNFINISHED).fetchone()
            assert row is not None
            return int(row[0])

    def _is_up(self) -> bool:
        with suppress(psycopg.Error), psycopg.connect(self._address("postgres")):
            return True
        return False

    def _address(self, name: str) -> str:
        return f"host=127.0.0.1 port={self.port} user=assay dbname={name} connect_timeout=5"


class Redis(Server):
    """Redis that writes its commands down, as a broker should; a kill costs it a second at most."""

    def __init__(self, directory: Path) -> None:
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        options = ["--bind", "127.0.0.1", "--port", str(self.port), "--save", "", "--appendonly", "yes"]
        super().__init__(
            [*WITH_US, "--", "redis-server", *options, "--dir", str(directory)],
            directory / "redis.log",
            answers=self._is_up,
        )

    def _is_up(self) -> bool:
        with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=1) as client:
            client.sendall(b"PING\r\n")
            return client.recv(7) == b"+PONG\r\n"
        return False


def free_port() -> int:
    """A port of the loopback that nobody has just now."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def _postgres_programs() -> Path:
    """Where the newest PostgreSQL's own programs are; Debian keeps them off the path."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: int(path.parts[4]))
    on_path = shutil.which("postgres")
    assert found or on_path, "There is no PostgreSQL on this machine: install the package postgresql."
    return found[-1].parent if found else Path(str(on_path)).parent


def _let_through(directory: Path) -> None:
    """Let another user enter the folder; what is in it keeps its own rights."""
    directory.chmod(directory.stat().st_mode | 0o011)
