"""A list costs the same number of queries with 5 rows and with 50."""

from collections.abc import Callable

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from courses.api.shown import enrollment as shown
from courses.models import PracticeAnswer
from tests.courses.conftest import World
from tests.courses.factories import (
    AlgorithmProblemFactory,
    AttachmentFactory,
    ChapterFactory,
    ChapterProblemFactory,
    CourseFactory,
    CourseGroupFactory,
    EnrollmentFactory,
    InvitationFactory,
    PracticeAnswerFactory,
    TestCaseFactory,
    TestSetFactory,
)
from tests.courses.refusals import ApiAs

V1 = "/api/v1"
QUERIES_MAX = 8


def more_courses(world: World, rows: int) -> None:
    for _ in range(rows):
        course = CourseFactory(organization=world.organization)
        EnrollmentFactory(course=course, user=world.student)
        EnrollmentFactory(course=course, user=world.instructor, role="instructor")


def more_chapters(world: World, rows: int) -> None:
    ChapterFactory.create_batch(rows, course=world.course)


def more_problems(world: World, rows: int) -> None:
    AlgorithmProblemFactory.create_batch(rows, problem__course=world.course, tests=[])


def more_placements(world: World, rows: int) -> None:
    ChapterProblemFactory.create_batch(rows, chapter=world.chapter)


def more_test_sets(world: World, rows: int) -> None:
    start = world.problem.test_sets.count() + 1
    for version in range(start, start + rows):
        TestCaseFactory(test_set=TestSetFactory(problem=world.problem, version=version))


def more_tests(world: World, rows: int) -> None:
    test_set = world.problem.test_sets.get()
    start = test_set.test_cases.count()
    for order in range(start, start + rows):
        TestCaseFactory(test_set=test_set, order=order, is_sample=True)


def more_attachments(world: World, rows: int) -> None:
    AttachmentFactory.create_batch(rows, problem=world.problem)


def more_answers(world: World, rows: int) -> None:
    PracticeAnswer.objects.bulk_create(
        PracticeAnswerFactory.build(problem=world.problem, user=user)
        for user in (world.student, world.instructor)
        for _ in range(rows)
    )


def more_enrollments(world: World, rows: int) -> None:
    EnrollmentFactory.create_batch(rows, course=world.course)


def more_open_courses(world: World, rows: int) -> None:
    for _ in range(rows):
        EnrollmentFactory(course=CourseFactory(organization=world.organization, is_open=True, capacity=30))


def more_groups(world: World, rows: int) -> None:
    for _ in range(rows):
        group = CourseGroupFactory(course=world.course)
        EnrollmentFactory(course=world.course, group=group)


def more_invitations(world: World, rows: int) -> None:
    InvitationFactory.create_batch(rows, course=world.course)


LISTS: dict[str, tuple[Callable[[World], str], Callable[[World, int], None], str]] = {
    "courses": (lambda w: "courses/", more_courses, "results"),
    "chapters": (lambda w: f"courses/{w.course.pk}/chapters/", more_chapters, "results"),
    "problems": (lambda w: f"courses/{w.course.pk}/problems/", more_problems, "results"),
    "chapter": (lambda w: f"chapters/{w.chapter.pk}/", more_placements, "problems"),
    "samples": (lambda w: f"problems/{w.problem.pk}/", more_tests, "sample_tests"),
    "answers": (lambda w: f"problems/{w.problem.pk}/answers/", more_answers, "results"),
    "enrollments": (lambda w: f"courses/{w.course.pk}/enrollments/", more_enrollments, "results"),
    "catalog": (lambda w: "courses/catalog/", more_open_courses, "results"),
    "groups": (lambda w: f"courses/{w.course.pk}/groups/", more_groups, "results"),
    "invitations": (lambda w: f"courses/{w.course.pk}/invitations/", more_invitations, "results"),
    "attachments": (lambda w: f"problems/{w.problem.pk}/attachments/", more_attachments, "results"),
    "current tests": (lambda w: f"problems/{w.problem.pk}/tests/", more_tests, "results"),
    "test sets": (lambda w: f"problems/{w.problem.pk}/test-sets/", more_test_sets, "results"),
    "tests": (lambda w: f"test-sets/{w.problem.test_sets.order_by('version')[0].pk}/", more_tests, "test_cases"),
}
FOR_STAFF = {"enrollments", "test sets", "tests", "current tests", "groups", "invitations"}
CASES = [
    pytest.param(name, role, id=f"{name}, {role}")
    for name in LISTS
    for role in ("instructor", "student", "owner")
    if role != "student" or name not in FOR_STAFF
]


@pytest.mark.parametrize(("name", "role"), CASES)
def test_constant(world: World, api_as: ApiAs, name: str, role: str) -> None:
    address_of, more, key = LISTS[name]
    user: User = getattr(world, role)

    def counted(wanted: int) -> int:
        address = f"{V1}/{address_of(world)}?page_size=200"
        with CaptureQueriesContext(connection) as queries:
            response = api_as(user).get(address)
        assert len(response.json()[key]) >= wanted
        return len(queries)

    more(world, 5)
    few = counted(5)
    more(world, 45)
    many = counted(50)
    assert few == many <= QUERIES_MAX


def test_control_a_query_for_each_row_is_noticed(world: World, api_as: ApiAs, monkeypatch: pytest.MonkeyPatch) -> None:
    field = shown.EnrollmentSerializer._declared_fields["user"]
    monkeypatch.setattr(
        type(field), "to_representation", lambda self, user: {"id": user.pk, "of": user.enrollments.count()}
    )
    more_enrollments(world, 5)
    with CaptureQueriesContext(connection) as queries:
        api_as(world.owner).get(f"{V1}/courses/{world.course.pk}/enrollments/")
    assert len(queries) > QUERIES_MAX
