"""When work is due, for many students and problems at once."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q

from courses.models import Chapter, ChapterProblem, DueExtension, Problem
from courses.rules.lateness import effective_due_at

# A chapter or a problem, such as ("chapter", 7).
Target = tuple[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class DueDates:
    """The dates of some problems, and some students' extensions."""

    problems: Mapping[int, datetime | None]
    # {problem: {published chapter that it stands in: its date}}
    chapters: Mapping[int, Mapping[int, datetime | None]]
    # {enrollment: {what is extended: until when}}
    extensions: Mapping[int, Mapping[Target, datetime]]

    def of(self, *, enrollment_id: int, problem_id: int) -> datetime | None:
        """When one of these problems is due for one of these students, in UTC; None is never.

        A problem's own date wins over those of its chapters. An extension for the problem, or for a chapter that it
        stands in, counts where it is later.
        """
        chapters = self.chapters.get(problem_id, {})
        targets: list[Target] = [("problem", problem_id), *(("chapter", chapter) for chapter in chapters)]
        extended = self.extensions.get(enrollment_id, {})
        return effective_due_at(
            self.problems[problem_id], chapters.values(), [extended[target] for target in targets if target in extended]
        )


def due_dates(*, enrollment_ids: Collection[int], problem_ids: Collection[int]) -> DueDates:
    """When each of these problems is due for each of these students, in three queries; draft chapters do not count."""
    if not problem_ids:
        return DueDates(problems={}, chapters={}, extensions={})
    chapters: defaultdict[int, dict[int, datetime | None]] = defaultdict(dict)
    placements = ChapterProblem.objects.filter(problem__in=problem_ids, chapter__status=Chapter.Status.PUBLISHED)
    for problem_id, chapter_id, due_at in placements.values_list("problem_id", "chapter_id", "chapter__due_at"):
        chapters[problem_id][chapter_id] = due_at
    return DueDates(
        problems=dict(Problem.objects.filter(pk__in=problem_ids).values_list("pk", "due_at")),
        chapters=chapters,
        extensions=_extensions(
            enrollment_ids, problem_ids, {chapter_id for dues in chapters.values() for chapter_id in dues}
        ),
    )


def _extensions(
    enrollment_ids: Collection[int], problem_ids: Collection[int], chapter_ids: Collection[int]
) -> dict[int, dict[Target, datetime]]:
    found: defaultdict[int, dict[Target, datetime]] = defaultdict(dict)
    rows = DueExtension.objects.filter(
        Q(problem__in=problem_ids) | Q(chapter__in=chapter_ids), enrollment__in=enrollment_ids
    )
    for enrollment_id, problem_id, chapter_id, due_at in rows.values_list(
        "enrollment_id", "problem_id", "chapter_id", "due_at"
    ):
        target: Target = ("problem", problem_id) if problem_id else ("chapter", chapter_id)
        found[enrollment_id][target] = due_at
    return found
