"""`manage.py queue`: what it shows, and that it turns the switch and waits as it says."""

import json
import os
import threading
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from accounts.models import AuditEvent
from executor.engines.base import RunResult
from executor.models import Judgement, Submission, Worker
from executor.queue import draining
from executor.queue.claims import claim_next
from executor.queue.judge import judge_claimed
from executor.queue.switch import queue_pause, queue_resume, queue_state
from executor.services.code_executor import CodeExecutorService
from tests.accounts.factories import UserFactory
from tests.core.live import process_environment, run_manage
from tests.courses.factories import AlgorithmProblemFactory, EnrollmentFactory
from tests.executor.databases import submit
from tests.executor.factories import SubmissionFactory
from tests.executor.fakes import ScriptedEngine, double

pytestmark = pytest.mark.django_db(transaction=True)


def queue(*arguments: str) -> str:
    out = StringIO()
    call_command("queue", *arguments, stdout=out)
    return out.getvalue()


def worker(**changes: Any) -> Worker:
    now = timezone.now()
    return Worker.objects.create(
        **{
            "kind": "command",
            "host": "judge-1 boot pid:[1]",
            "process_id": os.getpid(),
            "process_started": "1",
            "threads": 3,
            "started_at": now,
            "seen_at": now,
            **changes,
        }
    )


class TestShow:
    def test_an_empty_queue_without_workers(self) -> None:
        shown = queue("show")
        assert "takes work" in shown
        assert "live      0 waiting, 0 running" in shown
        assert "none: nothing is judged" in shown

    def test_what_waits_and_runs_and_who_judges(self) -> None:
        for _ in range(3):
            SubmissionFactory()
        made = worker()
        assert claim_next(made.pk) is not None
        shown = queue("show")
        assert "live      2 waiting (the oldest for " in shown
        assert ", 1 running" in shown
        assert f"command process {os.getpid()} on judge-1: 3 threads, seen " in shown
        assert "workers   3 threads" in shown

    def test_as_json(self) -> None:
        SubmissionFactory()
        made = worker()
        boss = UserFactory()
        queue_pause(actor=boss, reason="a new disk")
        shown = json.loads(queue("show", "--json"))
        assert (shown["pending_live"], shown["running_live"], shown["threads"]) == (1, 0, 3)
        assert (shown["is_paused"], shown["paused_reason"], shown["paused_by"]) == (True, "a new disk", boss.username)
        assert shown["paused_at"].endswith("Z")
        assert [each["id"] for each in shown["workers"]] == [str(made.pk)]
        assert "a new disk" in queue("show")

    def test_in_a_constant_number_of_queries(self, django_assert_num_queries: Any) -> None:
        with django_assert_num_queries(8):
            queue("show")
        for _ in range(4):
            SubmissionFactory()
            worker()
        assert claim_next() is not None
        with django_assert_num_queries(8):
            queue("show")


class TestSwitch:
    def test_pausing_and_resuming(self) -> None:
        SubmissionFactory()
        assert "When you are done: `manage.py queue resume`" in queue("pause", "--reason", "a new disk")
        state = queue_state()
        assert (state.is_paused, state.reason, state.changed_by) == (True, "a new disk", None)
        assert claim_next() is None
        assert queue("resume").strip() == "Work is taken again."
        assert claim_next() is not None
        assert queue("resume").strip() == "The queue was not paused."

    def test_submissions_are_accepted_meanwhile(self) -> None:
        problem = AlgorithmProblemFactory().problem
        student = EnrollmentFactory(course=problem.course).user
        queue("pause", "--reason", "a new disk")
        assert submit(student, problem).status == "pending"

    def test_a_reason_is_asked_for(self) -> None:
        with pytest.raises(CommandError, match="--reason"):
            queue("pause")
        assert not queue_state().is_paused

    def test_a_reason_that_cannot_be_shown_is_refused(self) -> None:
        with pytest.raises(CommandError, match="one line"):
            queue("pause", "--reason", "two\nlines")
        assert not queue_state().is_paused

    def test_the_shell_has_no_name_to_record(self) -> None:
        queue("pause", "--reason", "x")
        assert not AuditEvent.objects.filter(action__startswith="queue.").exists()


class TestDrain:
    def test_of_a_queue_at_rest(self) -> None:
        SubmissionFactory()
        assert "Nothing is being judged. Submissions are still accepted" in queue("drain")
        assert queue_state().is_paused
        assert queue_state().reason == "draining before maintenance"

    def test_it_waits_until_what_runs_has_ended_and_nothing_new_is_taken(self) -> None:
        for _ in range(2):
            SubmissionFactory()
        running, finish, seen = threading.Event(), threading.Event(), threading.Event()

        def slow(stdin: bytes) -> RunResult:
            running.set()
            assert finish.wait(30)
            return double(stdin)

        def work() -> None:
            try:
                while (claim := claim_next()) is not None:
                    judge_claimed(claim, CodeExecutorService(ScriptedEngine(slow)))
            finally:
                connection.close()

        def finish_once_seen() -> None:
            seen.wait(30)
            finish.set()

        worker_thread, finisher = threading.Thread(target=work), threading.Thread(target=finish_once_seen)
        worker_thread.start()
        assert running.wait(30)
        real = draining.time.sleep

        def look_again(seconds: float) -> None:
            seen.set()
            real(0.01)

        finisher.start()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(draining.time, "sleep", look_again)
            queue("drain", "--timeout", "60")
        assert seen.is_set()
        worker_thread.join()
        finisher.join()
        assert sorted(Submission.objects.values_list("status", flat=True)) == ["accepted", "pending"]

    def test_what_does_not_end_in_time_is_told(self) -> None:
        SubmissionFactory()
        assert claim_next(worker().pk) is not None
        with pytest.raises(CommandError, match=r"1 judging is still running after 0 seconds\. The queue stays paused"):
            queue("drain", "--timeout", "0")
        assert queue_state().is_paused

    def test_what_a_lost_worker_held_is_not_waited_for(self) -> None:
        SubmissionFactory()
        claim = claim_next()
        assert claim is not None
        Judgement.objects.filter(pk=claim.judgement_id).update(leased_until=timezone.now() - timedelta(seconds=60))
        assert "Nothing is being judged" in queue("drain", "--timeout", "0")
        assert Judgement.objects.get().state == "pending"

    def test_control_without_recovering_the_dead_are_waited_for(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(draining, "claims_recover", lambda: 0)
        with pytest.raises(CommandError):
            self.test_what_a_lost_worker_held_is_not_waited_for()

    def test_who_resumes_meanwhile_is_noticed(self, monkeypatch: pytest.MonkeyPatch) -> None:
        SubmissionFactory()
        assert claim_next(worker().pk) is not None
        monkeypatch.setattr(draining.time, "sleep", lambda seconds: queue_resume(actor=None))
        with pytest.raises(CommandError, match="Somebody resumed the queue"):
            queue("drain", "--timeout", "60")

    def test_a_reason_that_was_given_stays(self) -> None:
        queue("pause", "--reason", "a new disk")
        queue("drain")
        assert queue_state().reason == "a new disk"
        queue("drain", "--reason", "a new machine")
        assert queue_state().reason == "a new machine"

    def test_a_time_below_zero_is_refused(self) -> None:
        with pytest.raises(CommandError, match="0 or more"):
            queue("drain", "--timeout", "-1")
        assert not queue_state().is_paused


class TestAsAnOperator:
    def test_exit_codes_and_what_stands_where(self, tmp_path: Any) -> None:
        environment = process_environment(tmp_path, LOG_FORMAT="json")
        environment.setdefault("DATABASE_URL", f"sqlite:///{connection.settings_dict['NAME']}")
        SubmissionFactory()
        assert claim_next(worker().pk) is not None
        done = run_manage("queue", "drain", "--timeout", "0.1", environment=environment)
        assert done.returncode == 1
        assert "1 judging is still running after 0.1 seconds" in done.stderr
        assert "1/1" in done.stderr or "0/1" in done.stderr  # the bar
        shown = run_manage("queue", "show", "--json", environment=environment)
        assert shown.returncode == 0
        assert json.loads(shown.stdout)["is_paused"]

    def test_help_teaches(self, tmp_path: Any) -> None:
        done = run_manage("queue", "--help", environment=process_environment(tmp_path))
        for taught in (
            "manage.py queue drain --timeout 120",
            "before maintenance",
            "Submissions are accepted whatever",
        ):
            assert taught in done.stdout
