"""From Judge0's answer about one job to what was measured. Every answer is untrusted.

Source: exchanges recorded with a real Judge0 1.13.1; those a test needs are in tests/executor/judge0/recordings.
"""

import base64
import binascii
import re
from dataclasses import dataclass
from decimal import Decimal
from enum import IntEnum

from executor.engines.base import (
    CompileResult,
    EngineProtocolError,
    EngineRejected,
    EngineUnavailable,
    RunResult,
    RunStatus,
)
from executor.engines.judge0.program import Program

FIELDS = "token,status_id,stdout,stderr,compile_output,message,time,wall_time,memory,exit_code,exit_signal"
TOKEN = re.compile(r"[A-Za-z0-9_-]{8,64}")
SECONDS = re.compile(r"[0-9]{1,9}(?:\.[0-9]{1,9})?")
SIGKILL, SIGXFSZ = 9, 25
LONGEST_S = Decimal(3600)
LARGEST_MEMORY_KIB = 2**30
COMPILER_OUTPUT_CHARACTERS = 65_536
# A box killed for its memory has used all of it, but for the pages that the kernel accounts in bundles.
FULL_SHARE = 0.99
# What the shell above a plain program says when a signal ended it; the student's program did not write it.
SHELL_LINE = re.compile(rb"run: line [0-9]+: +[0-9]+ [A-Z][^\n]*\n?\Z")
START_FAULT = re.compile(
    rb"(?:/bin/bash: |)(?:run|compile)(?:: line [0-9]+)?: [^\n]*"
    rb"(?:No such file or directory|Permission denied|command not found|cannot execute)"
)
START_FAULT_CODES = frozenset({126, 127})


class Status(IntEnum):
    """Judge0's statuses, but for those it has not finished with."""

    ACCEPTED = 3
    WRONG_ANSWER = 4
    TIME_LIMIT = 5
    COMPILATION_ERROR = 6
    SIGSEGV = 7
    SIGXFSZ = 8
    SIGFPE = 9
    SIGABRT = 10
    NONZERO_EXIT = 11
    OTHER_SIGNAL = 12
    INTERNAL_ERROR = 13
    EXEC_FORMAT_ERROR = 14


UNFINISHED = frozenset({1, 2})
ENDED_BY_ITSELF = frozenset({Status.ACCEPTED, Status.WRONG_ANSWER})
SIGNAL_OF = {Status.SIGSEGV: 11, Status.SIGXFSZ: SIGXFSZ, Status.SIGFPE: 8, Status.SIGABRT: 6}
MEASURED = frozenset(Status) - {Status.COMPILATION_ERROR, Status.INTERNAL_ERROR, Status.EXEC_FORMAT_ERROR}


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One finished job as Judge0 tells it, types and ranges checked, texts decoded."""

    token: str
    status: Status
    stdout: bytes
    stderr: bytes
    compile_output: bytes
    message: bytes
    time_ms: int
    wall_ms: int
    memory_kib: int
    exit_code: int
    exit_signal: int | None


def parse_token(item: object) -> str:
    """The token of an answer's item.

    Raises:
        EngineProtocolError: there is none, or it is not one.
    """
    token = item.get("token") if isinstance(item, dict) else None
    if not isinstance(token, str) or not TOKEN.fullmatch(token):
        raise EngineProtocolError("Judge0 answered an item without a usable token.")
    return token


def parse_job(item: dict[str, object]) -> Job | None:
    """One item of a batch's answer; None while Judge0 has not finished with it.

    Raises:
        EngineProtocolError: a field is missing, of a wrong type, or says what cannot be.
    """
    missing = [name for name in FIELDS.split(",") if name not in item]
    if missing:
        raise EngineProtocolError(f"Judge0 answered a job without {', '.join(missing)}.")
    number = item["status_id"]
    if type(number) is not int or not (number in UNFINISHED or number in set(Status)):
        raise EngineProtocolError("Judge0 answered a job with an unknown status.")
    if number in UNFINISHED:
        return None
    status = Status(number)
    is_measured = status in MEASURED
    job = Job(
        token=parse_token(item),
        status=status,
        stdout=_text(item, "stdout"),
        stderr=_text(item, "stderr"),
        compile_output=_text(item, "compile_output"),
        message=_text(item, "message"),
        time_ms=_milliseconds(item, "time") if is_measured else 0,
        wall_ms=_milliseconds(item, "wall_time") if is_measured else 0,
        memory_kib=_whole(item, "memory", LARGEST_MEMORY_KIB) if is_measured else 0,
        exit_code=_whole(item, "exit_code", 255) if is_measured else 0,
        exit_signal=None if item["exit_signal"] is None else _whole(item, "exit_signal", 64, smallest=1),
    )
    _refuse_contradictions(job)
    return job


def compile_result(job: Job, program: Program) -> CompileResult | None:
    """How the program compiled, by a finished job; None for a language that has no such step.

    `time_ms` is 0: Judge0 does not measure it.

    Raises:
        EngineUnavailable: the compiler could not be started, which says nothing of the program.
    """
    succeeded = job.status is not Status.COMPILATION_ERROR
    if not succeeded and program.is_multi_file and START_FAULT.match(job.compile_output):
        raise EngineUnavailable("Judge0 could not start the compiler in its box.")
    if succeeded and not program.toolchain.compile_argv:
        return None
    output = job.compile_output.decode("utf-8", "replace")[:COMPILER_OUTPUT_CHARACTERS]
    return CompileResult(succeeded=succeeded, output=output, time_ms=0)


def run_result(job: Job, program: Program) -> RunResult:
    """What a finished job measured, held against the program's limits.

    Raises:
        EngineUnavailable: Judge0 itself failed over the job (statuses 13 and 14, a box that could not start).
        EngineRejected: the program filled a box that is smaller than its limit.
    """
    if job.status in (Status.INTERNAL_ERROR, Status.EXEC_FORMAT_ERROR):
        raise EngineUnavailable(f"Judge0 failed over a job (status {job.status.value}).")
    if job.exit_code in START_FAULT_CODES and not job.stdout and START_FAULT.match(job.stderr):
        raise EngineUnavailable("Judge0 could not start the program in its box.")
    exit_code, signal, stderr = _ending(job, program)
    limit = program.output_limit_bytes
    return RunResult(
        status=_status(job, program, exit_code, signal, stderr),
        exit_code=exit_code,
        signal=signal,
        time_ms=job.time_ms,
        wall_ms=job.wall_ms,
        memory_kib=job.memory_kib,
        stdout=job.stdout[:limit],
        stderr=stderr[:limit],
    )


def _ending(job: Job, program: Program) -> tuple[int | None, int | None, bytes]:
    """Exit code, signal, and stderr without the words of the shell above the program."""
    if job.status is Status.TIME_LIMIT:
        return None, None, job.stderr
    if job.exit_signal is not None or job.status in SIGNAL_OF:
        return None, job.exit_signal or SIGNAL_OF[job.status], job.stderr
    if not program.is_multi_file and 128 < job.exit_code <= 192 and (line := SHELL_LINE.search(job.stderr)):
        # Plain programs run below a shell, which turns a signal into an exit code and says so.
        return None, job.exit_code - 128, job.stderr[: line.start()]
    return job.exit_code, None, job.stderr


def _status(job: Job, program: Program, exit_code: int | None, signal: int | None, stderr: bytes) -> RunStatus:
    failed = signal is not None or exit_code not in (None, 0)
    longest = max(len(job.stdout), len(stderr))
    if longest > program.output_limit_bytes or (failed and longest >= program.file_size_bytes):
        return RunStatus.OUTPUT_LIMIT
    if job.status is Status.TIME_LIMIT:
        return _which_time(job, program)
    if _is_out_of_memory(job, program, failed=failed, is_killed=signal == SIGKILL or exit_code == 128 + SIGKILL):
        return RunStatus.MEMORY_LIMIT
    if signal == SIGXFSZ:
        return RunStatus.OUTPUT_LIMIT
    if job.time_ms > program.time_limit_ms:
        return RunStatus.TIME_LIMIT
    if job.wall_ms > program.wall_limit_ms:
        return RunStatus.WALL_LIMIT
    return RunStatus.SIGNALED if signal is not None else RunStatus.EXITED


def _which_time(job: Job, program: Program) -> RunStatus:
    message = job.message.lower()
    if b"wall" in message:
        return RunStatus.WALL_LIMIT
    if message or job.time_ms >= program.time_limit_ms:
        return RunStatus.TIME_LIMIT
    return RunStatus.WALL_LIMIT


def _is_out_of_memory(job: Job, program: Program, *, failed: bool, is_killed: bool) -> bool:
    if job.memory_kib > program.memory_limit_kib:
        return True
    if is_killed and job.memory_kib >= program.boxed_memory_kib * FULL_SHARE:
        if program.boxed_memory_kib < program.memory_limit_kib:
            raise EngineRejected(
                f"The program needs more than {program.boxed_memory_kib} KiB of memory. It may use"
                f" {program.memory_limit_kib}, which this Judge0 does not allow (max_memory_limit)."
            )
        return True
    return failed and any(mark in job.stderr for mark in program.toolchain.memory_error_marks)


def _refuse_contradictions(job: Job) -> None:
    has_failed = job.exit_code != 0 or job.exit_signal is not None
    if job.status in ENDED_BY_ITSELF and has_failed:
        raise EngineProtocolError("Judge0 says that a program ended well, and that it failed.")
    if job.status in (Status.NONZERO_EXIT, Status.OTHER_SIGNAL) and not has_failed:
        raise EngineProtocolError("Judge0 says that a program failed, and neither its exit code nor a signal.")


def _text(item: dict[str, object], name: str) -> bytes:
    value = item[name]
    if value is None:
        return b""
    if isinstance(value, str):
        try:
            # Judge0 wraps its lines; anything else out of place means that this is not what was sent.
            return base64.b64decode(value.replace("\n", "").encode("ascii"), validate=True)
        except (binascii.Error, UnicodeEncodeError):
            pass
    raise EngineProtocolError(f"Judge0 answered a job whose {name} is not base64.")


def _milliseconds(item: dict[str, object], name: str) -> int:
    value = item[name]
    if not isinstance(value, str) or not SECONDS.fullmatch(value) or Decimal(value) > LONGEST_S:
        raise EngineProtocolError(f"Judge0 answered a job with an impossible {name}.")
    return round(Decimal(value) * 1000)


def _whole(item: dict[str, object], name: str, largest: int, *, smallest: int = 0) -> int:
    value = item[name]
    if type(value) is not int or not smallest <= value <= largest:
        raise EngineProtocolError(f"Judge0 answered a job with an impossible {name}.")
    return value
