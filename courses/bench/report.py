"""What an outline costs, as programs and as people read it."""

from collections.abc import Sequence
from statistics import median
from typing import Any

from courses.bench.measuring import Measured


def as_json(results: Sequence[Measured]) -> dict[str, Any]:
    """The results with units in the names; times are medians of the rounds."""
    return {
        "baseline_ms": _ms(results[0].baseline_s),
        "cases": [
            {
                "name": result.case.name,
                "title": result.case.title,
                "ms": _ms(result.samples_s),
                "ratio": round(result.ratio, 3),
                "ratios": [round(ratio, 3) for ratio in result.ratios],
                "bytes": result.bytes,
                **({} if result.is_met is None else {"at_most": result.case.at_most, "is_met": result.is_met}),
            }
            for result in results
        ],
    }


def lines(results: Sequence[Measured]) -> list[str]:
    """A line for the baseline, and one for each case with its goal."""
    found = [f"{'an empty view':<36}{_ms(results[0].baseline_s):>9.2f} ms"]
    for result in results:
        goal = "" if result.is_met is None else f"  goal at most {result.case.at_most:g}: "
        met = {None: "", True: "met", False: "missed"}[result.is_met]
        found.append(f"{result.case.title:<36}{_ms(result.samples_s):>9.2f} ms{result.ratio:>8.2f} times{goal}{met}")
    return found


def _ms(samples_s: Sequence[float]) -> float:
    return round(median(samples_s) * 1000, 3)
