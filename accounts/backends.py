"""How a name and a password become a user."""

from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.db.models import Q
from django.http import HttpRequest

from accounts.models import User


class EmailOrUsernameBackend(ModelBackend):
    """Signs in with the e-mail address or the username, without regard to case, in the same time for either answer."""

    def authenticate(
        self, request: HttpRequest | None, username: str | None = None, password: str | None = None, **kwargs: Any
    ) -> User | None:
        if username is None or password is None:
            return None
        # An e-mail always holds "@", which a username may too: the e-mail's owner wins.
        candidates = User.objects.filter(Q(email__iexact=username) | Q(username__iexact=username))
        user = min(candidates, key=lambda found: found.email.lower() != username.lower(), default=None)
        if user is None:
            User().set_password(password)  # hash once, so that an unknown name takes as long as a wrong password
            return None
        return user if user.check_password(password) and self.user_can_authenticate(user) else None
