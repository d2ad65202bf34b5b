"""Who is in a course, for its staff."""

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from core.parsers import StrictFormParser
from courses import services
from courses.api.filters import EnrollmentFilter
from courses.api.given import enrollment as given
from courses.api.permissions import IsCourseStaff
from courses.api.shown import enrollment as shown
from courses.api.views.base import CourseScopedView
from courses.models import Enrollment
from courses.services.roster import roster_rows


class EnrollmentListView(CourseScopedView):
    permission_classes = (IsCourseStaff,)
    filterset_class = EnrollmentFilter

    @extend_schema(
        operation_id="enrollment_list",
        summary="Who is in a course",
        responses=shown.EnrollmentSerializer(many=True),
    )
    def get(self, request: Request, course_id: int) -> Response:
        """For staff of the course: those in it now, or with `is_active=false` those who left."""
        rows = Enrollment.objects.filter(course=self.course()).select_related("user")
        return self.page(rows, shown.EnrollmentSerializer)

    @extend_schema(
        operation_id="enrollment_create",
        summary="Enroll a user",
        request=given.EnrollmentCreateSerializer,
        responses={201: shown.EnrollmentSerializer},
    )
    def post(self, request: Request, course_id: int) -> Response:
        """For staff of the course. The user becomes a member of the organization if need be; who left comes back."""
        course = self.course()
        enrollment = services.enrollment_create(
            actor=self.user, course_id=course.pk, **self.body(given.EnrollmentCreateSerializer)
        )
        return Response(shown.EnrollmentSerializer(enrollment).data, status=201)


class EnrollmentDetailView(CourseScopedView):
    permission_classes = (IsCourseStaff,)

    @extend_schema(
        operation_id="enrollment_update",
        summary="Change somebody's role or group in a course",
        request=given.EnrollmentUpdateSerializer,
        responses=shown.EnrollmentSerializer,
    )
    def patch(self, request: Request, enrollment_id: int) -> Response:
        """For staff of the course."""
        enrollment = self.enrollment()
        changed = services.enrollment_update(
            actor=self.user, enrollment_id=enrollment.pk, **self.body(given.EnrollmentUpdateSerializer)
        )
        return Response(shown.EnrollmentSerializer(changed).data)

    @extend_schema(operation_id="enrollment_delete", summary="Take somebody out of a course", responses={204: None})
    def delete(self, request: Request, enrollment_id: int) -> Response:
        """For staff of the course. What they did there stays, and comes back with them."""
        services.enrollment_remove(actor=self.user, enrollment_id=self.enrollment().pk)
        return Response(status=204)


class RosterView(CourseScopedView):
    permission_classes = (IsCourseStaff,)
    parser_classes = (StrictFormParser,)

    @extend_schema(
        operation_id="roster_import",
        summary="Enroll a whole roster",
        request=given.RosterUploadSerializer,
        responses=shown.RosterReportSerializer,
    )
    def post(self, request: Request, course_id: int) -> Response:
        """For staff of the course. Unless `dry_run` is false, only tells what would become of each row.

        Rows with errors keep the whole from being written, as 422 `roster_has_errors` with the same `totals` and
        `rows`; `skip_errors` leaves them out instead.
        """
        course = self.course()
        body = self.body(given.RosterUploadSerializer)
        report = services.roster_import(
            actor=self.user, course_id=course.pk, rows=roster_rows(body.pop("data")), **body
        )
        return Response(shown.RosterReportSerializer(report).data)
