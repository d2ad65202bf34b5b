"""What an author says of an algorithm problem, and the checks it has to pass before it is saved.

Courses know the shape of it. What needs to know languages, templates or checkers is known further up: those apps
register their checks here when they start, and every saving of a problem asks them.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import isfinite
from typing import Any

from core.errors import FieldError
from courses.models import AlgorithmProblem

# Pointers of all errors begin here: the place of the algorithm part in the body of a problem.
POINTER = "#/algorithm"
IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,99}")
LANGUAGE_KEY = re.compile(r"[a-z0-9][a-z0-9_+.-]{0,29}")
OPTION_TEXT_MAX = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class AlgorithmSpec:
    """How programs for a problem are limited, called and compared; the fields are those of `AlgorithmProblem`."""

    time_limit_ms: int = 2000
    memory_limit_mb: int = 256
    entry_point: str = ""
    value_encoding: str = AlgorithmProblem.ValueEncoding.JSON
    checker: str = AlgorithmProblem.Checker.TOKENS
    checker_options: Mapping[str, Any] = field(default_factory=dict)
    is_partial_credit: bool = True
    stops_at_first_failure: bool = False
    isolates_tests: bool = False
    languages: Sequence[str] = ()
    templates: Mapping[str, str] = field(default_factory=dict)
    preludes: Mapping[str, str] = field(default_factory=dict)
    postludes: Mapping[str, str] = field(default_factory=dict)
    starter_code: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckerProgram:
    """A checker of the author's own: one source in one language."""

    language: str
    source: str


AlgorithmCheck = Callable[[AlgorithmSpec], Iterable[FieldError]]
CheckerProgramCheck = Callable[[CheckerProgram], Iterable[FieldError]]
_checks: list[AlgorithmCheck] = []
_program_checks: list[CheckerProgramCheck] = []


def register_algorithm_check(check: AlgorithmCheck) -> None:
    """Ask `check` whenever a problem is saved, for errors with pointers such as `#/algorithm/languages/0`.

    It is asked only about a spec whose shape is right and whose checker, encoding and limits are known ones. For
    `AppConfig.ready()`; registering the same function twice is registering it once.
    """
    if check not in _checks:
        _checks.append(check)


def unregister_algorithm_check(check: AlgorithmCheck) -> None:
    """Stop asking `check`."""
    _checks.remove(check)


def register_checker_program_check(check: CheckerProgramCheck) -> None:
    """Ask `check` whenever a test set brings a checker, for errors at `#/checker_language` or `#/checker_source`.

    It is asked outside any transaction, since it may compile the program.
    """
    if check not in _program_checks:
        _program_checks.append(check)


def unregister_checker_program_check(check: CheckerProgramCheck) -> None:
    """Stop asking `check`."""
    _program_checks.remove(check)


def checker_program_errors(program: CheckerProgram) -> list[FieldError]:
    """What the registered checks have against an author's checker."""
    return [error for check in _program_checks for error in check(program)]


def registered_errors(spec: AlgorithmSpec) -> list[FieldError]:
    """What the registered checks have against a spec."""
    return [error for check in _checks for error in check(spec)]


def is_known_language(key: str) -> bool:
    """Whether a problem could take programs in the language of this key."""
    return bool(LANGUAGE_KEY.fullmatch(key)) and not any(
        error.pointer.startswith(f"{POINTER}/languages") for error in registered_errors(AlgorithmSpec(languages=[key]))
    )


def shape_errors(spec: AlgorithmSpec) -> list[FieldError]:
    """What is wrong with a spec whatever languages and checkers there are."""
    return [
        *_entry_point_errors(spec),
        *_language_errors(spec),
        *_text_errors(spec, "templates", spec.templates),
        *_text_errors(spec, "preludes", spec.preludes),
        *_text_errors(spec, "postludes", spec.postludes),
        *_text_errors(spec, "starter_code", spec.starter_code),
        *_option_errors(spec),
    ]


def _entry_point_errors(spec: AlgorithmSpec) -> Iterator[FieldError]:
    if spec.entry_point and not IDENTIFIER.fullmatch(spec.entry_point):
        yield FieldError(
            pointer=f"{POINTER}/entry_point",
            code="not_an_identifier",
            detail="The entry point is the name of a function: ASCII letters, digits and _, at most 100.",
        )


def _language_errors(spec: AlgorithmSpec) -> Iterator[FieldError]:
    for index, key in enumerate(spec.languages):
        if not LANGUAGE_KEY.fullmatch(key):
            yield FieldError(
                pointer=f"{POINTER}/languages/{index}", code="invalid", detail="This is no key of a language."
            )
        elif key in spec.languages[:index]:
            yield FieldError(
                pointer=f"{POINTER}/languages/{index}", code="duplicate", detail="This language is listed twice."
            )


def _text_errors(spec: AlgorithmSpec, name: str, texts: Mapping[str, str]) -> Iterator[FieldError]:
    for key in texts:
        if not LANGUAGE_KEY.fullmatch(key):
            yield FieldError(
                pointer=f"{POINTER}/{name}", code="invalid", detail="A key of this object is no key of a language."
            )
        elif spec.languages and key not in spec.languages:
            yield FieldError(
                pointer=f"{POINTER}/{name}/{key}",
                code="language_not_allowed",
                detail="The problem's list of languages does not name this one.",
            )


def _option_errors(spec: AlgorithmSpec) -> Iterator[FieldError]:
    for name, value in spec.checker_options.items():
        if not IDENTIFIER.fullmatch(name):
            yield FieldError(
                pointer=f"{POINTER}/checker_options", code="invalid", detail="A key of this object is no option's name."
            )
        elif not _is_plain(value):
            yield FieldError(
                pointer=f"{POINTER}/checker_options/{name}",
                code="invalid",
                detail="An option is a finite number, true, false or a short text.",
            )


def _is_plain(value: object) -> bool:
    if isinstance(value, str):
        return value.isprintable() and len(value) <= OPTION_TEXT_MAX
    return isinstance(value, bool | int) or (isinstance(value, float) and isfinite(value))
