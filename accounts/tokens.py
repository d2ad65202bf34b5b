"""Writing and reading the signed tokens themselves; whether their sign-in still stands is for the database to say."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, cast

from rest_framework_simplejwt.exceptions import ExpiredTokenError, TokenError
from rest_framework_simplejwt.tokens import AccessToken, RefreshToken, Token

from accounts.errors import TokenExpired, TokenRefused

FAMILY_CLAIM = "family"
USER_CLAIM = "user_id"


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenPair:
    """What a client keeps: an access token for requests, and a refresh token to exchange once for the next pair."""

    access: str
    refresh: str
    refresh_jti: str
    refresh_expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenClaims:
    """What a token of ours says, after its signature, issuer, type and expiry held."""

    family_id: int
    user_id: int
    jti: str


def token_pair_write(*, family_id: int, user_id: int) -> TokenPair:
    """A new pair for one sign-in. Its refresh token counts once `refresh_jti` is the family's current one."""
    refresh = RefreshToken()
    refresh[FAMILY_CLAIM] = family_id
    refresh[USER_CLAIM] = str(user_id)
    return TokenPair(
        access=str(refresh.access_token),
        refresh=str(refresh),
        refresh_jti=refresh["jti"],
        refresh_expires_at=datetime.fromtimestamp(refresh["exp"], tz=UTC),
    )


def access_token_read(text: str | bytes) -> TokenClaims:
    """The claims of an access token.

    Raises:
        TokenExpired: it was ours, and its time is over.
        TokenRefused: anything else that is not a valid access token.
    """
    return _claims(AccessToken, text)


def refresh_token_read(text: str) -> TokenClaims:
    """The claims of a refresh token. Raises like `access_token_read`."""
    return _claims(RefreshToken, text)


def _claims(token_class: type[Token], text: str | bytes) -> TokenClaims:
    try:
        token = cast(Any, token_class)(text)
        return TokenClaims(family_id=int(token[FAMILY_CLAIM]), user_id=int(token[USER_CLAIM]), jti=str(token["jti"]))
    except ExpiredTokenError as error:
        raise TokenExpired from error
    # A hostile header or payload can also be text that is not encodable, no number, or nested without end.
    except (TokenError, KeyError, TypeError, ValueError, RecursionError) as error:
        raise TokenRefused from error
