"""Free runs: a program, some input, and what came of it. Nothing is kept."""

from collections.abc import Sequence

from django.conf import settings

from accounts.models import User
from core.errors import FieldError, InvalidInput
from executor.engines.base import Limits, SourceFile
from executor.services.code_executor import FreeRun
from executor.services.lane import lane_place
from executor.services.queued_runs import Executor, executor_for_waiting
from executor.services.sources import language_of, source_files


def run_create(
    *,
    language: str,
    stdin: str,
    code: str | None = None,
    files: Sequence[SourceFile] = (),
    user: User | None = None,
    service: Executor | None = None,
) -> FreeRun:
    """Run a program once and say what it did, under the limits of free runs, within the quota of the user.

    Where a broker is set a worker elsewhere runs it, while this waits.

    Raises:
        InvalidInput: the language, a file or the input is not acceptable.
        RunCapacityFull: all places are taken; nothing was run.
        RunQuotaUsed: the user runs something already, or did so too often; nothing was run.
        ServiceUnavailable: the engine cannot run anything now, or no worker came for it in time; it was not counted.
    """
    chosen = language_of(language)
    program = source_files(chosen, code if code is not None else files)
    if len(stdin.encode("utf-8", "surrogatepass")) > settings.EXECUTOR_RUN_STDIN_LIMIT_BYTES:
        detail = f"The input may have at most {settings.EXECUTOR_RUN_STDIN_LIMIT_BYTES} bytes."
        raise InvalidInput(detail, errors=(FieldError(pointer="#/stdin", code="input_too_large", detail=detail),))
    limits = free_run_limits()
    with lane_place(user, wall_ms=limits.wall_limit_ms):
        return (service or executor_for_waiting()).run_freely(
            language=chosen, files=program, stdin=stdin, limits=limits
        )


def free_run_limits() -> Limits:
    """What a free run may use: less than a judged test, since it costs whoever waits."""
    return Limits(
        time_limit_ms=settings.EXECUTOR_RUN_TIME_LIMIT_MS,
        wall_limit_ms=2 * settings.EXECUTOR_RUN_TIME_LIMIT_MS + 1000,
        memory_limit_mb=settings.EXECUTOR_RUN_MEMORY_LIMIT_MB,
        output_limit_kib=settings.EXECUTOR_RUN_OUTPUT_LIMIT_KIB,
    )
