"""How a name and a password become a user."""

from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.http import HttpRequest

from accounts.models import User


class EmailOrUsernameBackend(ModelBackend):
    """Signs in with the e-mail address or the username, without regard to case, in the same time for either answer."""

    def authenticate(
        self, request: HttpRequest | None, username: str | None = None, password: str | None = None, **kwargs: Any
    ) -> User | None:
        if username is None or password is None:
            return None
        user = User.objects.named(username)
        if user is None:
            User().set_password(password)  # hash once, so that an unknown name takes as long as a wrong password
            return None
        return user if user.check_password(password) and self.user_can_authenticate(user) else None
