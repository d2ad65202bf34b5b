"""From what the loop in a job printed to the results of its tests.

A frame says what Judge0 would say of the test in a job of its own, and is read by the same rules. Whatever is missing,
cut, contradictory or doubtful is no result: that test is run again, alone.
"""

import base64
import binascii
import json
import zlib
from dataclasses import dataclass
from typing import TypeGuard

from executor.engines.base import EngineError, RunResult, RunStatus
from executor.engines.judge0.program import Program
from executor.engines.judge0.results import MEASURED, SIGKILL, START_FAULT, START_FAULT_CODES, Job, Status, run_result

FIGURES_BYTES = 4096
LONGEST_MS, LARGEST_MEMORY_KIB = 3_600_000, 2**30
# Of the CPU time that Judge0 counted, what the loop may have used itself. More was used by a test and not owned up to.
LOOP_CPU_MS, LOOP_TEST_CPU_MS = 1000, 100
# And what a test without a frame may have used beyond its limit before it was stopped.
MISSING_CPU_MS = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedOutcome:
    """What one job of many tests brought, by their position in it. `unbegun` found no room and may share a job again.

    `why_ended` is the loop's own word, empty where it did not come so far; `is_unfit` means that no loop works there.
    """

    results: dict[int, RunResult]
    unbegun: tuple[int, ...]
    why_ended: str
    is_unfit: bool


def read_frames(job: Job, *, nonce: str, count: int, program: Program) -> SharedOutcome:
    """The results of a job of `count` tests. Never raises: what cannot be read is not there."""
    if job.status not in MEASURED:
        return SharedOutcome(results={}, unbegun=(), why_ended="", is_unfit=False)
    contents = _contents(job.stdout, nonce=nonce, count=count, program=program)
    begun, why_ended = _end(contents.pop(count, b""))
    results: dict[int, RunResult] = {}
    for position, content in contents.items():
        result = _result(content, job.token, program)
        if result is not None:
            results[position] = result
    is_cut_short = why_ended == "budget" and 0 < begun < count
    unbegun = tuple(range(begun, count)) if is_cut_short else ()
    missing = count - len(results) - len(unbegun)
    explained_ms = sum(result.time_ms for result in results.values()) + LOOP_CPU_MS + LOOP_TEST_CPU_MS * count
    if job.time_ms > explained_ms + missing * (program.time_limit_ms + MISSING_CPU_MS):
        results = {}
    # Nothing of a student's has run before the first test has begun, and nothing of theirs can reach this stderr.
    has_not_started = job.exit_code in START_FAULT_CODES and START_FAULT.match(job.stderr) is not None
    return SharedOutcome(
        results=results,
        unbegun=unbegun,
        why_ended=why_ended,
        is_unfit=not contents and ((begun == 0 and bool(why_ended)) or has_not_started),
    )


def _contents(stdout: bytes, *, nonce: str, count: int, program: Program) -> dict[int, bytes]:
    """The unpacked contents of all whole frames by number; one that comes twice is not there at all."""
    contents: dict[int, bytes] = {}
    seen: set[int] = set()
    for line in stdout.split(b"\n"):
        words = line.split(b" ")
        if len(words) != 4 or words[0] != nonce.encode() or not all(_is_number(word) for word in words[1:3]):
            continue
        index, length = int(words[1]), int(words[2])
        content = _unpacked(words[3], length, limit=FIGURES_BYTES + 2 * program.file_size_bytes)
        if index in seen or index > count or content is None:
            contents.pop(index, None)
        else:
            contents[index] = content
        seen.add(index)
    return contents


def _unpacked(packed: bytes, length: int, *, limit: int) -> bytes | None:
    try:
        unpacker = zlib.decompressobj()
        content = unpacker.decompress(base64.b64decode(packed, validate=True), limit)
    except (binascii.Error, zlib.error):
        return None
    is_whole = unpacker.eof and not unpacker.unused_data and len(content) == length
    return content if is_whole else None


def _end(content: bytes) -> tuple[int, str]:
    """How many tests were begun, and why no more; (0, "") where the loop did not come to say so."""
    end = _object(content)
    begun, reason = end.get("begun"), end.get("reason")
    if type(begun) is not int or begun < 0 or not isinstance(reason, str):
        return 0, ""
    return begun, reason


def _result(content: bytes, token: str, program: Program) -> RunResult | None:
    figures, _, outputs = content.partition(b"\n")
    job = _job(_object(figures), outputs, token)
    if job is None:
        return None
    try:
        result = run_result(job, program)
    except EngineError:
        return None
    # Killed, and not by the loop: by itself, or because the job as a whole was out of memory.
    is_doubtful = job.exit_signal == SIGKILL and result.status is RunStatus.SIGNALED
    return None if is_doubtful else result


def _job(figures: dict[str, object], outputs: bytes, token: str) -> Job | None:
    """A frame as if Judge0 had answered it; None where it says what cannot be."""
    exit_code, signal, reason = figures.get("exit_code"), figures.get("signal"), figures.get("reason")
    time_us, wall_us = figures.get("time_us"), figures.get("wall_us")
    memory_kib, lengths = figures.get("memory_kib"), figures.get("lengths")
    if (
        reason not in ("", "cpu", "wall")
        or not (exit_code is None or _is_whole(exit_code, 255))
        or not (signal is None or (_is_whole(signal, 64) and signal != 0))
        or (exit_code is None) == (signal is None)
        or not _is_whole(time_us, LONGEST_MS * 1000)
        or not _is_whole(wall_us, LONGEST_MS * 1000)
        or not _is_whole(memory_kib, LARGEST_MEMORY_KIB)
        or not isinstance(lengths, list)
        or len(lengths) != 2
        or not all(_is_whole(length, len(outputs)) for length in lengths)
        or sum(lengths) != len(outputs)
    ):
        return None
    if reason:
        status = Status.TIME_LIMIT
    elif signal is not None:
        status = Status.OTHER_SIGNAL
    else:
        status = Status.ACCEPTED if exit_code == 0 else Status.NONZERO_EXIT
    return Job(
        token=token,
        status=status,
        stdout=outputs[: lengths[0]],
        stderr=outputs[lengths[0] :],
        compile_output=b"",
        message={"cpu": b"Time limit exceeded", "wall": b"Time limit exceeded (wall clock)"}.get(str(reason), b""),
        time_ms=time_us // 1000,
        wall_ms=wall_us // 1000,
        memory_kib=memory_kib,
        exit_code=exit_code or 0,
        exit_signal=signal,
    )


def _object(content: bytes) -> dict[str, object]:
    try:
        parsed = json.loads(content)
    except (ValueError, RecursionError):
        return {}
    return parsed if isinstance(parsed, dict) else {}


def _is_number(word: bytes) -> bool:
    return word.isdigit() and len(word) <= 9


def _is_whole(value: object, largest: int) -> TypeGuard[int]:
    return type(value) is int and 0 <= value <= largest
