"""All tests of a submission in one job: the loop that is sent along with the program, and the order it gets.

The loop takes the tests one after the other and begins another only while the job can still give it all it may use. So
quick programs cost one job whatever their limits are, and no test has less than in a job of its own.
"""

import json
import secrets
import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from executor.engines.base import RunRequest, Toolchain
from executor.engines.judge0.capabilities import Capabilities, LanguageCommands, LanguageMissing, ServerLanguage
from executor.engines.judge0.program import Program, command, encoded, packed, program_entries

LOOP_PACKAGE = "executor.engines.judge0.loop"
LOOP_DIRECTORY = "loop"
LOOP_MODULES = ("tree", "files", "runner")
# The server's own Python runs the loop, whatever the language of the program.
INTERPRETER = Toolchain(
    language="python", source_suffixes=(), run_argv=("python3", "-I", "-S", "-B"), judge0_names=("Python (3",)
)
OLDEST_PYTHON = (3, 6)
# What the loop itself takes: memory of the job, and time to start and for each test.
LOOP_MEMORY_KIB = 48 * 1024
LOOP_START_S, LOOP_TEST_S = 0.5, 0.05
# The figure of a small test can be that of the loop it was forked from.
SMALLEST_SHARED_MEMORY_KIB = 64 * 1024
JOB_STDIN_BYTES = 8 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedProgram:
    """A program with the loop around it; `submission` lacks the times and the stdin, `order` the nonce and lengths."""

    program: Program
    submission: Mapping[str, object]
    order: Mapping[str, object]
    largest_input_bytes: int
    max_cpu_time_s: float
    max_wall_time_s: float

    def job(self, inputs: Sequence[bytes]) -> tuple[dict[str, object], str]:
        """The submission that runs the program on these inputs, and the nonce that marks its frames."""
        nonce = secrets.token_hex(16)
        cpu_s, wall_s = self.cpu_s(len(inputs)), self.wall_s(len(inputs))
        order = {
            **self.order,
            "nonce": nonce,
            "lengths": [len(content) for content in inputs],
            "cpu_budget_ms": round(cpu_s * 1000),
            "wall_budget_ms": round(wall_s * 1000),
        }
        stdin = json.dumps(order).encode("ascii") + b"\n" + b"".join(inputs)
        times = {"cpu_time_limit": cpu_s, "wall_time_limit": wall_s}
        return {**self.submission, **times, "stdin": encoded(stdin)}, nonce

    def cpu_s(self, count: int) -> float:
        """CPU seconds for a job of so many tests: all they may use, where the server allows it."""
        return min(self.max_cpu_time_s, _needed_s(self.program.time_limit_ms, count))

    def wall_s(self, count: int) -> float:
        """The same on the wall clock."""
        return min(self.max_wall_time_s, _needed_s(self.program.wall_limit_ms, count))

    def certain_count(self) -> int:
        """How many tests fit into one job even if each uses all it may; at least 1."""
        return max(
            1,
            min(
                _fitting(self.program.time_limit_ms, self.max_cpu_time_s),
                _fitting(self.program.wall_limit_ms, self.max_wall_time_s),
            ),
        )


def share_program(
    request: RunRequest,
    program: Program,
    capabilities: Capabilities,
    commands_of: Callable[[ServerLanguage], LanguageCommands],
) -> SharedProgram | None:
    """Put the loop around a program; None where this server cannot run it, or nothing would be won.

    Raises:
        EngineUnavailable, EngineProtocolError: from `commands_of`.
    """
    if len(request.inputs) < 2 or program.memory_limit_kib < SMALLEST_SHARED_MEMORY_KIB:
        return None
    try:
        multi_file = capabilities.multi_file_language()
        start = _start_of_loop(request, capabilities, commands_of)
        commands = commands_of(capabilities.language_for(request.toolchain))
        entries = program_entries(request, commands)
        argv, environment = command(request.toolchain.run_argv, request, commands)
    except LanguageMissing:
        return None
    entries |= {f"{LOOP_DIRECTORY}/{name}": content for name, content in _loop_files().items()}
    total_kib = sum(len(content) for content in entries.values()) / 1024
    if total_kib > capabilities.max_extract_kib:
        return None
    submission = {
        **{name: value for name, value in program.submission.items() if name != "source_code"},
        "language_id": multi_file.id,
        "additional_files": encoded(packed({**entries, "run": start})),
        "memory_limit": min(program.boxed_memory_kib + LOOP_MEMORY_KIB, capabilities.max_memory_kib),
        # The frames of all tests go to one file.
        "max_file_size": capabilities.max_file_size_kib,
    }
    return SharedProgram(
        # No shell stands between the loop and the program.
        program=replace(program, is_multi_file=True),
        submission=submission,
        order={
            "argv": argv,
            "environment": environment,
            "time_limit_ms": program.time_limit_ms,
            "wall_limit_ms": program.wall_limit_ms,
            "file_size_bytes": program.file_size_bytes,
            "address_bytes": program.boxed_memory_kib * 1024,
            "answer_bytes": capabilities.max_file_size_kib * 1024,
        },
        largest_input_bytes=capabilities.max_file_size_kib * 1024,
        max_cpu_time_s=capabilities.max_cpu_time_s,
        max_wall_time_s=capabilities.max_wall_time_s,
    )


def groups_of(indexes: Sequence[int], inputs: Sequence[bytes], shared: SharedProgram) -> Iterator[tuple[int, ...]]:
    """Indexes of inputs in as few jobs as their sizes allow; an input too large to be shared is alone."""
    group: list[int] = []
    size = 0
    for index in indexes:
        length = len(inputs[index])
        if length > shared.largest_input_bytes:
            yield (index,)
            continue
        if group and size + length > JOB_STDIN_BYTES:
            yield tuple(group)
            group, size = [], 0
        group.append(index)
        size += length
    if group:
        yield tuple(group)


def _start_of_loop(
    request: RunRequest, capabilities: Capabilities, commands_of: Callable[[ServerLanguage], LanguageCommands]
) -> bytes:
    language = capabilities.language_for(INTERPRETER)
    commands = commands_of(language)
    if language.version < OLDEST_PYTHON:
        raise LanguageMissing(f"{language.name} is too old to run tests in a loop.")
    if commands.environment():
        raise LanguageMissing(f"{language.name} needs variables that its programs would inherit.")
    words, _ = command(INTERPRETER.run_argv, request, commands)
    return f"#!/bin/bash\nexec {shlex.join(words)} {LOOP_DIRECTORY}\n".encode()


@cache
def _loop_files() -> dict[str, bytes]:
    """A directory that Python can run, with the modules in packages as they are here."""
    package = LOOP_PACKAGE.replace(".", "/")
    source = Path(__file__).parent / LOOP_DIRECTORY
    files = {f"{package}/{module}.py": (source / f"{module}.py").read_bytes() for module in LOOP_MODULES}
    return {**files, "__main__.py": f"from {LOOP_PACKAGE}.runner import main\n\nmain()\n".encode()}


def _needed_s(limit_ms: int, count: int) -> float:
    return round(LOOP_START_S + count * (limit_ms / 1000 + LOOP_TEST_S), 3)


def _fitting(limit_ms: int, max_s: float) -> int:
    return int((max_s - LOOP_START_S) / (limit_ms / 1000 + LOOP_TEST_S))
