"""Coming into courses by oneself, and leaving them."""

from drf_spectacular.utils import extend_schema
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from core.clock import received_at
from courses import services
from courses.api.filters import CatalogFilter
from courses.api.given import enrollment as given
from courses.api.shown import enrollment as shown
from courses.api.views.base import CourseScopedView
from courses.selectors.joining import catalog_for, courses_known_to


class CatalogView(CourseScopedView):
    permission_classes = (IsAuthenticated,)
    filterset_class = CatalogFilter

    @extend_schema(
        operation_id="course_catalog",
        summary="Courses I may join",
        responses=shown.CatalogCourseSerializer(many=True),
    )
    def get(self, request: Request) -> Response:
        """The open, published courses of your organizations, by title."""
        return self.page(catalog_for(self.user), shown.CatalogCourseSerializer)


class CourseJoinView(CourseScopedView):
    permission_classes = (IsAuthenticated,)

    @extend_schema(
        operation_id="course_join",
        summary="Join an open course",
        request=None,
        responses={201: shown.EnrollmentSerializer},
    )
    def post(self, request: Request, course_id: int) -> Response:
        """As a student, while there are seats."""
        course = self.one_of(courses_known_to(self.user), course_id)
        enrollment = services.enrollment_join(actor=self.user, course_id=course.pk)
        return Response(shown.EnrollmentSerializer(enrollment).data, status=201)


class JoinByCodeView(CourseScopedView):
    permission_classes = (IsAuthenticated,)

    @extend_schema(
        operation_id="course_join_by_code",
        summary="Join a course by invitation",
        request=given.JoinByCodeSerializer,
        responses={201: shown.EnrollmentSerializer},
    )
    def post(self, request: Request) -> Response:
        """As a student, while there are seats. Tries are limited; a code that lets nobody in is 404, whyever."""
        enrollment = services.enrollment_join_by_code(
            actor=self.user, received_at=received_at(request), **self.body(given.JoinByCodeSerializer)
        )
        return Response(shown.EnrollmentSerializer(enrollment).data, status=201)


class CourseLeaveView(CourseScopedView):
    permission_classes = (IsAuthenticated,)

    @extend_schema(operation_id="course_leave", summary="Leave a course", request=None, responses={204: None})
    def post(self, request: Request, course_id: int) -> Response:
        """What you did there stays, and is there again should you come back."""
        services.enrollment_leave(actor=self.user, course_id=course_id)
        return Response(status=204)
