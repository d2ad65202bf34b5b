"""From a RunRequest to what a Judge0 is asked: one program, its limits, and how to read what comes back.

There are two ways. A multi-file program brings `compile` and `run` scripts made from the toolchain's argv: only so are
the flags, the environment, the file names and the number of source files the same as everywhere else. (The server's
own C compiles one `main.c` without -O2 and -lm; its Java runs one class `Main` with a small stack.) A lone file of a
plain interpreter that needs none of this goes as `source_code`, which saves Judge0 unpacking it; and so does one that
only an environment is set for, where the server refuses multi-file programs.
"""

import base64
import re
import shlex
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from io import BytesIO

from executor.engines.argv import expand_argv
from executor.engines.base import EngineRejected, RunRequest, SourceFile, Toolchain
from executor.engines.judge0.capabilities import Capabilities, LanguageCommands, ServerLanguage

# Judge0 refuses less than this (422); what a program used is held against its own limit afterwards.
SMALLEST_WALL_S = 1.0
SMALLEST_MEMORY_KIB = 2048
# A limit of 512 MiB is a little more than the 512,000 KB that a Judge0 allows unless told otherwise. A program in a box
# this much smaller is judged all the same; only one that fills it is not, since nobody knows if it needs more.
LARGEST_MEMORY_SHORTFALL = 0.05
# A directory of its own, so that no student's file can take the place of the scripts.
DIRECTORY = "program"
FILE_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+-]{0,99}")
ZIP_TIME = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """A program as Judge0 takes it; `submission` lacks only the stdin. The results are held against these limits."""

    toolchain: Toolchain
    submission: Mapping[str, object]
    is_multi_file: bool
    time_limit_ms: int
    wall_limit_ms: int
    memory_limit_kib: int
    boxed_memory_kib: int
    output_limit_bytes: int
    file_size_bytes: int

    def with_stdin(self, stdin: bytes) -> dict[str, object]:
        """The submission that runs the program on one input."""
        return {**self.submission, "stdin": encoded(stdin)}


def encoded(content: bytes) -> str:
    """Base64: any other text breaks on the first byte that is not ASCII (J-16)."""
    return base64.b64encode(content).decode("ascii")


def goes_as_multi_file(toolchain: Toolchain, capabilities: Capabilities) -> bool:
    """Whether even a single file of this language goes as a multi-file program."""
    if toolchain.compile_argv or toolchain.is_managed_runtime:
        # Flags decide what the program does: the server's own commands would be another language.
        return True
    return bool(toolchain.environment) and capabilities.offers_multi_file


def prepare_program(
    request: RunRequest, capabilities: Capabilities, commands_of: Callable[[ServerLanguage], LanguageCommands]
) -> Program:
    """Build the submission for a request; `commands_of` asks the server about a language.

    Raises:
        EngineRejected: the request is not one this server can run; the message names the limit or the fault.
        EngineUnavailable, EngineProtocolError: from `commands_of`.
    """
    toolchain, limits = request.toolchain, request.limits
    contents = _contents(request.files)
    memory_limit_kib = (limits.memory_limit_mb + toolchain.memory_overhead_mb) * 1024
    boxed_memory_kib = _boxed_memory_kib(memory_limit_kib, capabilities)
    submission = {
        **_limit_fields(request, capabilities, boxed_memory_kib),
        "number_of_runs": 1,
        "redirect_stderr_to_stdout": False,
        # Off by default, but the default is the server's to change.
        "enable_network": False,
    }
    language = capabilities.language_for(toolchain)
    main = contents[request.files[0].name]
    # A blank source_code is refused by Judge0 (422); an empty program is not.
    is_multi_file = len(request.files) > 1 or not main.strip() or goes_as_multi_file(toolchain, capabilities)
    if is_multi_file:
        multi_file = capabilities.multi_file_language()
        commands = commands_of(language)
        # `run` comes last, so that it is never alone.
        entries = {**program_entries(request, commands), "run": script(toolchain.run_argv, request, commands)}
        total_kib = sum(len(content) for content in contents.values()) / 1024
        _check("max_extract_size", "KiB", total_kib, capabilities.max_extract_kib)
        submission |= {"language_id": multi_file.id, "additional_files": encoded(packed(entries))}
    else:
        submission |= {"language_id": language.id, "source_code": encoded(main)}
    return Program(
        toolchain=toolchain,
        submission=submission,
        is_multi_file=is_multi_file,
        time_limit_ms=limits.time_limit_ms,
        wall_limit_ms=limits.wall_limit_ms,
        memory_limit_kib=memory_limit_kib,
        boxed_memory_kib=boxed_memory_kib,
        output_limit_bytes=limits.output_limit_kib * 1024,
        file_size_bytes=_file_size_kib(limits.output_limit_kib, capabilities) * 1024,
    )


def command(argv: tuple[str, ...], request: RunRequest, commands: LanguageCommands) -> tuple[list[str], dict[str, str]]:
    """The words of a command line of the toolchain, its program where this server keeps it, and its variables.

    Raises:
        LanguageMissing: the server's commands do not name the program.
    """
    words = expand_argv(argv, request)
    words[0] = commands.program_for(words)
    return words, {**commands.environment(), **request.toolchain.environment}


def script(argv: tuple[str, ...], request: RunRequest, commands: LanguageCommands) -> bytes:
    """A shell script that becomes the program of `argv`, so that its signals reach Judge0 and not a shell.

    Raises:
        LanguageMissing: the server's commands do not name the program.
    """
    words, variables = command(argv, request, commands)
    lines = ["#!/bin/bash", f"cd {DIRECTORY} || exit 126"]
    lines += [f"export {name}={shlex.quote(value)}" for name, value in variables.items()]
    lines.append("exec " + shlex.join(words))
    return "\n".join(lines).encode() + b"\n"


def _limit_fields(request: RunRequest, capabilities: Capabilities, boxed_memory_kib: int) -> dict[str, object]:
    limits = request.limits
    cpu_s = limits.time_limit_ms / 1000
    wall_s = max(limits.wall_limit_ms / 1000, SMALLEST_WALL_S)
    if min(limits.time_limit_ms, limits.wall_limit_ms, limits.memory_limit_mb, limits.output_limit_kib) <= 0:
        # A cpu_time_limit of 0 would be no limit at all.
        raise EngineRejected("Every limit of a run must be above zero.")
    _check("max_cpu_time_limit", "s", cpu_s, capabilities.max_cpu_time_s)
    _check("max_wall_time_limit", "s", wall_s, capabilities.max_wall_time_s)
    _check("max_max_file_size", "KiB", limits.output_limit_kib, capabilities.max_file_size_kib)
    fields: dict[str, object] = {
        "cpu_time_limit": cpu_s,
        "wall_time_limit": wall_s,
        "memory_limit": boxed_memory_kib,
        "stack_limit": min(boxed_memory_kib, capabilities.max_stack_kib),
        "max_file_size": _file_size_kib(limits.output_limit_kib, capabilities),
    }
    if request.toolchain.is_managed_runtime:
        # A virtual machine starts dozens of threads before the program's first line.
        fields["max_processes_and_or_threads"] = capabilities.max_processes
    return fields


def _boxed_memory_kib(memory_limit_kib: int, capabilities: Capabilities) -> int:
    wanted = max(memory_limit_kib, SMALLEST_MEMORY_KIB)
    if wanted * (1 - LARGEST_MEMORY_SHORTFALL) > capabilities.max_memory_kib:
        _check("max_memory_limit", "KiB", wanted, capabilities.max_memory_kib)
    return min(wanted, capabilities.max_memory_kib)


def _file_size_kib(output_limit_kib: int, capabilities: Capabilities) -> int:
    """One KiB more than allowed, where the server lets us: so output of exactly the limit is not taken for too much."""
    return min(output_limit_kib + 1, capabilities.max_file_size_kib)


def _check(setting: str, unit: str, asked: float, allowed: float) -> None:
    if asked > allowed:
        raise EngineRejected(
            f"The program asks for {asked:g} {unit} and this Judge0 allows {allowed:g} {unit} ({setting})."
        )


def _contents(files: tuple[SourceFile, ...]) -> dict[str, bytes]:
    if not files:
        raise EngineRejected("There is no program to run: the request has no files.")
    contents: dict[str, bytes] = {}
    for file in files:
        if not FILE_NAME.fullmatch(file.name):
            raise EngineRejected(f"{file.name!r:.120} is not a plain file name.")
        if file.name in contents:
            raise EngineRejected(f"The program holds {file.name!r} twice.")
        try:
            contents[file.name] = file.content.encode("utf-8")
        except UnicodeEncodeError as error:
            raise EngineRejected(f"{file.name!r} is not valid Unicode.") from error
    return contents


def program_entries(request: RunRequest, commands: LanguageCommands) -> dict[str, bytes]:
    """What an archive of a program holds, by name, but for the script that runs it.

    Raises:
        EngineRejected: files that cannot be sent.
        LanguageMissing: the server's commands do not name the compiler.
    """
    entries = {f"{DIRECTORY}/{name}": content for name, content in _contents(request.files).items()}
    if request.toolchain.compile_argv:
        entries["compile"] = script(request.toolchain.compile_argv, request, commands)
    return entries


def packed(entries: Mapping[str, bytes]) -> bytes:
    """A zip of files, the same bytes for the same files, in their order."""
    archive = BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in entries.items():
            entry = zipfile.ZipInfo(name, date_time=ZIP_TIME)
            entry.create_system = 3
            entry.external_attr = 0o644 << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            file.writestr(entry, content)
    return archive.getvalue()
