"""The rows from which the state of one student in one course is made: three queries, whatever the size of the course.

Rows are plain values, not model instances: a course may have thousands of problems.
"""

from collections import defaultdict
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from django.db.models import BooleanField, ExpressionWrapper, FilteredRelation, Q

from courses.models import Chapter, Problem, UnlockRequirement
from courses.rules.unlocking import Node

# No enrollment has this id, so nothing is joined to it.
NOBODY = 0


class ChapterRow(NamedTuple):
    """A chapter. `extended_to` is the student's own due date."""

    id: int
    position: str
    title: str
    status: str
    requires_mode: str
    unlock_at: datetime | None
    due_at: datetime | None
    extended_to: datetime | None


class ProblemRow(NamedTuple):
    """A problem at one of its places: one that stands in two chapters comes twice, one in no chapter once.

    From `extended_to` on it is the student's: their own due date, and their progress, None where there is none.
    """

    id: int
    chapter_id: int | None
    position: str | None
    title: str
    slug: str
    type: str
    difficulty: int
    publication: str
    published_from: datetime | None
    published_until: datetime | None
    requires_mode: str
    unlock_at: datetime | None
    due_at: datetime | None
    is_visible: bool
    extended_to: datetime | None
    progress: str | None
    attempts: int | None
    best_score: Decimal | None
    credited_score: Decimal | None
    solved_at: datetime | None


def chapter_rows(*, course_id: int, enrollment_id: int) -> list[ChapterRow]:
    """All chapters of a course, in order."""
    rows = (
        Chapter.objects.filter(course=course_id)
        .annotate(
            extension=FilteredRelation("due_extensions", condition=Q(due_extensions__enrollment_id=enrollment_id))
        )
        .order_by("position", "pk")
        .values_list("id", "position", "title", "status", "requires_mode", "unlock_at", "due_at", "extension__due_at")
    )
    return [ChapterRow(*row) for row in rows]


def problem_rows(*, only: Q, course_id: int, enrollment_id: int, now: datetime) -> list[ProblemRow]:
    """Those problems of a course that meet the condition, in the order of their places, then by id."""
    published = Problem.published_at(now) & Q(audience=Problem.Audience.COURSE)
    rows = (
        Problem.objects.filter(only, course=course_id)
        .annotate(
            is_visible=ExpressionWrapper(published, output_field=BooleanField()),
            extension=FilteredRelation("due_extensions", condition=Q(due_extensions__enrollment_id=enrollment_id)),
            own=FilteredRelation("progress", condition=Q(progress__enrollment_id=enrollment_id)),
        )
        .order_by("placements__position", "placements__pk", "pk")
        .values_list(
            *("id", "placements__chapter_id", "placements__position", "title", "slug", "type", "difficulty"),
            *("status", "published_from", "published_until", "requires_mode", "unlock_at", "due_at", "is_visible"),
            *("extension__due_at", "own__status", "own__attempts", "own__best_score", "own__credited_score"),
            "own__solved_at",
        )
    )
    return [ProblemRow(*row) for row in rows]


def requirement_rows(*, only: Q, course_id: int) -> dict[Node, list[Node]]:
    """What those requirements of a course say that meet the condition: `{who requires: what they require}`."""
    rows = UnlockRequirement.objects.filter(only, course=course_id).order_by("pk")
    found: dict[Node, list[Node]] = defaultdict(list)
    for chapter_id, problem_id, required_chapter_id, required_problem_id in rows.values_list(
        "chapter_id", "problem_id", "required_chapter_id", "required_problem_id"
    ):
        found[_node(chapter_id, problem_id)].append(_node(required_chapter_id, required_problem_id))
    return found


def _node(chapter_id: int | None, problem_id: int | None) -> Node:
    if chapter_id is not None:
        return ("chapter", chapter_id)
    if problem_id is None:
        raise ValueError("a requirement names a chapter or a problem")  # the database holds this
    return ("problem", problem_id)
