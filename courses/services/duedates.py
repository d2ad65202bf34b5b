"""Extensions: one student's own due date for a chapter or a problem."""

from datetime import datetime

from django.db import transaction

from accounts.audit import audit_record
from accounts.models import User
from core.errors import InvalidInput, NotFound
from courses.errors import AlreadyExtended
from courses.models import Course, DueExtension, Enrollment
from courses.rules.unlocking import Node
from courses.selectors.duedates import due_dates
from courses.selectors.locks import moment_as_json
from courses.services.progress import progress_recompute
from courses.services.unlocking import due_problem_ids
from courses.services.validation import refuse, row_errors, row_lock


@transaction.atomic
def dueextension_create(
    *, actor: User, enrollment_id: int, target: Node, due_at: datetime, reason: str = ""
) -> DueExtension:
    """Give a student more time for a chapter or a problem. What they have handed in counts by it at once.

    It may lie in the past: who was ill hands in late, and brings the note later still.

    Raises:
        NotFound: there is no such enrollment.
        InvalidInput: the chapter or problem is `unknown` in the course; `/due_at` is `no_due_date`, there being none
            to extend, or `not_later` than it; `/reason` is too long.
        AlreadyExtended: the student has an extension for it.
    """
    enrollment = _lock(enrollment_id)
    kind, pk = target
    regular = _regular_due(enrollment, target)
    if regular is None:
        raise InvalidInput.at("due_at", "no_due_date", f"This {kind} has no due date to extend.")
    if due_at <= regular:
        raise InvalidInput.at("due_at", "not_later", f"It is due at {moment_as_json(regular)} in any case.")
    extension = DueExtension(enrollment=enrollment, due_at=due_at, reason=reason, **{f"{kind}_id": pk})
    if DueExtension.objects.filter(enrollment=enrollment, **{kind: pk}).exists():
        raise AlreadyExtended
    refuse(row_errors(extension))
    extension.save()
    _record(actor, "dueextension.create", extension, before=None, after=due_at)
    progress_recompute(
        course_id=enrollment.course_id, problem_ids=due_problem_ids(target), enrollment_ids=[enrollment.pk]
    )
    return extension


@transaction.atomic
def dueextension_delete(*, actor: User, extension_id: int) -> None:
    """Take an extension back; the regular date counts again, for what was handed in meanwhile too.

    Raises:
        NotFound: there is no such extension.
    """
    enrollment_id = DueExtension.objects.filter(pk=extension_id).values_list("enrollment_id", flat=True).first()
    if enrollment_id is None:
        raise NotFound
    enrollment = _lock(enrollment_id)
    extension = row_lock(DueExtension.objects.all(), extension_id)
    _record(actor, "dueextension.delete", extension, before=extension.due_at, after=None)
    target = _target(extension)
    extension.delete()
    progress_recompute(
        course_id=enrollment.course_id, problem_ids=due_problem_ids(target), enrollment_ids=[enrollment.pk]
    )


def _lock(enrollment_id: int) -> Enrollment:
    course_id = Enrollment.objects.filter(pk=enrollment_id).values_list("course_id", flat=True).first()
    if course_id is None:
        raise NotFound
    # The course too, so that the regular date stays what it is meanwhile.
    row_lock(Course.objects.all(), course_id)
    return row_lock(Enrollment.objects.all(), enrollment_id)


def _regular_due(enrollment: Enrollment, target: Node) -> datetime | None:
    """The date without extensions of what belongs to the enrollment's course."""
    kind, pk = target
    course = enrollment.course
    if kind == "chapter":
        chapter = course.chapters.filter(pk=pk).first()
        if chapter is not None:
            return chapter.due_at
    elif course.problems.filter(pk=pk).exists():
        return due_dates(enrollment_ids=[], problem_ids=[pk]).of(enrollment_id=enrollment.pk, problem_id=pk)
    raise InvalidInput.at(kind, "unknown", f"There is no such {kind} in this course.")


def _target(extension: DueExtension) -> Node:
    if extension.chapter_id is not None:
        return ("chapter", extension.chapter_id)
    return ("problem", extension.problem_id or 0)


def _record(
    actor: User, action: str, extension: DueExtension, *, before: datetime | None, after: datetime | None
) -> None:
    kind, pk = _target(extension)
    audit_record(
        actor=actor,
        action=action,
        target=extension,
        organization_id=extension.enrollment.course.organization_id,
        changes={
            "enrollment_id": [extension.enrollment_id, extension.enrollment_id],
            f"{kind}_id": [pk, pk],
            "due_at": [before, after],
            "reason": [None, extension.reason] if after else [extension.reason, None],
        },
    )
