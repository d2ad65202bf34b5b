"""The framing of the messages between the engine and its boxes: byte strings with their lengths before them."""

from __future__ import annotations

import _socket
import sys

TYPE_CHECKING = False  # typing and collections would double the time the box takes to start
if TYPE_CHECKING:
    from collections.abc import Iterator

MESSAGE_LIMIT_BYTES = 120_000
_CMSG_CLOEXEC = 0x40000000


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


def receive_descriptors(channel: _socket.socket, limit_bytes: int) -> tuple[bytes, list[int]]:
    """The next message of a channel and the descriptors beside it; an empty message means that nobody is there."""
    message, ancillary, _, _ = channel.recvmsg(limit_bytes, 256, _CMSG_CLOEXEC)
    raw = b"".join(data for _, _, data in ancillary)
    return message, [int.from_bytes(raw[at : at + 4], sys.byteorder) for at in range(0, len(raw), 4)]
