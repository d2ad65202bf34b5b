"""Who gets what answer on each route: 401, then 404 for what is not seen, then 403, then the body."""

from typing import Any

import pytest
from django.urls import NoReverseMatch, reverse
from rest_framework.permissions import IsAuthenticated
from rest_framework.test import APIClient

from accounts.models import User
from courses.api.permissions import IsCourseStaff
from courses.api.urls import urlpatterns
from courses.models import Course, Enrollment, TestSet
from tests.courses.conftest import World
from tests.courses.refusals import ApiAs, refusal

# The methods of the routes that every course has from the first; the others are in tests/authorization, like these. For
# each method, whether a student of the course may, and whether they see the object at all.
MAY, MAY_NOT, UNSEEN = "may", "may not", "unseen"
ROUTES: dict[str, dict[str, str]] = {
    "course-list": {"get": MAY, "post": MAY_NOT},
    "course-detail": {"get": MAY, "patch": MAY_NOT},
    "chapter-list": {"get": MAY, "post": MAY_NOT},
    "problem-list": {"get": MAY, "post": MAY_NOT},
    "enrollment-list": {"get": MAY_NOT, "post": MAY_NOT},
    "chapter-detail": {"get": MAY, "patch": MAY_NOT, "delete": MAY_NOT},
    "chapter-move": {"post": MAY_NOT},
    "placement-list": {"post": MAY_NOT},
    "placement-detail": {"patch": MAY_NOT, "delete": MAY_NOT},
    "problem-detail": {"get": MAY, "patch": MAY_NOT, "delete": MAY_NOT},
    "testset-list": {"get": MAY_NOT, "post": MAY_NOT},
    "testset-detail": {"get": UNSEEN},
    "enrollment-detail": {"patch": MAY_NOT, "delete": MAY_NOT},
}
CASES = [(name, method) for name, methods in ROUTES.items() for method in methods]
ON_OBJECTS = [(name, method) for name, method in CASES if name != "course-list"]
METHODS = ("get", "post", "put", "patch", "delete")


def address(world: World, name: str, *, enrollment: Enrollment | None = None) -> str:
    kwargs = {
        "course_id": world.course.pk,
        "chapter_id": world.chapter.pk,
        "problem_id": world.problem.pk,
        "test_set_id": TestSet.objects.get(problem=world.problem).pk,
        "enrollment_id": (enrollment or Enrollment.objects.get(user=world.student)).pk,
    }
    pattern = next(pattern for pattern in urlpatterns if pattern.name == name)
    return reverse(name, kwargs={key: kwargs[key] for key in pattern.pattern.converters})


def body(world: World, name: str, method: str) -> dict[str, Any]:
    """Nothing, which must not matter to who may not. Only who may create a course is read from the body."""
    if (name, method) != ("course-list", "post"):
        return {}
    return {"organization": world.organization.pk, "title": "A", "slug": "a"}


def test_these_are_routes() -> None:
    assert {*ROUTES} <= {pattern.name for pattern in urlpatterns}


def test_every_view_has_one_permission_class() -> None:
    for pattern in urlpatterns:
        (permission,) = pattern.callback.view_class.permission_classes  # type: ignore[attr-defined]
        assert issubclass(permission, (IsAuthenticated, IsCourseStaff)), pattern.name


@pytest.mark.parametrize(("name", "method"), CASES)
class TestRoutes:
    def test_anonymous(self, world: World, anonymous_api: APIClient, name: str, method: str) -> None:
        response = getattr(anonymous_api, method)(address(world, name), body(world, name, method))
        assert refusal(response) == (401, "not_authenticated")

    def test_student(self, world: World, api_as: ApiAs, name: str, method: str) -> None:
        response = getattr(api_as(world.student), method)(address(world, name), body(world, name, method))
        if ROUTES[name][method] == MAY:
            assert response.status_code == 200
        else:
            wanted = (404, "not_found") if ROUTES[name][method] == UNSEEN else (403, "permission_denied")
            assert refusal(response) == wanted

    @pytest.mark.parametrize("role", ["owner", "admin", "instructor", "assistant", "superuser"])
    def test_staff_pass(self, world: World, api_as: ApiAs, name: str, method: str, role: str) -> None:
        if name == "course-list" and method == "post" and role in ("instructor", "assistant"):
            return  # courses are the organization's: tests/courses/test_api.py
        response = getattr(api_as(getattr(world, role)), method)(address(world, name), body(world, name, method))
        # An empty body may lack something; whoever reads that has passed.
        assert response.status_code in (200, 201, 204, 422)


@pytest.mark.parametrize(("name", "method"), ON_OBJECTS)
class TestUnseen:
    def answers_404(self, world: World, user: User, api_as: ApiAs, name: str, method: str) -> None:
        response = getattr(api_as(user), method)(address(world, name), {})
        assert refusal(response) == (404, "not_found")
        missing = getattr(api_as(user), method)(_missing(name), {})
        told, known = (answer.json() for answer in (response, missing))
        told.pop("request_id"), known.pop("request_id")
        assert told == known

    def test_members_who_are_not_enrolled(self, world: World, api_as: ApiAs, name: str, method: str) -> None:
        self.answers_404(world, world.member, api_as, name, method)

    def test_staff_of_another_organization(self, world: World, api_as: ApiAs, name: str, method: str) -> None:
        self.answers_404(world, world.foreign_owner, api_as, name, method)

    @pytest.mark.parametrize("status", ["draft", "archived"])
    def test_students_of_an_unpublished_course(
        self, world: World, api_as: ApiAs, name: str, method: str, status: str
    ) -> None:
        Course.objects.filter(pk=world.course.pk).update(status=status)
        response = getattr(api_as(world.student), method)(address(world, name), {})
        # One's own enrollment stays one's own, and staff's to change.
        assert refusal(response)[0] == (403 if name == "enrollment-detail" else 404)
        assert getattr(api_as(world.instructor), method)(address(world, name), {}).status_code != 404


def _missing(name: str) -> str:
    pattern = next(pattern for pattern in urlpatterns if pattern.name == name)
    return reverse(name, kwargs=dict.fromkeys(pattern.pattern.converters, 10**12))


@pytest.mark.django_db
class TestOtherDoors:
    def test_other_methods(self, world: World, api_as: ApiAs) -> None:
        for name, methods in ROUTES.items():
            for method in {*METHODS} - {*methods}:
                response = getattr(api_as(world.owner), method)(address(world, name), {})
                assert refusal(response) == (405, "method_not_allowed"), (name, method)
            assert api_as(world.student).options(address(world, name)).status_code == 405

    def test_a_method_override_changes_nothing(self, world: World, api_as: ApiAs) -> None:
        response = api_as(world.student).get(address(world, "problem-detail"), HTTP_X_HTTP_METHOD_OVERRIDE="DELETE")
        assert response.status_code == 200

    def test_a_students_draft_is_unseen(self, world: World, api_as: ApiAs) -> None:
        for status in ("draft", "archived"):
            world.draft.status = status
            world.draft.save()
            response = api_as(world.student).get(f"/api/v1/problems/{world.draft.pk}/")
            assert refusal(response) == (404, "not_found")
        assert api_as(world.assistant).get(f"/api/v1/problems/{world.draft.pk}/").status_code == 200

    def test_others_enrollments_are_unseen(self, world: World, api_as: ApiAs) -> None:
        others = Enrollment.objects.get(user=world.assistant)
        response = api_as(world.student).delete(address(world, "enrollment-detail", enrollment=others))
        assert refusal(response) == (404, "not_found")

    def test_a_role_taken_away_ends_at_once(self, world: World, api_as: ApiAs) -> None:
        api = api_as(world.assistant)
        assert api.get(address(world, "testset-list")).status_code == 200
        Enrollment.objects.filter(user=world.assistant).update(role="student")
        assert refusal(api.get(address(world, "testset-list"))) == (403, "permission_denied")

    def test_numbers_nothing_can_have(self, world: World, api_as: ApiAs) -> None:
        for path in ("courses", "chapters", "problems", "test-sets"):
            assert refusal(api_as(world.owner).get(f"/api/v1/{path}/{10**30}/")) == (404, "not_found")
        with pytest.raises(NoReverseMatch):
            reverse("course-detail", kwargs={"course_id": -1})


class TestControls:
    """With the permission class taken away, the answers above change."""

    @pytest.mark.parametrize("name", ROUTES)
    def test_each_class_is_needed(
        self, world: World, anonymous_api: APIClient, monkeypatch: pytest.MonkeyPatch, name: str
    ) -> None:
        pattern = next(pattern for pattern in urlpatterns if pattern.name == name)
        monkeypatch.setattr(pattern.callback.view_class, "permission_classes", ())  # type: ignore[attr-defined]
        for method in ROUTES[name]:
            response = getattr(anonymous_api, method)(address(world, name), {})
            assert response.status_code != 401, method

    @pytest.mark.parametrize("name", [name for name, methods in ROUTES.items() if MAY_NOT in methods.values()][1:])
    def test_authentication_alone_is_not_enough(
        self, world: World, api_as: ApiAs, monkeypatch: pytest.MonkeyPatch, name: str
    ) -> None:
        pattern = next(pattern for pattern in urlpatterns if pattern.name == name)
        view_class = pattern.callback.view_class  # type: ignore[attr-defined]
        monkeypatch.setattr(view_class, "permission_classes", (IsAuthenticated,))
        for method, who in ROUTES[name].items():
            if who == MAY_NOT:
                assert getattr(api_as(world.student), method)(address(world, name), {}).status_code != 403, method
                break
