"""CodeExecutorService: programs in, decisions out. It keeps nothing and touches no database."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from executor.engines.base import CompileResult, Engine, Limits, RunRequest, RunResult, SourceFile
from executor.judging.languages import Language
from executor.judging.outcome import (
    JudgingOutcome,
    TestOutcome,
    Unchecked,
    decide_run,
    decide_submission,
    decide_test,
)
from executor.judging.places import bytes_as_written, compilation_as_written
from executor.judging.plan import JudgingPlan, prepare
from executor.judging.scoring import ScoreSheet
from executor.judging.verdicts import Verdict
from executor.services.custom_checkers import CheckerRunner
from executor.services.engines import default_engine

# Told of each test as it is decided: its place in judging order from 0, and its verdict, or None where a checker of the
# author's own decides in the end. Quick, and never raising: the engine waits for it.
OnTest = Callable[[int, Verdict | None], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class FreeRun:
    """What one free run measured; `result` is None where the program did not compile."""

    compilation: CompileResult | None
    result: RunResult | None
    tier: str


class CodeExecutorService:
    """Runs and judges programs on an engine; by default on the one the settings name."""

    def __init__(self, engine: Engine | None = None, checkers: CheckerRunner | None = None) -> None:
        self.engine = engine or default_engine()
        self.checkers = checkers or CheckerRunner()

    def run_all_test_cases(self, plan: JudgingPlan, on_test: OnTest | None = None) -> JudgingOutcome:
        """Run a program on all its tests and decide each, outside the engine; `on_test` is told of each as it comes.

        What the compiler and the program say of the student's code is told with the student's own lines.

        Raises:
            PlanError, WrappingError: the problem cannot be judged as it is; its author has to act.
            EngineUnavailable, EngineRejected, EngineProtocolError: nothing is known of the program (law 3).
        """
        prepared = prepare(plan)
        places = prepared.program.places
        decided: list[TestOutcome | Unchecked] = []
        decide_one = decide_test if plan.custom_checker is None else decide_run
        sheet = ScoreSheet(plan.tests, plan.scoring)

        def decide(index: int, result: RunResult) -> bool:
            told = replace(result, stderr=bytes_as_written(places, result.stderr))
            decided.append(decide_one(plan, prepared, index, told))
            # An author's checker is asked after the runs; until then what ended well counts as accepted. What that
            # makes the rules skip is skipped in the end too, since a failure more never makes them skip less.
            counted = sheet.enter(_verdict_so_far(decided[-1]))
            if on_test is not None:
                is_open = isinstance(decided[-1], Unchecked) and counted is not Verdict.SKIPPED
                on_test(index, None if is_open else counted)
            return not sheet.is_over

        report = self.engine.run(prepared.request, decide)
        report = replace(report, compilation=compilation_as_written(places, report.compilation))
        outcomes = self.checkers.decide_all(plan, decided)
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


def _verdict_so_far(one: TestOutcome | Unchecked) -> Verdict:
    return one.verdict if isinstance(one, TestOutcome) else Verdict.ACCEPTED
