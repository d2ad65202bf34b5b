"""The gradebook as a file: nothing in it runs, numbers are numbers, and memory does not grow with the course."""

import csv
from collections.abc import Iterator
from io import BytesIO, StringIO
from typing import Any

import openpyxl
import pytest
from asgiref.sync import async_to_sync
from django.db import connection
from django.test import AsyncClient
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import AuditEvent
from core import spreadsheets
from courses.api.views import gradebook as views
from courses.models import Course, Enrollment, Problem
from courses.selectors import gradebook as selectors
from tests.courses.conftest import World
from tests.courses.factories import CourseFactory, CourseGroupFactory, EnrollmentFactory, ProblemFactory
from tests.courses.progressing import count
from tests.courses.refusals import ApiAs, faults, refusal
from tests.courses.test_gradebook import fill

pytestmark = pytest.mark.django_db

HEAD = ["Username", "Name", "Group", "Left at", "Total"]
# What spreadsheet programs run, and what they take for a formula once it is in a cell.
HOSTILE = ("=cmd|' /C calc'!A0", "+1+1", "-2+3", "@SUM(A1)", "\t=1+1", "\u200b=1+1", "a;=1+1", "\uff1d1+1")
FORMULA = ("=", "+", "-", "@", "|", "\t", "\r")


def export(world: World, api_as: ApiAs, **query: str) -> Any:
    return api_as(world.assistant).get(f"/api/v1/courses/{world.course.pk}/gradebook/export/", query)


def csv_table(response: Any) -> list[list[Any]]:
    """Numbers are what is not quoted."""
    text = b"".join(response).decode("utf-8-sig")
    return list(csv.reader(StringIO(text, newline=""), quoting=csv.QUOTE_NONNUMERIC, strict=True))


def sheet(response: Any) -> Any:
    return openpyxl.load_workbook(BytesIO(response.content)).active


@pytest.fixture
def hostile(world: World) -> World:
    """A course in which everything that has a name has a hostile one."""
    for number, text in enumerate(HOSTILE):
        group = CourseGroupFactory(course=world.course, name=f"{text}{number}")
        enrollment = EnrollmentFactory(
            course=world.course, user__username=f"{text}u{number}", user__display_name=text, group=group
        )
        problem = ProblemFactory(course=world.course, title=text)
        count(enrollment, problem, number)
    Course.objects.filter(pk=world.course.pk).update(title="=cmd|'[x]:*?/\\", slug="c")
    return world


class TestCsv:
    def test_heads_rows_and_numbers(self, world: World, api_as: ApiAs) -> None:
        other = ProblemFactory(course=world.course, title="Other")
        group = CourseGroupFactory(course=world.course, name="Monday")
        enrollment = Enrollment.objects.get(course=world.course, user=world.student)
        Enrollment.objects.filter(pk=enrollment.pk).update(group=group)
        count(enrollment, other, 1, score="33.33", is_accepted=False)
        assert csv_table(export(world, api_as)) == [
            [*HEAD, world.problem.title, "Other"],
            [world.student.username, "", "Monday", "", 16.67, "", 33.33],
        ]

    def test_totals_are_those_of_the_page(self, world: World, api_as: ApiAs) -> None:
        fill(world.course, chapters=3, students=7)
        page = api_as(world.assistant).get(f"/api/v1/courses/{world.course.pk}/gradebook/").json()
        for kind in ("csv", "xlsx"):
            response = export(world, api_as, format=kind)
            rows = csv_table(response) if kind == "csv" else [[*row] for row in sheet(response).values]
            told = [(row[0], float(row[4])) for row in rows[1:]]
            assert told == [(row["user"]["username"], float(row["total"])) for row in page["results"]]

    def test_no_cell_is_a_formula(self, hostile: World, api_as: ApiAs) -> None:
        table = csv_table(export(hostile, api_as))
        texts = [cell for row in table for cell in row if isinstance(cell, str)]
        assert sum("1+1" in text for text in texts) >= 8
        assert [text for text in texts if text.lstrip("\u200b \t").startswith((*FORMULA, "\uff1d"))] == []

    def test_control_text_as_it_is_is_noticed(
        self, hostile: World, api_as: ApiAs, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(spreadsheets, "_csv_cell", lambda cell: cell)
        with pytest.raises(AssertionError):
            self.test_no_cell_is_a_formula(hostile, api_as)


class TestXlsx:
    def test_no_cell_is_a_formula_and_numbers_are_numbers(self, hostile: World, api_as: ApiAs) -> None:
        workbook = sheet(export(hostile, api_as, format="xlsx"))
        cells = [cell for row in workbook.iter_rows() for cell in row if cell.value is not None]
        assert {cell.data_type for cell in cells} == {"s", "n"}
        assert {cell.value for cell in cells} >= {*HOSTILE} - {"\u200b=1+1"}
        numbers = [cell for cell in cells if cell.row > 1 and cell.column >= 5]
        assert {cell.data_type for cell in numbers} == {"n"}
        assert len(numbers) == len(HOSTILE) * 2 + 1

    def test_control_a_plain_cell_is_noticed(
        self, hostile: World, api_as: ApiAs, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(spreadsheets, "_xlsx_cell", lambda sheet, cell: cell)
        with pytest.raises(AssertionError):
            self.test_no_cell_is_a_formula_and_numbers_are_numbers(hostile, api_as)

    def test_a_course_without_students_and_problems(self, world: World, api_as: ApiAs) -> None:
        Enrollment.objects.filter(user=world.student).delete()
        Problem.objects.filter(course=world.course).update(status="draft")
        assert [*sheet(export(world, api_as, format="xlsx")).values] == [tuple(HEAD)]


class TestChoosing:
    def test_the_filters_of_the_page_choose(self, world: World, api_as: ApiAs) -> None:
        group = CourseGroupFactory(course=world.course)
        EnrollmentFactory(course=world.course, user__username="zz", group=group, left_at=timezone.now())
        EnrollmentFactory(course=world.course, user__username="aa", group=group)

        def told(**query: str) -> list[Any]:
            return [row[0] for row in csv_table(export(world, api_as, **query))[1:]]

        assert told(group=str(group.pk)) == ["aa"]
        assert told(group=str(group.pk), include_left="true", ordering="-name") == ["zz", "aa"]
        assert told(search="zz") == []
        assert csv_table(export(world, api_as, problems="all"))[0] == [*HEAD, world.problem.title, world.draft.title]

    @pytest.mark.parametrize("query", ["format=ods", "page=1", "ordering=x", "format=csv&format=xlsx"])
    def test_what_there_is_not_is_refused_as_a_problem(self, world: World, api_as: ApiAs, query: str) -> None:
        address = f"/api/v1/courses/{world.course.pk}/gradebook/export/?{query}"
        assert faults(api_as(world.assistant).get(address, HTTP_ACCEPT="text/csv"))
        assert not AuditEvent.objects.exists()

    def test_students_are_refused_as_a_problem(self, world: World, api_as: ApiAs) -> None:
        address = f"/api/v1/courses/{world.course.pk}/gradebook/export/?format=csv"
        assert refusal(api_as(world.student).get(address)) == (403, "permission_denied")


class TestAnswer:
    @pytest.mark.parametrize("kind", ["csv", "xlsx"])
    def test_it_is_a_file_to_keep_and_kept_nowhere_else(self, world: World, api_as: ApiAs, kind: str) -> None:
        # As no service would let it become.
        Course.objects.filter(pk=world.course.pk).update(slug='a"; x="\r\n/../é')
        response = export(world, api_as, format=kind)
        day = f"{timezone.now():%Y-%m-%d}"
        assert response["Content-Disposition"] == f'attachment; filename="gradebook-a-x-e-{day}.{kind}"'
        assert response["Cache-Control"] == "no-store"
        assert response["Content-Type"] == views.CONTENT_TYPES[kind]

    def test_it_is_recorded(self, world: World, api_as: ApiAs) -> None:
        export(world, api_as, format="xlsx")
        event = AuditEvent.objects.get()
        assert (event.action, event.actor, event.target_id) == (
            "gradebook.export",
            world.assistant,
            str(world.course.pk),
        )
        assert event.changes == {"format": [None, "xlsx"]}


class TestMemory:
    """A course is read a few students at a time, whatever its size."""

    STEP = 10

    @pytest.fixture(autouse=True)
    def few_at_once(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(selectors, "CELLS_AT_ONCE", 10 * self.STEP)

    def course(self, students: int) -> Course:
        course: Course = CourseFactory()
        fill(course, chapters=1, students=students)
        return course

    def rows(self, course: Course) -> Iterator[selectors.GradebookRow]:
        scope = selectors.GradebookScope(now=timezone.now())
        students = selectors.gradebook_students(course, scope)
        return selectors.gradebook_all_rows(students, selectors.gradebook_columns(course, scope), course, scope)

    def test_two_statements_for_each_few_and_one_more(self) -> None:
        course = self.course(35)
        with CaptureQueriesContext(connection) as queries:
            rows = list(self.rows(course))
        assert len(rows) == 35
        # And one for the columns.
        assert len(queries) == 2 + 2 * 4

    def test_no_more_than_these_are_alive(self, monkeypatch: pytest.MonkeyPatch) -> None:
        assert self.most_alive(monkeypatch) <= self.STEP + 1

    def test_control_a_list_of_all_is_noticed(self, monkeypatch: pytest.MonkeyPatch) -> None:
        real = self.rows
        monkeypatch.setattr(self, "rows", lambda course: iter(list(real(course))))
        with pytest.raises(AssertionError):
            self.test_no_more_than_these_are_alive(monkeypatch)

    def most_alive(self, monkeypatch: pytest.MonkeyPatch) -> int:
        """The most rows that are in memory at a time while all are read, one by one."""
        alive, most = 0, 0

        class Counted(selectors.GradebookRow):
            def __init__(self, **values: Any) -> None:
                nonlocal alive, most
                super().__init__(**values)
                alive += 1
                most = max(most, alive)

            def __del__(self) -> None:
                nonlocal alive
                alive -= 1

        monkeypatch.setattr(selectors, "GradebookRow", Counted)
        for _ in self.rows(self.course(45)):
            pass
        return most

    def test_a_part_is_sent_before_the_next_is_read(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(views, "LINES_AT_ONCE", 2)
        read: list[int] = []

        def lines() -> Iterator[str]:
            for number in range(6):
                read.append(number)
                yield f"{number}\r\n"

        parts = views._parts(lines())
        assert (next(parts), read) == (b"0\r\n1\r\n", [0, 1])
        assert b"".join(parts) == b"2\r\n3\r\n4\r\n5\r\n"

    def test_under_asgi_the_parts_come_asynchronously(
        self, world: World, api_as: ApiAs, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(views, "LINES_AT_ONCE", 2)
        EnrollmentFactory.create_batch(4, course=world.course)
        client = AsyncClient()
        client.force_login(world.assistant)

        async def read() -> list[bytes]:
            response: Any = await client.get(f"/api/v1/courses/{world.course.pk}/gradebook/export/")
            assert response.is_async
            return [part async for part in response]

        parts = async_to_sync(read)()
        assert len(parts) == 3
        assert b"".join(parts) == b"".join(export(world, api_as))
