"""A page of a course costs the same number of queries with 5 chapters and with 500, over HTTP with a token."""

from itertools import pairwise
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import User
from accounts.services import token_obtain
from courses.api import seen
from courses.models import Chapter, ChapterProblem, Course, Enrollment, Problem, ProblemProgress, UnlockRequirement
from courses.selectors import state
from tests.accounts.factories import UserFactory
from tests.courses.factories import CourseFactory, EnrollmentFactory, nth_position

PASSWORD = "correct horse battery staple"
QUERIES_MAX = 8
PROBLEMS_PER_CHAPTER = 10
PAGES = {
    "outline": "courses/{}/outline/",
    "next problem": "courses/{}/next-problem/",
    "chapters": "courses/{}/chapters/?page_size=200",
    "problems": "courses/{}/problems/?page_size=200",
    "progress": "courses/{}/progress/?page_size=200",
}
STAFF_PAGES = {"gradebook": "courses/{}/gradebook/?page_size=50"}


def large_course(chapters: int) -> Course:
    """Each chapter requires the one before, each problem the one before; all have a date, and half are begun."""
    course: Course = CourseFactory()
    rows = Chapter.objects.bulk_create(
        Chapter(course=course, title=f"Chapter {n}", position=nth_position(n), due_at=timezone.now())
        for n in range(chapters)
    )
    problems = Problem.objects.bulk_create(
        Problem(course=course, type="choice", title=f"Problem {n}", slug=f"problem-{n}", status="published")
        for n in range(chapters * PROBLEMS_PER_CHAPTER)
    )
    ChapterProblem.objects.bulk_create(
        ChapterProblem(chapter=rows[n // PROBLEMS_PER_CHAPTER], problem=problem, position=nth_position(n))
        for n, problem in enumerate(problems)
    )
    UnlockRequirement.objects.bulk_create(
        [
            *(UnlockRequirement(course=course, chapter=b, required_chapter=a) for a, b in pairwise(rows)),
            *(UnlockRequirement(course=course, problem=b, required_problem=a) for a, b in pairwise(problems)),
        ]
    )
    return course


def enrolled(course: Course, role: str) -> User:
    enrollment = EnrollmentFactory(course=course, user=UserFactory(), role=role)
    enrollment.user.set_password(PASSWORD)
    enrollment.user.save()
    ProblemProgress.objects.bulk_create(
        ProblemProgress(enrollment=enrollment, problem=problem, status="in_progress", attempts=1)
        for problem in course.problems.all()[: course.problems.count() // 2]
    )
    user: User = enrollment.user
    return user


@pytest.fixture(autouse=True)
def quick_passwords(settings: Any) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


def queries(course: Course, user: User, page: str) -> int:
    token = token_obtain(name=user.username, password=PASSWORD).access
    with CaptureQueriesContext(connection) as captured:
        response = Client(headers={"Authorization": f"Bearer {token}"}).get(f"/api/v1/{page.format(course.pk)}")
    assert response.status_code == 200, response.content
    return len(captured)


@pytest.mark.django_db
class TestPages:
    def test_cost_the_same_whatever_the_size(self) -> None:
        courses = [large_course(chapters) for chapters in (5, 500)]
        for role in (Enrollment.Role.STUDENT, Enrollment.Role.ASSISTANT):
            users = [enrolled(course, role) for course in courses]
            for name, page in (PAGES if role == Enrollment.Role.STUDENT else PAGES | STAFF_PAGES).items():
                few, many = (queries(course, user, page) for course, user in zip(courses, users, strict=True))
                assert few == many <= QUERIES_MAX, (name, role)

    @pytest.mark.django_db(transaction=True)
    def test_an_outline_that_is_cached_costs_even_less(self) -> None:
        course = large_course(2)
        user = enrolled(course, Enrollment.Role.STUDENT)
        first, second = (queries(course, user, PAGES["outline"]) for _ in range(2))
        assert second < first <= QUERIES_MAX

    def test_control_a_query_for_each_problem_is_noticed(self, monkeypatch: pytest.MonkeyPatch) -> None:
        whole = seen.problem_states

        def one_by_one(*, problem_ids: list[int], **arguments: Any) -> state.ProblemStates:
            parts = [whole(problem_ids=[each], **arguments) for each in problem_ids]
            return state.ProblemStates(
                by_id={key: each for part in parts for key, each in part.by_id.items()},
                titles={key: each for part in parts for key, each in part.titles.items()},
            )

        monkeypatch.setattr(seen, "problem_states", one_by_one)
        course = large_course(5)
        assert queries(course, enrolled(course, Enrollment.Role.STUDENT), PAGES["problems"]) > QUERIES_MAX
