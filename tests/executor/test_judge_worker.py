"""`manage.py judge_worker`: judging in a process of its own, until it is told to stop."""

import os
import signal
import threading
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from executor.management.commands import judge_worker
from executor.models import Judgement, Submission, Worker
from tests.executor.factories import SubmissionFactory
from tests.shell import wait_until


def stop_when(condition: threading.Event) -> threading.Thread:
    """Send this process SIGTERM, as an operator would, once the condition holds."""

    def wait_and_stop() -> None:
        condition.wait(60)
        os.kill(os.getpid(), signal.SIGTERM)

    thread = threading.Thread(target=wait_and_stop)
    thread.start()
    return thread


@pytest.mark.django_db(transaction=True)
class TestJudgeWorker:
    def test_it_judges_what_waits_until_sigterm(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(judge_worker, "HEARTBEAT_S", 0.05)
        before, others = signal.getsignal(signal.SIGTERM), set(threading.enumerate())
        submission, heartbeat, out = SubmissionFactory(), tmp_path / "heartbeat", StringIO()
        is_judged = threading.Event()
        workers: list[tuple[str, int]] = []

        def watch() -> None:
            try:
                judged = Submission.objects.exclude(status__in=Submission.UNFINISHED)
                wait_until(lambda: judged.exists() and heartbeat.exists(), what="it is judged")
                workers.extend(Worker.objects.values_list("kind", "threads"))
            finally:
                connection.close()
                is_judged.set()

        watcher, stopper = threading.Thread(target=watch), stop_when(is_judged)
        watcher.start()
        call_command("judge_worker", "--threads", "1", "--heartbeat", str(heartbeat), stdout=out)
        watcher.join()
        stopper.join()

        submission.refresh_from_db()
        assert submission.status == Submission.Status.ACCEPTED
        assert Judgement.objects.get().engine == "sandbox"
        # One in the list of workers for as long as it runs.
        assert (workers, Worker.objects.count()) == ([("command", 1)], 0)
        assert out.getvalue().splitlines() == ["Judging with 1 threads.", "Stopped."]
        assert signal.getsignal(signal.SIGTERM) == before
        own = set(threading.enumerate()) - others
        assert not [thread for thread in own if thread.name.startswith("assay-")]

    def test_no_sign_of_life_while_the_database_is_away(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(judge_worker, "HEARTBEAT_S", 0.05)
        asked, heartbeat = threading.Event(), tmp_path / "heartbeat"

        def away() -> bool:
            asked.set()
            return False

        monkeypatch.setattr(judge_worker, "_database_answers", away)
        stopper = stop_when(asked)
        call_command("judge_worker", "--threads", "1", "--heartbeat", str(heartbeat), stdout=StringIO())
        stopper.join()
        assert not heartbeat.exists()

    @pytest.mark.parametrize("threads", ["0", "-1", "257"])
    def test_a_number_of_threads_that_cannot_be_is_refused(self, threads: str) -> None:
        with pytest.raises(CommandError, match="from 1 to 256"):
            call_command("judge_worker", f"--threads={threads}")
