"""Whether anything in a course would wait for itself, so that nobody could ever reach it.

Being placed counts like being required: a problem waits until its chapter opens, and a chapter is complete only with
its problems. So a chapter that requires a problem of its own waits for itself.

The answer is cautious on purpose. Requirements of which any one is enough count as if all were needed, a problem in
several chapters as if it waited for each of them, and what is hidden as if it were seen. What passes can therefore
never lock up, whatever is hidden or shown later.
"""

from collections.abc import Iterable, Iterator
from enum import StrEnum

from courses.rules.unlocking import Node


class _Step(StrEnum):
    """What can be waited for. A chapter has two: that it opens, and that it is complete."""

    OPENS = "opens"
    COMPLETES = "completes"


_Point = tuple[Node, _Step]


def cycle_in(requirements: Iterable[tuple[Node, Node]], placements: Iterable[tuple[int, int]]) -> list[Node] | None:
    """Nodes of which each waits for the next, and the last for the first; None where nothing waits for itself.

    `requirements`: (who requires, what it requires). `placements`: (chapter id, problem id). No node is told twice.
    Takes time and memory linear in what is given, however deep the chains are.
    """
    waits_for: dict[_Point, list[_Point]] = {}
    for waiting, required in requirements:
        waits_for.setdefault((waiting, _Step.OPENS), []).append(_done(required))
        _add_chapter(waits_for, waiting)
    for chapter_id, problem_id in placements:
        chapter: Node = ("chapter", chapter_id)
        problem: Node = ("problem", problem_id)
        _add_chapter(waits_for, chapter)
        waits_for[chapter, _Step.COMPLETES].append(_done(problem))
        waits_for.setdefault(_done(problem), []).append((chapter, _Step.OPENS))
    points = _cycle_of(waits_for)
    # A chapter's completion and its opening, if both are in the cycle, stand together and are one node.
    return None if points is None else list(dict.fromkeys(node for node, _ in points))


def _done(node: Node) -> _Point:
    # A problem that opens can be solved: for a problem both are one.
    return (node, _Step.COMPLETES if node[0] == "chapter" else _Step.OPENS)


def _add_chapter(waits_for: dict[_Point, list[_Point]], node: Node) -> None:
    if node[0] == "chapter":
        # First in the list, and so walked first: no cycle then goes from completion to opening by any other way.
        waits_for.setdefault((node, _Step.COMPLETES), [(node, _Step.OPENS)])


def _cycle_of(waits_for: dict[_Point, list[_Point]]) -> list[_Point] | None:
    """Search in depth with a stack of our own: Python's ends at some thousand calls."""
    finished: set[_Point] = set()
    for start in waits_for:
        path: dict[_Point, Iterator[_Point]] = {}
        if start not in finished:
            path[start] = iter(waits_for[start])
        while path:
            here, further = next(reversed(path.items()))
            following = next(further, None)
            if following is None:
                finished.add(here)
                path.popitem()
            elif following in path:
                points = list(path)
                return points[points.index(following) :]
            elif following not in finished:
                path[following] = iter(waits_for.get(following, ()))
    return None
