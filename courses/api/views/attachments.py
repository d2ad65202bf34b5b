"""Files of problems: their list, and their contents, which nobody's browser runs."""

import structlog
from django.http import FileResponse, HttpResponseBase, HttpResponseNotModified
from django.utils.cache import patch_vary_headers
from django.utils.http import parse_etags
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from core.contents import content_path
from core.errors import ServiceUnavailable
from core.filetypes import is_shown_inline
from core.parsers import StrictFormParser
from courses import services
from courses.api.given.attachments import AttachmentUploadSerializer
from courses.api.permissions import IsCourseStaffOrReadOnly
from courses.api.shown.attachments import AttachmentSerializer
from courses.api.views.base import CourseScopedView
from courses.models import Attachment
from courses.selectors.state import problem_require_open

# Whatever a reader's browser makes of a file: no scripts, no forms, nothing loaded, an origin of its own.
CONTENT_SECURITY_POLICY = "default-src 'none'; style-src 'unsafe-inline'; sandbox; frame-ancestors 'none'"

logger = structlog.get_logger(__name__)


class AttachmentListView(CourseScopedView):
    permission_classes = (IsCourseStaffOrReadOnly,)
    parser_classes = (StrictFormParser,)

    @extend_schema(
        operation_id="attachment_list", summary="The files of a problem", responses=AttachmentSerializer(many=True)
    )
    def get(self, request: Request, problem_id: int) -> Response:
        """By name. 403 `problem_locked` where the problem is not open yet."""
        problem = self.problem()
        problem_require_open(user=self.user, problem=problem)
        return self.page(problem.attachments.all(), AttachmentSerializer)

    @extend_schema(
        operation_id="attachment_create",
        summary="Attach a file to a problem",
        request=AttachmentUploadSerializer,
        responses={201: AttachmentSerializer},
    )
    def post(self, request: Request, problem_id: int) -> Response:
        """For staff of the course. At most 10 MiB, under the name that the file comes with."""
        problem = self.problem()
        file = self.body(AttachmentUploadSerializer)["file"]
        attachment = services.attachment_create(
            actor=self.user,
            problem_id=problem.pk,
            name=file.name,
            data=file.read(),
            claimed_type=file.content_type or "",
        )
        return Response(AttachmentSerializer(attachment).data, status=201)


class AttachmentDetailView(CourseScopedView):
    permission_classes = (IsCourseStaffOrReadOnly,)

    def attachment(self) -> Attachment:
        visible = Attachment.objects.visible_to(self.user).select_related("problem__course")
        return self.one_of(visible, self.kwargs["attachment_id"])

    @extend_schema(
        operation_id="attachment_retrieve",
        summary="The content of a file",
        responses={(200, "application/octet-stream"): OpenApiResponse(OpenApiTypes.BINARY)},
    )
    def get(self, request: Request, attachment_id: int) -> HttpResponseBase:
        """As its own type, for whom the problem is open. With `If-None-Match` 304 where it is the same."""
        attachment = self.attachment()
        problem_require_open(user=self.user, problem=attachment.problem)
        response = _not_modified(request, attachment) or _content(attachment)
        response["ETag"] = _etag(attachment)
        patch_vary_headers(response, ["Authorization", "Cookie"])
        return response

    @extend_schema(operation_id="attachment_delete", summary="Take a file from a problem", responses={204: None})
    def delete(self, request: Request, attachment_id: int) -> Response:
        """For staff of the course."""
        services.attachment_delete(actor=self.user, attachment_id=self.attachment().pk)
        return Response(status=204)


def _etag(attachment: Attachment) -> str:
    return f'"{attachment.sha256}"'


def _not_modified(request: Request, attachment: Attachment) -> HttpResponseBase | None:
    known = [etag.removeprefix("W/") for etag in parse_etags(request.headers.get("If-None-Match", ""))]
    return HttpResponseNotModified() if {_etag(attachment), "*"} & {*known} else None


def _content(attachment: Attachment) -> HttpResponseBase:
    try:
        file = content_path(attachment.sha256).open("rb")
    except FileNotFoundError as error:
        logger.error("attachment_content_missing", attachment_id=attachment.pk, sha256=attachment.sha256)
        raise ServiceUnavailable("The content of this file is missing on our side.") from error
    response = FileResponse(
        file,
        as_attachment=not is_shown_inline(attachment.content_type),
        filename=attachment.name,
        content_type=attachment.content_type,
    )
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = CONTENT_SECURITY_POLICY
    return response
