"""Problems of a course as tables, for its staff."""

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from core.errors import InvalidInput
from core.exact_cells import Kind
from core.parsers import StrictFormParser
from courses.api.given import exchange as given
from courses.api.permissions import IsCourseStaff
from courses.api.shown import exchange as shown
from courses.api.views.base import CourseScopedView
from courses.api.views.gradebook import OneRenderer
from courses.exchange.exporting import CONTENT_TYPES, problems_export
from courses.exchange.importing import problem_rows, problems_import
from courses.models import Course


class ProblemImportView(CourseScopedView):
    permission_classes = (IsCourseStaff,)
    parser_classes = (StrictFormParser,)

    @extend_schema(
        operation_id="problem_import",
        summary="Import a table of problems",
        request=given.ProblemTableSerializer,
        responses=shown.ProblemImportSerializer,
    )
    def post(self, request: Request, course_id: int) -> Response:
        """For staff of the course. Unless `dry_run` is false, only tells what would become of each row.

        Rows with errors keep the whole from being written, as 422 `problem_import_has_errors` with the same `totals`
        and `rows`.
        """
        course = self.course()
        body = self.body(given.ProblemTableSerializer)
        report = problems_import(actor=self.user, course_id=course.pk, rows=problem_rows(body.pop("data")), **body)
        return Response(shown.ProblemImportSerializer(report).data)


class ProblemExportView(CourseScopedView):
    permission_classes = (IsCourseStaff,)
    content_negotiation_class = OneRenderer

    @extend_schema(
        operation_id="problem_export",
        summary="Export all problems of a course",
        parameters=[OpenApiParameter("format", str, enum=list(CONTENT_TYPES), description="`csv` if not said.")],
        responses={
            (200, content_type.partition(";")[0]): OpenApiResponse(OpenApiTypes.BINARY)
            for content_type in CONTENT_TYPES.values()
        },
    )
    def get(self, request: Request, course_id: int) -> HttpResponse:
        """For staff of the course: a table, with tests and keys, that can be imported again."""
        course = self.course()
        return export_response(course, request.query_params.get("format", "csv"))


def export_response(course: Course, wanted: str) -> HttpResponse:
    """The table as a file to take away.

    Raises:
        InvalidInput: `format` is neither csv nor xlsx.
    """
    kind: Kind | None = next((kind for kind in CONTENT_TYPES if kind == wanted), None)
    if kind is None:
        raise InvalidInput.at("format", "invalid_choice", "The formats are csv and xlsx.")
    return HttpResponse(
        problems_export(course=course, kind=kind),
        content_type=CONTENT_TYPES[kind],
        # A slug is ASCII without quotes.
        headers={"Content-Disposition": f'attachment; filename="{course.slug}-problems.{kind}"'},
    )
