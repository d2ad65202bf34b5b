"""Late policies and extensions: what progress counts follows them at once."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from accounts.models import User
from courses import services
from courses.models import Course, DueExtension, Enrollment, Problem, ProblemProgress
from tests.courses.factories import (
    ChapterFactory,
    ChapterProblemFactory,
    CourseFactory,
    DueExtensionFactory,
    EnrollmentFactory,
    ProblemFactory,
)
from tests.courses.refusals import ApiAs, faults, refusal
from tests.courses.solving import answered

V1 = "/api/v1"
DUE = datetime(2026, 3, 2, 12, tzinfo=UTC)
LATE = DUE + timedelta(hours=30)


@pytest.fixture
def course(db: None) -> Course:
    return CourseFactory(late_policy="per_day", late_percent_per_day=Decimal(20))


@pytest.fixture
def enrollment(course: Course) -> Enrollment:
    return EnrollmentFactory(course=course)


@pytest.fixture
def instructor(course: Course) -> User:
    user: User = EnrollmentFactory(course=course, role=Enrollment.Role.INSTRUCTOR).user
    return user


@pytest.fixture
def problem(course: Course) -> Problem:
    return ProblemFactory(course=course, due_at=DUE)


def credited(enrollment: Enrollment) -> Decimal:
    return ProblemProgress.objects.get(enrollment=enrollment).credited_score


def extend(api_as: ApiAs, user: User, enrollment: Enrollment, **body: Any) -> Any:
    return api_as(user).post(f"{V1}/enrollments/{enrollment.pk}/extensions/", body)


class TestLatePolicy:
    def test_changes_what_counts_at_once(
        self, api_as: ApiAs, course: Course, instructor: User, enrollment: Enrollment, problem: Problem
    ) -> None:
        answered(enrollment.user, problem, received_at=LATE)
        assert credited(enrollment) == 60
        for fields, wanted in (
            ({"late_percent_per_day": "5.5"}, 89),
            ({"late_policy": "cut_off"}, 0),
            ({"late_policy": "none"}, 100),
        ):
            response = api_as(instructor).patch(f"{V1}/courses/{course.pk}/", fields)
            assert response.status_code == 200
            assert credited(enrollment) == wanted
        assert ProblemProgress.objects.get().best_score == 100

    def test_what_is_wrong_is_named(self, api_as: ApiAs, course: Course, instructor: User) -> None:
        def patch(**fields: Any) -> list[tuple[str, str]]:
            return faults(api_as(instructor).patch(f"{V1}/courses/{course.pk}/", fields))

        assert patch(late_policy="sometimes") == [("#/late_policy", "invalid_choice")]
        assert patch(late_percent_per_day="100.01") == [("#/late_percent_per_day", "max_value")]
        assert patch(late_percent_per_day="-1") == [("#/late_percent_per_day", "min_value")]


class TestDueDates:
    def test_a_later_date_counts_for_what_was_handed_in(
        self, instructor: User, enrollment: Enrollment, problem: Problem
    ) -> None:
        answered(enrollment.user, problem, received_at=LATE)
        far = datetime(2099, 1, 1, tzinfo=UTC)
        services.problem_unlocking_update(
            actor=instructor, problem_id=problem.pk, requires=[], mode="all", unlock_at=None, due_at=far
        )
        assert credited(enrollment) == 100

    def test_placing_and_removing_do_too(self, course: Course, instructor: User, enrollment: Enrollment) -> None:
        problem = ProblemFactory(course=course)
        chapter = ChapterFactory(course=course, due_at=DUE)
        answered(enrollment.user, problem, received_at=LATE)
        services.chapterproblem_place(actor=instructor, chapter_id=chapter.pk, problem_id=problem.pk)
        assert credited(enrollment) == 60
        services.chapter_update(actor=instructor, chapter_id=chapter.pk, status="draft")
        assert credited(enrollment) == 100
        services.chapter_update(actor=instructor, chapter_id=chapter.pk, status="published")
        assert credited(enrollment) == 60
        services.chapterproblem_remove(actor=instructor, chapter_id=chapter.pk, problem_id=problem.pk)
        assert credited(enrollment) == 100
        services.chapterproblem_place(actor=instructor, chapter_id=chapter.pk, problem_id=problem.pk)
        services.chapter_delete(actor=instructor, chapter_id=chapter.pk)
        assert credited(enrollment) == 100


class TestExtensions:
    def test_give_one_student_more_time(
        self, api_as: ApiAs, course: Course, instructor: User, enrollment: Enrollment, problem: Problem
    ) -> None:
        peer = EnrollmentFactory(course=course)
        for each in (enrollment, peer):
            answered(each.user, problem, received_at=LATE)
        response = extend(
            api_as, instructor, enrollment, problem=problem.pk, due_at="2026-03-03T18:00:01Z", reason="Ill."
        )
        assert response.status_code == 201
        assert {name: response.json()[name] for name in ("enrollment", "problem", "chapter", "due_at", "reason")} == {
            "enrollment": enrollment.pk,
            "problem": problem.pk,
            "chapter": None,
            "due_at": "2026-03-03T18:00:01Z",
            "reason": "Ill.",
        }
        assert (credited(enrollment), credited(peer)) == (100, 60)
        listed = api_as(instructor).get(f"{V1}/enrollments/{enrollment.pk}/extensions/").json()["results"]
        assert listed == [response.json()]
        assert api_as(instructor).delete(f"{V1}/extensions/{response.json()['id']}/").status_code == 204
        assert credited(enrollment) == 60

    def test_of_a_chapter_hold_for_its_problems(
        self, api_as: ApiAs, course: Course, instructor: User, enrollment: Enrollment
    ) -> None:
        chapter = ChapterFactory(course=course, due_at=DUE)
        problem = ChapterProblemFactory(chapter=chapter).problem
        answered(enrollment.user, problem, received_at=LATE)
        assert credited(enrollment) == 60
        extend(api_as, instructor, enrollment, chapter=chapter.pk, due_at="2026-03-09T12:00:00Z")
        assert credited(enrollment) == 100

    def test_what_is_wrong_is_named(
        self, api_as: ApiAs, course: Course, instructor: User, enrollment: Enrollment, problem: Problem
    ) -> None:
        undated = ProblemFactory(course=course)
        foreign = ProblemFactory(due_at=DUE)
        later = "2026-03-09T12:00:00Z"

        def fault(**body: Any) -> list[tuple[str, str]]:
            return faults(extend(api_as, instructor, enrollment, **body))

        assert fault(problem=problem.pk, due_at="2026-03-02T12:00:00Z") == [("#/due_at", "not_later")]
        assert fault(problem=undated.pk, due_at=later) == [("#/due_at", "no_due_date")]
        assert fault(problem=foreign.pk, due_at=later) == [("#/problem", "unknown")]
        assert fault(chapter=2**62, due_at=later) == [("#/chapter", "unknown")]
        assert fault(due_at=later) == [("#", "one_target")]
        assert fault(problem=problem.pk, due_at="2026-03-09T12:00:00") == [("#/due_at", "no_zone")]
        assert fault(problem=problem.pk, due_at=later, reason="x" * 501) == [("#/reason", "max_length")]
        assert DueExtension.objects.count() == 0

    def test_one_for_each(self, api_as: ApiAs, instructor: User, enrollment: Enrollment, problem: Problem) -> None:
        DueExtensionFactory(enrollment=enrollment, problem=problem)
        response = extend(api_as, instructor, enrollment, problem=problem.pk, due_at="2026-03-09T12:00:00Z")
        assert refusal(response) == (409, "already_extended")
