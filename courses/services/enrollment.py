"""Who is in a course, as what: the acts of its staff."""

from typing import TypedDict, Unpack

from django.db import transaction

from accounts.models import User
from core.errors import InvalidInput, NotFound
from courses.errors import EnrollmentEnded
from courses.models import Course, Enrollment
from courses.services.places import WRITTEN_FIELDS, group_require, place_end, place_give, place_record, seat_require
from courses.services.validation import changes_apply, refuse, row_errors, row_lock


class EnrollmentChanges(TypedDict, total=False):
    role: str
    group_id: int | None


@transaction.atomic
def enrollment_create(
    *,
    actor: User,
    course_id: int,
    user: str,
    role: str = Enrollment.Role.STUDENT,
    group_id: int | None = None,
) -> Enrollment:
    """Enroll the user with this e-mail address or username; they become a member of the organization if need be.

    Who left comes back, with this role, to all they had done.

    Raises:
        NotFound: there is no such course.
        InvalidInput: `/user` is `user_unknown`, `/group` is `group_unknown`, or the role is not valid.
        AlreadyEnrolled: they are in the course, whatever their role.
        CourseFull: they would be a student, and there is no seat.
    """
    # Locked so that the same user enrolled twice at once is told apart, and the seats are counted one after another.
    course = row_lock(Course.objects.all(), course_id)
    person = User.objects.named(user)
    if person is None or not person.is_active:
        raise InvalidInput.at("user", "user_unknown", "There is no user with this e-mail address or username.")
    group_require(course, group_id)
    return place_give(actor=actor, course=course, user=person, role=role, group_id=group_id, action="enrollment.create")


@transaction.atomic
def enrollment_update(*, actor: User, enrollment_id: int, **changes: Unpack[EnrollmentChanges]) -> Enrollment:
    """Give somebody another role in a course, or move them to another group of it.

    Raises:
        NotFound: there is no such enrollment.
        EnrollmentEnded: they have left.
        InvalidInput: the role is not valid, or `/group` is `group_unknown`.
        CourseFull: they would become a student, and there is no seat.
    """
    enrollment = _lock(enrollment_id)
    if enrollment.left_at is not None:
        raise EnrollmentEnded
    group_require(enrollment.course, changes.get("group_id"))
    before = enrollment.role
    if changed := changes_apply(enrollment, changes):
        refuse(row_errors(enrollment))
        if "role" in changed and enrollment.role == Enrollment.Role.STUDENT:
            seat_require(enrollment.course)
        enrollment.save(update_fields=WRITTEN_FIELDS)
        about = {"group_id": changed["group_id"]} if "group_id" in changed else None
        place_record(actor, "enrollment.update", enrollment, before=before, after=enrollment.role, about=about)
    return enrollment


@transaction.atomic
def enrollment_remove(*, actor: User, enrollment_id: int) -> None:
    """Take somebody out of a course; what they did there stays, and so does their place in the organization.

    Raises:
        NotFound: there is no such enrollment, or they have left.
    """
    enrollment = _lock(enrollment_id)
    if enrollment.left_at is not None:
        raise NotFound
    place_end(actor=actor, enrollment=enrollment, action="enrollment.remove")


def _lock(enrollment_id: int) -> Enrollment:
    """The row, with its course, both locked: the parent first."""
    course_id = Enrollment.objects.filter(pk=enrollment_id).values_list("course_id", flat=True).first()
    if course_id is None:
        raise NotFound
    course = row_lock(Course.objects.all(), course_id)
    enrollment = row_lock(Enrollment.objects.all(), enrollment_id)
    enrollment.course = course
    return enrollment
