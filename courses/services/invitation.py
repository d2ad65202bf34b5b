"""Codes with which people enroll themselves. A code is a key: the records name invitations by number."""

from datetime import datetime

from django.db import transaction
from django.utils import timezone

from accounts.audit import audit_record
from accounts.models import User
from core.errors import InvalidInput, NotFound
from courses.models import Course, Invitation
from courses.rules.invitation_codes import code_generate
from courses.services.places import group_require
from courses.services.validation import refuse, row_errors, row_lock


@transaction.atomic
def invitation_create(
    *,
    actor: User,
    course_id: int,
    uses_max: int | None = None,
    expires_at: datetime | None = None,
    group_id: int | None = None,
) -> Invitation:
    """Make a code for a course that lets `uses_max` people in (None: any number) until `expires_at` (None: for good).

    Raises:
        NotFound: there is no such course.
        InvalidInput: `/expires_at` is `in_the_past`, `/group` is `group_unknown`, or `/uses_max` is below 1.
    """
    course = row_lock(Course.objects.all(), course_id)
    if expires_at is not None and expires_at <= timezone.now():
        raise InvalidInput.at("expires_at", "in_the_past", "An invitation expires in the future.")
    group_require(course, group_id)
    invitation = Invitation(
        course=course, code=code_generate(), uses_max=uses_max, expires_at=expires_at, group_id=group_id
    )
    refuse(row_errors(invitation))
    invitation.save()
    audit_record(
        actor=actor,
        action="invitation.create",
        target=invitation,
        organization_id=course.organization_id,
        changes={
            "course_id": [None, course.pk],
            "uses_max": [None, uses_max],
            "expires_at": [None, expires_at and expires_at.isoformat()],
            "group_id": [None, group_id],
        },
    )
    return invitation


@transaction.atomic
def invitation_revoke(*, actor: User, invitation_id: int) -> Invitation:
    """Let nobody in by this code any more; those it let in stay. Twice does no harm.

    Raises:
        NotFound: there is no such invitation.
    """
    course_id = Invitation.objects.filter(pk=invitation_id).values_list("course_id", flat=True).first()
    if course_id is None:
        raise NotFound
    # Whoever is joining holds the course: once this returns, nobody comes in any more.
    course = row_lock(Course.objects.all(), course_id)
    invitation = row_lock(Invitation.objects.all(), invitation_id)
    if invitation.revoked_at is None:
        invitation.revoked_at = timezone.now()
        invitation.save(update_fields=["revoked_at"])
        audit_record(
            actor=actor,
            action="invitation.revoke",
            target=invitation,
            organization_id=course.organization_id,
            changes={"course_id": [course_id, course_id], "revoked_at": [None, invitation.revoked_at.isoformat()]},
        )
    return invitation
