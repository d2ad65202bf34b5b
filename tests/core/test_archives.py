"""Archives made to harm end as a named refusal before they are unpacked; honest ones are read whole (S-25, T-24)."""

import stat
import struct
import zipfile
import zlib
from collections.abc import Callable
from io import BytesIO
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core import archives
from core.archives import DEPTH_MAX, NAME_CHARACTERS_MAX, read_archive
from core.errors import InvalidInput

# A slow machine is no failure, and what one run found does not change the next.
UNTIMED = settings(deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow])
LIMITS = {"files_max": 20, "file_bytes_max": 2_000_000, "total_bytes_max": 5_000_000}
END = struct.Struct("<4s4H2LH")


def packed(files: dict[str, bytes], *, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name), content, compress_type=method)
    return buffer.getvalue()


def entry(
    name: str = "a.txt",
    content: bytes = b"hello",
    *,
    raw_name: bytes | None = None,
    local_name: bytes | None = None,
    flags: int = 0,
    method: int = 8,
    attributes: int = 0,
    size: int | None = None,
    crc: int | None = None,
) -> dict[str, Any]:
    """One entry as it is to be written, honest wherever nothing else is asked for."""
    deflater = zlib.compressobj(9, zlib.DEFLATED, -15)
    data = deflater.compress(content) + deflater.flush() if method == 8 else content
    raw = name.encode() if raw_name is None else raw_name
    return {
        "name": raw,
        "local_name": raw if local_name is None else local_name,
        "flags": flags,
        "method": method,
        "attributes": attributes,
        "size": len(content) if size is None else size,
        "crc": zlib.crc32(content) if crc is None else crc,
        "data": data,
    }


def written(
    *entries: dict[str, Any],
    offsets: list[int] | None = None,
    count: int | None = None,
    before: bytes = b"",
    between: bytes = b"",
    after: bytes = b"",
) -> bytes:
    """A ZIP archive of these entries, byte by byte; `offsets` lets the directory point where it likes."""
    body, true_offsets = before, []
    for each in entries:
        true_offsets.append(len(body))
        body += struct.pack(
            "<4s5H3L2H", b"PK\x03\x04", 20, each["flags"], each["method"], 0, 33, each["crc"], len(each["data"]),
            each["size"], len(each["local_name"]), 0,
        )  # fmt: skip
        body += each["local_name"] + each["data"] + between
    directory = b""
    for each, offset in zip(entries, offsets or true_offsets, strict=True):
        directory += struct.pack(
            "<4s6H3L5H2L", b"PK\x01\x02", 0x0314, 20, each["flags"], each["method"], 0, 33, each["crc"],
            len(each["data"]), each["size"], len(each["name"]), 0, 0, 0, 0, each["attributes"], offset,
        )  # fmt: skip
        directory += each["name"]
    number = len(entries) if count is None else count
    return body + directory + END.pack(b"PK\x05\x06", 0, 0, number, number, len(directory), len(body), 0) + after


def overlapping() -> bytes:
    """Two names for one block of data: both point at the same header."""
    first = entry("a", bytes(1000))
    return written(first, first | {"name": b"b"}, offsets=[0, 0])


def quoted_overlap() -> bytes:
    """The better bomb: the first entry's data holds the second entry whole, header and all (stored in one block)."""
    inner = written(entry("b", bytes(1_000_000)))
    inner_local = inner[: inner.index(b"PK\x01\x02")]
    outer = entry("a", inner_local, method=0)
    second = entry("b", bytes(1_000_000))
    whole = written(outer, second)
    start = 30 + 1
    # The second header in the directory points into the first entry's data.
    first_end = start + len(inner_local)
    directory = whole.index(b"PK\x01\x02")
    end = END.unpack_from(whole, len(whole) - 22)
    second_in_directory = whole.index(b"PK\x01\x02", directory + 4)
    moved = bytearray(whole[:first_end] + whole[directory : len(whole) - 22])
    position = first_end + (second_in_directory - directory) + 42
    moved[position : position + 4] = struct.pack("<L", start)
    return bytes(moved) + END.pack(b"PK\x05\x06", 0, 0, 2, 2, end[5], first_end, 0)


ATTACKS: dict[str, tuple[str, Callable[[], bytes]]] = {
    "parent folder": ("archive_unsafe_name", lambda: written(entry("../evil"))),
    "parent folder inside": ("archive_unsafe_name", lambda: written(entry("a/../../evil"))),
    "parent folder at the end": ("archive_unsafe_name", lambda: written(entry("a/.."))),
    "absolute path": ("archive_unsafe_name", lambda: written(entry("/etc/passwd"))),
    "drive letter": ("archive_unsafe_name", lambda: written(entry("C:/evil"))),
    "drive letter without a slash": ("archive_unsafe_name", lambda: written(entry("C:evil"))),
    "backslashes": ("archive_unsafe_name", lambda: written(entry("..\\evil"))),
    "network share": ("archive_unsafe_name", lambda: written(entry("\\\\host\\share"))),
    "NUL": ("archive_unsafe_name", lambda: written(entry(raw_name=b"a.txt\x00.png"))),
    "line break": ("archive_unsafe_name", lambda: written(entry("a\nb"))),
    "this folder": ("archive_unsafe_name", lambda: written(entry("./a"))),
    "empty segment": ("archive_unsafe_name", lambda: written(entry("a//b"))),
    "no name": ("archive_unsafe_name", lambda: written(entry(""))),
    "nothing but a slash": ("archive_unsafe_name", lambda: written(entry("/", b""))),
    "dots and spaces": ("archive_unsafe_name", lambda: written(entry("a/.. /b"))),
    "bidi": ("archive_unsafe_name", lambda: written(entry("a\u202egnp.exe", flags=0x800))),
    "long name": ("archive_unsafe_name", lambda: written(entry("a" * (NAME_CHARACTERS_MAX + 1)))),
    "deep": ("archive_unsafe_name", lambda: written(entry("a/" * DEPTH_MAX + "b"))),
    "symbolic link": ("archive_special_file", lambda: written(entry(attributes=(stat.S_IFLNK | 0o777) << 16))),
    "device": ("archive_special_file", lambda: written(entry(attributes=stat.S_IFCHR << 16))),
    "pipe": ("archive_special_file", lambda: written(entry(attributes=stat.S_IFIFO << 16))),
    "folder that is none": ("archive_special_file", lambda: written(entry(attributes=stat.S_IFDIR << 16))),
    "encrypted": ("archive_encrypted", lambda: written(entry(flags=0x1))),
    "strongly encrypted": ("archive_encrypted", lambda: written(entry(flags=0x41))),
    "bzip2": ("archive_method_unsupported", lambda: packed({"a": b"x"}, method=zipfile.ZIP_BZIP2)),
    "lzma": ("archive_method_unsupported", lambda: packed({"a": b"x"}, method=zipfile.ZIP_LZMA)),
    "same name": ("archive_duplicate_name", lambda: written(entry("a"), entry("a"))),
    "same but for case": ("archive_duplicate_name", lambda: written(entry("a/B"), entry("A/b"))),
    "same but for composition": (
        "archive_duplicate_name",
        lambda: written(entry("\u00e9", flags=0x800), entry("e\u0301", flags=0x800)),
    ),
    "file and folder": ("archive_duplicate_name", lambda: written(entry("a"), entry("a/b"))),
    "file and listed folder": ("archive_duplicate_name", lambda: written(entry("a"), entry("A/", b""))),
    "too many files": ("archive_too_many_files", lambda: written(*(entry(f"{n}", b"") for n in range(21)))),
    "large file": ("archive_too_large", lambda: written(entry(content=bytes(2_000_001)))),
    "large all together": ("archive_too_large", lambda: written(*(entry(f"{n}", bytes(1_900_000)) for n in range(3)))),
    "large as it is": ("archive_too_large", lambda: bytes(6_000_000)),
    "declares 4 GB": ("archive_too_large", lambda: written(entry(size=0xFFFFFFF0))),
    "high ratio": ("archive_bomb", lambda: written(entry(content=bytes(1_900_000)))),
    "two names for one block": ("archive_bomb", overlapping),
    "one entry quoted in another": ("archive_bomb", quoted_overlap),
    "declares less than there is": ("archive_invalid", lambda: written(entry(content=b"x" * 50_000, size=5))),
    "declares less, and the sum of that": (
        "archive_invalid",
        lambda: written(entry(content=b"x" * 50_000, size=5, crc=zlib.crc32(b"xxxxx"))),
    ),
    "declares more than there is": ("archive_invalid", lambda: written(entry(size=50_000))),
    "stored, declares less": ("archive_invalid", lambda: written(entry(method=0, size=2))),
    "wrong sum": ("archive_invalid", lambda: written(entry(crc=1))),
    "damaged data": ("archive_invalid", lambda: written(entry() | {"data": b"\xff" * 10})),
    "data cut off": ("archive_invalid", lambda: written(entry(content=b"abc" * 9) | {"data": b"K"})),
    "folder with content": ("archive_invalid", lambda: written(entry("a/"))),
    "another name in front": ("archive_invalid", lambda: written(entry("good", local_name=b"evil"))),
    "begins as something else": ("archive_invalid", lambda: b"GIF89a" + packed({"a": b"x"})),
    "honest about what precedes": ("archive_invalid", lambda: written(entry(), before=b"MZ" * 50)),
    "goes on after its end": ("archive_invalid", lambda: packed({"a": b"x"}) + b"<html>"),
    "directory shorter than it says": ("archive_invalid", lambda: written(entry("a"), count=2)),
    "directory longer than it says": ("archive_invalid", lambda: written(entry("a"), entry("b"), count=1)),
    "entry beyond the end": ("archive_invalid", lambda: written(entry("a"), entry("b"), offsets=[0, 10_000])),
    "truncated": ("archive_invalid", lambda: packed({"a": b"x"})[:-10]),
    "no archive": ("archive_invalid", lambda: b"hello"),
    "empty": ("archive_invalid", lambda: b""),
    "tar": ("archive_invalid", lambda: b"a.txt".ljust(257, b"\x00") + b"ustar\x0000" + bytes(800)),
}


def code_of(data: bytes, **limits: int) -> str:
    with pytest.raises(InvalidInput) as refusal:
        read_archive(data, **{**LIMITS, **limits})
    (error,) = refusal.value.errors
    assert error.pointer == "#/file"
    return error.code


def naive(data: bytes) -> dict[str, bytes]:
    """What one writes first."""
    with zipfile.ZipFile(BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


class TestHonestArchives:
    @pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
    def test_files_come_by_their_paths_and_folders_do_not(self, method: int) -> None:
        files = {"tests/1.in": b"1 2\n", "tests/1.out": b"3\n", "empty": b"", "tests/é.txt": b"\x00\xff"}
        data = packed({**files, "tests/": b""}, method=method)
        assert read_archive(data, **LIMITS) == files
        assert read_archive(BytesIO(data), **LIMITS) == files

    def test_an_archive_written_as_a_stream_is_read(self) -> None:
        """Its local headers have no sizes; they follow the data."""

        class Pipe(BytesIO):
            def seekable(self) -> bool:
                return False

        pipe = Pipe()
        with zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("a", b"first" * 100)
            archive.writestr("b", b"second")
        assert read_archive(pipe.getvalue(), **LIMITS) == {"a": b"first" * 100, "b": b"second"}

    def test_comment_and_no_entry_at_all_are_fine(self) -> None:
        buffer = BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            archive.comment = b"made by hand"
        assert read_archive(buffer.getvalue(), **LIMITS) == {}

    def test_what_we_craft_here_is_an_archive(self) -> None:
        """Control of the attacks: without one, the same bytes are read."""
        assert read_archive(written(entry("a"), entry("b", method=0)), **LIMITS) == {"a": b"hello", "b": b"hello"}

    def test_limits_are_met_to_the_byte(self) -> None:
        data = packed({"a": b"x" * 100, "b": b"y" * 50})
        assert read_archive(data, files_max=2, file_bytes_max=100, total_bytes_max=150).keys() == {"a", "b"}
        assert code_of(data, files_max=1) == "archive_too_many_files"
        assert code_of(data, file_bytes_max=99) == "archive_too_large"
        assert code_of(data, total_bytes_max=149) == "archive_too_large"

    def test_small_regular_data_may_have_any_ratio(self) -> None:
        assert read_archive(packed({"zeros": bytes(500_000)}), **LIMITS) == {"zeros": bytes(500_000)}


class TestAttacks:
    @pytest.mark.parametrize(("code", "craft"), ATTACKS.values(), ids=ATTACKS.keys())
    def test_it_is_refused_by_name(self, code: str, craft: Callable[[], bytes]) -> None:
        assert code_of(craft()) == code

    @pytest.mark.parametrize(
        "name", ["parent folder", "high ratio", "symbolic link", "same but for case", "begins as something else"]
    )
    def test_a_naive_reader_takes_it(self, name: str) -> None:
        """Control: the same archives are valid to the library; it is our checks that refuse them."""
        assert naive(ATTACKS[name][1]())

    def test_a_naive_reader_believes_a_consistent_lie(self) -> None:
        assert naive(ATTACKS["declares less, and the sum of that"][1]()) == {"a.txt": b"xxxxx"}

    @pytest.mark.parametrize(
        ("check", "attack"),
        [
            ("_check_kind", "symbolic link"),
            ("_check_name", "parent folder"),
            ("_check_names_together", "same but for case"),
            ("_check_sizes", "high ratio"),
        ],
    )
    def test_each_check_is_what_refuses(self, monkeypatch: pytest.MonkeyPatch, check: str, attack: str) -> None:
        """Control: with the check away, the attack is read."""
        monkeypatch.setattr(archives, check, lambda *args, **kwargs: None)
        assert read_archive(ATTACKS[attack][1](), **LIMITS)

    def test_sizes_are_refused_before_anything_is_unpacked(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(archives, "_unpack", lambda *args: pytest.fail("something was unpacked"))
        for name in ("large file", "high ratio", "two names for one block", "one entry quoted in another"):
            assert code_of(ATTACKS[name][1]()) == ATTACKS[name][0]

    def test_a_lying_header_costs_one_byte_more_than_it_declares(self, monkeypatch: pytest.MonkeyPatch) -> None:
        asked: list[int] = []
        real = zlib.decompressobj

        class Inflater:
            def __init__(self, bits: int) -> None:
                self.inner = real(bits)

            def decompress(self, data: Any, length: int) -> bytes:
                asked.append(length)
                return self.inner.decompress(data, length)

            def __getattr__(self, name: str) -> Any:
                return getattr(self.inner, name)

        monkeypatch.setattr(zlib, "decompressobj", Inflater)
        assert code_of(written(entry(content=bytes(1_000_000), size=5))) == "archive_invalid"
        assert asked == [6]

    def test_hundred_thousand_entries_are_never_read(self, monkeypatch: pytest.MonkeyPatch) -> None:
        data = packed({str(number): b"" for number in range(2_000)}, method=zipfile.ZIP_STORED)
        monkeypatch.setattr(zipfile, "ZipFile", lambda *args: pytest.fail("the directory was read"))
        assert code_of(data, total_bytes_max=50_000_000) == "archive_too_many_files"

    def test_a_stream_is_read_no_further_than_an_archive_may_be_long(self) -> None:
        stream = BytesIO(bytes(20_000_000))
        with pytest.raises(InvalidInput):
            read_archive(stream, **LIMITS)
        assert stream.tell() < 6_000_000

    @UNTIMED
    @given(
        changes=st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 255)), min_size=1, max_size=8),
        cut=st.integers(0, 40),
    )
    def test_any_damage_ends_as_a_refusal_or_the_true_content(self, changes: list[tuple[int, int]], cut: int) -> None:
        files = {"a/b.txt": b"content " * 20, "c": b"stored"}
        data = bytearray(packed(files))
        for place, value in changes:
            data[place % len(data)] = value
        try:
            found = read_archive(bytes(data[: len(data) - cut]), **LIMITS)
        except InvalidInput:
            return
        assert sorted(found.values()) == sorted(files.values())
