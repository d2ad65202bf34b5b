"""How a request proves who sends it: a bearer token whose sign-in still stands."""

from django.utils import timezone
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from accounts.errors import TokenRefused, TokenRevoked
from accounts.models import TokenFamily, User
from accounts.tokens import TokenClaims, access_token_read

SCHEME = "Bearer"
CHALLENGE = f'{SCHEME} realm="assay"'


class TokenAuthentication(BaseAuthentication):
    """Takes `Authorization: Bearer <access token>`; the token's sign-in and user are looked up each time, in one query.

    So signing out, a changed password and a disabled account take effect at once, not when the token expires.
    """

    def authenticate(self, request: Request) -> tuple[User, TokenClaims] | None:
        parts = get_authorization_header(request).split()
        # Another scheme, or none, is for the next way of signing in. Scheme names ignore case (RFC 9110, 11.1).
        if not parts or parts[0].lower() != SCHEME.lower().encode():
            return None
        try:
            if len(parts) != 2:
                raise TokenRefused(f"The Authorization header must read: {SCHEME} <token>")
            claims = access_token_read(parts[1])
            return _family_standing(claims).user, claims
        except TokenRefused as error:
            raise AuthenticationFailed(error.detail, code=error.code) from error

    def authenticate_header(self, request: Request) -> str:
        return CHALLENGE


def _family_standing(claims: TokenClaims) -> TokenFamily:
    """The sign-in behind these claims, with its user. Raises TokenRevoked if it no longer stands."""
    family = TokenFamily.objects.select_related("user").filter(pk=claims.family_id).first()
    if family is None or family.user_id != claims.user_id or not family.stands_at(timezone.now()):
        raise TokenRevoked
    return family
