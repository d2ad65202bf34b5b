"""Who may do what with courses. Each view names one of these, or DRF's IsAuthenticated where nothing else is asked.

What a caller may not see is 404 before any of this: views look objects up among those visible to the caller.
"""

from typing import Any

from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView

from courses.models import (
    Attachment,
    Chapter,
    Course,
    CourseGroup,
    DueExtension,
    Enrollment,
    Invitation,
    Problem,
    TestSet,
)
from courses.selectors import course_is_staff


class IsCourseStaff(BasePermission):
    """Signed in, and staff of the course that the object belongs to."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        return bool(request.user and request.user.is_authenticated)

    def has_object_permission(self, request: Request, view: APIView, obj: Any) -> bool:
        return course_is_staff(request.user, _course_of(obj))


class IsCourseStaffOrReadOnly(IsCourseStaff):
    """Signed in to read what is visible; staff of the course to change it."""

    def has_object_permission(self, request: Request, view: APIView, obj: Any) -> bool:
        return request.method in SAFE_METHODS or super().has_object_permission(request, view, obj)


def _course_of(
    obj: Attachment | Course | Chapter | CourseGroup | Problem | Enrollment | Invitation | TestSet | DueExtension,
) -> Course:
    if isinstance(obj, Course):
        return obj
    if isinstance(obj, DueExtension):
        return obj.enrollment.course
    return obj.problem.course if isinstance(obj, Attachment | TestSet) else obj.course
