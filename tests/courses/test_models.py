"""What the database itself refuses, each constraint by a row that breaks it; and the one definition of staff."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.db import IntegrityError, connection, transaction
from django.db.models import ProtectedError

from accounts.models import User
from courses.models import Chapter, ChapterProblem, Course, Enrollment, Problem, TestSet
from tests.accounts.factories import OrganizationFactory, UserFactory
from tests.courses.conftest import World
from tests.courses.factories import (
    AlgorithmProblemFactory,
    ChapterFactory,
    ChapterProblemFactory,
    CourseFactory,
    EnrollmentFactory,
    ProblemFactory,
    TestCaseFactory,
    TestSetFactory,
)


def twice(make: Callable[[], Any]) -> None:
    make()
    make()


def same_slug_in_one_organization() -> None:
    organization = OrganizationFactory()
    twice(lambda: CourseFactory(organization=organization, slug="same"))


def same_slug_in_one_course() -> None:
    course = CourseFactory()
    twice(lambda: ProblemFactory(course=course, slug="same"))


def enrolled_twice() -> None:
    course, user = CourseFactory(), UserFactory()
    EnrollmentFactory(course=course, user=user)
    EnrollmentFactory(course=course, user=user, role="instructor")


def placed_twice() -> None:
    placement = ChapterProblemFactory()
    ChapterProblemFactory(chapter=placement.chapter, problem=placement.problem)


def same_version() -> None:
    problem = ProblemFactory()
    twice(lambda: TestSetFactory(problem=problem, version=3))


def half_a_checker() -> None:
    TestSetFactory(checker_language="python")


def same_order() -> None:
    test_set = TestSetFactory()
    twice(lambda: TestCaseFactory(test_set=test_set, order=1))


@pytest.mark.django_db
class TestConstraints:
    @pytest.mark.parametrize(
        ("violate", "name", "columns"),
        [
            pytest.param(same_slug_in_one_organization, "course_slug_unique", "slug", id="course slug"),
            pytest.param(lambda: CourseFactory(status="gone"), "course_status_known", "", id="course status"),
            pytest.param(enrolled_twice, "enrollment_unique", "user_id", id="enrolled twice"),
            pytest.param(lambda: EnrollmentFactory(role="owner"), "enrollment_role_known", "", id="role"),
            pytest.param(same_slug_in_one_course, "problem_slug_unique", "slug", id="problem slug"),
            pytest.param(
                lambda: ProblemFactory(difficulty=0), "problem_difficulty_1_to_3", "", id="difficulty too low"
            ),
            pytest.param(
                lambda: ProblemFactory(difficulty=4), "problem_difficulty_1_to_3", "", id="difficulty too high"
            ),
            pytest.param(lambda: ProblemFactory(type="essay"), "problem_type_known", "", id="type"),
            pytest.param(lambda: ProblemFactory(audience="all"), "problem_audience_known", "", id="audience"),
            pytest.param(lambda: ProblemFactory(status="gone"), "problem_status_known", "", id="problem status"),
            pytest.param(placed_twice, "chapterproblem_unique", "problem_id", id="placed twice"),
            pytest.param(
                lambda: AlgorithmProblemFactory(time_limit_ms=49), "algorithm_time_limit_sane", "", id="time too short"
            ),
            pytest.param(
                lambda: AlgorithmProblemFactory(time_limit_ms=60_001),
                "algorithm_time_limit_sane",
                "",
                id="time too long",
            ),
            pytest.param(
                lambda: AlgorithmProblemFactory(memory_limit_mb=15), "algorithm_memory_limit_sane", "", id="memory"
            ),
            pytest.param(same_version, "testset_version_unique", "version", id="version"),
            pytest.param(half_a_checker, "testset_checker_whole", "", id="half a checker"),
            pytest.param(same_order, "testcase_order_unique", "order", id="order"),
            pytest.param(
                lambda: TestCaseFactory(weight=Decimal("-0.001")), "testcase_weight_not_negative", "", id="weight"
            ),
        ],
    )
    def test_the_database_refuses(self, violate: Callable[[], Any], name: str, columns: str) -> None:
        with pytest.raises(IntegrityError) as caught, transaction.atomic():
            violate()
        # SQLite names a unique constraint by its columns.
        is_sqlite = connection.vendor == "sqlite"
        assert (f".{columns}" if columns and is_sqlite else name) in str(caught.value)

    def test_two_organizations_may_use_one_slug(self) -> None:
        twice(lambda: CourseFactory(slug="same"))
        assert Course.objects.filter(slug="same").count() == 2

    def test_marks_are_not_deleted_with_a_course_or_a_user(self, world: World) -> None:
        with pytest.raises(ProtectedError):
            world.course.delete()
        with pytest.raises(ProtectedError):
            world.student.delete()


class TestStaff:
    def test_exactly_these_are_staff(self, world: World) -> None:
        staffed = Course.objects.filter(pk=world.course.pk).staffed_by
        assert [staffed(user).exists() for user in world.staff] == [True] * len(world.staff)
        assert [staffed(user).exists() for user in (*world.strangers, world.student)] == [False] * 3
        assert not staffed(AnonymousUser()).exists()

    def test_a_role_elsewhere_is_none_here(self, world: World) -> None:
        EnrollmentFactory(course=world.foreign_course, user=world.student, role="instructor")
        assert list(Course.objects.staffed_by(world.student)) == [world.foreign_course]

    def test_a_role_taken_away_ends_at_once(self, world: World) -> None:
        Enrollment.objects.filter(user=world.instructor).update(role="student")
        assert not Course.objects.staffed_by(world.instructor).exists()


class TestVisibility:
    def seen(self, user: User | AnonymousUser, model: Any) -> list[Any]:
        return list(model.objects.visible_to(user))

    def test_a_student_sees_what_is_published_for_the_course(self, world: World) -> None:
        exam_only = ProblemFactory(course=world.course, audience="exam_only")
        archived = ProblemFactory(course=world.course, status="archived")
        assert self.seen(world.student, Course) == [world.course]
        assert self.seen(world.student, Chapter) == [world.chapter]
        assert self.seen(world.student, Problem) == [world.problem]
        assert self.seen(world.student, TestSet) == []
        assert {*self.seen(world.assistant, Problem)} == {world.problem, world.draft, exam_only, archived}

    @pytest.mark.parametrize("status", ["draft", "archived"])
    def test_unpublished_courses_are_for_their_staff(self, world: World, status: str) -> None:
        Course.objects.filter(pk=world.course.pk).update(status=status)
        for model in (Course, Chapter, Problem):
            assert self.seen(world.student, model) == []
            assert self.seen(world.instructor, model) != []

    def test_enrollments_are_seen_by_their_owner_and_staff(self, world: World) -> None:
        own = Enrollment.objects.get(user=world.student)
        assert self.seen(world.student, Enrollment) == [own]
        assert own in self.seen(world.assistant, Enrollment)
        assert own not in self.seen(world.foreign_owner, Enrollment)

    def test_strangers_see_nothing(self, world: World) -> None:
        for model in (Course, Chapter, Problem, TestSet, Enrollment):
            assert self.seen(world.member, model) == []
            assert self.seen(AnonymousUser(), model) == []
            mine = model.objects.filter(pk__in=model.objects.visible_to(world.owner))
            assert not mine.filter(pk__in=model.objects.visible_to(world.foreign_owner)).exists()

    def test_names(self, world: World) -> None:
        assert isinstance(world.placement, ChapterProblem)
        enrollment = Enrollment.objects.get(user=world.student)
        test_set = TestSet.objects.filter(problem=world.problem).get()
        rows = (world.course, world.chapter, world.problem, world.placement, enrollment, test_set)
        assert all(str(row) for row in (*rows, world.problem.algorithm, test_set.test_cases.first()))


class TestDefinitionsAreUsed:
    def test_visibility_follows_the_one_definition_of_staff(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Control: with everybody staff of everything, strangers see everything, in every model."""
        queryset_class = type(Course.objects.all())
        monkeypatch.setattr(queryset_class, "staffed_by", lambda self, user: self)
        for model in (Course, Chapter, Problem, TestSet, Enrollment):
            assert model.objects.visible_to(world.member).count() == model.objects.count() > 0


def test_chapters_come_in_order(world: World) -> None:
    last, first = (ChapterFactory(course=world.course, position=position) for position in ("a9", "Zz"))
    Chapter.objects.filter(pk=world.chapter.pk).update(position="a1V")
    assert list(world.course.chapters.all()) == [first, world.chapter, last]
