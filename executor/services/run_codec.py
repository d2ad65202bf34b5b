"""Programs and what came of them as text, for the way between two processes; what goes in comes out equal.

Everything is told by the types of the fields, so that nothing is made of the text but what the reader asked for.
"""

import json
from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from decimal import Decimal
from enum import Enum
from functools import cache
from types import NoneType, UnionType
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

from executor.judging.languages import LANGUAGES, Language

T = TypeVar("T")


def to_text(value: object) -> str:
    """A dataclass of the engines or the judging as ASCII: NUL and lone surrogates are escaped, bytes are base64."""
    return json.dumps(_plain(value))


def from_text(kind: type[T], text: str) -> T:
    """What `to_text` was given, where that was of this kind.

    Raises:
        ValueError, TypeError, KeyError: the text is of something else, such as another version of Assay.
    """
    made: T = _made(kind, json.loads(text))
    return made


def _plain(value: Any) -> Any:
    if isinstance(value, Language):
        return value.key
    if is_dataclass(value):
        return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, bytes):
        return b64encode(value).decode("ascii")
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return value


def _made(kind: Any, plain: Any) -> Any:
    origin = get_origin(kind)
    if origin is UnionType:
        (inner,) = (each for each in get_args(kind) if each is not NoneType)
        return None if plain is None else _made(inner, plain)
    if origin is tuple:
        return tuple(_made(get_args(kind)[0], item) for item in plain)
    if origin is Mapping or kind is Any:
        return plain
    if kind is Language:
        return LANGUAGES[plain]
    if isinstance(kind, type) and is_dataclass(kind):
        return kind(**{name: _made(hint, plain[name]) for name, hint in _hints(kind).items()})
    return b64decode(plain) if kind is bytes else kind(plain)


@cache
def _hints(kind: Any) -> Mapping[str, Any]:
    hints = get_type_hints(kind)
    return {field.name: hints[field.name] for field in fields(kind)}
