"""Copies of problems and of whole courses, in a number of statements that does not grow with every row.

A copy has what authors made, and nothing of what students did. Contents of files are shared, by their hash.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, TypeVar

from django.db import transaction
from django.db.models import Max, Model, Sum

from accounts.audit import audit_record
from accounts.models import User
from core.errors import NotFound, PermissionRefused
from courses.announcements import problems_duplicated
from courses.errors import AttachmentsFull
from courses.models import (
    Attachment,
    Chapter,
    ChapterProblem,
    Course,
    Problem,
    TestCase,
    TestSet,
    UnlockRequirement,
)
from courses.services.attachment import COURSE_BYTES_MAX
from courses.services.course import course_create
from courses.services.parts import PARTS
from courses.services.testset import BATCH
from courses.services.tokens import course_cache_replace
from courses.services.validation import refuse, row_errors, row_lock

ModelT = TypeVar("ModelT", bound=Model)

DATES = ("published_from", "published_until", "unlock_at", "due_at")
SHIFT_DAYS_MAX = 3660
TITLE_CHARACTERS_MAX, SLUG_CHARACTERS_MAX = 200, 80


@transaction.atomic
def problem_duplicate(
    *, actor: User, problem_id: int, course_id: int | None = None, title: str | None = None, slug: str | None = None
) -> Problem:
    """Copy a problem as a draft into its own course or another: its part, current tests, files, and author's notes.

    What it requires, and when it opens and is due, is copied within its own course only. It stands in no chapter.
    Without a title or slug it gets one that tells it from the original.

    Raises:
        NotFound: there is no such problem, or no such course for the actor.
        PermissionRefused: the actor is not staff of the course it is copied into.
        InvalidInput: a field is not valid, or `/slug` is taken in the course.
        AttachmentsFull: the files of the course would be too many bytes together.
    """
    source_id = Problem.objects.filter(pk=problem_id).values_list("course_id", flat=True).first()
    if source_id is None:
        raise NotFound
    target_id = source_id if course_id is None else course_id
    if not Course.objects.visible_to(actor).filter(pk=target_id).exists():
        raise NotFound("There is no such course.")
    if not Course.objects.staffed_by(actor).filter(pk=target_id).exists():
        raise PermissionRefused("Only staff of a course may add problems to it.")
    courses = {pk: row_lock(Course.objects.all(), pk) for pk in sorted({source_id, target_id})}
    source = row_lock(courses[source_id].problems.all(), problem_id)
    is_elsewhere = source_id != target_id
    problem = _copied(
        source,
        course=courses[target_id],
        title=source.title if title is None and is_elsewhere else title or _title_of_copy(source.title),
        slug=_free_slug(source.slug, target_id) if slug is None else slug,
        status=Problem.Status.DRAFT,
        **dict.fromkeys(DATES if is_elsewhere else DATES[:2]),
    )
    refuse(row_errors(problem))
    _refuse_over_quota(source, target_id)
    problem.save()
    copies = {source.pk: problem}
    _copy_inside(copies)
    if not is_elsewhere:
        _copy_requirements(source.requirements.all(), courses[target_id], {}, copies)
    _announce(actor, copies)
    course_cache_replace(course_id=target_id)
    audit_record(
        actor=actor,
        action="problem.duplicate",
        target=problem,
        organization_id=courses[target_id].organization_id,
        changes={
            "problem_id": [source.pk, problem.pk],
            "course_id": [source_id, target_id],
            "title": [source.title, problem.title],
            "slug": [source.slug, problem.slug],
        },
    )
    return problem


@transaction.atomic
def course_duplicate(
    *,
    actor: User,
    course_id: int,
    title: str,
    slug: str,
    organization_id: int | None = None,
    shift_days: int | None = None,
) -> Course:
    """Copy a course as a draft: chapters, problems with their tests and files, their places, and what they require.

    Enrollments, groups, invitations and all that students did stay behind. Dates are moved by `shift_days` days of 24
    hours, or left out.

    Raises:
        NotFound: there is no such course, or no such organization for the actor.
        PermissionRefused: the actor is neither owner nor admin of the organization.
        InvalidInput: a field is not valid, or `/slug` is taken in the organization.
    """
    source = Course.objects.filter(pk=course_id).first()
    if source is None:
        raise NotFound
    course = course_create(
        actor=actor,
        organization_id=source.organization_id if organization_id is None else organization_id,
        title=title,
        slug=slug,
        description=source.description,
        is_open=source.is_open,
        capacity=source.capacity,
        late_policy=source.late_policy,
        late_percent_per_day=source.late_percent_per_day,
    )
    # Locked so that what is copied does not change, and no file goes, meanwhile.
    source = row_lock(Course.objects.all(), course_id)
    chapters = _created(
        Chapter, {row.pk: _copied(row, course=course, **_shifted(row, shift_days)) for row in source.chapters.all()}
    )
    problems = _created(
        Problem, {row.pk: _copied(row, course=course, **_shifted(row, shift_days)) for row in source.problems.all()}
    )
    _copy_inside(problems)
    ChapterProblem.objects.bulk_create(
        [
            _copied(row, chapter=chapters[row.chapter_id], problem=problems[row.problem_id])
            for row in ChapterProblem.objects.filter(chapter__course=source)
        ],
        batch_size=BATCH,
    )
    _copy_requirements(UnlockRequirement.objects.filter(course=source), course, chapters, problems)
    _announce(actor, problems)
    audit_record(
        actor=actor,
        action="course.duplicate",
        target=course,
        organization_id=course.organization_id,
        changes={
            "course_id": [source.pk, course.pk],
            "chapters": [None, len(chapters)],
            "problems": [None, len(problems)],
            "shift_days": [None, shift_days],
        },
    )
    return course


def _copied(row: ModelT, **changes: Any) -> ModelT:
    """A new row like this one, unsaved."""
    values = {
        field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields if not field.primary_key
    }
    copy = type(row)(**values)
    for name, value in changes.items():
        setattr(copy, name, value)
    return copy


def _created(model: type[ModelT], copies: dict[int, ModelT]) -> dict[int, ModelT]:
    model._default_manager.bulk_create(copies.values(), batch_size=BATCH)
    return copies


def _shifted(row: Model, shift_days: int | None) -> dict[str, datetime | None]:
    """A row's dates, moved; without a number of days none."""
    moments = {name: getattr(row, name) for name in DATES if hasattr(row, name)}
    if shift_days is None:
        return dict.fromkeys(moments)
    return {name: moment and moment + timedelta(days=shift_days) for name, moment in moments.items()}


def _copy_inside(problems: Mapping[int, Problem]) -> None:
    """What belongs to each problem alone, for the copy of each: `problems` are copies by the originals' ids."""
    for kind in PARTS.values():
        parts = kind.model._default_manager.filter(pk__in=problems)
        kind.model._default_manager.bulk_create(
            [_copied(part, problem=problems[part.pk]) for part in parts], batch_size=BATCH
        )
    attachments = Attachment.objects.filter(problem__in=problems)
    Attachment.objects.bulk_create(
        [_copied(row, problem=problems[row.problem_id]) for row in attachments], batch_size=BATCH
    )
    _copy_tests(problems)


def _announce(actor: User, problems: Mapping[int, Problem]) -> None:
    copies = {source_id: copy.pk for source_id, copy in problems.items()}
    problems_duplicated.send(sender=Problem, actor_id=actor.pk, copies=copies)


def _copy_tests(problems: Mapping[int, Problem]) -> None:
    """The current version of each problem's tests, as the copy's first, which has judged nothing yet."""
    newest = TestSet.objects.filter(problem__in=problems).values("problem").annotate(newest=Max("version"))
    versions = dict(newest.values_list("problem", "newest"))
    sets = {
        row.pk: _copied(row, problem=problems[row.problem_id], version=1, frozen_at=None)
        for row in TestSet.objects.filter(problem__in=problems)
        if row.version == versions[row.problem_id]
    }
    _created(TestSet, sets)
    # Tests may be large: never more of them in memory than one statement takes.
    batch: list[TestCase] = []
    for test_case in TestCase.objects.filter(test_set__in=sets).order_by("pk").iterator(chunk_size=BATCH):
        batch.append(_copied(test_case, test_set=sets[test_case.test_set_id]))
        if len(batch) == BATCH:
            TestCase.objects.bulk_create(batch)
            batch = []
    TestCase.objects.bulk_create(batch)


def _copy_requirements(
    requirements: Iterable[UnlockRequirement],
    course: Course,
    chapters: Mapping[int, Chapter],
    problems: Mapping[int, Problem],
) -> None:
    """Requirements of the copies; what has no copy is required as it is."""

    def mapped(copies: Mapping[int, Chapter] | Mapping[int, Problem], pk: int | None) -> int | None:
        return copies[pk].pk if pk is not None and pk in copies else pk

    UnlockRequirement.objects.bulk_create(
        [
            UnlockRequirement(
                course=course,
                chapter_id=mapped(chapters, row.chapter_id),
                problem_id=mapped(problems, row.problem_id),
                required_chapter_id=mapped(chapters, row.required_chapter_id),
                required_problem_id=mapped(problems, row.required_problem_id),
            )
            for row in requirements
        ],
        batch_size=BATCH,
    )


def _title_of_copy(title: str) -> str:
    ending = " (copy)"
    return title[: TITLE_CHARACTERS_MAX - len(ending)] + ending


def _free_slug(slug: str, course_id: int) -> str:
    """The slug, or the first of `slug-copy`, `slug-copy-2` and so on that is free in the course, which is locked."""
    taken = {*Problem.objects.filter(course=course_id).values_list("slug", flat=True)}
    return next(each for each in _slugs(slug) if each not in taken)


def _slugs(slug: str) -> Iterable[str]:
    yield slug
    number = 1
    while True:
        ending = "-copy" if number == 1 else f"-copy-{number}"
        yield slug[: SLUG_CHARACTERS_MAX - len(ending)] + ending
        number += 1


def _refuse_over_quota(source: Problem, course_id: int) -> None:
    def size_bytes(**where: Any) -> int:
        return int(Attachment.objects.filter(**where).aggregate(total=Sum("size_bytes"))["total"] or 0)

    added = size_bytes(problem=source)
    if added and added + size_bytes(problem__course=course_id) > COURSE_BYTES_MAX:
        raise AttachmentsFull(f"The files of a course have at most {COURSE_BYTES_MAX // 1024**2} MiB together.")
