"""Figures of a run, from its records alone."""

from collections.abc import Mapping, Sequence
from typing import Any

from tests.reliability.records import Record


def percentile(values: Sequence[float], share: float) -> float | None:
    """The value that this share of all values does not exceed; None of nothing."""
    if not values:
        return None
    return round(sorted(values)[max(0, -(-len(values) * round(share * 100) // 100) - 1)], 3)


def recoveries_s(events: Sequence[Record], kills: Sequence[Record], rows: Mapping[str, Any]) -> list[float]:
    """Seconds from each kill to the verdict of each judgement that its victim held."""
    finished = {row["id"]: row["finished_at"] for row in rows["judgements"]}
    applied = {(event["judgement"], event["pid"]) for event in events if event["event"] == "applied"}
    held: dict[int, set[int]] = {}
    for event in events:
        if event["event"] == "claimed" and (event["judgement"], event["pid"]) not in applied:
            held.setdefault(event["pid"], set()).add(event["judgement"])
    return [
        finished[judgement] - kill["died_at"]
        for kill in kills
        for judgement in held.get(kill["victim"], ())
        if finished.get(judgement) and finished[judgement] > kill["died_at"]
    ]
