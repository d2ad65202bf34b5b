"""Courses: who may make one, and how it changes."""

from datetime import datetime
from decimal import Decimal
from typing import TypedDict, Unpack

from django.db import transaction

from accounts.audit import audit_record
from accounts.models import Organization, User
from accounts.services.organizations import organization_lock
from core.errors import InvalidInput, NotFound, PermissionRefused
from courses.models import Course
from courses.services.places import seats_left
from courses.services.progress import progress_recompute
from courses.services.publishing import WINDOW_FIELDS, window_errors
from courses.services.validation import changes_apply, refuse, row_errors, row_lock

_RECORDED = ("title", "slug", "description", "status", *WINDOW_FIELDS)


class CourseChanges(TypedDict, total=False):
    title: str
    slug: str
    description: str
    status: str
    published_from: datetime | None
    published_until: datetime | None
    is_open: bool
    capacity: int | None
    late_policy: str
    late_percent_per_day: Decimal


@transaction.atomic
def course_create(
    *,
    actor: User,
    organization_id: int,
    title: str,
    slug: str,
    description: str = "",
    status: str = Course.Status.DRAFT,
    published_from: datetime | None = None,
    published_until: datetime | None = None,
    is_open: bool = False,
    capacity: int | None = None,
    late_policy: str = Course.LatePolicy.NONE,
    late_percent_per_day: Decimal = Decimal(10),
) -> Course:
    """Create a course in an organization; its owners and admins may, and are staff of it at once.

    Raises:
        NotFound: there is no such organization for the actor.
        PermissionRefused: the actor is a plain member of it.
        InvalidInput: a field is not valid, `/slug` is `unique` only elsewhere, or the window is not one
            (`courses.services.publishing`).
    """
    organization_lock(organization_id)
    if not Organization.objects.visible_to(actor).filter(pk=organization_id).exists():
        raise NotFound("There is no such organization.")
    if not Organization.objects.administered_by(actor).filter(pk=organization_id).exists():
        raise PermissionRefused("Only owners and admins of the organization may create courses in it.")
    course = Course(
        organization_id=organization_id,
        title=title,
        slug=slug,
        description=description,
        status=status,
        published_from=published_from,
        published_until=published_until,
        is_open=is_open,
        capacity=capacity,
        late_policy=late_policy,
        late_percent_per_day=late_percent_per_day,
    )
    refuse(window_errors(course, WINDOW_FIELDS) or row_errors(course))
    course.save()
    audit_record(
        actor=actor,
        action="course.create",
        target=course,
        organization_id=organization_id,
        changes={name: [None, getattr(course, name)] for name in _RECORDED},
    )
    return course


@transaction.atomic
def course_update(*, actor: User, course_id: int, **changes: Unpack[CourseChanges]) -> Course:
    """Change a course. What stays as it was is neither written nor recorded.

    Raises:
        NotFound: there is no such course.
        InvalidInput: a field is not valid, `/slug` is taken in the organization, `/capacity` is `below_enrolled`, or
            the window is not one (`courses.services.publishing`).
    """
    course = Course.objects.filter(pk=course_id).first()
    if course is None:
        raise NotFound
    organization_lock(course.organization_id)  # the slug is unique within it
    course = row_lock(Course.objects.all(), course_id)
    changed = changes_apply(course, changes)
    if changed:
        refuse(window_errors(course, changed) or row_errors(course))
        if "capacity" in changed:
            _refuse_below_enrolled(course)
        course.save()
        is_archived = "status" in changed and course.status == Course.Status.ARCHIVED
        audit_record(
            actor=actor,
            action="course.archive" if is_archived else "course.update",
            target=course,
            organization_id=course.organization_id,
            changes=changed,
        )
        if changed.keys() & {"late_policy", "late_percent_per_day"}:
            progress_recompute(course_id=course.pk)
    return course


def course_archive(*, actor: User, course_id: int) -> Course:
    """Take a course out of its students' sight; it stays, with its marks, for staff. Twice does no harm."""
    return course_update(actor=actor, course_id=course_id, status=Course.Status.ARCHIVED)


def _refuse_below_enrolled(course: Course) -> None:
    """Nobody loses their place to a number; those who are too many would have to leave first."""
    left = seats_left(course)
    if left is not None and left < 0:
        detail = f"There are {-left} more students in the course than that."
        raise InvalidInput.at("capacity", "below_enrolled", detail)
