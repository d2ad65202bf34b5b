"""Copies of problems and courses."""

from functools import partial

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from core.idempotency import made_once
from core.schema import IDEMPOTENCY
from courses import services
from courses.api.given import duplicating as given
from courses.api.permissions import IsCourseStaff
from courses.api.shown import basics as shown
from courses.api.views.base import CourseScopedView


class ProblemDuplicateView(CourseScopedView):
    permission_classes = (IsCourseStaff,)

    @extend_schema(
        operation_id="problem_duplicate",
        summary="Copy a problem",
        request=given.ProblemDuplicateSerializer,
        responses={201: shown.ProblemForStaffSerializer},
        parameters=IDEMPOTENCY,
    )
    def post(self, request: Request, problem_id: int) -> Response:
        """For staff of its course and of the one it is copied into: a draft with tests and files, in no chapter."""
        problem = self.problem()
        copy = partial(
            services.problem_duplicate,
            actor=self.user,
            problem_id=problem.pk,
            **self.body(given.ProblemDuplicateSerializer),
        )
        made = made_once(request, lambda: shown.ProblemForStaffSerializer(copy()).data)
        return Response(made.answer, status=201, headers=made.headers)


class CourseDuplicateView(CourseScopedView):
    permission_classes = (IsCourseStaff,)

    @extend_schema(
        operation_id="course_duplicate",
        summary="Copy a course",
        request=given.CourseDuplicateSerializer,
        responses={201: shown.CourseSerializer},
        parameters=IDEMPOTENCY,
    )
    def post(self, request: Request, course_id: int) -> Response:
        """For staff of the course who own or administer the organization: a draft with all that authors made."""
        course = self.course()
        copy = partial(
            services.course_duplicate,
            actor=self.user,
            course_id=course.pk,
            **self.body(given.CourseDuplicateSerializer),
        )
        made = made_once(request, lambda: shown.CourseSerializer(copy()).data)
        return Response(made.answer, status=201, headers=made.headers)
