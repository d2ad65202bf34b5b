"""Measuring a case: interleaved rounds of all its sides, and what they say together."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import median

from executor.bench.bare import BareFailed
from executor.bench.cases import Case, Figure
from executor.bench.timing import AnsweredWrongly, Sample, Side
from executor.engines.base import EngineError

_BARE = "bare"


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseResult:
    """What one contender took for a case, and the bare runs in the same rounds.

    `fault` says what kept it from being measured: a wrong answer, or an engine or a compiler that failed; `missing`
    what this machine would need to have it measured.
    """

    case: Case
    contender: str
    samples: tuple[Sample, ...] = ()
    bare_samples: tuple[Sample, ...] = ()
    fault: str = ""
    missing: str = ""

    @property
    def ratios(self) -> list[float]:
        """Of each round: the contender's figure over that of the bare runs."""
        pairs = zip(self.samples, self.bare_samples, strict=True)
        return [figure(mine, self.case.figure) / figure(bare, self.case.figure) for mine, bare in pairs]

    @property
    def ratio(self) -> float:
        """The median of the rounds' ratios: what disturbs a whole round disturbs both its sides."""
        return median(self.ratios)


def figure(sample: Sample, kind: Figure) -> float:
    """A sample's figure: seconds per submission, or tests per second."""
    if kind is Figure.THROUGHPUT:
        return sample.tests / sample.wall_s
    return (sample.cpu_s if kind is Figure.CPU else sample.wall_s) / sample.submissions


def measure_case(
    case: Case,
    contenders: Mapping[str, Side],
    bare: Side,
    *,
    rounds: int,
    on_round: Callable[[], object],
) -> list[CaseResult]:
    """Measure a case in so many rounds of all sides, after one that does not count; a result for each contender.

    A contender with a fault is out; without the bare runs there is no ratio for anybody.
    """
    samples: dict[str, list[Sample]] = {name: [] for name in (*contenders, _BARE)}
    faults: dict[str, str] = {}
    for number in range(-1, rounds):
        # Every other round goes backwards: nobody always comes first, or always after the same one.
        for name in list(samples) if number % 2 else reversed(samples):
            side = bare if name == _BARE else contenders[name]
            try:
                if not faults.keys() & {name, _BARE}:
                    samples[name].append(side.measure())
            except (AnsweredWrongly, BareFailed, EngineError) as error:
                faults[name] = f"{name}: {type(error).__name__}: {error}"
        if number >= 0:
            on_round()
    return [
        CaseResult(case=case, contender=name, fault=fault)
        if (fault := faults.get(name) or faults.get(_BARE))
        else CaseResult(
            case=case, contender=name, samples=tuple(samples[name][1:]), bare_samples=tuple(samples[_BARE][1:])
        )
        for name in contenders
    ]
