"""Enrolling a whole roster: over the API, by the command, and at what price."""

import io
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.models import AuditEvent, Membership, User
from core.errors import NotFound
from core.spreadsheets import xlsx_file
from courses import services
from courses.errors import RosterRefused
from courses.models import Course, CourseGroup, Enrollment, ProblemProgress
from courses.rules import roster as rules
from courses.services import roster
from courses.services.roster import RosterReport, roster_rows
from tests.accounts.factories import UserFactory
from tests.courses.conftest import World
from tests.courses.factories import CourseGroupFactory, EnrollmentFactory, ProblemFactory
from tests.courses.refusals import ApiAs, faults, refusal, refused

V1 = "/api/v1"
STATEMENTS_MAX = 60


def users(count: int, start: int = 0) -> list[User]:
    """So many users, made in bulk: their passwords are none."""
    return User.objects.bulk_create(
        [
            User(username=f"student{n}", email=f"student{n}@example.org", password="!")
            for n in range(start, start + count)
        ]
    )


def imported(world: World, *rows: Mapping[str, str], **more: Any) -> RosterReport:
    options: dict[str, Any] = {"actor": world.owner, "is_dry_run": False, **more}
    return services.roster_import(course_id=world.course.pk, rows=rows, **options)


def told(report: RosterReport) -> list[str]:
    return [line.code or line.outcome for line in report.rows]


def places(world: World) -> dict[str, tuple[str, str | None, bool]]:
    rows = Enrollment.objects.filter(course=world.course).select_related("user", "group")
    return {row.user.username: (row.role, row.group.name if row.group else None, row.left_at is None) for row in rows}


def everything() -> list[Any]:
    models = (Enrollment, CourseGroup, Membership, AuditEvent)
    return [list(model._default_manager.order_by("pk").values()) for model in models]


def csv(*lines: str, name: str = "roster.csv") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, "\r\n".join(lines).encode())


def upload(api: APIClient, world: World, file: SimpleUploadedFile | None = None, /, **fields: Any) -> Any:
    body = fields if file is None else {"file": file, **fields}
    return api.post(f"{V1}/courses/{world.course.pk}/roster/", body, format="multipart")


class TestEffects:
    @pytest.fixture
    def rows(self, world: World) -> tuple[dict[str, str], ...]:
        """One row for each outcome that writes, and one that changes nothing."""
        UserFactory(username="new", email="new@example.org")
        EnrollmentFactory(course=world.course, user__username="gone", role="instructor", left_at=timezone.now())
        EnrollmentFactory(course=world.course, user__username="moved")
        group = CourseGroupFactory(course=world.course, name="A")
        EnrollmentFactory(course=world.course, user__username="same", group=group)
        return (
            {"user": "NEW@example.org", "role": "", "group": "B"},
            {"user": "gone", "role": "assistant", "group": "A"},
            {"user": "moved", "role": "student", "group": "B"},
            {"user": "same", "role": "", "group": ""},
        )

    def test_each_outcome(self, world: World, rows: tuple[dict[str, str], ...]) -> None:
        report = imported(world, *rows)
        assert told(report) == ["enrolled", "revived", "changed", "unchanged"]
        assert report.is_written
        assert report.totals == {"enrolled": 1, "revived": 1, "changed": 1, "unchanged": 1, "error": 0}
        assert [line.row for line in report.rows] == [1, 2, 3, 4]
        assert places(world) == {
            **places(world),
            "new": ("student", "B", True),
            "gone": ("assistant", "A", True),
            "moved": ("student", "B", True),
            "same": ("student", "A", True),
        }
        assert CourseGroup.objects.filter(course=world.course).count() == 2

    def test_again_changes_nothing(self, world: World, rows: tuple[dict[str, str], ...]) -> None:
        imported(world, *rows)
        before = everything()
        assert told(imported(world, *rows)) == ["unchanged"] * 4
        assert everything() == before

    def test_members_of_the_organization(self, world: World) -> None:
        stranger = UserFactory(username="stranger")
        imported(world, {"user": "stranger"}, {"user": world.member.username}, {"user": world.admin.username})
        roles = dict(Membership.objects.filter(organization=world.organization).values_list("user_id", "role"))
        assert (roles[stranger.pk], roles[world.member.pk], roles[world.admin.pk]) == ("member", "member", "admin")

    def test_a_dry_run_tells_the_same_and_writes_nothing(self, world: World, rows: tuple[dict[str, str], ...]) -> None:
        before = everything()
        dry = imported(world, *rows, {"user": "nobody"}, is_dry_run=True)
        assert everything() == before
        assert not dry.is_written
        wet = imported(world, *rows, {"user": "nobody"}, skips_errors=True)
        assert (dry.rows, dry.totals) == (wet.rows, wet.totals)

    def test_what_was_there_stays(self, world: World, rows: tuple[dict[str, str], ...]) -> None:
        before = Enrollment.objects.get(user__username="gone")
        imported(world, *rows)
        after = Enrollment.objects.get(user__username="gone")
        assert (after.pk, after.created_at) == (before.pk, before.created_at)
        assert after.updated_at > before.updated_at

    def test_who_is_concerned_has_a_new_token_and_nobody_else(
        self, world: World, rows: tuple[dict[str, str], ...]
    ) -> None:
        def tokens() -> dict[str, Any]:
            return dict(Enrollment.objects.values_list("user__username", "cache_token"))

        before = tokens()
        imported(world, *rows)
        after = tokens()
        replaced = {name for name, token in before.items() if after[name] != token}
        assert replaced == {"gone", "moved"}
        assert len(set(after.values())) == len(after)

    def test_one_record_names_them_all(self, world: World, rows: tuple[dict[str, str], ...]) -> None:
        imported(world, *rows)
        ids = dict(User.objects.values_list("username", "pk"))
        event = AuditEvent.objects.get()
        assert (event.action, event.actor, event.target_id) == ("enrollment.import", world.owner, str(world.course.pk))
        assert event.changes["enrolled"] == [None, {str(ids["new"]): ["student", "B"]}]
        assert event.changes["revived"] == [
            {str(ids["gone"]): ["instructor", None]},
            {str(ids["gone"]): ["assistant", "A"]},
        ]
        assert event.changes["changed"] == [
            {str(ids["moved"]): ["student", None]},
            {str(ids["moved"]): ["student", "B"]},
        ]
        assert set(event.changes["new_members"][1]) == {ids["new"], ids["gone"], ids["moved"]}

    def test_missing(self, world: World) -> None:
        with pytest.raises(NotFound):
            services.roster_import(actor=world.owner, course_id=10**6, rows=[{"user": "x"}], is_dry_run=True)


class TestErrors:
    def test_one_keeps_all_from_being_written(self, world: World) -> None:
        before = everything()
        rows = [{"user": world.member.username}, {"user": "nobody"}, {"user": world.owner.username}]
        with pytest.raises(RosterRefused) as caught:
            imported(world, *rows)
        assert everything() == before
        members = caught.value.members
        assert members["totals"] == {"enrolled": 1, "revived": 0, "changed": 0, "unchanged": 0, "error": 2}
        assert [row["code"] for row in members["rows"]] == [None, "user_unknown", "own_account"]

    def test_skipped_the_others_are_written(self, world: World) -> None:
        report = imported(world, {"user": world.member.username}, {"user": "nobody"}, skips_errors=True)
        assert (report.is_written, told(report)) == (True, ["enrolled", "user_unknown"])
        assert places(world)[world.member.username] == ("student", None, True)

    def test_a_group_of_a_row_left_out_is_not_made(self, world: World) -> None:
        imported(world, {"user": "nobody", "group": "Ghosts"}, skips_errors=True)
        assert not CourseGroup.objects.exists()
        assert not AuditEvent.objects.exists()

    def test_staff_are_not_made_students(self, world: World) -> None:
        rows = ({"user": world.assistant.username, "role": "student"}, {"user": world.instructor.username, "role": ""})
        assert told(imported(world, *rows, skips_errors=True)) == ["is_staff", "unchanged"]
        assert places(world)[world.assistant.username] == ("assistant", None, True)

    def test_seats(self, world: World) -> None:
        Course.objects.filter(pk=world.course.pk).update(capacity=3)
        rows = [{"user": user.username} for user in users(4)]
        assert told(imported(world, *rows, skips_errors=True)) == ["enrolled"] * 2 + ["course_full"] * 2
        assert Enrollment.objects.seated().filter(course=world.course).count() == 3
        assert told(imported(world, *rows, skips_errors=True)) == ["unchanged"] * 2 + ["course_full"] * 2

    def test_control_uncounted_seats_overshoot(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(roster, "seats_left", lambda course: None)
        with pytest.raises(AssertionError):
            self.test_seats(world)

    def test_the_record_and_the_rows_go_together(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        before = everything()

        def fail(**kwargs: Any) -> None:
            raise RuntimeError("no audit")

        monkeypatch.setattr(roster, "audit_record", fail)
        with pytest.raises(RuntimeError):
            imported(world, {"user": world.member.username, "group": "A"})
        assert everything() == before

    @pytest.mark.parametrize(
        ("columns", "codes"),
        [
            (["user", "phone", "age"], ["unknown_column", "unknown_column"]),
            (["role"], ["column_missing"]),
            (["user", "USER"], ["header_repeated"]),
        ],
    )
    def test_columns(self, world: World, columns: list[str], codes: list[str]) -> None:
        with refused(*(("#/file", code) for code in codes)):
            imported(world, dict.fromkeys(columns, "x"), skips_errors=True)


class TestBounds:
    def statements(self, world: World, rows: Sequence[Mapping[str, str]]) -> int:
        with CaptureQueriesContext(connection) as queries:
            report = imported(world, *rows)
        assert report.totals["error"] == 0
        return len(queries)

    def test_ten_thousand_rows_cost_a_bounded_number_of_statements(self, world: World) -> None:
        people = users(10_000)
        EnrollmentFactory(course=world.course, user=people[5000], left_at=timezone.now())
        rows = [{"user": user.email, "group": f"Group {n % 20}"} for n, user in enumerate(people)]
        assert self.statements(world, rows) <= STATEMENTS_MAX
        assert Enrollment.objects.seated().filter(course=world.course).count() == 10_001
        moved = [{"user": user.username, "group": "All"} for user in people]
        assert self.statements(world, moved) <= STATEMENTS_MAX
        assert CourseGroup.objects.get(name="All").enrollments.count() == 10_000

    def test_as_many_statements_for_a_hundred_rows_as_for_a_thousand(self, world: World) -> None:
        counts = [
            self.statements(world, [{"user": user.username, "group": f"{count}"} for user in users(count, count)])
            for count in (100, 1000)
        ]
        assert counts[0] == counts[1] <= STATEMENTS_MAX

    def test_control_row_by_row_it_is_noticed(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(roster, "BATCH_ROWS", 1)
        rows = [{"user": user.username} for user in users(20)]
        assert self.statements(world, rows) > STATEMENTS_MAX

    def test_batches_make_no_difference(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(roster, "BATCH_ROWS", 7)
        people = users(50)
        for user in people[::3]:
            EnrollmentFactory(course=world.course, user=user, left_at=timezone.now())
        report = imported(world, *({"user": user.username, "group": f"G{user.pk % 5}"} for user in people))
        assert report.totals == {"enrolled": 33, "revived": 17, "changed": 0, "unchanged": 0, "error": 0}
        assert all(places(world)[user.username] == ("student", f"G{user.pk % 5}", True) for user in people)

    def test_no_progress_comes_of_a_roster_or_of_problems(self, world: World) -> None:
        """Progress rows come into being by need, never by a loop over a course."""
        imported(world, *({"user": user.username} for user in users(1000)))
        ProblemFactory.create_batch(50, course=world.course)
        assert Enrollment.objects.filter(course=world.course).count() > 1000
        assert not ProblemProgress.objects.exists()


class TestFiles:
    def test_a_dry_run_unless_told_otherwise(self, world: World, api_as: ApiAs) -> None:
        api = api_as(world.assistant)
        lines = ("\ufeffuser;role;group", f"{world.member.email};;A", "", "nobody;student;")
        report = upload(api, world, csv(*lines))
        assert report.status_code == 200
        assert report.json() == {
            "is_written": False,
            "totals": {"enrolled": 1, "revived": 0, "changed": 0, "unchanged": 0, "error": 1},
            "rows": [
                {"row": 1, "user": world.member.email, "outcome": "enrolled", "code": None, "detail": None},
                {
                    "row": 2,
                    "user": "nobody",
                    "outcome": "error",
                    "code": "user_unknown",
                    "detail": rules.DETAILS["user_unknown"],
                },
            ],
        }
        refused = upload(api, world, csv(*lines), dry_run="false")
        assert refusal(refused) == (422, "roster_has_errors")
        assert (refused.json()["totals"], refused.json()["rows"]) == (report.json()["totals"], report.json()["rows"])
        assert world.member.username not in places(world)
        written = upload(api, world, csv(*lines), dry_run="false", skip_errors="true")
        assert (written.status_code, written.json()["is_written"]) == (200, True)
        assert places(world)[world.member.username] == ("student", "A", True)

    def test_a_workbook(self, world: World, api_as: ApiAs) -> None:
        # Whatever the file is called: its content says what it is.
        file = SimpleUploadedFile(
            "roster.csv", xlsx_file(["email", "group"], [[world.member.email, 7]], sheet_title="Roster")
        )
        assert upload(api_as(world.owner), world, file, dry_run="false").json()["totals"]["enrolled"] == 1
        assert places(world)[world.member.username] == ("student", "7", True)

    @pytest.mark.parametrize(
        ("data", "code"),
        [
            (b"user\xff\n", "not_utf8"),
            (b"user,phone\nx,y\n", "unknown_column"),
            (b"role\nstudent\n", "column_missing"),
            (b"user,user\nx,y\n", "header_repeated"),
            (b"user\n", "roster_empty"),
            (b"PK\x03\x04 no archive", "not_a_spreadsheet"),
            (b"user\n\x00\n", "not_a_spreadsheet"),
            (b"\n".join([b"user", *[b"x"] * 10_001]), "too_many_rows"),
            (b"", "empty"),
        ],
        ids=lambda value: value if isinstance(value, str) else "",
    )
    def test_bad_files(self, world: World, api_as: ApiAs, data: bytes, code: str) -> None:
        response = upload(api_as(world.owner), world, SimpleUploadedFile("r.csv", data))
        assert faults(response) == [("#/file", code)]

    @pytest.mark.parametrize(
        ("fields", "fault"),
        [
            ({}, ("#/file", "required")),
            ({"file": "user"}, ("#/file", "invalid")),
            ({"dry_run": "maybe"}, ("#/dry_run", "invalid")),
            ({"skip_errors": "maybe"}, ("#/skip_errors", "invalid")),
            ({"course": "1"}, ("#/course", "unknown_field")),
        ],
    )
    def test_bad_fields(self, world: World, api_as: ApiAs, fields: dict[str, str], fault: tuple[str, str]) -> None:
        file = None if fault[0] == "#/file" else csv("user", world.member.username)
        assert faults(upload(api_as(world.owner), world, file, **fields)) == [fault]

    def test_two_files(self, world: World, api_as: ApiAs) -> None:
        files = [csv("user", world.member.username), csv("user", world.member.username)]
        response = api_as(world.owner).post(
            f"{V1}/courses/{world.course.pk}/roster/", {"file": files}, format="multipart"
        )
        assert faults(response) == [("#/file", "repeated_field")]

    def test_no_json(self, world: World, api_as: ApiAs) -> None:
        response = api_as(world.owner).post(f"{V1}/courses/{world.course.pk}/roster/", {"file": "user"})
        assert refusal(response) == (415, "unsupported_media_type")

    def test_as_many_rows_as_there_may_be(self, world: World, api_as: ApiAs) -> None:
        lines = [f"someone{n}@example.org" for n in range(10_000)]
        report = upload(api_as(world.owner), world, csv("email", *lines)).json()
        assert (report["totals"]["error"], len(report["rows"])) == (10_000, 10_000)


class TestCommand:
    def run(self, course: str, path: Path, *options: str) -> tuple[int, list[str]]:
        out = io.StringIO()
        try:
            call_command("import_roster", course, str(path), *options, stdout=out)
        except SystemExit as end:
            return int(str(end.code)), out.getvalue().splitlines()
        return 0, out.getvalue().splitlines()

    def roster(self, tmp_path: Path, lines: Iterable[str]) -> Path:
        path = tmp_path / "roster.csv"
        path.write_text("\n".join(lines), encoding="utf-8")
        return path

    def test_by_number_and_by_slugs(self, world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        path = self.roster(tmp_path, ["user,role", f"{world.member.username},assistant"])
        slugs = f"{world.organization.slug}/{world.course.slug}"
        status, lines = self.run(slugs, path, "--dry-run")
        assert (status, json.loads(lines[-1])["is_written"]) == (0, False)
        assert world.member.username not in places(world)
        status, lines = self.run(str(world.course.pk), path)
        assert (status, json.loads(lines[-1])) == (
            0,
            {"is_written": True, "enrolled": 1, "revived": 0, "changed": 0, "unchanged": 0, "error": 0},
        )
        assert places(world)[world.member.username] == ("assistant", None, True)
        assert AuditEvent.objects.get().actor is None
        # The bar is on the error stream, and ends full: each row looked up, each written.
        assert "100%" in capsys.readouterr().err

    def test_errors_are_listed(self, world: World, tmp_path: Path) -> None:
        path = self.roster(tmp_path, ["user,group", f"{world.member.username},A", "nobody,A", ",A"])
        status, lines = self.run(str(world.course.pk), path)
        assert status == 1
        assert lines[0] == f"row 2: nobody: user_unknown: {rules.DETAILS['user_unknown']}"
        assert lines[1].startswith("row 3: (nobody): user_missing: ")
        assert json.loads(lines[-1])["is_written"] is False
        assert world.member.username not in places(world)
        status, lines = self.run(str(world.course.pk), path, "--skip-errors")
        assert (status, json.loads(lines[-1])["is_written"]) == (1, True)
        assert world.member.username in places(world)

    @pytest.mark.parametrize("course", ["10000000", "9" * 30, "no/such", "x", "-1", "", "²"])
    def test_no_such_course(self, world: World, tmp_path: Path, course: str) -> None:
        with pytest.raises(CommandError, match="no course"):
            call_command("import_roster", "--", course, str(self.roster(tmp_path, ["user", "x"])))

    @pytest.mark.parametrize(
        ("lines", "sentence"), [(["phone", "1"], "no column 'phone'"), (["user"], "no rows"), ([], "first row")]
    )
    def test_bad_files(self, world: World, tmp_path: Path, lines: list[str], sentence: str) -> None:
        with pytest.raises(CommandError, match=sentence):
            self.run(str(world.course.pk), self.roster(tmp_path, lines))

    def test_no_file(self, world: World, tmp_path: Path) -> None:
        with pytest.raises(CommandError, match="No such file"):
            self.run(str(world.course.pk), tmp_path / "none.csv")

    def test_help_teaches(self, capsys: pytest.CaptureFixture[str]) -> None:
        with pytest.raises(SystemExit):
            call_command("import_roster", "--help")
        shown = capsys.readouterr().out
        assert "manage.py import_roster ulm/algorithms roster.csv --dry-run" in shown
        assert all(column in shown for column in rules.COLUMNS)


def test_rows_are_bounded_whatever_their_bytes() -> None:
    with refused(("#/file", "file_too_large")):
        roster_rows(b"user\n" + b"x" * roster.ROSTER_BYTES_MAX)
