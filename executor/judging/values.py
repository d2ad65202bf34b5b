"""Values that programs return: reading them, and finding where two of them differ."""

import ast
import json
from math import isinf, isnan
from typing import Any

JSON = "json"
PYTHON_LITERAL = "python-literal"
# A value nested deeper than this is refused instead of followed.
DEPTH_MAX = 200
# A set or dict of numbers chosen to have one hash takes time that grows with the square of its size, in the judge's own
# process; parsing a literal takes 500 times its size in memory. JSON has neither fault: its keys are text.
LITERAL_LIMIT_BYTES = 128 * 1024


class UnreadableValue(ValueError):
    """The text is no value of the encoding; the message says why and does not quote it."""


def parse(text: bytes, *, encoding: str) -> Any:
    """Read one value.

    Raises:
        UnreadableValue: whatever is wrong with the text; nothing else escapes, however hostile it is.
    """
    if encoding == PYTHON_LITERAL and len(text) > LITERAL_LIMIT_BYTES:
        raise UnreadableValue(f"it is longer than {LITERAL_LIMIT_BYTES // 1024} KiB.")
    try:
        decoded = text.decode("utf-8")
        value = ast.literal_eval(decoded.strip()) if encoding == PYTHON_LITERAL else json.loads(decoded)
    except UnicodeDecodeError as error:
        raise UnreadableValue("it is not UTF-8.") from error
    except (RecursionError, MemoryError) as error:
        raise UnreadableValue("it is nested too deeply.") from error
    except (ValueError, SyntaxError, TypeError) as error:
        raise UnreadableValue(f"it is not valid {encoding}.") from error
    if _is_deeper(value, DEPTH_MAX):
        raise UnreadableValue("it is nested too deeply.")
    return value


def first_difference(given: Any, wanted: Any, *, absolute: float = 0.0, relative: float = 0.0) -> str | None:
    """Where two values differ, as a sentence; None where they are equal.

    Numbers are equal across int and float, within either tolerance where one is given; a boolean is no number; NaN
    equals nothing; a list is no tuple; objects are equal whatever the order of their keys.
    """
    return _difference(given, wanted, absolute, relative, "the answer")


def _difference(given: Any, wanted: Any, absolute: float, relative: float, where: str) -> str | None:
    if _is_number(given) and _is_number(wanted):
        return None if _numbers_equal(given, wanted, absolute, relative) else _unequal(given, wanted, where)
    if type(given) is not type(wanted):
        return f"In {where}: expected {_kind(wanted)}, got {_kind(given)}."
    if isinstance(wanted, list | tuple):
        if len(given) != len(wanted):
            return f"In {where}: expected {len(wanted)} elements, got {len(given)}."
        for index, (a, b) in enumerate(zip(given, wanted, strict=True)):
            if found := _difference(a, b, absolute, relative, f"{where}[{index}]"):
                return found
        return None
    if isinstance(wanted, dict):
        if given.keys() != wanted.keys():
            return f"In {where}: the keys differ."
        for key, value in wanted.items():
            if found := _difference(given[key], value, absolute, relative, f"{where}[{_short(key)}]"):
                return found
        return None
    return None if given == wanted else _unequal(given, wanted, where)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _numbers_equal(given: Any, wanted: Any, absolute: float, relative: float) -> bool:
    if any(isinstance(value, float) and isnan(value) for value in (given, wanted)):
        return False
    if given == wanted:
        return True
    # Every number is within a relative tolerance of infinity: it has to be infinity itself.
    if any(isinstance(value, float) and isinf(value) for value in (given, wanted)):
        return False
    if not absolute and not relative:
        return False  # the difference of an integer and a float is rounded, to 0 where they are large
    try:
        distance = abs(given - wanted)
        return bool(distance <= absolute or distance <= relative * abs(wanted))
    except OverflowError:  # an integer beyond a float's range: only the same integer is equal
        return False


def _is_deeper(value: Any, limit: int) -> bool:
    level: list[Any] = [value]
    for _ in range(limit):
        level = [
            inner
            for outer in level
            if isinstance(outer, list | tuple | dict | set)
            for inner in (outer.values() if isinstance(outer, dict) else outer)
        ]
        if not level:
            return False
    return True


def _unequal(given: Any, wanted: Any, where: str) -> str:
    return f"In {where}: expected {_short(wanted)}, got {_short(given)}."


def _short(value: Any) -> str:
    try:
        text = repr(value)
    except ValueError:  # an integer with more digits than Python prints
        return "a very long number"
    return text if len(text) <= 80 else text[:80] + "…"


def _kind(value: Any) -> str:
    names = {list: "a list", dict: "an object", str: "text", bool: "a boolean", tuple: "a tuple", type(None): "null"}
    return "a number" if _is_number(value) else names.get(type(value), f"a {type(value).__name__}")
