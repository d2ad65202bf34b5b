"""The cases, and measuring them in turns."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median

from courses.bench.client import Asking, Served, ServerFailed

BASELINE = "empty"


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A way of asking. `at_most` is the goal: so many times the baseline; None has none."""

    name: str
    title: str
    is_cached: bool
    is_compressed: bool = False
    at_most: float | None = None


CASES = (
    Case(name="cached", title="outline from the cache", is_cached=True, at_most=4.0),
    Case(name="cached-gzip", title="the same, compressed", is_cached=True, is_compressed=True, at_most=4.0),
    Case(name="uncached", title="outline computed", is_cached=False),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What a case took: for each round the median of its requests, in seconds, and that of the baseline beside it."""

    case: Case
    samples_s: tuple[float, ...]
    baseline_s: tuple[float, ...]
    bytes: int

    @property
    def ratios(self) -> list[float]:
        """Of each round: the case over the baseline."""
        return [mine / base for mine, base in zip(self.samples_s, self.baseline_s, strict=True)]

    @property
    def ratio(self) -> float:
        """The median of the rounds' ratios: what disturbs a round disturbs both its sides."""
        return median(self.ratios)

    @property
    def is_met(self) -> bool | None:
        """Whether the goal is reached; None where there is none."""
        return None if self.case.at_most is None else self.ratio <= self.case.at_most


def measure(
    server: Served, *, rounds: int, requests: int, problems: int, on_round: Callable[[], object]
) -> list[Measured]:
    """Ask in so many rounds, after one that does not count; `problems` is how many an outline must tell of.

    Raises:
        ServerFailed: an answer was no success, or no whole outline.
    """
    asking = Asking(port=server.port, token=server.token)
    samples: dict[str, list[float]] = {name: [] for name in (BASELINE, *(case.name for case in CASES))}
    sizes: dict[str, int] = {}
    try:
        for number in range(-1, rounds):
            # Every other round goes backwards: nobody always comes first, or always after the same one.
            for name in list(samples) if number % 2 else reversed(samples):
                case = next((case for case in CASES if case.name == name), None)
                took_s, sizes[name] = _round(asking, server.course_id, case, requests, problems)
                if number >= 0:
                    samples[name].append(took_s)
            if number >= 0:
                on_round()
    finally:
        asking.close()
    return [
        Measured(
            case=case,
            samples_s=tuple(samples[case.name]),
            baseline_s=tuple(samples[BASELINE]),
            bytes=sizes[case.name],
        )
        for case in CASES
    ]


def _round(asking: Asking, course_id: int, case: Case | None, requests: int, problems: int) -> tuple[float, int]:
    """The median of so many requests in seconds, and the size of the last answer."""
    if case is None:
        return median(asking.timed("GET", "/bench/empty/")[0] for _ in range(requests)), 0
    path = f"/api/v1/courses/{course_id}/outline/"
    asking.timed("GET", path)
    took_s, content = [], b""
    for _ in range(requests):
        if not case.is_cached:
            asking.timed("POST", "/bench/forget/")
        seconds, content = asking.timed("GET", path, is_compressed=case.is_compressed)
        took_s.append(seconds)
    _check(content, problems)
    return median(took_s), len(content)


def _check(content: bytes, problems: int) -> None:
    told = sum(len(chapter["problems"]) for chapter in json.loads(content)["chapters"])
    if told != problems:
        raise ServerFailed(f"The outline tells of {told} problems, not of {problems}.")
