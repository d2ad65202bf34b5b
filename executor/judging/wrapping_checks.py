"""What is wrong with the way a problem wraps programs, found when its author saves it and not by its first student."""

import ast
from dataclasses import dataclass

from executor.judging.languages import Language
from executor.judging.lexing import standing_after
from executor.judging.wrapping import BLOCKS, HOLE, HOLES, WrappingError, holes_of, template_fault, template_for

# Interpreters see no other file by themselves: a template without a code hole has to name it.
_NAMES_ITS_FILES = frozenset({"python", "javascript"})
_LEXED = frozenset({"c", "cpp", "cpp20", "java"})
_MARK = "assay_block_here"


@dataclass(frozen=True, slots=True, kw_only=True)
class WrappingFault:
    """One fault, as a sentence for the author. `part` is `template`, `prelude` or `postlude`."""

    part: str
    detail: str


def wrapping_fault(
    language: Language, *, entry_point: str = "", template: str = "", prelude: str = "", postlude: str = ""
) -> WrappingFault | None:
    """The first fault of a problem's wrapping in one language; None where all is well."""
    parts = {"prelude": prelude, "postlude": postlude}
    for part, text in parts.items():
        if HOLES.intersection(holes_of(text)):
            return WrappingFault(part=part, detail=f"Holes are filled in templates; in a {part} they stay text.")
        if language.key == "python" and (fault := _python_fault(text)):
            return WrappingFault(part=part, detail=f"The {part} is not valid Python: {fault}")
    try:
        text = template_for(language, entry_point=entry_point, template=template)
    except WrappingError as error:
        return WrappingFault(part="template", detail=str(error))
    fault = template_fault(text, entry_point=entry_point, prelude=prelude, postlude=postlude)
    if fault is None and template:
        fault = _reach_fault(language, template, "\n".join(parts.values())) or _place_fault(language, template)
    return None if fault is None else WrappingFault(part="template", detail=fault)


def _reach_fault(language: Language, template: str, more: str) -> str | None:
    if "code" in holes_of(template) or language.key not in _NAMES_ITS_FILES or "solution" in template + more:
        return None
    return (
        "The template never comes to the student's code: it has no hole 'code' and does not name the file 'solution'."
    )


def _place_fault(language: Language, template: str) -> str | None:
    """A block that stands in a comment, a string or an expression would not be run."""
    if language.key == "python":
        return _python_place_fault(template)
    if language.key not in _LEXED:
        return None
    for match in HOLE.finditer(template):
        before = HOLE.sub(" ", template[: match.start()])
        if match.group(1) in BLOCKS and not standing_after(before, language=language.key).is_code:
            return f"The hole {match.group(1)!r} stands inside a comment or a string."
    return None


def _python_place_fault(template: str) -> str | None:
    marked = HOLE.sub(lambda match: f"{_MARK}_{match.group(1)}" if match.group(1) in BLOCKS else "name", template)
    try:
        statements = ast.parse(marked).body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        return f"The template is not valid Python: {_told(error)}"
    run = {node.value.id for node in statements if isinstance(node, ast.Expr) and isinstance(node.value, ast.Name)}
    for name in holes_of(template):
        if name in BLOCKS and f"{_MARK}_{name}" not in run:
            return f"The hole {name!r} stands inside a string or another statement."
    return None


def _python_fault(text: str) -> str | None:
    try:
        ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        return _told(error)
    return None


def _told(error: Exception) -> str:
    if isinstance(error, SyntaxError):
        return f"{error.msg} (line {error.lineno})."
    return "it cannot be read."
