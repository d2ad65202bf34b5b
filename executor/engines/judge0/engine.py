"""The engine that runs programs on a Judge0."""

import threading
import time
from collections.abc import Callable

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
from executor.engines.judge0.batch import TIER, BatchRun
from executor.engines.judge0.capabilities import Capabilities, LanguageCommands, LanguageMissing, ServerLanguage
from executor.engines.judge0.client import Judge0Client
from executor.engines.judge0.program import goes_as_multi_file, prepare_program
from executor.engines.judge0.wire import Judge0Wire, Timeouts

CAPABILITIES_MAX_AGE_S = 300.0
HEALTH_BUDGET_S = 5.0
DEFAULT_TIMEOUTS = Timeouts()


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
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """`ca_file` names the certificates to trust where those of the public authorities do not serve.

        Raises:
            ValueError: an address or a key that can never work.
        """
        wire = Judge0Wire(base_url=base_url, auth_token=auth_token, timeouts=timeouts, ca_file=ca_file)
        self._client = Judge0Client(wire)
        self._queue_allowance_s = timeouts.queue_allowance_s
        self._clock, self._sleep = clock, sleep
        self._lock = threading.Lock()
        self._learned: Capabilities | None = None
        self._learned_at = 0.0
        self._commands: dict[int, LanguageCommands] = {}

    def run(self, request: RunRequest, on_result: OnResult | None = None) -> RunReport:
        """Run a program on every input, a job for each, and report what was measured.

        Judge0 compiles per job; what it compiled first is reported. Nothing about right answers is sent.

        Raises:
            EngineUnavailable, EngineRejected, EngineProtocolError: as the package's table says.
        """
        if not request.inputs:
            raise EngineRejected("There is nothing to run: the request has no inputs.")
        capabilities = self._capabilities()
        if not capabilities.allows_batches:
            raise EngineRejected("This Judge0 refuses batches: set ENABLE_BATCHED_SUBMISSIONS=true there.")
        program = prepare_program(request, capabilities, self._commands_of)
        run = BatchRun(
            self._client,
            capabilities,
            request,
            program,
            queue_allowance_s=self._queue_allowance_s,
            clock=self._clock,
            sleep=self._sleep,
        )
        try:
            return run.complete(on_result)
        except EngineRejected:
            # What was learned of the server no longer holds: its languages or limits have changed.
            self._forget()
            raise

    def health(self) -> EngineHealth:
        """Say whether the Judge0 answers, takes our key and can be worked with; never raises."""
        place = self._client.wire.place
        try:
            version = self._client.version(budget_s=HEALTH_BUDGET_S)
            capabilities = self._client.capabilities(budget_s=HEALTH_BUDGET_S)
        except EngineError as error:
            return EngineHealth(is_ready=False, tier=TIER, detail=f"The Judge0 at {place} cannot be used. {error}")
        if capabilities.is_in_maintenance:
            return EngineHealth(is_ready=False, tier=TIER, detail=f"The Judge0 at {place} is in maintenance.")
        if not capabilities.allows_batches:
            detail = f"The Judge0 at {place} refuses batches: set ENABLE_BATCHED_SUBMISSIONS=true there."
            return EngineHealth(is_ready=False, tier=TIER, detail=detail)
        detail = f"Judge0 {version} at {place} answers, with {len(capabilities.languages)} languages."
        if not capabilities.allows_additional_files:
            detail += " It takes single files of interpreted languages only (ENABLE_ADDITIONAL_FILES=false)."
        return EngineHealth(is_ready=True, tier=TIER, detail=detail)

    def missing_for(self, toolchain: Toolchain) -> str | None:
        """None where the language can be run here; otherwise a sentence that names what is missing.

        Raises:
            EngineUnavailable: the server cannot be asked now, or is not understood.
        """
        try:
            capabilities = self._capabilities()
            language = capabilities.language_for(toolchain)
            if goes_as_multi_file(toolchain, capabilities):
                capabilities.multi_file_language()
                commands = self._commands_of(language)
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

    def _capabilities(self) -> Capabilities:
        """What the server offers, as learned in the last minutes; one thread asks, the others wait for it."""
        with self._lock:
            if self._learned is not None and self._clock() - self._learned_at < CAPABILITIES_MAX_AGE_S:
                return self._learned
            capabilities = self._client.capabilities()
            if capabilities.is_in_maintenance:
                # Not remembered: maintenance ends. Judge0 itself would take the batch all the same.
                raise EngineUnavailable("Judge0 is in maintenance.")
            self._learned, self._learned_at = capabilities, self._clock()
            self._commands = {}
            return capabilities

    def _commands_of(self, language: ServerLanguage) -> LanguageCommands:
        with self._lock:
            if language.id not in self._commands:
                self._commands[language.id] = self._client.commands(language.id)
            return self._commands[language.id]

    def _forget(self) -> None:
        with self._lock:
            self._learned = None
