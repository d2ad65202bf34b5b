"""Tickets over HTTP."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from events.rights import credential_of
from events.services.tickets import ticket_issue


class StreamTicketOutput(serializers.Serializer[Any]):
    """Leave to open one stream."""

    ticket = serializers.CharField(help_text="For `?ticket=` in a stream's address.")
    expires_at = serializers.DateTimeField()


class StreamTicketListView(APIView):
    permission_classes = [IsAuthenticated]

    @extend_schema(
        operation_id="stream_tickets_create",
        summary="Get a ticket to an event stream",
        request=None,
        responses={201: StreamTicketOutput},
    )
    def post(self, request: Request) -> Response:
        """It opens one stream of yours, once, within a minute, while the sign-in you ask with stands."""
        ticket, expires_at = ticket_issue(credential=credential_of(request))
        return Response(StreamTicketOutput({"ticket": ticket, "expires_at": expires_at}).data, status=201)
