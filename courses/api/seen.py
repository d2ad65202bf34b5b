"""Puts how things stand for a student beside the rows that are shown to them.

A row's `seen` is what the course's outline says of it. Rows that have gone out of sight since they were read are left
out.
"""

from collections.abc import Sequence

from django.utils import timezone

from courses.api.shown.outline import chapter_seen, problem_seen
from courses.models import Chapter, Course, Enrollment, Problem
from courses.selectors.state import course_state, problem_states


def problems_seen(problems: Sequence[Problem], *, course_id: int, enrollment: Enrollment | None) -> list[Problem]:
    """The problems, each with its `seen`. Three queries; without an enrollment as for one who has just come."""
    states = problem_states(
        course_id=course_id, problem_ids=[each.pk for each in problems], enrollment=enrollment, now=timezone.now()
    )
    there = [each for each in problems if each.pk in states.by_id]
    for problem in there:
        vars(problem)["seen"] = problem_seen(states.by_id[problem.pk], states.titles)
    return there


def chapters_seen(chapters: Sequence[Chapter], *, course: Course, enrollment: Enrollment | None) -> list[Chapter]:
    """The chapters, each with its `seen`, and none with a description while it is locked. Three queries.

    Where a chapter has its `placed` problems, these have their `seen`, too.
    """
    state = course_state(course=course, enrollment=enrollment, now=timezone.now(), as_student=True)
    by_id = {each.id: each for each in state.chapters}
    there = [each for each in chapters if each.pk in by_id]
    for chapter in there:
        vars(chapter)["seen"] = chapter_seen(by_id[chapter.pk], state.titles)
        if not by_id[chapter.pk].lock.is_unlocked:
            chapter.description = ""
        if "placed" in vars(chapter):
            placed = [each for each in vars(chapter)["placed"] if each.problem_id in state.by_id]
            for placement in placed:
                vars(placement.problem)["seen"] = problem_seen(state.by_id[placement.problem_id], state.titles)
            vars(chapter)["placed"] = placed
    return there
