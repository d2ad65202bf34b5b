"""The admin as an instructor uses it: everything goes through the services, and refusals are told in the form."""

from importlib import import_module
from typing import Any

import pytest
from django.contrib.admin import ModelAdmin
from django.contrib.auth.hashers import make_password
from django.contrib.messages import get_messages
from django.contrib.staticfiles import finders
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from pytest_django import Settings

from accounts.models import AuditEvent, User
from accounts.services import throttle
from courses.admin import problems as problem_admin
from courses.admin.base import ServiceAdmin
from courses.exchange.importing import problem_rows
from courses.models import (
    AlgorithmProblem,
    Chapter,
    ChapterProblem,
    ChoiceProblem,
    Course,
    Enrollment,
    Invitation,
    Problem,
    TestCase,
    TestSet,
)
from tests.courses.admin_world import PAGES, address, client_of, form_of
from tests.courses.conftest import World
from tests.courses.factories import ChapterProblemFactory, ChoiceProblemFactory, PracticeAnswerFactory, ProblemFactory
from tests.courses.refusals import ApiAs

PASSWORD = "correct horse battery staple"
LOGIN = "/admin/login/"
LIMITS = {"time_limit_ms": "1000", "memory_limit_mb": "64", "checker": "tokens", "value_encoding": "json"}


@pytest.fixture
def browser(world: World) -> Client:
    return client_of(world.instructor)


def actions_of(user: User) -> list[str]:
    return list(AuditEvent.objects.filter(actor=user).order_by("pk").values_list("action", flat=True))


def messages_of(response: Any) -> list[str]:
    return [str(message) for message in get_messages(response.wsgi_request)]


def opened(client: Client, row: Any) -> dict[str, Any]:
    return form_of(client.get(address(type(row), "change", row.pk)))


def saved(client: Client, row: Any, sent: dict[str, Any]) -> Any:
    return client.post(address(type(row), "change", row.pk), sent)


def errors_in(response: Any) -> dict[str, list[str]]:
    """The codes of a refused form by field."""
    assert response.status_code == 200
    data = response.context["adminform"].form.errors.get_json_data()
    return {name: [fault["code"] for fault in faults] for name, faults in data.items()}


class TestSigningIn:
    @pytest.fixture(autouse=True)
    def instructor(self, world: World, settings: Settings) -> User:
        settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
        for user in (world.instructor, world.student):
            user.password = make_password(PASSWORD)
            user.save()
        return world.instructor

    def sign_in(self, user: User, password: str = PASSWORD) -> Any:
        return Client().post(LOGIN + "?next=/admin/", {"username": user.email, "password": password})

    def test_staff_come_in(self, world: World) -> None:
        response = self.sign_in(world.instructor)
        assert (response.status_code, response["Location"]) == (302, "/admin/")

    def test_others_are_told_what_a_wrong_password_is_told(self, world: World) -> None:
        as_student, wrong = self.sign_in(world.student), self.sign_in(world.instructor, "wrong")
        assert as_student.context["form"].non_field_errors() == wrong.context["form"].non_field_errors()
        assert "_auth_user_id" not in as_student.client.session

    def test_wrong_passwords_count_together_with_those_of_the_api(self, world: World, anonymous_api: Any) -> None:
        for _ in range(5):
            self.sign_in(world.instructor, "wrong")
        assert self.sign_in(world.instructor).context["form"].errors.get_json_data()["__all__"][0]["code"] == (
            "password_throttled"
        )
        sent = {"username": world.instructor.email, "password": PASSWORD}
        assert anonymous_api.post("/api/v1/auth/token/", sent).status_code == 429

    def test_control_without_counting_one_may_go_on(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(import_module("courses.admin.site"), "password_try_count", lambda **how: None)
        for _ in range(5):
            self.sign_in(world.instructor, "wrong")
        assert self.sign_in(world.instructor).status_code == 302

    def test_the_right_password_starts_the_count_anew(self, world: World) -> None:
        for _ in range(3):
            for _ in range(4):
                self.sign_in(world.instructor, "wrong")
            assert self.sign_in(world.instructor).status_code == 302
        assert throttle.LoginFailure.objects.get().count == 0


class TestPages:
    def test_every_page_opens(self, world: World) -> None:
        client = client_of(world.owner)
        assert client.get("/admin/").status_code == 200
        for page in PAGES:
            row = page.row(world.course)
            assert client.get(address(page.model, "changelist") + "?q=a").status_code == 200
            assert client.get(address(page.model, "change", row.pk)).status_code == 200
            if page.is_added:
                assert client.get(address(page.model, "add")).status_code == 200

    def test_nothing_comes_from_elsewhere_and_no_script_is_inline(self, world: World, browser: Client) -> None:
        response = browser.get(address(Problem, "change", world.problem.pk))
        text = response.content.decode()
        assert "default-src 'self'" in response["Content-Security-Policy"]
        assert "<script>" not in text
        assert not [word for word in ('src="http', 'href="http', "onclick=") if word in text]
        assert finders.find("admin/css/base.css")

    @pytest.mark.parametrize("page", PAGES, ids=lambda page: page.model.__name__)
    def test_lists_cost_the_same_for_few_and_many(self, world: World, page: Any) -> None:
        client = client_of(world.owner)

        def counted() -> int:
            with CaptureQueriesContext(connection) as queries:
                response = client.get(address(page.model, "changelist"))
            assert response.status_code == 200
            return len(queries)

        def more(rows: int) -> None:
            for _ in range(rows):
                page.row(world.course)

        more(3)
        counted()
        few = counted()
        more(20)
        assert counted() == few <= 25


class TestSaving:
    def test_a_course(self, world: World, browser: Client) -> None:
        sent = opened(browser, world.course) | {"title": "Renamed"}
        assert saved(browser, world.course, sent).status_code == 302
        world.course.refresh_from_db()
        assert world.course.title == "Renamed"
        event = AuditEvent.objects.get(actor=world.instructor)
        assert (event.action, list(event.changes)) == ("course.update", ["title"])

    def test_what_was_not_changed_is_not_written(self, world: World, browser: Client) -> None:
        Course.objects.filter(pk=world.course.pk).update(description="one\ntwo\r\nthree")
        assert saved(browser, world.course, opened(browser, world.course)).status_code == 302
        world.course.refresh_from_db()
        assert world.course.description == "one\ntwo\r\nthree"
        assert actions_of(world.instructor) == []

    def test_a_refusal_stands_in_the_form_and_nothing_is_written(self, world: World, browser: Client) -> None:
        past = {"published_from_0": "2020-01-01", "published_from_1": "00:00:00"}
        sent = opened(browser, world.course) | {"title": "Renamed"} | past
        assert errors_in(saved(browser, world.course, sent)) == {"published_from": ["in_the_past"]}
        world.course.refresh_from_db()
        assert (world.course.title, world.course.published_from) == (
            "Course 0",
            None,
        ) or world.course.title != "Renamed"
        assert actions_of(world.instructor) == []

    def test_owners_add_courses(self, world: World) -> None:
        sent = {
            "organization": world.organization.pk,
            **{"title": "New", "slug": "new", "status": "draft", "late_policy": "none", "late_percent_per_day": "10"},
        }
        response = client_of(world.owner).post(address(Course, "add"), sent)
        assert response.status_code == 302
        assert Course.objects.get(slug="new").organization == world.organization
        assert actions_of(world.owner) == ["course.create"]

    def test_enrolling(self, world: World, browser: Client) -> None:
        add = address(Enrollment, "add")
        sent = {"course": world.course.pk, "person": world.member.email, "role": "student"}
        assert browser.post(add, sent).status_code == 302
        assert Enrollment.objects.get(user=world.member).role == "student"
        assert errors_in(browser.post(add, sent | {"person": "nobody"})) == {"person": ["user_unknown"]}
        assert list(errors_in(browser.post(add, sent))) == ["__all__"]

    def test_invitations_are_made_and_revoked(self, world: World, browser: Client) -> None:
        assert browser.post(address(Invitation, "add"), {"course": world.course.pk}).status_code == 302
        invitation = Invitation.objects.get()
        browser.post(address(Invitation, "changelist"), {"action": "revoke", "_selected_action": [invitation.pk]})
        invitation.refresh_from_db()
        assert invitation.revoked_at is not None


class TestChapters:
    def test_problems_are_placed_ordered_and_taken_out(self, world: World, browser: Client) -> None:
        second, third = ProblemFactory.create_batch(2, course=world.course)
        ChapterProblemFactory(chapter=world.chapter, problem=second)
        sent = opened(browser, world.chapter)
        sent |= {"placements-0-place": "2", "placements-1-place": "1", "placements-2-problem": third.pk}
        assert saved(browser, world.chapter, sent).status_code == 302
        assert self.placed(world.chapter) == [second, world.problem, third]
        sent = opened(browser, world.chapter) | {"placements-0-DELETE": "on"}
        assert saved(browser, world.chapter, sent).status_code == 302
        assert self.placed(world.chapter) == [world.problem, third]
        assert actions_of(world.instructor)[-1] == "chapterproblem.remove"

    def placed(self, chapter: Chapter) -> list[Problem]:
        rows = ChapterProblem.objects.filter(chapter=chapter).order_by("position").select_related("problem")
        return [row.problem for row in rows]

    def test_its_page_costs_the_same_for_few_and_many(self, world: World, browser: Client) -> None:
        def counted() -> int:
            with CaptureQueriesContext(connection) as queries:
                browser.get(address(Chapter, "change", world.chapter.pk))
            return len(queries)

        few = counted()
        ChapterProblemFactory.create_batch(20, chapter=world.chapter)
        assert counted() == few

    def test_only_problems_of_the_course_are_offered(self, world: World, browser: Client) -> None:
        response = browser.get(address(Chapter, "change", world.chapter.pk))
        (inline,) = response.context["inline_admin_formsets"]
        assert set(inline.formset.empty_form.fields["problem"].queryset) == {world.problem, world.draft}


class TestProblems:
    @pytest.mark.parametrize(
        ("kind", "part"),
        [
            (
                "algorithm",
                LIMITS,
            ),
            ("choice", {"options": '["a", "b"]', "answers": "B", "scoring": "all_or_nothing"}),
            ("fillblank", {"text": "{{1}}", "blanks": '[{"accepted": ["canary"]}]'}),
        ],
    )
    def test_each_type_is_added(self, world: World, browser: Client, kind: str, part: dict[str, str]) -> None:
        sent = {"course": world.course.pk, "title": "New", "slug": "new", "difficulty": "2"}
        sent |= {"audience": "course", "status": "draft", "statement": "a\r\nb", **part}
        response = browser.post(address(Problem, "add") + f"?type={kind}", sent)
        assert response.status_code == 302, errors_in(response)
        made = Problem.objects.get(slug="new")
        assert (made.type, made.difficulty, made.statement) == (kind, 2, "a\nb")
        assert hasattr(made, kind)
        assert actions_of(world.instructor) == ["problem.create"]

    @pytest.mark.parametrize(
        ("changed", "fields"),
        [
            ({"languages": '{"a": 1}'}, {"languages"}),
            ({"languages": '["nonsense"]'}, {"languages"}),
            ({"time_limit_ms": "1"}, {"time_limit_ms"}),
            ({"slug": "not a slug"}, {"slug"}),
            ({"checker_options": "[" * 5000}, {"checker_options"}),
        ],
    )
    def test_refusals_name_the_field(
        self, world: World, browser: Client, changed: dict[str, str], fields: set[str]
    ) -> None:
        sent = opened(browser, world.problem) | {"title": "Renamed"} | changed
        assert set(errors_in(saved(browser, world.problem, sent))) == fields
        assert not Problem.objects.filter(title="Renamed").exists()

    def test_the_key_of_a_choice_is_changed(self, world: World, browser: Client) -> None:
        problem = ChoiceProblemFactory(problem__course=world.course).problem
        assert saved(browser, problem, opened(browser, problem) | {"answers": "A, B"}).status_code == 302
        assert ChoiceProblem.objects.get(problem=problem).answers == "AB"
        event = AuditEvent.objects.get(actor=world.instructor)
        assert event.changes == {"choice.answers": ["(not quoted)", "(not quoted)"]}

    def test_one_with_answers_is_not_deleted(self, world: World, browser: Client) -> None:
        problem = PracticeAnswerFactory(problem=ChoiceProblemFactory(problem__course=world.course).problem).problem
        response = browser.post(address(Problem, "delete", problem.pk), {"post": "yes"}, follow=True)
        assert Problem.objects.filter(pk=problem.pk).exists()
        assert any("archive it instead" in message for message in messages_of(response))

    def test_the_statement_is_shown_sanitized(self, world: World, browser: Client) -> None:
        Problem.objects.filter(pk=world.problem.pk).update(statement="**bold** <script>alert(1)</script>")
        text = browser.get(address(Problem, "change", world.problem.pk)).content.decode()
        assert "<strong>bold</strong>" in text
        assert "<script>alert" not in text

    def test_the_preview_holds_what_a_student_gets(self, world: World, browser: Client, api_as: ApiAs) -> None:
        hidden = TestCase.objects.filter(test_set__problem=world.problem, is_sample=False)
        assert hidden.update(expected_output="forty-two")
        response = browser.get(reverse("admin:courses_problem_preview", args=[world.problem.pk]))
        student = api_as(world.student).get(f"/api/v1/problems/{world.problem.pk}/").json()
        assert dict(response.context["problem"]) == student
        assert "forty-two" not in response.content.decode()


class TestTests:
    def sent(self, world: World, browser: Client) -> dict[str, Any]:
        return opened(browser, world.problem)

    def test_saving_them_as_they_are_makes_no_version(self, world: World, browser: Client) -> None:
        assert saved(browser, world.problem, self.sent(world, browser)).status_code == 302
        assert world.problem.test_sets.count() == 1
        assert actions_of(world.instructor) == []

    def test_changing_one_makes_the_next_version(self, world: World, browser: Client) -> None:
        sent = self.sent(world, browser) | {"tests-1-input": "5\r\n", "tests-1-expected_output": "10\r\n"}
        assert saved(browser, world.problem, sent).status_code == 302
        first, second = world.problem.test_sets.order_by("version")
        assert self.texts(first) == [("2\n", "4\n"), ("21\n", "42\n")]
        assert self.texts(second) == [("2\n", "4\n"), ("5\n", "10\n")]
        assert "testset.create" in actions_of(world.instructor)
        world.problem.refresh_from_db()
        assert world.problem.status == Problem.Status.PUBLISHED

    def texts(self, test_set: TestSet) -> list[tuple[str, str | None]]:
        return list(test_set.test_cases.order_by("order").values_list("input", "expected_output"))

    def test_adding_removing_and_accepting_any_output(self, world: World, browser: Client) -> None:
        sent = self.sent(world, browser)
        sent |= {"tests-0-DELETE": "on", "tests-1-accepts_any": "on", "tests-2-input": "7", "tests-2-weight": "2"}
        sent |= {"tests-2-expected_output": "14"}
        assert saved(browser, world.problem, sent).status_code == 302
        newest = world.problem.test_sets.order_by("-version")[0]
        assert self.texts(newest) == [("21\n", None), ("7", "14")]

    def test_what_does_not_fit_is_refused_as_a_whole(self, world: World, browser: Client) -> None:
        sent = self.sent(world, browser)
        sent |= {"title": "Renamed", "tests-0-group": "nowhere", "tests-0-weight": "3"}
        assert errors_in(saved(browser, world.problem, sent)) == {"__all__": ["unknown_group"]}
        assert world.problem.test_sets.count() == 1
        assert not Problem.objects.filter(title="Renamed").exists()

    def test_control_without_one_transaction_half_is_written(
        self, world: World, browser: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def rewrite(*, changes: Any, tests: Any, based_on: Any, **who: Any) -> None:
            problem_admin.services.problem_update(**who, **changes)
            problem_admin.services.testset_create(**who, test_cases=tests.test_cases)

        monkeypatch.setattr(problem_admin, "problem_rewrite", rewrite)
        monkeypatch.setattr(ServiceAdmin, "changeform_view", ModelAdmin._changeform_view)  # type: ignore[attr-defined]
        sent = self.sent(world, browser) | {"title": "Renamed", "tests-0-group": "nowhere"}
        with pytest.raises(Exception, match="group"):
            saved(browser, world.problem, sent)
        assert Problem.objects.filter(title="Renamed").exists()

    def test_a_page_of_an_older_version_overwrites_nothing(self, world: World, browser: Client) -> None:
        sent = self.sent(world, browser) | {"tests-0-weight": "3"}
        newer = self.sent(world, browser) | {"tests-0-weight": "2"}
        assert saved(browser, world.problem, newer).status_code == 302
        assert saved(browser, world.problem, sent).status_code == 200
        assert world.problem.test_sets.count() == 2

    def test_how_it_is_called_changes_with_its_tests(self, world: World, browser: Client) -> None:
        sent = self.sent(world, browser) | {"entry_point": "solve", "languages": '["python"]'}
        assert saved(browser, world.problem, sent).status_code == 200
        sent |= {"tests-0-input": "[1]", "tests-0-expected_output": "2"}
        sent |= {"tests-1-input": "[2]", "tests-1-expected_output": "4"}
        response = saved(browser, world.problem, sent)
        assert response.status_code == 302, errors_in(response)
        assert AlgorithmProblem.objects.get(problem=world.problem).entry_point == "solve"

    def test_too_many_are_not_offered(self, world: World, browser: Client, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("courses.admin.tests_inline.TESTS_MAX", 1)
        response = browser.get(address(Problem, "change", world.problem.pk))
        assert response.context["inline_admin_formsets"] == []


class TestBulk:
    def test_each_row_is_reported(self, world: World, browser: Client) -> None:
        empty = ProblemFactory(course=world.course, status="draft")
        sent = {"action": "publish", "_selected_action": [world.draft.pk, empty.pk]}
        response = browser.post(address(Problem, "changelist"), sent, follow=True)
        world.draft.refresh_from_db()
        empty.refresh_from_db()
        assert (world.draft.status, empty.status) == ("published", "draft")
        told = messages_of(response)
        assert f"{world.draft}: published" in told
        assert any(str(empty) in message and "give it tests first" in message for message in told)

    @pytest.mark.parametrize(("action", "status"), [("publish", "published"), ("archive", "archived")])
    def test_courses(self, world: World, browser: Client, action: str, status: str) -> None:
        browser.post(address(Course, "changelist"), {"action": action, "_selected_action": [world.course.pk]})
        world.course.refresh_from_db()
        assert world.course.status == status


class TestTables:
    address = "/admin/courses/problem/import/"

    def sent(self, world: World, data: bytes, **more: str) -> dict[str, Any]:
        file = SimpleUploadedFile("problems.csv", data)
        return {"course": world.course.pk, "file": file, "on_existing": "refuse", **more}

    def test_a_dry_run_and_then_in_earnest(self, world: World, browser: Client) -> None:
        assert browser.get(self.address).status_code == 200
        data = b"slug,title\nnew,New\n"
        response = browser.post(self.address, self.sent(world, data, dry_run="on"))
        assert response.context["report"]["totals"]["created"] == 1
        assert not Problem.objects.filter(slug="new").exists()
        browser.post(self.address, self.sent(world, data))
        assert Problem.objects.get(slug="new").course == world.course

    def test_errors_are_listed(self, world: World, browser: Client) -> None:
        response = browser.post(self.address, self.sent(world, b"slug,title,difficulty\nnew,New,9\n"))
        assert b"invalid_choice" in response.content
        response = browser.post(self.address, self.sent(world, b"nonsense\n1\n"))
        assert response.context["form"].errors["file"]
        assert not Problem.objects.filter(slug="new").exists()

    def test_no_foreign_course(self, world: World, browser: Client) -> None:
        sent = self.sent(world, b"slug,title\nnew,New\n") | {"course": world.foreign_course.pk}
        assert browser.post(self.address, sent).context["form"].errors["course"]

    def test_exported(self, world: World, browser: Client) -> None:
        response = browser.get(f"/admin/courses/problem/export/?course={world.course.pk}&format=csv")
        assert {row["slug"] for row in problem_rows(response.content)} == {world.problem.slug, world.draft.slug}


class TestCanaries:
    def test_others_read_none(self, world: World) -> None:
        Problem.objects.filter(pk=world.problem.pk).update(title="canary-title", author_notes="canary-notes")
        Course.objects.filter(pk=world.course.pk).update(title="canary-course")
        client = client_of(world.foreign_owner)
        for page in PAGES:
            row = page.row(world.course)
            for name, arguments in (("changelist", ()), ("change", (row.pk,)), ("history", (row.pk,)), ("add", ())):
                response = client.get(address(page.model, name, *arguments), follow=True)
                assert b"canary" not in response.content, (page.model, name)
        assert b"canary" in client_of(world.owner).get(address(Problem, "changelist")).content
