"""What an author says of one test, and whether it fits how its problem is called and checked."""

import ast
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from math import isfinite
from typing import Any

from core.errors import FieldError
from courses.authoring import AlgorithmSpec
from courses.models import AlgorithmProblem, TestCase

# Pointers of all errors begin here: the place of the tests in the body of a test set.
POINTER = "#/test_cases"
TEST_CASES_MAX = 1000
# Values nested deeper than this are refused: checkers and languages give up on them at depths of their own.
DEPTH_MAX = 100
# Longer literals of Python are no values to the checkers, since reading them could take very long.
LITERAL_MAX_BYTES = 128 * 1024
JSON: str = AlgorithmProblem.ValueEncoding.JSON
PYTHON_LITERAL: str = AlgorithmProblem.ValueEncoding.PYTHON_LITERAL


@dataclass(frozen=True, slots=True, kw_only=True)
class TestCaseSpec:
    """One test as its author gives it; the fields are those of `TestCase`. Its order is its place in the list."""

    __test__ = False

    input: str = ""
    expected_output: str | None = None
    is_sample: bool = False
    weight: Decimal = Decimal(1)
    group: str = ""


def errors_of_test_cases(
    test_cases: Sequence[TestCaseSpec | TestCase], *, algorithm: AlgorithmSpec | AlgorithmProblem
) -> list[FieldError]:
    """What is wrong with the tests of one set; the messages name a test by its place and never quote it."""
    if not test_cases:
        return [FieldError(pointer=POINTER, code="empty", detail="A test set has at least one test.")]
    if len(test_cases) > TEST_CASES_MAX:
        detail = f"A test set has at most {TEST_CASES_MAX} tests."
        return [FieldError(pointer=POINTER, code="max_length", detail=detail)]
    return [
        FieldError(pointer=f"{POINTER}/{index}/{name}", code=code, detail=detail)
        for index, test_case in enumerate(test_cases)
        for name, code, detail in _faults(test_case, algorithm)
    ]


def _faults(
    test_case: TestCaseSpec | TestCase, algorithm: AlgorithmSpec | AlgorithmProblem
) -> Iterator[tuple[str, str, str]]:
    if algorithm.entry_point:
        arguments = _value(test_case.input, algorithm.value_encoding)
        if not isinstance(arguments, _ARGUMENTS[algorithm.value_encoding]) or not _has_text_keys(arguments):
            yield "input", "not_arguments", _ARGUMENTS_WANTED[algorithm.value_encoding]
    encoding = _expected_encoding(algorithm)
    expected = test_case.expected_output
    if encoding == PYTHON_LITERAL and len((expected or "").encode("utf-8", "surrogatepass")) > LITERAL_MAX_BYTES:
        detail = f"An expected output in Python's notation has at most {LITERAL_MAX_BYTES // 1024} KiB."
        yield "expected_output", "too_long", detail
    elif encoding and expected is not None and _value(expected, encoding) is _UNREADABLE:
        yield "expected_output", "not_a_value", f"The expected output must be one value in {_NAMES[encoding]}."


def _expected_encoding(algorithm: AlgorithmSpec | AlgorithmProblem) -> str | None:
    """In which encoding the expected output has to be a value; None where it is just text."""
    if algorithm.entry_point:
        return algorithm.value_encoding
    return JSON if algorithm.checker == AlgorithmProblem.Checker.JSON else None


_UNREADABLE = object()
_NAMES = {JSON: "JSON", PYTHON_LITERAL: "Python's notation"}
_ARGUMENTS: dict[str, tuple[type, ...]] = {JSON: (list, dict), PYTHON_LITERAL: (list, tuple, dict)}
_ARGUMENTS_WANTED = {
    JSON: "The input of a function problem is its arguments: a JSON list, or an object for keywords.",
    PYTHON_LITERAL: "The input of a function problem is its arguments: a Python list, or a dict for keywords.",
}


def _value(text: str, encoding: str) -> Any:
    try:
        if encoding == PYTHON_LITERAL:
            value = ast.literal_eval(text.strip())
        else:
            value = json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, SyntaxError, TypeError, RecursionError, MemoryError):
        return _UNREADABLE
    return value if _is_comparable(value) else _UNREADABLE


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON.")


def _is_comparable(value: Any) -> bool:
    """Whether checkers can compare with it: nested at most `DEPTH_MAX` deep, and every number a finite one."""
    level = [value]
    for _ in range(DEPTH_MAX):
        if any(isinstance(one, float) and not isfinite(one) for one in level):
            return False
        level = [
            inner
            for outer in level
            if isinstance(outer, list | tuple | dict)
            for inner in (outer.values() if isinstance(outer, dict) else outer)
        ]
        if not level:
            return True
    return False


def _has_text_keys(arguments: object) -> bool:
    return not isinstance(arguments, dict) or all(isinstance(key, str) for key in arguments)
