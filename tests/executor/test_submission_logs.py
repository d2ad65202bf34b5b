"""One submission, from request to verdict, in the lines of a real server's log."""

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
import structlog
from django.db import connection
from django.utils import timezone
from pytest_django import Settings
from structlog.testing import capture_logs

from accounts.models import User
from accounts.services import token_obtain
from courses.models import Enrollment, Problem
from executor.engines.base import EngineUnavailable
from executor.errors import QueueFull
from executor.judging.verdicts import Verdict
from executor.models import Judgement, Submission
from executor.queue.claims import claim_next, claim_release, claims_recover
from executor.queue.judge import judge_claimed
from executor.services import submissions
from executor.services.code_executor import CodeExecutorService
from executor.services.judgements import judgement_apply, judgement_plan
from tests.core.live import live_server, process_environment
from tests.courses.factories import EnrollmentFactory
from tests.executor.databases import judge_next, submit
from tests.executor.fakes import ScriptedEngine
from tests.shell import wait_until

PASSWORD = "correct horse battery staple"
SOURCE, PRINTED = "c4nary_source", "c4nary_printed"
CODE = f"{SOURCE} = 2\nimport sys\nprint('{PRINTED}', file=sys.stderr)\nprint(int(input()) * {SOURCE})\n"
STORY = [
    "submission_received",
    "judgement_queued",
    "judgement_claimed",
    "judged",
    "judgement_applied",
    "progress_recorded",
]
REJUDGED = STORY[1:]

pytestmark = pytest.mark.django_db(transaction=True)


def with_password(user: User) -> User:
    user.set_password(PASSWORD)
    user.save()
    return user


def about(lines: list[Any], submission_id: int) -> list[dict[str, Any]]:
    return [dict(line) for line in lines if line.get("submission_id") == submission_id]


def events(lines: list[Any], submission_id: int) -> list[str]:
    return [line["event"] for line in about(lines, submission_id)]


class TestARealServer:
    def test_the_whole_story_in_order(
        self, tmp_path: Path, problem: Problem, student: User, settings: Settings
    ) -> None:
        settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
        teacher = EnrollmentFactory(course=problem.course, role=Enrollment.Role.INSTRUCTOR).user
        tokens = {
            user.pk: token_obtain(name=with_password(user).username, password=PASSWORD).access
            for user in (student, teacher)
        }
        environment = process_environment(tmp_path, EXECUTOR_WORKER_THREADS="1")
        environment.setdefault("DATABASE_URL", f"sqlite:///{connection.settings_dict['NAME']}")
        environment["SECRET_KEY"] = settings.SECRET_KEY
        with live_server(tmp_path, environment=environment) as server:

            def ask(user: User, path: str, **body: Any) -> requests.Response:
                headers = {"Authorization": f"Bearer {tokens[user.pk]}", "X-Request-ID": f"asked-by-{user.pk}"}
                return requests.post(f"{server.url}/api/v1/{path}", json=body, headers=headers, timeout=60)

            def is_told(times: int) -> bool:
                return [line["event"] for line in server.lines()].count("progress_recorded") == times

            made = ask(student, "submissions/", problem=problem.pk, language="python", code=CODE)
            assert made.status_code == 202, made.text
            pk = made.json()["id"]
            wait_until(lambda: is_told(1), what="it is judged")
            assert ask(teacher, f"submissions/{pk}/rejudge/").status_code == 202
            wait_until(lambda: is_told(2), what="it is judged again")
            lines = server.lines()
            written = server.log.read_text()

        assert events(lines, pk) == STORY + REJUDGED
        told = about(lines, pk)
        first, second = (Judgement.objects.get(submission=pk, number=number).pk for number in (1, 2))
        assert [line["judgement_id"] for line in told] == [first] * len(STORY) + [second] * len(REJUDGED)
        received, queued, claimed, judged = told[:4]
        assert (received["user_id"], received["problem_id"], received["language"]) == (student.pk, problem.pk, "python")
        assert {line["request_id"] for line in (received, queued)} == {f"asked-by-{student.pk}"}
        assert told[len(STORY)]["request_id"] == f"asked-by-{teacher.pk}"
        request_line = next(
            line for line in lines if line["event"] == "request" and line["path"].endswith("submissions/")
        )
        assert request_line["request_id"] == received["request_id"]
        assert claimed["worker_id"] == str(Judgement.objects.get(pk=first).worker_id)
        assert claimed["wait_s"] >= 0
        assert (judged["verdict"], judged["time_ms"] >= 0) == ("accepted", True)
        assert all(line["timestamp"] for line in told)
        # Neither the program nor what it printed, nor what people sign in with.
        for secret in (SOURCE, PRINTED, PASSWORD, settings.SECRET_KEY, *tokens.values()):
            assert secret not in written


class TestEachTurn:
    """What a real server rarely does, in the same words."""

    def test_what_is_refused_was_not_received(self, student: User, problem: Problem, settings: Settings) -> None:
        settings.EXECUTOR_QUEUE_CAPACITY = 1
        submit(student, problem)
        with capture_logs() as lines, pytest.raises(QueueFull):
            submit(student, problem)
        assert "submission_received" not in [line["event"] for line in lines]

    def test_a_fault_of_the_engine_a_released_claim_and_a_lost_worker(self, student: User, problem: Problem) -> None:
        submission = submit(student, problem)
        with capture_logs() as lines:
            judge_next(ScriptedEngine(lambda stdin: EngineUnavailable("away"), is_ready=False))
            Judgement.objects.update(not_before=None)
            claim = claim_next()
            assert claim is not None
            claim_release(claim)
            assert claim_next() is not None
            Judgement.objects.update(leased_until=timezone.now() - timedelta(seconds=60))
            assert claims_recover() == 1
        assert events(lines, submission.pk) == [
            "judgement_claimed",
            "judgement_returned",
            "judgement_claimed",
            "judgement_released",
            "judgement_claimed",
            "lease_expired",
        ]
        assert {line["judgement_id"] for line in about(lines, submission.pk)} == {submission.current_judgement_id}

    def test_a_lost_claim_says_so(self, student: User, problem: Problem) -> None:
        submission = submit(student, problem)
        claim = claim_next()
        assert claim is not None
        Judgement.objects.update(state="pending", claim_id=None, leased_until=None)
        with (
            structlog.contextvars.bound_contextvars(),
            capture_logs([structlog.contextvars.merge_contextvars]) as lines,
        ):
            judge_claimed(claim, CodeExecutorService(ScriptedEngine()))
        assert events(lines, submission.pk) == ["judged", "claim_lost"]

    @pytest.mark.parametrize(("losses", "event"), [(3, "submission_quarantined"), (0, "judgement_given_up")])
    def test_what_ends_as_a_fault_of_ours_is_an_alert(
        self, student: User, problem: Problem, losses: int, event: str
    ) -> None:
        submission = submit(student, problem)
        assert claim_next() is not None
        Judgement.objects.update(
            tries=3 if losses else 4, losses=max(0, losses - 1), leased_until=timezone.now() - timedelta(seconds=60)
        )
        with capture_logs() as lines:
            claims_recover()
        told = [line for line in about(lines, submission.pk) if line.get("alert")]
        assert [line["event"] for line in told] == [event]
        assert told[0]["judgement_id"] == submission.current_judgement_id

    def test_who_is_superseded_is_told_too(self, student: User, problem: Problem, settings: Settings) -> None:
        settings.EXECUTOR_COALESCE_SUBMISSIONS = True
        older = submit(student, problem)
        with capture_logs() as lines:
            submit(student, problem)
        assert events(lines, older.pk) == ["submission_superseded"]
        assert Submission.objects.get(pk=older.pk).status == "superseded"

    def test_a_submission_that_was_not_committed_was_not_received(
        self, student: User, problem: Problem, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail(*args: object, **kwargs: object) -> None:
            raise RuntimeError("no space left on device")

        monkeypatch.setattr(submissions, "judgement_announce", fail)
        with capture_logs() as lines, pytest.raises(RuntimeError):
            submit(student, problem)
        assert not Submission.objects.exists()
        assert lines == []


class TestNothingOfTheProgram:
    """A checker that broke may quote what the program printed."""

    def judge(self, student: User, problem: Problem) -> str:
        with capture_logs() as lines:
            submit(student, problem, code=CODE)
            claim = claim_next()
            assert claim is not None
            judgement = Judgement.objects.select_related("submission__problem__algorithm").get()
            outcome = CodeExecutorService(ScriptedEngine()).run_all_test_cases(judgement_plan(judgement))
            broken = replace(outcome.tests[0], verdict=Verdict.INTERNAL_ERROR, judge_message=f"got {PRINTED}")
            outcome = replace(outcome, verdict=Verdict.INTERNAL_ERROR, score=None, tests=(broken,))
            assert judgement_apply(judgement_id=claim.judgement_id, claim_id=claim.claim_id, outcome=outcome)
        assert PRINTED in Judgement.objects.get().fault
        return repr(lines)

    def test_is_in_the_log(self, student: User, problem: Problem) -> None:
        written = self.judge(student, problem)
        assert "'alert': True" in written
        assert SOURCE not in written
        assert PRINTED not in written

    def test_control_a_line_with_the_program_is_noticed(
        self, student: User, problem: Problem, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(submissions, "_log_received", lambda made: submissions.logger.info("x", files=made.files))
        with pytest.raises(AssertionError):
            self.test_is_in_the_log(student, problem)


def test_the_words_of_the_story_are_in_the_operators_page(settings: Settings) -> None:
    page = (Path(settings.BASE_DIR) / "docs" / "operations.md").read_text()
    for event in (*STORY, "judgement_returned", "judgement_released", "lease_expired", "submission_superseded"):
        assert f"`{event}`" in page, event
    assert json.dumps({"alert": True}).strip("{}") in page
