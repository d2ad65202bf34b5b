"""Turning what a student wrote into a program that an engine can run, and reading back what it returned.

A stdio program runs as it is. A function problem is wrapped in a template, a program with holes: `{{{ code }}}` (the
student's main file as a block), `{{{ entry_point }}}`, `{{{ prelude }}}` and `{{{ postlude }}}` (the author's code
around it). Where a template has no code hole the code stands in a file of its own, `solution` with the language's
suffix.

A block of the student's is not written into the template's text, where it could close a string, a comment or a
conditional: the hole becomes one line that includes or runs a file of its own, which keeps its line numbers. In Java,
where there is no such line, it is written in, but only if its comments, strings and brackets are whole in themselves.

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
from executor.judging.lexing import standing_after
from executor.judging.places import Places, line_count
from executor.judging.values import PYTHON_LITERAL

HOLE = re.compile(r"\{\{\{\s*([^{}]*?)\s*\}\}\}")
HOLES = frozenset({"code", "entry_point", "prelude", "postlude"})
# A block must have its line to itself, from the first column: then it cannot end up inside a string or comment.
BLOCKS = ("code", "prelude", "postlude")
IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
LINE_END = re.compile(r"\r\n|\r|\n")
TEMPLATES_DIR = Path(__file__).parent / "templates"
# What a stdio problem's prelude and postlude stand around.
BARE_TEMPLATE = "{{{ prelude }}}\n{{{ code }}}\n{{{ postlude }}}\n"

# The line that stands in a template for a file. What the file declares at its top is seen by all that comes after.
_RUN_PYTHON = 'exec(compile(open({name}, "rb").read(), {name}, "exec", dont_inherit=True), globals())'
_RUN_JAVASCRIPT = (
    "Object.assign(globalThis, {{ require, module, exports }}); "
    'require("vm").runInThisContext(require("fs").readFileSync({name}, "utf8"), {{ filename: {name} }});'
)
_INCLUDE = "#include {name}"
_LINE_FOR: Mapping[str, str] = {
    "python": _RUN_PYTHON,
    "javascript": _RUN_JAVASCRIPT,
    "c": _INCLUDE,
    "cpp": _INCLUDE,
    "cpp20": _INCLUDE,
}
# In Java a block is written into the template itself. Programs in other languages run as they are.
WRAPPED = frozenset({*_LINE_FOR, "java"})
_INCLUDING = frozenset(key for key, line in _LINE_FOR.items() if line == _INCLUDE)
# An included file must not look like a source, or it would be compiled a second time on its own.
_INCLUDED_SUFFIX = ".inc"


class WrappingError(ValueError):
    """The problem cannot be wrapped: an authoring fault, named in one sentence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WrappedProgram:
    """A program ready to run. `is_framed`: its answer is a framed value, not what it prints.

    `places` leads from it back to what the student wrote; None where that is what runs.
    """

    files: tuple[SourceFile, ...]
    is_framed: bool
    places: Places | None = None


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
    """Wrap a program for its problem; without an entry point, template, prelude or postlude it stays as it is.

    Raises:
        WrappingError: the template has a fault, or the language has none for function problems.
    """
    if not (entry_point or template or prelude or postlude):
        return WrappedProgram(files=files, is_framed=False)
    text = template_for(language, entry_point=entry_point, template=template)
    if fault := template_fault(text, entry_point=entry_point, prelude=prelude, postlude=postlude):
        raise WrappingError(fault)
    blocks = _Blocks(language, text, {"entry_point": entry_point, "prelude": prelude, "postlude": postlude})
    return blocks.around(files, is_framed=bool(entry_point) and not template)


def template_for(language: Language, *, entry_point: str, template: str) -> str:
    """The template that a problem's programs are wrapped in: the author's, the built-in one, or none to speak of.

    Raises:
        WrappingError: a function problem needs the author's in this language, or there is no wrapping for it.
    """
    if language.key not in WRAPPED:
        raise WrappingError(
            f"Programs in {language.name} run as they are: they take no template, prelude, postlude or entry point."
        )
    return template or (builtin_template(language) if entry_point else BARE_TEMPLATE)


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


def template_fault(template: str, *, entry_point: str = "", prelude: str = "", postlude: str = "") -> str | None:
    """What is wrong with a template whatever its language, as a sentence for its author; None where all is well."""
    names = holes_of(template)
    for name in names:
        if name not in HOLES:
            return f"The template has an unknown hole {name!r}; there are {', '.join(sorted(HOLES))}."
    for block in BLOCKS:
        for line in LINE_END.split(template):
            if block in holes_of(line) and not HOLE.fullmatch(line.rstrip()):
                return f"The hole {block!r} must stand on a line of its own, without indentation."
        if names.count(block) > 1:
            return f"The template has the hole {block!r} more than once."
    for block, text in (("prelude", prelude), ("postlude", postlude)):
        if text.strip() and block not in names:
            return f"The template has no hole {block!r}, so the {block} would be lost."
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


def holes_of(template: str) -> list[str]:
    """The names of a template's holes, in the order they stand in it."""
    return [match.group(1) for match in HOLE.finditer(template)]


class _Blocks:
    """One template on its way to becoming a program: which blocks stand in files of their own, and where."""

    def __init__(self, language: Language, template: str, fillings: Mapping[str, str]) -> None:
        self.language = language
        self.template = template
        self.fillings = dict(fillings)
        self.files: list[SourceFile] = []
        if language.key == "javascript":
            # A module's declarations are its own: what the author gives to the code's surroundings is run beside it.
            for block in ("prelude", "postlude"):
                if self.fillings[block].strip():
                    self.fillings[block] = self._file(f"{block}.js", self.fillings[block])

    def around(self, files: tuple[SourceFile, ...], *, is_framed: bool) -> WrappedProgram:
        """The program around a student's files; one of theirs that is called like one of ours gives way."""
        code, others = files[0], files[1:]
        driver = self.language.main_name
        own_name = _solution_name(self.language)
        shown = own_name if code.name == driver else code.name
        before, after = self._halves()
        name, block = shown, ""
        if "code" not in holes_of(self.template):
            # A class in Java is looked for in a file of its name; elsewhere the template names the file.
            name = shown if self.language.key == "java" else own_name
            self._file(name, code.content)
        elif self.language.key == "java":
            if not standing_after(code.content, language="java").is_whole:
                # Its own compiler says best what is not closed, or closed too often.
                alone = SourceFile(name=shown, content=code.content)
                return WrappedProgram(files=_with_others((alone,), others), is_framed=False)
            name, block = "", code.content
        else:
            name = shown + _INCLUDED_SUFFIX if self.language.key in _INCLUDING else shown
            block = self._file(name, code.content)
        main = SourceFile(name=driver, content=before + block + after)
        return WrappedProgram(
            files=_with_others((main, *self.files), others),
            is_framed=is_framed,
            places=Places(
                driver=driver,
                file=name,
                shown=shown,
                first_line=0 if name else line_count(before),
                line_count=0 if name else line_count(block),
            ),
        )

    def _halves(self) -> tuple[str, str]:
        """The template before and after the code's hole, all other holes filled in one pass: a hole in what fills
        another stays text.
        """
        for match in HOLE.finditer(self.template):
            if match.group(1) == "code":
                return self._filled(self.template[: match.start()]), self._filled(self.template[match.end() :])
        return self._filled(self.template), ""

    def _filled(self, text: str) -> str:
        return HOLE.sub(lambda match: self.fillings[match.group(1)], text)

    def _file(self, name: str, content: str) -> str:
        """Put a text into a file of its own; returns the line that stands for it."""
        self.files.append(SourceFile(name=name, content=content))
        line = _LINE_FOR.get(self.language.key, "")
        return line.format(name=json.dumps(name))


def _with_others(ours: tuple[SourceFile, ...], others: tuple[SourceFile, ...]) -> tuple[SourceFile, ...]:
    taken = {file.name for file in ours}
    return (*ours, *(file for file in others if file.name not in taken))


def _solution_name(language: Language) -> str:
    name = PurePath(language.main_name)
    return ("Solution" if name.stem[0].isupper() else "solution") + name.suffix


@cache
def _read_template(name: str) -> str:
    return (TEMPLATES_DIR / name).read_text(encoding="utf-8")
