"""How much the queue holds, and what is refused where it is full."""

from collections.abc import Callable

import pytest
from pytest_django import Settings
from rest_framework.test import APIClient

from accounts.models import User
from courses.models import Enrollment, Problem
from executor.errors import QueueFull
from executor.models import Judgement, Submission
from executor.queue.claims import claim_next
from executor.selectors.queue import estimated_wait_seconds, queue_overview, queue_status
from executor.services import submissions
from executor.services.queueing import retry_seconds
from executor.services.rejudging import problem_rejudge
from tests.courses.factories import EnrollmentFactory
from tests.executor.databases import judge_next, rows, submit
from tests.executor.factories import SubmissionFactory

pytestmark = pytest.mark.django_db


class TestThresholds:
    @pytest.mark.parametrize(
        ("pending", "status"),
        [(0, "available"), (4, "available"), (5, "busy"), (9, "busy"), (10, "full"), (11, "full")],
    )
    def test_available_busy_full(self, settings: Settings, pending: int, status: str) -> None:
        settings.EXECUTOR_QUEUE_CAPACITY = 10
        assert queue_status(pending) == status

    def test_a_full_queue_refuses_and_writes_nothing(self, student: User, problem: Problem, settings: Settings) -> None:
        settings.EXECUTOR_QUEUE_CAPACITY = 2
        for _ in range(2):
            SubmissionFactory(problem=problem)
        before = rows()
        with pytest.raises(QueueFull) as refused:
            submit(student, problem)
        assert refused.value.retry_after_s is not None
        assert 1 <= refused.value.retry_after_s <= 60
        assert rows() == before

    def test_control_without_the_check_it_is_taken_in(
        self, student: User, problem: Problem, settings: Settings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        settings.EXECUTOR_QUEUE_CAPACITY = 1
        SubmissionFactory(problem=problem)
        monkeypatch.setattr(submissions, "capacity_require", lambda: None)
        submit(student, problem)
        assert Submission.objects.count() == 2

    def test_what_is_judged_makes_room(self, student: User, problem: Problem, settings: Settings) -> None:
        settings.EXECUTOR_QUEUE_CAPACITY = 1
        SubmissionFactory(problem=problem)
        claim_next()
        submit(student, problem)

    def test_rejudges_take_no_room(self, student: User, problem: Problem, settings: Settings) -> None:
        settings.EXECUTOR_QUEUE_CAPACITY = 3
        for _ in range(3):
            SubmissionFactory(problem=problem)
            judge_next()
        staff = EnrollmentFactory(course=problem.course, role=Enrollment.Role.INSTRUCTOR).user
        assert problem_rejudge(actor=staff, problem_id=problem.pk).queued == 3
        submit(student, problem)
        assert (queue_overview().pending_live, queue_overview().pending_rejudge) == (1, 3)

    def test_an_attempt_that_is_refused_costs_no_quota(
        self,
        api_as: Callable[[User], APIClient],
        student: User,
        problem: Problem,
        settings: Settings,
    ) -> None:
        settings.EXECUTOR_QUEUE_CAPACITY = settings.EXECUTOR_SUBMISSIONS_PER_MINUTE = 1
        waiting = SubmissionFactory(problem=problem).current_judgement
        body = {"problem": problem.pk, "language": "python", "code": "print(1)"}
        answer = api_as(student).post("/api/v1/submissions/", body)
        assert (answer.status_code, answer.json()["code"]) == (429, "queue_full")
        Judgement.objects.filter(pk=waiting.pk).update(state="withdrawn")
        assert api_as(student).post("/api/v1/submissions/", body).status_code == 202


class TestEstimates:
    def test_with_nothing_known_it_is_a_second_each(self) -> None:
        assert [estimated_wait_seconds(position) for position in (1, 7)] == [1, 7]

    def test_who_is_refused_comes_back_after_a_minute_at_most(self) -> None:
        assert [retry_seconds(position) for position in (1, 30, 5000)] == [1, 30, 60]
