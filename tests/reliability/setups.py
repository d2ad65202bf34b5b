"""The set-ups that runs are made in: which stores, which processes, with which environment."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import requests

from tests.reliability.clients import Target
from tests.reliability.processes import Supervised
from tests.reliability.stores import Database, Postgres, Redis, Server, Sqlite

ROOT = Path(__file__).resolve().parent.parent.parent
KIT = ROOT / "var" / "sandbox"
SETUPS = {
    "sqlite": "two servers that judge by themselves, on one SQLite file",
    "postgres": "the same on PostgreSQL, with Redis as their cache",
    "celery": "two servers that judge nothing, a Celery worker with two children, and beat; PostgreSQL and Redis",
}
# Whatever the person who starts this has set for their own Assay is not what is tested.
NOT_INHERITED = ("ASSAY_", "DATABASE_", "REDIS_", "EXECUTOR_", "JUDGE0_", "DJANGO_", "CELERY_", "PYTEST_", "COV_")
WEB_PROCESSES = 2
CELERY_CHILDREN = 2
START_PATIENCE_S = 60.0


@dataclass(kw_only=True)
class Setup:
    """Everything that was started before the first process of the product."""

    name: str
    directory: Path
    database: Database
    # Those that are killed and started again, by name.
    servers: dict[str, Server]
    environment: dict[str, str]
    listener: socket.socket

    @property
    def url(self) -> str:
        """Where clients ask."""
        return f"http://127.0.0.1:{self.listener.getsockname()[1]}"

    def manage(self, *arguments: str, timeout_s: float = 120) -> str:
        """Run a Python module or `manage.py` to its end; what it printed."""
        done = subprocess.run(
            [sys.executable, *arguments],
            cwd=ROOT,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout_s,
        )
        assert done.returncode == 0, f"{' '.join(arguments)} ended with {done.returncode}:\n{done.stdout}{done.stderr}"
        return done.stdout


def prepare(name: str, directory: Path, stack: ExitStack, *, extra: Mapping[str, str]) -> Setup:
    """Start the stores of a set-up in this folder, with an empty, migrated database; `stack` ends them."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith(NOT_INHERITED)}
    environment |= {"ASSAY_DATA_DIR": str(directory / "data"), "PYTHONPATH": str(ROOT), "LOG_FORMAT": "json"}
    # What script/setup has made to judge faster with; the run's own folder is empty.
    environment["EXECUTOR_KIT_DIRECTORY"] = os.environ.get("EXECUTOR_KIT_DIRECTORY") or str(KIT)
    (directory / "data").mkdir()
    servers: dict[str, Server] = {}
    database: Database
    if name == "sqlite":
        database = Sqlite(directory / "data")
    else:
        database, redis = Postgres(directory), Redis(directory)
        servers = {"postgres": database, "redis": redis}
        environment["REDIS_URL"] = redis.url
    if name == "celery":
        environment |= {"CELERY_BROKER_URL": redis.url.removesuffix("0") + "1", "EXECUTOR_WORKER_THREADS": "0"}
    environment["DATABASE_URL"] = database.url
    for server in servers.values():
        stack.callback(server.stop, server.ENDINGS[-1])
        server.start()
    # Bound here and handed over, so that a client never finds the port closed: it waits for whoever is up next.
    listener = stack.enter_context(socket.socket())
    listener.bind(("127.0.0.1", 0))
    listener.listen(512)
    setup = Setup(
        name=name,
        directory=directory,
        database=database,
        servers=servers,
        environment={**environment, **extra},
        listener=listener,
    )
    setup.manage("manage.py", "migrate", "--noinput", "--verbosity", "0")
    return setup


def web_process(setup: Setup, number: int, application: str, *, threads: int | None) -> Supervised:
    """One web process on the shared listener, with so many judging threads; None: as many as it likes."""
    environment = dict(setup.environment)
    if threads is not None:
        environment["EXECUTOR_WORKER_THREADS"] = str(threads)
    fd = setup.listener.fileno()
    options = ["--fd", str(fd), "--lifespan", "on", "--no-access-log", "--log-level", "warning"]
    return Supervised(
        f"web {number}",
        [sys.executable, "-m", "uvicorn", application, *options],
        environment=environment,
        log=setup.directory / f"web-{number}.log",
        fd=fd,
    )


def processes(setup: Setup) -> list[Supervised]:
    """The processes of a set-up, with points to die at."""
    is_celery = setup.name == "celery"
    found = [
        web_process(setup, number + 1, "tests.reliability.web:application", threads=0 if is_celery else 1)
        for number in range(WEB_PROCESSES)
    ]
    if is_celery:
        celery = [sys.executable, "-m", "celery", "-A", "tests.reliability.judging"]
        queues = ["-Q", "live,rejudge,runs", "--concurrency", str(CELERY_CHILDREN), "--loglevel", "WARNING"]
        for name, arguments in (("celery worker", ["worker", *queues]), ("beat", ["beat", "--loglevel", "WARNING"])):
            log = setup.directory / f"{name.replace(' ', '-')}.log"
            found.append(Supervised(name, [*celery, *arguments], environment=setup.environment, log=log))
    return found


def judge0_process(setup: Setup, port: int, key: str) -> Supervised:
    """The tests' own Judge0, which executes what it is sent."""
    options = ["--port", str(port), "--workers", str(os.cpu_count() or 1), "--key", key]
    return Supervised(
        "judge0",
        [sys.executable, "-m", "tests.executor.judge0.standin", *options],
        environment=setup.environment,
        log=setup.directory / "judge0.log",
    )


class Looking(Protocol):
    """Whoever starts processes again."""

    def look(self) -> object: ...


def wait_until_up(setup: Setup, looking: Looking) -> None:
    """The first answer; starting up is not what is measured."""
    deadline_s = time.monotonic() + START_PATIENCE_S
    with requests.Session() as session:
        session.trust_env = False
        while True:
            looking.look()
            try:
                if session.get(f"{setup.url}/healthz", timeout=START_PATIENCE_S).ok:
                    return
            except requests.RequestException:
                time.sleep(0.1)
            assert time.monotonic() < deadline_s, "no server came up"


def target_of(setup: Setup, world: Mapping[str, object]) -> Target:
    """Where the clients of this world go."""
    tokens, problem = world["tokens"], world["problem"]
    assert isinstance(tokens, list)
    assert isinstance(problem, int)
    return Target(url=setup.url, problem=problem, tokens=tokens)
