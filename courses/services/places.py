"""Places in a course: who gets one, while there are seats, and how they lose it.

Every function here is called with the course's row locked: seats are counted, and given, one after another.
"""

from collections.abc import Mapping
from typing import Any

from django.utils import timezone

from accounts.audit import audit_record
from accounts.models import Membership, User
from core.errors import InvalidInput
from courses.errors import AlreadyEnrolled, CourseFull
from courses.models import Course, CourseGroup, Enrollment
from courses.services.validation import refuse, row_errors

# What a change of a place writes. Not the token, which others replace without the lock on the course.
WRITTEN_FIELDS = ("role", "group", "left_at", "updated_at")


def seats_left(course: Course) -> int | None:
    """How many more students there may be; None for any number, negative where there are too many already."""
    if course.capacity is None:
        return None
    return course.capacity - Enrollment.objects.seated().filter(course=course).count()


def seat_require(course: Course) -> None:
    """Raises `CourseFull` unless one more student may come."""
    left = seats_left(course)
    if left is not None and left < 1:
        raise CourseFull


def group_require(course: Course, group_id: int | None) -> None:
    """Raises `InvalidInput` at `/group`, `group_unknown`, unless it is None or a group of the course."""
    if group_id is not None and not CourseGroup.objects.filter(course=course, pk=group_id).exists():
        raise InvalidInput.at("group", "group_unknown", "The course has no such group.")


def place_give(
    *,
    actor: User,
    course: Course,
    user: User,
    role: str,
    group_id: int | None = None,
    action: str,
    about: Mapping[str, Any] | None = None,
) -> Enrollment:
    """Enroll a user, or bring one back who left; they become a member of the organization if need be.

    Without a group, who comes back is in theirs again. `about` goes into the record, as `audit_record` takes it.

    Raises:
        AlreadyEnrolled: they are in the course, whatever their role.
        InvalidInput: the role is not valid.
        CourseFull: they would be a student, and there is no seat.
    """
    enrollment = _row_of(course, user)
    if enrollment.pk is not None and enrollment.left_at is None:
        raise AlreadyEnrolled
    is_back = enrollment.pk is not None
    enrollment.role, enrollment.left_at = role, None
    if group_id is not None:
        enrollment.group_id = group_id
    refuse(row_errors(enrollment))
    if role == Enrollment.Role.STUDENT:
        seat_require(course)
    enrollment.save(update_fields=WRITTEN_FIELDS if is_back else None)
    place_record(actor, action, enrollment, before=None, after=role, about=about)
    _membership_require(actor=actor, course=course, user=user)
    return enrollment


def place_end(*, actor: User, enrollment: Enrollment, action: str) -> None:
    """Take an active enrollment's user out of the course: the row stays, with all that hangs on it."""
    enrollment.left_at = timezone.now()
    enrollment.save(update_fields=WRITTEN_FIELDS)
    place_record(actor, action, enrollment, before=enrollment.role, after=None)


def place_record(
    actor: User,
    action: str,
    enrollment: Enrollment,
    *,
    before: str | None,
    after: str | None,
    about: Mapping[str, Any] | None = None,
) -> None:
    """Write down who did what to whose place in which course."""
    audit_record(
        actor=actor,
        action=action,
        target=enrollment,
        organization_id=enrollment.course.organization_id,
        changes={
            "course_id": [enrollment.course_id, enrollment.course_id],
            "user_id": [enrollment.user_id, enrollment.user_id],
            "role": [before, after],
            **(about or {}),
        },
    )


def _row_of(course: Course, user: User) -> Enrollment:
    """The user's row, locked, or a new one."""
    # Whoever applies a verdict holds the row without the course.
    found = Enrollment.objects.select_for_update(no_key=True).filter(course=course, user=user).first()
    enrollment = found or Enrollment(user=user)
    enrollment.course, enrollment.user = course, user
    return enrollment


def _membership_require(*, actor: User, course: Course, user: User) -> None:
    membership, is_new = Membership.objects.get_or_create(organization_id=course.organization_id, user=user)
    if is_new:
        audit_record(
            actor=actor,
            action="membership.add",
            target=membership,
            organization_id=course.organization_id,
            changes={"user_id": [user.pk, user.pk], "role": [None, membership.role]},
        )
