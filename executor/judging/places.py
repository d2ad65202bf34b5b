"""From places in a wrapped program back to what the student wrote: file names and line numbers in messages."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from executor.engines.base import CompileResult

_LINE_END = re.compile(r"\r\n|\r|\n")


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Where a student's main file is in a wrapped program.

    `driver` is the file around it, `file` its own name while it runs, `shown` the name it is told by. Where `file` is
    empty it stands in the driver: as `line_count` lines from `first_line` on.
    """

    driver: str
    file: str
    shown: str
    first_line: int = 0
    line_count: int = 0


def line_count(text: str) -> int:
    """How many lines a text has, the last one counted even if it is empty."""
    return 1 + len(_LINE_END.findall(text))


def as_written(places: Places | None, output: str) -> str:
    """What a compiler or a program said, with the places in the student's file told by its name and lines.

    What only speaks of the driver is left out: frames of tracebacks, and where a file was included from. Never raises
    and is linear in the output, which is anybody's text.
    """
    if places is None:
        return output
    text = "\n".join(_without_driver(output.split("\n"), re.escape(places.driver)))
    if not places.file:
        return re.sub(rf"(?<![\w.-]){re.escape(places.driver)}:(\d{{1,9}})", lambda found: _moved(found, places), text)
    if places.file == places.shown:
        return text
    return re.sub(rf"(?<![\w.-]){re.escape(places.file)}(?![\w-]|\.\w)", lambda _: places.shown, text)


def bytes_as_written(places: Places | None, output: bytes) -> bytes:
    """The same for output that may be any bytes; those that are no UTF-8 come through as they are."""
    if places is None or not output:
        return output
    return as_written(places, output.decode("utf-8", "surrogateescape")).encode("utf-8", "surrogateescape")


def compilation_as_written(places: Places | None, compilation: CompileResult | None) -> CompileResult | None:
    """The same for what a compiler said, if there was one."""
    if places is None or compilation is None:
        return compilation
    return replace(compilation, output=as_written(places, compilation.output))


def _moved(found: re.Match[str], places: Places) -> str:
    line = int(found.group(1)) - places.first_line + 1
    return f"{places.shown}:{line}" if 1 <= line <= places.line_count else found.group()


def _without_driver(lines: list[str], driver: str) -> Iterator[str]:
    python_frame = re.compile(rf'  File "(?:[^"]*/)?{driver}", line \d+, in ')
    javascript_frame = re.compile(rf"    at (?:.*[(/ ])?(?:{driver}|node:[\w/.-]+):\d+:\d+\)?$")
    inclusion = re.compile(rf"(?:In file included|\s+) from {driver}:\d+(?::\d+)?[:,]$")
    is_in_frame = False
    for line in lines:
        if is_in_frame and line.startswith("    "):
            continue
        is_in_frame = bool(python_frame.match(line))
        if not (is_in_frame or javascript_frame.match(line) or inclusion.match(line)):
            yield line
