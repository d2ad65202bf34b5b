"""One run on a Judge0: jobs out in batches, results in by token, told in the order of the inputs."""

import random
from collections.abc import Callable

import structlog

from executor.engines.base import EngineUnavailable, OnResult, RunReport, RunRequest, RunResult
from executor.engines.judge0.capabilities import Capabilities
from executor.engines.judge0.client import Judge0Client
from executor.engines.judge0.faults import ConnectionRefused
from executor.engines.judge0.program import Program
from executor.engines.judge0.results import Job, Status, compile_result, run_result

TIER = "judge0"
FIRST_POLL_S, LAST_POLL_S, POLL_GROWTH = 0.05, 1.0, 1.3
POLL_TRIES, FIRST_RETRY_S = 6, 0.25
POST_TRIES = 3
# A server that asks for a longer pause than this is left alone: the queue knows better what to do meanwhile.
LONGEST_PAUSE_S = 5.0
BATCH_BYTES = 16 * 1024 * 1024
# What a job costs beside its own wall time: preparing and clearing its box; and its compilation where there is one.
BOX_ALLOWANCE_S = 2.0

logger = structlog.get_logger("assay.judge0")
_random = random.SystemRandom()


class BatchRun:
    """The state of one `run()`; used by one thread."""

    def __init__(
        self,
        client: Judge0Client,
        capabilities: Capabilities,
        request: RunRequest,
        program: Program,
        *,
        queue_allowance_s: float,
        clock: Callable[[], float],
        sleep: Callable[[float], None],
    ) -> None:
        self._client = client
        self._batch_size = capabilities.batch_size
        self._inputs = request.inputs
        self._program = program
        self._clock, self._sleep = clock, sleep
        per_job_s = program.wall_limit_ms / 1000 + BOX_ALLOWANCE_S
        if request.toolchain.compile_argv:
            per_job_s += capabilities.max_wall_time_s
        self._deadline = clock() + queue_allowance_s + per_job_s * len(request.inputs)
        self._created = 0
        self._pending: dict[str, int] = {}
        self._finished: dict[int, Job] = {}

    def complete(self, on_result: OnResult | None) -> RunReport:
        """Run on all inputs, or until `on_result` says stop or the program turns out not to compile.

        Raises:
            EngineUnavailable, EngineRejected, EngineProtocolError.
        """
        results: list[RunResult] = []
        compilation = None
        while len(results) < len(self._inputs):
            # The next batch leaves when half of this one is back: the workers stay busy, and a run that ends early
            # has not asked for everything.
            if self._created < len(self._inputs) and len(self._pending) <= self._batch_size // 2:
                self._create_batch()
            self._wait_for(len(results))
            while (job := self._finished.get(len(results))) is not None:
                self._refuse_disagreement(job)
                compilation = compilation or compile_result(job, self._program)
                if compilation is not None and not compilation.succeeded:
                    return RunReport(compilation=compilation, results=(), tier=TIER)
                result = run_result(job, self._program)
                results.append(result)
                if on_result is not None and not on_result(len(results) - 1, result):
                    return RunReport(compilation=compilation, results=tuple(results), tier=TIER)
        return RunReport(compilation=compilation, results=tuple(results), tier=TIER)

    def _create_batch(self) -> None:
        submissions: list[dict[str, object]] = []
        size = 0
        for stdin in self._inputs[self._created : self._created + self._batch_size]:
            submission = self._program.with_stdin(stdin)
            size += sum(len(value) for value in submission.values() if isinstance(value, str))
            if submissions and size > BATCH_BYTES:
                break
            submissions.append(submission)
        for token in self._tokens_for(submissions):
            self._pending[token] = self._created
            self._created += 1

    def _tokens_for(self, submissions: list[dict[str, object]]) -> list[str]:
        """A POST is repeated only where nobody heard it; else the program might run twice for nothing."""
        attempt = 1
        while True:
            try:
                return self._client.create(submissions, budget_s=self._time_left_s())
            except ConnectionRefused:
                if attempt == POST_TRIES:
                    raise
                self._pause(FIRST_RETRY_S * 2 ** (attempt - 1))
                attempt += 1

    def _wait_for(self, index: int) -> None:
        """Poll until the job of that input has finished, or another batch may go out."""
        pause_s = FIRST_POLL_S
        while index not in self._finished:
            self._pause(pause_s)
            before = len(self._pending)
            self._poll()
            has_moved = len(self._pending) < before
            pause_s = max(FIRST_POLL_S, pause_s / 2) if has_moved else min(pause_s * POLL_GROWTH, LAST_POLL_S)
            if has_moved and self._created < len(self._inputs) and len(self._pending) <= self._batch_size // 2:
                return

    def _poll(self) -> None:
        tokens = list(self._pending)
        for start in range(0, len(tokens), self._batch_size):
            for token, job in self._results(tokens[start : start + self._batch_size]).items():
                if job is not None:
                    self._finished[self._pending.pop(token)] = job

    def _results(self, tokens: list[str]) -> dict[str, Job | None]:
        """One poll; asking changes nothing, so a fault of the moment is met by asking again, a few times."""
        attempt = 1
        while True:
            try:
                return self._client.results(tokens, budget_s=self._time_left_s())
            except EngineUnavailable as error:
                wished_s = error.retry_after_s or 0.0
                if attempt == POLL_TRIES or wished_s > LONGEST_PAUSE_S:
                    raise
                logger.warning("judge0_poll_retried", fault=str(error), attempt=attempt)
                self._pause(max(FIRST_RETRY_S * 2 ** (attempt - 1), wished_s))
                attempt += 1

    def _refuse_disagreement(self, job: Job) -> None:
        """All jobs compile the same program: where one failed and another did not, the server is at fault (law 3)."""
        outcomes = {other.status is Status.COMPILATION_ERROR for other in (job, *self._finished.values())}
        if len(outcomes) > 1:
            raise EngineUnavailable("Judge0 compiled the program for one test and failed to for another.")

    def _pause(self, seconds: float) -> None:
        # Jitter: workers that failed together must not come back together. Never sleep past the deadline.
        jittered_s = seconds * _random.uniform(1.0, 1.25)
        self._sleep(min(jittered_s, self._time_left_s()))

    def _time_left_s(self) -> float:
        left_s = self._deadline - self._clock()
        if left_s <= 0:
            raise EngineUnavailable(
                f"Judge0 did not finish in time: {len(self._pending)} of {len(self._inputs)} jobs were still out."
            )
        return left_s
