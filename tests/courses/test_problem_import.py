"""Problems as tables: what is exported comes back equal, and what is wrong is told by row and column (T-24, T-31)."""

import csv
import json
from collections.abc import Iterator
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import given, settings
from hypothesis import strategies as st

from accounts.models import AuditEvent
from core import exact_cells
from core.exact_cells import Kind, cells_text
from core.spreadsheets import csv_rows, table_rows, xlsx_file
from courses import authoring
from courses.answer_keys import choice_spec, fillblank_spec
from courses.api.shown.basics import ProblemForStaffSerializer
from courses.errors import ProblemImportRefused, ProblemsTooLarge
from courses.exchange import importing
from courses.exchange.columns import COLUMN_NAMES
from courses.exchange.exporting import problems_export
from courses.exchange.importing import ImportReport, problem_rows, problems_import
from courses.models import AlgorithmProblem, Course, Problem, TestSet
from courses.selectors import current_test_set
from courses.testgroups import GroupSpec, group_as_json
from tests.courses.conftest import World
from tests.courses.factories import (
    AlgorithmProblemFactory,
    ChoiceProblemFactory,
    CourseFactory,
    FillBlankProblemFactory,
    TestCaseFactory,
    TestSetFactory,
)
from tests.courses.refusals import ApiAs, refusal
from tests.parallel import at_once

KINDS: tuple[Kind, ...] = ("csv", "xlsx")
# Each would be another text after a careless trip through a spreadsheet.
NASTY = (
    "=1+1",
    "'=1+1",
    "''=1+1",
    "+a",
    "-1",
    "@SUM(A1)",
    "\t=x",
    "'\t=x",
    "a;=b",
    "a;'=b",
    "a\n=b\r\n'=c\r@d",
    '"quoted", with commas; and "" more',
    "  spaces  ",
    "\n\nnewlines\n\n",
    "carriage\rreturn",
    "_x000D_ _x005F_ _x0041_x0042_",
    "\x01\x02\x0b control",
    "äöü 数学 🎓 \u202e \ufeff \u2028",
    "1.0",
    "007",
    "TRUE",
    "2026-01-01",
    "#N/A",
    "x" * 30_000,
    '"' * 30_000,
    "=" * 30_000,
    "\r" * 20_000,
    "🎓" * 20_000,
    "a" * 15_999 + "\r=b",
)


def everything(problem: Problem) -> dict[str, Any]:
    """All that an author said of a problem and its tests, but where it is."""
    shown = ProblemForStaffSerializer(Problem.objects.get(pk=problem.pk)).data
    for name in ("id", "course", "created_at", "updated_at"):
        del shown[name]
    test_set = current_test_set(problem)
    fields = ("order", "input", "expected_output", "is_sample", "weight", "group")
    shown["tests"] = test_set and {
        "cases": list(test_set.test_cases.order_by("order").values(*fields)),
        "groups": test_set.groups,
        "checker": (test_set.checker_language, test_set.checker_source),
    }
    if problem.type == Problem.Type.CHOICE:
        shown["key"] = choice_spec(problem.choice)
    if problem.type == Problem.Type.FILLBLANK:
        shown["key"] = fillblank_spec(problem.fillblank)
    return dict(shown)


def by_slug(course: Course) -> dict[str, dict[str, Any]]:
    return {problem.slug: everything(problem) for problem in Problem.objects.filter(course=course)}


def bring(course: Course, data: bytes, **more: Any) -> ImportReport:
    return problems_import(actor=None, course_id=course.pk, rows=problem_rows(data), **{"is_dry_run": False, **more})


def table(*rows: dict[str, str], kind: Kind = "csv") -> bytes:
    header = list(dict.fromkeys(name for row in rows for name in row))
    lines = [[row.get(name, "") for name in header] for row in rows]
    if kind == "xlsx":
        return xlsx_file(header, lines, sheet_title="Problems")
    return "".join(csv_rows(header, lines)).encode()


def errors_of(report: ImportReport) -> list[tuple[int, str, str]]:
    return [(line.row, error.column, error.code) for line in report.rows for error in line.errors]


@pytest.fixture
def source(db: None) -> Course:
    """A course with problems of all types, and nasty texts wherever an author may put texts."""
    course = CourseFactory()
    function = AlgorithmProblemFactory(
        problem__course=course,
        problem__difficulty=3,
        problem__audience=Problem.Audience.EXAM_ONLY,
        entry_point="solve",
        checker=AlgorithmProblem.Checker.FLOAT,
        checker_options={"absolute": 1e-6},
        is_partial_credit=False,
        stops_at_first_failure=True,
        isolates_tests=True,
        languages=["python"],
        preludes={"python": "# =x\n\t\n'=y'"},
        starter_code={"python": "def solve():\n    ..."},
        tests=[],
    ).problem
    groups = [group_as_json(GroupSpec(name="a", aggregate="min")), group_as_json(GroupSpec(name="b", requires=["a"]))]
    test_set = TestSetFactory(problem=function, groups=groups)
    TestCaseFactory(test_set=test_set, order=0, input="[1]", expected_output="2", is_sample=True, group="a")
    TestCaseFactory(test_set=test_set, order=1, input="[2]", expected_output=None, weight="0.125", group="b")
    for text in NASTY:
        # PostgreSQL stores no NUL, and neither does anything else here; see below.
        problem = AlgorithmProblemFactory(
            problem__course=course,
            problem__statement=text,
            problem__author_notes=text[::-1],
            problem__status=Problem.Status.DRAFT,
            tests=[(text, text), ("", ""), (text, None)],
        ).problem
        assert problem.test_sets.count() == 1
    ChoiceProblemFactory(problem__course=course, options=[*NASTY[:20]], answers="ACT")
    FillBlankProblemFactory(
        problem__course=course,
        text="=1 {{1}}\r\n'=2 {{2}}",
        blanks=[
            {"accepted": ["=1", "'=1", " a "], "ignores_case": True, "spaces": "exact", "score": "0.5"},
            {"accepted": ["3.14"], "match": "number", "tolerance": "0.01", "score": "3"},
        ],
    )
    return course


@pytest.mark.django_db
class TestRoundTrip:
    @pytest.mark.parametrize("kind", KINDS)
    def test_another_course_gets_equal_problems(self, source: Course, kind: Kind) -> None:
        target = CourseFactory()
        data = problems_export(course=source, kind=kind)
        assert errors_of(bring(target, data, is_dry_run=True)) == []
        report = bring(target, data)
        assert report.is_written
        assert report.totals == {"created": len(NASTY) + 3, "updated": 0, "skipped": 0, "error": 0}
        assert by_slug(target) == by_slug(source)

    @pytest.mark.parametrize("kind", KINDS)
    def test_the_same_course_is_not_changed_by_what_it_exported(self, source: Course, kind: Kind) -> None:
        before, sets, events = by_slug(source), TestSet.objects.count(), AuditEvent.objects.count()
        report = bring(source, problems_export(course=source, kind=kind), on_existing="update")
        assert report.totals["updated"] == len(before)
        assert by_slug(source) == before
        assert TestSet.objects.count() == sets
        assert AuditEvent.objects.count() == events + 1

    def test_control_without_exact_cells_texts_change(self, db: None, monkeypatch: pytest.MonkeyPatch) -> None:
        source, target = CourseFactory(), CourseFactory()
        AlgorithmProblemFactory(problem__course=source, problem__statement="=1+1")
        monkeypatch.setattr(importing, "cells_text", lambda cells, kind: "".join(cells))
        bring(target, problems_export(course=source, kind="csv"))
        assert [problem["statement"] for problem in by_slug(target).values()] == ["'=1+1"]

    @pytest.mark.parametrize("kind", KINDS)
    def test_no_cell_runs(self, source: Course, kind: Kind) -> None:
        data = problems_export(course=source, kind=kind)
        if kind == "csv":
            assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r")) for row in _cells(data) for cell in row)
        else:
            sheet = openpyxl.load_workbook(BytesIO(data)).worksheets[0]
            assert {cell.data_type for row in sheet.iter_rows() for cell in row if cell.value is not None} == {"s"}

    def test_too_large_for_a_table(self, db: None) -> None:
        course = CourseFactory()
        AlgorithmProblemFactory(problem__course=course, tests=[("x" * 1_600_000, None)])
        with pytest.raises(ProblemsTooLarge):
            problems_export(course=course, kind="csv")

    def test_exporting_costs_the_same_for_few_and_many(self, db: None) -> None:
        course = CourseFactory()

        def counted() -> int:
            with CaptureQueriesContext(connection) as queries:
                problems_export(course=course, kind="csv")
            return len(queries)

        AlgorithmProblemFactory.create_batch(5, problem__course=course)
        few = counted()
        AlgorithmProblemFactory.create_batch(45, problem__course=course)
        assert few == counted() <= 3


def _cells(data: bytes) -> Iterator[list[str]]:
    return iter(csv.reader(StringIO(data.decode("utf-8-sig"), newline="")))


class TestExactCells:
    @given(
        text=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00")), kind=st.sampled_from(KINDS)
    )
    @settings(max_examples=60)
    def test_any_text_comes_back(self, text: str, kind: Kind) -> None:
        assert self.trip(text, kind) == text

    @given(text=st.text("=+'\"; \t\r\n_x0041D\u200b", max_size=30), kind=st.sampled_from(KINDS))
    def test_texts_of_troublesome_characters_come_back(self, text: str, kind: Kind) -> None:
        assert self.trip(text, kind) == text

    @pytest.mark.parametrize("kind", KINDS)
    @pytest.mark.parametrize("text", NASTY, ids=range(len(NASTY)))
    def test_nasty_texts_come_back(self, text: str, kind: Kind) -> None:
        assert self.trip(text, kind) == text

    @pytest.mark.parametrize(("kind", "text"), [("csv", "'=1"), ("xlsx", "a\rb"), ("xlsx", "_x0041_")])
    def test_control_without_marks_they_do_not(self, kind: Kind, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(exact_cells, "text_cells", lambda text, kind: [text])
        assert self.trip(text, kind) != text

    def trip(self, text: str, kind: Kind) -> str:
        cells = exact_cells.text_cells(text, kind)
        header = ["slug", *(f"c{number}" for number in range(len(cells)))]
        rows = [["slug", *cells]]
        data = "".join(csv_rows(header, rows)).encode() if kind == "csv" else xlsx_file(header, rows, sheet_title="x")
        (row,) = table_rows(data, kind=kind, rows_max=1, bytes_max=10**7)
        return cells_text([row[name] for name in header[1:]], kind)


GOOD = {"slug": "good", "title": "Good", "status": "draft"}


@pytest.mark.django_db
class TestErrors:
    @pytest.mark.parametrize(
        ("row", "column", "code"),
        [
            ({"slug": "no good", "title": "x"}, "slug", "invalid"),
            ({"slug": "a", "title": ""}, "title", "blank"),
            ({"slug": "a", "title": "x", "difficulty": "9"}, "difficulty", "invalid_choice"),
            ({"slug": "a", "title": "x", "type": "essay"}, "type", "invalid_choice"),
            ({"slug": "a", "title": "x", "time_limit_ms": "1"}, "time_limit_ms", "min_value"),
            ({"slug": "a", "title": "x", "languages": '["python", "python"]'}, "languages", "duplicate"),
            ({"slug": "a", "title": "x", "languages": "[python]"}, "languages", "invalid_json"),
            ({"slug": "a", "title": "x", "languages": "[" * 5000}, "languages", "invalid_json"),
            ({"slug": "a", "title": "x", "tests": '{"test_cases": []}'}, "tests", "empty"),
            ({"slug": "a", "title": "x", "tests": '{"test_cases": [{"inptu": ""}]}'}, "tests", "unknown_field"),
            ({"slug": "a", "title": "x", "tests": '{"test_cases": [{"input": "\\u0000"}]}'}, "tests", "invalid_json"),
            ({"slug": "a", "title": "x", "type": "choice", "options": '["x"]', "answers": "A"}, "options", None),
            ({"slug": "a", "title": "x", "type": "choice", "options": '["x", "y"]', "answers": "C"}, "answers", None),
            ({"slug": "a", "title": "x", "type": "choice", "time_limit_ms": "100"}, "type", None),
            (
                {"slug": "a", "title": "x", "type": "fillblank", "text": "{{1}}", "blanks": '[{"accepted": []}]'},
                "blanks",
                None,
            ),
        ],
    )
    def test_each_is_told_by_row_and_column(self, row: dict[str, str], column: str, code: str | None) -> None:
        course = CourseFactory()
        data = table(GOOD, row, {**GOOD, "slug": "good-2"})
        report = bring(course, data, is_dry_run=True)
        assert [line.outcome for line in report.rows] == ["created", "error", "created"]
        found = errors_of(report)
        assert {(number, where) for number, where, _ in found} >= {(2, column)}
        assert code is None or code in {one for _, where, one in found if where == column}
        with pytest.raises(ProblemImportRefused) as refused:
            bring(course, data)
        assert refused.value.members["totals"] == {"created": 2, "updated": 0, "skipped": 0, "error": 1}
        assert not Problem.objects.exists()
        assert not AuditEvent.objects.exists()

    def test_control_without_the_rollback_half_is_written(self, monkeypatch: pytest.MonkeyPatch) -> None:
        real = importing.ProblemResource.import_data
        monkeypatch.setattr(
            importing.ProblemResource,
            "import_data",
            lambda self, dataset, **how: real(self, dataset, **{**how, "use_transactions": False}),
        )
        with pytest.raises(ProblemImportRefused):
            bring(CourseFactory(), table(GOOD, {"slug": "no good", "title": "x"}))
        assert Problem.objects.count() == 1

    def test_a_slug_twice(self) -> None:
        report = bring(CourseFactory(), table(GOOD, GOOD), is_dry_run=True)
        assert errors_of(report) == [(2, "slug", "slug_repeated")]

    @pytest.mark.parametrize(
        ("data", "code"),
        [
            (b"slug,titel\na,b\n", "unknown_column"),
            (b"title\na\n", "column_missing"),
            (b"slug,tests (3)\na,b\n", "column_missing"),
            (b"slug,slug (1)\na,b\n", "unknown_column"),
            (b"slug\n", "no_rows"),
            (b"slug\n\x00\n", "not_a_spreadsheet"),
            (b"slug\n" + b"a\n" * 1001, "too_many_rows"),
            (b"PK\x03\x04 nothing", "not_a_spreadsheet"),
        ],
    )
    def test_no_table_of_problems(self, data: bytes, code: str) -> None:
        with pytest.raises(importing.InvalidInput) as refused:
            problem_rows(data)
        assert [error.code for error in refused.value.errors] == [code]

    def test_checkers_are_compiled_once_each_and_before_any_lock(self, monkeypatch: pytest.MonkeyPatch) -> None:
        seen: list[bool] = []

        def check(program: authoring.CheckerProgram) -> list[Any]:
            seen.append(connection.in_atomic_block)
            return []

        monkeypatch.setattr(authoring, "_program_checks", [check])
        monkeypatch.setattr(authoring, "_checks", [])
        tests = json.dumps({"test_cases": [{}], "checker_language": "python", "checker_source": "print(1)"})
        rows = [{"slug": f"p{n}", "title": "x", "checker": "custom", "tests": tests} for n in range(3)]
        outside = connection.in_atomic_block
        report = bring(CourseFactory(), table(*rows))
        assert report.is_written
        assert seen == [outside]

    def test_too_many_checkers(self) -> None:
        rows = [
            {
                "slug": f"p{n}",
                "title": "x",
                "checker": "custom",
                "tests": json.dumps(
                    {"test_cases": [{}], "checker_language": "python", "checker_source": f"print({n})"}
                ),
            }
            for n in range(importing.CHECKERS_MAX + 1)
        ]
        with pytest.raises(importing.InvalidInput) as refused:
            bring(CourseFactory(), table(*rows))
        assert refused.value.errors[0].code == "too_many_checkers"


@pytest.mark.django_db
class TestExisting:
    def test_refused_updated_or_skipped(self, world: World) -> None:
        row = {"slug": world.problem.slug, "title": "Renamed"}
        before = everything(world.problem)
        assert errors_of(bring(world.course, table(row), is_dry_run=True)) == [(1, "slug", "slug_taken")]
        assert bring(world.course, table(row), on_existing="skip").totals["skipped"] == 1
        assert everything(world.problem) == before
        assert bring(world.course, table(row), on_existing="update").totals["updated"] == 1
        assert everything(world.problem) == {**before, "title": "Renamed"}

    def test_how_it_is_called_and_its_tests_change_together(self, world: World) -> None:
        tests = json.dumps({"test_cases": [{"input": "[1]", "expected_output": "2"}]})
        row = {"slug": world.problem.slug, "entry_point": "solve", "languages": '["python"]', "tests": tests}
        report = bring(world.course, table(row), on_existing="update")
        assert report.is_written
        world.problem.refresh_from_db()
        assert world.problem.status == Problem.Status.PUBLISHED
        assert world.problem.test_sets.count() == 2
        assert AlgorithmProblem.objects.get(problem=world.problem).entry_point == "solve"

    def test_tests_that_do_not_fit_are_refused(self, world: World) -> None:
        row = {"slug": world.problem.slug, "entry_point": "solve", "languages": '["python"]'}
        report = bring(world.course, table(row), on_existing="update", is_dry_run=True)
        assert errors_of(report) == [(1, "type", "tests_do_not_fit")]

    def test_a_type_stays(self, world: World) -> None:
        row = {"slug": world.problem.slug, "type": "choice"}
        report = bring(world.course, table(row), on_existing="update", is_dry_run=True)
        assert errors_of(report) == [(1, "type", "type_fixed")]

    def test_a_slug_of_another_course_is_free(self, world: World) -> None:
        report = bring(world.course, table({"slug": world.foreign_problem.slug, "title": "x"}))
        assert report.totals["created"] == 1
        assert Problem.objects.filter(slug=world.foreign_problem.slug).count() == 2


class TestAtOnce:
    @pytest.mark.django_db(transaction=True)
    def test_of_two_imports_of_one_table_one_is_refused(self) -> None:
        course = CourseFactory()
        data = table(GOOD, {**GOOD, "slug": "good-2"})

        def attempt() -> set[str]:
            try:
                return {line.outcome for line in bring(course, data).rows}
            except ProblemImportRefused as refused:
                return {fault["code"] for row in refused.members["rows"] for fault in row["errors"]}

        assert sorted(at_once([attempt, attempt]), key=str) == [{"created"}, {"slug_taken"}]
        assert Problem.objects.filter(course=course).count() == 2


@pytest.mark.django_db
class TestStatements:
    def test_each_row_costs_a_bounded_number(self) -> None:
        tests = json.dumps({"test_cases": [{"input": str(n), "expected_output": "1"} for n in range(5)]})

        def counted(rows: int) -> int:
            course = CourseFactory()
            data = table(*({"slug": f"p{n}", "title": "x", "tests": tests} for n in range(rows)))
            with CaptureQueriesContext(connection) as queries:
                bring(course, data)
            return len(queries)

        few, many = counted(10), counted(50)
        assert (many - few) / 40 <= 45


@pytest.mark.django_db
class TestApi:
    def post(self, client: Any, course: Course, data: bytes, **more: Any) -> Any:
        file = SimpleUploadedFile("problems.csv", data)
        return client.post(f"/api/v1/courses/{course.pk}/problems/import/", {"file": file, **more}, format="multipart")

    def test_by_default_nothing_is_written(self, world: World, api_as: ApiAs) -> None:
        before = Problem.objects.count()
        response = self.post(api_as(world.instructor), world.course, table(GOOD))
        assert response.json() == {
            "is_written": False,
            "totals": {"created": 1, "updated": 0, "skipped": 0, "error": 0},
            "rows": [{"row": 1, "slug": "good", "outcome": "created", "errors": []}],
        }
        assert Problem.objects.count() == before

    def test_written_and_recorded(self, world: World, api_as: ApiAs) -> None:
        response = self.post(api_as(world.instructor), world.course, table(GOOD), dry_run="false")
        assert (response.status_code, response.json()["is_written"]) == (200, True)
        actions = AuditEvent.objects.filter(actor=world.instructor).order_by("pk").values_list("action", flat=True)
        assert list(actions) == ["problem.create", "problem.import"]

    def test_refused_as_a_whole(self, world: World, api_as: ApiAs) -> None:
        data = table(GOOD, {**GOOD, "slug": "b", "difficulty": "x"})
        response = self.post(api_as(world.instructor), world.course, data, dry_run="false")
        assert refusal(response) == (422, "problem_import_has_errors")
        (error,) = response.json()["rows"][1]["errors"]
        assert (error["column"], error["code"]) == ("difficulty", "invalid_choice")
        assert not Problem.objects.filter(slug="good").exists()

    @pytest.mark.parametrize("kind", KINDS)
    def test_exported(self, world: World, api_as: ApiAs, kind: Kind) -> None:
        response = api_as(world.instructor).get(f"/api/v1/courses/{world.course.pk}/problems/export/?format={kind}")
        assert response["Content-Disposition"] == f'attachment; filename="{world.course.slug}-problems.{kind}"'
        rows = problem_rows(response.content)
        assert {row["slug"] for row in rows} == {world.problem.slug, world.draft.slug}
        assert set(rows[0]) == set(COLUMN_NAMES)

    def test_no_other_format(self, world: World, api_as: ApiAs) -> None:
        response = api_as(world.instructor).get(f"/api/v1/courses/{world.course.pk}/problems/export/?format=pdf")
        assert refusal(response) == (422, "invalid")


@pytest.mark.django_db
class TestCommand:
    def run(self, *arguments: Any) -> tuple[dict[str, Any], str]:
        out = StringIO()
        call_command("import_problems", *arguments, stdout=out)
        return json.loads(out.getvalue().splitlines()[-1]), out.getvalue()

    def test_it_imports(self, world: World, tmp_path: Path) -> None:
        file = tmp_path / "problems.csv"
        file.write_bytes(table(GOOD))
        name = f"{world.organization.slug}/{world.course.slug}"
        assert self.run(name, file, "--dry-run")[0]["is_written"] is False
        assert not Problem.objects.filter(slug="good").exists()
        assert self.run(name, file)[0] == {"is_written": True, "created": 1, "updated": 0, "skipped": 0, "error": 0}
        assert self.run(str(world.course.pk), file, "--on-existing", "skip")[0]["skipped"] == 1

    def test_errors_are_listed_and_the_exit_status_is_1(
        self, world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        file = tmp_path / "problems.csv"
        file.write_bytes(table({**GOOD, "difficulty": "9"}))
        out = StringIO()
        with pytest.raises(SystemExit, match="1"):
            call_command("import_problems", str(world.course.pk), file, stdout=out)
        assert "row 1: good: difficulty: invalid_choice: " in out.getvalue()

    def test_no_such_course_or_file(self, world: World, tmp_path: Path) -> None:
        with pytest.raises(CommandError, match="no course"):
            self.run("nowhere/nothing", tmp_path / "x.csv")
        with pytest.raises(CommandError, match="No such file"):
            self.run(str(world.course.pk), tmp_path / "x.csv")


@pytest.mark.django_db
class TestDocumentation:
    PAGE = Path(__file__).parents[2] / "docs" / "problem-import.md"

    def test_its_example_imports(self) -> None:
        example = self.PAGE.read_text().partition("```csv\n")[2].partition("```")[0]
        report = bring(CourseFactory(), example.encode())
        assert report.totals["created"] == 3

    def test_it_tells_every_column(self) -> None:
        told = self.PAGE.read_text().partition("## Columns")[2]
        assert [name for name in COLUMN_NAMES if f"`{name}`" not in told] == []
