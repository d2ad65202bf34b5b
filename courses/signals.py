"""Receivers that keep what is derived right whoever writes: a service, the admin, or a shell.

Each is a few lines around one service, runs inside the transaction of the write, and fails with it. Writes in bulk
send no signals: services that make them call the same services themselves.
"""

from typing import Any

from django.db import models
from django.db.models.signals import post_delete, post_save, pre_delete, pre_save
from django.dispatch import Signal, receiver

from core.once import once_per_transaction
from courses.models import (
    AlgorithmProblem,
    Attachment,
    Chapter,
    ChapterProblem,
    ChoiceProblem,
    Course,
    DueExtension,
    Enrollment,
    FillBlankProblem,
    Problem,
    ProblemProgress,
    TestSet,
    UnlockRequirement,
)
from courses.services.attachment import content_forget_after_commit
from courses.services.progress import progress_recompute
from courses.services.tokens import course_cache_replace, enrollment_cache_replace

# Before a write, so that courses and enrollments are locked before what belongs to them; and after it, since outside a
# transaction something old could be cached between the two. Inside of one, the second time costs nothing.
AROUND_SAVES: tuple[Signal, ...] = (pre_save, post_save)
AROUND_WRITES: tuple[Signal, ...] = (*AROUND_SAVES, pre_delete, post_delete)

# What decides about lateness; `None` in `update_fields` is every field.
LATENESS_FIELDS: dict[type[models.Model], tuple[str, ...]] = {
    Course: ("late_policy", "late_percent_per_day"),
    Chapter: ("due_at", "status"),
    Problem: ("due_at",),
}


@receiver(AROUND_SAVES, sender=Enrollment, dispatch_uid="courses.enrollment_cache")
def forget_of_enrollment(sender: type[Enrollment], instance: Enrollment, **kwargs: Any) -> None:
    """Nothing is cached yet of an enrollment that is being made."""
    if not kwargs.get("raw") and not kwargs.get("created") and instance.pk is not None:
        enrollment_cache_replace(enrollment_id=instance.pk)


@receiver(AROUND_WRITES, sender=ProblemProgress, dispatch_uid="courses.progress_cache")
@receiver(AROUND_WRITES, sender=DueExtension, dispatch_uid="courses.extension_cache")
def forget_of_student(sender: type[models.Model], instance: ProblemProgress | DueExtension, **kwargs: Any) -> None:
    if not kwargs.get("raw"):
        enrollment_cache_replace(enrollment_id=instance.enrollment_id)


@receiver(AROUND_SAVES, sender=Course, dispatch_uid="courses.course_cache")
def forget_of_course(sender: type[Course], instance: Course, **kwargs: Any) -> None:
    """Nothing is cached yet of a course that is being made."""
    if not kwargs.get("raw") and not kwargs.get("created") and instance.pk is not None:
        course_cache_replace(course_id=instance.pk)


@receiver(AROUND_WRITES, sender=Chapter, dispatch_uid="courses.chapter_cache")
@receiver(AROUND_WRITES, sender=Problem, dispatch_uid="courses.problem_cache")
@receiver(AROUND_WRITES, sender=UnlockRequirement, dispatch_uid="courses.requirement_cache")
def forget_of_content(
    sender: type[models.Model], instance: Chapter | Problem | UnlockRequirement, **kwargs: Any
) -> None:
    if not kwargs.get("raw"):
        course_cache_replace(course_id=instance.course_id)


@receiver(AROUND_WRITES, sender=AlgorithmProblem, dispatch_uid="courses.algorithm_cache")
@receiver(AROUND_WRITES, sender=ChoiceProblem, dispatch_uid="courses.choice_cache")
@receiver(AROUND_WRITES, sender=FillBlankProblem, dispatch_uid="courses.fillblank_cache")
@receiver(AROUND_WRITES, sender=TestSet, dispatch_uid="courses.testset_cache")
@receiver(AROUND_WRITES, sender=Attachment, dispatch_uid="courses.attachment_cache")
def forget_of_problem(sender: type[models.Model], instance: Any, **kwargs: Any) -> None:
    if not kwargs.get("raw"):
        _forget_course_with(Problem, instance.problem_id)


@receiver(AROUND_WRITES, sender=ChapterProblem, dispatch_uid="courses.placement_cache")
def forget_of_placement(sender: type[ChapterProblem], instance: ChapterProblem, **kwargs: Any) -> None:
    if not kwargs.get("raw"):
        _forget_course_with(Chapter, instance.chapter_id)


def _forget_course_with(model: type[Chapter] | type[Problem], pk: int) -> None:
    """The course is looked up once per transaction too, however many rows belong to one problem or chapter."""

    def forget() -> None:
        course_id = model._default_manager.filter(pk=pk).values_list("course_id", flat=True).first()
        if course_id is not None:
            course_cache_replace(course_id=course_id)

    once_per_transaction(("courses.course_with", model._meta.label, pk), forget)


@receiver(pre_save, sender=Course, dispatch_uid="courses.course_lateness_before")
@receiver(pre_save, sender=Chapter, dispatch_uid="courses.chapter_lateness_before")
@receiver(pre_save, sender=Problem, dispatch_uid="courses.problem_lateness_before")
def note_lateness(sender: type[models.Model], instance: models.Model, **kwargs: Any) -> None:
    """Remember what is stored now, for `refold_after_edit`."""
    fields = LATENESS_FIELDS[sender]
    written = kwargs.get("update_fields")
    if kwargs.get("raw") or instance._state.adding or not (written is None or set(written) & set(fields)):
        return
    stored = sender._default_manager.filter(pk=instance.pk).values_list(*fields).first()
    instance.__dict__["_lateness_before"] = stored


@receiver(post_save, sender=Course, dispatch_uid="courses.course_lateness")
@receiver(post_save, sender=Chapter, dispatch_uid="courses.chapter_lateness")
@receiver(post_save, sender=Problem, dispatch_uid="courses.problem_lateness")
def refold_after_edit(sender: type[models.Model], instance: Course | Chapter | Problem, **kwargs: Any) -> None:
    """A date or policy is another one: what late work counts may be too."""
    before = instance.__dict__.pop("_lateness_before", None)
    if before is None or before == tuple(getattr(instance, name) for name in LATENESS_FIELDS[sender]):
        return
    if isinstance(instance, Course):
        progress_recompute(course_id=instance.pk)
    elif isinstance(instance, Chapter):
        progress_recompute(course_id=instance.course_id, problem_ids=_problems_in(instance))
    else:
        progress_recompute(course_id=instance.course_id, problem_ids=[instance.pk])


@receiver((post_save, post_delete), sender=ChapterProblem, dispatch_uid="courses.placement_lateness")
def refold_after_placement(sender: type[ChapterProblem], instance: ChapterProblem, **kwargs: Any) -> None:
    """A problem is due with the chapters that it stands in. Where these go as a whole, `refold_after_chapter` acts."""
    is_moved = kwargs["signal"] is post_save and not kwargs.get("created")
    is_with_others = isinstance(kwargs.get("origin"), Chapter | Problem | Course)
    if not kwargs.get("raw") and not is_moved and not is_with_others:
        progress_recompute(course_id=instance.chapter.course_id, problem_ids=[instance.problem_id])


@receiver(pre_delete, sender=Chapter, dispatch_uid="courses.chapter_problems_before")
def note_problems(sender: type[Chapter], instance: Chapter, **kwargs: Any) -> None:
    """Remember what stands in it, for `refold_after_chapter`."""
    instance.__dict__["_problems_before"] = _problems_in(instance)


@receiver(post_delete, sender=Chapter, dispatch_uid="courses.chapter_deleted_lateness")
def refold_after_chapter(sender: type[Chapter], instance: Chapter, **kwargs: Any) -> None:
    if problem_ids := instance.__dict__.pop("_problems_before", None):
        progress_recompute(course_id=instance.course_id, problem_ids=problem_ids)


@receiver((post_save, post_delete), sender=DueExtension, dispatch_uid="courses.extension_lateness")
def refold_after_extension(sender: type[DueExtension], instance: DueExtension, **kwargs: Any) -> None:
    if not kwargs.get("raw"):
        progress_recompute(course_id=instance.enrollment.course_id, enrollment_ids=[instance.enrollment_id])


@receiver(post_delete, sender=Attachment, dispatch_uid="courses.attachment_content")
def forget_content(sender: type[Attachment], instance: Attachment, **kwargs: Any) -> None:
    """However a file is deleted, alone or with its problem, its content goes with the last row that refers to it."""
    content_forget_after_commit(instance.sha256)


def _problems_in(chapter: Chapter) -> list[int]:
    return list(chapter.placements.values_list("problem_id", flat=True))
