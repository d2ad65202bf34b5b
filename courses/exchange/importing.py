"""Importing a table of problems: each row is told what becomes of it, and all are written or none."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import tablib
from django.db import transaction
from import_export.results import Result, RowResult

from accounts.audit import audit_record
from accounts.models import User
from core.errors import DomainError, FieldError, InvalidInput
from core.exact_cells import Kind, cells_text
from core.spreadsheets import table_rows
from courses.authoring import CheckerProgram, checker_program_errors
from courses.errors import ProblemImportRefused
from courses.exchange.columns import COLUMN_NAMES, CONTINUED, CellWidget, Content
from courses.exchange.resource import SPECS, ProblemResource, tests_given
from courses.models import Course
from courses.services.validation import row_lock

ROWS_MAX = 1_000
FILE_BYTES_MAX = 10 * 1024 * 1024
# Compiling one takes seconds.
CHECKERS_MAX = 20
OnExisting = Literal["refuse", "update", "skip"]
ON_EXISTING: tuple[OnExisting, ...] = ("refuse", "update", "skip")
# Every XLSX file is a ZIP archive, and no text that begins like one is a table of ours.
_ZIP_SIGNATURE = b"PK\x03\x04"
_OUTCOMES = {
    RowResult.IMPORT_TYPE_NEW: "created",
    RowResult.IMPORT_TYPE_UPDATE: "updated",
    RowResult.IMPORT_TYPE_SKIP: "skipped",
    RowResult.IMPORT_TYPE_INVALID: "error",
    RowResult.IMPORT_TYPE_ERROR: "error",
}
OUTCOMES = ("created", "updated", "skipped", "error")


@dataclass(frozen=True, slots=True, kw_only=True)
class CellError:
    """One fault in one row: in which column, if in any, with a stable code."""

    column: str
    code: str
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportLine:
    """What became of one row, or would. `row` counts from 1 below the header, rows without content left out."""

    row: int
    slug: str
    outcome: str
    errors: Sequence[CellError] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportReport:
    """What became of a table. `totals` counts the rows by outcome."""

    is_written: bool
    totals: Mapping[str, int]
    rows: Sequence[ImportLine]

    def as_members(self) -> dict[str, Any]:
        """`totals` and `rows` as they are told beside a refusal."""
        return {"totals": dict(self.totals), "rows": [asdict(line) for line in self.rows]}


def problem_rows(data: bytes) -> list[dict[str, str]]:
    """The rows of a table of problems as CSV or XLSX, told apart by content, continued columns joined.

    Raises:
        InvalidInput: at `/file`, as `core.spreadsheets.table_rows`, or `no_rows`, `unknown_column`, `column_missing`.
    """
    kind: Kind = "xlsx" if data.startswith(_ZIP_SIGNATURE) else "csv"
    rows = table_rows(data, kind=kind, rows_max=ROWS_MAX, bytes_max=FILE_BYTES_MAX)
    if not rows:
        raise InvalidInput.at("file", "no_rows", "The table has no rows below its header.")
    pieces = _columns(list(rows[0]))
    return [{name: cells_text([row[each] for each in names], kind) for name, names in pieces.items()} for row in rows]


def _columns(header: Sequence[str]) -> dict[str, list[str]]:
    """The header's columns by the name whose text they hold, in order."""
    numbered: dict[str, dict[int, str]] = {}
    for name in header:
        match = CONTINUED.fullmatch(name)
        base, number = (match["name"], int(match["number"])) if match else (name, 1)
        if base not in COLUMN_NAMES or number in numbered.setdefault(base, {}):
            detail = f"There is no column {name[:100]!r}; there are {', '.join(COLUMN_NAMES)}."
            raise InvalidInput.at("file", "unknown_column", detail)
        numbered[base][number] = name
    if "slug" not in numbered:
        raise InvalidInput.at("file", "column_missing", "The column 'slug' says which problem a row is.")
    for base, places in numbered.items():
        if sorted(places) != list(range(1, len(places) + 1)):
            raise InvalidInput.at("file", "column_missing", f"A column that continues {base!r} is missing.")
    return {base: [places[number] for number in sorted(places)] for base, places in numbered.items()}


def problems_import(
    *,
    actor: User | None,
    course_id: int,
    rows: Sequence[Mapping[str, str]],
    is_dry_run: bool,
    on_existing: OnExisting = "refuse",
    tell: Callable[[int], object] | None = None,
) -> ImportReport:
    """Create the problems that a table of a course names; `on_existing` says what becomes of slugs that are there.

    `rows` are as `problem_rows` gives them. A dry run tries everything and writes nothing; a table with errors writes
    nothing either. `tell` is called with the number of rows tried since. `actor` None is the operator.

    Raises:
        NotFound: there is no such course.
        InvalidInput: at `/file`, code `too_many_checkers`.
        ProblemImportRefused: rows have errors; its members hold the report.
    """
    # Before the transaction, since nothing else may wait for a lock while they compile.
    faults = {checker: checker_program_errors(checker) for checker in _checkers(rows)}
    with transaction.atomic():
        course = row_lock(Course.objects.all(), course_id)
        resource = ProblemResource(
            actor=actor,
            course_id=course.pk,
            existing={problem.slug: problem for problem in course.problems.only("pk", "slug", "type")},
            on_existing=on_existing,
            checker_faults=faults,
            tell=tell,
        )
        header = list(rows[0]) if rows else ["slug"]
        dataset = tablib.Dataset(*([row[name] for name in header] for row in rows), headers=header)
        # Rows with errors, and dry runs, are rolled back in here, all of them.
        result = resource.import_data(
            dataset, dry_run=is_dry_run, use_transactions=True, rollback_on_validation_errors=True
        )
        report = _report(rows, result, is_dry_run=is_dry_run)
        if report.is_written and report.totals["created"] + report.totals["updated"]:
            audit_record(
                actor=actor,
                action="problem.import",
                target=course,
                organization_id=course.organization_id,
                changes={name: [None, report.totals[name]] for name in OUTCOMES},
            )
    if report.totals["error"] and not is_dry_run:
        raise ProblemImportRefused(
            f"{report.totals['error']} of {len(rows)} rows have errors; nothing was written.",
            members=report.as_members(),
        )
    return report


def _checkers(rows: Sequence[Mapping[str, str]]) -> set[CheckerProgram]:
    """The different checkers that the rows' tests bring along. What is wrong with a row is told where it is tried."""
    found = set()
    for row in rows:
        try:
            tests = CellWidget(Content.JSON).clean(row.get("tests", ""))
            checker = None if tests is None else tests_given(tests).checker
        except (ValueError, InvalidInput):
            continue
        if checker is not None:
            found.add(checker)
    if len(found) > CHECKERS_MAX:
        detail = f"A table brings at most {CHECKERS_MAX} different checkers."
        raise InvalidInput.at("file", "too_many_checkers", detail)
    return found


def _report(rows: Sequence[Mapping[str, str]], result: Result, *, is_dry_run: bool) -> ImportReport:
    for base in result.base_errors:
        raise base.error
    lines = [
        ImportLine(
            row=number,
            slug=row["slug"].strip()[:100],
            outcome=_OUTCOMES[found.import_type],
            errors=tuple(_cell_errors(found)),
        )
        for number, (row, found) in enumerate(zip(rows, result.rows, strict=True), start=1)
    ]
    counts = Counter(line.outcome for line in lines)
    totals = {outcome: counts[outcome] for outcome in OUTCOMES}
    return ImportReport(is_written=not is_dry_run and not totals["error"], totals=totals, rows=lines)


def _cell_errors(found: RowResult) -> Iterator[CellError]:
    if found.validation_error is not None:
        for attribute, messages in found.validation_error.message_dict.items():
            yield CellError(column=attribute.split("__")[-1], code="invalid_json", detail=" ".join(messages))
    for each in found.errors:
        error = each.error
        if not isinstance(error, DomainError):
            # A fault of ours, or of the database: it is no row's.
            raise error
        yield from (
            map(_cell_error, error.errors)
            if error.errors
            else (CellError(column="", code=error.code, detail=error.detail),)
        )


def _cell_error(fault: FieldError) -> CellError:
    """An error by its pointer: `#/algorithm/languages/0` is in the column `languages`, below `tests` are the tests."""
    parts = fault.pointer.removeprefix("#").strip("/").split("/")
    path = parts[1:] if parts[0] in SPECS and len(parts) > 1 else parts
    if path[0] in SPECS:
        return CellError(column="type", code=fault.code, detail=fault.detail)
    if path[0] in COLUMN_NAMES:
        column, inside = path[0], "/".join(path[1:])
    else:
        column, inside = "tests", "/".join(path)
    return CellError(column=column, code=fault.code, detail=f"{inside}: {fault.detail}" if inside else fault.detail)
