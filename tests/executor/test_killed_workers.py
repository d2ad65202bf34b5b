"""Judging processes that are killed, frozen and restarted; real ones, on the database of this test run."""

import signal
import subprocess
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from executor.models import Judgement, Submission, TestResult, Worker
from executor.queue.claims import claims_recover
from tests.executor.databases import judge_next
from tests.executor.factories import DOUBLE, SubmissionFactory
from tests.executor.worker_process import worker_process
from tests.shell import wait_until

pytestmark = pytest.mark.django_db(transaction=True)

STOP_PATIENCE_S = 30


def submission_saying(word: str) -> Submission:
    found: Submission = SubmissionFactory(files=[{"name": "main.py", "content": f"# {word}\n{DOUBLE}"}])
    return found


def status_of(submission: Submission) -> str:
    return Submission.objects.values_list("status", flat=True).get(pk=submission.pk)


def is_finished(submission: Submission) -> bool:
    return status_of(submission) not in Submission.UNFINISHED


def kill_while_it_judges(directory: Path) -> None:
    with worker_process(directory, "long-lease") as process:
        wait_until((directory / "waiting").exists, what="it judges")
        process.kill()
        process.wait()
    (directory / "go").touch()


def end(process: "subprocess.Popen[bytes]") -> None:
    process.send_signal(signal.SIGTERM)
    assert process.wait(STOP_PATIENCE_S) == 0


class TestRestart:
    def test_what_a_killed_process_judged_goes_on_at_once(self, tmp_path: Path) -> None:
        """Its lease would run for an hour."""
        submission = submission_saying("wait")
        kill_while_it_judges(tmp_path)
        assert (status_of(submission), Worker.objects.count()) == ("judging", 1)
        with worker_process(tmp_path, "long-lease") as process:
            wait_until(lambda: is_finished(submission), what="it is judged again")
            end(process)
        judgement = Judgement.objects.get()
        assert (judgement.state, judgement.tries, judgement.losses) == ("done", 2, 1)
        assert TestResult.objects.count() == 2
        assert not Worker.objects.exists()

    def test_control_without_recovery_at_start_it_stays_stuck(self, tmp_path: Path) -> None:
        submission = submission_saying("wait")
        kill_while_it_judges(tmp_path)
        other = submission_saying("be right")
        with worker_process(tmp_path, "long-lease", "no-recovery") as process:
            wait_until(lambda: is_finished(other), what="it judges others")
            assert status_of(submission) == "judging"
            end(process)
        assert status_of(submission) == "judging"


class TestFrozen:
    """A process that is stopped beyond its lease, and goes on when another has judged in its place (F-04)."""

    def judged_meanwhile(self, directory: Path, *options: str) -> Submission:
        submission = submission_saying("wait")
        with worker_process(directory, *options) as process:
            wait_until((directory / "waiting").exists, what="it judges")
            process.send_signal(signal.SIGSTOP)
            # As if it had been frozen for longer than its lease.
            long_ago = timezone.now() - timedelta(minutes=1)
            Judgement.objects.update(leased_until=long_ago)
            Worker.objects.update(seen_at=long_ago)
            assert claims_recover() == 1
            judge_next()
            submission.refresh_from_db()
            assert (submission.status, submission.score) == ("accepted", 100)
            (directory / "go").touch()
            process.send_signal(signal.SIGCONT)
            end(process)
        return submission

    def test_it_changes_nothing(self, tmp_path: Path) -> None:
        submission = self.judged_meanwhile(tmp_path)
        before = (submission.status, submission.score, submission.version)
        submission.refresh_from_db()
        assert (submission.status, submission.score, submission.version) == before
        assert set(TestResult.objects.values_list("verdict", flat=True)) == {"accepted"}
        assert "claim_lost" in (tmp_path / "worker.log").read_text()
        assert Judgement.objects.get().losses == 1

    def test_control_without_the_fence_it_tries_to_count_twice(self, tmp_path: Path) -> None:
        """Only the table's own constraint keeps two results of one test apart then: the process stumbles over it."""
        submission = self.judged_meanwhile(tmp_path, "unfenced")
        assert "IntegrityError" in (tmp_path / "worker.log").read_text()
        assert status_of(submission) == "accepted"


class TestKiller:
    def test_it_is_put_away_and_who_ran_beside_it_is_judged(self, tmp_path: Path) -> None:
        killer, bystander = submission_saying("kill"), submission_saying("bystander")
        for number in range(3):
            with worker_process(tmp_path) as process:
                assert process.wait(60) == -signal.SIGKILL, f"process {number} outlived the killer"
        with worker_process(tmp_path) as process:
            wait_until(lambda: is_finished(killer) and is_finished(bystander), what="both are at their end")
            end(process)
        killer.refresh_from_db()
        bystander.refresh_from_db()
        assert (killer.status, killer.score) == ("quarantined", None)
        assert (bystander.status, bystander.score) == ("accepted", 100)
        judgement = Judgement.objects.get(submission=killer)
        assert (judgement.verdict, judgement.tries, judgement.losses) == ("internal_error", 3, 3)
