"""What an attachment is, told by its content: a file that could be read as two things is neither.

Served with the content type given here, `X-Content-Type-Options: nosniff` and, unless `is_inline`,
`Content-Disposition: attachment`, no attachment runs in a reader's browser.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import PurePosixPath

from core.errors import InvalidInput

NAME_CHARACTERS_MAX = 255
# Browsers that guess a type look no further than this.
GUESSED_BYTES = 1445
TEXT = "text/plain; charset=utf-8"

_UNSAFE_NAME = re.compile("[/\\\\:\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_MARKUP = re.compile(
    rb"<(?:!doctype|html|head|body|script|iframe|svg|math|object|embed|style|link|meta|base|form|img|\?xml|\?php|%)",
    re.IGNORECASE,
)
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True, kw_only=True)
class FileType:
    """How a file may be served. `content_type` is a whole header value."""

    extension: str
    content_type: str
    is_inline: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kind:
    content_type: str
    has_form: Callable[[bytes], bool]
    is_inline: bool
    # What browsers call such a file on upload, besides its own type.
    claims: frozenset[str] = frozenset()


def sniff(data: bytes, name: str, *, claimed_type: str = "") -> FileType:
    """The type on which the whole content, the extension and the uploader's claim (if any) agree.

    Raises:
        InvalidInput: at `file`, code `file_type_refused` or `file_name_refused`.
    """
    if not name or len(name) > NAME_CHARACTERS_MAX or _UNSAFE_NAME.search(name):
        raise InvalidInput.at("file", "file_name_refused", "The file's name has characters that no name may have.")
    extension = PurePosixPath(name).suffix.lower().removeprefix(".")
    kind = _KINDS.get(extension)
    if kind is None:
        known = ", ".join(sorted(_KINDS))
        raise InvalidInput.at("file", "file_type_refused", f"Only these files can be attached: {known}.")
    if not kind.has_form(data):
        raise InvalidInput.at("file", "file_type_refused", f"The file's content is not what '.{extension}' says.")
    claim = claimed_type.partition(";")[0].strip().lower()
    if claim not in {"", "application/octet-stream", kind.content_type.partition(";")[0], *kind.claims}:
        raise InvalidInput.at("file", "file_type_refused", f"The file is not of the type {claim[:100]!r}.")
    return FileType(extension=extension, content_type=kind.content_type, is_inline=kind.is_inline)


def is_shown_inline(content_type: str) -> bool:
    """Whether files of this type, as `sniff` told it, may be shown in a browser rather than saved."""
    return any(kind.is_inline and kind.content_type == content_type for kind in _KINDS.values())


def _is_png(data: bytes) -> bool:
    """Chunks from IHDR to IEND, and nothing after."""
    if not data.startswith(b"\x89PNG\r\n\x1a\n\x00\x00\x00\x0dIHDR") or _looks_like_markup(data):
        return False
    place = 8
    while place + 12 <= len(data):
        chunk = data[place + 4 : place + 8]
        place += 12 + int.from_bytes(data[place : place + 4], "big")
        if chunk == b"IEND":
            return place == len(data)
    return False


def _is_jpeg(data: bytes) -> bool:
    """Segments up to the picture's data, and the end marker at the end."""
    if not data.startswith(b"\xff\xd8\xff") or not data.endswith(b"\xff\xd9") or _looks_like_markup(data):
        return False
    place = 2
    while place + 4 <= len(data) and data[place] == 0xFF:
        if data[place + 1] == 0xDA:
            return True
        place += 2 + int.from_bytes(data[place + 2 : place + 4], "big")
    return False


def _is_gif(data: bytes) -> bool:
    """Header, blocks and the trailer, and nothing after."""
    if not data.startswith((b"GIF87a", b"GIF89a")) or len(data) < 14 or _looks_like_markup(data):
        return False
    place = 13 + _color_table_bytes(data[10])
    while place < len(data):
        introducer = data[place]
        if introducer == 0x3B:
            return place == len(data) - 1
        if introducer == 0x21:
            place += 2
        elif introducer == 0x2C and place + 10 < len(data):
            place += 11 + _color_table_bytes(data[place + 9])
        else:
            return False
        while place < len(data) and data[place]:
            place += 1 + data[place]
        place += 1
    return False


def _color_table_bytes(flags: int) -> int:
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0


def _is_webp(data: bytes) -> bool:
    length = int.from_bytes(data[4:8], "little") + 8
    is_riff = data.startswith(b"RIFF") and data[8:12] == b"WEBP" and data[12:16] in (b"VP8 ", b"VP8L", b"VP8X")
    return is_riff and length == len(data) and not _looks_like_markup(data)


def _is_pdf(data: bytes) -> bool:
    is_whole = re.match(rb"%PDF-[12]\.\d", data) is not None and b"%%EOF" in data[-1024:]
    return is_whole and not _looks_like_markup(data)


def _is_zip(data: bytes) -> bool:
    """From a first entry to the end record; what is inside, `core.archives` judges if it is ever unpacked."""
    end = data.rfind(b"PK\x05\x06")
    if not data.startswith((b"PK\x03\x04", b"PK\x05\x06")) or len(data) < end + 22:
        return False
    return end + 22 + int.from_bytes(data[end + 20 : end + 22], "little") == len(data)


def _is_text(data: bytes) -> bool:
    """UTF-8 without NUL that does not begin as a page or a picture would."""
    if b"\x00" in data or _MARKUP.match(data.removeprefix(_BYTE_ORDER_MARK).lstrip()):
        return False
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _looks_like_markup(data: bytes) -> bool:
    return _MARKUP.search(data[:GUESSED_BYTES]) is not None


_PLAIN = _Kind(content_type=TEXT, has_form=_is_text, is_inline=False)
_KINDS = {
    "png": _Kind(content_type="image/png", has_form=_is_png, is_inline=True),
    "jpg": _Kind(content_type="image/jpeg", has_form=_is_jpeg, is_inline=True, claims=frozenset({"image/pjpeg"})),
    "jpeg": _Kind(content_type="image/jpeg", has_form=_is_jpeg, is_inline=True, claims=frozenset({"image/pjpeg"})),
    "gif": _Kind(content_type="image/gif", has_form=_is_gif, is_inline=True),
    "webp": _Kind(content_type="image/webp", has_form=_is_webp, is_inline=True),
    "pdf": _Kind(content_type="application/pdf", has_form=_is_pdf, is_inline=True),
    "zip": _Kind(
        content_type="application/zip",
        has_form=_is_zip,
        is_inline=False,
        claims=frozenset({"application/x-zip-compressed"}),
    ),
    "txt": _PLAIN,
    "in": _PLAIN,
    "out": _PLAIN,
    "ans": _PLAIN,
    "md": _Kind(content_type=TEXT, has_form=_is_text, is_inline=False, claims=frozenset({"text/markdown"})),
    # Where a spreadsheet program is installed, its maker's name is claimed for CSV.
    "csv": _Kind(
        content_type=TEXT,
        has_form=_is_text,
        is_inline=False,
        claims=frozenset({"text/csv", "application/csv", "application/vnd.ms-excel"}),
    ),
    "json": _Kind(content_type=TEXT, has_form=_is_text, is_inline=False, claims=frozenset({"application/json"})),
}
