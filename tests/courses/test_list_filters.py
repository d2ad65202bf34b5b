"""Lists of courses, chapters and problems: narrowed, searched and ordered by what the caller sees."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import User
from courses.api import filters
from courses.models import Course, Enrollment, Problem
from tests.courses.conftest import World
from tests.courses.factories import (
    ChapterFactory,
    ChapterProblemFactory,
    ChoiceProblemFactory,
    CourseFactory,
    EnrollmentFactory,
    PracticeAnswerFactory,
    ProblemFactory,
    nth_position,
)
from tests.courses.progressing import count
from tests.courses.refusals import ApiAs, faults

pytestmark = pytest.mark.django_db


@pytest.fixture
def listed(world: World, api_as: ApiAs) -> Any:
    """The ids in a list below `/api/v1/` for a user and a query."""

    def ids(user: User, address: str, **query: Any) -> list[int]:
        response = api_as(user).get(f"/api/v1/{address}", query)
        assert response.status_code == 200, response.json()
        return [row["id"] for row in response.json()["results"]]

    return ids


class TestCourses:
    def test_by_ones_own_role(self, world: World, listed: Any) -> None:
        taught = CourseFactory(organization=world.organization)
        EnrollmentFactory(course=taught, user=world.student, role="instructor")
        EnrollmentFactory(user=world.student, role="instructor", left_at=timezone.now())
        EnrollmentFactory(course=taught)
        assert listed(world.student, "courses/", role="student") == [world.course.pk]
        assert listed(world.student, "courses/", role="instructor") == [taught.pk]
        assert listed(world.student, "courses/", role="assistant") == []

    def test_of_an_organization_by_title_and_status(self, world: World, listed: Any) -> None:
        draft = CourseFactory(organization=world.organization, title="Zoology", status="draft")
        assert listed(world.owner, "courses/", organization=world.organization.pk, status="draft") == [draft.pk]
        assert listed(world.owner, "courses/", search="ZOO") == [draft.pk]
        assert listed(world.owner, "courses/", organization=world.foreign_course.organization_id) == []

    @pytest.mark.parametrize("name", ["title", "created_at", "updated_at", "published_from"])
    def test_ordered_both_ways_and_equal_ones_by_id(self, world: World, listed: Any, name: str) -> None:
        moment = timezone.now() - timedelta(days=9)
        pks = [CourseFactory(organization=world.organization, status="draft").pk for _ in range(4)]
        values = ("b", "a", "a", "c") if name == "title" else [moment + timedelta(days=day) for day in (2, 1, 1, 3)]
        for pk, value in zip(pks, values, strict=True):
            Course.objects.filter(pk=pk).update(**{name: value})
        assert listed(world.owner, "courses/", status="draft", ordering=name) == [pks[1], pks[2], pks[0], pks[3]]
        assert listed(world.owner, "courses/", status="draft", ordering=f"-{name}") == [pks[3], pks[0], pks[1], pks[2]]

    def test_those_without_a_date_come_last_either_way(self, world: World, listed: Any) -> None:
        dated = CourseFactory(organization=world.organization, published_from=timezone.now())
        assert listed(world.owner, "courses/", ordering="published_from") == [dated.pk, world.course.pk]
        assert listed(world.owner, "courses/", ordering="-published_from") == [dated.pk, world.course.pk]


class TestChapters:
    def test_by_title_status_and_position(self, world: World, listed: Any) -> None:
        draft = ChapterFactory(course=world.course, title="Graphs", status="draft", position="a")
        address = f"courses/{world.course.pk}/chapters/"
        assert listed(world.owner, address, search="graph") == [draft.pk]
        assert listed(world.owner, address, status="published") == [world.chapter.pk]
        assert listed(world.owner, address, ordering="-position") == [world.chapter.pk, draft.pk]
        assert listed(world.owner, address, ordering="title") == [world.chapter.pk, draft.pk]
        assert listed(world.student, address, search="graph") == []
        assert listed(world.student, address, status="draft") == []

    def test_a_description_is_not_searched(self, world: World, listed: Any) -> None:
        ChapterFactory(course=world.course, description="a secret", unlock_at=timezone.now() + timedelta(days=1))
        assert listed(world.student, f"courses/{world.course.pk}/chapters/", search="secret") == []


class TestProblems:
    @pytest.fixture
    def problems(self, world: World, listed: Any) -> Any:
        def ids(user: User, **query: Any) -> list[int]:
            found: list[int] = listed(user, f"courses/{world.course.pk}/problems/", **query)
            return found

        return ids

    def test_by_title_or_slug_and_never_by_what_may_be_locked(self, world: World, problems: Any) -> None:
        Problem.objects.filter(pk=world.problem.pk).update(
            title="Two Sums", slug="adding", statement="secret", author_notes="secret"
        )
        assert problems(world.student, search="two su") == problems(world.student, search="ADD") == [world.problem.pk]
        assert problems(world.student, search="secret") == problems(world.owner, search="secret") == []

    def test_by_type_difficulty_status_and_audience(self, world: World, problems: Any) -> None:
        choice = ChoiceProblemFactory(problem__course=world.course, problem__difficulty=3).problem
        exam = ProblemFactory(course=world.course, audience="exam_only")
        assert problems(world.owner, type="choice") == problems(world.owner, difficulty=3) == [choice.pk]
        assert problems(world.owner, status="draft") == [world.draft.pk]
        assert problems(world.owner, audience="exam_only") == [exam.pk]
        assert problems(world.student, status="draft") == problems(world.student, audience="exam_only") == []

    def test_of_a_chapter_or_of_none(self, world: World, problems: Any) -> None:
        hidden = ChapterFactory(course=world.course, status="draft")
        other = ProblemFactory(course=world.course)
        ChapterProblemFactory(chapter=hidden, problem=other)
        assert problems(world.student, chapter=world.chapter.pk) == [world.problem.pk]
        assert problems(world.owner, chapter=hidden.pk) == [other.pk]
        assert problems(world.owner, is_placed="false") == [world.draft.pk]
        # A chapter that students do not see answers like none.
        assert problems(world.student, chapter=hidden.pk) == problems(world.student, chapter=10**9) == []
        assert problems(world.student, is_placed="true") == [world.problem.pk]
        assert problems(world.student, is_placed="false") == [other.pk]

    def test_by_ones_own_progress(self, world: World, problems: Any) -> None:
        other, third = (ProblemFactory(course=world.course) for _ in range(2))
        enrollment = Enrollment.objects.get(course=world.course, user=world.student)
        count(enrollment, world.problem, 1)
        count(enrollment, other, 2, is_accepted=False)
        count(EnrollmentFactory(course=world.course), third, 3)
        assert problems(world.student, progress="solved") == [world.problem.pk]
        assert problems(world.student, progress="in_progress") == [other.pk]
        assert problems(world.student, progress="not_started") == [third.pk]
        assert problems(world.owner, progress="solved") == []

    def test_in_the_order_of_the_course(self, world: World, problems: Any) -> None:
        unplaced = ProblemFactory(course=world.course)
        early = ChapterFactory(course=world.course, position="b")
        draft = ChapterFactory(course=world.course, status="draft", position="a")
        second, first = (ProblemFactory(course=world.course) for _ in range(2))
        ChapterProblemFactory(chapter=early, problem=second, position=nth_position(2))
        ChapterProblemFactory(chapter=early, problem=first, position=nth_position(1))
        ChapterProblemFactory(chapter=world.chapter, problem=first, position=nth_position(10**6))
        ChapterProblemFactory(chapter=draft, problem=second)
        told = [first.pk, second.pk, world.problem.pk, unplaced.pk]
        assert problems(world.student, ordering="position") == told
        # Staff see the draft chapter, which comes first, and the draft problem.
        assert problems(world.owner, ordering="position")[:2] == [second.pk, first.pk]
        assert problems(world.student, ordering="position", chapter=world.chapter.pk) == [world.problem.pk, first.pk]

    def test_ordered_by_difficulty_then_by_id(self, world: World, problems: Any) -> None:
        pks = [ProblemFactory(course=world.course, difficulty=level).pk for level in (2, 3, 2)]
        assert problems(world.student, ordering="-difficulty") == [pks[1], pks[0], pks[2], world.problem.pk]
        assert problems(world.student, ordering="difficulty,-id") == [world.problem.pk, pks[2], pks[0], pks[1]]


class TestAnswers:
    def test_by_correctness_and_nothing_that_is_neither(self, world: World, listed: Any, api_as: ApiAs) -> None:
        problem = ChoiceProblemFactory(problem__course=world.course).problem
        right = PracticeAnswerFactory(problem=problem, is_correct=True, score=100).pk
        wrong = PracticeAnswerFactory(problem=problem).pk
        address = f"problems/{problem.pk}/answers/"
        assert listed(world.owner, address, is_correct="true") == [right]
        assert listed(world.owner, address, is_correct="false") == [wrong]
        refused = api_as(world.owner).get(f"/api/v1/{address}?is_correct=maybe")
        assert faults(refused) == [("#/is_correct", "invalid_choice")]


LISTS = {
    "courses/": ("role=boss", "ordering=password", "organization=x", "status=open", "q=1"),
    "courses/{course}/chapters/": ("status=archived", "ordering=course", "page_size=1&page_size=2", "title=x"),
    "courses/{course}/problems/": (
        *("type=essay", "difficulty=9", "audience=all", "chapter=x", "is_placed=2", "progress=done"),
        *("ordering=statement", "ordering=author_notes", "statement=x", "search=a&search=b"),
    ),
}


@pytest.mark.parametrize(
    ("address", "query"), [(address, query) for address, queries in LISTS.items() for query in queries]
)
def test_what_there_is_not_is_refused(world: World, api_as: ApiAs, address: str, query: str) -> None:
    response = api_as(world.student).get(f"/api/v1/{address.format(course=world.course.pk)}?{query}")
    assert [pointer for pointer, _ in faults(response)] == [f"#/{query.partition('=')[0]}"]


def test_control_an_order_that_is_not_total_is_noticed(
    world: World, listed: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Newer rows first, where the order asked for leaves it open."""
    real = filters.TotalOrderingFilter.filter

    def partial(self: Any, qs: Any, value: Any) -> Any:
        ordered = real(self, qs, value)
        return ordered.order_by(*ordered.query.order_by[:-1], "-pk") if value else ordered

    monkeypatch.setattr(filters.TotalOrderingFilter, "filter", partial)
    with pytest.raises(AssertionError):
        TestCourses().test_ordered_both_ways_and_equal_ones_by_id(world, listed, "title")
