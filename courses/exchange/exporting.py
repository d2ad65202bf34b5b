"""Exporting the problems of a course as a table that imports again to equal ones."""

from collections.abc import Iterator, Sequence

from django.db.models import Exists, OuterRef, Prefetch, QuerySet

from core.exact_cells import Kind, text_cells
from core.spreadsheets import COLUMNS_MAX, csv_rows, xlsx_file
from courses.errors import ProblemsTooLarge
from courses.exchange.columns import COLUMN_NAMES, continued_name
from courses.exchange.resource import ProblemResource
from courses.models import Course, Problem, TestSet

CONTENT_TYPES: dict[Kind, str] = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


def problems_export(*, course: Course, kind: Kind) -> bytes:
    """A table of all problems of a course, as a file, in a constant number of queries.

    Windows, due dates, requirements, places in chapters and attachments are not in it: they belong to the course.

    Raises:
        ProblemsTooLarge: a text goes on in more columns than a table may have.
    """
    dataset = ProblemResource().export(list(_problems(course)))
    cells = [[text_cells(text, kind) for text in row] for row in dataset]
    widths = [max((len(row[index]) for row in cells), default=1) for index in range(len(COLUMN_NAMES))]
    if sum(widths) > COLUMNS_MAX:
        raise ProblemsTooLarge("The tests or texts of a problem are too large for a table.")
    header = [
        continued_name(name, number)
        for name, width in zip(COLUMN_NAMES, widths, strict=True)
        for number in range(1, width + 1)
    ]
    rows = _padded(cells, widths)
    if kind == "xlsx":
        return xlsx_file(header, rows, sheet_title=course.title)
    return "".join(csv_rows(header, rows)).encode()


def _padded(cells: Sequence[Sequence[list[str]]], widths: Sequence[int]) -> Iterator[list[str]]:
    for row in cells:
        yield [
            cell for pieces, width in zip(row, widths, strict=True) for cell in (*pieces, *[""] * (width - len(pieces)))
        ]


def _problems(course: Course) -> QuerySet[Problem]:
    """The problems, each with its current version of tests, or nothing, in the list `current_test_sets`."""
    newer = TestSet.objects.filter(problem=OuterRef("problem"), version__gt=OuterRef("version"))
    current = TestSet.objects.filter(~Exists(newer)).prefetch_related("test_cases")
    return (
        Problem.objects.filter(course=course)
        .select_related("algorithm", "choice", "fillblank")
        .prefetch_related(Prefetch("test_sets", queryset=current, to_attr="current_test_sets"))
        .order_by("pk")
    )
