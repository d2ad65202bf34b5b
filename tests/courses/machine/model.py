"""A course told plainly: what happened to it, and, computed anew each time, what a student must see."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import ROUND_DOWN, Decimal
from typing import Any

from courses.rules.unlocking import Chapter, Node, Problem, RequiresMode
from tests.courses.rules.naive_unlocking import Course, is_unlocked

# Nothing here depends on time.
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


@dataclass
class PlainSubmission:
    """One program handed in, and what each finished judging of it said, by the judging's number."""

    user_id: int
    problem_id: int
    judged: dict[int, Decimal | None] = field(default_factory=dict)

    @property
    def score(self) -> Decimal | None:
        """What it counts: the score of the last judging that did not break; None where there is none."""
        decided = [number for number, score in self.judged.items() if score is not None]
        return self.judged[max(decided)] if decided else None


@dataclass
class PlainCourse:
    """The facts alone. Chapters hold the ids of their problems, in order."""

    is_published: bool = True
    chapter_order: list[int] = field(default_factory=list)
    visible_chapters: set[int] = field(default_factory=set)
    placements: dict[int, list[int]] = field(default_factory=dict)
    problem_status: dict[int, str] = field(default_factory=dict)
    requirements: dict[Node, tuple[RequiresMode, tuple[Node, ...]]] = field(default_factory=dict)
    active: set[int] = field(default_factory=set)
    submissions: dict[int, PlainSubmission] = field(default_factory=dict)

    def nodes(self) -> list[Node]:
        return [
            *(("chapter", each) for each in self.chapter_order),
            *(("problem", each) for each in self.problem_status),
        ]

    def is_open(self, user_id: int, problem_id: int) -> bool:
        return is_unlocked(self._for_rules(), ("problem", problem_id), self.solved(user_id), NOW)

    def solved(self, user_id: int) -> set[int]:
        return {each.problem_id for each in self._counting(user_id) if each.score == 100}

    def has_cycle_with(self, node: Node, requires: tuple[Node, ...]) -> bool:
        """Whether anything would wait for itself: what waits for nothing is taken away until nothing changes."""
        wanted = {**{each: requires for each, (_, requires) in self.requirements.items()}, node: requires}
        return self._has_cycle(wanted, self.placements)

    def has_cycle_placing(self, chapter_id: int, problem_id: int) -> bool:
        placements = {**self.placements, chapter_id: [*self.placements[chapter_id], problem_id]}
        return self._has_cycle({each: requires for each, (_, requires) in self.requirements.items()}, placements)

    def outline(self, user_id: int) -> dict[str, Any]:
        """What this student must see."""
        in_chapters = {each for problem_ids in self.placements.values() for each in problem_ids}
        chapters = [self._chapter(user_id, each) for each in self.chapter_order if each in self.visible_chapters]
        unplaced = [
            self._problem(user_id, each)
            for each in sorted(self.problem_status)
            if each not in in_chapters and self._is_visible(each)
        ]
        shown = [*(problem for chapter in chapters for problem in chapter["problems"]), *unplaced]
        following = (each["id"] for each in shown if not each["is_locked"] and each["status"] != "solved")
        return {
            **_tally({each["id"]: each for each in shown}),
            "next_problem": next(following, None),
            "chapters": chapters,
            "problems": unplaced,
        }

    def _chapter(self, user_id: int, chapter_id: int) -> dict[str, Any]:
        problems = [self._problem(user_id, each) for each in self.placements[chapter_id] if self._is_visible(each)]
        return {
            "id": chapter_id,
            "is_locked": not is_unlocked(self._for_rules(), ("chapter", chapter_id), self.solved(user_id), NOW),
            **_tally({each["id"]: each for each in problems}),
            "problems": problems,
        }

    def _problem(self, user_id: int, problem_id: int) -> dict[str, Any]:
        scores = [each.score for each in self._counting(user_id) if each.problem_id == problem_id]
        best = max((score for score in scores if score is not None), default=Decimal(0))
        status = "solved" if best == 100 else "in_progress" if scores else "not_started"
        return {
            "id": problem_id,
            "is_locked": not self.is_open(user_id, problem_id),
            "status": status,
            "best_score": f"{best:.2f}",
        }

    def _counting(self, user_id: int) -> Iterator[PlainSubmission]:
        return (each for each in self.submissions.values() if each.user_id == user_id and each.score is not None)

    def _is_visible(self, problem_id: int) -> bool:
        return self.problem_status[problem_id] == "published"

    def _for_rules(self) -> Course:
        chapters = [
            Chapter(id=each, is_visible=each in self.visible_chapters, **self._waits(("chapter", each)))
            for each in self.chapter_order
        ]
        problems = [
            Problem(
                id=each,
                is_visible=self._is_visible(each),
                chapter_ids=tuple(
                    chapter_id for chapter_id in self.chapter_order if each in self.placements[chapter_id]
                ),
                **self._waits(("problem", each)),
            )
            for each in self.problem_status
        ]
        return chapters, problems

    def _waits(self, node: Node) -> dict[str, Any]:
        mode, requires = self.requirements.get(node, (RequiresMode.ALL, ()))
        return {"requires_mode": mode, "requirements": requires}

    def _has_cycle(self, requirements: dict[Node, tuple[Node, ...]], placements: dict[int, list[int]]) -> bool:
        """Opening waits for requirements, a problem also for its chapters; completing waits for the problems inside."""
        waits: dict[tuple[str, Node], set[tuple[str, Node]]] = {}
        for node in self.nodes():
            waits["opens", node] = {("done", required) for required in requirements.get(node, ())}
            # Of a chapter too: one that is empty today may hold a problem tomorrow.
            waits["done", node] = {("opens", node)}
        for chapter_id, problem_ids in placements.items():
            for problem_id in problem_ids:
                waits["opens", ("problem", problem_id)].add(("opens", ("chapter", chapter_id)))
                waits["done", ("chapter", chapter_id)].add(("done", ("problem", problem_id)))
        while free := {step for step, before in waits.items() if not before}:
            waits = {step: before - free for step, before in waits.items() if step not in free}
        return bool(waits)


def _tally(problems: dict[int, dict[str, Any]]) -> dict[str, Any]:
    total = len(problems)
    solved = sum(each["status"] == "solved" for each in problems.values())
    percentage = (Decimal(100 * solved) / total).quantize(Decimal("0.01"), rounding=ROUND_DOWN) if total else None
    return {"total": total, "solved": solved, "percentage": None if percentage is None else str(percentage)}
