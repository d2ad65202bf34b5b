"""The framing of the messages between the engine and its boxes: byte strings with their lengths before them."""

from __future__ import annotations

from collections.abc import Iterator

MESSAGE_LIMIT_BYTES = 120_000


def pack(*fields: bytes) -> bytes:
    """Join byte strings so that `unpack` gives them back, whatever they contain."""
    return b"".join(b"%d:%b" % (len(field), field) for field in fields)


def unpack(data: bytes | memoryview) -> Iterator[bytes]:
    """The byte strings that `pack` joined.

    Raises:
        ValueError: the data were not made by `pack`, or were cut.
    """
    data, at = bytes(data), 0
    while at < len(data):
        colon = data.find(b":", at, at + 20)
        if colon < 0 or not data[at:colon].isdigit():
            raise ValueError("not a packed message")
        at = colon + 1 + int(data[at:colon])
        if at > len(data):
            raise ValueError("a packed message was cut")
        yield data[colon + 1 : at]
