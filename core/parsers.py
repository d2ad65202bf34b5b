"""The one body format of the API: JSON, read strictly and within bounds."""

import json
from collections.abc import Mapping
from typing import IO, Any

from django.conf import settings
from rest_framework.exceptions import APIException, ParseError
from rest_framework.parsers import BaseParser


class BodyTooLarge(APIException):
    status_code = 413
    default_code = "body_too_large"
    default_detail = "The request body is too large."


class StrictJSONParser(BaseParser):
    """UTF-8 JSON without `NaN`, infinities or repeated keys. Every other body is a 400, however deep or long it is."""

    media_type = "application/json"

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        # A chunked request states no length; read one byte past the limit to notice.
        body = stream.read(settings.CORE_BODY_LIMIT_BYTES + 1)
        if len(body) > settings.CORE_BODY_LIMIT_BYTES:
            raise BodyTooLarge
        try:
            return json.loads(
                body.decode("utf-8"),
                parse_constant=_refuse_constant,
                parse_float=_finite,
                object_pairs_hook=_without_repeats,
            )
        except UnicodeDecodeError as error:
            raise ParseError("The body is not UTF-8.", code="malformed_json") from error
        except RecursionError as error:
            raise ParseError("The JSON is nested too deeply.", code="malformed_json") from error
        except ValueError as error:
            raise ParseError(f"The body is not valid JSON: {error}", code="malformed_json") from error


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not a JSON number.")


def _finite(text: str) -> float:
    number = float(text)
    if number in (float("inf"), float("-inf")):
        raise ValueError("a number is out of range.")
    return number


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise ValueError("a key appears twice in one object.")
    return result
