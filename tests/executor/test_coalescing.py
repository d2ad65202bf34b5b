"""Only the newest of a student's waiting submissions to a problem is judged; the older ones become `superseded`."""

import threading
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from django.db import connection, transaction
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings
from rest_framework.test import APIClient

from accounts.models import User
from courses.models import Enrollment, Problem
from executor.models import Judgement, Submission
from executor.queue.claims import claim_next
from executor.services import submissions
from executor.services.coalescing import submissions_supersede
from executor.services.rejudging import submission_rejudge
from executor.signals import submission_announced
from tests.courses.factories import AlgorithmProblemFactory, EnrollmentFactory
from tests.courses.progressing import progress_of
from tests.executor.databases import judge_next, submit
from tests.executor.factories import SubmissionFactory
from tests.parallel import at_once

pytestmark = pytest.mark.django_db

ApiAs = Callable[[User], APIClient]


@pytest.fixture(autouse=True)
def coalescing(settings: Settings) -> None:
    settings.EXECUTOR_COALESCE_SUBMISSIONS = True


def statuses() -> list[tuple[str, str]]:
    rows = Submission.objects.order_by("pk").values_list("status", "current_judgement__state")
    return list(rows)


class TestSuperseding:
    def test_the_older_ones_that_wait_end(self, student: User, problem: Problem) -> None:
        for _ in range(3):
            submit(student, problem)
        assert statuses() == [("superseded", "withdrawn")] * 2 + [("pending", "pending")]
        judge_next()
        assert claim_next() is None
        assert statuses()[-1] == ("accepted", "done")

    def test_by_default_all_are_judged(self, student: User, problem: Problem, settings: Settings) -> None:
        settings.EXECUTOR_COALESCE_SUBMISSIONS = False
        submit(student, problem)
        submit(student, problem)
        assert statuses() == [("pending", "pending")] * 2

    def test_what_a_worker_has_taken_is_judged(self, student: User, problem: Problem) -> None:
        submit(student, problem)
        claim_next()
        submit(student, problem)
        assert statuses() == [("judging", "claimed"), ("pending", "pending")]

    def test_others_problems_and_purposes_stay(self, student: User, problem: Problem) -> None:
        other = AlgorithmProblemFactory(problem__course=problem.course).problem
        submit(EnrollmentFactory(course=problem.course).user, problem)
        submit(student, other)
        SubmissionFactory(problem=problem, user=student, purpose=Submission.Purpose.EXAM)
        submit(student, problem, purpose=Submission.Purpose.EXAM)
        submit(student, problem)
        assert statuses() == [("pending", "pending")] * 5

    def test_it_is_announced(
        self, student: User, problem: Problem, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
    ) -> None:
        heard: list[int] = []

        def hear(submission_id: int, **kwargs: object) -> None:
            heard.append(submission_id)

        first = submit(student, problem)
        submission_announced.connect(hear)
        try:
            with django_capture_on_commit_callbacks(execute=True):
                submit(student, problem)
        finally:
            submission_announced.disconnect(hear)
        version = Submission.objects.get(pk=first.pk).version
        assert (heard, version) == ([first.pk], first.version + 1)

    def test_a_refusal_leaves_them_waiting(self, student: User, problem: Problem, settings: Settings) -> None:
        settings.EXECUTOR_PENDING_PER_STUDENT = 2
        other = AlgorithmProblemFactory(problem__course=problem.course).problem
        submit(student, problem)
        claim_next()
        submit(student, other)
        with pytest.raises(submissions.TooManyRequests):
            submit(student, problem)
        assert ("pending", "pending") in statuses()

    def test_it_is_no_attempt(self, student: User, problem: Problem, enrollment: Enrollment) -> None:
        submit(student, problem)
        submit(student, problem)
        judge_next()
        assert progress_of(enrollment, problem).attempts == 1


class TestReaders:
    def superseded(self, student: User, problem: Problem, feedback: str) -> Submission:
        first = submit(student, problem, feedback=feedback)
        submit(student, problem)
        return first

    @pytest.mark.parametrize("feedback", ["none", "samples", "verdicts", "full"])
    def test_it_is_shown_as_what_it_is_whatever_may_be_told_of_verdicts(
        self, api_as: ApiAs, student: User, problem: Problem, feedback: str
    ) -> None:
        first = self.superseded(student, problem, feedback)
        shown = api_as(student).get(f"/api/v1/submissions/{first.pk}/").json()
        assert (shown["status"], shown["score"], shown["tests"]) == ("superseded", None, [])
        assert (shown["queue_position"], shown["estimated_wait_seconds"]) == (None, None)
        listed = api_as(student).get("/api/v1/submissions/?status=superseded").json()["results"]
        assert [row["id"] for row in listed] == [first.pk]

    def test_who_waits_for_its_verdict_is_answered(self, student: User, problem: Problem) -> None:
        first = self.superseded(student, problem, "verdicts")
        first.refresh_from_db()
        assert first.status not in Submission.UNFINISHED

    def test_it_can_be_judged_after_all(self, student: User, problem: Problem, enrollment: Enrollment) -> None:
        first = self.superseded(student, problem, "verdicts")
        judge_next()
        staff = EnrollmentFactory(course=problem.course, role=Enrollment.Role.INSTRUCTOR).user
        assert submission_rejudge(actor=staff, submission_id=first.pk)
        assert statuses()[0] == ("superseded", "withdrawn")
        judge_next()
        assert statuses()[0] == ("accepted", "done")
        assert progress_of(enrollment, problem).attempts == 2


@pytest.mark.django_db(transaction=True)
class TestTogetherWithWorkers:
    def test_each_ends_as_one_of_both(self, student: User, problem: Problem) -> None:
        """Workers take while the student hands in again and again: nothing is both withdrawn and judged, nor stuck."""
        rounds, workers = 12, 3
        submit(student, problem)
        handed_in = threading.Event()

        def hand_in() -> None:
            try:
                for _ in range(rounds):
                    submit(student, problem)
            finally:
                handed_in.set()

        def work() -> None:
            while True:
                is_last = handed_in.is_set()
                while claim_next() is not None:
                    pass
                if is_last:
                    return

        at_once([hand_in, *[work] * workers])
        assert {("judging", "claimed"), ("superseded", "withdrawn")} >= set(statuses())
        assert statuses()[-1] == ("judging", "claimed")

    def test_one_that_is_being_taken_is_passed_over_without_waiting(self, student: User, problem: Problem) -> None:
        """On SQLite whoever takes it is done before anybody else may write."""
        first = submit(student, problem)
        found: list[Any] = []
        with transaction.atomic():
            list(Judgement.objects.select_for_update().filter(submission=first))
            if connection.vendor == "postgresql":
                supersede = partial(supersede_here, student_id=student.pk, problem_id=problem.pk)
                found = at_once([supersede])
        assert found == ([0] if connection.vendor == "postgresql" else [])
        assert statuses() == [("pending", "pending")]


def supersede_here(**columns: Any) -> int:
    with transaction.atomic():
        return submissions_supersede(**columns)
