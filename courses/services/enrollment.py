"""Who is in a course, as what."""

from django.db import transaction

from accounts.audit import audit_record
from accounts.models import Membership, User
from core.errors import InvalidInput, NotFound
from courses.errors import AlreadyEnrolled
from courses.models import Course, Enrollment
from courses.services.validation import changes_apply, refuse, row_errors, row_lock


@transaction.atomic
def enrollment_create(*, actor: User, course_id: int, user: str, role: str = Enrollment.Role.STUDENT) -> Enrollment:
    """Enroll the user with this e-mail address or username; they become a member of the organization if need be.

    Raises:
        NotFound: there is no such course.
        InvalidInput: `/user` is `user_unknown`, or the role is not valid.
        AlreadyEnrolled: they are in the course, whatever their role.
    """
    # Locked so that the same user enrolled twice at once is told apart below, not by the database.
    course = row_lock(Course.objects.all(), course_id)
    person = User.objects.named(user)
    if person is None or not person.is_active:
        raise InvalidInput.at("user", "user_unknown", "There is no user with this e-mail address or username.")
    if Enrollment.objects.filter(course=course, user=person).exists():
        raise AlreadyEnrolled
    enrollment = Enrollment(course=course, user=person, role=role)
    refuse(row_errors(enrollment))
    enrollment.save()
    _record(actor, "enrollment.create", enrollment, before=None, after=role)
    membership, is_new = Membership.objects.get_or_create(organization_id=course.organization_id, user=person)
    if is_new:
        audit_record(
            actor=actor,
            action="membership.add",
            target=membership,
            organization_id=course.organization_id,
            changes={"user_id": [person.pk, person.pk], "role": [None, membership.role]},
        )
    return enrollment


@transaction.atomic
def enrollment_update_role(*, actor: User, enrollment_id: int, role: str) -> Enrollment:
    """Give somebody another role in a course.

    Raises:
        NotFound: there is no such enrollment.
        InvalidInput: the role is not valid.
    """
    enrollment = _lock(enrollment_id)
    if changed := changes_apply(enrollment, {"role": role}):
        refuse(row_errors(enrollment))
        enrollment.save()
        before, after = changed["role"]
        _record(actor, "enrollment.update_role", enrollment, before=before, after=after)
    return enrollment


@transaction.atomic
def enrollment_remove(*, actor: User, enrollment_id: int) -> None:
    """Take somebody out of a course; what they handed in stays, and so does their place in the organization.

    Raises:
        NotFound: there is no such enrollment.
    """
    enrollment = _lock(enrollment_id)
    _record(actor, "enrollment.remove", enrollment, before=enrollment.role, after=None)
    enrollment.delete()


def _lock(enrollment_id: int) -> Enrollment:
    course_id = Enrollment.objects.filter(pk=enrollment_id).values_list("course_id", flat=True).first()
    if course_id is None:
        raise NotFound
    row_lock(Course.objects.all(), course_id)
    return row_lock(Enrollment.objects.all(), enrollment_id)


def _record(actor: User, action: str, enrollment: Enrollment, *, before: str | None, after: str | None) -> None:
    audit_record(
        actor=actor,
        action=action,
        target=enrollment,
        organization_id=enrollment.course.organization_id,
        changes={
            "course_id": [enrollment.course_id, enrollment.course_id],
            "user_id": [enrollment.user_id, enrollment.user_id],
            "role": [before, after],
        },
    )
