"""The rules of unlocking told a second time: slowly, node by node, as the documentation says them."""

from collections.abc import Collection, Sequence
from datetime import datetime

from courses.rules.unlocking import Chapter, Node, Problem, RequiresMode

Course = tuple[Sequence[Chapter], Sequence[Problem]]


def is_seen(course: Course, node: Node) -> bool:
    chapters, problems = course
    kind, node_id = node
    if kind == "chapter":
        return any(chapter.id == node_id and chapter.is_visible for chapter in chapters)
    return any(
        problem.id == node_id
        and problem.is_visible
        and (not problem.chapter_ids or any(is_seen(course, ("chapter", each)) for each in problem.chapter_ids))
        for problem in problems
    )


def is_met(course: Course, node: Node, solved: Collection[int]) -> bool:
    kind, node_id = node
    if not is_seen(course, node):
        return True
    if kind == "problem":
        return node_id in solved
    inside = [problem for problem in course[1] if node_id in problem.chapter_ids and problem.is_visible]
    return all(problem.id in solved for problem in inside)


def is_unlocked(course: Course, node: Node, solved: Collection[int], now: datetime) -> bool:
    chapters, problems = course
    rows: Sequence[Chapter | Problem] = chapters if node[0] == "chapter" else problems
    [row] = [row for row in rows if row.id == node[1]]
    if row.unlock_at is not None and row.unlock_at > now:
        return False
    met = [is_met(course, required, solved) for required in row.requirements]
    if met and not (all(met) if row.requires_mode == RequiresMode.ALL else any(met)):
        return False
    if isinstance(row, Problem) and row.chapter_ids:
        around: list[Node] = [("chapter", each) for each in row.chapter_ids]
        return any(is_seen(course, each) and is_unlocked(course, each, solved, now) for each in around)
    return True


def solved_in_the_end(course: Course, now: datetime) -> set[int]:
    """What a student has solved who goes on until nothing new is open: a fixpoint."""
    solved: set[int] = set()
    while True:
        open_now = {
            problem.id
            for problem in course[1]
            if is_seen(course, ("problem", problem.id)) and is_unlocked(course, ("problem", problem.id), solved, now)
        }
        if open_now <= solved:
            return solved
        solved |= open_now
