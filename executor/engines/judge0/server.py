"""What is known of one Judge0: read once, kept for some minutes, forgotten when it no longer holds; and its health."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from executor.engines.base import EngineBusy, EngineError, EngineHealth, Toolchain
from executor.engines.judge0.capabilities import (
    Capabilities,
    LanguageCommands,
    LanguageMissing,
    ServerLanguage,
    parse_capabilities,
)
from executor.engines.judge0.client import Judge0Client
from executor.engines.judge0.faults import Misdirected
from executor.engines.judge0.program import goes_as_multi_file

TIER = "judge0"
CAPABILITIES_MAX_AGE_S = 300.0
# Whoever probes Assay every second must not make Assay probe Judge0 every second.
HEALTH_MAX_AGE_S = 3.0
HEALTH_BUDGET_S, HEALTH_WAIT_S = 1.5, 0.5


@dataclass(frozen=True, slots=True)
class _Known:
    config: object
    capabilities: Capabilities
    version: str
    learned_at: float


@dataclass(frozen=True, slots=True)
class _Probed:
    health: EngineHealth
    asked_at: float
    faults: int


class KnownServer:
    """Shared by all threads. `toolchains` are the languages whose absence the health tells."""

    def __init__(
        self, client: Judge0Client, *, clock: Callable[[], float], toolchains: Sequence[Toolchain] = ()
    ) -> None:
        self._client = client
        self._clock = clock
        self._toolchains = tuple(toolchains)
        # Held while the server is asked, so that one thread asks and the others wait for its answer.
        self._learning = threading.Lock()
        self._probing = threading.Lock()
        self._known: _Known | None = None
        self._probed: _Probed | None = None
        self._commands: dict[int, LanguageCommands] = {}

    def capabilities(self) -> Capabilities:
        """What the server offers, as learned in the last minutes.

        Raises:
            EngineBusy: it is in maintenance.
            EngineUnavailable, EngineRejected, EngineProtocolError: it cannot be asked, or not be understood.
        """
        with self._learning:
            known = self._fresh() or self._learn(self._client.config_info(), budget_s=None)
        if known.capabilities.is_in_maintenance:
            # Judge0 itself would take a batch all the same, and never run it.
            raise EngineBusy("Judge0 is in maintenance.")
        return known.capabilities

    def commands_of(self, language: ServerLanguage) -> LanguageCommands:
        """How the server itself runs one of its languages."""
        with self._learning:
            known = self._commands
            if language.id not in known:
                try:
                    known[language.id] = self._client.commands(language.id)
                except Misdirected:
                    # A language that was taken away (404) is still in the list that we remember.
                    self._known = None
                    raise
            return known[language.id]

    def forget(self) -> None:
        """What was learned no longer holds; the next who needs it asks anew."""
        with self._learning:
            self._known, self._probed = None, None

    def health(self) -> EngineHealth:
        """Whether programs can be run there now; never raises, and answers within two seconds.

        The answer of the last seconds serves, unless something has failed since: callers judge by it whose fault that
        was.
        """
        if not self._probing.acquire(timeout=HEALTH_WAIT_S):
            return self._unready("is slow to answer")
        try:
            probed = self._probed
            if (
                probed is None
                or self._clock() - probed.asked_at >= HEALTH_MAX_AGE_S
                or probed.faults != self._client.wire.breaker.faults
            ):
                asked_at = self._clock()
                health = self._probe()
                probed = _Probed(health, asked_at, self._client.wire.breaker.faults)
                self._probed = probed
            return probed.health
        finally:
            self._probing.release()

    def _fresh(self) -> _Known | None:
        known = self._known
        if known is None or known.capabilities.is_in_maintenance:
            return None
        return known if self._clock() - known.learned_at < CAPABILITIES_MAX_AGE_S else None

    def _learn(self, config: object, *, budget_s: float | None) -> _Known:
        languages = self._client.languages(budget_s=budget_s)
        version = self._client.version(budget_s=budget_s)
        known = _Known(config, parse_capabilities(config, languages), version, self._clock())
        self._known, self._commands = known, {}
        return known

    def _probe(self) -> EngineHealth:
        if left_s := self._client.wire.breaker.open_for_s():
            return self._unready(f"failed again and again and is left alone for {left_s:.0f} s more")
        deadline = self._clock() + HEALTH_BUDGET_S
        try:
            config = self._client.config_info(budget_s=HEALTH_BUDGET_S)
            known = self._fresh()
            if known is None or known.config != config:
                known = self._learn(config, budget_s=deadline - self._clock())
        except EngineError as error:
            return self._unready(f"cannot be used. {error}")
        return self._judged(known)

    def _judged(self, known: _Known) -> EngineHealth:
        offered = known.capabilities
        missing = [sentence for toolchain in self._toolchains if (sentence := _missing(toolchain, offered))]
        if offered.is_in_maintenance:
            return self._unready("is in maintenance")
        if not offered.allows_batches:
            return self._unready("refuses batches: set ENABLE_BATCHED_SUBMISSIONS=true there")
        if too_low := offered.too_low():
            return self._unready(f"allows too little for ordinary problems: {', '.join(too_low)}")
        if not offered.languages or (missing and len(missing) == len(self._toolchains)):
            return self._unready("has none of our languages")
        detail = f"Judge0 {known.version} at {self._place} answers, with {len(offered.languages)} languages."
        if not offered.allows_additional_files:
            detail += " It takes single files of interpreted languages only (ENABLE_ADDITIONAL_FILES=false)."
        return EngineHealth(is_ready=True, tier=TIER, detail=" ".join([detail, *missing]))

    def _unready(self, what: str) -> EngineHealth:
        detail = f"The Judge0 at {self._place} {what.rstrip('.')}."
        return EngineHealth(is_ready=False, tier=TIER, detail=detail)

    @property
    def _place(self) -> str:
        return self._client.wire.place


def _missing(toolchain: Toolchain, offered: Capabilities) -> str | None:
    try:
        offered.language_for(toolchain)
        if goes_as_multi_file(toolchain, offered):
            offered.multi_file_language()
    except LanguageMissing as error:
        return str(error)
    return None
