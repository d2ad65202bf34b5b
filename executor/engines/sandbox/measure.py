"""From the kernel's figures of a run to the engine's statement of how it ended."""

import os

from executor.engines.base import Limits, RunResult, RunStatus, Toolchain
from executor.engines.sandbox.box import Measured

# A failing program whose peak came this near to the limit failed because of it: what it asked for last was refused.
_NEAR_LIMIT = 0.9
# Below this a peak says nothing: the pages of the process that turned into the program are in it.
_FLOOR_KIB = 12 * 1024
_MARK_WINDOW_BYTES = 16 * 1024


def run_result(measured: Measured, limits: Limits, toolchain: Toolchain) -> RunResult:
    """State how a run ended, the first that applies: output, memory, CPU time, wall time, signal, exit.

    Memory was the reason where the peak passed the limit; or the program failed with its peak near the limit; or it
    failed and its runtime said on stderr that an allocation had been refused, however small the peak. So one huge
    request that fails is the memory limit in Python, C++, Java and JavaScript; in C, where nobody says it, it is
    whatever the program makes of the NULL it got.
    """
    limit_kib = max((limits.memory_limit_mb + toolchain.memory_overhead_mb) * 1024, _FLOOR_KIB)
    signal = os.WTERMSIG(measured.wait_status) if os.WIFSIGNALED(measured.wait_status) else None
    exit_code = os.WEXITSTATUS(measured.wait_status) if os.WIFEXITED(measured.wait_status) else None
    has_failed = not measured.reason and (signal is not None or exit_code != 0)
    if measured.is_output_cut:
        status = RunStatus.OUTPUT_LIMIT
    elif measured.reason == "memory" or measured.peak_kib > limit_kib:
        status = RunStatus.MEMORY_LIMIT
    elif measured.reason == "cpu":
        status = RunStatus.TIME_LIMIT
    elif measured.reason == "wall":
        status = RunStatus.WALL_LIMIT
    elif has_failed and (measured.peak_kib > limit_kib * _NEAR_LIMIT or _says_memory(measured.stderr, toolchain)):
        status = RunStatus.MEMORY_LIMIT
    elif signal is not None:
        status = RunStatus.SIGNALED
    else:
        status = RunStatus.EXITED
    return RunResult(
        status=status,
        exit_code=exit_code,
        signal=signal,
        time_ms=measured.cpu_us // 1000,
        wall_ms=measured.wall_us // 1000,
        memory_kib=measured.peak_kib,
        stdout=measured.stdout,
        stderr=measured.stderr,
    )


def _says_memory(stderr: bytes, toolchain: Toolchain) -> bool:
    end = stderr[-_MARK_WINDOW_BYTES:]
    return any(mark in end for mark in toolchain.memory_error_marks)
