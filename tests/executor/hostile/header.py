"""The header of an attack: what it tries, how it is run, and which verdicts a right judge may give.

An attack is one file, a program as a student would hand it in. It opens with comments that hold one `key: value` a
line; they end with the first line that is no comment. The language is told by the suffix.
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from executor.engines.base import Limits
from executor.judging.verdicts import Verdict


class Canary(StrEnum):
    """What is looked at to tell that an attack was contained. `ESCAPED` is the attack's own word."""

    NETWORK = "C1"  # something reached a listener
    SECRETS = "C2"  # a file or a variable of ours was read or changed
    LEFTOVERS = "C3"  # a process outlived its run by a second
    RESIDUE = "C4"  # a later run, or the machine, has something of it
    NEIGHBORS = "C5"  # a right program did not get its right answer
    ENGINE = "C6"  # the engine's process holds more than before
    LATE = "C7"  # the verdict came later than two seconds after the wall limit
    VERDICT = "C8"  # a verdict that no right judge gives
    ESCAPED = "escaped"


STAGES = ("run", "compile")
LANGUAGES_BY_SUFFIX = {".py": "python", ".c": "c", ".cpp": "cpp", ".java": "java", ".js": "javascript"}
_LINE = re.compile(r"(?://|#|\*)\s*([a-z_]+):\s*(.*?)\s*$")
_COMMENT = re.compile(r"//|#(?!include|define|pragma)|/\*|\*")
_ID = re.compile(r"[A-Z]-\d\d")
_REQUIRED = {"id", "title", "stage", "verdicts", "canaries"}
_NUMBERS = {"time_limit_ms": 1000, "wall_limit_ms": 2000, "memory_limit_mb": 64, "runs": 1, "copies": 1}
_OPTIONAL = {*_NUMBERS, "stdin", "files"}


class HeaderError(ValueError):
    """An attack's header is not as it should be; the message names the file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attack:
    """One attack as its file tells it.

    `runs` is the number of tests of the one submission, `copies` that of submissions at the same time, which get their
    number (from 0) as the last line of stdin. `files` are more files of the submission, by name and content.
    """

    name: str
    id: str
    title: str
    language: str
    stage: str
    verdicts: frozenset[Verdict]
    canaries: tuple[Canary, ...]
    source: str
    limits: Limits
    stdin: str
    files: tuple[tuple[str, str], ...]
    runs: int
    copies: int


def parse(name: str, text: str) -> Attack:
    """Read an attack from the text of its file.

    Raises:
        HeaderError: a key is missing, unknown, given twice, or has a value that means nothing.
    """
    stem, suffix = Path(name).stem, Path(name).suffix
    if suffix not in LANGUAGES_BY_SUFFIX:
        raise HeaderError(f"{name}: no language has the suffix {suffix!r}")
    values = _values(name, text)
    numbers = {key: _number(name, key, values.get(key, str(usual))) for key, usual in _NUMBERS.items()}
    if values["stage"] not in STAGES:
        raise HeaderError(f"{name}: stage is {' or '.join(STAGES)}")
    if not _ID.fullmatch(values["id"]):
        raise HeaderError(f"{name}: {values['id']!r} is no id of the catalogue")
    try:
        verdicts = frozenset(Verdict(word) for word in values["verdicts"].split())
        canaries = tuple(Canary(word) for word in values["canaries"].split())
    except ValueError as error:
        raise HeaderError(f"{name}: {error}") from error
    if not verdicts or not canaries or Verdict.INTERNAL_ERROR in verdicts:
        raise HeaderError(f"{name}: needs verdicts, none of them internal_error, and canaries")
    return Attack(
        name=stem + suffix,
        id=values["id"],
        title=values["title"],
        language=LANGUAGES_BY_SUFFIX[suffix],
        stage=values["stage"],
        verdicts=verdicts,
        canaries=canaries,
        source=text,
        limits=Limits(
            time_limit_ms=numbers["time_limit_ms"],
            wall_limit_ms=numbers["wall_limit_ms"],
            memory_limit_mb=numbers["memory_limit_mb"],
        ),
        stdin=values.get("stdin", ""),
        files=_files(name, values.get("files", "")),
        runs=numbers["runs"],
        copies=numbers["copies"],
    )


def load(directory: Path, *, letter: str = "S") -> list[Attack]:
    """The attacks of one letter of the catalogue, by name.

    Raises:
        HeaderError: as `parse`.
    """
    paths = sorted(path for path in directory.iterdir() if path.suffix in LANGUAGES_BY_SUFFIX)
    return [parse(path.name, text) for path in paths if _first_id(text := path.read_text()).startswith(f"{letter}-")]


def _first_id(text: str) -> str:
    found = re.search(r"\bid:\s*(\S+)", text)
    return found[1] if found else "S-"  # a file without an id is refused by `parse`, not passed over


def _values(name: str, text: str) -> dict[str, str]:
    values: dict[str, str] = {}
    for line in text.splitlines():
        if not _COMMENT.match(line.strip()):
            break
        found = _LINE.match(line.strip())
        if found is None:
            continue
        key, value = found.groups()
        if key not in _REQUIRED | _OPTIONAL:
            raise HeaderError(f"{name}: no header has {key!r}")
        if key in values:
            raise HeaderError(f"{name}: {key!r} is given twice")
        values[key] = value
    if missing := sorted(key for key in _REQUIRED if not values.get(key)):
        raise HeaderError(f"{name}: lacks {', '.join(missing)}")
    return values


def _number(name: str, key: str, word: str) -> int:
    if not word.isdecimal() or int(word) == 0:
        raise HeaderError(f"{name}: {key} is a positive number")
    return int(word)


def _files(name: str, value: str) -> tuple[tuple[str, str], ...]:
    """`NAME=CONTENT`, parted by semicolons; white space around each is not part of it."""
    pairs = [part.partition("=") for part in value.split(";") if part.strip()]
    if any(not sign or not key.strip() for key, sign, _ in pairs):
        raise HeaderError(f"{name}: files are NAME=CONTENT; NAME=CONTENT")
    return tuple((key.strip(), content.strip()) for key, _, content in pairs)
