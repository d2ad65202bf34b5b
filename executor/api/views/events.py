"""A submission's events over HTTP."""

from typing import Any, cast

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.authentication import SessionAuthentication
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.views import APIView

from accounts.authentication import TokenAuthentication
from accounts.models import User
from core.errors import NotFound
from events.api.authentication import StreamTicketAuthentication
from events.hub import latest
from events.rights import credential_of
from events.streams import Stream, stream_response
from events.wire import seen_of
from executor.services.live import LIVE_SUBMISSIONS, submission_shown, submissions_read, topic_of


class WhateverIsAccepted(BaseContentNegotiation):
    """Refusals are problems for an `EventSource` too, which accepts nothing but streams."""

    def select_parser(self, request: Request, parsers: Any) -> Any:
        return parsers[0]

    def select_renderer(self, request: Request, renderers: Any, format_suffix: str | None = None) -> Any:
        return renderers[0], renderers[0].media_type


class SubmissionEventsView(APIView):
    authentication_classes = [StreamTicketAuthentication, TokenAuthentication, SessionAuthentication]
    permission_classes = [IsAuthenticated]
    content_negotiation_class = WhateverIsAccepted

    @extend_schema(
        operation_id="submissions_events",
        summary="Watch one submission",
        parameters=[
            OpenApiParameter(
                "Last-Event-ID",
                OpenApiTypes.STR,
                OpenApiParameter.HEADER,
                description="The id of the last event you have; what you know is not sent again.",
            )
        ],
        responses={(200, "text/event-stream"): OpenApiTypes.STR, 204: None},
    )
    def get(self, request: Request, submission_id: int) -> HttpResponse:
        """Server-sent events: `submission` (all you may see of it now), `progress` (tests decided since), and, if you
        may not go on, `end`. The stream closes after the verdict; 204 where you know that already.
        """
        user = cast(User, request.user)
        # Read before the submission: what is said in between is heard by the stream.
        progress = latest(topic_of(submission_id))
        found = submissions_read(user, [submission_id])
        if not found:
            raise NotFound("There is no such submission.")
        shown, seen = submission_shown(found[0], progress), seen_of(request.headers.get("Last-Event-ID", ""))
        if shown.is_final and seen.version == shown.version:
            return HttpResponse(status=204)
        stream = Stream(
            source=LIVE_SUBMISSIONS,
            topic=topic_of(submission_id),
            key=submission_id,
            credential=credential_of(request),
            seen=seen,
            progress=progress,
        )
        return stream_response(request._request, stream, shown)
