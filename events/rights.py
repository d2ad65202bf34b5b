"""Who opened a stream, and whether they may still listen."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import cast

from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.models import Session
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from rest_framework.authentication import SessionAuthentication
from rest_framework.request import Request

from accounts.models import TokenFamily, User
from accounts.tokens import TokenClaims


@dataclass(frozen=True, slots=True, kw_only=True)
class Credential:
    """What a stream was opened with: a sign-in by token, or a session, of this user."""

    user_id: int
    family_id: int | None = None
    session_key: str = ""


def credential_of(request: Request) -> Credential:
    """What an authenticated request was signed in with."""
    if isinstance(request.auth, Credential):
        return request.auth  # a ticket's
    if isinstance(request.auth, TokenClaims):
        return Credential(user_id=request.auth.user_id, family_id=request.auth.family_id)
    is_session = isinstance(request.successful_authenticator, SessionAuthentication)
    session_key = request._request.session.session_key if is_session else ""
    return Credential(user_id=cast(User, request.user).pk, session_key=session_key or "")


def credentials_standing(credentials: Collection[Credential]) -> dict[Credential, User]:
    """Those that still stand, each with its user, in three queries at most."""
    now = timezone.now()
    users = User.objects.in_bulk({each.user_id for each in credentials})
    families = dict(
        TokenFamily.objects.filter(
            pk__in=[each.family_id for each in credentials if each.family_id], revoked_at=None, expires_at__gt=now
        ).values_list("pk", "user_id")
    )
    keys = {each.session_key for each in credentials} - {""}
    sessions = {
        session.session_key: session for session in Session.objects.filter(session_key__in=keys, expire_date__gt=now)
    }
    standing: dict[Credential, User] = {}
    for each in credentials:
        user = users.get(each.user_id)
        if user is None or not user.is_active:
            continue
        if each.family_id is not None and families.get(each.family_id) != user.pk:
            continue
        if each.session_key and not _is_of(user, sessions.get(each.session_key)):
            continue
        standing[each] = user
    return standing


def _is_of(user: User, session: Session | None) -> bool:
    """Whether the session is this user's, and no older than their password."""
    signed_in = session.get_decoded() if session is not None else {}
    return (
        signed_in.get(SESSION_KEY) == str(user.pk)
        and BACKEND_SESSION_KEY in signed_in
        and constant_time_compare(str(signed_in.get(HASH_SESSION_KEY, "")), user.get_session_auth_hash())
    )
