"""Problems: what all have in common, together with the part that the type of each adds (`courses.services.parts`)."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, TypedDict, Unpack

from django.db import IntegrityError, transaction
from django.db.models import Model

from accounts.audit import audit_record
from accounts.models import User
from core.errors import FieldError, NotFound
from courses.announcements import problem_deleting, problem_judging_changed
from courses.answer_keys import ChoiceSpec, FillBlankSpec
from courses.authoring import AlgorithmSpec
from courses.errors import ProblemInUse
from courses.models import Course, Problem
from courses.services.parts import PARTS, AlgorithmChanges, ChoiceChanges, FillBlankChanges, PartType
from courses.services.publishing import WINDOW_FIELDS, window_errors
from courses.services.validation import NOT_QUOTED, changes_apply, refuse, row_errors, row_lock

# Notes often hold the solution.
UNQUOTED_FIELDS = ("author_notes",)


class ProblemFields(TypedDict, total=False):
    """What may be said of a problem of any type besides its names."""

    statement: str
    author_notes: str
    difficulty: int
    audience: str
    status: str
    published_from: datetime | None
    published_until: datetime | None


class ProblemChanges(ProblemFields, total=False):
    title: str
    slug: str


_PROBLEM_COLUMNS = ("type", "title", "slug", *ProblemFields.__annotations__)


@transaction.atomic
def problem_create(
    *,
    actor: User | None,
    course_id: int,
    title: str,
    slug: str,
    type: str = Problem.Type.ALGORITHM,
    algorithm: AlgorithmSpec | None = None,
    choice: ChoiceSpec | None = None,
    fillblank: FillBlankSpec | None = None,
    **fields: Unpack[ProblemFields],
) -> Problem:
    """Create a problem in a course, with exactly the part of its type. Tests of a program follow as a test set.

    Raises:
        NotFound: there is no such course.
        InvalidInput: `errors` names every field at fault, those of a part below `#/algorithm`, `#/choice` or
            `#/fillblank`.
    """
    course = row_lock(Course.objects.all(), course_id)  # the slug is unique within it
    problem = Problem(course=course, type=type, title=title, slug=slug, **fields)
    parts = {"algorithm": algorithm, "choice": choice, "fillblank": fillblank}
    kind, spec = PARTS.get(type), parts.get(type)
    window = window_errors(problem, WINDOW_FIELDS)
    errors = [*(window or row_errors(problem)), *_foreign_part_errors(type, parts)]
    if kind is not None and spec is None:
        errors.append(FieldError(pointer=f"#/{type}", code="required", detail=f"A problem of type {type} has this."))
    elif kind is not None:
        errors += kind.errors(spec)
    refuse(errors)
    problem.save()
    recorded: dict[str, Any] = {name: getattr(problem, name) for name in _PROBLEM_COLUMNS}
    recorded |= {name: NOT_QUOTED for name in UNQUOTED_FIELDS if recorded[name]}
    if kind is not None:
        columns = kind.columns(spec)
        kind.model(problem=problem, **columns).save(force_insert=True)
        recorded[type] = columns | dict.fromkeys(kind.unquoted, NOT_QUOTED)
    audit_record(
        actor=actor,
        action="problem.create",
        target=problem,
        organization_id=course.organization_id,
        changes={name: [None, after] for name, after in {"course_id": course.pk, **recorded}.items()},
    )
    return problem


@transaction.atomic
def problem_update(
    *,
    actor: User | None,
    problem_id: int,
    algorithm: AlgorithmChanges | None = None,
    choice: ChoiceChanges | None = None,
    fillblank: FillBlankChanges | None = None,
    **changes: Unpack[ProblemChanges],
) -> Problem:
    """Change a problem; its part holds only what changes of that. What stays is neither written nor recorded.

    A published problem's current tests always fit how it is called and checked: to change both, take it back to
    draft, give it new tests, and publish it again.

    Raises:
        NotFound: there is no such problem.
        InvalidInput: `errors` names every field at fault; `#/algorithm` is `tests_do_not_fit` as said above, `#/status`
            is `not_answerable` where a problem would be published that nobody can answer, for want of tests.
    """
    problem = problem_lock(problem_id)
    kind = PARTS[problem.type]
    row = kind.model._default_manager.filter(problem=problem).first()
    parts = {"algorithm": algorithm, "choice": choice, "fillblank": fillblank}
    refuse(_foreign_part_errors(problem.type if row is not None else None, parts))
    was_published = problem.status == Problem.Status.PUBLISHED
    changed = changes_apply(problem, changes, unquoted=UNQUOTED_FIELDS)
    errors = (window_errors(problem, changed) or row_errors(problem)) if changed else []
    part_changed: dict[str, list[Any]] = {}
    if row is not None:
        part_errors, part_changed = _part_apply(kind, row, parts[problem.type] or {})
        errors += part_errors
    refuse(errors)
    if not changed and not part_changed:
        return problem

    if problem.status == Problem.Status.PUBLISHED:
        refuse([] if was_published else _answerable_errors(problem, kind, row))
        refuse([] if row is None else kind.fit_errors(problem, row))
    problem.save()
    if row is not None and part_changed:
        row.save()
        if kind.judged & part_changed.keys():
            problem_judging_changed.send(sender=Problem, problem_id=problem.pk)
    is_archived = "status" in changed and problem.status == Problem.Status.ARCHIVED
    audit_record(
        actor=actor,
        action="problem.archive" if is_archived else "problem.update",
        target=problem,
        organization_id=problem.course.organization_id,
        changes={**changed, **{f"{problem.type}.{name}": pair for name, pair in part_changed.items()}},
    )
    return problem


def problem_archive(*, actor: User, problem_id: int) -> Problem:
    """Take a problem out of its students' sight; it stays, with its submissions, for staff. Twice does no harm."""
    return problem_update(actor=actor, problem_id=problem_id, status=Problem.Status.ARCHIVED)


def problem_delete(*, actor: User, problem_id: int) -> None:
    """Delete a problem that nobody has answered, with its part, its tests and its places in chapters.

    Raises:
        NotFound: there is no such problem.
        ProblemInUse: it has submissions or answers; archive it instead.
    """
    try:
        with transaction.atomic():
            problem = problem_lock(problem_id)
            audit_record(
                actor=actor,
                action="problem.delete",
                target=problem,
                organization_id=problem.course.organization_id,
                changes={
                    "course_id": [problem.course_id, None],
                    "title": [problem.title, None],
                    "slug": [problem.slug, None],
                },
            )
            problem_deleting.send(sender=Problem, problem_id=problem.pk)
            problem.delete()
    except IntegrityError as error:
        # Either Django found answers (ProtectedError is one of these), or one came after it had looked, and the
        # database refused at the commit; hence the transaction stands inside.
        raise ProblemInUse("Somebody answered this problem: archive it instead.") from error


def problem_lock(problem_id: int) -> Problem:
    """The problem, its course locked before it (parents first), since its slug is unique within that."""
    course_id = Problem.objects.filter(pk=problem_id).values_list("course_id", flat=True).first()
    if course_id is None:
        raise NotFound
    row_lock(Course.objects.all(), course_id)
    return row_lock(Problem.objects.all(), problem_id)


def _foreign_part_errors(type: str | None, parts: Mapping[str, object]) -> list[FieldError]:
    """Each part that was given although the problem, of this type, does not have it."""
    return [
        FieldError(pointer=f"#/{name}", code=f"not_{name}", detail=f"This is no problem of type {name}.")
        for name, part in parts.items()
        if part is not None and name != type
    ]


def _part_apply(
    kind: PartType, row: Model, changes: Mapping[str, Any]
) -> tuple[list[FieldError], dict[str, list[Any]]]:
    """What is wrong with the part as it would be; if nothing is, it is set, unsaved, and what changed is returned."""
    present = kind.spec_of(row)
    wanted = replace(present, **changes)
    if wanted == present:
        return [], {}
    errors = kind.errors(wanted)
    return errors, {} if errors else changes_apply(row, kind.columns(wanted), unquoted=kind.unquoted)


def _answerable_errors(problem: Problem, kind: PartType, row: Model | None) -> list[FieldError]:
    if row is not None and kind.is_answerable(problem):
        return []
    detail = "Nobody could answer this problem: give it tests first."
    return [FieldError(pointer="#/status", code="not_answerable", detail=detail)]
