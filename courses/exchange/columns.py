"""The columns of a table of problems, and what stands in their cells. `docs/problem-import.md` tells authors."""

import json
import re
from dataclasses import dataclass
from enum import Enum
from io import BytesIO
from typing import Any

from import_export.widgets import Widget
from rest_framework.exceptions import APIException

from core.errors import InvalidInput
from core.parsers import StrictJSONParser

# JSON may hold them, and what reads tables may not.
_ESCAPED_IN_JSON = re.compile("[\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]")


class Content(Enum):
    """What a column's cells hold, and so what an empty one means."""

    TEXT = "text"  # exactly this text; empty: an empty one
    PLAIN = "plain"  # a number, a name, true or false; empty: nothing is said
    JSON = "json"  # empty: nothing is said
    LETTERS = "letters"  # such as AC; empty: nothing is said


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column. `part` is the problem type whose problems alone have it; empty: all have it."""

    name: str
    content: Content = Content.PLAIN
    part: str = ""

    @property
    def attribute(self) -> str:
        """Where it is found, from a problem, in the notation of django-import-export."""
        return f"{self.part}__{self.name}" if self.part else self.name


COLUMNS = (
    *(Column(name=name) for name in ("slug", "type")),
    *(Column(name=name, content=Content.TEXT) for name in ("title", "statement", "author_notes")),
    *(Column(name=name) for name in ("difficulty", "audience", "status")),
    *(Column(name=name, part="algorithm") for name in ("time_limit_ms", "memory_limit_mb")),
    Column(name="entry_point", content=Content.TEXT, part="algorithm"),
    *(Column(name=name, part="algorithm") for name in ("value_encoding", "checker")),
    Column(name="checker_options", content=Content.JSON, part="algorithm"),
    *(
        Column(name=name, part="algorithm")
        for name in ("is_partial_credit", "stops_at_first_failure", "isolates_tests")
    ),
    *(
        Column(name=name, content=Content.JSON, part="algorithm")
        for name in ("languages", "starter_code", "templates", "preludes", "postludes", "tests")
    ),
    Column(name="options", content=Content.JSON, part="choice"),
    Column(name="answers", content=Content.LETTERS, part="choice"),
    *(Column(name=name, part="choice") for name in ("is_multiple", "scoring")),
    Column(name="text", content=Content.TEXT, part="fillblank"),
    Column(name="blanks", content=Content.JSON, part="fillblank"),
)
COLUMN_NAMES = tuple(column.name for column in COLUMNS)
# A long text goes on in columns named like this: `tests (2)`, `tests (3)`.
CONTINUED = re.compile(r"(?P<name>\w+) \((?P<number>[1-9][0-9]?)\)")


def continued_name(name: str, number: int) -> str:
    """The name of the column that holds the piece of this number, from 1, of a column's text."""
    return name if number == 1 else f"{name} ({number})"


class CellWidget(Widget):
    """Between a column's cells and Python; None is a cell in which nothing is said."""

    def __init__(self, content: Content) -> None:
        super().__init__()
        self.content = content

    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> Any:
        """What a cell says.

        Raises:
            ValueError: it is no JSON.
        """
        if self.content == Content.TEXT:
            return value
        if not (said := value.strip()):
            return None
        if self.content == Content.LETTERS:
            return [letter for letter in said if letter not in " ,;"]
        return _json_value(said) if self.content == Content.JSON else said

    def render(self, value: Any, obj: Any = None, **kwargs: Any) -> str:
        """The text of a cell."""
        if value is None:
            return ""
        if self.content == Content.JSON:
            return json_text(value)
        return str(value).lower() if isinstance(value, bool) else str(value)


def json_text(value: Any) -> str:
    """JSON that a person can read, in one line."""
    written = json.dumps(value, ensure_ascii=False)
    return _ESCAPED_IN_JSON.sub(lambda match: f"\\u{ord(match[0]):04x}", written)


def _json_value(text: str) -> Any:
    try:
        return StrictJSONParser().parse(BytesIO(text.encode("utf-8", "surrogatepass")))
    except APIException as error:
        raise ValueError(str(error.detail).replace("body", "cell")) from error
    except InvalidInput as error:
        raise ValueError(error.detail) from error
