"""Chapters of a course, and the problems placed in them."""

from typing import TypedDict, Unpack

from django.db import transaction

from accounts.audit import audit_record
from accounts.models import User
from core.errors import InvalidInput, NotFound
from courses.errors import AlreadyPlaced
from courses.models import Chapter, ChapterProblem, Course, Problem
from courses.services.positions import position_after, position_last
from courses.services.progress import progress_recompute
from courses.services.unlocking import cycle_refuse, due_problem_ids
from courses.services.validation import changes_apply, refuse, row_errors, row_lock


class ChapterChanges(TypedDict, total=False):
    title: str
    description: str
    status: str


@transaction.atomic
def chapter_create(
    *, actor: User, course_id: int, title: str, description: str = "", status: str = Chapter.Status.PUBLISHED
) -> Chapter:
    """Add a chapter at the end of a course.

    Raises:
        NotFound: there is no such course.
        InvalidInput: a field is not valid.
    """
    # Locked so that two chapters added together do not both become the same last one.
    course = row_lock(Course.objects.all(), course_id)
    chapter = Chapter(
        course=course,
        title=title,
        description=description,
        status=status,
        position=position_last(course.chapters.all()),
    )
    refuse(row_errors(chapter))
    chapter.save()
    audit_record(
        actor=actor,
        action="chapter.create",
        target=chapter,
        organization_id=course.organization_id,
        changes={name: [None, getattr(chapter, name)] for name in ("course_id", "title", "description", "status")},
    )
    return chapter


@transaction.atomic
def chapter_update(*, actor: User, chapter_id: int, **changes: Unpack[ChapterChanges]) -> Chapter:
    """Change a chapter. What stays as it was is neither written nor recorded.

    Raises:
        NotFound: there is no such chapter.
        InvalidInput: a field is not valid.
    """
    chapter = _lock_with_course(chapter_id)
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
        if "status" in changed:
            # A draft chapter gives its problems no due date.
            progress_recompute(course_id=chapter.course_id, problem_ids=due_problem_ids(("chapter", chapter.pk)))
    return chapter


@transaction.atomic
def chapter_move(*, actor: User, chapter_id: int, after: int | None) -> Chapter:
    """Put a chapter right after another of its course, or before all others with None. At most one row is written.

    Raises:
        NotFound: there is no such chapter.
        InvalidInput: `/after` is no other chapter of the same course.
    """
    course_id = Chapter.objects.filter(pk=chapter_id).values_list("course_id", flat=True).first()
    if course_id is None:
        raise NotFound
    # Locked so that two moves together find different places.
    course = row_lock(Course.objects.all(), course_id)
    chapter = row_lock(course.chapters.all(), chapter_id)
    previous = None if after is None else course.chapters.exclude(pk=chapter_id).filter(pk=after).first()
    if after is not None and previous is None:
        raise InvalidInput.at("after", "not_a_sibling", "This is no other chapter of the same course.")
    if changed := changes_apply(
        chapter, {"position": position_after(course.chapters.all(), chapter, previous=previous)}
    ):
        chapter.save(update_fields=["position"])
        audit_record(
            actor=actor,
            action="chapter.move",
            target=chapter,
            organization_id=course.organization_id,
            changes=changed,
        )
    return chapter


@transaction.atomic
def chapter_delete(*, actor: User, chapter_id: int) -> None:
    """Delete a chapter; its problems stay in the course.

    Raises:
        NotFound: there is no such chapter.
    """
    chapter = _lock_with_course(chapter_id)
    problem_ids = list(chapter.placements.values_list("problem_id", flat=True))
    audit_record(
        actor=actor,
        action="chapter.delete",
        target=chapter,
        organization_id=chapter.course.organization_id,
        changes={"title": [chapter.title, None], "problem_ids": [problem_ids, None]},
    )
    course_id = chapter.course_id
    chapter.delete()
    progress_recompute(course_id=course_id, problem_ids=problem_ids)


@transaction.atomic
def chapterproblem_place(*, actor: User, chapter_id: int, problem_id: int) -> ChapterProblem:
    """Place a problem at the end of a chapter of its own course.

    Raises:
        NotFound: there is no such chapter, or no such problem for the actor.
        InvalidInput: `/problem` is `other_course`, or closes a `requirement_cycle`: a problem waits for its chapter,
            and a chapter is complete only with its problems.
        AlreadyPlaced: it stands in this chapter.
    """
    # Locked so that two placements together neither repeat a problem, nor share the last place, nor close a cycle.
    chapter = _lock_with_course(chapter_id)
    problem = Problem.objects.visible_to(actor).filter(pk=problem_id).first()
    if problem is None:
        raise NotFound("There is no such problem.")
    if problem.course_id != chapter.course_id:
        raise InvalidInput.at("problem", "other_course", "The problem belongs to another course than the chapter.")
    if chapter.placements.filter(problem=problem).exists():
        raise AlreadyPlaced
    placement = ChapterProblem(chapter=chapter, problem=problem, position=position_last(chapter.placements.all()))
    refuse(row_errors(placement))
    placement.save()
    cycle_refuse(course_id=chapter.course_id, at="problem")
    _record_placement(actor, "chapterproblem.place", placement, before=None, after=placement.position)
    progress_recompute(course_id=chapter.course_id, problem_ids=[problem_id])
    return placement


@transaction.atomic
def chapterproblem_move(*, actor: User, chapter_id: int, problem_id: int, after: int | None) -> ChapterProblem:
    """Put a problem right after another of its chapter, or before all others with None. At most one row is written.

    Raises:
        NotFound: the problem does not stand in this chapter.
        InvalidInput: `/after` is no other problem of this chapter.
    """
    placement = _placement_lock(chapter_id, problem_id)
    siblings = ChapterProblem.objects.filter(chapter=chapter_id)
    previous = None if after is None else siblings.exclude(pk=placement.pk).filter(problem__id=after).first()
    if after is not None and previous is None:
        raise InvalidInput.at("after", "not_a_sibling", "This is no other problem of the same chapter.")
    if changed := changes_apply(placement, {"position": position_after(siblings, placement, previous=previous)}):
        placement.save(update_fields=["position"])
        before, now = changed["position"]
        _record_placement(actor, "chapterproblem.move", placement, before=before, after=now)
    return placement


@transaction.atomic
def chapterproblem_remove(*, actor: User, chapter_id: int, problem_id: int) -> None:
    """Take a problem out of a chapter; it stays in the course.

    Raises:
        NotFound: the problem does not stand in this chapter.
    """
    placement = _placement_lock(chapter_id, problem_id)
    _record_placement(actor, "chapterproblem.remove", placement, before=placement.position, after=None)
    placement.delete()
    progress_recompute(course_id=placement.chapter.course_id, problem_ids=[problem_id])


def _lock_with_course(chapter_id: int) -> Chapter:
    """The chapter, its course locked before it (parents first): whoever changes a course's content writes its token."""
    course_id = Chapter.objects.filter(pk=chapter_id).values_list("course_id", flat=True).first()
    if course_id is None:
        raise NotFound
    return row_lock(row_lock(Course.objects.all(), course_id).chapters.all(), chapter_id)


def _placement_lock(chapter_id: int, problem_id: int) -> ChapterProblem:
    _lock_with_course(chapter_id)
    placement = ChapterProblem.objects.filter(chapter__id=chapter_id, problem__id=problem_id).first()
    if placement is None:
        raise NotFound
    return placement


def _record_placement(
    actor: User, action: str, placement: ChapterProblem, *, before: str | None, after: str | None
) -> None:
    audit_record(
        actor=actor,
        action=action,
        target=placement,
        organization_id=placement.chapter.course.organization_id,
        changes={
            "chapter_id": [placement.chapter_id, placement.chapter_id],
            "problem_id": [placement.problem_id, placement.problem_id],
            "position": [before, after],
        },
    )
