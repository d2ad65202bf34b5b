"""A fleet of one machine: `celery worker` and `celery beat` as an operator starts them, on the test's own database."""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from django.conf import settings

from executor.models import Worker
from executor.queue.messages import QUEUES
from tests.core.live import process_environment
from tests.shell import ROOT, wait_until

STOP_PATIENCE_S = 60


class Fleet:
    """Its processes, each leader of a group of its own, so that a kill takes the children along."""

    def __init__(self, directory: Path, *, broker_url: str, prefix: str, cache_prefix: str) -> None:
        self._directory = directory
        self._prefix = prefix
        self._environment = process_environment(
            directory,
            CELERY_BROKER_URL=broker_url,
            DJANGO_SETTINGS_MODULE="tests.executor.fleet.settings",
            EXECUTOR_KIT_DIRECTORY=str(settings.EXECUTOR_KIT_DIRECTORY),
            TEST_MESSAGES_PREFIX=prefix,
            TEST_CACHE_PREFIX=cache_prefix,
        )
        self._processes: list[subprocess.Popen[bytes]] = []

    def start_worker(self, *, children: int = 1, looks: bool = False) -> subprocess.Popen[bytes]:
        """A worker, awaited until its children are in the database; where it `looks`, also when it hears nothing."""
        known = set(Worker.objects.values_list("pk", flat=True))
        queues = ",".join(self._prefix + name for name in QUEUES)
        name = f"w{len(self._processes)}"
        process = self._start(
            name, "worker", "-Q", queues, "-c", str(children), "-n", f"{self._prefix}{name}@%h",
            "--without-gossip", "--without-mingle", "--alive-file", str(self.alive_file(name)),
            environment={"TEST_LOOKS": "1"} if looks else {},
        )  # fmt: skip
        wait_until(
            lambda: Worker.objects.exclude(pk__in=known).count() >= children and process.poll() is None,
            what=f"the worker is there; its log: {self.log(name)}",
        )
        return process

    def start_beat(self) -> subprocess.Popen[bytes]:
        return self._start("beat", "beat", "--alive-file", str(self.alive_file("beat")))

    def alive_file(self, name: str) -> Path:
        return self._directory / f"{name}.alive"

    def log(self, name: str) -> Path:
        return self._directory / f"{name}.log"

    def kill(self, process: subprocess.Popen[bytes]) -> None:
        """As a power cut would."""
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def end(self) -> None:
        """Whatever is left of it."""
        for process in self._processes:
            if process.poll() is None:
                self.kill(process)

    def _start(
        self, name: str, *arguments: str, environment: Mapping[str, str] | None = None
    ) -> subprocess.Popen[bytes]:
        with self.log(name).open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "celery", "-A", "tests.executor.fleet.app", *arguments, "--loglevel", "INFO"],
                cwd=ROOT,
                env={**self._environment, **(environment or {})},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._processes.append(process)
        return process
