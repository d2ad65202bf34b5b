"""A course in one answer: its schema, and how it is written from a course's state.

A whole course is thousands of rows, so the answer is written directly; the serializers here describe it, and a test
holds the two together.
"""

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers

from courses.models import Chapter, Course, Problem, ProblemProgress
from courses.rules.unlocking import Node
from courses.selectors.locks import lock_as_json, moment_as_json
from courses.selectors.state import ChapterState, CourseState, ProblemState, Tally


class MissingSerializer(serializers.Serializer[Any]):
    type = serializers.ChoiceField(choices=("chapter", "problem"), read_only=True)
    id = serializers.IntegerField(read_only=True)
    title = serializers.CharField(read_only=True)


class ReasonSerializer(serializers.Serializer[Any]):
    """`requires_all`: all that is missing is; `requires_any`: any of it; `opens_at`; `chapter_locked`: its chapters."""

    code = serializers.ChoiceField(
        choices=("requires_all", "requires_any", "opens_at", "chapter_locked"), read_only=True
    )
    missing = MissingSerializer(many=True, read_only=True)
    opens_at = serializers.DateTimeField(read_only=True, allow_null=True)


class LockSerializer(serializers.Serializer[Any]):
    """Everything that is in the way."""

    reasons = ReasonSerializer(many=True, read_only=True)


class ProgressStatusField(serializers.ChoiceField):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(choices=ProblemProgress.Status.choices, **kwargs)


class TallySerializer(serializers.Serializer[Any]):
    """`percentage` is rounded down, so that 100 means all; null where there is nothing to solve."""

    status = ProgressStatusField(read_only=True)
    total = serializers.IntegerField(read_only=True)
    solved = serializers.IntegerField(read_only=True)
    percentage = serializers.DecimalField(max_digits=5, decimal_places=2, read_only=True, allow_null=True)


class OutlineProblemForStudentSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField(read_only=True)
    title = serializers.CharField(read_only=True)
    type = serializers.ChoiceField(choices=Problem.Type.choices, read_only=True)
    difficulty = serializers.ChoiceField(choices=Problem.Difficulty.choices, read_only=True)
    lock = LockSerializer(read_only=True, allow_null=True)
    status = ProgressStatusField(read_only=True)
    best_score = serializers.DecimalField(max_digits=5, decimal_places=2, read_only=True)
    due_at = serializers.DateTimeField(read_only=True, allow_null=True)


class OutlineChapterForStudentSerializer(TallySerializer):
    id = serializers.IntegerField(read_only=True)
    title = serializers.CharField(read_only=True)
    lock = LockSerializer(read_only=True, allow_null=True)
    due_at = serializers.DateTimeField(read_only=True, allow_null=True)
    problems = OutlineProblemForStudentSerializer(many=True, read_only=True)


class OutlineForStudentSerializer(TallySerializer):
    """Chapters in order, and in `problems` those that stand in no chapter."""

    course = serializers.IntegerField(read_only=True)
    title = serializers.CharField(read_only=True)
    next_problem = serializers.IntegerField(read_only=True, allow_null=True)
    chapters = OutlineChapterForStudentSerializer(many=True, read_only=True)
    problems = OutlineProblemForStudentSerializer(many=True, read_only=True)


class OutlineProblemForStaffSerializer(serializers.Serializer[Any]):
    """`is_visible`: students of the course see it now."""

    id = serializers.IntegerField(read_only=True)
    title = serializers.CharField(read_only=True)
    type = serializers.ChoiceField(choices=Problem.Type.choices, read_only=True)
    difficulty = serializers.ChoiceField(choices=Problem.Difficulty.choices, read_only=True)
    publication = serializers.ChoiceField(choices=Problem.Status.choices, read_only=True)
    is_visible = serializers.BooleanField(read_only=True)
    due_at = serializers.DateTimeField(read_only=True, allow_null=True)


class OutlineChapterForStaffSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField(read_only=True)
    title = serializers.CharField(read_only=True)
    publication = serializers.ChoiceField(choices=Chapter.Status.choices, read_only=True)
    is_visible = serializers.BooleanField(read_only=True)
    due_at = serializers.DateTimeField(read_only=True, allow_null=True)
    problems = OutlineProblemForStaffSerializer(many=True, read_only=True)


class OutlineForStaffSerializer(serializers.Serializer[Any]):
    """Everything, drafts too, and nothing locked."""

    course = serializers.IntegerField(read_only=True)
    title = serializers.CharField(read_only=True)
    chapters = OutlineChapterForStaffSerializer(many=True, read_only=True)
    problems = OutlineProblemForStaffSerializer(many=True, read_only=True)


class NextProblemSerializer(serializers.Serializer[Any]):
    """`problem` is null where nothing is open and unsolved."""

    problem = OutlineProblemForStudentSerializer(read_only=True, allow_null=True)


def outline_for_student(course: Course, state: CourseState) -> dict[str, Any]:
    """What a student sees of a course."""
    return {
        "course": course.pk,
        "title": course.title,
        **_tally(state.tally),
        "next_problem": state.next_problem_id,
        "chapters": [_chapter_for_student(each, state) for each in state.chapters],
        "problems": [problem_seen(each, state.titles) for each in state.unplaced],
    }


def outline_for_staff(course: Course, state: CourseState) -> dict[str, Any]:
    """What staff see of a course."""
    return {
        "course": course.pk,
        "title": course.title,
        "chapters": [_chapter_for_staff(each) for each in state.chapters],
        "problems": [_problem_for_staff(each) for each in state.unplaced],
    }


def problem_seen(problem: ProblemState, titles: Mapping[Node, str]) -> dict[str, Any]:
    """A problem as it stands for a student."""
    return {
        "id": problem.id,
        "title": problem.title,
        "type": problem.type,
        "difficulty": problem.difficulty,
        "lock": lock_as_json(problem.lock, titles),
        "status": problem.status,
        "best_score": f"{problem.best_score:.2f}",
        "due_at": moment_as_json(problem.due_at),
    }


def chapter_seen(chapter: ChapterState, titles: Mapping[Node, str]) -> dict[str, Any]:
    """A chapter, without its problems, as it stands for a student."""
    return {
        "id": chapter.id,
        "title": chapter.title,
        "lock": lock_as_json(chapter.lock, titles),
        **_tally(chapter.tally),
        "due_at": moment_as_json(chapter.due_at),
    }


def _tally(tally: Tally) -> dict[str, Any]:
    percentage = tally.percentage
    return {
        "status": tally.status,
        "total": tally.total,
        "solved": tally.solved,
        "percentage": None if percentage is None else str(percentage),
    }


def _chapter_for_student(chapter: ChapterState, state: CourseState) -> dict[str, Any]:
    problems = [problem_seen(each, state.titles) for each in chapter.problems]
    return chapter_seen(chapter, state.titles) | {"problems": problems}


def _chapter_for_staff(chapter: ChapterState) -> dict[str, Any]:
    return {
        "id": chapter.id,
        "title": chapter.title,
        "publication": chapter.status,
        "is_visible": chapter.is_visible,
        "due_at": moment_as_json(chapter.due_at),
        "problems": [_problem_for_staff(each) for each in chapter.problems],
    }


def _problem_for_staff(problem: ProblemState) -> dict[str, Any]:
    return {
        "id": problem.id,
        "title": problem.title,
        "type": problem.type,
        "difficulty": problem.difficulty,
        "publication": problem.publication,
        "is_visible": problem.is_visible,
        "due_at": moment_as_json(problem.due_at),
    }
