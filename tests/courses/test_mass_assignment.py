"""What is not on a route's list is refused by name, and nothing is changed (T-11)."""

from collections.abc import Mapping
from typing import Any

import pytest

from courses.models import Chapter, ChapterProblem, Course, CourseGroup, Enrollment, Invitation, Problem, TestSet
from tests.courses.conftest import World
from tests.courses.refusals import ApiAs, faults

V1 = "/api/v1"


class TestMassAssignment:
    EXTRAS: Mapping[str, Any] = {
        "id": 1,
        "created_at": "2020-01-01T00:00:00Z",
        "course": 1,
        "is_staff": True,
        "score": 100,
        "__proto__": {},
        "frozen_at": None,
    }

    def addresses(self, world: World) -> list[tuple[str, str, dict[str, Any]]]:
        enrollment = Enrollment.objects.get(user=world.student)
        course, chapter = f"{V1}/courses/{world.course.pk}/", f"{V1}/chapters/{world.chapter.pk}/"
        return [
            ("post", f"{V1}/courses/", {"organization": world.organization.pk, "title": "A", "slug": "a"}),
            ("patch", course, {"title": "A", "description": "B"}),
            ("post", f"{course}chapters/", {"title": "A"}),
            ("patch", chapter, {"title": "A"}),
            ("post", f"{chapter}problems/", {"problem": world.draft.pk}),
            ("patch", f"{chapter}problems/{world.problem.pk}/", {"after": None}),
            ("post", f"{chapter}move/", {"after": None}),
            ("post", f"{course}problems/", {"title": "A", "slug": "a", "algorithm": {}}),
            ("patch", f"{V1}/problems/{world.problem.pk}/", {"title": "A"}),
            ("post", f"{V1}/problems/{world.problem.pk}/test-sets/", {"test_cases": [{"input": "1"}]}),
            ("post", f"{V1}/problems/{world.problem.pk}/tests/", {"input": "1"}),
            ("patch", f"{V1}/problems/{world.problem.pk}/tests/0/", {"input": "1"}),
            ("post", f"{course}duplicate/", {"title": "A", "slug": "c"}),
            ("post", f"{course}enrollments/", {"user": world.member.username}),
            ("patch", f"{V1}/enrollments/{enrollment.pk}/", {"role": "assistant"}),
            ("post", f"{course}groups/", {"name": "A"}),
            ("post", f"{course}invitations/", {"uses_max": 3}),
        ]

    def rows(self) -> list[Any]:
        models = (Course, Chapter, ChapterProblem, Problem, TestSet, Enrollment, CourseGroup, Invitation)
        return [list(model._default_manager.order_by("pk").values()) for model in models]

    @pytest.mark.parametrize("extra", EXTRAS)
    def test_refused_by_name(self, world: World, api_as: ApiAs, extra: str) -> None:
        api, before = api_as(world.owner), self.rows()
        for method, address, body in self.addresses(world):
            response = getattr(api, method)(address, {**body, extra: self.EXTRAS[extra]})
            assert faults(response) == [(f"#/{extra}", "unknown_field")], address
        assert self.rows() == before

    def test_control_without_it_the_same_bodies_are_taken(self, world: World, api_as: ApiAs) -> None:
        api = api_as(world.owner)
        for method, address, body in self.addresses(world):
            assert getattr(api, method)(address, body).status_code in (200, 201), address

    def test_a_problem_does_not_change_its_type_or_course(self, world: World, api_as: ApiAs) -> None:
        api = api_as(world.owner)
        for name, value in {"type": "choice", "course": world.foreign_course.pk, "organization": 1}.items():
            response = api.patch(f"{V1}/problems/{world.problem.pk}/", {name: value})
            assert faults(response) == [(f"#/{name}", "unknown_field")]
