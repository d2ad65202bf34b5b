"""Every page of the admin against every role: the table follows from the registry (law 7, T-03, T-17, T-18)."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.contrib.admin import ModelAdmin
from django.contrib.auth.models import AnonymousUser
from django.db import transaction
from django.db.models import Model
from django.test import Client
from django.urls import reverse
from django.utils.http import urlencode
from pytest_django import Settings

from accounts.models import Organization
from courses.admin import base, scopes, site
from courses.admin.base import ScopedAdmin, ServiceAdmin
from courses.models import Course, Enrollment, Problem
from tests.accounts.factories import UserFactory
from tests.authorization.world import ROLES, World, make_world
from tests.courses.admin_world import PAGES, Page, address, client_of, form_of
from tests.courses.factories import ChapterFactory, CourseFactory, EnrollmentFactory

STAFF = ("assistant", "instructor", "admin", "owner", "superuser")
# Staff of another course of the same organization, besides those of the API's table.
EVERYBODY = (*ROLES, "colleague", "superuser")
IDS = [page.model.__name__ for page in PAGES]
LOGIN = reverse("admin:login")


@pytest.fixture
def world(db: None, settings: Settings) -> World:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    made = make_world("draft")
    other = CourseFactory(organization=made.organization)
    made.users["colleague"] = EnrollmentFactory(course=other, role=Enrollment.Role.INSTRUCTOR).user
    made.users["superuser"] = UserFactory(is_superuser=True)
    return made


def browser(world: World, role: str) -> Client:
    return client_of(AnonymousUser() if role == "anonymous" else world.users[role])


def is_sent_to_login(response: Any) -> bool:
    return bool(response.status_code == 302 and response["Location"].startswith(LOGIN))


def sees(page: Page, role: str) -> bool:
    return role in STAFF and role not in page.hidden_from


def listed(response: Any) -> set[Any]:
    return {row.pk for row in response.context["cl"].result_list}


def enters(role: str) -> bool:
    return role in (*STAFF, "foreign", "colleague")


class TestCoverage:
    def test_every_registered_model_has_a_row(self) -> None:
        assert set(site._registry) == {page.model for page in PAGES}, "add a row to tests/courses/admin_world.py"

    def test_control_a_new_model_is_noticed(self) -> None:
        site.register(Organization, ScopedAdmin)
        try:
            with pytest.raises(AssertionError, match="admin_world"):
                self.test_every_registered_model_has_a_row()
        finally:
            site.unregister(Organization)

    def test_every_page_is_scoped(self) -> None:
        assert all(isinstance(each, ScopedAdmin) for each in site._registry.values())
        assert set(site._registry) <= {*scopes.COURSE_PATHS, *scopes.ORGANIZATION_PATHS}

    def test_nothing_is_deleted_in_bulk(self, rf: Any) -> None:
        request = rf.get("/")
        request.user = UserFactory.build(is_superuser=True)
        assert all("delete_selected" not in each.get_actions(request) for each in site._registry.values())

    def test_what_is_written_is_written_by_services(self) -> None:
        writing = {page.model for page in PAGES if page.is_added or page.is_changed or page.is_deleted}
        assert writing == {model for model, each in site._registry.items() if isinstance(each, ServiceAdmin)}


class TestEntering:
    def test_only_staff_of_a_course(self, world: World) -> None:
        for role in EVERYBODY:
            response = browser(world, role).get(reverse("admin:index"))
            assert response.status_code == 200 if enters(role) else is_sent_to_login(response), role


@contextmanager
def undone() -> Iterator[None]:
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


@pytest.mark.parametrize("page", PAGES, ids=IDS)
class TestMatrix:
    def test_reading(self, world: World, page: Page) -> None:
        row = page.row(world.course)
        got = {role: self.read(browser(world, role), page, row) for role in EVERYBODY}
        assert got == {role: self.expected(page, role) for role in EVERYBODY}

    def expected(self, page: Page, role: str) -> tuple[str, ...]:
        if not enters(role):
            return ("login",) * 3
        if role in (*page.hidden_from, *(("colleague",) if page.hidden_from else ())):
            return ("403", "403", "missing")
        return ("listed", "200", "200") if role in STAFF else ("not listed", "missing", "missing")

    def read(self, client: Client, page: Page, row: Any) -> tuple[str, ...]:
        pages = [client.get(address(page.model, name, row.pk)) for name in ("change", "history")]
        changelist = client.get(address(page.model, "changelist"))
        first = self.told(changelist)
        if first == "200":
            first = "listed" if row.pk in listed(changelist) else "not listed"
        return (first, *map(self.told, pages))

    def told(self, response: Any) -> str:
        if response.status_code != 302:
            return str(response.status_code)
        return "login" if is_sent_to_login(response) else "missing"

    def test_changing(self, world: World, page: Page) -> None:
        row = page.row(world.course)
        before = _stored(row)
        sent = _form(world, page, row)
        changed = set()
        for role in EVERYBODY:
            with undone():
                response = browser(world, role).post(address(page.model, "change", row.pk), sent)
                assert response.status_code in (302, 403), (role, response.context["errors"])
                if _stored(row) != before:
                    changed.add(role)
        assert changed == (set(STAFF) if page.is_changed else set())

    def test_adding(self, world: World, page: Page) -> None:
        may = set(page.added_by or (*STAFF, "colleague")) | {"foreign"} if page.is_added else set()
        for role in EVERYBODY:
            response = browser(world, role).get(address(page.model, "add"))
            if role not in may:
                assert is_sent_to_login(response) or response.status_code == 403, role
                continue
            assert response.status_code == 200, role
            fields = response.context["adminform"].form.fields
            for name in {"course", "group", "organization"} & set(fields):
                offered = fields[name].queryset
                assert set(offered) == set(scopes.scoped(offered.model, world.users[role])), (role, name)

    def test_deleting(self, world: World, page: Page) -> None:
        row = page.row(world.course)
        deleted = set()
        for role in EVERYBODY:
            with undone():
                response = browser(world, role).post(address(page.model, "delete", row.pk), {"post": "yes"})
                assert response.status_code in (302, 403), role
                if not type(row).objects.filter(pk=row.pk).exists():
                    deleted.add(role)
        assert deleted == (set(STAFF) if page.is_deleted else set())


def _stored(row: Any) -> dict[str, Any]:
    return dict(type(row).objects.filter(pk=row.pk).values().get())


def _form(world: World, page: Page, row: Model) -> dict[str, Any]:
    """What would be a change, as the course's owner would send it."""
    if not page.is_changed:
        return {"title": "Renamed", "status": "solved", "score": "1", "action": "x", "uses_max": "7"}
    sent = form_of(client_of(world.users["owner"]).get(address(page.model, "change", row.pk)))
    name = next(name for name in ("title", "name", "role") if name in sent)
    return {**sent, name: "assistant" if name == "role" else "Renamed"}


class TestControls:
    """Without the scope, a foreigner reads and changes what is not theirs."""

    def test_a_foreigner_would_see_everything(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(base, "scoped", lambda model, user: model._default_manager.all())
        client = browser(world, "foreign")
        assert world.course.pk in listed(client.get(address(Course, "changelist")))
        assert client.get(address(Course, "change", world.course.pk)).status_code == 200
        sent = form_of(client.get(address(Course, "change", world.course.pk)))
        client.post(address(Course, "change", world.course.pk), {**sent, "title": "Taken"})
        world.course.refresh_from_db()
        assert world.course.title == "Taken"

    def test_a_student_would_enter(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(type(site), "has_permission", lambda self, request: True)
        assert browser(world, "student").get(reverse("admin:index")).status_code == 200


@pytest.mark.parametrize("role", ["foreign", "colleague"])
class TestSideDoors:
    def test_filters_offer_nothing_foreign(self, world: World, role: str) -> None:
        world.course.title = "canary"
        world.course.save()
        for page in PAGES:
            response = browser(world, role).get(address(page.model, "changelist"))
            assert b"canary" not in response.content

    def test_no_lookup_reaches_further(self, world: World, role: str) -> None:
        client = browser(world, role)
        for query in (
            f"?course__id__exact={world.course.pk}",
            f"?id__in={world.problem.pk}",
            f"?q={world.problem.slug}",
            f"?id__exact={world.problem.pk}",
        ):
            response = client.get(address(Problem, "changelist") + query)
            assert response.status_code == 302 or world.problem.pk not in listed(response)

    def test_actions_reach_no_foreign_rows(self, world: World, role: str) -> None:
        client = browser(world, role)
        for model, row in ((Course, world.course), (Problem, world.problem)):
            before = row.status
            sent = {"action": "archive", "_selected_action": [row.pk]}
            client.post(address(model, "changelist"), sent)
            row.refresh_from_db()
            assert row.status == before

    def test_a_foreign_choice_is_no_choice(self, world: World, role: str) -> None:
        sent = {"course": world.course.pk, "title": "Mine now", "status": "published"}
        response = browser(world, role).post(address(ChapterFactory._meta.model, "add"), sent)
        assert response.context["adminform"].form.errors.get_json_data()["course"][0]["code"] == "invalid_choice"

    def test_the_preview_and_the_files_are_staffs(self, world: World, role: str) -> None:
        client = browser(world, role)
        assert client.get(reverse("admin:courses_problem_preview", args=[world.problem.pk])).status_code == 302
        response = client.get(reverse("admin:courses_problem_export") + f"?course={world.course.pk}&format=csv")
        assert response.status_code == 404

    def test_autocompletion_is_scoped(self, world: World, role: str) -> None:
        query = {"app_label": "courses", "model_name": "chapterproblem", "field_name": "problem", "term": ""}
        response = browser(world, role).get(reverse("admin:autocomplete") + "?" + urlencode(query))
        found = {int(each["id"]) for each in response.json()["results"]} if response.status_code == 200 else set()
        assert world.problem.pk not in found


class TestStayingOut:
    def test_whoever_is_staff_no_more_is_out_at_once(self, world: World) -> None:
        client = browser(world, "instructor")
        assert client.get(reverse("admin:index")).status_code == 200
        Enrollment.objects.filter(user=world.users["instructor"]).update(role=Enrollment.Role.STUDENT)
        assert is_sent_to_login(client.get(reverse("admin:index")))

    def test_passwords_are_changed_elsewhere(self, world: World) -> None:
        assert browser(world, "owner").get("/admin/password_change/").status_code == 404


def test_no_admin_class_writes_rows_itself() -> None:
    """`save_model` and `delete_model` are the services' doors."""
    for each in site._registry.values():
        kind = type(each)
        if isinstance(each, ServiceAdmin):
            assert kind.delete_model is ServiceAdmin.delete_model
            assert kind.delete_queryset is ModelAdmin.delete_queryset
