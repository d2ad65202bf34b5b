"""What every engine takes and gives: a program and its inputs go in, measurements come out.

An engine executes. It never learns what a right answer is: expected outputs, checkers and scores have no place in
these types (law 1). A program that fails is a `RunResult`; an engine that fails raises an `EngineError`.
Units are in the names: milliseconds, KiB of measured memory, MiB of memory limits.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol


class EngineError(Exception):
    """The engine failed; nothing can be said about the program. Never a student's verdict (law 3)."""


class EngineUnavailable(EngineError):
    """The engine cannot work now; the same request may succeed later.

    `retry_after_s` is the engine's own wish, where it stated one.
    """

    def __init__(self, message: str, *, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class EngineBusy(EngineUnavailable):
    """The engine says of itself that it takes no work now, whosever; that is no submission's doing."""


class EngineRejected(EngineError):
    """The engine refused the request as invalid: a bug or a misconfiguration of ours, not to be repeated unchanged."""


class EngineProtocolError(EngineError):
    """The engine's answer cannot be understood; what it measured is unknown."""


class RunStatus(StrEnum):
    """How one run ended, as measured. None of these says that an output is right."""

    EXITED = "exited"  # by itself; exit_code tells how
    SIGNALED = "signaled"  # by a signal that was not the engine enforcing a limit
    TIME_LIMIT = "time_limit"  # CPU time used up
    WALL_LIMIT = "wall_limit"  # still there when the wall clock ran out
    MEMORY_LIMIT = "memory_limit"
    OUTPUT_LIMIT = "output_limit"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one run of a program may use. `output_limit_kib` holds for stdout and stderr each."""

    time_limit_ms: int
    wall_limit_ms: int
    memory_limit_mb: int
    output_limit_kib: int = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceFile:
    """One file of a program; `name` is a plain file name without a directory."""

    name: str
    content: str


@dataclass(frozen=True, slots=True, kw_only=True)
class KitUse:
    """How the sandbox compiles and runs a language faster where its kit has the part; no other engine reads it.

    `recipe` names how the part is made (see the sandbox's kit). The words go behind the program of an argv; `{kit}` in
    them is where a box sees the part. They may change how fast something is done, never what comes of it.
    """

    part: str
    recipe: str
    compile_words: tuple[str, ...] = ()
    run_words: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Toolchain:
    """How one language is compiled and run: data that every engine reads its own part of.

    Placeholders in an argv: `{sources}` (every file ending in one of `source_suffixes`, each an argument of its own),
    `{main}` (the main file's name), `{stem}` (the same without its suffix), `{memory_limit_mb}`.
    The first word of an argv is the bare name of a program; an engine resolves it to an absolute path.
    """

    language: str
    source_suffixes: tuple[str, ...]
    run_argv: tuple[str, ...]
    compile_argv: tuple[str, ...] = ()
    # How an interpreter is started from which the sandbox forks programs instead of starting them; it has to be Python,
    # with the options of run_argv. Empty where there is no such way.
    zygote_argv: tuple[str, ...] = ()
    # A managed runtime maps far more memory than it uses: its heap is bounded by flags in run_argv instead, and
    # `memory_overhead_mb` is what the runtime itself may take beyond the program's limit.
    is_managed_runtime: bool = False
    memory_overhead_mb: int = 0
    # What the stacks of all its threads may map together; they are large, and next to nothing of them is ever touched.
    thread_stacks_mb: int = 0
    # What the runtime writes to stderr when an allocation fails; with a failing exit this means the memory limit.
    memory_error_marks: tuple[bytes, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    # Wants /proc, though it is no managed runtime.
    needs_proc_to_compile: bool = False
    needs_proc_to_run: bool = False
    needs_processes: bool = False  # its programs are of little use where they cannot start others
    # Files of ours that lie beside every program, unless it brings one of that name.
    support_files: tuple[SourceFile, ...] = ()
    kit: KitUse | None = None
    debian_packages: tuple[str, ...] = ()
    # Judge0 names languages like "Python (3.8.1)": these are the beginnings looked for, best first.
    judge0_names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRequest:
    """One program and the inputs to run it on. `files[0]` is the main file; `inputs` are the stdins, one a run.

    `files` gets the toolchain's support files at its end.

    `is_exclusive`: the runs share nothing beyond what the engine must. Judge0 then gets a job for each, and else may
    run them all in one; the sandbox starts a preloaded interpreter for this request alone, and else shares one.
    """

    toolchain: Toolchain
    files: tuple[SourceFile, ...]
    inputs: tuple[bytes, ...]
    limits: Limits
    is_exclusive: bool = False

    def __post_init__(self) -> None:
        given = {file.name for file in self.files}
        if given:  # a support file must not pass for the main one
            support = (file for file in self.toolchain.support_files if file.name not in given)
            object.__setattr__(self, "files", (*self.files, *support))


@dataclass(frozen=True, slots=True, kw_only=True)
class RunResult:
    """What an engine measured in one run. Whether the output is right is for a checker to say.

    `time_ms` is CPU time of the whole process tree, `memory_kib` the highest resident size of a process in it.
    `stdout` and `stderr` are cut at the output limit.
    """

    status: RunStatus
    exit_code: int | None = None
    signal: int | None = None
    time_ms: int
    wall_ms: int
    memory_kib: int
    stdout: bytes
    stderr: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class CompileResult:
    """How the compile step ended; `output` is the compiler's own text, bounded and decoded leniently."""

    succeeded: bool
    output: str
    time_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RunReport:
    """The results in the order of the inputs: all of them, or fewer after a failed compile or an early stop.

    `tier` names what contained the program (the sandbox's "A" to "D"; "judge0" for a Judge0).
    """

    compilation: CompileResult | None
    results: tuple[RunResult, ...]
    tier: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineHealth:
    """Whether the engine can work now. `detail` is a sentence for an operator, naming the fix where there is one."""

    is_ready: bool
    tier: str
    detail: str


# Called with (index, result) in the order of the inputs, as results come; False asks the engine to stop there.
OnResult = Callable[[int, RunResult], bool]


class Engine(Protocol):
    """Runs programs. One instance is shared by all worker threads of a process."""

    name: str

    def run(self, request: RunRequest, on_result: OnResult | None = None) -> RunReport:
        """Compile once where the language needs it, run on every input, and report what was measured.

        Raises:
            EngineUnavailable, EngineRejected, EngineProtocolError.
        """
        ...

    def health(self) -> EngineHealth:
        """Say whether the engine can work now; never raises."""
        ...

    def missing_for(self, toolchain: Toolchain) -> str | None:
        """None where the language can be run here; otherwise a sentence that names what is missing.

        Raises:
            EngineUnavailable: the engine cannot be asked now.
        """
        ...
