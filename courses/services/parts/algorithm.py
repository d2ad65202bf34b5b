"""The part of problems answered with a program: how programs are limited, called and compared."""

from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any, TypedDict

from core.errors import FieldError
from courses import authoring
from courses.authoring import AlgorithmSpec
from courses.models import AlgorithmProblem, Problem
from courses.selectors import current_test_set
from courses.services.parts.part import PartType
from courses.services.validation import row_errors
from courses.testdata import errors_of_test_cases


class AlgorithmChanges(TypedDict, total=False):
    time_limit_ms: int
    memory_limit_mb: int
    entry_point: str
    value_encoding: str
    checker: str
    checker_options: Mapping[str, Any]
    is_partial_credit: bool
    stops_at_first_failure: bool
    isolates_tests: bool
    languages: list[str]
    templates: Mapping[str, str]
    preludes: Mapping[str, str]
    postludes: Mapping[str, str]
    starter_code: Mapping[str, str]


def _spec_of(row: AlgorithmProblem) -> AlgorithmSpec:
    return AlgorithmSpec(**{field.name: getattr(row, field.name) for field in fields(AlgorithmSpec)})


def _columns(spec: AlgorithmSpec) -> dict[str, Any]:
    return {**asdict(spec), "languages": list(spec.languages)}


def _errors(spec: AlgorithmSpec) -> list[FieldError]:
    """What is wrong with a spec; the registered checks are asked once its shape is right."""
    row = AlgorithmProblem(**_columns(spec))
    # Its problem is checked on its own, and may not be there yet.
    errors = [*row_errors(row, at=authoring.POINTER, exclude=["problem"]), *authoring.shape_errors(spec)]
    return errors or authoring.registered_errors(spec)


def _fit_errors(problem: Problem, row: AlgorithmProblem) -> list[FieldError]:
    """The current tests of a published problem fit how it is called and checked."""
    test_set = current_test_set(problem)
    if test_set is None:
        return []
    lacks_checker = row.checker == AlgorithmProblem.Checker.CUSTOM and not test_set.checker_source
    if not lacks_checker and not errors_of_test_cases(list(test_set.test_cases.all()), algorithm=row):
        return []
    return [
        FieldError(
            pointer=authoring.POINTER,
            code="tests_do_not_fit",
            detail=f"Tests of version {test_set.version} do not fit how the problem is called and checked.",
        )
    ]


ALGORITHM = PartType(
    model=AlgorithmProblem,
    spec_of=_spec_of,
    errors=_errors,
    columns=_columns,
    # Any of these can hold a driver with test data in it.
    unquoted=("templates", "preludes", "postludes"),
    # All but what students start with and which languages they may choose.
    judged=frozenset(AlgorithmChanges.__annotations__) - {"starter_code", "languages"},
    fit_errors=_fit_errors,
    is_answerable=lambda problem: problem.test_sets.exists(),
)
