"""What holds submissions together in the database, and what deleting a problem or a user does to them."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import IntegrityError, connection, models, transaction
from django.db.models import ProtectedError
from rest_framework.test import APIClient

from accounts.models import User
from courses.errors import ProblemInUse
from courses.models import Enrollment, Problem, TestCase, TestSet
from courses.services import problem_archive, problem_delete
from executor.models import Judgement, Submission, TestResult
from tests.accounts.factories import UserFactory
from tests.courses.factories import ChapterProblemFactory, EnrollmentFactory
from tests.executor.databases import judge_next, rows, submit
from tests.executor.factories import SubmissionFactory

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


class DatabaseUpdateTestCase:
    """Lines 5 and 7 of the test plan."""

    # Line 5: foreign keys are valid, and related rows exist.

    def test_every_row_hangs_together(self, student: User, problem: Problem) -> None:
        submit(student, problem)
        judge_next()
        submission = Submission.objects.get()
        judgement = Judgement.objects.get()
        assert submission.user.enrollments.get().course == submission.problem.course
        assert (submission.current_judgement, judgement.submission) == (judgement, submission)
        assert judgement.test_set.problem == submission.problem
        assert judgement.test_set.frozen_at is not None
        cases = list(judgement.test_set.test_cases.order_by("order"))
        assert [result.test_case for result in judgement.test_results.all()] == cases
        connection.check_constraints()

    @pytest.mark.parametrize(
        ("table", "column"),
        [
            (Submission, "user_id"),
            (Submission, "problem_id"),
            (Submission, "current_judgement_id"),
            (Judgement, "submission_id"),
            (Judgement, "test_set_id"),
            (TestResult, "judgement_id"),
            (TestResult, "test_case_id"),
        ],
    )
    def test_the_database_itself_refuses_a_row_without_its_relation(
        self, table: type[models.Model], column: str
    ) -> None:
        SubmissionFactory()
        judge_next()
        row = table._default_manager.filter(pk=table._default_manager.earliest("pk").pk)

        def point_nowhere() -> None:
            row.update(**{column: 2**31 - 1})
            connection.check_constraints()

        with pytest.raises(IntegrityError), transaction.atomic():
            point_nowhere()

    @pytest.mark.parametrize(
        ("table", "changes"),
        [
            pytest.param(Submission, {"score": 101}, id="score above 100"),
            pytest.param(Submission, {"score": -1}, id="score below 0"),
            pytest.param(Submission, {"user_id": None}, id="nobody's"),
            pytest.param(Judgement, {"state": "claimed"}, id="claimed by nobody"),
            pytest.param(Judgement, {"state": "pending"}, id="a verdict while pending"),
            pytest.param(Judgement, {"verdict": ""}, id="done without a verdict"),
            pytest.param(Judgement, {"time_ms": -1}, id="negative time"),
            pytest.param(TestResult, {"order": -1}, id="negative order"),
        ],
    )
    def test_the_database_itself_refuses_a_row_that_contradicts_itself(
        self, table: type[models.Model], changes: dict[str, Any]
    ) -> None:
        SubmissionFactory()
        judge_next()
        with pytest.raises(IntegrityError), transaction.atomic():
            table._default_manager.update(**changes)

    @pytest.mark.parametrize("table", [Judgement, TestResult])
    def test_the_database_itself_refuses_the_same_thing_twice(self, table: type[models.Model]) -> None:
        SubmissionFactory()
        judge_next()
        row = table._default_manager.earliest("pk")
        row.pk = None
        with pytest.raises(IntegrityError), transaction.atomic():
            row.save(force_insert=True)

    # Line 7: what deleting a problem or a user does.

    def test_a_problem_with_submissions_is_not_deleted(self, student: User, problem: Problem) -> None:
        submit(student, problem)
        before = rows()
        with pytest.raises(ProblemInUse):
            problem_delete(actor=UserFactory(is_superuser=True), problem_id=problem.pk)
        assert rows() == before
        assert Problem.objects.get(pk=problem.pk).status == Problem.Status.PUBLISHED

    def test_over_the_api_that_is_a_409(self, student: User, problem: Problem) -> None:
        submit(student, problem)
        client = APIClient()
        client.force_authenticate(EnrollmentFactory(course=problem.course, role=Enrollment.Role.INSTRUCTOR).user)
        response = client.delete(f"/api/v1/problems/{problem.pk}/")
        assert (response.status_code, response.json()["code"]) == (409, "problem_in_use")
        assert Submission.objects.count() == 1

    def test_archiving_it_keeps_every_mark(self, student: User, problem: Problem) -> None:
        submit(student, problem)
        judge_next()
        before = rows()
        problem_archive(actor=UserFactory(is_superuser=True), problem_id=problem.pk)
        assert rows() == before

    def test_archiving_it_does_not_stop_what_was_handed_in(self, student: User, problem: Problem) -> None:
        submit(student, problem)
        problem_archive(actor=UserFactory(is_superuser=True), problem_id=problem.pk)
        judge_next()
        assert Submission.objects.get().status == "accepted"

    def test_a_problem_without_submissions_goes_with_its_tests_and_places(self, problem: Problem) -> None:
        placement = ChapterProblemFactory(problem=problem, chapter__course=problem.course)
        problem_delete(actor=UserFactory(is_superuser=True), problem_id=problem.pk)
        assert not Problem.objects.exists()
        assert TestSet.objects.count() == TestCase.objects.count() == 0
        assert not type(placement).objects.exists()

    @pytest.mark.parametrize(
        "related",
        [
            lambda submission: submission.user,
            lambda submission: submission.problem,
            lambda submission: submission.problem.course,
            lambda submission: submission.problem.course.organization,
            lambda submission: submission.current_judgement,
            lambda submission: submission.current_judgement.test_set,
            lambda submission: submission.current_judgement.test_set.test_cases.first(),
        ],
        ids=["user", "problem", "course", "organization", "judgement", "test set", "test case"],
    )
    def test_nothing_takes_a_mark_along(self, related: Callable[[Submission], models.Model]) -> None:
        submission = SubmissionFactory()
        judge_next()
        submission.refresh_from_db()
        before = rows()
        with pytest.raises(ProtectedError), transaction.atomic():
            related(submission).delete()
        assert rows() == before

    @pytest.mark.parametrize("table", ["accounts_user", "courses_problem", "courses_testset", "courses_testcase"])
    def test_not_even_past_the_models(self, table: str) -> None:
        SubmissionFactory()
        judge_next()

        def delete_all() -> None:
            with connection.cursor() as cursor:
                cursor.execute(f"DELETE FROM {table}")
            connection.check_constraints()

        with pytest.raises(IntegrityError), transaction.atomic():
            delete_all()
        assert Submission.objects.count() == 1

    def test_a_user_who_leaves_the_course_leaves_the_marks(self, student: User, problem: Problem) -> None:
        submit(student, problem)
        judge_next()
        before = rows()
        with pytest.raises(ProtectedError):
            Enrollment.objects.filter(user=student).delete()
        Enrollment.objects.filter(user=student).update(left_at=NOON)
        student.is_active = False
        student.save()
        assert rows() == before
        staff = EnrollmentFactory(course=problem.course, role=Enrollment.Role.INSTRUCTOR).user
        assert Submission.objects.visible_to(staff).get().user == student

    def test_a_user_without_submissions_can_go(self, student: User, problem: Problem) -> None:
        submit(student, problem)
        other = UserFactory()
        before = rows()
        other.delete()
        assert not User.objects.filter(pk=other.pk).exists()
        assert rows() == before
