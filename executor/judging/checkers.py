"""Deciding whether an output is right. Everything here is pure, works on bytes, and runs outside every box.

White space is the ASCII set (space, tab, newline, carriage return, vertical tab, form feed): what Unicode calls a space
is text. Numbers are plain decimals in ASCII digits; `nan` equals nothing, not even itself; hexadecimal, underscores
and other scripts' digits are text. No output, however odd, makes a checker raise.
"""

import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import zip_longest
from math import isfinite
from typing import Any

from executor.judging import values

QUOTE_LIMIT = 80
NUMBER = re.compile(rb"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
NOT_A_NUMBER = frozenset({b"nan", b"+nan", b"-nan"})
DEFAULT_TOLERANCE = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckerSpec:
    """A checker by name, with its options."""

    name: str
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckResult:
    """Whether the output is right; `message` names the first difference and may quote the expected output.

    `judge_message` is for staff alone; only a custom checker has one.
    """

    is_right: bool
    message: str = ""
    judge_message: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokenCheck:
    """A custom checker that gave no answer; the reason is for staff, and nothing of it is held against the student."""

    reason: str


# Not one of ours: the author's program decides, in a box; see `custom`.
CUSTOM = "custom"
RIGHT = CheckResult(is_right=True)
Options = Mapping[str, Any]


def check(spec: CheckerSpec, *, output: bytes, expected: str | None) -> CheckResult:
    """Compare a program's output with the expected one; an expected output of None takes any.

    Raises:
        KeyError: there is no checker of that name.
        values.UnreadableValue: the *expected* output is no value; an authoring fault that saving a problem refuses.
    """
    checker = CHECKERS[spec.name]
    if expected is None:
        return RIGHT
    return checker(output, expected.encode("utf-8", "surrogatepass"), spec.options)


def _wrong(message: str) -> CheckResult:
    return CheckResult(is_right=False, message=message)


def _quote(data: bytes | None) -> str:
    if data is None:
        return "nothing"
    text = data[:QUOTE_LIMIT].decode("utf-8", "backslashreplace")
    return repr(text) + ("…" if len(data) > QUOTE_LIMIT else "")


def _check_exact(output: bytes, expected: bytes, options: Options) -> CheckResult:
    """Byte for byte."""
    if output == expected:
        return RIGHT
    shared = zip(output, expected, strict=False)
    at = next((i for i, (a, b) in enumerate(shared) if a != b), min(len(output), len(expected)))
    return _wrong(f"Differs at byte {at + 1}: expected {_quote(expected[at:])}, got {_quote(output[at:])}.")


def _check_tokens(output: bytes, expected: bytes, options: Options) -> CheckResult:
    """The same words in the same order, whatever white space lies between them.

    Options: `case_sensitive` (true), `space_sensitive` (false: with true the white space must be the same too),
    `absolute` and `relative` (a number may be off by either; without them numbers are words like others).
    Source: the default validator of the ICPC problem package format.
    """
    absolute, relative = options.get("absolute"), options.get("relative")
    is_case_sensitive = options.get("case_sensitive", True)
    split = _words_and_gaps if options.get("space_sensitive", False) else bytes.split
    for number, (given, wanted) in enumerate(zip_longest(split(output), split(expected)), start=1):
        if given is None or wanted is None:
            return _wrong(f"Token {number}: expected {_quote(wanted)}, got {_quote(given)}.")
        if absolute is None and relative is None:
            is_same = given == wanted or (not is_case_sensitive and given.lower() == wanted.lower())
        else:
            is_same = _is_near(
                given, wanted, absolute=absolute or 0.0, relative=relative or 0.0, case_sensitive=is_case_sensitive
            )
        if not is_same:
            return _wrong(f"Token {number}: expected {_quote(wanted)}, got {_quote(given)}.")
    return RIGHT


def _check_float(output: bytes, expected: bytes, options: Options) -> CheckResult:
    """As `tokens`, with numbers off by at most `absolute` or `relative` (1e-6 each unless one is given)."""
    if "absolute" not in options and "relative" not in options:
        options = {**options, "absolute": DEFAULT_TOLERANCE, "relative": DEFAULT_TOLERANCE}
    return _check_tokens(output, expected, options)


def _check_lines(output: bytes, expected: bytes, options: Options) -> CheckResult:
    """Line by line; white space at the ends of lines, and empty lines at the end, do not count."""
    for number, (given, wanted) in enumerate(zip_longest(_lines(output), _lines(expected)), start=1):
        if given != wanted:
            return _wrong(f"Line {number}: expected {_quote(wanted)}, got {_quote(given)}.")
    return RIGHT


def _check_unordered(output: bytes, expected: bytes, options: Options) -> CheckResult:
    """The same things in any order. Option `unit`: `lines` (by default), `tokens`, or `letters` (case ignored)."""
    count = _COUNTS[options.get("unit", "lines")]
    given, wanted = count(output), count(expected)
    if given == wanted:
        return RIGHT
    missing, surplus = wanted - given, given - wanted
    if missing:
        return _wrong(f"Missing: {_quote(next(iter(missing)))}.")
    return _wrong(f"Too much: {_quote(next(iter(surplus)))}.")


def _check_json(output: bytes, expected: bytes, options: Options) -> CheckResult:
    """The same value, whatever its notation; see `values.first_difference`.

    Options: `absolute`, `relative` (tolerances of numbers, 0 by default), `encoding` (`json` or `python-literal`).
    """
    encoding = options.get("encoding", values.JSON)
    try:
        given = values.parse(output, encoding=encoding)
    except values.UnreadableValue as error:
        return _wrong(f"The answer is not a value: {error}")
    wanted = values.parse(expected, encoding=encoding)
    difference = values.first_difference(
        given, wanted, absolute=options.get("absolute", 0.0), relative=options.get("relative", 0.0)
    )
    return RIGHT if difference is None else _wrong(difference)


def _is_near(given: bytes, wanted: bytes, *, absolute: float, relative: float, case_sensitive: bool) -> bool:
    if given.lower() in NOT_A_NUMBER or wanted.lower() in NOT_A_NUMBER:
        return False
    if given == wanted or (not case_sensitive and given.lower() == wanted.lower()):
        return True
    if not NUMBER.fullmatch(given) or not NUMBER.fullmatch(wanted):
        return False
    a, b = float(given), float(wanted)
    # Beyond a float's range only the same text is the same number.
    return isfinite(a) and isfinite(b) and (abs(a - b) <= absolute or abs(a - b) <= relative * abs(b))


def _words_and_gaps(data: bytes) -> list[bytes]:
    return re.findall(rb"[ \t\n\r\v\f]|[^ \t\n\r\v\f]+", data)


def _lines(data: bytes) -> list[bytes]:
    lines = [line.rstrip() for line in data.split(b"\n")]
    while lines and not lines[-1]:
        lines.pop()
    return lines


def _letter_counts(data: bytes) -> Counter[bytes]:
    letters = b"".join(data.lower().split())
    return Counter({bytes([value]): count for value in range(256) if (count := letters.count(value))})


_COUNTS: Mapping[str, Callable[[bytes], Counter[bytes]]] = {
    "lines": lambda data: Counter(_lines(data)),
    "tokens": lambda data: Counter(data.split()),
    "letters": _letter_counts,
}

CHECKERS: Mapping[str, Callable[[bytes, bytes, Options], CheckResult]] = {
    "exact": _check_exact,
    "tokens": _check_tokens,
    "lines": _check_lines,
    "float": _check_float,
    "unordered": _check_unordered,
    "json": _check_json,
}
_TOLERANCES = frozenset({"absolute", "relative"})
OPTIONS: Mapping[str, frozenset[str]] = {
    "exact": frozenset(),
    "tokens": _TOLERANCES | {"case_sensitive", "space_sensitive"},
    "lines": frozenset(),
    "float": _TOLERANCES | {"case_sensitive"},
    "unordered": frozenset({"unit"}),
    "json": _TOLERANCES,
    CUSTOM: frozenset(),
}


def option_fault(spec: CheckerSpec) -> str | None:
    """What is wrong with a checker's name or options, as a sentence for an author; None where all is well."""
    if spec.name not in OPTIONS:
        return f"There is no checker {spec.name!r}; there are {', '.join(OPTIONS)}."
    for name, value in spec.options.items():
        if name not in OPTIONS[spec.name]:
            return f"The checker {spec.name} has no option {name!r}."
        if name in _TOLERANCES:
            is_number = isinstance(value, int | float) and not isinstance(value, bool)
            if not is_number or not isfinite(value) or value < 0:
                return f"{name} must be a number of at least 0."
        elif name == "unit":
            if value not in _COUNTS:
                return f"unit must be one of {', '.join(_COUNTS)}."
        elif not isinstance(value, bool):
            return f"{name} must be true or false."
    return None
