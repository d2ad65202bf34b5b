"""The sections of a course."""

from django.db import transaction

from accounts.audit import audit_record
from accounts.models import User
from core.errors import NotFound
from courses.models import Course, CourseGroup
from courses.rules.roster import group_name_tidy
from courses.services.validation import changes_apply, refuse, row_errors, row_lock


@transaction.atomic
def coursegroup_create(*, actor: User, course_id: int, name: str) -> CourseGroup:
    """Make a group of a course.

    Raises:
        NotFound: there is no such course.
        InvalidInput: `/name` is not valid, or `unique` only in other courses.
    """
    course = row_lock(Course.objects.all(), course_id)  # the name is unique within it
    group = CourseGroup(course=course, name=group_name_tidy(name))
    refuse(row_errors(group))
    group.save()
    _record(actor, "coursegroup.create", group, [None, group.name])
    return group


@transaction.atomic
def coursegroup_update(*, actor: User, group_id: int, name: str) -> CourseGroup:
    """Give a group another name.

    Raises:
        NotFound: there is no such group.
        InvalidInput: as `coursegroup_create`.
    """
    group = _lock(group_id)
    if changed := changes_apply(group, {"name": group_name_tidy(name)}):
        refuse(row_errors(group))
        group.save()
        _record(actor, "coursegroup.update", group, changed["name"])
    return group


@transaction.atomic
def coursegroup_delete(*, actor: User, group_id: int) -> None:
    """Delete a group; those in it stay in the course, without one.

    Raises:
        NotFound: there is no such group.
    """
    group = _lock(group_id)
    _record(actor, "coursegroup.delete", group, [group.name, None])
    group.delete()


def _lock(group_id: int) -> CourseGroup:
    course_id = CourseGroup.objects.filter(pk=group_id).values_list("course_id", flat=True).first()
    if course_id is None:
        raise NotFound
    course = row_lock(Course.objects.all(), course_id)
    group = row_lock(CourseGroup.objects.all(), group_id)
    group.course = course
    return group


def _record(actor: User, action: str, group: CourseGroup, name: list[str | None]) -> None:
    audit_record(
        actor=actor,
        action=action,
        target=group,
        organization_id=group.course.organization_id,
        changes={"course_id": [group.course_id, group.course_id], "name": name},
    )
