"""All chosen cases, one after the other, on one engine or two."""

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from executor.bench.bare import BareFailed
from executor.bench.cases import CASES, JUDGE0_CASE, Case
from executor.bench.rounds import CaseResult, measure_case
from executor.bench.timing import BareSide, EngineSide
from executor.engines.base import Engine


def chosen_cases(names: Sequence[str], *, cores: int) -> list[Case]:
    """The cases of these names, all if there are none; a worker a core where a case wants that.

    Raises:
        ValueError: there is no case of a name.
    """
    known = [case.name for case in CASES]
    for name in names:
        if name not in known:
            raise ValueError(f"there is no case {name!r}; there are {', '.join(known)}")
    return [replace(case, workers=case.workers or cores) for case in CASES if not names or case.name in names]


def measure_cases(
    cases: Sequence[Case],
    *,
    engine: Engine,
    judge0: Engine | None,
    rounds: int,
    on_round: Callable[[], object],
) -> Iterator[list[CaseResult]]:
    """Measure the cases in their order, giving each one's results as they come; `judge0` takes part in one of them."""
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench")))
        # One pool for all, as a server has one: a box may depend on the thread that started it.
        pool = stack.enter_context(ThreadPoolExecutor(max((case.workers for case in cases), default=1)))
        for case in cases:
            missing = case.program.missing(engine)
            if missing is not None:
                yield [CaseResult(case=case, contender=engine.name, missing=missing)]
                continue
            engines = {engine.name: engine}
            if judge0 is not None and case.name == JUDGE0_CASE:
                engines[judge0.name] = judge0
            yield _measure(case, engines, directory / case.name, pool, rounds, on_round)


def _measure(
    case: Case,
    engines: Mapping[str, Engine],
    directory: Path,
    pool: ThreadPoolExecutor,
    rounds: int,
    on_round: Callable[[], object],
) -> list[CaseResult]:
    try:
        bare = BareSide(case, directory, pool)
    except BareFailed as error:
        return [CaseResult(case=case, contender=name, fault=f"bare: {error}") for name in engines]
    sides = {name: EngineSide(case, engine, pool) for name, engine in engines.items()}
    return measure_case(case, sides, bare, rounds=rounds, on_round=on_round)
