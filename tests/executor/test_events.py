"""What somebody who watches a submission is told, under each feedback, and when."""

import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest
from pytest_django import DjangoAssertNumQueries
from rest_framework.test import APIClient

from accounts.models import User
from courses.models import Enrollment
from events import hub
from events.hub import listening
from events.rights import Credential
from events.streams import Stream
from events.watching import NOT_AVAILABLE, SIGNED_OUT, read_for
from events.wire import Seen, Shown
from executor.engines.base import SourceFile
from executor.judging.custom import CustomChecker
from executor.judging.languages import LANGUAGES
from executor.judging.verdicts import Verdict
from executor.models import Judgement, Submission
from executor.queue.judge import judge_claimed
from executor.services import live
from executor.services.code_executor import CodeExecutorService
from executor.services.judgements import judgement_plan
from executor.services.live import LIVE_SUBMISSIONS, LiveSubmissions, topic_of
from tests.courses.factories import AlgorithmProblemFactory, EnrollmentFactory
from tests.executor.databases import claimed, judge_next
from tests.executor.factories import SubmissionFactory
from tests.executor.fakes import ScriptedEngine, double, run_result

pytestmark = pytest.mark.django_db

ApiAs = Callable[[User], APIClient]
HIDDEN = "HIDDEN-CANARY"
FEEDBACKS = list(Submission.Feedback)


@pytest.fixture(autouse=True)
def nothing_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub, "_kept", {})


@pytest.fixture
def every_test_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "PROGRESS_PAUSE_S", 0.0)


def submitted(**changes: Any) -> Submission:
    """A submission to a problem with a sample and two hidden tests."""
    tests = [("1", "2"), ("7", f"14 {HIDDEN}"), ("8", "16")]
    return SubmissionFactory(problem=AlgorithmProblemFactory(tests=tests).problem, **changes)


def leaky(stdin: bytes) -> Any:
    """A program that prints what it read, and more, on hidden tests."""
    return double(stdin) if stdin == b"1" else run_result(HIDDEN.encode() + stdin)


def ask(client: APIClient, submission: Submission, **headers: str) -> Any:
    return client.get(f"/api/v1/submissions/{submission.pk}/events/", headers=headers)


def event(response: Any) -> dict[str, Any]:
    """The one event of an answer."""
    fields = dict(line.split(": ", 1) for line in response.content.decode().splitlines() if line)
    return {"name": fields["event"], "id": fields["id"], **json.loads(fields["data"])}


def staff_of(submission: Submission) -> User:
    user: User = EnrollmentFactory(course=submission.problem.course, role=Enrollment.Role.ASSISTANT).user
    return user


class Judging:
    """A judging that stops before its last test, and what those who watch see then."""

    def __init__(self, submission: Submission, client: APIClient) -> None:
        self.messages: list[Mapping[str, Any]] = []
        self.seen: list[dict[str, Any]] = []

        def answer(stdin: bytes) -> Any:
            if stdin == b"8":
                self.seen.append(event(ask(client, submission)))
            return leaky(stdin)

        with listening(topic_of(submission.pk), self.messages.append):
            judge_claimed(claimed(), CodeExecutorService(ScriptedEngine(answer)))


class TestSnapshot:
    def test_it_is_the_state_as_an_event_that_is_not_kept(self, api_as: ApiAs) -> None:
        submission = submitted()
        response = ask(api_as(submission.user), submission, accept="text/event-stream")
        assert (response.status_code, response["Content-Type"]) == (200, "text/event-stream; charset=utf-8")
        assert (response["Cache-Control"], response["X-Accel-Buffering"]) == ("no-cache, no-store", "no")
        assert response.content.startswith(b"retry: 2000\n\n")
        assert event(response) == {
            "name": "submission",
            "id": submission.pk,
            "status": "pending",
            "score": None,
            "time_ms": None,
            "memory_kib": None,
            "compile_output": "",
            "tests": [],
        }

    def test_what_is_known_is_not_told_again(self, api_as: ApiAs) -> None:
        submission = submitted()
        client = api_as(submission.user)
        assert ask(client, submission, last_event_id="0.0").content == b"retry: 2000\n\n"
        for seen in ("1.0", "junk", "", "0.0.0"):
            assert event(ask(client, submission, last_event_id=seen))["status"] == "pending"
        judge_next()
        final = ask(client, submission, last_event_id="0.0")
        number = final.content.decode().split("id: ")[1].split("\n")[0]
        response = ask(client, submission, last_event_id=number)
        assert (response.status_code, response.content) == (204, b"")

    def test_others_find_nothing(self, api_as: ApiAs) -> None:
        submission = submitted()
        peer = EnrollmentFactory(course=submission.problem.course).user
        foreign = EnrollmentFactory(role=Enrollment.Role.INSTRUCTOR).user
        for user in (peer, foreign):
            response = ask(api_as(user), submission, accept="text/event-stream")
            assert (response.status_code, response.json()["code"]) == (404, "not_found")
            assert response["Content-Type"] == "application/problem+json"
        assert ask(api_as(staff_of(submission)), submission).status_code == 200
        assert ask(APIClient(), submission).status_code == 401

    def test_it_costs_a_constant_number_of_queries(
        self, api_as: ApiAs, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        submission = submitted()
        client = api_as(submission.user)
        with django_assert_num_queries(1):
            ask(client, submission)
        judge_next()
        with django_assert_num_queries(3):
            ask(client, submission)


@pytest.mark.usefixtures("every_test_is_told")
class TestProgress:
    @pytest.mark.parametrize(
        ("feedback", "told"),
        [
            ("none", []),
            ("samples", [(1, True, "accepted")]),
            ("verdicts", [(1, True, "accepted"), (2, False, "wrong_answer")]),
            ("full", [(1, True, "accepted"), (2, False, "wrong_answer")]),
        ],
    )
    def test_it_is_told_as_feedback_allows(self, api_as: ApiAs, feedback: str, told: list[Any]) -> None:
        submission = submitted(feedback=feedback)
        (seen,) = Judging(submission, api_as(submission.user)).seen
        assert seen["status"] == "judging"
        assert [(test["number"], test["is_sample"], test["verdict"]) for test in seen["tests"]] == told

    @pytest.mark.parametrize("feedback", FEEDBACKS)
    def test_staff_are_told_all(self, api_as: ApiAs, feedback: str) -> None:
        submission = submitted(feedback=feedback)
        (seen,) = Judging(submission, api_as(staff_of(submission))).seen
        assert [test["verdict"] for test in seen["tests"]] == ["accepted", "wrong_answer"]

    @pytest.mark.parametrize("feedback", ["none", "samples", "verdicts"])
    def test_nothing_of_a_hidden_test_is_told(self, api_as: ApiAs, feedback: str) -> None:
        submission = submitted(feedback=feedback)
        client = api_as(submission.user)
        judging = Judging(submission, client)
        final = ask(client, submission)
        assert final.status_code == 200
        assert HIDDEN not in f"{judging.messages}{judging.seen}{final.content.decode()}"
        if feedback != "verdicts":
            assert "wrong_answer" not in f"{judging.seen}{final.content.decode()}"
            assert f".{0 if feedback == 'none' else 1}\n" in final.content.decode()

    def test_control_unfiltered_it_would_be(self, api_as: ApiAs, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(live, "OPEN_FEEDBACK", FEEDBACKS)
        submission = submitted(feedback=Submission.Feedback.NONE)
        assert "wrong_answer" in str(Judging(submission, api_as(submission.user)).seen)

    def test_with_a_checker_of_ones_own_verdicts_come_in_the_end(self) -> None:
        told: list[Any] = []
        submission = submitted()
        plan = replace(
            judgement_plan(Judgement.objects.select_related("submission__problem__algorithm").get()),
            custom_checker=CustomChecker(language=LANGUAGES["python"], file=SourceFile(name="main.py", content="")),
        )
        engine = ScriptedEngine(lambda stdin: run_result(exit_code=1) if stdin == b"7" else double(stdin))
        with suppress(Exception):  # there is no box for the checker, and none is needed
            CodeExecutorService(engine, checkers=None).run_all_test_cases(
                plan, on_test=lambda index, verdict: told.append((index, verdict))
            )
        assert told == [(0, None), (1, Verdict.RUNTIME_ERROR), (2, None)]
        assert submission.status == "pending"

    def test_a_worker_that_lost_its_claim_is_not_believed(self, api_as: ApiAs) -> None:
        submission = submitted()
        judging = claimed()
        message = {"run": "another", "tests": [[1, True, "accepted"]]}
        client = api_as(submission.user)
        hub.publish(topic_of(submission.pk), message, is_kept=True)
        assert event(ask(client, submission))["tests"] == []
        hub.publish(topic_of(submission.pk), message | {"run": str(judging.claim_id)}, is_kept=True)
        assert len(event(ask(client, submission))["tests"]) == 1

    def test_a_rejudging_is_told_when_it_is_applied(self) -> None:
        judgement = Judgement.objects.get(submission=submitted())
        judgement.lane = Judgement.Lane.REJUDGE
        assert live.progress_teller(judgement, claimed().claim_id) is None

    def test_a_failing_hub_costs_no_verdict(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def broken(*args: object) -> None:
            raise RuntimeError("no way out")

        monkeypatch.setattr(hub, "deliver", broken)
        submission = submitted()
        judge_next(ScriptedEngine(leaky))
        submission.refresh_from_db()
        assert submission.status == "wrong_answer"


class TestThrottle:
    def test_the_first_and_the_last_test_are_told_and_few_between(self, monkeypatch: pytest.MonkeyPatch) -> None:
        now = [100.0]
        monkeypatch.setattr("executor.services.live.time.monotonic", lambda: now[0])
        submission = SubmissionFactory(problem=AlgorithmProblemFactory(tests=[("1", "2")] * 30).problem)
        told: list[int] = []
        tell = live.progress_teller(Judgement.objects.get(), claimed().claim_id)
        assert tell is not None
        with listening(topic_of(submission.pk), lambda message: told.append(len(message["tests"]))):
            for index in range(30):
                tell(index, Verdict.ACCEPTED)
                now[0] += 0.01
        assert (told[0], told[-1]) == (1, 30)
        assert len(told) == 4


class TestRights:
    def streams(self, count: int) -> list[Stream]:
        problem = AlgorithmProblemFactory().problem
        submissions = [SubmissionFactory(problem=problem) for _ in range(count)]
        return [
            Stream(
                source=LIVE_SUBMISSIONS,
                topic=topic_of(submission.pk),
                key=submission.pk,
                credential=Credential(user_id=submission.user_id),
                seen=Seen(version=0),
            )
            for submission in submissions
            for _ in range(3)
        ]

    def test_each_is_told_by_their_own_right(self) -> None:
        streams = self.streams(3)
        User.objects.filter(pk=streams[0].credential.user_id).update(is_active=False)
        streams[3].key = streams[6].key
        news = read_for(streams)
        assert news[:3] == [SIGNED_OUT] * 3
        assert news[3] == NOT_AVAILABLE
        assert all(isinstance(each, Shown) for each in news[4:])

    def test_control_unread_rights_would_tell_who_has_none(self, monkeypatch: pytest.MonkeyPatch) -> None:
        streams = self.streams(1)
        everybody = {streams[0].credential: User.objects.get(pk=streams[0].credential.user_id)}
        User.objects.update(is_active=False)
        assert read_for(streams)[0] == SIGNED_OUT
        monkeypatch.setattr("events.watching.credentials_standing", lambda credentials: everybody)
        assert isinstance(read_for(streams)[0], Shown)

    def test_many_streams_cost_a_query_for_each_user(self, django_assert_num_queries: DjangoAssertNumQueries) -> None:
        streams = self.streams(4)
        # One before and one after for all their rights.
        with django_assert_num_queries(1 + 4 + 1):
            read_for(streams)

    def test_a_sign_in_that_ends_while_they_are_read_is_told_nothing(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """What is read after an account was disabled may be newer than that."""
        streams = self.streams(1)
        read = LiveSubmissions.read

        def disable_first(source: LiveSubmissions, asked: Any) -> Any:
            User.objects.update(is_active=False)
            return read(source, asked)

        monkeypatch.setattr(LiveSubmissions, "read", disable_first)
        assert set(read_for(streams)) == {SIGNED_OUT}

    def test_versions_cost_one_query(self, django_assert_num_queries: DjangoAssertNumQueries) -> None:
        streams = self.streams(4)
        with django_assert_num_queries(1):
            assert len(LIVE_SUBMISSIONS.versions({stream.key for stream in streams})) == 4
