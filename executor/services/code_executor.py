"""CodeExecutorService: programs in, decisions out. It keeps nothing and touches no database."""

from dataclasses import dataclass

from executor.engines.base import CompileResult, Engine, Limits, RunRequest, RunResult, SourceFile
from executor.judging.languages import Language
from executor.judging.outcome import JudgingOutcome, TestOutcome, decide_submission, decide_test
from executor.judging.plan import JudgingPlan, prepare
from executor.judging.verdicts import Verdict
from executor.services.engines import default_engine


@dataclass(frozen=True, slots=True, kw_only=True)
class FreeRun:
    """What one free run measured; `result` is None where the program did not compile."""

    compilation: CompileResult | None
    result: RunResult | None
    tier: str


class CodeExecutorService:
    """Runs and judges programs on an engine; by default on the one the settings name."""

    def __init__(self, engine: Engine | None = None) -> None:
        self.engine = engine or default_engine()

    def run_all_test_cases(self, plan: JudgingPlan) -> JudgingOutcome:
        """Run a program on all its tests and decide each, outside the engine.

        Raises:
            PlanError, WrappingError: the problem cannot be judged as it is; its author has to act.
            EngineUnavailable, EngineRejected, EngineProtocolError: nothing is known of the program (law 3).
        """
        prepared = prepare(plan)
        outcomes: list[TestOutcome] = []

        def decide(index: int, result: RunResult) -> bool:
            outcome = decide_test(plan, prepared, index, result)
            outcomes.append(outcome)
            return not (plan.stops_at_first_failure and outcome.verdict is not Verdict.ACCEPTED)

        report = self.engine.run(prepared.request, decide)
        return decide_submission(plan, report, outcomes, engine=self.engine.name)

    def run_freely(self, *, language: Language, files: tuple[SourceFile, ...], stdin: str, limits: Limits) -> FreeRun:
        """Run a program once on the given stdin, without test cases; nothing is kept.

        Raises:
            EngineUnavailable, EngineRejected, EngineProtocolError.
        """
        request = RunRequest(
            toolchain=language.toolchain,
            files=files,
            inputs=(stdin.encode("utf-8", "surrogatepass"),),
            limits=limits,
        )
        report = self.engine.run(request)
        return FreeRun(
            compilation=report.compilation, result=report.results[0] if report.results else None, tier=report.tier
        )
