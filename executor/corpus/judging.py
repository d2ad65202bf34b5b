"""Judging a corpus, case by case, and agreeing or not."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from executor.corpus.rows import CorpusCase
from executor.engines.base import EngineError
from executor.judging.checkers import check
from executor.judging.verdicts import Verdict
from executor.services.code_executor import CodeExecutorService


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseResult:
    """What was given for one case. `given` is None where the engine failed, and `fault` says how."""

    case: CorpusCase
    given: Verdict | None
    fault: str = ""

    @property
    def agrees(self) -> bool:
        """Whether the given verdict is one a right judge may give."""
        return self.given in self.case.accepted_verdicts


def judge_cases(
    cases: Sequence[CorpusCase],
    *,
    service: CodeExecutorService,
    workers: int,
    on_result: Callable[[CaseResult], object],
) -> list[CaseResult]:
    """Judge cases in parallel, each stopping at its first failure; results come in the order of the cases."""

    def judge(case: CorpusCase) -> CaseResult:
        result = _judge_case(case, service)
        on_result(result)
        return result

    with ThreadPoolExecutor(workers) as pool:
        return list(pool.map(judge, cases))


def _judge_case(case: CorpusCase, service: CodeExecutorService) -> CaseResult:
    if case.outputs:
        results = [check(item.checker, output=item.output, expected=item.expected) for item in case.outputs]
        is_right = all(result.is_right for result in results)
        return CaseResult(case=case, given=Verdict.ACCEPTED if is_right else Verdict.WRONG_ANSWER)
    try:
        for plan in case.plans:
            verdict = service.run_all_test_cases(plan).verdict
            if verdict is not Verdict.ACCEPTED:
                return CaseResult(case=case, given=verdict)
    except EngineError as error:
        return CaseResult(case=case, given=None, fault=f"{type(error).__name__}: {error}")
    return CaseResult(case=case, given=Verdict.ACCEPTED)
