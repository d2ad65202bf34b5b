"""The whole way beside the engine, as programs and as people read it."""

from statistics import median
from typing import Any

from executor.bench_api.measuring import AT_LEAST, TESTS, Measured

_STAGES = {"accepting_ms": "accepting", "waiting_ms": "waiting for a worker", "judging_ms": "judging and storing"}


def as_json(result: Measured) -> dict[str, Any]:
    """The result with units in the names; figures are medians of the rounds, stages means of all submissions."""
    return {
        "clients": result.clients,
        "submissions": result.submissions,
        "tests": TESTS,
        "per_second": round(median(result.whole_way), 2),
        "engine_per_second": round(median(result.engine), 2),
        "ratio": round(result.ratio, 3),
        "ratios": [round(ratio, 3) for ratio in result.ratios],
        "at_least": AT_LEAST,
        "is_met": result.is_met,
        "request_ms": round(result.request_ms, 2),
        "stages_ms": {name: round(ms, 2) for name, ms in result.stages_ms.items()},
    }


def lines(result: Measured) -> list[str]:
    """A line for each side, one for the ratio and its goal, and one for where the time goes."""
    spread = f"{min(result.ratios):.2f} to {max(result.ratios):.2f}"
    met = "met" if result.is_met else "missed"
    engine_ms = 1000 * result.clients / median(result.engine)
    stages = ", ".join(f"{result.stages_ms[name]:.1f} {title}" for name, title in _STAGES.items())
    return [
        f"{TESTS} tests in Python, {result.clients} at a time",
        f"{'the engine alone':<36}{median(result.engine):>9.1f} submissions/s",
        f"{'HTTP to the stored verdict':<36}{median(result.whole_way):>9.1f} submissions/s"
        f"{result.ratio:>8.2f} times ({spread})  goal at least {AT_LEAST:g}: {met}",
        f"handing in takes {result.request_ms:.1f} ms; of each, {stages}; the engine alone {engine_ms:.1f}",
    ]
