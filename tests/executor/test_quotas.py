"""What one student may hand in: exact to the second, and no further however many requests come at once."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone
from freezegun import freeze_time
from pytest_django import Settings
from rest_framework.test import APIClient

from accounts.models import User
from core.errors import DomainError
from courses.models import Enrollment, Problem
from executor.errors import ProblemRateExceeded, SubmissionRateExceeded, TooManyPending
from executor.models import Judgement, Submission
from executor.queue.claims import claim_next
from executor.services import quotas, submissions
from executor.services.reference_solutions import referencesolution_create
from tests.courses.factories import AlgorithmProblemFactory, EnrollmentFactory
from tests.executor.databases import judge_next, rows, submit
from tests.executor.factories import DOUBLE
from tests.parallel import at_once, meeting_point

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
ApiAs = Callable[[User], APIClient]


def post(api_as: ApiAs, user: User, problem: Problem, **changes: Any) -> Any:
    body = {"problem": problem.pk, "language": "python", "code": DOUBLE, **changes}
    return api_as(user).post("/api/v1/submissions/", body)


class TestRates:
    def test_so_many_a_minute_and_then_when_the_oldest_leaves_it(
        self, student: User, problem: Problem, settings: Settings
    ) -> None:
        settings.EXECUTOR_SUBMISSIONS_PER_MINUTE = 3
        with freeze_time(NOON) as clock:
            for _ in range(3):
                submit(student, problem)
                clock.tick(10)
            with pytest.raises(SubmissionRateExceeded) as refused:
                submit(student, problem)
            assert refused.value.retry_after_s == 30
            clock.tick(29.5)
            with pytest.raises(SubmissionRateExceeded) as refused:
                submit(student, problem)
            assert refused.value.retry_after_s == 1
            clock.tick(0.5)
            submit(student, problem)
            with pytest.raises(SubmissionRateExceeded) as refused:
                submit(student, problem)
            assert refused.value.retry_after_s == 10

    def test_so_many_an_hour_to_one_problem(self, student: User, problem: Problem, settings: Settings) -> None:
        settings.EXECUTOR_SUBMISSIONS_PER_PROBLEM_HOUR = 2
        other = AlgorithmProblemFactory(problem__course=problem.course).problem
        with freeze_time(NOON) as clock:
            submit(student, problem)
            clock.tick(timedelta(minutes=20))
            submit(student, problem)
            with pytest.raises(ProblemRateExceeded) as refused:
                submit(student, problem)
            assert refused.value.retry_after_s == 40 * 60
            submit(student, other)
            clock.tick(timedelta(minutes=40))
            submit(student, problem)

    def test_when_a_request_was_received_does_not_matter(
        self, student: User, problem: Problem, settings: Settings
    ) -> None:
        """Requests that waited long in the server all count in the minute in which they are stored."""
        settings.EXECUTOR_SUBMISSIONS_PER_MINUTE = 2
        for minutes in (5, 10):
            submit(student, problem, received_at=timezone.now() - timedelta(minutes=minutes))
        with pytest.raises(SubmissionRateExceeded):
            submit(student, problem, received_at=timezone.now() - timedelta(minutes=20))

    def test_a_clock_that_was_put_back_locks_nobody_out(
        self, student: User, problem: Problem, settings: Settings
    ) -> None:
        settings.EXECUTOR_SUBMISSIONS_PER_MINUTE = 1
        with freeze_time(NOON + timedelta(days=1)):
            submit(student, problem)
        with freeze_time(NOON), pytest.raises(SubmissionRateExceeded) as refused:
            submit(student, problem)
        assert refused.value.retry_after_s == 60

    def test_what_was_judged_or_superseded_still_counts(
        self, student: User, problem: Problem, settings: Settings
    ) -> None:
        settings.EXECUTOR_SUBMISSIONS_PER_MINUTE = 3
        settings.EXECUTOR_COALESCE_SUBMISSIONS = True
        submit(student, problem)
        judge_next()
        submit(student, problem)
        submit(student, problem)
        assert sorted(Submission.objects.values_list("status", flat=True)) == ["accepted", "pending", "superseded"]
        with pytest.raises(SubmissionRateExceeded):
            submit(student, problem)


class TestPending:
    def test_those_that_wait_and_those_that_are_judged_count(
        self, student: User, problem: Problem, settings: Settings
    ) -> None:
        settings.EXECUTOR_PENDING_PER_STUDENT = 2
        submit(student, problem)
        assert claim_next() is not None
        submit(student, problem)
        with pytest.raises(TooManyPending) as refused:
            submit(student, problem)
        assert refused.value.retry_after_s == 1
        judge_next()
        submit(student, problem)

    def test_it_tells_when_the_first_of_them_may_be_judged(
        self, student: User, problem: Problem, settings: Settings
    ) -> None:
        settings.EXECUTOR_PENDING_PER_STUDENT = 1
        for _ in range(4):
            submit(EnrollmentFactory(course=problem.course).user, problem)
        submit(student, problem)
        with pytest.raises(TooManyPending) as refused:
            submit(student, problem)
        # Five judgings of a second each, by one worker, as nothing else is known.
        assert refused.value.retry_after_s == 5

    def test_of_others_nothing_counts(self, student: User, problem: Problem, settings: Settings) -> None:
        settings.EXECUTOR_PENDING_PER_STUDENT = settings.EXECUTOR_SUBMISSIONS_PER_MINUTE = 1
        settings.EXECUTOR_SUBMISSIONS_PER_PROBLEM_HOUR = 1
        submit(EnrollmentFactory(course=problem.course).user, problem)
        submit(student, problem)

    def test_superseded_ones_do_not_wait(self, student: User, problem: Problem, settings: Settings) -> None:
        settings.EXECUTOR_PENDING_PER_STUDENT = 1
        settings.EXECUTOR_COALESCE_SUBMISSIONS = True
        submit(student, problem)
        submit(student, problem)

    def test_verifications_count_against_nothing(self, problem: Problem, settings: Settings) -> None:
        settings.EXECUTOR_PENDING_PER_STUDENT = settings.EXECUTOR_SUBMISSIONS_PER_MINUTE = 1
        settings.EXECUTOR_SUBMISSIONS_PER_PROBLEM_HOUR = settings.EXECUTOR_QUEUE_CAPACITY = 1
        author = EnrollmentFactory(course=problem.course, role=Enrollment.Role.INSTRUCTOR).user
        for name in ("one", "two", "three"):
            referencesolution_create(actor=author, problem_id=problem.pk, language="python", code=DOUBLE, name=name)
        submit(author, problem)
        referencesolution_create(actor=author, problem_id=problem.pk, language="python", code=DOUBLE, name="four")
        lanes = Judgement.objects.values_list("lane", "submission__purpose").order_by("pk")
        assert list(lanes) == [*[("rejudge", "verify")] * 3, ("live", "practice"), ("rejudge", "verify")]


class TestRefusals:
    @pytest.mark.parametrize(
        ("setting", "code"),
        [
            ("EXECUTOR_PENDING_PER_STUDENT", "too_many_pending"),
            ("EXECUTOR_SUBMISSIONS_PER_MINUTE", "submission_rate_exceeded"),
            ("EXECUTOR_SUBMISSIONS_PER_PROBLEM_HOUR", "problem_rate_exceeded"),
            ("EXECUTOR_QUEUE_CAPACITY", "queue_full"),
        ],
    )
    def test_they_say_when_to_come_back_and_write_nothing(
        self, api_as: ApiAs, student: User, problem: Problem, settings: Settings, setting: str, code: str
    ) -> None:
        setattr(settings, setting, 1)
        assert post(api_as, student, problem).status_code == 202
        before = rows()
        answer = post(api_as, student, problem)
        assert (answer.status_code, answer.json()["code"]) == (429, code)
        assert answer["Content-Type"] == "application/problem+json"
        assert 1 <= int(answer["Retry-After"]) <= 3600
        assert rows() == before

    def test_bad_input_is_named_before_and_uses_nothing_up(
        self, api_as: ApiAs, student: User, problem: Problem, settings: Settings
    ) -> None:
        settings.EXECUTOR_SUBMISSIONS_PER_MINUTE = settings.EXECUTOR_QUEUE_CAPACITY = 1
        for _ in range(3):
            assert post(api_as, student, problem, code="").status_code == 422
        assert post(api_as, student, problem).status_code == 202
        assert post(api_as, student, problem, language="cobol").status_code == 422
        assert post(api_as, student, AlgorithmProblemFactory().problem).status_code == 404


@pytest.mark.django_db(transaction=True)
class TestTogether:
    POSTS, MOST = 8, 3

    def outcomes(self, student: User, problem: Problem) -> list[str]:
        def hand_in() -> str:
            try:
                submit(student, problem)
            except DomainError as refused:
                return refused.code
            return "accepted"

        return sorted(at_once([hand_in] * self.POSTS))

    @pytest.mark.parametrize(
        ("setting", "code"),
        [
            ("EXECUTOR_PENDING_PER_STUDENT", "too_many_pending"),
            ("EXECUTOR_SUBMISSIONS_PER_MINUTE", "submission_rate_exceeded"),
            ("EXECUTOR_SUBMISSIONS_PER_PROBLEM_HOUR", "problem_rate_exceeded"),
        ],
    )
    def test_exactly_so_many_pass(
        self, student: User, problem: Problem, settings: Settings, setting: str, code: str
    ) -> None:
        setattr(settings, setting, self.MOST)
        assert self.outcomes(student, problem) == ["accepted"] * self.MOST + [code] * (self.POSTS - self.MOST)
        assert Submission.objects.count() == Judgement.objects.count() == self.MOST

    def test_control_without_the_lock_all_pass(
        self, student: User, problem: Problem, settings: Settings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """On SQLite the one writer that there is at a time is the lock, and nobody meets."""
        settings.EXECUTOR_SUBMISSIONS_PER_MINUTE = self.MOST
        everybody_has_counted = meeting_point(self.POSTS, timeout_s=0.2 if connection.vendor == "sqlite" else 20)
        real = quotas.rates_require

        def counted(user: User, **columns: Any) -> None:
            real(user, **columns)
            everybody_has_counted()

        monkeypatch.setattr(submissions, "student_lock", lambda user: None)
        monkeypatch.setattr(submissions, "rates_require", counted)
        accepted = self.outcomes(student, problem).count("accepted")
        assert accepted == (self.MOST if connection.vendor == "sqlite" else self.POSTS)
