"""Answers that are checked at the same moment, and how many may be: exact, whatever comes at once."""

from collections import Counter
from collections.abc import Callable
from contextlib import nullcontext
from types import SimpleNamespace
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.db import connection
from django.utils import timezone
from freezegun import freeze_time
from pytest_django import Settings

from accounts.models import User
from core.errors import DomainError
from courses import services
from courses.models import CheckQuota, Enrollment, PracticeAnswer, Problem, ProblemProgress, ProgressResult
from courses.services import answer as answer_module
from tests.accounts.factories import UserFactory
from tests.courses.factories import ChoiceProblemFactory, EnrollmentFactory
from tests.courses.refusals import ApiAs
from tests.parallel import at_once, meeting_point

LIMIT = 3


@pytest.fixture
def few(settings: Settings) -> None:
    settings.COURSES_CHECKS_PER_WINDOW = LIMIT


def check(user: User, problem: Problem, *chosen: str) -> str:
    try:
        services.answer_check(user=user, problem_id=problem.pk, received_at=timezone.now(), chosen=chosen)
    except DomainError as error:
        return error.code
    return "checked"


@pytest.mark.django_db(transaction=True)
class TestTogether:
    THREADS = 8

    def test_all_are_recorded_and_progress_is_exact(self) -> None:
        problem = ChoiceProblemFactory().problem
        user = EnrollmentFactory(course=problem.course).user
        answers = [("A",), ("A", "C"), ("B",), ("A", "B", "C")] * (self.THREADS // 4)
        results = at_once([lambda chosen=chosen: check(user, problem, *chosen) for chosen in answers])
        assert results == ["checked"] * self.THREADS
        progress = ProblemProgress.objects.get()
        rows = PracticeAnswer.objects.all()
        assert (progress.attempts, rows.count(), progress.results.count()) == (self.THREADS,) * 3
        assert (progress.status, progress.best_score) == ("solved", 100)
        assert progress.first_at == rows.order_by("received_at")[0].received_at
        assert progress.solved_at == rows.filter(is_correct=True).order_by("received_at")[0].received_at
        assert CheckQuota.objects.get().count == self.THREADS

    def test_several_students_do_not_wait_for_each_other_for_ever(self) -> None:
        problem = ChoiceProblemFactory().problem
        users = [EnrollmentFactory(course=problem.course).user for _ in range(4)]
        calls = [lambda user=user: check(user, problem, "A", "C") for user in users for _ in range(2)]
        assert at_once(calls) == ["checked"] * 8
        assert {row.attempts for row in ProblemProgress.objects.all()} == {2}

    def test_control_progress_that_is_read_before_it_is_written_loses_answers(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        problem = ChoiceProblemFactory().problem
        enrollment = EnrollmentFactory(course=problem.course)
        progress = ProblemProgress.objects.create(enrollment=enrollment, problem=problem)
        users = [enrollment.user, *(EnrollmentFactory(course=problem.course).user for _ in range(3))]
        counted = meeting_point(len(users))

        def racy(*, source: str, source_id: int, received_at: Any, score: Any, **kwargs: Any) -> None:
            attempts = ProblemProgress.objects.get(pk=progress.pk).attempts
            counted()
            ProblemProgress.objects.filter(pk=progress.pk).update(attempts=attempts + 1, status="in_progress")

        monkeypatch.setattr(answer_module, "progress_record", racy)
        if not connection.features.has_select_for_update:
            # SQLite lets one transaction write at a time: there the fault needs answers that are in none.
            monkeypatch.setattr(answer_module, "transaction", SimpleNamespace(atomic=nullcontext))
        at_once([lambda user=user: check(user, problem, "A") for user in users])
        assert PracticeAnswer.objects.count() == len(users)
        assert ProblemProgress.objects.get(pk=progress.pk).attempts < len(users)

    def test_a_problem_that_goes_meanwhile(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Either there is an answer and the problem stays, or it goes and nobody had an answer acknowledged."""
        problem = ChoiceProblemFactory().problem
        user, owner = EnrollmentFactory(course=problem.course).user, UserFactory()

        def delete() -> str:
            try:
                services.problem_delete(actor=owner, problem_id=problem.pk)
            except DomainError as error:
                return error.code
            return "deleted"

        if connection.features.has_select_for_update:
            # It is deleted after the answer was graded; PostgreSQL notices at the commit of the answer.
            monkeypatch.setattr(answer_module, "progress_record", lambda **kwargs: at_once([delete]))
            assert (check(user, problem, "A"), delete()) == ("not_found", "not_found")
        else:
            ends = at_once([lambda: check(user, problem, "A"), delete])
            assert ends in (["checked", "problem_in_use"], ["not_found", "deleted"])
        assert PracticeAnswer.objects.count() == Problem.objects.filter(pk=problem.pk).count()

    @pytest.mark.usefixtures("few")
    def test_exactly_the_window_is_let_through(self) -> None:
        problem = ChoiceProblemFactory().problem
        user = EnrollmentFactory(course=problem.course).user
        results = Counter(at_once([lambda: check(user, problem, "A")] * self.THREADS))
        assert results == {"checked": LIMIT, "check_quota_used": self.THREADS - LIMIT}
        assert PracticeAnswer.objects.count() == LIMIT
        assert ProgressResult.objects.count() == LIMIT

    @pytest.mark.usefixtures("few")
    def test_control_a_count_without_its_lock_lets_more_through(self, monkeypatch: pytest.MonkeyPatch) -> None:
        problem = ChoiceProblemFactory().problem
        users: list[User] = [EnrollmentFactory(course=problem.course).user]
        CheckQuota.objects.create(user=users[0], window_started_at=timezone.now())
        everybody_has_read = meeting_point(self.THREADS)

        def racy(user: User) -> None:
            quota = CheckQuota.objects.get(user=user)
            everybody_has_read()
            if quota.count_one(now=timezone.now(), window_s=60, most=LIMIT) is not None:
                raise AssertionError

        def count() -> None:
            racy(users[0])

        at_once([count] * self.THREADS)
        assert CheckQuota.objects.get().count < self.THREADS
        monkeypatch.setattr(answer_module, "_quota_take", lambda user: None)
        assert Counter(check(users[0], problem, "A") for _ in range(self.THREADS)) == {"checked": self.THREADS}


@pytest.mark.django_db
@pytest.mark.usefixtures("few")
class TestWindow:
    @pytest.fixture
    def enrollment(self) -> Enrollment:
        row: Enrollment = EnrollmentFactory()
        return row

    @pytest.fixture
    def post(self, enrollment: Enrollment, api_as: ApiAs) -> Callable[..., Any]:
        problem = ChoiceProblemFactory(problem__course=enrollment.course).problem
        client = api_as(enrollment.user)
        return lambda *chosen: client.post(f"/api/v1/problems/{problem.pk}/check/", {"answer": {"chosen": chosen}})

    def test_once_used_up_it_is_429_and_says_when(self, post: Callable[..., Any]) -> None:
        with freeze_time("2026-11-20T10:00:00Z") as clock:
            assert [post("A").status_code for _ in range(LIMIT)] == [200] * LIMIT
            clock.move_to("2026-11-20T10:00:20Z")
            response = post("A")
            assert (response.status_code, response.json()["code"]) == (429, "check_quota_used")
            assert response["Retry-After"] == "40"
            assert PracticeAnswer.objects.count() == LIMIT
            clock.move_to("2026-11-20T10:00:59.9Z")
            assert post("A").status_code == 429
            clock.move_to("2026-11-20T10:01:00Z")
            assert post("A").status_code == 200

    def test_control_without_counting_it_would_not_end(
        self, post: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(CheckQuota, "count_one", lambda self, **kwargs: None)
        assert [post("A").status_code for _ in range(LIMIT + 2)] == [200] * (LIMIT + 2)

    def test_what_is_refused_is_not_counted(self, post: Callable[..., Any]) -> None:
        assert [post("Z").status_code for _ in range(LIMIT + 1)] == [422] * (LIMIT + 1)
        assert post("A").status_code == 200

    def test_it_is_one_window_for_all_problems_and_one_for_each_user(
        self, enrollment: Enrollment, post: Callable[..., Any]
    ) -> None:
        other = ChoiceProblemFactory(problem__course=enrollment.course).problem
        assert [check(enrollment.user, other, "A") for _ in range(LIMIT)] == ["checked"] * LIMIT
        assert post("A").status_code == 429
        assert check(EnrollmentFactory(course=enrollment.course).user, other, "A") == "checked"


def test_the_usual_quota_is_30_in_a_minute() -> None:
    assert (django_settings.COURSES_CHECKS_PER_WINDOW, django_settings.COURSES_CHECK_WINDOW_S) == (30, 60)
