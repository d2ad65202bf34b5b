"""Judging reference solutions on the spot, keeping nothing."""

from dataclasses import dataclass

from courses.models import TestSet
from executor.engines.base import EngineRejected, SourceFile
from executor.judging.languages import LANGUAGES
from executor.judging.plan import PlanError
from executor.judging.values import UnreadableValue
from executor.judging.verdicts import Verdict
from executor.judging.wrapping import WrappingError
from executor.models import ReferenceSolution
from executor.services.code_executor import CodeExecutorService
from executor.services.judgements import plan_for

# An accepted solution that takes more of the time limit than this leaves students, and slower machines, too little.
SHARE_MAX = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """What one solution got. `fault` says why it could not be judged, or what the first test that failed came to."""

    solution: ReferenceSolution
    test_set_version: int | None
    verdict: Verdict
    time_ms: int | None = None
    memory_kib: int | None = None
    fault: str = ""

    @property
    def is_as_expected(self) -> bool:
        return self.verdict == self.solution.expected_verdict

    @property
    def time_share(self) -> float | None:
        """The slowest test's part of the problem's time limit; None where nothing was measured."""
        return None if self.time_ms is None else self.time_ms / self.solution.problem.algorithm.time_limit_ms

    @property
    def is_slow(self) -> bool:
        """Whether a solution that is accepted leaves students too little time."""
        return self.verdict is Verdict.ACCEPTED and self.time_share is not None and self.time_share > SHARE_MAX


def solution_verify(solution: ReferenceSolution, test_set: TestSet | None, *, service: CodeExecutorService) -> Verified:
    """Judge a solution on a test set with its problem as it is now. What cannot be judged is an `internal_error`.

    Raises:
        EngineUnavailable, EngineProtocolError: nothing is known of this solution, nor would be of others now.
    """
    language = LANGUAGES.get(solution.language)
    if test_set is None:
        return _unjudged(solution, test_set, "The problem has no tests.")
    if language is None:
        return _unjudged(solution, test_set, f"There is no language {solution.language!r}.")
    if missing := service.engine.missing_for(language.toolchain):
        return _unjudged(solution, test_set, f"{language.name} cannot be run here: {missing}")
    files = tuple(SourceFile(name=file["name"], content=file["content"]) for file in solution.files)
    plan = plan_for(solution.problem.algorithm, test_set, language=language, files=files)
    try:
        outcome = service.run_all_test_cases(plan)
    except (PlanError, WrappingError, UnreadableValue, EngineRejected) as error:
        return _unjudged(solution, test_set, str(error))
    failed = next((test for test in outcome.tests if test.verdict is outcome.verdict is not Verdict.ACCEPTED), None)
    return Verified(
        solution=solution,
        test_set_version=test_set.version,
        verdict=outcome.verdict,
        time_ms=outcome.time_ms,
        memory_kib=outcome.memory_kib,
        fault=(failed.message or failed.judge_message) if failed else "",
    )


def _unjudged(solution: ReferenceSolution, test_set: TestSet | None, fault: str) -> Verified:
    return Verified(
        solution=solution,
        test_set_version=test_set.version if test_set else None,
        verdict=Verdict.INTERNAL_ERROR,
        fault=fault,
    )
