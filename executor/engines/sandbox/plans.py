"""From a request to the boxes it needs: one to compile in, one to run in, each with its own limits."""

import os
from collections.abc import Iterable, Sequence
from pathlib import PurePosixPath

from executor.engines.argv import expand_argv
from executor.engines.base import EngineRejected, EngineUnavailable, RunRequest, Toolchain
from executor.engines.sandbox import seccomp
from executor.engines.sandbox.box import BoxFile, BoxPlan
from executor.engines.sandbox.host import find_program
from executor.engines.sandbox.inbox.zygote import PRELOADED, WORK
from executor.engines.sandbox.kit import NO_KIT, Kit

COMPILE_WALL_MS = 60_000
LONGEST_WALL_MS = 24 * 60 * 60 * 1000  # the watchdog counts milliseconds in 31 bits
COMPILE_OUTPUT_BYTES = 64 * 1024
_COMPILE_CPU_MS = 30_000
_COMPILE_MEMORY_KIB = 2 * 1024 * 1024
_COMPILE_DISK_KIB = 256 * 1024
_ARTEFACTS_BYTES = 64 * 1024 * 1024
_ARTEFACTS_COUNT = 1000

# Resident memory beyond the limit at which a run is ended; what passes the limit by less is found at its end.
_RESIDENT_SLACK_KIB = 16 * 1024
# Writable memory beyond the limit that a program may map without touching it: above all stacks of threads, which libc
# makes as large as the main one. What it touches is watched; this bounds how far a program runs ahead of the watch.
_NATIVE_SLACK_KIB = 256 * 1024
_MANAGED_SLACK_KIB = 1024 * 1024
# Mapped but not writable: libraries, reserved arenas. Bounded, since page tables are counted by no other limit.
_ADDRESS_SLACK_KIB = 1024 * 1024
# As much recursion as contests expect, and less than most memory limits: beyond it a program ends by SIGSEGV.
_STACK_KIB = 64 * 1024
_NATIVE_PROCESSES = 32  # threads count
_MANAGED_PROCESSES = 128
_LEAST_FORKED_MEMORY_MB = 32

_MAIN_TEXT = "{main_text}"
_ENVIRONMENT = {"PATH": ":".join(("/usr/local/bin", "/usr/bin", "/bin")), "HOME": "/box", "LANG": "C.UTF-8"}


def check_request(request: RunRequest) -> None:
    """Refuse what no box must be given.

    Raises:
        EngineRejected: a file name that is not a plain one, or limits that are not positive.
    """
    names = [file.name for file in request.files]
    if not names or len(set(names)) != len(names):
        raise EngineRejected("a program needs files with different names")
    for name in names:
        # A leading dash or at-sign would be an option or a list of options to a compiler.
        is_plain = 0 < len(name.encode(errors="replace")) < 200 and name not in {".", ".."} and name[0] not in "-@"
        if not is_plain or "/" in name or not name.isprintable():
            raise EngineRejected(f"not a plain file name: {name!r}")
    limits = request.limits
    if min(limits.time_limit_ms, limits.wall_limit_ms, limits.memory_limit_mb, limits.output_limit_kib) <= 0:
        raise EngineRejected("limits must be positive")
    if limits.wall_limit_ms > LONGEST_WALL_MS:
        raise EngineRejected("a run of more than a day")


def compile_plan(request: RunRequest, kit: Kit = NO_KIT) -> BoxPlan:
    """The box in which the program is compiled, with what the kit has for it.

    Raises:
        EngineUnavailable: the compiler is not installed.
    """
    toolchain = request.toolchain
    return BoxPlan(
        argv=_argv(toolchain.compile_argv, request, kit.compile_words(toolchain)),
        files=_files(request, (file.name for file in request.files)),
        environment={**_ENVIRONMENT, **toolchain.environment},
        seccomp=seccomp.deny_list(),
        cpu_ms=_COMPILE_CPU_MS,
        memory_kib=_COMPILE_MEMORY_KIB,
        data_kib=_COMPILE_MEMORY_KIB,
        address_kib=0 if toolchain.is_managed_runtime else _COMPILE_MEMORY_KIB + _ADDRESS_SLACK_KIB,
        stack_kib=_STACK_KIB,
        processes=_MANAGED_PROCESSES,
        disk_kib=_COMPILE_DISK_KIB,
        has_proc=toolchain.is_managed_runtime or toolchain.needs_proc_to_compile,
        artefacts_bytes=_ARTEFACTS_BYTES,
        artefacts_count=_ARTEFACTS_COUNT,
    )


def can_be_forked(request: RunRequest) -> bool:
    """Whether the program may be forked from a preloaded interpreter.

    With files of its own that hide a preloaded module it would find the wrong one, and under a tight memory limit the
    preloaded modules would weigh.
    """
    toolchain = request.toolchain
    stems = {PurePosixPath(file.name).stem for file in request.files[1:]}
    return (
        bool(toolchain.zygote_argv)
        and toolchain.run_argv == (*toolchain.zygote_argv, "{main}")
        and stems.isdisjoint(PRELOADED)
        and request.limits.memory_limit_mb >= _LEAST_FORKED_MEMORY_MB
    )


def run_plan(
    request: RunRequest, artefacts: Sequence[BoxFile], kit: Kit = NO_KIT, *, is_forked: bool = False
) -> BoxPlan:
    """What the program needs to run on its inputs. Sources stay outside where they were compiled.

    Raises:
        EngineUnavailable: the language's runtime is not installed.
    """
    toolchain, limits = request.toolchain, request.limits
    is_source = toolchain.source_suffixes if toolchain.compile_argv else ()
    made = {file.name for file in artefacts}
    given = (file.name for file in request.files if not file.name.endswith(is_source) and file.name not in made)
    limit_kib = (limits.memory_limit_mb + toolchain.memory_overhead_mb) * 1024
    data_kib = limit_kib + (_MANAGED_SLACK_KIB if toolchain.is_managed_runtime else _NATIVE_SLACK_KIB)
    data_kib += toolchain.thread_stacks_mb * 1024
    return BoxPlan(
        argv=[f"{WORK}/{request.files[0].name}"]
        if is_forked
        else _argv(toolchain.run_argv, request, kit.run_words(toolchain)),
        files=[*_files(request, given), *artefacts],
        environment={**_ENVIRONMENT, **toolchain.environment},
        seccomp=seccomp.deny_list() if toolchain.is_managed_runtime else seccomp.allow_list(),
        cpu_ms=limits.time_limit_ms,
        memory_kib=limit_kib + _RESIDENT_SLACK_KIB,
        data_kib=data_kib,
        address_kib=0 if toolchain.is_managed_runtime else data_kib + _ADDRESS_SLACK_KIB,
        stack_kib=min(_STACK_KIB, limit_kib),
        processes=_MANAGED_PROCESSES if toolchain.is_managed_runtime else _NATIVE_PROCESSES,
        runs=len(request.inputs),
        has_proc=toolchain.is_managed_runtime or toolchain.needs_proc_to_run,
        is_forked=is_forked,
    )


def zygote_argv(toolchain: Toolchain) -> list[str]:
    """How the toolchain's preloaded interpreter is started.

    Raises:
        EngineUnavailable: it is not installed.
    """
    program, *options = toolchain.zygote_argv
    return [_program(program, toolchain), *options]


def zygote_environment(toolchain: Toolchain) -> dict[str, str]:
    """The environment of the preloaded interpreter, and so of the programs that are forked from it."""
    return {**_ENVIRONMENT, **toolchain.environment}


def missing_program(toolchain: Toolchain) -> str | None:
    """The bare name of a program that the toolchain needs and the machine lacks, or None."""
    words = [argv[0] for argv in (toolchain.compile_argv, toolchain.run_argv) if argv]
    return next((word for word in words if "/" not in word and find_program(word) is None), None)


def _files(request: RunRequest, names: Iterable[str]) -> list[BoxFile]:
    wanted = set(names)
    # A lone surrogate cannot be written as UTF-8; the program gets a question mark, as from a terminal.
    return [
        BoxFile(name=file.name, content=file.content.encode(errors="replace"))
        for file in request.files
        if file.name in wanted
    ]


def _argv(words: Sequence[str], request: RunRequest, kit_words: Sequence[str]) -> list[str]:
    # Last, since a program's text may hold what looks like another placeholder.
    argv = [word.replace(_MAIN_TEXT, request.files[0].content) for word in expand_argv(words, request)]
    program = argv[0]
    program = os.path.normpath(f"{WORK}/{program}") if "/" in program else _program(program, request.toolchain)
    return [program, *kit_words, *argv[1:]]


def _program(name: str, toolchain: Toolchain) -> str:
    found = find_program(name)
    if found is None:
        raise EngineUnavailable(f"{name} is missing: {install_hint(toolchain)}")
    return found


def install_hint(toolchain: Toolchain) -> str:
    """The command that installs what the toolchain needs."""
    return "apt-get install " + " ".join(toolchain.debian_packages)
