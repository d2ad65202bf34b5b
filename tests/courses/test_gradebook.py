"""The gradebook page: who and what is in it, in which order, and what it costs."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from courses.api.shown.gradebook import GradebookSerializer
from courses.api.views import gradebook as views
from courses.models import (
    Chapter,
    ChapterProblem,
    Course,
    Enrollment,
    Problem,
    ProblemProgress,
)
from courses.selectors import gradebook as selectors
from tests.courses.conftest import World
from tests.courses.factories import (
    ChapterFactory,
    ChapterProblemFactory,
    CourseFactory,
    CourseGroupFactory,
    EnrollmentFactory,
    ProblemFactory,
    nth_position,
)
from tests.courses.progressing import NOON, count
from tests.courses.refusals import ApiAs, faults

pytestmark = pytest.mark.django_db

QUERIES_MAX = 8


@pytest.fixture
def gradebook(world: World, api_as: ApiAs) -> Any:
    """The page for a query, as the assistant gets it."""

    def page(**query: Any) -> Any:
        response = api_as(world.assistant).get(f"/api/v1/courses/{world.course.pk}/gradebook/", query)
        assert response.status_code == 200, response.json()
        return response.json()

    return page


def enrolled(world: World, username: str, display_name: str = "", **changes: Any) -> Enrollment:
    enrollment: Enrollment = EnrollmentFactory(
        course=world.course, user__username=username, user__display_name=display_name, **changes
    )
    return enrollment


def ids(page: Any) -> list[int]:
    return [problem["id"] for problem in page["problems"]]


def usernames(page: Any) -> list[str]:
    return [row["user"]["username"] for row in page["results"]]


def row_of(page: Any, enrollment: Enrollment) -> Any:
    return next(row for row in page["results"] if row["enrollment"] == enrollment.pk)


def own(world: World) -> Enrollment:
    return Enrollment.objects.get(course=world.course, user=world.student)


class TestCells:
    def test_each_tells_how_far_a_student_is(self, world: World, gradebook: Any) -> None:
        other = ProblemFactory(course=world.course)
        Course.objects.filter(pk=world.course.pk).update(late_policy="per_day", late_percent_per_day=10)
        Problem.objects.filter(pk=world.problem.pk).update(due_at=NOON)
        count(own(world), world.problem, 1, score=Decimal("50"), is_accepted=False)
        count(own(world), world.problem, 2, score=Decimal("100"))
        page = gradebook()
        assert ids(page) == [world.problem.pk, other.pk]
        assert row_of(page, own(world)) == {
            "enrollment": own(world).pk,
            "user": {"id": world.student.pk, "username": world.student.username, "display_name": ""},
            "group": None,
            "left_at": None,
            "total": "45.00",
            "cells": [
                {
                    "status": "solved",
                    "attempts": 2,
                    "best_score": "100.00",
                    "credited_score": "90.00",
                    "solved_at": "2026-11-20T12:00:00Z",
                },
                None,
            ],
        }

    def test_what_nothing_counts_for_any_more_has_not_been_begun(self, world: World, gradebook: Any) -> None:
        ProblemProgress.objects.create(enrollment=own(world), problem=world.problem)
        assert row_of(gradebook(), own(world))["cells"] == [None]

    def test_the_total_is_the_mean_with_halves_rounded_up(self, world: World, gradebook: Any) -> None:
        for _ in range(2):
            ProblemFactory(course=world.course)
        ProblemFactory(course=world.course)
        count(own(world), world.problem, 1, score=Decimal("33.30"))
        # 8.325
        assert row_of(gradebook(), own(world))["total"] == "8.33"

    def test_without_problems_there_is_no_total(self, world: World, gradebook: Any) -> None:
        Problem.objects.filter(course=world.course).update(status="draft")
        assert row_of(gradebook(), own(world))["total"] is None

    def test_no_cell_of_another_course_comes_in(self, world: World, gradebook: Any) -> None:
        elsewhere = EnrollmentFactory(user=world.student)
        count(elsewhere, ProblemFactory(course=elsewhere.course), 1)
        assert row_of(gradebook(ordering="-total"), own(world))["cells"] == [None]

    def test_the_schema_describes_the_answer(self, world: World, gradebook: Any) -> None:
        count(own(world), world.problem, 1)
        page = gradebook()

        def same(serializer: Any, value: Any) -> None:
            assert {*serializer.fields} == {*value}
            for name, field in serializer.fields.items():
                child = getattr(field, "child", field)
                if hasattr(child, "fields"):
                    same(child, value[name][0] if isinstance(value[name], list) else value[name])

        same(GradebookSerializer(), page)


class TestColumns:
    def test_problems_come_in_the_order_of_the_course_each_once(self, world: World, gradebook: Any) -> None:
        unplaced = ProblemFactory(course=world.course)
        second, first = (
            ChapterFactory(course=world.course, position=nth_position(number)) for number in (10**6 + 1, 10**6)
        )
        late, early = ProblemFactory(course=world.course), ProblemFactory(course=world.course)
        ChapterProblemFactory(chapter=second, problem=early)
        ChapterProblemFactory(chapter=first, problem=late, position=nth_position(2))
        ChapterProblemFactory(chapter=first, problem=early, position=nth_position(1))
        page = gradebook()
        assert ids(page) == [world.problem.pk, early.pk, late.pk, unplaced.pk]
        assert [each["chapter"] for each in page["problems"]] == [world.chapter.pk, first.pk, first.pk, None]

    def test_what_students_were_not_given_is_left_out(self, world: World, gradebook: Any) -> None:
        now = timezone.now()
        hidden: list[Problem] = [
            world.draft,
            ProblemFactory(course=world.course, status="archived"),
            ProblemFactory(course=world.course, audience="exam_only"),
            ProblemFactory(course=world.course, published_from=now + timedelta(days=1)),
        ]
        in_draft = ChapterProblemFactory(chapter=ChapterFactory(course=world.course, status="draft")).problem
        assert ids(gradebook()) == [world.problem.pk]
        assert {*ids(gradebook(problems="all"))} == {
            *(each.pk for each in (*hidden, world.problem, in_draft)),
        }
        assert ids(gradebook(problems="given")) == [world.problem.pk]

    def test_a_draft_chapter_gives_no_place_to_what_stands_in_another(self, world: World, gradebook: Any) -> None:
        draft = ChapterFactory(course=world.course, status="draft", position="a")
        ChapterProblemFactory(chapter=draft, problem=world.problem)
        assert [each["chapter"] for each in gradebook()["problems"]] == [world.chapter.pk]
        assert next(each["chapter"] for each in gradebook(problems="all")["problems"]) == draft.pk

    def test_marks_stay_when_the_window_is_over(self, world: World, gradebook: Any) -> None:
        count(own(world), world.problem, 1)
        Problem.objects.filter(pk=world.problem.pk).update(published_until=timezone.now() - timedelta(days=1))
        assert row_of(gradebook(), own(world))["total"] == "100.00"

    def test_one_chapter_alone(self, world: World, gradebook: Any) -> None:
        other = ChapterProblemFactory(chapter__course=world.course).problem
        count(own(world), world.problem, 1)
        count(own(world), other, 2, score=Decimal(50), is_accepted=False)
        assert row_of(gradebook(), own(world))["total"] == "75.00"
        page = gradebook(chapter=world.chapter.pk)
        assert (ids(page), row_of(page, own(world))["total"]) == ([world.problem.pk], "100.00")
        assert len(row_of(page, own(world))["cells"]) == 1

    @pytest.mark.parametrize("chapter", ["foreign", "2147483648", "9223372036854775808", "-1"])
    def test_a_chapter_that_is_not_of_this_course_has_no_problems(
        self, world: World, gradebook: Any, chapter: str
    ) -> None:
        if chapter == "foreign":
            chapter = str(ChapterProblemFactory(chapter__course=world.foreign_course).chapter.pk)
        assert gradebook(chapter=chapter, problems="all", ordering="total")["problems"] == []


class TestRows:
    def test_the_students_who_are_in_the_course_by_name(self, world: World, gradebook: Any) -> None:
        Enrollment.objects.filter(user=world.student).delete()
        enrolled(world, "zoe", "Ada")
        enrolled(world, "bob")
        enrolled(world, "x", "carla")
        enrolled(world, "gone", "Aaron", left_at=timezone.now())
        page = gradebook()
        assert (usernames(page), page["count"]) == (["zoe", "bob", "x"], 3)
        assert usernames(gradebook(include_left="true")) == ["gone", "zoe", "bob", "x"]
        assert gradebook(include_left="true")["results"][0]["left_at"] is not None
        assert usernames(gradebook(ordering="-name")) == ["x", "bob", "zoe"]

    def test_of_a_group_and_by_part_of_a_name(self, world: World, gradebook: Any) -> None:
        group = CourseGroupFactory(course=world.course)
        enrolled(world, "grace", "Grace Hopper", group=group)
        enrolled(world, "hedy", "Hedy Lamarr", group=group)
        assert usernames(gradebook(group=group.pk)) == ["grace", "hedy"]
        assert gradebook(group=group.pk)["results"][0]["group"] == group.pk
        assert usernames(gradebook(search="HOPP")) == ["grace"]
        assert usernames(gradebook(search="edy", group=group.pk)) == ["hedy"]
        # Addresses are not shown, and so not to be guessed.
        assert usernames(gradebook(search="@example")) == []

    def test_by_total_and_of_one_total_by_id(self, world: World, gradebook: Any) -> None:
        Enrollment.objects.filter(user=world.student).delete()
        half, full, none, like = (enrolled(world, name) for name in ("half", "full", "none", "like"))
        parts = [ProblemFactory(course=world.course) for _ in range(3)]
        for number, part in enumerate(parts):
            # As floats, three times 0.1 are more than 0.3.
            count(half, part, number, score=Decimal("0.10"), is_accepted=False)
        count(like, world.problem, 10, score=Decimal("0.30"), is_accepted=False)
        count(full, world.problem, 11)
        count(none, world.draft, 12)
        assert usernames(gradebook(ordering="total")) == ["none", "half", "like", "full"]
        assert usernames(gradebook(ordering="-total")) == ["full", "half", "like", "none"]
        assert usernames(gradebook(ordering="-total", problems="all")) == ["full", "none", "half", "like"]

    def test_pages_of_fifty_at_most(self, world: World, gradebook: Any) -> None:
        EnrollmentFactory.create_batch(52, course=world.course)
        first, second = gradebook(page_size="200"), gradebook(page="2")
        assert (len(first["results"]), len(second["results"]), first["count"]) == (50, 3, 53)
        assert first["next"]
        assert second["next"] is None
        assert not {*usernames(first)} & {*usernames(second)}

    @pytest.mark.parametrize(
        "query",
        ["ordering=points", "problems=drafts", "include_left=maybe", "group=x", "chapter=x", "expand=1"],
    )
    def test_what_there_is_not_is_refused(self, world: World, api_as: ApiAs, query: str) -> None:
        response = api_as(world.assistant).get(f"/api/v1/courses/{world.course.pk}/gradebook/?{query}")
        assert [pointer for pointer, _ in faults(response)] == [f"#/{query.partition('=')[0]}"]


def fill(course: Course, *, chapters: int, students: int) -> None:
    """Chapters of ten problems each; every student has begun one problem of each chapter."""
    made = Chapter.objects.bulk_create(
        Chapter(course=course, title=f"C{number}", position=nth_position(10**6 + number)) for number in range(chapters)
    )
    problems = Problem.objects.bulk_create(
        Problem(course=course, type="algorithm", title=f"P{number}", slug=f"p{number}", status="published")
        for number in range(10 * chapters)
    )
    ChapterProblem.objects.bulk_create(
        ChapterProblem(chapter=made[number // 10], problem=problem, position=nth_position(number % 10))
        for number, problem in enumerate(problems)
    )
    enrollments = EnrollmentFactory.create_batch(students, course=course)
    ProblemProgress.objects.bulk_create(
        ProblemProgress(
            enrollment=enrollment,
            problem=problem,
            status="solved",
            attempts=1,
            best_score=100,
            credited_score=100,
            solved_at=NOON,
        )
        for enrollment in enrollments
        for problem in problems[::10]
    )


class TestCost:
    def costs(self, world: World, api_as: ApiAs, *, chapters: int, students: int, query: str = "") -> int:
        course = CourseFactory(organization=world.organization)
        fill(course, chapters=chapters, students=students)
        with CaptureQueriesContext(connection) as queries:
            response = api_as(world.owner).get(f"/api/v1/courses/{course.pk}/gradebook/{query}")
        assert len(response.json()["problems"]) == 10 * chapters
        assert len(response.json()["results"]) == min(students, 50)
        assert {row["total"] for row in response.json()["results"]} == {"10.00"}
        return len(queries)

    @pytest.mark.parametrize("query", ["", "?ordering=-total&problems=all"])
    def test_queries_do_not_grow(self, world: World, api_as: ApiAs, query: str) -> None:
        few = self.costs(world, api_as, chapters=5, students=5, query=query)
        many = self.costs(world, api_as, chapters=500, students=60, query=query)
        assert few == many <= QUERIES_MAX

    def test_control_a_query_for_each_student_is_noticed(
        self, world: World, api_as: ApiAs, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        real = selectors.gradebook_rows
        monkeypatch.setattr(
            views, "gradebook_rows", lambda students, *rest: [real([each], *rest)[0] for each in students]
        )
        assert self.costs(world, api_as, chapters=2, students=20) > QUERIES_MAX
