"""The engine that runs programs on a Judge0."""

import time
from collections.abc import Callable, Sequence

import structlog

from executor.engines.base import (
    EngineError,
    EngineHealth,
    EngineRejected,
    EngineUnavailable,
    OnResult,
    RunReport,
    RunRequest,
    Toolchain,
)
from executor.engines.judge0.batch import BatchRun
from executor.engines.judge0.capabilities import LanguageMissing
from executor.engines.judge0.client import Judge0Client
from executor.engines.judge0.program import goes_as_multi_file, prepare_program
from executor.engines.judge0.server import KnownServer
from executor.engines.judge0.sharing import share_program
from executor.engines.judge0.wire import Judge0Wire, Timeouts

DEFAULT_TIMEOUTS = Timeouts()
# How long a server on which several tests cannot run in one job gets a job for each without being tried again.
SHARE_AGAIN_S = 300.0

logger = structlog.get_logger("assay.judge0")


class Judge0Engine:
    """Runs programs on a Judge0. One instance is shared by all worker threads of a process."""

    name = "judge0"

    def __init__(
        self,
        *,
        base_url: str,
        auth_token: str = "",
        timeouts: Timeouts = DEFAULT_TIMEOUTS,
        ca_file: str | None = None,
        toolchains: Sequence[Toolchain] = (),
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """`ca_file` names the certificates to trust where those of the public authorities do not serve.

        `toolchains` are the languages that the health looks for.

        Raises:
            ValueError: an address or a key that can never work.
        """
        wire = Judge0Wire(base_url=base_url, auth_token=auth_token, timeouts=timeouts, ca_file=ca_file, clock=clock)
        self._client = Judge0Client(wire)
        self._queue_allowance_s = timeouts.queue_allowance_s
        self._clock, self._sleep = clock, sleep
        self._server = KnownServer(self._client, clock=clock, toolchains=toolchains)
        self._share_again_at = clock()

    def run(self, request: RunRequest, on_result: OnResult | None = None) -> RunReport:
        """Run a program on every input, all in one job or a job for each, and report what was measured.

        An exclusive request gets a job for each input; so does whatever a shared job leaves unanswered. Judge0 compiles
        per job; what it compiled first is reported. Nothing about right answers is sent.

        Raises:
            EngineUnavailable, EngineRejected, EngineProtocolError: as the package's table says.
        """
        if not request.inputs:
            raise EngineRejected("There is nothing to run: the request has no inputs.")
        capabilities = self._server.capabilities()
        if not capabilities.allows_batches:
            raise EngineRejected("This Judge0 refuses batches: set ENABLE_BATCHED_SUBMISSIONS=true there.")
        program = prepare_program(request, capabilities, self._server.commands_of)
        shared = None
        if not request.is_exclusive and self._clock() >= self._share_again_at:
            shared = share_program(request, program, capabilities, self._server.commands_of)
        run = BatchRun(
            self._client,
            capabilities,
            request,
            program,
            shared,
            queue_allowance_s=self._queue_allowance_s,
            clock=self._clock,
            sleep=self._sleep,
        )
        try:
            return run.complete(on_result)
        except EngineRejected:
            # What was learned of the server no longer holds: its languages or limits have changed.
            self._server.forget()
            raise
        finally:
            if run.is_unfit_for_sharing:
                self._share_again_at = self._clock() + SHARE_AGAIN_S
                logger.warning("judge0_cannot_share_jobs", place=self._client.wire.place)

    def health(self) -> EngineHealth:
        """Say whether the Judge0 answers, takes our key and can be worked with; never raises, never takes long."""
        return self._server.health()

    def missing_for(self, toolchain: Toolchain) -> str | None:
        """None where the language can be run here; otherwise a sentence that names what is missing.

        Raises:
            EngineUnavailable: the server cannot be asked now, or is not understood.
        """
        try:
            capabilities = self._server.capabilities()
            language = capabilities.language_for(toolchain)
            if goes_as_multi_file(toolchain, capabilities):
                capabilities.multi_file_language()
                commands = self._server.commands_of(language)
                for argv in (toolchain.compile_argv, toolchain.run_argv):
                    if argv:
                        commands.program_for(argv)
        except LanguageMissing as error:
            return str(error)
        except EngineUnavailable:
            raise
        except EngineError as error:
            raise EngineUnavailable(str(error)) from error
        return None
