"""Services of courses, chapters, placements and enrollments."""

from typing import Any

import pytest

from accounts.models import Membership, User
from core.errors import NotFound, PermissionRefused
from courses import services
from courses.errors import AlreadyEnrolled, AlreadyPlaced
from courses.models import ChapterProblem, Course, Enrollment, Problem
from courses.selectors import chapters_with_problems, course_is_staff
from tests.accounts.factories import UserFactory
from tests.courses.conftest import World
from tests.courses.factories import ChapterFactory, CourseFactory, EnrollmentFactory, ProblemFactory
from tests.courses.refusals import refused


class TestCourse:
    def test_owners_admins_and_superusers_create(self, world: World) -> None:
        for number, actor in enumerate((world.owner, world.admin, world.superuser)):
            course = services.course_create(
                actor=actor, organization_id=world.organization.pk, title="Algorithms", slug=f"algorithms-{number}"
            )
            assert course.status == Course.Status.DRAFT
            assert course_is_staff(actor, course)

    def test_others_do_not(self, world: World) -> None:
        def create(actor: User) -> Course:
            return services.course_create(actor=actor, organization_id=world.organization.pk, title="A", slug="a")

        for actor in (world.instructor, world.student, world.member):
            with pytest.raises(PermissionRefused):
                create(actor)
        with pytest.raises(NotFound):
            create(world.foreign_owner)
        assert not Course.objects.filter(slug="a").exists()

    def test_errors_name_the_fields(self, world: World) -> None:
        with refused(("#/status", "invalid_choice"), ("#/title", "blank"), ("#/slug", "invalid")):
            services.course_create(
                actor=world.owner, organization_id=world.organization.pk, title="", slug="no slug", status="gone"
            )

    def test_a_slug_is_taken_within_its_organization(self, world: World) -> None:
        other = CourseFactory(organization=world.organization, slug="other")
        with refused(("#/slug", "unique")):
            services.course_update(actor=world.owner, course_id=world.course.pk, slug=other.slug)
        services.course_update(actor=world.owner, course_id=world.course.pk, slug=world.foreign_course.slug)

    def test_archiving_twice_does_no_harm(self, world: World) -> None:
        for _ in range(2):
            course = services.course_archive(actor=world.owner, course_id=world.course.pk)
            assert course.status == Course.Status.ARCHIVED
        assert not Course.objects.visible_to(world.student).exists()

    def test_missing(self, world: World) -> None:
        with pytest.raises(NotFound):
            services.course_update(actor=world.owner, course_id=10**6, title="A")


class TestChapter:
    def test_comes_last(self, world: World) -> None:
        added = [
            services.chapter_create(actor=world.owner, course_id=world.course.pk, title=title) for title in ("A", "B")
        ]
        assert list(world.course.chapters.all()) == [world.chapter, *added]

    def test_deleting_leaves_the_problems(self, world: World) -> None:
        services.chapter_delete(actor=world.owner, chapter_id=world.chapter.pk)
        assert not ChapterProblem.objects.exists()
        assert Problem.objects.filter(pk=world.problem.pk).exists()

    def test_update_and_errors(self, world: World) -> None:
        services.chapter_update(actor=world.owner, chapter_id=world.chapter.pk, title="Sorting", status="draft")
        world.chapter.refresh_from_db()
        assert (world.chapter.title, world.chapter.status) == ("Sorting", "draft")
        with refused(("#/title", "blank"), ("#/status", "invalid_choice")):
            services.chapter_update(actor=world.owner, chapter_id=world.chapter.pk, title="", status="gone")

    def test_missing(self, world: World) -> None:
        with pytest.raises(NotFound):
            services.chapter_update(actor=world.owner, chapter_id=10**6, title="A")
        with pytest.raises(NotFound):
            services.chapter_delete(actor=world.owner, chapter_id=10**6)
        with pytest.raises(NotFound):
            services.chapter_create(actor=world.owner, course_id=10**6, title="A")


class TestPlacement:
    def test_place_move_remove(self, world: World) -> None:
        where: Any = {"actor": world.instructor, "chapter_id": world.chapter.pk}
        services.chapterproblem_place(**where, problem_id=world.draft.pk)
        assert list(world.chapter.problems.order_by("placements__position")) == [world.problem, world.draft]
        services.chapterproblem_move(**where, problem_id=world.draft.pk, after=None)
        chapter: Any = chapters_with_problems(world.instructor).get(pk=world.chapter.pk)
        assert [placement.problem for placement in chapter.placed] == [world.draft, world.problem]
        services.chapterproblem_remove(**where, problem_id=world.problem.pk)
        assert list(world.chapter.problems.all()) == [world.draft]

    def test_a_problem_of_another_course_is_refused(self, world: World) -> None:
        other = ProblemFactory(course=CourseFactory(organization=world.organization))
        with refused(("#/problem", "other_course")):
            services.chapterproblem_place(actor=world.owner, chapter_id=world.chapter.pk, problem_id=other.pk)
        assert not ChapterProblem.objects.filter(problem=other).exists()

    def test_a_foreign_problem_is_like_a_missing_one(self, world: World) -> None:
        for problem_id in (world.foreign_problem.pk, 10**6):
            with pytest.raises(NotFound, match="no such problem"):
                services.chapterproblem_place(actor=world.owner, chapter_id=world.chapter.pk, problem_id=problem_id)

    def test_twice_is_refused(self, world: World) -> None:
        with pytest.raises(AlreadyPlaced):
            services.chapterproblem_place(actor=world.owner, chapter_id=world.chapter.pk, problem_id=world.problem.pk)

    def test_one_problem_in_two_chapters(self, world: World) -> None:
        second = ChapterFactory(course=world.course)
        services.chapterproblem_place(actor=world.owner, chapter_id=second.pk, problem_id=world.problem.pk)
        assert world.problem.chapters.count() == 2

    def test_not_in_this_chapter(self, world: World) -> None:
        second = ChapterFactory(course=world.course)
        where: Any = {"actor": world.owner, "chapter_id": second.pk, "problem_id": world.problem.pk}
        with pytest.raises(NotFound):
            services.chapterproblem_move(**where, after=None)
        with pytest.raises(NotFound):
            services.chapterproblem_remove(**where)
        assert ChapterProblem.objects.count() == 1


class TestEnrollment:
    @pytest.mark.parametrize("name", ["new", "NEW", "new@example.org", " New@Example.org "])
    def test_by_name_or_email_makes_a_member(self, world: World, name: str) -> None:
        user = UserFactory(username="new", email="new@example.org")
        enrollment = services.enrollment_create(actor=world.instructor, course_id=world.course.pk, user=name)
        assert (enrollment.user, enrollment.role) == (user, Enrollment.Role.STUDENT)
        membership = Membership.objects.get(organization=world.organization, user=user)
        assert membership.role == Membership.Role.MEMBER
        assert list(Course.objects.visible_to(user)) == [world.course]

    def test_a_membership_stays_as_it_was(self, world: World) -> None:
        services.enrollment_create(actor=world.owner, course_id=world.course.pk, user=world.owner.username)
        membership = Membership.objects.get(organization=world.organization, user=world.owner)
        assert membership.role == Membership.Role.OWNER

    def test_twice_is_refused_whatever_the_role(self, world: World) -> None:
        with pytest.raises(AlreadyEnrolled):
            services.enrollment_create(
                actor=world.owner, course_id=world.course.pk, user=world.student.email, role="instructor"
            )
        assert Enrollment.objects.get(user=world.student).role == Enrollment.Role.STUDENT

    def test_unknown_and_disabled_users_are_alike(self, world: World) -> None:
        UserFactory(username="gone", is_active=False)
        for name in ("gone", "nobody"):
            with refused(("#/user", "user_unknown")):
                services.enrollment_create(actor=world.owner, course_id=world.course.pk, user=name)

    def test_an_unknown_role_leaves_nothing(self, world: World) -> None:
        UserFactory(username="new")
        with refused(("#/role", "invalid_choice")):
            services.enrollment_create(actor=world.owner, course_id=world.course.pk, user="new", role="owner")
        assert not Membership.objects.filter(user__username="new").exists()

    def test_a_role_is_changed(self, world: World) -> None:
        enrollment = Enrollment.objects.get(user=world.student)
        services.enrollment_update(actor=world.owner, enrollment_id=enrollment.pk, role="assistant")
        assert course_is_staff(world.student, world.course)
        with refused(("#/role", "invalid_choice")):
            services.enrollment_update(actor=world.owner, enrollment_id=enrollment.pk, role="owner")

    def test_leaving_ends_what_is_seen_but_not_the_membership(self, world: World) -> None:
        enrollment = EnrollmentFactory(course=world.course, user=world.member)
        services.enrollment_remove(actor=world.owner, enrollment_id=enrollment.pk)
        assert not Course.objects.visible_to(world.member).exists()
        assert Membership.objects.filter(user=world.member).exists()
        with pytest.raises(NotFound):
            services.enrollment_remove(actor=world.owner, enrollment_id=enrollment.pk)
