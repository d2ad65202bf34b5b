"""A benchmark's results as people and as programs read them."""

from collections.abc import Sequence
from statistics import median
from typing import Any

from executor.bench.cases import Figure, Target
from executor.bench.census import changes
from executor.bench.rounds import CaseResult, figure
from executor.bench.soak import SoakResult
from executor.bench.timing import Sample

_HEADINGS = ("case", "engine", "bare", "ratio", "of rounds", "target", "")


def name_of(result: CaseResult) -> str:
    """The case, and the contender where that is not the sandbox."""
    return result.case.name if result.contender == "sandbox" else f"{result.case.name} on {result.contender}"


def line(result: CaseResult, *, cores: int) -> str:
    """One sentence on a case: its ratio, and what became of its target."""
    if reason := _unmeasured(result):
        return f"{name_of(result)}: {reason}"
    text = f"{name_of(result)}: {result.ratio:.2f} times the bare {result.case.figure.value}"
    target = _target_words(result, cores)
    return f"{text}; target {target}: {_met_words(result, cores)}" if target else f"{text}; no target"


def table(results: Sequence[CaseResult], *, cores: int) -> list[str]:
    """The lines of a table of all results, medians of the rounds."""
    return _aligned([_HEADINGS, *(_row(result, cores) for result in results)])


def as_json(result: CaseResult, *, cores: int) -> dict[str, Any]:
    """A result with its units; times are per submission, and medians of the rounds."""
    case = result.case
    answer: dict[str, Any] = {"name": name_of(result), "title": case.title, "contender": result.contender}
    if result.fault:
        return answer | {"fault": result.fault}
    if result.missing:
        return answer | {"missing": result.missing}
    answer |= {
        "figure": case.figure.value,
        "ratio": round(result.ratio, 4),
        "ratios": [round(ratio, 4) for ratio in result.ratios],
        "tests": case.tests,
        "bare_tests": case.bare_tests,
        "workers": case.workers,
        "engine": _figures(result.samples, result, cores, has_cpu=result.contender == "sandbox"),
        "bare": _figures(result.bare_samples, result, cores, has_cpu=True),
    }
    if (target := _target(result)) is not None:
        answer["target"] = {
            "at_least" if target.is_at_least else "at_most": target.limit_on(cores),
            "stretch": target.stretch,
            "is_met": target.is_met(result.ratio, cores=cores),
        }
    return answer


def soak_lines(result: SoakResult) -> list[str]:
    """A table of what was held, early and at the end."""
    rows = [("held", f"after {result.warm_up}", f"after {result.submissions}", "difference", "")]
    for change in changes(result.before, result.after):
        mark = "" if change.is_allowed else "GREW" if change.after > change.before else "FELL"
        rows.append((change.name, str(change.before), str(change.after), f"{change.after - change.before:+d}", mark))
    return _aligned(rows)


def soak_json(result: SoakResult) -> dict[str, Any]:
    """The same, with units in the names."""
    return {
        "submissions": result.submissions,
        "counted_after": [result.warm_up, result.submissions],
        "held": {
            change.name: {"before": change.before, "after": change.after, "is_allowed": change.is_allowed}
            for change in changes(result.before, result.after)
        },
    }


def _aligned(rows: Sequence[tuple[str, ...]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lined = [rows[0], tuple("-" * width for width in widths), *rows[1:]]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in lined]


def _figures(samples: Sequence[Sample], result: CaseResult, cores: int, *, has_cpu: bool) -> dict[str, float]:
    per_second = median(figure(sample, Figure.THROUGHPUT) for sample in samples)
    figures = {
        "wall_ms": round(median(figure(sample, Figure.WALL) for sample in samples) * 1000, 3),
        "tests_per_second": round(per_second, 2),
        "tests_per_second_and_core": round(per_second / min(cores, result.case.workers), 2),
    }
    # A server elsewhere is no process of ours, and its CPU time unknown.
    if has_cpu:
        figures["cpu_ms"] = round(median(figure(sample, Figure.CPU) for sample in samples) * 1000, 3)
    return figures


def _row(result: CaseResult, cores: int) -> tuple[str, ...]:
    if reason := _unmeasured(result):
        return (name_of(result), "-", "-", "-", "-", _target_words(result, cores), reason.partition(":")[0])
    both = (_cell(samples, result, cores) for samples in (result.samples, result.bare_samples))
    spread = f"{min(result.ratios):.2f} to {max(result.ratios):.2f}"
    ratio, target, met = f"{result.ratio:.2f}", _target_words(result, cores), _met_words(result, cores)
    return (name_of(result), *both, ratio, spread, target, met)


def _cell(samples: Sequence[Sample], result: CaseResult, cores: int) -> str:
    value = median(figure(sample, result.case.figure) for sample in samples)
    if result.case.figure is Figure.THROUGHPUT:
        return f"{value / min(cores, result.case.workers):.0f} tests/s/core"
    return f"{value * 1000:.1f} ms" + (" CPU" if result.case.figure is Figure.CPU else "")


def _unmeasured(result: CaseResult) -> str:
    if result.fault:
        return f"not measured: {result.fault}"
    return f"left out: {result.missing}" if result.missing else ""


def _target(result: CaseResult) -> Target | None:
    # The targets are ours; another engine is measured for comparison.
    return result.case.target if result.contender == "sandbox" else None


def _target_words(result: CaseResult, cores: int) -> str:
    target = _target(result)
    return "" if target is None else target.words(cores=cores)


def _met_words(result: CaseResult, cores: int) -> str:
    target = _target(result)
    if target is None:
        return ""
    return "met" if target.is_met(result.ratio, cores=cores) else "missed"
