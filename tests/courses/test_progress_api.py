"""The list of progress: one's own, and for staff that of all students."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from courses.models import CourseGroup, Enrollment, Problem
from tests.courses.conftest import World
from tests.courses.factories import EnrollmentFactory, ProblemFactory
from tests.courses.progressing import NOON, count
from tests.courses.refusals import ApiAs, faults

QUERIES_MAX = 8


@pytest.fixture
def enrollment(world: World) -> Enrollment:
    return Enrollment.objects.get(course=world.course, user=world.student)


@pytest.fixture
def peer(world: World) -> Enrollment:
    return EnrollmentFactory(course=world.course, group=CourseGroup.objects.create(course=world.course, name="A"))


def address(world: World) -> str:
    return f"/api/v1/courses/{world.course.pk}/progress/"


class TestOwn:
    def test_what_it_says(self, world: World, enrollment: Enrollment, api_as: ApiAs) -> None:
        count(enrollment, world.problem, 1)
        [row] = api_as(world.student).get(address(world)).json()["results"]
        noon = NOON.isoformat().replace("+00:00", "Z")
        assert row == {
            "user": world.student.pk,
            "problem": world.problem.pk,
            "status": "solved",
            "attempts": 1,
            "best_score": "100.00",
            "credited_score": "100.00",
            "best_time_ms": 10,
            "first_at": noon,
            "last_at": noon,
            "solved_at": noon,
        }

    def test_nobody_else_s(self, world: World, peer: Enrollment, api_as: ApiAs) -> None:
        count(peer, world.problem, 1)
        api = api_as(world.student)
        assert api.get(address(world)).json()["count"] == 0
        assert api.get(address(world), {"user": peer.user_id}).json()["count"] == 0
        assert api.get(address(world), {"group": str(peer.group_id)}).json()["count"] == 0

    def test_not_of_problems_that_are_hidden_by_now(self, world: World, enrollment: Enrollment, api_as: ApiAs) -> None:
        count(enrollment, world.problem, 1)
        Problem.objects.filter(pk=world.problem.pk).update(status="archived")
        assert api_as(world.student).get(address(world)).json()["count"] == 0
        assert api_as(world.instructor).get(address(world)).json()["count"] == 1


class TestForStaff:
    def test_all_students_that_are_there(
        self, world: World, enrollment: Enrollment, peer: Enrollment, api_as: ApiAs
    ) -> None:
        left: Enrollment = EnrollmentFactory(course=world.course)
        staff = Enrollment.objects.get(course=world.course, user=world.assistant)
        for each in (enrollment, peer, left, staff):
            count(each, world.problem, each.pk)
        left.left_at = NOON
        left.save()
        for user in world.staff:
            rows = api_as(user).get(address(world)).json()["results"]
            assert [row["user"] for row in rows] == [enrollment.user_id, peer.user_id]

    def test_filters(self, world: World, enrollment: Enrollment, peer: Enrollment, api_as: ApiAs) -> None:
        other: Problem = ProblemFactory(course=world.course)
        count(enrollment, world.problem, 1)
        count(enrollment, other, 2, is_accepted=False, score=20)
        count(peer, world.problem, 3, is_accepted=False, score=40)
        api = api_as(world.owner)

        def found(**parameters: Any) -> list[tuple[int, int]]:
            rows = api.get(address(world), parameters).json()["results"]
            return [(row["user"], row["problem"]) for row in rows]

        mine, theirs = world.student.pk, peer.user_id
        assert found(user=theirs) == [(theirs, world.problem.pk)]
        assert found(group=peer.group_id) == [(theirs, world.problem.pk)]
        assert found(status="solved") == [(mine, world.problem.pk)]
        assert found(problem=other.pk) == [(mine, other.pk)]
        assert found(ordering="best_score") == [
            (mine, other.pk),
            (theirs, world.problem.pk),
            (mine, world.problem.pk),
        ]
        assert found(ordering="-best_score")[0] == (mine, world.problem.pk)
        assert found(user=2**40) == []

    @pytest.mark.parametrize(
        ("parameters", "fault"),
        [
            ({"status": "done"}, "invalid_choice"),
            ({"ordering": "user__password"}, "invalid_choice"),
            ({"enrollment": "1"}, "unknown_filter"),
        ],
    )
    def test_what_is_no_filter(self, parameters: dict[str, str], fault: str, world: World, api_as: ApiAs) -> None:
        [name] = parameters
        assert faults(api_as(world.owner).get(address(world), parameters)) == [(f"#/{name}", fault)]


class TestQueries:
    @pytest.mark.parametrize("role", ["student", "instructor", "owner"])
    def test_the_same_with_few_rows_and_with_many(
        self, role: str, world: World, enrollment: Enrollment, api_as: ApiAs
    ) -> None:
        user: User = getattr(world, role)

        def counted() -> tuple[int, int]:
            with CaptureQueriesContext(connection) as queries:
                found = api_as(user).get(address(world), {"page_size": 200}).json()["count"]
            return found, len(queries)

        for number, problem in enumerate(ProblemFactory.create_batch(50, course=world.course), start=1):
            count(enrollment, problem, number)
            if number == 5:
                few = counted()
        many = counted()
        assert (few[0], many[0]) == (5, 50)
        assert few[1] == many[1] <= QUERIES_MAX
