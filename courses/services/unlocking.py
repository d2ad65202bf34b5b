"""What chapters and problems wait for, and when they open and are due."""

from collections.abc import Collection, Sequence
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from accounts.audit import audit_record
from accounts.models import User
from core.errors import FieldError, InvalidInput, NotFound, pointer_to
from courses.models import Chapter, ChapterProblem, Course, Problem, UnlockRequirement
from courses.rules.cycles import cycle_in
from courses.rules.unlocking import Node
from courses.services.progress import progress_recompute
from courses.services.validation import changes_apply, refuse, row_errors, row_lock

REQUIREMENTS_MAX = 50


@transaction.atomic
def chapter_unlocking_update(
    *,
    actor: User,
    chapter_id: int,
    requires: Sequence[Node],
    mode: str,
    unlock_at: datetime | None,
    due_at: datetime | None,
) -> Chapter:
    """Say all that a chapter waits for, and when it is due; it counts from the commit on.

    Raises:
        NotFound: there is no such chapter.
        InvalidInput: `errors` names each fault: what is required is `unknown` in this course, a `duplicate`, or closes
            a `requirement_cycle`; a date that is set is `in_the_past`, or due is `not_after_unlock`.
    """
    course = _course_lock(Chapter.objects.filter(pk=chapter_id).values_list("course_id", flat=True).first())
    chapter = row_lock(course.chapters.all(), chapter_id)
    _update(actor, course, chapter, ("chapter", chapter.pk), requires, mode, unlock_at, due_at)
    return chapter


@transaction.atomic
def problem_unlocking_update(
    *,
    actor: User,
    problem_id: int,
    requires: Sequence[Node],
    mode: str,
    unlock_at: datetime | None,
    due_at: datetime | None,
) -> Problem:
    """Say all that a problem waits for, and when it is due; see `chapter_unlocking_update`."""
    course = _course_lock(Problem.objects.filter(pk=problem_id).values_list("course_id", flat=True).first())
    problem = row_lock(course.problems.all(), problem_id)
    _update(actor, course, problem, ("problem", problem.pk), requires, mode, unlock_at, due_at)
    return problem


def cycle_refuse(*, course_id: int, at: str) -> None:
    """Refuse what has been written, if anything of the course now waits for itself. The caller holds the course.

    Raises:
        InvalidInput: `at` is `requirement_cycle`; the detail names the way round, by titles.
    """
    requirements = [
        (_owner(row), _required(row)) for row in UnlockRequirement.objects.filter(course=course_id).order_by("pk")
    ]
    if not requirements:
        return
    placements = ChapterProblem.objects.filter(chapter__course=course_id).order_by("pk")
    path = cycle_in(requirements, placements.values_list("chapter_id", "problem_id"))
    if path is not None:
        way = " → ".join(_titles_of([*path, path[0]]))
        raise InvalidInput.at(at, "requirement_cycle", f"Nobody could ever open these; each waits for the next: {way}.")


def requirements_of(row: Chapter | Problem) -> list[Node]:
    """What a chapter or problem requires, in the order given."""
    return [_required(each) for each in row.requirements.order_by("pk")]


def due_problem_ids(node: Node) -> Collection[int]:
    """The problems whose due date may hang on that of a chapter or problem."""
    if node[0] == "problem":
        return [node[1]]
    return list(ChapterProblem.objects.filter(chapter=node[1]).values_list("problem_id", flat=True))


def _owner(row: UnlockRequirement) -> Node:
    return ("chapter", row.chapter_id) if row.chapter_id is not None else ("problem", row.problem_id or 0)


def _required(row: UnlockRequirement) -> Node:
    if row.required_chapter_id is not None:
        return ("chapter", row.required_chapter_id)
    return ("problem", row.required_problem_id or 0)


def _course_lock(course_id: int | None) -> Course:
    # Locked so that two requirements that close a cycle together are seen by one another.
    if course_id is None:
        raise NotFound
    return row_lock(Course.objects.all(), course_id)


def _update(
    actor: User,
    course: Course,
    row: Chapter | Problem,
    node: Node,
    requires: Sequence[Node],
    mode: str,
    unlock_at: datetime | None,
    due_at: datetime | None,
) -> None:
    changed = changes_apply(row, {"requires_mode": mode, "unlock_at": unlock_at, "due_at": due_at})
    refuse(
        [
            *_date_errors(row, changed),
            *_requirement_errors(course, requires),
            *(error for error in row_errors(row) if error.pointer == "#/requires_mode"),
        ]
    )
    if changed:
        row.save(update_fields=[*changed])
    if (before := requirements_of(row)) != list(requires):
        _requirements_replace(course, row, node[0], requires)
        changed["requires"] = [before, list(requires)]
        cycle_refuse(course_id=course.pk, at="requires")
    if changed:
        audit_record(
            actor=actor,
            action=f"{node[0]}.unlocking",
            target=row,
            organization_id=course.organization_id,
            changes=changed,
        )
    if "due_at" in changed:
        progress_recompute(course_id=course.pk, problem_ids=due_problem_ids(node))


def _requirements_replace(course: Course, row: Chapter | Problem, kind: str, requires: Sequence[Node]) -> None:
    for former in row.requirements.all():
        former.delete()
    for required_kind, pk in requires:
        UnlockRequirement.objects.create(course=course, **{kind: row, f"required_{required_kind}_id": pk})


def _date_errors(row: Chapter | Problem, changed: Collection[str]) -> list[FieldError]:
    now = timezone.now()
    errors = [
        FieldError(pointer=f"#/{name}", code="in_the_past", detail="This moment has passed.")
        for name in ("unlock_at", "due_at")
        # What stays as it was may lie in the past.
        if name in changed and (moment := getattr(row, name)) is not None and moment <= now
    ]
    if row.unlock_at is not None and row.due_at is not None and row.due_at <= row.unlock_at:
        detail = "It would be due before it opens."
        errors.append(FieldError(pointer="#/due_at", code="not_after_unlock", detail=detail))
    return errors


def _requirement_errors(course: Course, requires: Sequence[Node]) -> list[FieldError]:
    known = _known_nodes(course, requires)
    errors = []
    for index, node in enumerate(requires):
        at = pointer_to("#/requires", index)
        if node in requires[:index]:
            errors.append(FieldError(pointer=at, code="duplicate", detail="This is required twice."))
        elif node not in known:
            detail = f"There is no such {node[0]} in this course."
            errors.append(FieldError(pointer=pointer_to(at, node[0]), code="unknown", detail=detail))
    return errors


def _known_nodes(course: Course, nodes: Collection[Node]) -> set[Node]:
    chapters = course.chapters.filter(pk__in=[pk for kind, pk in nodes if kind == "chapter"])
    problems = course.problems.filter(pk__in=[pk for kind, pk in nodes if kind == "problem"])
    return {
        *(("chapter", pk) for pk in chapters.values_list("pk", flat=True)),
        *(("problem", pk) for pk in problems.values_list("pk", flat=True)),
    }


def _titles_of(nodes: Sequence[Node]) -> list[str]:
    chapters = Chapter.objects.in_bulk([pk for kind, pk in nodes if kind == "chapter"])
    problems = Problem.objects.in_bulk([pk for kind, pk in nodes if kind == "problem"])
    return [chapters[pk].title if kind == "chapter" else problems[pk].title for kind, pk in nodes]
