"""Courses: who may make one, and how it changes."""

from typing import TypedDict, Unpack

from django.db import transaction

from accounts.audit import audit_record
from accounts.models import Organization, User
from accounts.services.organizations import organization_lock
from core.errors import NotFound, PermissionRefused
from courses.models import Course
from courses.services.validation import changes_apply, refuse, row_errors, row_lock


class CourseChanges(TypedDict, total=False):
    title: str
    slug: str
    description: str
    status: str


@transaction.atomic
def course_create(
    *,
    actor: User,
    organization_id: int,
    title: str,
    slug: str,
    description: str = "",
    status: str = Course.Status.DRAFT,
) -> Course:
    """Create a course in an organization; its owners and admins may, and are staff of it at once.

    Raises:
        NotFound: there is no such organization for the actor.
        PermissionRefused: the actor is a plain member of it.
        InvalidInput: a field is not valid, or `/slug` is `unique` only elsewhere.
    """
    organization_lock(organization_id)
    if not Organization.objects.visible_to(actor).filter(pk=organization_id).exists():
        raise NotFound("There is no such organization.")
    if not Organization.objects.administered_by(actor).filter(pk=organization_id).exists():
        raise PermissionRefused("Only owners and admins of the organization may create courses in it.")
    course = Course(organization_id=organization_id, title=title, slug=slug, description=description, status=status)
    refuse(row_errors(course))
    course.save()
    audit_record(
        actor=actor,
        action="course.create",
        target=course,
        organization_id=organization_id,
        changes={name: [None, getattr(course, name)] for name in ("title", "slug", "description", "status")},
    )
    return course


@transaction.atomic
def course_update(*, actor: User, course_id: int, **changes: Unpack[CourseChanges]) -> Course:
    """Change a course. What stays as it was is neither written nor recorded.

    Raises:
        NotFound: there is no such course.
        InvalidInput: a field is not valid, or `/slug` is taken in the organization.
    """
    course = Course.objects.filter(pk=course_id).first()
    if course is None:
        raise NotFound
    organization_lock(course.organization_id)  # the slug is unique within it
    course = row_lock(Course.objects.all(), course_id)
    changed = changes_apply(course, changes)
    if changed:
        refuse(row_errors(course))
        course.save()
        is_archived = "status" in changed and course.status == Course.Status.ARCHIVED
        audit_record(
            actor=actor,
            action="course.archive" if is_archived else "course.update",
            target=course,
            organization_id=course.organization_id,
            changes=changed,
        )
    return course


def course_archive(*, actor: User, course_id: int) -> Course:
    """Take a course out of its students' sight; it stays, with its marks, for staff. Twice does no harm."""
    return course_update(actor=actor, course_id=course_id, status=Course.Status.ARCHIVED)
