"""What the services of problems need to know of a problem type."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db.models import Model

from core.errors import FieldError
from courses.models import Problem


@dataclass(frozen=True, slots=True, kw_only=True)
class PartType:
    """The part of a problem that its type adds: one row, written from a spec (a frozen dataclass) that an author gives.

    `errors` is everything against a spec, with pointers below `#/<type>`; `columns` turns one without errors into
    values of the row, and `spec_of` a row into its spec. `unquoted` names the columns the audit must not quote.
    `judged` names those that decide how programs are run and compared.
    `fit_errors` is what keeps a published problem from having this row; `is_answerable` tells whether, with it, a
    problem can be answered at all.
    """

    model: type[Model]
    spec_of: Callable[[Any], Any]
    errors: Callable[[Any], list[FieldError]]
    columns: Callable[[Any], dict[str, Any]]
    unquoted: tuple[str, ...]
    judged: frozenset[str] = frozenset()
    fit_errors: Callable[[Problem, Any], list[FieldError]] = lambda problem, row: []
    is_answerable: Callable[[Problem], bool] = lambda problem: True
