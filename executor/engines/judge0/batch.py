"""One run on a Judge0: jobs out in batches, results in by token, told in the order of the inputs."""

import random
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import structlog

from executor.engines.base import CompileResult, EngineUnavailable, OnResult, RunReport, RunRequest, RunResult
from executor.engines.judge0.capabilities import Capabilities
from executor.engines.judge0.client import Judge0Client
from executor.engines.judge0.faults import ConnectionRefused
from executor.engines.judge0.frames import read_frames
from executor.engines.judge0.program import Program
from executor.engines.judge0.results import MEASURED, Job, Status, compile_result, run_result
from executor.engines.judge0.sharing import SharedProgram, groups_of

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


@dataclass(frozen=True, slots=True, kw_only=True)
class _Out:
    """One job that was asked for: which inputs it runs, and the nonce of its frames where it runs them in a loop."""

    indexes: tuple[int, ...]
    nonce: str = ""


class BatchRun:
    """The state of one `run()`; used by one thread."""

    def __init__(
        self,
        client: Judge0Client,
        capabilities: Capabilities,
        request: RunRequest,
        program: Program,
        shared: SharedProgram | None = None,
        *,
        queue_allowance_s: float,
        clock: Callable[[], float],
        sleep: Callable[[float], None],
    ) -> None:
        """With `shared` the inputs go into as few jobs as they fit; what these do not answer gets a job for each."""
        self._client = client
        self._batch_size = capabilities.batch_size
        self._inputs = request.inputs
        self._program, self._shared = program, shared
        self._clock, self._sleep = clock, sleep
        self._compile_allowance_s = capabilities.max_wall_time_s if request.toolchain.compile_argv else 0.0
        self._deadline = clock() + queue_allowance_s
        self._created = 0
        self._waiting: deque[tuple[int, ...]] = deque()
        self._pending: dict[str, _Out] = {}
        # By input: the job that ran it alone (or did not compile it), or its result out of a shared job.
        self._finished: dict[int, Job | RunResult] = {}
        self._compilation: CompileResult | None = None
        self._outcomes: set[bool] = set()
        self.is_unfit_for_sharing = False

    def complete(self, on_result: OnResult | None) -> RunReport:
        """Run on all inputs, or until `on_result` says stop or the program turns out not to compile.

        Raises:
            EngineUnavailable, EngineRejected, EngineProtocolError.
        """
        indexes = range(len(self._inputs))
        groups = groups_of(indexes, self._inputs, self._shared) if self._shared else ((index,) for index in indexes)
        self._want(groups)
        results: list[RunResult] = []
        while len(results) < len(self._inputs):
            # The next batch leaves when half of this one is back: the workers stay busy, and a run that ends early
            # has not asked for everything.
            if self._waiting and len(self._pending) <= self._batch_size // 2:
                self._create_batch()
            self._wait_for(len(results))
            while (finished := self._finished.get(len(results))) is not None:
                self._refuse_disagreement()
                if isinstance(finished, Job):
                    self._compilation = self._compilation or compile_result(finished, self._program)
                if self._compilation is not None and not self._compilation.succeeded:
                    return RunReport(compilation=self._compilation, results=(), tier=TIER)
                result = run_result(finished, self._program) if isinstance(finished, Job) else finished
                results.append(result)
                if on_result is not None and not on_result(len(results) - 1, result):
                    return self._report(results)
        return self._report(results)

    def _report(self, results: list[RunResult]) -> RunReport:
        return RunReport(compilation=self._compilation, results=tuple(results), tier=TIER)

    def _want(self, groups: Iterable[tuple[int, ...]]) -> None:
        """Queue jobs, each with the time it may take."""
        for group in groups:
            self._waiting.append(group)
            wall_s = self._program.wall_limit_ms / 1000
            if self._shared is not None and len(group) > 1:
                wall_s = self._shared.wall_s(len(group))
            self._deadline += wall_s + BOX_ALLOWANCE_S + self._compile_allowance_s

    def _create_batch(self) -> None:
        submissions: list[dict[str, object]] = []
        out: list[_Out] = []
        size = 0
        while self._waiting and len(submissions) < self._batch_size:
            submission, nonce = self._submission_for(self._waiting[0])
            size += sum(len(value) for value in submission.values() if isinstance(value, str))
            if submissions and size > BATCH_BYTES:
                break
            submissions.append(submission)
            out.append(_Out(indexes=self._waiting.popleft(), nonce=nonce))
        self._pending.update(zip(self._tokens_for(submissions), out, strict=True))
        self._created += len(out)

    def _submission_for(self, group: tuple[int, ...]) -> tuple[dict[str, object], str]:
        if self._shared is not None and len(group) > 1:
            return self._shared.job([self._inputs[index] for index in group])
        return self._program.with_stdin(self._inputs[group[0]]), ""

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
        """Poll until that input has its result, or another batch may go out."""
        pause_s = FIRST_POLL_S
        while index not in self._finished:
            self._pause(pause_s)
            before = len(self._pending)
            self._poll()
            has_moved = len(self._pending) < before
            pause_s = max(FIRST_POLL_S, pause_s / 2) if has_moved else min(pause_s * POLL_GROWTH, LAST_POLL_S)
            if has_moved and self._waiting and len(self._pending) <= self._batch_size // 2:
                return

    def _poll(self) -> None:
        tokens = list(self._pending)
        for start in range(0, len(tokens), self._batch_size):
            for token, job in self._results(tokens[start : start + self._batch_size]).items():
                if job is not None:
                    self._take(self._pending.pop(token), job)

    def _take(self, out: _Out, job: Job) -> None:
        if job.status is Status.COMPILATION_ERROR or job.status in MEASURED:
            self._outcomes.add(job.status is not Status.COMPILATION_ERROR)
        if self._shared is None or not out.nonce or job.status is Status.COMPILATION_ERROR:
            self._finished.update(dict.fromkeys(out.indexes, job))
            return
        outcome = read_frames(job, nonce=out.nonce, count=len(out.indexes), program=self._shared.program)
        self.is_unfit_for_sharing |= outcome.is_unfit
        if outcome.results:
            self._compilation = self._compilation or compile_result(job, self._program)
        self._finished.update({out.indexes[position]: result for position, result in outcome.results.items()})
        unbegun = [out.indexes[position] for position in outcome.unbegun]
        missing = [index for index in out.indexes if index not in self._finished and index not in unbegun]
        if missing:
            why = self._client.wire.quoted(outcome.why_ended)
            logger.warning("judge0_tests_run_again_alone", count=len(missing), of=len(out.indexes), loop_ended=why)
        # Cut to what surely fits, so that nothing is left over again.
        size = self._shared.certain_count()
        self._want((index,) for index in missing)
        self._want(tuple(unbegun[start : start + size]) for start in range(0, len(unbegun), size))

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

    def _refuse_disagreement(self) -> None:
        """All jobs compile the same program: where one failed and another did not, the server is at fault (law 3)."""
        if len(self._outcomes) > 1:
            raise EngineUnavailable("Judge0 compiled the program for one test and failed to for another.")

    def _pause(self, seconds: float) -> None:
        # Jitter: workers that failed together must not come back together. Never sleep past the deadline.
        jittered_s = seconds * _random.uniform(1.0, 1.25)
        self._sleep(min(jittered_s, self._time_left_s()))

    def _time_left_s(self) -> float:
        left_s = self._deadline - self._clock()
        if left_s <= 0:
            raise EngineUnavailable(
                f"Judge0 did not finish in time: {len(self._pending)} of {self._created} jobs were still out."
            )
        return left_s
