"""Chapters of a course, and the problems placed in them."""

from typing import TypedDict, Unpack

from django.db import transaction
from django.db.models import Max

from accounts.audit import audit_record
from accounts.models import User
from core.errors import InvalidInput, NotFound
from courses.errors import AlreadyPlaced
from courses.models import Chapter, ChapterProblem, Course, Problem
from courses.services.validation import changes_apply, refuse, row_errors, row_lock


class ChapterChanges(TypedDict, total=False):
    title: str
    description: str
    order: int


@transaction.atomic
def chapter_create(
    *, actor: User, course_id: int, title: str, description: str = "", order: int | None = None
) -> Chapter:
    """Add a chapter to a course; without an order it comes last.

    Raises:
        NotFound: there is no such course.
        InvalidInput: a field is not valid.
    """
    # Locked so that two chapters added together do not both become the same last one.
    course = row_lock(Course.objects.all(), course_id)
    if order is None:
        order = _next_order(course.chapters.aggregate(last=Max("order"))["last"])
    chapter = Chapter(course=course, title=title, description=description, order=order)
    refuse(row_errors(chapter))
    chapter.save()
    audit_record(
        actor=actor,
        action="chapter.create",
        target=chapter,
        organization_id=course.organization_id,
        changes={name: [None, getattr(chapter, name)] for name in ("course_id", "title", "description", "order")},
    )
    return chapter


@transaction.atomic
def chapter_update(*, actor: User, chapter_id: int, **changes: Unpack[ChapterChanges]) -> Chapter:
    """Change a chapter. What stays as it was is neither written nor recorded.

    Raises:
        NotFound: there is no such chapter.
        InvalidInput: a field is not valid.
    """
    chapter = row_lock(Chapter.objects.all(), chapter_id)
    changed = changes_apply(chapter, changes)
    if changed:
        refuse(row_errors(chapter))
        chapter.save()
        audit_record(
            actor=actor,
            action="chapter.update",
            target=chapter,
            organization_id=chapter.course.organization_id,
            changes=changed,
        )
    return chapter


@transaction.atomic
def chapter_delete(*, actor: User, chapter_id: int) -> None:
    """Delete a chapter; its problems stay in the course.

    Raises:
        NotFound: there is no such chapter.
    """
    chapter = row_lock(Chapter.objects.all(), chapter_id)
    problem_ids = list(chapter.placements.values_list("problem_id", flat=True))
    audit_record(
        actor=actor,
        action="chapter.delete",
        target=chapter,
        organization_id=chapter.course.organization_id,
        changes={"title": [chapter.title, None], "problem_ids": [problem_ids, None]},
    )
    chapter.delete()


@transaction.atomic
def chapterproblem_place(*, actor: User, chapter_id: int, problem_id: int, order: int | None = None) -> ChapterProblem:
    """Place a problem in a chapter of its own course; without an order it comes last.

    Raises:
        NotFound: there is no such chapter, or no such problem for the actor.
        InvalidInput: `/problem` is `other_course`.
        AlreadyPlaced: it stands in this chapter.
    """
    # Locked so that two placements together neither repeat a problem nor share the last place.
    chapter = row_lock(Chapter.objects.all(), chapter_id)
    problem = Problem.objects.visible_to(actor).filter(pk=problem_id).first()
    if problem is None:
        raise NotFound("There is no such problem.")
    if problem.course_id != chapter.course_id:
        raise InvalidInput.at("problem", "other_course", "The problem belongs to another course than the chapter.")
    if chapter.placements.filter(problem=problem).exists():
        raise AlreadyPlaced
    if order is None:
        order = _next_order(chapter.placements.aggregate(last=Max("order"))["last"])
    placement = ChapterProblem(chapter=chapter, problem=problem, order=order)
    refuse(row_errors(placement))
    placement.save()
    _record_placement(actor, "chapterproblem.place", placement, before=None, after=order)
    return placement


@transaction.atomic
def chapterproblem_move(*, actor: User, chapter_id: int, problem_id: int, order: int) -> ChapterProblem:
    """Give a placed problem another order within its chapter.

    Raises:
        NotFound: the problem does not stand in this chapter.
        InvalidInput: the order is not valid.
    """
    placement = _placement_lock(chapter_id, problem_id)
    if changed := changes_apply(placement, {"order": order}):
        refuse(row_errors(placement))
        placement.save()
        before, after = changed["order"]
        _record_placement(actor, "chapterproblem.move", placement, before=before, after=after)
    return placement


@transaction.atomic
def chapterproblem_remove(*, actor: User, chapter_id: int, problem_id: int) -> None:
    """Take a problem out of a chapter; it stays in the course.

    Raises:
        NotFound: the problem does not stand in this chapter.
    """
    placement = _placement_lock(chapter_id, problem_id)
    _record_placement(actor, "chapterproblem.remove", placement, before=placement.order, after=None)
    placement.delete()


def _placement_lock(chapter_id: int, problem_id: int) -> ChapterProblem:
    row_lock(Chapter.objects.all(), chapter_id)
    placement = ChapterProblem.objects.filter(chapter__id=chapter_id, problem__id=problem_id).first()
    if placement is None:
        raise NotFound
    return placement


def _next_order(last: int | None) -> int:
    return 0 if last is None else last + 1


def _record_placement(
    actor: User, action: str, placement: ChapterProblem, *, before: int | None, after: int | None
) -> None:
    audit_record(
        actor=actor,
        action=action,
        target=placement,
        organization_id=placement.chapter.course.organization_id,
        changes={
            "chapter_id": [placement.chapter_id, placement.chapter_id],
            "problem_id": [placement.problem_id, placement.problem_id],
            "order": [before, after],
        },
    )
