"""Every route against every role, organization and state of a course; and that nothing is missing from the table."""

from collections.abc import Iterator
from contextlib import nullcontext
from typing import Any

import pytest
from django.db import transaction
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from pytest_django import Settings
from rest_framework.permissions import AllowAny, BasePermission
from rest_framework.views import APIView

from tests.authorization.matrix import MATRIX, Row
from tests.authorization.world import ROLES, World, make_world, path_arguments

STATES = ("published", "draft", "archived")
METHODS = ("get", "post", "put", "patch", "delete")


@pytest.fixture(autouse=True)
def quick_passwords(settings: Settings) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.ACCOUNTS_REGISTRATION_OPEN = True


def routes() -> dict[str, URLPattern]:
    """Every named address of the API, and each without a name under its pattern."""

    def walk(patterns: list[URLPattern | URLResolver]) -> Iterator[tuple[str, URLPattern]]:
        for pattern in patterns:
            if isinstance(pattern, URLResolver):
                # The admin's pages follow from its registry, and so does their table: see test_admin_access.py.
                yield from walk([] if pattern.namespace == "admin" else pattern.url_patterns)
            else:
                yield pattern.name or str(pattern.pattern), pattern

    return dict(walk(get_resolver().url_patterns))


def methods_of(pattern: URLPattern) -> set[str]:
    """The methods a route implements. Plain functions are asked by their own decorators: they only read."""
    view = view_class(pattern)
    return {"get"} if view is None else {method for method in METHODS if hasattr(view, method)}


def view_class(pattern: URLPattern) -> type[APIView] | None:
    return getattr(pattern.callback, "view_class", None) or getattr(pattern.callback, "cls", None)


def url_of(row: Row, world: World) -> str:
    wanted = routes()[row.route].pattern.converters
    arguments = {**path_arguments(world), **(row.arguments(world) if row.arguments else {})}
    return reverse(row.route, kwargs={name: value for name, value in arguments.items() if name in wanted})


def answer(row: Row, world: World, role: str) -> int | str:
    """The status this role gets, with all effects undone; the name of the exception where the view fails."""
    try:
        with nullcontext() if row.is_durable else transaction.atomic():
            body = row.body(world) if row.body else None
            how = {"format": row.format} if row.format else {}
            response = getattr(world.client(role), row.method)(url_of(row, world), body, **how)
            if not row.is_durable:
                transaction.set_rollback(True)
            return int(response.status_code)
    except Exception as error:  # noqa: BLE001 - a view that fails for want of a permission is a mismatch too
        return type(error).__name__


def mismatches(row: Row, world: World, state: str) -> list[str]:
    found = []
    for role in ROLES:
        got, expected = answer(row, world, role), row.expected(role, state)
        if got != expected:
            found.append(f"{row.method.upper()} {row.route} as {role}, course {state}: {got}, not {expected}")
    return found


class TestCoverage:
    def test_every_route_and_method_has_a_row(self) -> None:
        implemented = {(name, method) for name, pattern in routes().items() for method in methods_of(pattern)}
        listed = {(row.route, row.method) for row in MATRIX}
        assert implemented - listed == set(), "add a row to tests/authorization/matrix.py"
        assert listed - implemented == set(), "the table names what is not there"

    def test_control_a_new_route_without_a_row_is_noticed(self, monkeypatch: pytest.MonkeyPatch) -> None:
        class NewView(APIView):
            def get(self, request: Any) -> None: ...

        known = routes()
        sample = next(iter(known.values()))
        sample.callback, kept = NewView.as_view(), sample.callback
        try:
            assert methods_of(sample) == {"get"}
        finally:
            sample.callback = kept
        monkeypatch.setitem(globals(), "routes", lambda: {**known, "brand-new": sample})
        with pytest.raises(AssertionError, match="brand-new"):
            self.test_every_route_and_method_has_a_row()

    def test_no_route_is_listed_twice(self) -> None:
        keys = [(row.route, row.method) for row in MATRIX]
        assert len(keys) == len(set(keys))

    def test_every_view_names_exactly_one_permission(self) -> None:
        views = {view for pattern in routes().values() if (view := view_class(pattern))}
        assert {view.__name__: len(view.permission_classes) for view in views} == {view.__name__: 1 for view in views}


@pytest.mark.django_db
@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("row", MATRIX, ids=lambda row: f"{row.method}-{row.route}")
class TestMatrix:
    def test_each_role_gets_its_answer(self, row: Row, state: str) -> None:
        assert mismatches(row, make_world(state), state) == []


def guarded() -> list[tuple[str, type[APIView], type[BasePermission]]]:
    """Each view with a permission class that guards something."""
    views = {view for pattern in routes().values() if (view := view_class(pattern))}
    return [
        (f"{view.__name__} without {permission.__name__}", view, permission)
        for view in sorted(views, key=lambda view: view.__name__)
        for permission in view.permission_classes
        if isinstance(permission, type) and permission is not AllowAny
    ]


@pytest.mark.django_db
class TestControl:
    """Take away any one permission class, and the matrix has to notice."""

    @pytest.mark.parametrize(("view", "permission"), [case[1:] for case in guarded()], ids=[c[0] for c in guarded()])
    def test_without_its_permission_a_view_answers_differently(
        self, view: type[APIView], permission: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        rest = [other for other in view.permission_classes if other is not permission]
        monkeypatch.setattr(view, "permission_classes", rest)
        rows = [row for row in MATRIX if view_class(routes()[row.route]) is view]
        world = make_world("published")
        assert any(mismatches(row, world, "published") for row in rows)


@pytest.mark.django_db
class TestUnlistedMethods:
    def test_every_other_method_is_refused(self) -> None:
        world = make_world("published")
        for name, pattern in routes().items():
            row = Row(route=name, method="get", statuses=())
            others = set(METHODS) - methods_of(pattern)
            if view_class(pattern) is not None:
                others.add("options")
            for method in others:
                response = getattr(world.client("owner"), method)(url_of(row, world), {})
                assert response.status_code == 405, f"{method} {name}"
