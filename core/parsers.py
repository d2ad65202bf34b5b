"""The body formats of the API: JSON, and forms where a file is taken, read strictly and within bounds."""

import json
import re
from collections.abc import Iterator, Mapping
from itertools import islice
from math import isfinite
from typing import IO, Any

from django.conf import settings
from django.core.exceptions import SuspiciousOperation
from rest_framework.exceptions import APIException, ParseError
from rest_framework.parsers import BaseParser, DataAndFiles, MultiPartParser

from core.errors import ERRORS_MAX, FieldError, InvalidInput, pointer_to

# Bodies of ours are a few levels deep. Python's own limit is met only near a thousand, where code further in, with
# less of the stack left, could fail on what the parser had let through.
DEPTH_MAX = 64
SURROGATE = re.compile("[\ud800-\udfff]")
# The escapes by which a NUL or half a surrogate pair gets into a JSON string.
SUSPECT_ESCAPE = re.compile(rb"\\u(0000|[dD][89a-fA-F])")


class BodyTooLarge(APIException):
    status_code = 413
    default_code = "body_too_large"
    default_detail = "The request body is too large."


class StrictJSONParser(BaseParser):
    """UTF-8 JSON without `NaN`, infinities or repeated keys; every other body is a 400, however deep or long it is.

    Text that no database column could hold (NUL, half a surrogate pair) is refused by its place, as 422.
    """

    media_type = "application/json"

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        # Not every server states or checks a length: read one byte past the limit to notice.
        body = stream.read(settings.CORE_BODY_LIMIT_BYTES + 1)
        if len(body) > settings.CORE_BODY_LIMIT_BYTES:
            raise BodyTooLarge
        try:
            value = json.loads(
                body.decode("utf-8"),
                parse_constant=_refuse_constant,
                parse_float=_finite,
                object_pairs_hook=_without_repeats,
            )
        except UnicodeDecodeError as error:
            raise _malformed("it is not UTF-8.") from error
        except RecursionError as error:
            raise _malformed("it is nested too deeply.") from error
        except (json.JSONDecodeError, _RefusedValue) as error:
            raise _malformed(f"{error}.") from error
        except ValueError as error:
            # The one that is left is Python's own limit on the digits of an integer.
            raise _malformed("a number has too many digits.") from error
        if body.count(b"[") + body.count(b"{") > DEPTH_MAX and _is_too_deep(value):
            raise _malformed("it is nested too deeply.")
        if SUSPECT_ESCAPE.search(body) and (errors := tuple(islice(_unstorable(value, "#"), ERRORS_MAX))):
            raise InvalidInput(f"{errors[0].pointer}: {errors[0].detail}", errors=errors)
        return value


class StrictFormParser(MultiPartParser):
    """A form with a file. A field given twice is refused: which of the two counts would be a guess."""

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> DataAndFiles:
        try:
            form: DataAndFiles = super().parse(stream, media_type=media_type, parser_context=parser_context)
        except SuspiciousOperation as error:
            # More fields, files or text in fields than any form of ours has.
            raise ParseError("The form has too many parts.", code="malformed_form") from error
        names = [name for part in (form.data, form.files) for name, values in part.lists() for _ in values]
        if repeated := sorted({name for name in names if names.count(name) > 1}):
            raise InvalidInput.at(repeated[0], "repeated_field", "This field is given more than once.")
        return form


class _RefusedValue(ValueError):
    """Python would read it, but it is no JSON, or means two things."""


def _malformed(why: str) -> ParseError:
    return ParseError(f"The body is not valid JSON: {why}", code="malformed_json")


def _refuse_constant(name: str) -> None:
    raise _RefusedValue(f"{name} is no number")


def _finite(text: str) -> float:
    number = float(text)
    if not isfinite(number):
        raise _RefusedValue("a number is out of range")
    return number


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise _RefusedValue("a key appears twice in one object")
    return result


def _is_too_deep(value: Any) -> bool:
    level = [value]
    for _ in range(DEPTH_MAX):
        level = [
            inner
            for outer in level
            for inner in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(inner, dict | list)
        ]
        if not level:
            return False
    return True


def _unstorable(value: Any, pointer: str) -> Iterator[FieldError]:
    """Each place whose text has a NUL or half a surrogate pair; a key's fault is told at its object."""
    if isinstance(value, str):
        if "\x00" in value:
            yield FieldError(
                pointer=pointer, code="null_characters_not_allowed", detail="Null characters are not allowed."
            )
        elif SURROGATE.search(value):
            yield FieldError(
                pointer=pointer,
                code="surrogate_characters_not_allowed",
                detail="Half a surrogate pair is no character.",
            )
    elif isinstance(value, dict):
        for name, inner in value.items():
            faults = list(_unstorable(name, pointer))
            yield from faults or _unstorable(inner, pointer_to(pointer, name))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _unstorable(inner, pointer_to(pointer, index))
