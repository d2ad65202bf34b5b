"""Who sees which rows of progress."""

from typing import Any

from django.db.models import QuerySet

from courses.models import Course, Enrollment, Problem, ProblemProgress
from courses.selectors import course_is_staff


def progress_of_course(user: Any, course: Course) -> QuerySet[ProblemProgress]:
    """What has been begun in a course: one's own, as far as one sees the problems; for staff that of all students.

    Students who left are not listed; their rows stay.
    """
    rows = ProblemProgress.objects.filter(enrollment__course=course, enrollment__left_at__isnull=True)
    if course_is_staff(user, course):
        rows = rows.filter(enrollment__role=Enrollment.Role.STUDENT)
    else:
        rows = rows.filter(enrollment__user=user, problem__in=Problem.objects.visible_to(user))
    return rows.select_related("enrollment").order_by("enrollment_id", "problem_id")
