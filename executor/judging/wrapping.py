"""Turning what a student wrote into a program that an engine can run, and reading back what it returned.

A stdio program runs as it is. A function problem is wrapped in a template, a program with holes:
`{{{ code }}}` (the student's main file as a block; where a template has no such hole the code stands in a file of its
own, `solution` with the language's suffix), `{{{ entry_point }}}`, `{{{ prelude }}}`, `{{{ postlude }}}`.

The built-in templates read one header line and the arguments from stdin, and frame the returned value on stdout between
two copies of a nonce drawn for each run, apart from what the student prints. The nonce keeps answers and prints apart;
it guards no secret, since the expected output is never there (law 1). An author's template prints its answer instead.
"""

import json
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path, PurePath

from executor.engines.base import SourceFile
from executor.judging.languages import Language
from executor.judging.values import PYTHON_LITERAL

HOLE = re.compile(r"\{\{\{\s*([^{}]*?)\s*\}\}\}")
HOLES = frozenset({"code", "entry_point", "prelude", "postlude"})
# A block must have its line to itself, from the first column: then it cannot end up inside a string or comment.
BLOCKS = frozenset({"code", "prelude", "postlude"})
IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
TEMPLATES_DIR = Path(__file__).parent / "templates"


class WrappingError(ValueError):
    """The problem cannot be wrapped: an authoring fault, named in one sentence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WrappedProgram:
    """A program ready to run. `is_framed`: its answer is a framed value, not what it prints."""

    files: tuple[SourceFile, ...]
    is_framed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a framed run gave back: the value's text, and what was printed besides.

    `value` is None where there is none, and `fault` says why. `has_returned` is False where there is no frame at all:
    the program ended before its function returned.
    """

    value: bytes | None
    printed: bytes
    has_returned: bool = True
    fault: str = ""


def wrap(
    language: Language,
    files: tuple[SourceFile, ...],
    *,
    entry_point: str = "",
    template: str = "",
    prelude: str = "",
    postlude: str = "",
) -> WrappedProgram:
    """Wrap a program for its problem; without an entry point or template it stays as it is.

    Raises:
        WrappingError: the template has a fault, or the language has none for function problems.
    """
    if not entry_point and not template:
        return WrappedProgram(files=files, is_framed=False)
    is_framed = not template
    text = template or builtin_template(language)
    if fault := template_fault(text, entry_point=entry_point):
        raise WrappingError(fault)
    code, others = files[0], files[1:]
    fillings = {"code": code.content, "entry_point": entry_point, "prelude": prelude, "postlude": postlude}
    main = SourceFile(name=language.main_name, content=_fill(text, fillings))
    if "code" not in _holes(text):
        others = (SourceFile(name=f"solution{PurePath(language.main_name).suffix}", content=code.content), *others)
    # A file of the student's own that is called like the driver would take its place.
    taken = {main.name} | {file.name for file in others[:1]}
    return WrappedProgram(
        files=(main, *others[:1], *(file for file in others[1:] if file.name not in taken)), is_framed=is_framed
    )


def builtin_template(language: Language) -> str:
    """The template Assay brings for function problems in a language.

    Raises:
        WrappingError: there is none; the author has to write one.
    """
    if language.template_name is None:
        raise WrappingError(
            f"Function problems in {language.name} need a template by the author, since there is none built in."
        )
    return _read_template(language.template_name)


def template_fault(template: str, *, entry_point: str = "") -> str | None:
    """What is wrong with a template, as a sentence for its author; None where all is well."""
    names = _holes(template)
    for name in names:
        if name not in HOLES:
            return f"The template has an unknown hole {name!r}; there are {', '.join(sorted(HOLES))}."
    for block in BLOCKS & set(names):
        for line in template.splitlines():
            if block in _holes(line) and not HOLE.fullmatch(line.rstrip()):
                return f"The hole {block!r} must stand on a line of its own, without indentation."
    if "entry_point" in names and not IDENTIFIER.fullmatch(entry_point):
        return "The template calls the entry point, but the problem names none."
    return None


def frame_input(arguments: str, *, nonce: str, encoding: str) -> bytes:
    """The stdin of a framed run: a header line, then the arguments as they are stored."""
    header = json.dumps({"nonce": nonce, "encoding": encoding})
    return f"{header}\n{arguments}".encode("utf-8", "surrogatepass")


def new_nonce() -> str:
    """A fresh random mark for one run's frame."""
    return secrets.token_hex(16)


def read_frame(stdout: bytes, *, nonce: str, encoding: str) -> Answer:
    """Take the framed value out of a program's stdout. Never raises: the text is the student's to write."""
    mark = nonce.encode()
    before, _, rest = stdout.partition(b"\n" + mark)
    payload, found, after = rest.partition(mark + b"\n")
    if not found:
        fault = "The program ended before the function returned."
        return Answer(value=None, printed=stdout, has_returned=False, fault=fault)
    printed = before + after
    try:
        answer = json.loads(payload)
    except (ValueError, RecursionError):
        return Answer(value=None, printed=printed, fault="The returned value is not JSON.")
    if not isinstance(answer, dict) or "value" not in answer:
        reason = str(answer.get("fault"))[:200] if isinstance(answer, dict) else "an unknown frame"
        return Answer(value=None, printed=printed, fault=f"The returned value is not JSON: {reason}")
    value = str(answer["value"]) if encoding == PYTHON_LITERAL else json.dumps(answer["value"])
    return Answer(value=value.encode("utf-8", "surrogatepass"), printed=printed)


def _holes(template: str) -> list[str]:
    return [match.group(1) for match in HOLE.finditer(template)]


def _fill(template: str, fillings: Mapping[str, str]) -> str:
    """Fill all holes in one pass: a hole inside what fills another stays text."""
    return HOLE.sub(lambda match: fillings[match.group(1)], template)


@cache
def _read_template(name: str) -> str:
    return (TEMPLATES_DIR / name).read_text(encoding="utf-8")
