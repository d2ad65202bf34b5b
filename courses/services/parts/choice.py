"""The part of problems answered by choosing among options."""

from collections.abc import Sequence
from typing import TypedDict

from core.errors import FieldError
from courses.answer_keys import ChoiceSpec, choice_columns, choice_spec
from courses.models import ChoiceProblem
from courses.rules.choice import key_errors
from courses.services.parts.part import PartType
from courses.services.validation import row_errors

POINTER = "#/choice"


class ChoiceChanges(TypedDict, total=False):
    options: Sequence[str]
    answers: Sequence[str]
    is_multiple: bool
    scoring: str


def _errors(spec: ChoiceSpec) -> list[FieldError]:
    errors = key_errors(
        options=spec.options, answers=spec.answers, is_multiple=spec.is_multiple, scoring=spec.scoring, at=POINTER
    )
    # Its problem is checked on its own, and may not be there yet.
    return errors or row_errors(ChoiceProblem(**choice_columns(spec)), at=POINTER, exclude=["problem"])


CHOICE = PartType(
    model=ChoiceProblem, spec_of=choice_spec, errors=_errors, columns=choice_columns, unquoted=("answers",)
)
