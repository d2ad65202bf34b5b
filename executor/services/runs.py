"""Free runs: a program, some input, and what came of it. Nothing is kept."""

from collections.abc import Sequence
from threading import BoundedSemaphore

from django.conf import settings

from core.errors import FieldError, InvalidInput, ServiceUnavailable, TooManyRequests
from executor.engines.base import EngineError, Limits, SourceFile
from executor.services.code_executor import CodeExecutorService, FreeRun
from executor.services.sources import language_of, source_files

BUSY_RETRY_S = 2
# Runs at a time and process: each holds a request, and judging must not starve.
_slots = BoundedSemaphore(settings.EXECUTOR_RUNS_AT_ONCE)


class RunCapacityFull(TooManyRequests):
    code = "run_capacity_full"
    title = "Too many programs are running"


def run_create(
    *,
    language: str,
    stdin: str,
    code: str | None = None,
    files: Sequence[SourceFile] = (),
    service: CodeExecutorService | None = None,
) -> FreeRun:
    """Run a program once and say what it did, under the limits of free runs.

    Raises:
        InvalidInput: the language, a file or the input is not acceptable.
        RunCapacityFull: all slots are taken; nothing was run.
        ServiceUnavailable: the engine cannot run anything now.
    """
    chosen = language_of(language)
    program = source_files(chosen, code if code is not None else files)
    if len(stdin.encode("utf-8", "surrogatepass")) > settings.EXECUTOR_RUN_STDIN_LIMIT_BYTES:
        detail = f"The input may have at most {settings.EXECUTOR_RUN_STDIN_LIMIT_BYTES} bytes."
        raise InvalidInput(detail, errors=(FieldError(pointer="#/stdin", code="input_too_large", detail=detail),))
    if not _slots.acquire(blocking=False):
        raise RunCapacityFull("All places for free runs are taken; try again in a moment.", retry_after_s=BUSY_RETRY_S)
    try:
        return (service or CodeExecutorService()).run_freely(
            language=chosen, files=program, stdin=stdin, limits=free_run_limits()
        )
    except EngineError as error:
        raise ServiceUnavailable("Programs cannot be run at the moment; nothing was lost.", retry_after_s=5) from error
    finally:
        _slots.release()


def free_run_limits() -> Limits:
    """What a free run may use: less than a judged test, since it costs whoever waits."""
    return Limits(
        time_limit_ms=settings.EXECUTOR_RUN_TIME_LIMIT_MS,
        wall_limit_ms=2 * settings.EXECUTOR_RUN_TIME_LIMIT_MS + 1000,
        memory_limit_mb=settings.EXECUTOR_RUN_MEMORY_LIMIT_MB,
        output_limit_kib=settings.EXECUTOR_RUN_OUTPUT_LIMIT_KIB,
    )
