"""What we decide about a run, as opposed to what an engine measured."""

from collections.abc import Iterable
from enum import StrEnum

from executor.engines.base import RunResult, RunStatus


class Verdict(StrEnum):
    """The decision on one test, and on a submission as a whole (`skipped` only on a test)."""

    ACCEPTED = "accepted"
    WRONG_ANSWER = "wrong_answer"
    TIME_LIMIT_EXCEEDED = "time_limit_exceeded"
    MEMORY_LIMIT_EXCEEDED = "memory_limit_exceeded"
    OUTPUT_LIMIT_EXCEEDED = "output_limit_exceeded"
    RUNTIME_ERROR = "runtime_error"
    COMPILATION_ERROR = "compilation_error"
    INTERNAL_ERROR = "internal_error"
    SKIPPED = "skipped"


_BY_RUN_STATUS = {
    RunStatus.SIGNALED: Verdict.RUNTIME_ERROR,
    RunStatus.TIME_LIMIT: Verdict.TIME_LIMIT_EXCEEDED,
    RunStatus.WALL_LIMIT: Verdict.TIME_LIMIT_EXCEEDED,
    RunStatus.MEMORY_LIMIT: Verdict.MEMORY_LIMIT_EXCEEDED,
    RunStatus.OUTPUT_LIMIT: Verdict.OUTPUT_LIMIT_EXCEEDED,
}


def failure_of(result: RunResult) -> Verdict | None:
    """The verdict of a run that failed by itself; None where the program ended well and a checker must decide."""
    if result.status is RunStatus.EXITED:
        return None if result.exit_code == 0 else Verdict.RUNTIME_ERROR
    return _BY_RUN_STATUS[result.status]


def overall_verdict(verdicts: Iterable[Verdict]) -> Verdict:
    """The verdict of a submission: that of its first test, in judging order, that is not accepted.

    An `internal_error` anywhere overrides: what we could not judge must not be held against a student (law 3).
    No verdicts at all is an `internal_error` too, since nothing was judged.
    """
    judged = [verdict for verdict in verdicts if verdict is not Verdict.SKIPPED]
    if not judged or Verdict.INTERNAL_ERROR in judged:
        return Verdict.INTERNAL_ERROR
    return next((verdict for verdict in judged if verdict is not Verdict.ACCEPTED), Verdict.ACCEPTED)
