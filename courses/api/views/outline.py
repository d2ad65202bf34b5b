"""A whole course in one answer, and what to go on with."""

from datetime import datetime
from typing import Any

from django.http.response import HttpResponseBase
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, PolymorphicProxySerializer, extend_schema
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from courses.api.packed import is_packed, packed, packed_response
from courses.api.shown import outline as shown
from courses.api.views.base import CourseScopedView
from courses.models import Course
from courses.selectors.cached import student_cached
from courses.selectors.locks import moment_as_json
from courses.selectors.state import course_state

OUTLINE = PolymorphicProxySerializer(
    component_name="Outline",
    serializers=[shown.OutlineForStudentSerializer, shown.OutlineForStaffSerializer],
    resource_type_field_name=None,
)
AS_STUDENT = OpenApiParameter(
    "as", str, enum=["student"], description="For staff: what a student who has just come would get."
)


class OutlineView(CourseScopedView):
    permission_classes = (IsAuthenticated,)

    @extend_schema(operation_id="course_outline", summary="A whole course", parameters=[AS_STUDENT], responses=OUTLINE)
    def get(self, request: Request, course_id: int) -> HttpResponseBase:
        """Chapters and problems in order. For students: what is locked and why, how far they are, what comes next.

        For staff: everything, drafts too.
        """
        course = self.course()
        as_student = self.is_as_student()
        if course.is_staffed:
            state = course_state(course=course, enrollment=None, now=timezone.now(), as_student=as_student)
            told = shown.outline_for_student if as_student else shown.outline_for_staff
            return packed_response(request, packed(told(course, state)))
        return packed_response(request, self._student_outline(course.pk))

    def _student_outline(self, course_id: int) -> dict[str, Any]:
        def compute() -> dict[str, Any]:
            # Read here, after the cache's tokens, and not before: else an old title could be kept under a new token.
            course = Course.objects.get(pk=course_id)
            state = course_state(course=course, enrollment=enrollment, now=timezone.now(), as_student=True)
            return {
                **packed(shown.outline_for_student(course, state)),
                "changes_at": moment_as_json(state.changes_at),
            }

        enrollment = self.enrollment_in(course_id)
        return student_cached(
            enrollment_id=enrollment.pk, kind="outline", compute=compute, expires_at=_changes_at, is_shape=_is_outline
        )


class NextProblemView(CourseScopedView):
    permission_classes = (IsAuthenticated,)

    @extend_schema(
        operation_id="course_next_problem",
        summary="What to go on with",
        parameters=[AS_STUDENT],
        responses=shown.NextProblemSerializer,
    )
    def get(self, request: Request, course_id: int) -> Response:
        """The first problem, in the order of the course, that is open and not solved; null where there is none.

        Staff get what a student who has just come would get.
        """
        course = self.course()
        self.is_as_student()
        enrollment = None if course.is_staffed else self.enrollment_in(course.pk)
        state = course_state(course=course, enrollment=enrollment, now=timezone.now(), as_student=True)
        found = None if state.next_problem_id is None else state.by_id[state.next_problem_id]
        return Response({"problem": found and shown.problem_seen(found, state.titles)})


def _changes_at(value: dict[str, Any]) -> datetime | None:
    return datetime.fromisoformat(value["changes_at"]) if value["changes_at"] else None


def _is_outline(value: Any) -> bool:
    return isinstance(value, dict) and value.keys() == {"gzip", "sha256", "changes_at"} and is_packed(value)
