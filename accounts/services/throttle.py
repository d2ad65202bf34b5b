"""How often a wrong password may be given for one name.

Counted in the database: exact with several processes, and there when Redis is not. Never counted by address, because
everybody in an exam room may share one.
"""

from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.crypto import salted_hmac

from accounts.errors import PasswordThrottled
from accounts.models import LoginFailure, name_folded

# Counts this long after their window are deleted, a few whenever a new name appears. Far longer than the clocks of
# two servers differ, so that no count still in use is ever taken away.
PRUNE_AFTER = timedelta(hours=1)
PRUNE_MAX = 100


def password_try_count(*, scope: str, name: str) -> None:
    """Count one password given for `name` as wrong before it is checked; `password_tries_forget` undoes it if right.

    Counting first makes the limit exact: of many at once, no more than the limit are ever compared. `scope` keeps what
    is tried at one place ("login") from using up the tries of another.

    Raises:
        PasswordThrottled: the tries of this window are used up. A name nobody has answers the same.
    """
    now = timezone.now()
    with transaction.atomic():
        row, is_new = LoginFailure.objects.select_for_update().get_or_create(
            name_hash=_hash(scope, name), defaults={"window_started_at": now}
        )
        retry_after_s = row.count_one(
            now=now, window_s=settings.ACCOUNTS_LOGIN_WINDOW_S, most=settings.ACCOUNTS_LOGIN_FAILURES_MAX
        )
        if retry_after_s is not None:
            raise PasswordThrottled(
                "Too many wrong passwords were given for this name. Wait, then try again.", retry_after_s=retry_after_s
            )
    if is_new:
        _prune()


def password_tries_forget(*, scope: str, name: str) -> None:
    """Start counting anew: the right password was given."""
    LoginFailure.objects.filter(name_hash=_hash(scope, name)).update(count=0)


def _hash(scope: str, name: str) -> str:
    return salted_hmac(f"accounts.throttle.{scope}", name_folded(name), algorithm="sha256").hexdigest()


@transaction.atomic
def _prune() -> None:
    cutoff = timezone.now() - timedelta(seconds=settings.ACCOUNTS_LOGIN_WINDOW_S) - PRUNE_AFTER
    # Rows that somebody else holds are skipped: two prunings, or a pruning and a try, never wait for each other.
    stale = LoginFailure.objects.filter(window_started_at__lt=cutoff).select_for_update(skip_locked=True)
    LoginFailure.objects.filter(pk__in=[row.pk for row in stale[:PRUNE_MAX]]).delete()
