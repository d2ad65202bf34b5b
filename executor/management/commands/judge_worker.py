"""`manage.py judge_worker`: judging in a process of its own."""

import os
import signal
import threading
from argparse import ArgumentParser
from collections.abc import Callable
from ipaddress import ip_address
from pathlib import Path
from types import FrameType
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import Error, connection

from core.metrics import metrics_serve
from executor.models import Worker
from executor.queue.workers import WorkerPool

THREADS_MAX = 256
HEARTBEAT_S = 5.0


class Command(BaseCommand):
    help = (
        "Judge submissions until SIGTERM or Ctrl-C, then finish what is being judged or give it back. Start as many as "
        "you like, on as many machines as share the database; the web process then has EXECUTOR_WORKER_THREADS=0."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--threads", type=int, default=os.cpu_count() or 1, help="judgings at a time (default: one per core)"
        )
        parser.add_argument(
            "--heartbeat", type=Path, metavar="FILE", help="touch FILE every few seconds while the database answers"
        )
        parser.add_argument("--metrics-port", type=int, metavar="PORT", help="serve /metrics at this port")
        parser.add_argument(
            "--metrics-address",
            default="127.0.0.1",
            metavar="ADDRESS",
            help="of this address (default: 127.0.0.1); others than loopback want METRICS_TOKEN",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        threads: int = options["threads"]
        if not 1 <= threads <= THREADS_MAX:
            raise CommandError(f"--threads must be from 1 to {THREADS_MAX}.")
        stop_metrics = _serve_metrics(options["metrics_address"], options["metrics_port"])
        stopping = threading.Event()

        def stop(signum: int, frame: FrameType | None) -> None:
            stopping.set()

        before = {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGINT)}
        pool = WorkerPool(threads, kind=Worker.Kind.COMMAND)
        pool.start()
        self.stdout.write(f"Judging with {threads} threads.")
        self.stdout.flush()
        try:
            while not stopping.wait(HEARTBEAT_S):
                if options["heartbeat"] is not None and _database_answers():
                    options["heartbeat"].touch()
        finally:
            pool.stop()
            stop_metrics()
            for number, handler in before.items():
                signal.signal(number, handler)
        self.stdout.write("Stopped.")


def _serve_metrics(address: str, port: int | None) -> Callable[[], None]:
    if port is None:
        return lambda: None
    try:
        is_loopback = ip_address(address).is_loopback
    except ValueError as error:
        raise CommandError("--metrics-address must be an address of this machine.") from error
    if not is_loopback and not settings.METRICS_TOKEN:
        raise CommandError("Set METRICS_TOKEN before others than this machine itself may read /metrics.")
    try:
        return metrics_serve(address=address, port=port)
    except (OSError, OverflowError) as error:
        raise CommandError(f"--metrics-port: nothing can be served at {address}, port {port}: {error}") from error


def _database_answers() -> bool:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except Error:
        return False
    finally:
        connection.close()
    return True
