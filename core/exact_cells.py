"""Texts in cells that come back exactly, whatever `core.spreadsheets` does to keep them from running or to fit XML.

A long text is continued in further cells: spreadsheet programs hold 32,767 characters in one, CSV readers 131,072.
"""

import re
from collections.abc import Sequence
from typing import Literal

from core.spreadsheets import FORMULA, SKIPPED_RUN, is_before_formula

Kind = Literal["csv", "xlsx"]

# Emoji count twice in spreadsheet programs.
PIECE_CHARACTERS_MAX = 16_000

_QUOTED_FORMULA = re.compile(f"'+(?:{FORMULA.pattern})")
# What XML cannot hold, or changes: a carriage return is read as a newline. Office writes them like this, too.
_ESCAPED_IN_XLSX = re.compile("[\x00-\x08\x0b-\x1f\ud800-\udfff\ufffe\uffff]|_(?=x[0-9A-Fa-f]{4}_)")
_ESCAPE_IN_XLSX = re.compile("_x([0-9A-Fa-f]{4})_")


def text_cells(text: str, kind: Kind) -> list[str]:
    """The cells, at least one, that hold a text in a table which `csv_rows` or `xlsx_file` then writes."""
    if kind == "xlsx":
        return _pieces(_ESCAPED_IN_XLSX.sub(lambda match: f"_x{ord(match[0]):04X}_", text))
    # `csv_rows` puts an apostrophe before what could be a formula; one that was there gets a second.
    return [f"'{piece}" if _QUOTED_FORMULA.match(piece) else piece for piece in _pieces(text)]


def cells_text(cells: Sequence[str], kind: Kind) -> str:
    """The text that `text_cells` wrote, as `table_rows` read its cells."""
    if kind == "xlsx":
        return _ESCAPE_IN_XLSX.sub(lambda match: chr(int(match[1], 16)), "".join(cells))
    return "".join(_csv_text(cell) for cell in cells)


def _pieces(text: str) -> list[str]:
    return [text[start : start + PIECE_CHARACTERS_MAX] for start in range(0, len(text) or 1, PIECE_CHARACTERS_MAX)]


def _csv_text(cell: str) -> str:
    text = SKIPPED_RUN.sub(lambda run: run[0].removesuffix("'") if is_before_formula(run) else run[0], cell)
    return text[1:] if _QUOTED_FORMULA.match(text) else text
