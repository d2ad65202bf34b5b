"""What is open to one student in a course, and why the rest is not: one pass over the whole course, from plain data.

- A chapter is complete when all its visible problems are solved, whether or not it is open. One without any is
  complete, so that nothing waits for it for ever.
- A chapter is unlocked when its requirements are met and its date has come. So is a problem, if also, where it stands
  in chapters, at least one of these is visible and unlocked.
- A requirement on what nobody can see is met: on what is hidden (a draft, archived, for exams only), what does not
  exist, and a problem that stands in hidden chapters only.
- Dates are half-open: what opens at a moment is open at that moment.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Literal

Node = tuple[Literal["chapter", "problem"], int]


class RequiresMode(StrEnum):
    """Whether all requirements are needed, or any one of them is enough."""

    ALL = "all"
    ANY = "any"


class ReasonCode(StrEnum):
    """Why something is locked: what it requires, its date, or the chapters it stands in."""

    REQUIRES_ALL = "requires_all"
    REQUIRES_ANY = "requires_any"
    OPENS_AT = "opens_at"
    CHAPTER_LOCKED = "chapter_locked"


@dataclass(frozen=True, slots=True, kw_only=True)
class Chapter:
    """A chapter as its rules see it. Without `unlock_at` no date holds it back."""

    id: int
    is_visible: bool = True
    unlock_at: datetime | None = None
    requires_mode: RequiresMode = RequiresMode.ALL
    requirements: tuple[Node, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """A problem as its rules see it; `chapter_ids` are the chapters it stands in, hidden ones too."""

    id: int
    chapter_ids: tuple[int, ...] = ()
    is_visible: bool = True
    unlock_at: datetime | None = None
    requires_mode: RequiresMode = RequiresMode.ALL
    requirements: tuple[Node, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """One thing that keeps something locked.

    `missing`: for `requires_all` the requirements that are not met; for `requires_any` all, of which one is enough; for
    `chapter_locked` the visible chapters, of which one must open (none, if all are hidden). Never anything hidden.
    `opens_at`: the date, for `opens_at` alone.
    """

    code: ReasonCode
    missing: tuple[Node, ...] = ()
    opens_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LockState:
    """Whether something is open. `reasons` says all that is in the way, and is empty if nothing is."""

    reasons: tuple[Reason, ...] = ()

    @property
    def is_unlocked(self) -> bool:
        return not self.reasons


def lock_states(
    *, chapters: Collection[Chapter], problems: Collection[Problem], solved: Collection[int], now: datetime
) -> dict[Node, LockState]:
    """The state of every chapter and problem of a course, the hidden ones included: their staff may ask.

    `solved`: ids of the problems that the student has solved. Takes time linear in nodes, placements and requirements.
    """
    missing = _incomplete(chapters, problems, frozenset(solved))
    states: dict[Node, LockState] = {}
    for chapter in chapters:
        states["chapter", chapter.id] = LockState(reasons=_own_reasons(chapter, missing, now))
    visible_ids = {chapter.id for chapter in chapters if chapter.is_visible}
    for problem in problems:
        around: list[Node] = [("chapter", each) for each in problem.chapter_ids if each in visible_ids]
        reasons = _own_reasons(problem, missing, now)
        if problem.chapter_ids and not any(states[node].is_unlocked for node in around):
            reasons += (Reason(code=ReasonCode.CHAPTER_LOCKED, missing=tuple(around)),)
        states["problem", problem.id] = LockState(reasons=reasons)
    return states


def next_opening(*, chapters: Collection[Chapter], problems: Collection[Problem], now: datetime) -> datetime | None:
    """The earliest moment after `now` at which time alone could change a state; None where none could.

    States may be kept until then, as long as nothing else changes. Something else may still hold back what opens then.
    """
    dates = [*(chapter.unlock_at for chapter in chapters), *(problem.unlock_at for problem in problems)]
    return min((date for date in dates if date is not None and date > now), default=None)


def next_problem(
    *,
    placements: Iterable[tuple[str, str, int]],
    states: Mapping[Node, LockState],
    solved: Collection[int],
    difficulty: Mapping[int, int],
) -> int | None:
    """The id of the problem to go on with: the first, in the order of the course, that is open and not solved, or None.

    Offered are the problems of `difficulty`: give those that the student sees. `placements`: (position of the chapter,
    position in it, problem id); a problem in several chapters counts where it comes first. Problems of one place go by
    difficulty, easiest first, then by id; problems in no chapter come last. Having begun a problem moves it nowhere:
    the order is the author's.
    """
    places: dict[int, tuple[str, str]] = {}
    for chapter_position, position, problem_id in placements:
        place = (chapter_position, position)
        places[problem_id] = min(place, places.get(problem_id, place))
    finished = frozenset(solved)
    offered = [
        (problem_id not in places, places.get(problem_id, ("", "")), level, problem_id)
        for problem_id, level in difficulty.items()
        if problem_id not in finished and states["problem", problem_id].is_unlocked
    ]
    return min(offered)[-1] if offered else None


def _incomplete(chapters: Collection[Chapter], problems: Collection[Problem], solved: frozenset[int]) -> set[Node]:
    """All nodes that a requirement would have to wait for: they can be seen, and are not solved or complete."""
    visible_ids = {chapter.id for chapter in chapters if chapter.is_visible}
    nodes: set[Node] = set()
    for problem in problems:
        around = visible_ids.intersection(problem.chapter_ids)
        can_be_reached = problem.is_visible and (around or not problem.chapter_ids)
        if can_be_reached and problem.id not in solved:
            nodes.add(("problem", problem.id))
            nodes.update(("chapter", chapter_id) for chapter_id in around)
    return nodes


def _own_reasons(node: Chapter | Problem, incomplete: set[Node], now: datetime) -> tuple[Reason, ...]:
    reasons: list[Reason] = []
    missing = tuple(required for required in node.requirements if required in incomplete)
    if node.requires_mode == RequiresMode.ALL and missing:
        reasons.append(Reason(code=ReasonCode.REQUIRES_ALL, missing=missing))
    elif missing and len(missing) == len(node.requirements):
        reasons.append(Reason(code=ReasonCode.REQUIRES_ANY, missing=missing))
    if node.unlock_at is not None and now < node.unlock_at:
        reasons.append(Reason(code=ReasonCode.OPENS_AT, opens_at=node.unlock_at))
    return tuple(reasons)
