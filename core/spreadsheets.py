"""Tables written so that no cell runs in a spreadsheet program, and read so that no file does here (T-24, T-31).

A program that opens a table takes text such as `=HYPERLINK(...)` for a formula. Numbers are written as numbers, so that
a negative one stays one; every text that could be a formula is marked as text.
"""

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, time
from decimal import Decimal
from io import BytesIO, StringIO
from itertools import chain
from math import isfinite
from typing import Any, Final, Literal, NoReturn

import openpyxl
from openpyxl.cell import WriteOnlyCell

from core.archives import read_archive
from core.errors import DomainError, InvalidInput

Cell = str | int | float | Decimal | None

COLUMNS_MAX = 100
BYTE_ORDER_MARK = "\ufeff"
CSV_DELIMITERS: Final = (",", ";", "\t")
SHEET_TITLE_CHARACTERS_MAX = 31
# What spreadsheet programs hold: longer text is cut, later rows are none.
XLSX_CELL_CHARACTERS_MAX = 32_767
XLSX_ROWS_MAX = 1_048_576
# A workbook is XML, which packs well, in a few dozen files.
XLSX_FILES_MAX = 1_000
XLSX_UNPACKED_BYTES_MAX = 64 * 1024 * 1024
XLSX_RATIO_MAX = 250

# Whitespace, control and invisible characters are skipped by one program or another. The other characters are those
# which begin a formula, full-width and small variants included; some programs take the real minus sign for one, too.
INVISIBLE = "\\s\x00-\x1f\x7f-\x9f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff"
FORMULA_START = "=+@|\\-\u2212\uff1d\uff0b\uff0d\uff20\uff5c\ufe62\ufe63\ufe66\ufe6b"
FORMULA = re.compile(f"[\t\r\n]|[{INVISIBLE}]*[{FORMULA_START}]")
# Programs in other countries split at other delimiters, and then a formula could begin in the middle of our cell.
# Whole runs are matched, so that even a text of nothing else takes time in proportion.
SKIPPED_RUN = re.compile(f"[;{INVISIBLE}\"']++")
_DELIMITER = re.compile("[;\t\r\n]")
_STARTS_FORMULA = re.compile(f"[{FORMULA_START}]")
_ILLEGAL_IN_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_ILLEGAL_IN_TITLE = re.compile(r"[\[\]:*?/\\\x00-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
_REPLACEMENT = "\N{REPLACEMENT CHARACTER}"


def csv_rows(header: Sequence[str], rows: Iterable[Sequence[Cell]], *, with_bom: bool = True) -> Iterator[str]:
    """The lines of a CSV file (RFC 4180, `,`, CRLF), made one by one; encode them as UTF-8.

    Text that could be a formula begins with an apostrophe. With `with_bom`, Excel knows that it is UTF-8.
    """
    buffer = StringIO(newline="")
    # All text is quoted, so that a program which splits at another delimiter finds fewer places to split at.
    writer = csv.writer(buffer, lineterminator="\r\n", quoting=csv.QUOTE_NONNUMERIC)
    if with_bom:
        buffer.write(BYTE_ORDER_MARK)
    for row in chain([header], rows):
        writer.writerow([_csv_cell(cell) for cell in row])
        yield buffer.getvalue()
        buffer.seek(0)
        buffer.truncate()


def xlsx_file(header: Sequence[str], rows: Iterable[Sequence[Cell]], *, sheet_title: str) -> bytes:
    """A workbook of one sheet whose header stays in view; every text is of the type "text", never a formula.

    Characters that XML cannot hold are replaced, and text is cut at 32,767 characters. The title is made a legal one.
    """
    workbook = openpyxl.Workbook(write_only=True)
    sheet = workbook.create_sheet(title=_sheet_title(sheet_title))
    sheet.freeze_panes = "A2"
    for row in chain([header], rows):
        sheet.append([_xlsx_cell(sheet, cell) for cell in row])
    file = BytesIO()
    workbook.save(file)
    return file.getvalue()


def table_rows(data: bytes, *, kind: Literal["csv", "xlsx"], rows_max: int, bytes_max: int) -> list[dict[str, str]]:
    """The rows below a table's header row, by the header's names; rows without content are left out.

    CSV is UTF-8 with `,`, `;` or tab as delimiter. Of a workbook the first sheet counts; formulas are read as their
    text and never computed. Names in the header are trimmed, cells are not; which names there must be is for callers.

    Raises:
        InvalidInput: at `file`, code `file_too_large`, `not_utf8`, `not_a_spreadsheet`, `too_many_rows`,
            `too_many_columns`, `header_missing` or `header_repeated`.
    """
    if len(data) > bytes_max:
        _refuse("file_too_large", f"The file is larger than {bytes_max} bytes.")
    # Filtered and bounded before any row is kept: files may pretend to have millions.
    rows = (row for row in (_csv_table(data) if kind == "csv" else _xlsx_table(data)) if any(map(str.strip, row)))
    names = _header(next(rows, []))
    table: list[dict[str, str]] = []
    for row in rows:
        if len(table) == rows_max:
            _refuse("too_many_rows", f"The table has more than {rows_max} rows below its header.")
        if any(map(str.strip, row[len(names) :])):
            _refuse("header_missing", f"Row {len(table) + 1} has a cell beyond the last column that has a name.")
        table.append(dict(zip(names, [*row, *[""] * (len(names) - len(row))], strict=False)))
    return table


def _refuse(code: str, detail: str) -> NoReturn:
    raise InvalidInput.at("file", code, detail)


def _is_number(cell: Cell) -> bool:
    return not isinstance(cell, str) and cell is not None and isfinite(cell)


def _csv_cell(cell: Cell) -> Cell:
    if cell is None:
        return None
    if _is_number(cell):
        return cell
    text = str(cell)
    marked = f"'{text}" if FORMULA.match(text) else text
    return SKIPPED_RUN.sub(lambda run: f"{run[0]}'" if is_before_formula(run) else run[0], marked)


def is_before_formula(run: re.Match[str]) -> bool:
    """Whether what follows a `SKIPPED_RUN` could be a formula where a program splits inside of it."""
    return bool(_STARTS_FORMULA.match(run.string, run.end()) and _DELIMITER.search(run[0]))


def _xlsx_cell(sheet: Any, cell: Cell) -> Any:
    if cell is None or _is_number(cell):
        return cell
    text = _ILLEGAL_IN_XML.sub(_REPLACEMENT, str(cell))[:XLSX_CELL_CHARACTERS_MAX]
    written = WriteOnlyCell(sheet, value=text)
    # openpyxl takes text that begins with "=" for a formula, and text such as "#N/A" for an error.
    written.data_type = "s"
    if FORMULA.match(str(cell)):
        # As if typed after an apostrophe: it stays text when somebody edits the cell, too.
        written.quotePrefix = True
    return written


def _sheet_title(title: str) -> str:
    """What Excel takes as a sheet's name: no separators, no apostrophe at an end, never empty or "History"."""
    legal = _ILLEGAL_IN_TITLE.sub(" ", title)[:SHEET_TITLE_CHARACTERS_MAX].strip(" '")
    return legal if legal and legal.casefold() != "history" else "Sheet1"


def _header(row: Sequence[str]) -> list[str]:
    names = [name.strip() for name in row]
    while names and not names[-1]:
        names.pop()
    if not names or "" in names:
        _refuse("header_missing", "The first row must name every column.")
    if len(names) > COLUMNS_MAX:
        _refuse("too_many_columns", f"The table has more than {COLUMNS_MAX} columns.")
    if len(set(names)) != len(names):
        _refuse("header_repeated", "The first row names two columns alike.")
    return names


def _csv_table(data: bytes) -> Iterator[list[str]]:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        detail = "The file is not UTF-8; save it as 'CSV UTF-8'."
        raise InvalidInput.at("file", "not_utf8", detail) from error
    if "\x00" in text:
        _refuse("not_a_spreadsheet", "The file is no CSV: it has a NUL character.")
    # The one by which the first line has most columns.
    delimiter = max(CSV_DELIMITERS, key=lambda each: _columns_by(each, text))
    reader = csv.reader(StringIO(text, newline=""), delimiter=delimiter, strict=True)
    while True:
        try:
            row = next(reader, None)
        except csv.Error as error:
            detail = f"Line {reader.line_num} of the file is no CSV: {error}."
            raise InvalidInput.at("file", "not_a_spreadsheet", detail) from error
        if row is None:
            return
        yield row


def _columns_by(delimiter: str, text: str) -> int:
    try:
        return len(next(csv.reader(StringIO(text, newline=""), delimiter=delimiter), []))
    except csv.Error:
        return 0


def _xlsx_table(data: bytes) -> Iterator[list[str]]:
    try:
        read_archive(
            data,
            files_max=XLSX_FILES_MAX,
            file_bytes_max=XLSX_UNPACKED_BYTES_MAX,
            total_bytes_max=XLSX_UNPACKED_BYTES_MAX,
            ratio_max=XLSX_RATIO_MAX,
        )
        workbook = openpyxl.load_workbook(BytesIO(data), read_only=True, keep_links=False)
        sheet = workbook.worksheets[0]
        # The size that a sheet states is not to be trusted; one column more than allowed shows that there are too many.
        sheet.reset_dimensions()
        for number, row in enumerate(sheet.iter_rows(max_col=COLUMNS_MAX + 1, values_only=True)):
            if number >= XLSX_ROWS_MAX:
                _refuse("not_a_spreadsheet", "The sheet has a row beyond the last that there can be.")
            # A file of a few hundred bytes can pretend a million empty rows.
            if row.count(None) < len(row):
                yield [_text_of(value) for value in row]
    except DomainError as error:
        if error.errors[0].code.startswith("archive_"):
            raise InvalidInput.at("file", "not_a_spreadsheet", f"This is no workbook: {error.detail}") from error
        raise
    except Exception as error:
        # openpyxl fails in any way on what no spreadsheet program wrote.
        raise InvalidInput.at("file", "not_a_spreadsheet", "This is no workbook that can be read.") from error


def _text_of(value: Any) -> str:
    """A cell as a person reads it: whole numbers without a fraction, dates by ISO 8601, formulas as written."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, date | time):
        return value.isoformat()
    # Formulas over several cells come as objects that hold their text.
    text = getattr(value, "text", value)
    return "" if text is None else str(text)
