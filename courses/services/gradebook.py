"""What is written down of gradebooks: that somebody took one away."""

from django.db import transaction

from accounts.audit import audit_record
from accounts.models import User
from core.errors import NotFound
from courses.models import Course


@transaction.atomic
def gradebook_export_record(*, actor: User, course_id: int, kind: str) -> None:
    """Record that the marks of a course are being exported; `kind` is `csv` or `xlsx`.

    Raises:
        NotFound: there is no such course.
    """
    course = Course.objects.filter(pk=course_id).first()
    if course is None:
        raise NotFound
    audit_record(
        actor=actor,
        action="gradebook.export",
        target=course,
        organization_id=course.organization_id,
        changes={"format": [None, kind]},
    )
