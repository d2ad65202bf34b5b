"""An engine that speaks the real interface and does what a test tells it, for faults that a real one rarely has."""

import threading
from collections.abc import Callable

from executor.engines.base import (
    EngineHealth,
    OnResult,
    RunReport,
    RunRequest,
    RunResult,
    RunStatus,
    Toolchain,
)


def run_result(stdout: bytes = b"", *, status: RunStatus = RunStatus.EXITED, exit_code: int | None = 0) -> RunResult:
    """A run as measured; by default one that ended well."""
    return RunResult(
        status=status, exit_code=exit_code, time_ms=5, wall_ms=6, memory_kib=1000, stdout=stdout, stderr=b""
    )


class ScriptedEngine:
    """Answers each run with `answer(stdin)`, or raises what it returns. Counts the requests, in `requests`."""

    name = "scripted"

    def __init__(
        self, answer: Callable[[bytes], RunResult | Exception] | None = None, *, is_ready: bool = True
    ) -> None:
        self.answer = answer or double
        self.is_ready = is_ready
        self.requests: list[RunRequest] = []
        self._lock = threading.Lock()

    def run(self, request: RunRequest, on_result: OnResult | None = None) -> RunReport:
        with self._lock:
            self.requests.append(request)
        results: list[RunResult] = []
        for index, stdin in enumerate(request.inputs):
            answer = self.answer(stdin)
            if isinstance(answer, Exception):
                raise answer
            results.append(answer)
            if on_result is not None and not on_result(index, answer):
                break
        return RunReport(compilation=None, results=tuple(results), tier="scripted")

    def health(self) -> EngineHealth:
        return EngineHealth(is_ready=self.is_ready, tier="scripted", detail="as told")

    def missing_for(self, toolchain: Toolchain) -> str | None:
        return None


def double(stdin: bytes) -> RunResult:
    """The right answer to the problem that `AlgorithmProblemFactory` makes."""
    return run_result(b"%d\n" % (2 * int(stdin)))
