"""The part of problems answered by filling blanks in a text."""

from collections.abc import Sequence
from typing import TypedDict

from core.errors import FieldError
from courses.answer_keys import FillBlankSpec, fillblank_columns, fillblank_spec
from courses.models import FillBlankProblem
from courses.rules.blank_authoring import blanks_errors
from courses.rules.fillblank import Blank
from courses.services.parts.part import PartType
from courses.services.validation import row_errors

POINTER = "#/fillblank"


class FillBlankChanges(TypedDict, total=False):
    text: str
    blanks: Sequence[Blank]


def _errors(spec: FillBlankSpec) -> list[FieldError]:
    errors = blanks_errors(spec.text, spec.blanks, at=POINTER)
    # Its problem is checked on its own, and may not be there yet.
    return errors or row_errors(FillBlankProblem(**fillblank_columns(spec)), at=POINTER, exclude=["problem"])


FILLBLANK = PartType(
    model=FillBlankProblem,
    spec_of=fillblank_spec,
    errors=_errors,
    columns=fillblank_columns,
    unquoted=("blanks",),
)
