"""What all students of a course have been credited: in pages, and as a file to take away."""

from collections.abc import AsyncIterator, Iterator
from itertools import islice
from typing import Any

from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIRequest
from django.db import connection
from django.http import HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.utils.http import content_disposition_header
from django.utils.text import slugify
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.request import Request
from rest_framework.response import Response

from core.pagination import PageNumberPagination
from core.spreadsheets import csv_rows, xlsx_file
from courses.api.filters import GradebookExportFilter, GradebookFilter
from courses.api.permissions import IsCourseStaff
from courses.api.shown import gradebook as shown
from courses.api.views.base import CourseScopedView
from courses.models import Enrollment
from courses.selectors.gradebook import (
    GradebookScope,
    gradebook_all_rows,
    gradebook_columns,
    gradebook_rows,
    gradebook_students,
)
from courses.services import gradebook_export_record

CONTENT_TYPES = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
LINES_AT_ONCE = 200
PAGES = [
    OpenApiParameter("page", int, description="Which page."),
    OpenApiParameter("page_size", int, description="Students on a page, at most 50."),
]


class GradebookPagination(PageNumberPagination):
    """A student is a row of as many cells as there are problems: fewer on a page than elsewhere."""

    max_page_size = 50


class OneRenderer(BaseContentNegotiation):
    """`format` and the `Accept` header name the file; refusals are told as everywhere."""

    def select_parser(self, request: Request, parsers: Any) -> Any:
        return next(iter(parsers), None)

    def select_renderer(self, request: Request, renderers: Any, format_suffix: str | None = None) -> Any:
        return renderers[0], renderers[0].media_type


class GradebookScopedView(CourseScopedView):
    """Reads from the query which problems are asked for; the filters of the list read which students."""

    permission_classes = (IsCourseStaff,)

    def chosen(self) -> dict[str, Any]:
        """What the query chooses, as far as it is valid; filtering the list refuses what is not."""
        filterset = self.filterset_class(self.request.query_params, Enrollment.objects.none())  # type: ignore[attr-defined]
        filterset.form.is_valid()
        return dict(filterset.form.cleaned_data)

    def scope(self) -> GradebookScope:
        chosen = self.chosen()
        return GradebookScope(
            now=timezone.now(), chapter_id=chosen.get("chapter"), has_all=chosen.get("problems") == "all"
        )


class GradebookView(GradebookScopedView):
    filterset_class = GradebookFilter
    pagination_class = GradebookPagination

    @extend_schema(
        operation_id="gradebook_retrieve",
        summary="The gradebook of a course",
        filters=True,
        parameters=PAGES,
        responses=shown.GradebookSerializer,
    )
    def get(self, request: Request, course_id: int) -> Response:
        """For staff of the course: its students, 50 on a page, and what they have been credited on each problem."""
        course = self.course()
        scope = self.scope()
        page = self.paginate_queryset(self.filter_queryset(gradebook_students(course, scope))) or []
        columns = gradebook_columns(course, scope)
        rows = gradebook_rows(page, columns, course, scope)
        response = self.get_paginated_response([shown.gradebook_row(row) for row in rows])
        response.data["problems"] = [shown.gradebook_column(column) for column in columns]
        return response


class GradebookExportView(GradebookScopedView):
    filterset_class = GradebookExportFilter
    pagination_class = None
    content_negotiation_class = OneRenderer

    @extend_schema(
        operation_id="gradebook_export",
        summary="The gradebook of a course as a file",
        filters=True,
        responses={
            (200, content_type.partition(";")[0]): OpenApiResponse(OpenApiTypes.BINARY)
            for content_type in CONTENT_TYPES.values()
        },
    )
    def get(self, request: Request, course_id: int) -> HttpResponseBase:
        """For staff of the course: all students that the filters leave, as CSV or as a workbook.

        Numbers are the credited scores. Text that a spreadsheet program would take for a formula is marked as text.
        """
        course = self.course()
        scope = self.scope()
        students = self.filter_queryset(gradebook_students(course, scope))
        kind = self.chosen()["format"] or "csv"
        columns = gradebook_columns(course, scope)
        gradebook_export_record(actor=self.user, course_id=course.pk, kind=kind)
        header = shown.table_header(columns)
        rows = shown.table_rows(gradebook_all_rows(students, columns, course, scope))
        response: HttpResponseBase
        if kind == "xlsx":
            response = HttpResponse(xlsx_file(header, rows, sheet_title=course.title))
        else:
            response = _streamed(request, csv_rows(header, rows))
        name = f"gradebook-{slugify(course.slug) or course.pk}-{timezone.now():%Y-%m-%d}.{kind}"
        response["Content-Type"] = CONTENT_TYPES[kind]
        response["Content-Disposition"] = content_disposition_header(True, name) or "attachment"
        return response


def _streamed(request: Request, lines: Iterator[str]) -> StreamingHttpResponse:
    """The lines as they are made. Under ASGI an iterator that is not asynchronous would be read whole first."""
    parts = _parts(lines)
    return StreamingHttpResponse(_awaited(parts) if isinstance(request._request, ASGIRequest) else parts)


def _parts(lines: Iterator[str]) -> Iterator[bytes]:
    while part := "".join(islice(lines, LINES_AT_ONCE)):
        # A slow reader keeps no connection to the database while taking what there is.
        if not connection.in_atomic_block:
            connection.close_if_unusable_or_obsolete()
        yield part.encode()


async def _awaited(parts: Iterator[bytes]) -> AsyncIterator[bytes]:
    next_part = sync_to_async(lambda: next(parts, b""))
    while part := await next_part():
        yield part
