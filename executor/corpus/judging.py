"""Judging a corpus, case by case, and agreeing or not."""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

from executor.corpus.rows import CorpusCase
from executor.engines.base import EngineError
from executor.judging.checkers import check
from executor.judging.verdicts import Verdict
from executor.services.code_executor import CodeExecutorService


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseResult:
    """What was given for one case. `given` is None where the engine failed or the program is missing: see `fault`.

    `run_counts` says of each plan that was begun how many of its tests were run; `wall_s` how long judging it took.
    """

    case: CorpusCase
    given: Verdict | None
    run_counts: tuple[int, ...] = ()
    wall_s: float = 0.0
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
        started = time.perf_counter()
        result = replace(_judge_case(case, service), wall_s=time.perf_counter() - started)
        on_result(result)
        return result

    with ThreadPoolExecutor(workers) as pool:
        return list(pool.map(judge, cases))


def _judge_case(case: CorpusCase, service: CodeExecutorService) -> CaseResult:
    if case.missing:
        return CaseResult(case=case, given=None, fault=case.missing)
    if case.outputs:
        results = [check(item.checker, output=item.output, expected=item.expected) for item in case.outputs]
        is_right = all(result.is_right for result in results)
        return CaseResult(case=case, given=Verdict.ACCEPTED if is_right else Verdict.WRONG_ANSWER)
    verdict, run_counts = Verdict.ACCEPTED, []
    try:
        for plan in case.plans:
            outcome = service.run_all_test_cases(plan)
            run_counts.append(sum(test.result is not None for test in outcome.tests))
            verdict = outcome.verdict
            if verdict is not Verdict.ACCEPTED:
                break
    except EngineError as error:
        return CaseResult(case=case, given=None, fault=f"{type(error).__name__}: {error}")
    return CaseResult(case=case, given=verdict, run_counts=tuple(run_counts))
