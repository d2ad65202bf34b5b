"""Reading ZIP archives that strangers made: all is checked before anything is unpacked, and unpacking is bounded.

Nothing is ever written to a disk here. `zipfile` reads the central directory alone; the entries are unpacked here, so
that an entry whose headers and data disagree is noticed rather than shortened (S-25).
"""

import re
import stat
import struct
import unicodedata
import zipfile
import zlib
from collections.abc import Iterable
from io import BytesIO
from typing import BinaryIO, NoReturn

from core.errors import InvalidInput

NAME_CHARACTERS_MAX = 255
DEPTH_MAX = 10
# Small archives of very regular data (a test's input full of zeros) are no bombs, whatever their ratio.
RATIO_FREE_BYTES = 1024 * 1024
# What one entry may take in the archive besides its data: two headers, its name twice, extra fields and a comment.
OVERHEAD_BYTES_MAX = 4096

_END_RECORD = struct.Struct("<4s4H2LH")
_LOCAL_HEADER = struct.Struct("<4s5H3L2H")
_END_SIGNATURE, _LOCAL_SIGNATURE, _ZIP64_SIGNATURE = b"PK\x05\x06", b"PK\x03\x04", b"PK\x06\x07"
_ZIP64_LOCATOR_BYTES = 20
_COMMENT_BYTES_MAX = 65_535
_ENCRYPTED_FLAGS = 0x0001 | 0x0040 | 0x2000
# Separators of other systems, drive letters and streams, and what no name on a screen should hold.
_UNSAFE_CHARACTER = re.compile("[\\\\:\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def read_archive(
    data: bytes | BinaryIO, *, files_max: int, file_bytes_max: int, total_bytes_max: int, ratio_max: int = 100
) -> dict[str, bytes]:
    """The files of a ZIP archive by their paths (`folder/name`, relative, no two alike on any file system).

    `files_max` counts folders too, which are not returned. Sizes are those after unpacking; all unpacked data may be
    `ratio_max` times as long as packed.

    Raises:
        InvalidInput: at `file`, code `archive_invalid`, `archive_too_large`, `archive_too_many_files`,
            `archive_unsafe_name`, `archive_duplicate_name`, `archive_special_file`, `archive_encrypted`,
            `archive_method_unsupported` or `archive_bomb`.
    """
    archive_bytes_max = total_bytes_max + files_max * OVERHEAD_BYTES_MAX + _COMMENT_BYTES_MAX
    if not isinstance(data, bytes):
        data = data.read(archive_bytes_max + 1)
    if len(data) > archive_bytes_max:
        _refuse("archive_too_large", "The archive is too large.")
    directory_start, entries = _central_directory(data, files_max=files_max)
    for entry in entries:
        _check_kind(entry)
        _check_name(entry)
    _check_names_together(entries)
    _check_sizes(entries, file_bytes_max=file_bytes_max, total_bytes_max=total_bytes_max, ratio_max=ratio_max)
    packed = _packed(data, entries, directory_start)
    return {entry.filename: _unpack(entry, packed[entry.filename]) for entry in entries if not _is_folder(entry)}


def _refuse(code: str, detail: str) -> NoReturn:
    raise InvalidInput.at("file", code, detail)


def _invalid(why: str) -> NoReturn:
    _refuse("archive_invalid", f"This is no ZIP archive that can be read: {why}.")


def _central_directory(data: bytes, *, files_max: int) -> tuple[int, list[zipfile.ZipInfo]]:
    """Where the directory begins, and its entries, whose number is known to be bounded before they are read."""
    end = data.rfind(_END_SIGNATURE, max(0, len(data) - _END_RECORD.size - _COMMENT_BYTES_MAX))
    if end < 0 or len(data) < end + _END_RECORD.size:
        _invalid("its end is missing")
    _, disk, start_disk, count_here, count, size, start, comment_length = _END_RECORD.unpack_from(data, end)
    if disk or start_disk or count_here != count:
        _invalid("it is in several parts")
    # Data before, between or after would be another file to another reader.
    if start + size != end or end + _END_RECORD.size + comment_length != len(data):
        _invalid("it holds foreign data")
    if data[max(0, end - _ZIP64_LOCATOR_BYTES) : end].startswith(_ZIP64_SIGNATURE):
        _invalid("it is made for sizes beyond 4 GB")
    if count > files_max or size > files_max * OVERHEAD_BYTES_MAX:
        _refuse("archive_too_many_files", f"The archive has more than {files_max} files and folders.")
    try:
        with zipfile.ZipFile(BytesIO(data)) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, NotImplementedError, ValueError, OverflowError, EOFError, struct.error) as error:
        raise InvalidInput.at("file", "archive_invalid", "The archive's directory cannot be read.") from error
    if len(entries) != count:
        _invalid("its directory has another length than it says")
    return start, entries


def _is_folder(entry: zipfile.ZipInfo) -> bool:
    # Its own answer fails on an entry without a name.
    return entry.filename.endswith("/")


def _check_kind(entry: zipfile.ZipInfo) -> None:
    if entry.flag_bits & _ENCRYPTED_FLAGS:
        _refuse("archive_encrypted", "The archive is encrypted.")
    kind = stat.S_IFMT(entry.external_attr >> 16)
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR) or (kind == stat.S_IFDIR and not _is_folder(entry)):
        _refuse("archive_special_file", f"{entry.filename!r} is a link or another special file.")
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        _refuse("archive_method_unsupported", "The archive is packed by a method other than 'deflate'.")
    if _is_folder(entry) and entry.file_size:
        _invalid("a folder has content")
    if entry.compress_type == zipfile.ZIP_STORED and entry.file_size != entry.compress_size:
        _invalid("a size is wrong")


def _check_name(entry: zipfile.ZipInfo) -> None:
    # The other name is what zipfile made of it: cut at a NUL, for example.
    name = entry.orig_filename
    parts = name.removesuffix("/").split("/")
    if (
        name != entry.filename
        or len(name) > NAME_CHARACTERS_MAX
        or len(parts) > DEPTH_MAX
        or _UNSAFE_CHARACTER.search(name)
        or any(part.strip(" .") == "" for part in parts)
    ):
        _refuse("archive_unsafe_name", f"The archive has a file with an unsafe name: {name[:NAME_CHARACTERS_MAX]!r}.")


def _check_names_together(entries: Iterable[zipfile.ZipInfo]) -> None:
    """No two entries may be one on a file system that ignores case, and none both a file and a folder."""
    files: set[str] = set()
    folders: set[str] = set()
    listed_folders: set[str] = set()
    for entry in entries:
        name = unicodedata.normalize("NFKC", entry.filename.removesuffix("/")).casefold()
        kind = listed_folders if _is_folder(entry) else files
        if name in kind:
            _refuse("archive_duplicate_name", f"The archive has two files named {entry.filename!r}.")
        kind.add(name)
        parts = name.split("/")
        folders.update("/".join(parts[:depth]) for depth in range(1, len(parts)))
    for name in sorted(files & (folders | listed_folders)):
        _refuse("archive_duplicate_name", f"The archive has a file and a folder named {name!r}.")


def _check_sizes(
    entries: Iterable[zipfile.ZipInfo], *, file_bytes_max: int, total_bytes_max: int, ratio_max: int
) -> None:
    total = packed_total = 0
    for entry in entries:
        total += entry.file_size
        packed_total += entry.compress_size
        if entry.file_size > file_bytes_max:
            _refuse("archive_too_large", f"{entry.filename!r} is larger than {file_bytes_max} bytes.")
        if total > total_bytes_max:
            _refuse("archive_too_large", f"The archive unpacks to more than {total_bytes_max} bytes.")
    if total > RATIO_FREE_BYTES and total > ratio_max * packed_total:
        _refuse("archive_bomb", f"The archive unpacks to more than {ratio_max} times its size.")


def _packed(data: bytes, entries: Iterable[zipfile.ZipInfo], directory_start: int) -> dict[str, memoryview]:
    """Each entry's packed data. They may not overlap: one block of data as many files is the better bomb."""
    packed: dict[str, memoryview] = {}
    free_from = 0
    for entry in sorted(entries, key=lambda each: each.header_offset):
        if entry.header_offset < free_from:
            _refuse("archive_bomb", "Files in the archive overlap.")
        if free_from == 0 and entry.header_offset:
            _invalid("it holds foreign data")
        start = _data_start(data, entry)
        free_from = start + entry.compress_size
        if free_from > directory_start:
            _refuse("archive_bomb", "Files in the archive overlap its directory.")
        packed[entry.filename] = memoryview(data)[start:free_from]
    return packed


def _data_start(data: bytes, entry: zipfile.ZipInfo) -> int:
    """Where the entry's data begins, after a local header that must say the same as the directory."""
    if entry.header_offset < 0 or entry.header_offset + _LOCAL_HEADER.size > len(data):
        _invalid("an entry lies outside")
    signature, _, flags, method, _, _, _, _, _, name_length, extra_length = _LOCAL_HEADER.unpack_from(
        data, entry.header_offset
    )
    name_start = entry.header_offset + _LOCAL_HEADER.size
    name = data[name_start : name_start + name_length].decode("utf-8" if flags & 0x800 else "cp437", "replace")
    if signature != _LOCAL_SIGNATURE or method != entry.compress_type or name != entry.orig_filename:
        _invalid("an entry and the directory disagree")
    if flags & _ENCRYPTED_FLAGS:
        _refuse("archive_encrypted", "The archive is encrypted.")
    return name_start + int(name_length) + int(extra_length)


def _unpack(entry: zipfile.ZipInfo, packed: memoryview) -> bytes:
    """The entry's content, of exactly the declared size; not a byte more is ever unpacked than declared, but one."""
    if entry.compress_type == zipfile.ZIP_STORED:
        content = bytes(packed)
    else:
        inflater = zlib.decompressobj(-zlib.MAX_WBITS)
        try:
            content = inflater.decompress(packed, entry.file_size + 1)
        except zlib.error as error:
            raise InvalidInput.at("file", "archive_invalid", f"{entry.filename!r} is damaged.") from error
        if not inflater.eof or inflater.unused_data:
            _invalid(f"{entry.filename!r} has another size than it says")
    if len(content) != entry.file_size or zlib.crc32(content) != entry.CRC:
        _invalid(f"{entry.filename!r} is damaged")
    return content
