"""Signing in, staying signed in, and signing out."""

from datetime import datetime

import structlog
from django.contrib.auth import authenticate
from django.db import transaction
from django.utils import timezone

from accounts.errors import CredentialsRefused, TokenExpired, TokenReused, TokenRevoked
from accounts.models import TokenFamily, User
from accounts.services.throttle import password_tries_forget, password_try_count
from accounts.tokens import TokenPair, refresh_token_read, token_pair_write

logger = structlog.get_logger("assay.accounts")

LOGIN = "login"


def token_obtain(*, name: str, password: str) -> TokenPair:
    """Sign in with an e-mail address or username, without regard to case, and a password.

    Raises:
        CredentialsRefused: unknown name, wrong password or disabled account, all alike.
        PasswordThrottled: too many wrong passwords for this name of late; not even the right one counts until later.
    """
    password_try_count(scope=LOGIN, name=name)
    user = authenticate(username=name, password=password)
    if not isinstance(user, User):
        raise CredentialsRefused
    pair = _family_start(user=user, now=timezone.now())
    password_tries_forget(scope=LOGIN, name=name)
    return pair


@transaction.atomic
def _family_start(*, user: User, now: datetime) -> TokenPair:
    # Locks the user, and sees whether the password just compared is still theirs: one that is being changed at this
    # moment either ends this sign-in with the others, or does not let it begin.
    if not User.objects.filter(pk=user.pk, password=user.password, is_active=True).update(last_login=now):
        raise CredentialsRefused
    TokenFamily.objects.filter(user=user, expires_at__lt=now).delete()
    family = TokenFamily.objects.create(user=user, current_jti="", expires_at=now)
    pair = token_pair_write(family_id=family.pk, user_id=user.pk)
    family.current_jti, family.expires_at = pair.refresh_jti, pair.refresh_expires_at
    family.save(update_fields=["current_jti", "expires_at"])
    return pair


def token_refresh(*, refresh: str) -> TokenPair:
    """Exchange a refresh token, once, for the next pair; each exchange prolongs the sign-in.

    A token exchanged before has been copied by somebody. Nobody can tell the thief from the owner, so the whole
    sign-in ends, and that is committed before the refusal is raised.

    Raises:
        TokenReused, TokenRevoked, TokenExpired, TokenRefused: the sign-in has ended, or this is no token of it.
    Source: RFC 9700, 4.14.2 (refresh token rotation).
    """
    claims = refresh_token_read(refresh)
    # Durable: inside a caller's transaction the refusal below would take the revocation back.
    with transaction.atomic(durable=True):
        now = timezone.now()
        family = TokenFamily.objects.select_related("user").filter(pk=claims.family_id).first()
        if family is None or family.user_id != claims.user_id or not family.stands_at(now):
            raise TokenRevoked
        pair = token_pair_write(family_id=family.pk, user_id=family.user_id)
        if family_rotate(family_id=family.pk, from_jti=claims.jti, pair=pair):
            return pair
        is_revoked_now = family_revoke(family_id=family.pk, now=now)
    if not is_revoked_now:
        raise TokenRevoked
    logger.warning("refresh_token_reused", user_id=claims.user_id, family_id=claims.family_id)
    raise TokenReused


def family_rotate(*, family_id: int, from_jti: str, pair: TokenPair) -> bool:
    """Make the pair's refresh token the current one if `from_jti` is; of several at once, one gets True.

    One statement on the row's own columns: the database compares again after waiting for a concurrent exchange.
    """
    standing = TokenFamily.objects.filter(pk=family_id, current_jti=from_jti, revoked_at=None)
    return standing.update(current_jti=pair.refresh_jti, expires_at=pair.refresh_expires_at) == 1


def family_revoke(*, family_id: int, now: datetime) -> bool:
    """End one sign-in; True if it had not ended before."""
    return TokenFamily.objects.filter(pk=family_id, revoked_at=None).update(revoked_at=now) == 1


def token_families_revoke(*, user_id: int) -> int:
    """End all sign-ins of a user, and say how many there were."""
    return TokenFamily.objects.filter(user_id=user_id, revoked_at=None).update(revoked_at=timezone.now())


def token_logout(*, refresh: str) -> None:
    """End the sign-in a refresh token belongs to. One that has ended or expired already stays so.

    Raises:
        TokenRefused: this is no refresh token of ours.
    """
    try:
        claims = refresh_token_read(refresh)
    except TokenExpired:
        return
    TokenFamily.objects.filter(pk=claims.family_id, user_id=claims.user_id, revoked_at=None).update(
        revoked_at=timezone.now()
    )
