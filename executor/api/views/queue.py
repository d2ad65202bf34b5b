"""The queue as those see it who wait in it."""

from typing import cast

from drf_spectacular.utils import extend_schema
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.models import User
from executor.api.queue_serializers import QueueStatusOutput
from executor.selectors.queue import own_entries, queue_overview_lately


class QueueStatusView(APIView):
    permission_classes = [IsAuthenticated]

    @extend_schema(operation_id="submissions_queue_status", summary="How the queue stands", responses=QueueStatusOutput)
    def get(self, request: Request) -> Response:
        """How much waits, and your own submissions that are not judged yet: the first 50, with the place of each and a
        guess at how long it takes. The totals may be a second old.
        """
        overview = queue_overview_lately()
        body = {
            "status": overview.status,
            "pending": overview.pending_live,
            "running": overview.running_live,
            "capacity": overview.capacity,
            "threads": overview.threads,
            "judged_per_minute": overview.judged_per_minute,
            "paused": overview.is_paused,
            "submissions": own_entries(cast(User, request.user).pk, overview),
        }
        return Response(QueueStatusOutput(body).data)
