"""Copies of problems and courses: all that authors made, nothing that students did, in few statements."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.forms.models import model_to_dict
from django.test.utils import CaptureQueriesContext
from freezegun import freeze_time

from accounts.models import AuditEvent
from core.errors import NotFound, PermissionRefused
from courses import services
from courses.errors import AttachmentsFull
from courses.models import Chapter, ChapterProblem, Course, Enrollment, Problem, TestSet, UnlockRequirement
from courses.selectors import current_test_set
from courses.services import duplicating
from courses.testgroups import GroupSpec, group_as_json
from executor.models import Submission
from tests.courses.conftest import World
from tests.courses.factories import (
    AlgorithmProblemFactory,
    AttachmentFactory,
    ChapterFactory,
    ChapterProblemFactory,
    ChoiceProblemFactory,
    CourseFactory,
    CourseGroupFactory,
    EnrollmentFactory,
    FillBlankProblemFactory,
    TestCaseFactory,
    TestSetFactory,
    UnlockRequirementFactory,
)
from tests.courses.refusals import ApiAs, faults, refusal, refused
from tests.executor.factories import SubmissionFactory

V1 = "/api/v1"
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


def like(row: Any, *, but: tuple[str, ...] = ()) -> dict[str, Any]:
    """What a row says, without its keys and what the test names."""
    return {name: value for name, value in model_to_dict(row).items() if name not in ("id", "problem", *but)}


def content_of_tests(problem: Problem) -> list[dict[str, Any]]:
    test_set = current_test_set(problem)
    assert test_set is not None
    return [like(row, but=("test_set",)) for row in test_set.test_cases.all()]


class TestProblem:
    def copy(self, world: World, problem: Problem | None = None, **changes: Any) -> Problem:
        return services.problem_duplicate(actor=world.owner, problem_id=(problem or world.problem).pk, **changes)

    @pytest.fixture
    def full(self, world: World) -> Problem:
        """A problem with two versions of tests, groups, a checker, files, a requirement, a submission and a place."""
        problem = world.problem
        Problem.objects.filter(pk=problem.pk).update(
            statement="Do.", author_notes="Mind.", difficulty=3, unlock_at=NOON, due_at=NOON + timedelta(days=1)
        )
        current = TestSetFactory(
            problem=problem,
            version=2,
            groups=[group_as_json(GroupSpec(name="big", points=Decimal(3)))],
            checker_language="python",
            checker_source="print(1)",
            frozen_at=NOON,
        )
        for order in range(3):
            TestCaseFactory(test_set=current, order=order, input=f"{order}", group="big", weight=Decimal("1.5"))
        AttachmentFactory(problem=problem, name="a.txt")
        UnlockRequirementFactory(problem=problem, required_problem=world.draft)
        SubmissionFactory(problem=problem)
        problem.refresh_from_db()
        return problem

    def test_has_all_that_authors_made(self, world: World, full: Problem) -> None:
        copy = self.copy(world)
        different = ("title", "slug", "status")
        assert like(copy, but=different) == like(full, but=different)
        assert (copy.title, copy.slug, copy.status) == (f"{full.title} (copy)", f"{full.slug}-copy", "draft")
        assert like(copy.algorithm) == like(full.algorithm)
        assert content_of_tests(copy) == content_of_tests(full)
        made, source = current_test_set(copy), current_test_set(full)
        assert made is not None
        assert source is not None
        assert (made.version, made.frozen_at) == (1, None)
        assert (made.groups, made.checker_source) == (source.groups, source.checker_source)
        assert [like(row) for row in copy.attachments.all()] == [like(row) for row in full.attachments.all()]
        assert [row.required_problem for row in copy.requirements.all()] == [world.draft]

    def test_has_nothing_that_students_did_and_stands_nowhere(self, world: World, full: Problem) -> None:
        copy = self.copy(world)
        assert not Submission.objects.filter(problem=copy).exists()
        assert not copy.placements.exists()
        assert not UnlockRequirement.objects.filter(required_problem=copy).exists()

    @pytest.mark.parametrize("factory", [ChoiceProblemFactory, FillBlankProblemFactory])
    def test_of_every_type(self, world: World, factory: Any) -> None:
        part = factory(problem__course=world.course)
        copy = self.copy(world, part.problem)
        assert like(getattr(copy, copy.type)) == like(part)

    def test_changing_the_copy_leaves_the_original(self, world: World, full: Problem) -> None:
        before = content_of_tests(full)
        copy = self.copy(world)
        services.problem_update(actor=world.owner, problem_id=copy.pk, algorithm={"checker": "exact"})
        services.problem_delete(actor=world.owner, problem_id=copy.pk)
        full.algorithm.refresh_from_db()
        assert full.algorithm.checker == "tokens"
        assert content_of_tests(full) == before
        assert full.attachments.count() == 1

    def test_into_another_course(self, world: World, full: Problem) -> None:
        other = CourseFactory(organization=world.organization)
        copy = self.copy(world, course_id=other.pk)
        assert (copy.course, copy.title, copy.slug) == (other, full.title, full.slug)
        assert content_of_tests(copy) == content_of_tests(full)
        # What it waits for belongs to its old course.
        assert not copy.requirements.exists()
        assert (copy.unlock_at, copy.due_at) == (None, None)

    def test_slugs_are_found(self, world: World) -> None:
        slug = world.problem.slug
        assert [self.copy(world).slug for _ in range(3)] == [f"{slug}-copy", f"{slug}-copy-2", f"{slug}-copy-3"]
        Problem.objects.filter(pk=world.problem.pk).update(slug="s" * 80, title="t" * 200)
        copy = self.copy(world)
        assert (len(copy.slug), len(copy.title)) == (80, 200)
        assert copy.title.endswith(" (copy)")

    def test_title_and_slug_as_asked(self, world: World) -> None:
        copy = self.copy(world, title="New", slug="new")
        assert (copy.title, copy.slug) == ("New", "new")
        with refused(("#/slug", "unique")):
            self.copy(world, slug="new")

    def test_who_may(self, world: World) -> None:
        own = CourseFactory(organization=world.organization)
        EnrollmentFactory(course=own, user=world.instructor)
        with pytest.raises(PermissionRefused):
            services.problem_duplicate(actor=world.instructor, problem_id=world.problem.pk, course_id=own.pk)
        for course_id in (world.foreign_course.pk, 10**6):
            with pytest.raises(NotFound):
                self.copy(world, course_id=course_id)
        with pytest.raises(NotFound):
            services.problem_duplicate(actor=world.owner, problem_id=10**6)
        assert Problem.objects.filter(course__in=[own, world.foreign_course]).count() == 1

    def test_files_count_in_the_course(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        AttachmentFactory(problem=world.problem)
        monkeypatch.setattr(duplicating, "COURSE_BYTES_MAX", 7)
        with pytest.raises(AttachmentsFull):
            self.copy(world)
        assert Problem.objects.filter(course=world.course).count() == 2

    def test_over_the_api(self, world: World, api_as: ApiAs) -> None:
        api, address = api_as(world.instructor), f"{V1}/problems/{world.problem.pk}/duplicate/"
        response = api.post(address, {"title": "Twice", "slug": "twice"})
        assert response.status_code == 201
        shown = response.json()
        assert (shown["title"], shown["status"], shown["algorithm"]["checker"]) == ("Twice", "draft", "tokens")
        assert shown == api.get(f"{V1}/problems/{shown['id']}/").json()
        assert faults(api.post(address, {"slug": "two words"})) == [("#/slug", "invalid")]
        assert faults(api.post(address, {"status": "published"})) == [("#/status", "unknown_field")]
        assert refusal(api.post(address, {"course": world.foreign_course.pk})) == (404, "not_found")


class TestCourse:
    def copy(self, world: World, **changes: Any) -> Course:
        values = {"title": "Copy", "slug": "copy", **changes}
        return services.course_duplicate(actor=world.owner, course_id=world.course.pk, **values)

    @pytest.fixture
    def full(self, world: World) -> Course:
        """Two chapters, problems of three types placed in an order of their own, requirements of all four kinds."""
        second = ChapterFactory(course=world.course, status="draft", due_at=NOON, position="Zz")
        choice = ChoiceProblemFactory(problem__course=world.course, problem__unlock_at=NOON).problem
        blanks = FillBlankProblemFactory(problem__course=world.course).problem
        ChapterProblemFactory(chapter=second, problem=blanks, position="a5")
        ChapterProblemFactory(chapter=second, problem=choice, position="a3")
        ChapterProblemFactory(chapter=world.chapter, problem=choice)
        UnlockRequirementFactory(problem=choice, required_problem=world.problem)
        UnlockRequirementFactory(problem=blanks, required_chapter=world.chapter)
        UnlockRequirementFactory(chapter=second, required_problem=world.draft)
        UnlockRequirementFactory(chapter=second, required_chapter=world.chapter)
        AttachmentFactory(problem=choice)
        CourseGroupFactory(course=world.course)
        SubmissionFactory(problem=world.problem)
        with freeze_time(NOON - timedelta(days=1)):
            services.problem_update(actor=world.owner, problem_id=world.problem.pk, published_from=NOON)
        return world.course

    def shape(self, course: Course) -> Any:
        """A course by titles and slugs, in order, with what requires what."""
        chapters = [
            (chapter.title, chapter.status, [row.problem.slug for row in chapter.placements.all()])
            for chapter in course.chapters.all()
        ]
        problems = sorted((row.slug, row.type, row.status, row.attachments.count()) for row in course.problems.all())
        requirements = sorted(
            tuple(str(getattr(row, name)) for name in ("chapter", "problem", "required_chapter", "required_problem"))
            for row in UnlockRequirement.objects.filter(course=course)
        )
        return chapters, problems, requirements

    def test_has_all_that_authors_made(self, world: World, full: Course) -> None:
        copy = self.copy(world)
        assert self.shape(copy) == self.shape(full)
        assert (copy.title, copy.slug, copy.status) == ("Copy", "copy", "draft")
        for problem in full.problems.filter(type="algorithm"):
            made = copy.problems.get(slug=problem.slug)
            assert content_of_tests(made) == content_of_tests(problem)
            assert like(made.algorithm) == like(problem.algorithm)

    def test_nothing_of_it_points_back(self, world: World, full: Course) -> None:
        copy = self.copy(world)
        assert not ChapterProblem.objects.filter(chapter__course=copy).exclude(problem__course=copy).exists()
        rows = UnlockRequirement.objects.filter(course=copy)
        assert rows.count() == 4
        for name in ("chapter", "problem", "required_chapter", "required_problem"):
            assert not rows.exclude(**{f"{name}__course": copy}).exclude(**{f"{name}__isnull": True}).exists()

    def test_students_and_what_they_did_stay_behind(self, world: World, full: Course) -> None:
        copy = self.copy(world)
        assert not Enrollment.objects.filter(course=copy).exists()
        assert not copy.groups.exists()
        assert not Submission.objects.filter(problem__course=copy).exists()
        assert not TestSet.objects.filter(problem__course=copy, frozen_at__isnull=False).exists()
        # As a draft it is for staff alone, who are the organization's.
        assert copy not in Course.objects.visible_to(world.student)

    def test_dates_are_left_out_or_moved(self, world: World, full: Course) -> None:
        def dates(course: Course) -> list[Any]:
            rows = [*course.chapters.order_by("title"), *course.problems.order_by("slug")]
            return [getattr(row, name, None) for row in rows for name in duplicating.DATES]

        assert [date for date in dates(full) if date] == [NOON] * 3
        assert not any(dates(self.copy(world)))
        moved = self.copy(world, slug="moved", shift_days=-7)
        assert dates(moved) == [date and date - timedelta(days=7) for date in dates(full)]

    def test_who_may(self, world: World, api_as: ApiAs) -> None:
        body = {"title": "Copy", "slug": "copy"}
        address = f"{V1}/courses/{world.course.pk}/duplicate/"
        for user in (world.instructor, world.student):
            assert refusal(api_as(user).post(address, body)) == (403, "permission_denied")
        with pytest.raises(NotFound):
            self.copy(world, organization_id=world.foreign_course.organization_id)
        assert api_as(world.admin).post(address, body).status_code == 201
        assert faults(api_as(world.admin).post(address, body)) == [("#/slug", "unique")]
        assert faults(api_as(world.admin).post(address, {**body, "shift_days": 10**6})) == [
            ("#/shift_days", "max_value")
        ]

    def test_the_number_of_statements_hardly_grows(self, world: World) -> None:
        def statements(slug: str) -> int:
            with CaptureQueriesContext(connection) as queries:
                self.copy(world, slug=slug)
            return len(queries)

        few = statements("few")
        for _ in range(40):
            problem = AlgorithmProblemFactory(problem__course=world.course).problem
            ChapterProblemFactory(chapter=world.chapter, problem=problem)
        ChapterFactory.create_batch(20, course=world.course)
        # SQLite takes fewer rows in one statement; a row for each would be hundreds more.
        assert statements("many") <= few + 12

    def test_a_failure_leaves_nothing(self, world: World, full: Course, monkeypatch: pytest.MonkeyPatch) -> None:
        def fail(*args: Any) -> None:
            raise RuntimeError("in the middle")

        monkeypatch.setattr(duplicating, "_copy_requirements", fail)
        before = (Course.objects.count(), Chapter.objects.count(), Problem.objects.count())
        with pytest.raises(RuntimeError, match="in the middle"):
            self.copy(world)
        assert (Course.objects.count(), Chapter.objects.count(), Problem.objects.count()) == before
        assert not AuditEvent.objects.filter(action__startswith="course").exists()
