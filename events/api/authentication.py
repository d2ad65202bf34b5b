"""Signing in to a stream by a ticket in its address, for browsers: an `EventSource` sends no header."""

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from accounts.authentication import CHALLENGE
from accounts.models import User
from events.rights import Credential
from events.services.tickets import TicketRefused, ticket_redeem

PARAMETER = "ticket"


class StreamTicketAuthentication(BaseAuthentication):
    """Takes `?ticket=`, which counts once; without it the next way of signing in is tried."""

    def authenticate(self, request: Request) -> tuple[User, Credential] | None:
        text = request.query_params.get(PARAMETER)
        if text is None:
            return None
        try:
            credential = ticket_redeem(text=text)
        except TicketRefused as error:
            raise AuthenticationFailed(error.detail, code=error.code) from error
        return User.objects.get(pk=credential.user_id), credential

    def authenticate_header(self, request: Request) -> str:
        return CHALLENGE


class StreamTicketScheme(OpenApiAuthenticationExtension):
    """Found by drf-spectacular once this module is imported."""

    target_class = "events.api.authentication.StreamTicketAuthentication"
    name = "streamTicket"

    def get_security_definition(self, auto_schema: object) -> dict[str, str]:
        return {"type": "apiKey", "in": "query", "name": PARAMETER}
