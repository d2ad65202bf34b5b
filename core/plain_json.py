"""Cached values as plain JSON: what comes out equals what went in, and reading it can run nothing.

Not pickle, though it would take any object: whoever can write to the Redis could then run code in every process.
"""

import json
from typing import Any

from django_redis.serializers.base import BaseSerializer


class CorruptValueError(Exception):
    """The bytes are no JSON: half written, of an older release, or somebody else's. Who reads them has a miss."""


def encode(value: object) -> bytes:
    """`value` as JSON.

    Raises:
        TypeError: it would come back as something else (a tuple, a `Decimal`, a moment, a key that is no text, `NaN`).
    """
    try:
        text = json.dumps(value, allow_nan=False, separators=(",", ":"))
        is_kept = json.loads(text) == value
    except (ValueError, RecursionError) as error:
        raise TypeError(f"A {type(value).__name__} that is no JSON cannot be cached.") from error
    if not is_kept:
        # A hit must not differ from a miss: the fault would show only where, and when, something is cached.
        raise TypeError(f"This {type(value).__name__} holds what JSON would change, such as a tuple or a numeric key.")
    return text.encode()


def decode(data: object) -> Any:
    """The value that `encode` was given.

    Raises:
        CorruptValueError: these bytes did not come from `encode`.
    """
    if not isinstance(data, bytes):
        raise CorruptValueError
    try:
        return json.loads(data)
    except (ValueError, RecursionError) as error:
        raise CorruptValueError from error


class PlainJsonSerializer(BaseSerializer):
    """django-redis's `SERIALIZER`; it keeps integers as Redis's own, so that they can be counted up there."""

    def dumps(self, value: Any) -> bytes:
        return encode(value)

    def loads(self, value: bytes) -> Any:
        return decode(value)
