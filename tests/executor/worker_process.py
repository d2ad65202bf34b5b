"""Judging processes that tests kill, freeze and restart, with an engine that does what a program's text says.

`# wait` announces itself and answers, wrongly, once it is allowed to; `# kill` ends its process, as soon as a
`# bystander` runs beside it; anything else is right.
"""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

COMPANY_S = 1.0
LONG_LEASE_S = 3600


@contextmanager
def worker_process(directory: Path, *options: str) -> Iterator[subprocess.Popen[bytes]]:
    """Start one on this test run's database, and end it whatever happens. Its log is `worker.log`.

    Options: `long-lease` (only a restart can help), `no-recovery` and `unfenced` (for controls).
    """
    from django.conf import settings
    from django.db import connection

    from tests.core.live import process_environment

    environment = process_environment(directory, LOG_FORMAT="json")
    if connection.vendor == "sqlite":
        environment["DATABASE_URL"] = f"sqlite:///{connection.settings_dict['NAME']}"
    with (directory / "worker.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.executor.worker_process", str(directory), *options],
            cwd=settings.BASE_DIR,
            env=environment,
            stdout=log,
            stderr=log,
        )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()


def main(directory: Path, options: list[str]) -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    import django

    django.setup()

    from django.conf import settings

    from executor.engines.base import OnResult, RunReport, RunRequest
    from executor.models import Judgement, Worker
    from executor.queue import workers
    from executor.services import judgements
    from executor.services.code_executor import CodeExecutorService
    from tests.executor.fakes import ScriptedEngine, double, run_result

    def unfenced(judgement_id: int, **conditions: Any) -> Judgement:
        return Judgement.objects.select_related("submission").get(pk=judgement_id)

    settings.EXECUTOR_POLL_S = 0.1
    settings.EXECUTOR_SWEEP_S = 0.1
    if "long-lease" in options:
        settings.EXECUTOR_LEASE_S = LONG_LEASE_S
    if "no-recovery" in options:
        workers.workers_lost_here = lambda: 0
    if "unfenced" in options:
        judgements.claimed_lock = unfenced

    has_company = threading.Event()

    class ObedientEngine(ScriptedEngine):
        def run(self, request: RunRequest, on_result: OnResult | None = None) -> RunReport:
            code = request.files[0].content
            answer = double
            if "# wait" in code:
                (directory / "waiting").touch()
                while not (directory / "go").exists():
                    time.sleep(0.02)
                answer = wrong
            elif "# kill" in code:
                has_company.wait(COMPANY_S)
                os.kill(os.getpid(), signal.SIGKILL)
            elif "# bystander" in code:
                has_company.set()
                time.sleep(COMPANY_S)
            return ScriptedEngine(answer).run(request, on_result)

    def wrong(stdin: bytes) -> Any:
        return run_result(b"wrong")

    stopping = threading.Event()
    signal.signal(signal.SIGTERM, lambda *args: stopping.set())
    pool = workers.WorkerPool(2, CodeExecutorService(ObedientEngine()), kind=Worker.Kind.COMMAND)
    pool.start()
    while not stopping.wait(0.1):
        pass  # a signal that another thread got wakes nobody who waits without an end
    pool.stop()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
