"""Judging again over HTTP: who may, what comes back, and what staff see of it."""

from collections.abc import Callable
from typing import Any

import pytest
from pytest_django import DjangoAssertNumQueries
from rest_framework.test import APIClient

from accounts.models import User
from courses.models import Enrollment, Problem
from executor.models import Judgement, Submission
from executor.services.rejudging import submission_rejudge
from tests.courses.factories import EnrollmentFactory
from tests.executor.databases import judge_next
from tests.executor.factories import JudgementFactory, SubmissionFactory

pytestmark = pytest.mark.django_db

ApiAs = Callable[[User], APIClient]


@pytest.fixture
def submission(problem: Problem) -> Submission:
    submission = SubmissionFactory(problem=problem)
    judge_next()
    submission.refresh_from_db()
    return submission


@pytest.fixture
def staff(problem: Problem) -> User:
    return EnrollmentFactory(course=problem.course, role=Enrollment.Role.ASSISTANT).user


def address(submission: Submission, what: str = "rejudge") -> str:
    return f"/api/v1/submissions/{submission.pk}/{what}/"


class TestSubmission:
    def test_it_is_answered_with_202_and_the_result_so_far(
        self, api_as: ApiAs, staff: User, submission: Submission
    ) -> None:
        answer = api_as(staff).post(address(submission))
        assert answer.status_code == 202
        body = answer.json()
        assert (body["id"], body["status"], body["is_rejudging"]) == (submission.pk, "accepted", True)
        judge_next()
        detail = api_as(staff).get(f"/api/v1/submissions/{submission.pk}/").json()
        assert (detail["status"], detail["is_rejudging"]) == ("accepted", False)

    def test_its_student_may_not_and_learns_nothing_of_it(
        self, api_as: ApiAs, staff: User, submission: Submission
    ) -> None:
        student = api_as(submission.user)
        assert student.post(address(submission)).status_code == 403
        assert Judgement.objects.count() == 1
        submission_rejudge(actor=staff, submission_id=submission.pk)
        detail = student.get(f"/api/v1/submissions/{submission.pk}/").json()
        assert (detail["status"], detail["is_rejudging"], detail["queue_position"]) == ("accepted", None, None)
        assert student.get("/api/v1/submissions/").json()["results"][0]["is_rejudging"] is None

    def test_others_find_none(self, api_as: ApiAs, problem: Problem, submission: Submission) -> None:
        peer = EnrollmentFactory(course=problem.course).user
        for what in ("rejudge", "judgements"):
            ask = api_as(peer).post if what == "rejudge" else api_as(peer).get
            assert ask(address(submission, what)).status_code == 404

    def test_a_verification_is_a_conflict(self, api_as: ApiAs, staff: User, problem: Problem) -> None:
        verification = SubmissionFactory(problem=problem, purpose=Submission.Purpose.VERIFY)
        answer = api_as(staff).post(address(verification))
        assert (answer.status_code, answer.json()["code"]) == (409, "verification_not_rejudged")

    def test_under_a_key_it_is_asked_for_once(self, api_as: ApiAs, staff: User, submission: Submission) -> None:
        for is_replayed in (False, True):
            answer = api_as(staff).post(address(submission), headers={"Idempotency-Key": "again"})
            assert (answer.status_code, "Idempotency-Replayed" in answer) == (202, is_replayed)
            judge_next_if_any()
        assert submission.judgements.count() == 2


def judge_next_if_any() -> None:
    if Judgement.objects.filter(state="pending").exists():
        judge_next()


class TestProblem:
    def test_it_says_how_many(self, api_as: ApiAs, staff: User, problem: Problem, submission: Submission) -> None:
        SubmissionFactory(problem=problem)
        answer = api_as(staff).post(f"/api/v1/problems/{problem.pk}/rejudge/")
        assert (answer.status_code, answer.json()) == (202, {"queued": 1, "skipped": 1})

    def test_filters(self, api_as: ApiAs, staff: User, problem: Problem, submission: Submission) -> None:
        for body, queued in (
            ({"statuses": ["wrong_answer"]}, 0),
            ({"languages": ["c"]}, 0),
            ({"statuses": ["accepted"], "languages": ["python"]}, 1),
        ):
            answer = api_as(staff).post(f"/api/v1/problems/{problem.pk}/rejudge/", body)
            assert (answer.status_code, answer.json()["queued"]) == (202, queued)

    @pytest.mark.parametrize(
        ("body", "pointer"),
        [
            ({"statuses": ["nearly"]}, "#/statuses/0"),
            ({"statuses": "accepted"}, "#/statuses"),
            ({"languages": [None]}, "#/languages/0"),
            ({"user": 1}, "#/user"),
        ],
    )
    def test_bad_input_changes_nothing(
        self, api_as: ApiAs, staff: User, problem: Problem, submission: Submission, body: Any, pointer: str
    ) -> None:
        answer = api_as(staff).post(f"/api/v1/problems/{problem.pk}/rejudge/", body)
        assert answer.status_code == 422
        assert pointer in [error["pointer"] for error in answer.json()["errors"]]
        assert Judgement.objects.count() == 1


class TestHistory:
    def test_staff_see_every_judging(self, api_as: ApiAs, staff: User, submission: Submission) -> None:
        submission_rejudge(actor=staff, submission_id=submission.pk)
        answer = api_as(staff).get(address(submission, "judgements"))
        assert answer.status_code == 200
        newer, older = answer.json()["results"]
        assert (newer["number"], newer["state"], newer["lane"]) == (2, "pending", "rejudge")
        assert (newer["verdict"], newer["is_current"], newer["engine"], newer["finished_at"]) == (
            None,
            False,
            None,
            None,
        )
        assert (older["number"], older["state"], older["lane"], older["verdict"]) == (1, "done", "live", "accepted")
        assert (older["score"], older["test_set_version"], older["is_current"]) == ("100.00", 1, True)
        assert older["finished_at"] is not None

    def test_its_student_does_not(self, api_as: ApiAs, submission: Submission) -> None:
        assert api_as(submission.user).get(address(submission, "judgements")).status_code == 403

    def test_it_takes_as_many_queries_however_many_there_are(
        self, api_as: ApiAs, staff: User, submission: Submission, django_assert_max_num_queries: DjangoAssertNumQueries
    ) -> None:
        for number in range(2, 20):
            JudgementFactory(submission=submission, number=number, state="done", verdict="accepted")
        with django_assert_max_num_queries(5):
            api_as(staff).get(address(submission, "judgements"))
