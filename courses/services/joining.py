"""Coming into a course, and out of it, by oneself."""

from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.db.models import F

from accounts.models import User
from core.errors import NotFound
from courses.errors import AlreadyEnrolled, CourseNotJoinable, InvitationUnknown, JoinTriesUsed
from courses.models import Course, Enrollment, Invitation, JoinQuota
from courses.rules.invitation_codes import code_canonical
from courses.services.places import place_end, place_give
from courses.services.validation import row_lock


@transaction.atomic
def enrollment_join(*, actor: User, course_id: int) -> Enrollment:
    """Enroll oneself as a student of an open course.

    Raises:
        NotFound: there is no such course.
        AlreadyEnrolled: one is in the course, whatever one's role.
        CourseNotJoinable: it is not open, not published now, or of an organization one is no member of.
        CourseFull: there is no seat.
    """
    course = row_lock(Course.objects.all(), course_id)
    if not Course.objects.joinable_by(actor).filter(pk=course_id).exists():
        if Enrollment.objects.active().filter(course=course, user=actor).exists():
            raise AlreadyEnrolled
        raise CourseNotJoinable
    return place_give(actor=actor, course=course, user=actor, role=Enrollment.Role.STUDENT, action="enrollment.join")


def enrollment_join_by_code(*, actor: User, code: str, received_at: datetime) -> Enrollment:
    """Enroll oneself as a student with an invitation, which was used at `received_at`; each try is counted.

    One becomes a member of the organization if need be, and comes into the invitation's group.

    Raises:
        JoinTriesUsed: the tries of this window are used up.
        InvitationUnknown: no invitation of this code lets anybody in.
        AlreadyEnrolled: one is in the course; the invitation is not used up by that.
        CourseFull: there is no seat.
    """
    # Committed before the code is looked at: of many guesses at once, no more than the limit are compared.
    _try_count(actor, received_at)
    return _join_by_code(actor=actor, code=code_canonical(code), received_at=received_at)


@transaction.atomic
def enrollment_leave(*, actor: User, course_id: int) -> None:
    """Leave a course; what one did there stays.

    Raises:
        NotFound: one is not in such a course.
    """
    row_lock(Course.objects.all(), course_id)
    mine = Enrollment.objects.active().filter(course_id=course_id, user=actor)
    enrollment = mine.select_for_update(no_key=True).first()
    if enrollment is None:
        raise NotFound
    place_end(actor=actor, enrollment=enrollment, action="enrollment.leave")


@transaction.atomic
def _join_by_code(*, actor: User, code: str, received_at: datetime) -> Enrollment:
    # One question whatever is wrong with a code, so that its answer takes as long for each.
    usable = Invitation.objects.usable_at(received_at).filter(code=code)
    course_id = usable.values_list("course_id", flat=True).first()
    if course_id is None:
        raise InvitationUnknown
    course = row_lock(Course.objects.all(), course_id)
    # Asked again: the last use may have been somebody else's while we waited for the course.
    invitation = usable.first()
    if invitation is None:
        raise InvitationUnknown
    enrollment = place_give(
        actor=actor,
        course=course,
        user=actor,
        role=Enrollment.Role.STUDENT,
        group_id=invitation.group_id,
        action="enrollment.join",
        about={"invitation_id": [invitation.pk, invitation.pk]},
    )
    Invitation.objects.filter(pk=invitation.pk).update(uses=F("uses") + 1)
    return enrollment


@transaction.atomic
def _try_count(user: User, now: datetime) -> None:
    row, _ = JoinQuota.objects.select_for_update().get_or_create(user=user, defaults={"window_started_at": now})
    retry_after_s = row.count_one(
        now=now, window_s=settings.COURSES_JOIN_WINDOW_S, most=settings.COURSES_JOIN_TRIES_PER_WINDOW
    )
    if retry_after_s is not None:
        raise JoinTriesUsed("Wait before you try another code.", retry_after_s=retry_after_s)
