"""What students must not learn stands in no answer of any route, under any parameter (law 7, T-09).

The requests are made from the URLconf and the OpenAPI document: what is new there is asked without being listed here.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pytest_django import Settings
from rest_framework.test import APIClient

from courses.api import filters
from courses.api.shown import basics as shown
from courses.api.views import groups as group_views
from courses.api.views import problems as problem_views
from courses.models import Problem, TestCase
from tests.authorization.matrix import MATRIX
from tests.authorization.test_matrix import view_class
from tests.authorization.world import ROLES, World, make_world
from tests.courses.sweep import asking
from tests.courses.sweep.asking import Covered, addresses, all_routes, answers, parameters, text_of
from tests.courses.sweep.planting import CANARY, CODE, FORBIDDEN, MET_BY_STAFF, NUMBERS, mark, plant

pytestmark = pytest.mark.django_db

# Members of answers that only staff get, whatever stands in them.
KEYS = ('"accepted":', '"answers":', '"author_notes":', '"audience":', '"checker_source":', '"reason":', '"templates":')


@pytest.fixture(autouse=True)
def quick_and_unlimited(settings: Settings, tmp_path: Path) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.ACCOUNTS_REGISTRATION_OPEN = True
    settings.COURSES_CHECKS_PER_WINDOW = settings.COURSES_JOIN_TRIES_PER_WINDOW = 10**6
    settings.EXECUTOR_RUNS_PER_WINDOW = 10**6
    settings.MEDIA_ROOT = tmp_path


@pytest.fixture
def planted() -> World:
    world = make_world("published")
    plant(world)
    return world


def leaks(api: APIClient, world: World, covered: Covered | None = None, only: str = "") -> Iterator[str]:
    """What was asked where the answer holds what it must not."""
    told = answers(api, world, Covered() if covered is None else covered, only)
    return (asked for asked, response in told if _has_leaked(asked, response))


def _has_leaked(asked: str, response: Any) -> bool:
    text = text_of(response)
    if any(word in text for word in FORBIDDEN):
        return True
    return " /api/v1/" in asked and any(key in text for key in KEYS)


class TestSweep:
    def test_a_student_meets_no_planted_word(self, planted: World) -> None:
        covered = Covered()
        assert list(leaks(planted.client("student"), planted, covered)) == []
        assert covered.routes == {route.name for route in all_routes()}
        assert covered.parameters == {(path, name) for (path, _), known in parameters().items() for name in known}
        student = ROLES.index("student")
        # What is granted has been seen, and not only refusals.
        assert {row.route for row in MATRIX if row.method == "get" and row.statuses[student] == 200} <= covered.granted

    @pytest.mark.parametrize("role", ["member", "stranger"])
    def test_nor_do_members_and_strangers_of_this_course(self, planted: World, role: str) -> None:
        assert list(leaks(planted.client(role), planted)) == []

    def test_control_staff_meet_them(self, planted: World) -> None:
        """What is planted is found by those who may: an empty field would leak nothing."""
        api = planted.client("instructor")
        texts = "".join(
            text_of(api.get(address))
            for route in all_routes()
            if "get" in route.methods and not route.name.startswith("admin:")
            for address in addresses(route)
        )
        assert [kind for kind in MET_BY_STAFF if mark(kind).casefold() not in texts] == []
        assert [word for word in (*NUMBERS, CODE[:5].casefold(), *KEYS) if word not in texts] == []


class TestSearching:
    """Nothing is found out by asking for it: a planted word finds as much as one that stands nowhere."""

    def differences(self, api: APIClient, world: World) -> list[str]:
        found = []
        for route in all_routes():
            known = parameters().get((route.path, "get"), {})
            texts = [name for name, schema in known.items() if schema.get("type") == "string" and "enum" not in schema]
            for address in addresses(route) if texts else []:
                if api.get(address).status_code != 200:
                    continue
                for name in texts:
                    nothing = self.told(api, f"{address}?{name}={CANARY[::-1]}")
                    found += [
                        f"{address}?{name}={word}"
                        for word in sorted(self.planted_words())
                        if self.told(api, f"{address}?{name}={word}") != nothing
                    ]
        return found

    @staticmethod
    def planted_words() -> set[str]:
        """The beginning of all, each as a whole, and what an address or a code would be guessed by."""
        return {CANARY, CODE, *NUMBERS, *(mark(kind) for kind in MET_BY_STAFF), mark("mail"), mark("hidden-stderr")}

    @staticmethod
    def told(api: APIClient, address: str) -> Any:
        response = api.get(address)
        body = response.json()
        return response.status_code, body.get("count"), body.get("results"), body.get("code")

    def test_a_student_finds_nothing(self, planted: World) -> None:
        assert self.differences(planted.client("student"), planted) == []

    def test_control_a_search_of_statements_is_noticed(self, planted: World, monkeypatch: pytest.MonkeyPatch) -> None:
        # Also of locked ones, whose titles the list shows.
        monkeypatch.setattr(
            filters.ProblemFilter,
            "with_words",
            lambda self, queryset, name, value: queryset.filter(statement__contains=value),
        )
        found = self.differences(planted.client("student"), planted)
        assert any(mark("locked-statement") in asked for asked in found)


class TestControls:
    """Each protection taken away is noticed."""

    def test_a_serializer_for_staff_shown_to_students(self, planted: World, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(problem_views.shown, "ProblemForStudentSerializer", shown.ProblemForStaffSerializer)
        assert any(leaks(planted.client("student"), planted, only="problem-"))

    def test_samples_that_are_all_tests(self, planted: World, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(shown, "sample_tests", lambda problem: TestCase.objects.filter(test_set__problem=problem))
        assert any(leaks(planted.client("student"), planted, only="problem-"))

    def test_problems_that_are_all_visible(self, planted: World, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(type(Problem.objects.all()), "visible_to", lambda self, user: self)
        assert any(leaks(planted.client("student"), planted, only="problem-"))

    def test_locks_that_do_not_hold(self, planted: World, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(problem_views, "problem_require_open", lambda **given: None)
        assert any(leaks(planted.client("student"), planted, only="problem-"))

    def test_groups_without_a_permission(self, planted: World, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(group_views.CourseGroupListView, "permission_classes", ())
        assert any(leaks(planted.client("student"), planted, only="group-"))

    def test_a_route_whose_placeholder_nobody_fills(self, planted: World, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(asking, "MODELS", {k: v for k, v in asking.MODELS.items() if k != "problem_id"})
        with pytest.raises(KeyError, match="problem_id"):
            list(leaks(planted.client("student"), planted, only="problem-"))


def test_every_filter_is_in_the_schema_and_so_in_the_sweep() -> None:
    for route in all_routes():
        filterset = getattr(view_class(route.pattern), "filterset_class", None)
        named = {*parameters().get((route.path, "get"), {})}
        assert filterset is None or {*filterset.base_filters} <= named, route.name


def test_a_student_sees_exactly_these_fields_of_a_problem(planted: World) -> None:
    told = planted.client("student").get(f"/api/v1/problems/{planted.problem.pk}/").json()
    assert {*told} == {
        *("id", "course", "type", "title", "slug", "statement", "statement_html", "difficulty"),
        *("algorithm", "choice", "fillblank", "sample_tests"),
    }
    assert {*told["algorithm"]} == {
        *("time_limit_ms", "memory_limit_mb", "entry_point", "checker", "languages", "starter_code")
    }
    # The samples are there, so the rest was kept back for a reason.
    assert told["sample_tests"] == [{"input": "sample in", "expected_output": "sample out"}]
