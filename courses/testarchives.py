"""Tests in a ZIP archive: each an input `NAME.in` with its expected output `NAME.ans` or `NAME.out`.

Those in a folder `sample`, or whose name begins with `sample`, are samples; those in a folder `secret` never are. They
are judged samples first, then in the order people read names: 2 before 10.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from core.archives import read_archive
from core.errors import ERRORS_MAX, FieldError, InvalidInput
from courses.testdata import TEST_CASES_MAX, TestCaseSpec

# Twice as many files as tests, and room for folders and what a Mac adds.
FILES_MAX = 2 * TEST_CASES_MAX + 200
FILE_BYTES_MAX = 8 * 1024 * 1024
TOTAL_BYTES_MAX = 32 * 1024 * 1024

POINTER = "#/file"
_EXPECTED = (".ans", ".out")
_DIGITS = re.compile(r"(\d+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedTest:
    """A test, and the path of its pair of files without their endings."""

    name: str
    spec: TestCaseSpec


def archive_tests(data: bytes) -> list[NamedTest]:
    """The tests of an archive in judging order. Nothing is unpacked before the whole archive is known to be harmless.

    Raises:
        InvalidInput: at `/file`: what `core.archives` refuses; `tests_missing`; or for each file at fault
            `test_unpaired`, `test_expected_twice`, `test_file_unknown`, `test_not_text`.
    """
    files = read_archive(data, files_max=FILES_MAX, file_bytes_max=FILE_BYTES_MAX, total_bytes_max=TOTAL_BYTES_MAX)
    kept = {name: content for name, content in files.items() if not _is_litter(name)}
    errors = list(_faults(kept))
    if errors:
        raise InvalidInput(errors[0].detail, errors=tuple(errors[:ERRORS_MAX]))
    inputs = sorted((name.removesuffix(".in") for name in kept if name.endswith(".in")), key=_judging_order)
    if not inputs:
        raise InvalidInput.at("file", "tests_missing", "The archive has no tests: pairs of NAME.in and NAME.ans.")
    return [
        NamedTest(
            name=name,
            spec=TestCaseSpec(
                input=kept[f"{name}.in"].decode(),
                expected_output=next(kept[name + ending] for ending in _EXPECTED if name + ending in kept).decode(),
                is_sample=_is_sample(name),
            ),
        )
        for name in inputs
    ]


def errors_by_name(errors: Sequence[FieldError], tests: Sequence[NamedTest], *, first: int) -> tuple[FieldError, ...]:
    """Errors of a list of tests, of which `tests` begin at `first`, told by the names of their files."""
    return tuple(_by_name(error, tests, first) for error in errors)


def _by_name(error: FieldError, tests: Sequence[NamedTest], first: int) -> FieldError:
    match = re.fullmatch(r"#/test_cases/(\d+)/\w+", error.pointer)
    if match is None or not 0 <= int(match[1]) - first < len(tests):
        return FieldError(pointer=POINTER, code=error.code, detail=error.detail)
    name = tests[int(match[1]) - first].name
    return FieldError(pointer=POINTER, code=error.code, detail=f"{name!r}: {error.detail}")


def _is_litter(name: str) -> bool:
    """What file managers add on their own."""
    path = PurePosixPath(name)
    return path.parts[0] == "__MACOSX" or path.name in (".DS_Store", "Thumbs.db", "desktop.ini")


def _faults(files: dict[str, bytes]) -> Iterator[FieldError]:
    for name, content in sorted(files.items()):
        path = PurePosixPath(name)
        stem = name.removesuffix(path.suffix)
        if path.suffix not in (".in", *_EXPECTED):
            yield _fault("test_file_unknown", f"{name!r} is neither NAME.in nor NAME.ans nor NAME.out.")
            continue
        if path.suffix == ".in" and not any(stem + ending in files for ending in _EXPECTED):
            yield _fault("test_unpaired", f"{name!r} has no {stem + '.ans'!r} beside it.")
        elif path.suffix != ".in" and f"{stem}.in" not in files:
            yield _fault("test_unpaired", f"{name!r} has no {stem + '.in'!r} beside it.")
        elif path.suffix == ".out" and f"{stem}.ans" in files:
            yield _fault("test_expected_twice", f"{name!r} and {stem + '.ans'!r} both say what is expected.")
        if not _is_text(content):
            yield _fault("test_not_text", f"{name!r} is not text in UTF-8, or has a NUL in it.")


def _fault(code: str, detail: str) -> FieldError:
    return FieldError(pointer=POINTER, code=code, detail=detail)


def _is_text(content: bytes) -> bool:
    try:
        content.decode()
    except UnicodeDecodeError:
        return False
    return b"\x00" not in content


def _is_sample(name: str) -> bool:
    *folders, last = name.lower().split("/")
    return "secret" not in folders and ("sample" in folders or last.startswith("sample"))


def _judging_order(name: str) -> tuple[bool, list[tuple[int, int, str]], str]:
    """Samples first; numbers in names by their value."""
    parts = [(0, int(part), "") if part.isdecimal() else (1, 0, part) for part in _DIGITS.split(name) if part]
    return not _is_sample(name), parts, name
