"""Becoming a user, and what users change about themselves."""

import re

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction
from django.db.models.functions import Lower

from accounts.errors import RegistrationClosed
from accounts.models import User
from accounts.services.throttle import password_tries_forget, password_try_count
from accounts.services.tokens import token_families_revoke
from core.errors import Conflict, FieldError, InvalidInput

# ASCII, so that no two names look alike; without "@", so that no name is somebody's e-mail address.
USERNAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,149}")
CONFIRM = "confirm"


def user_register(*, username: str, email: str, password: str, display_name: str = "") -> User:
    """Let a visitor become a user.

    Raises:
        RegistrationClosed: this installation adds its users otherwise.
        InvalidInput: as `user_create`.
    """
    if not settings.ACCOUNTS_REGISTRATION_OPEN:
        raise RegistrationClosed("People cannot register themselves here. Ask whoever runs this server.")
    return user_create(username=username, email=email, password=password, display_name=display_name)


def user_create(*, username: str, email: str, password: str | None, display_name: str = "") -> User:
    """Create a user; without a password nobody can sign in as them yet.

    Raises:
        InvalidInput: `/username` or `/email` is `invalid` or `taken` (whatever its case), or `/password` is one of
            `password_too_short`, `password_too_similar`, `password_too_common`, `password_entirely_numeric`.
    """
    email = User.objects.normalize_email(email.strip())
    errors = [*_username_errors(username), *_email_errors(email)]
    user = User(username=username, email=email, display_name=display_name)
    if password is not None:
        errors += _password_errors("password", password, user=user)
    if errors:
        raise InvalidInput(errors[0].detail, errors=tuple(errors))
    user.set_password(password)
    _save_unique(user, fields=None)
    return user


def user_update(
    *, user: User, display_name: str | None = None, email: str | None = None, current_password: str | None = None
) -> User:
    """Change what is given (not None) of a user's own profile; a new e-mail address needs the password too.

    Raises:
        InvalidInput: `/email` is `invalid` or `taken`; `/current_password` is `required` or `password_wrong`.
        PasswordThrottled: too many wrong passwords of late.
    """
    changed = []
    if display_name is not None:
        user.display_name = display_name
        changed.append("display_name")
    if email is not None and (email := User.objects.normalize_email(email.strip())) != user.email:
        if errors := _email_errors(email):
            raise InvalidInput(errors[0].detail, errors=tuple(errors))
        if current_password is None:
            raise InvalidInput.at("current_password", "required", "A new e-mail address needs the current password.")
        _password_confirm(user, current_password)
        user.email = email
        changed.append("email")
    if changed:
        _save_unique(user, fields=changed)
    return user


def user_change_password(*, user: User, current_password: str, new_password: str) -> None:
    """Give a user a new password, and end all their sign-ins, this one too.

    Raises:
        InvalidInput: `/current_password` is `password_wrong`, or `/new_password` is refused as in `user_create`.
        PasswordThrottled: too many wrong passwords of late.
        Conflict: the password was changed at the same moment from elsewhere.
    """
    _password_confirm(user, current_password)
    if errors := _password_errors("new_password", new_password, user=user):
        raise InvalidInput(errors[0].detail, errors=tuple(errors))
    hashed = make_password(new_password)  # takes long: not while rows are locked
    with transaction.atomic():
        if not User.objects.filter(pk=user.pk, password=user.password).update(password=hashed):
            raise Conflict("The password was changed from elsewhere at the same moment.")
        token_families_revoke(user_id=user.pk)
    user.password = hashed


def _password_confirm(user: User, password: str) -> None:
    """Whoever holds a stolen session must not be able to try passwords without end, so these tries count too."""
    password_try_count(scope=CONFIRM, name=str(user.pk))
    if not user.check_password(password):
        raise InvalidInput.at("current_password", "password_wrong", "This is not the current password.")
    password_tries_forget(scope=CONFIRM, name=str(user.pk))


def _save_unique(user: User, *, fields: list[str] | None) -> None:
    """Save, and name the field where the database finds the e-mail or username taken: asking first would be a race."""
    try:
        with transaction.atomic():
            user.save(update_fields=fields)
    except IntegrityError:
        errors = tuple(_taken_errors(user))
        if not errors:
            raise
        raise InvalidInput(errors[0].detail, errors=errors) from None


def _taken_errors(user: User) -> list[FieldError]:
    others = User.objects.exclude(pk=user.pk)
    return [
        FieldError(pointer=f"#/{field}", code="taken", detail=f"This {label} is taken.")
        for field, label in (("username", "username"), ("email", "e-mail address"))
        if others.alias(folded=Lower(field)).filter(folded=getattr(user, field).lower()).exists()
    ]


def _username_errors(username: str) -> list[FieldError]:
    if USERNAME.fullmatch(username):
        return []
    detail = "A username has letters A-Z, digits and . _ + - only, and begins with a letter or digit."
    return [FieldError(pointer="#/username", code="invalid", detail=detail)]


def _email_errors(email: str) -> list[FieldError]:
    try:
        validate_email(email)
    except ValidationError as error:
        return [FieldError(pointer="#/email", code="invalid", detail=str(error.message))]
    # Django's check lets some letters through that only look like ASCII in another case (CVE-2019-19844).
    if not email.isascii():
        return [FieldError(pointer="#/email", code="invalid", detail="An e-mail address has ASCII letters only.")]
    return []


def _password_errors(field: str, password: str, *, user: User) -> list[FieldError]:
    try:
        validate_password(password, user)
    except ValidationError as error:
        return [
            FieldError(pointer=f"#/{field}", code=fault.code or "invalid", detail=" ".join(fault.messages))
            for fault in error.error_list
        ]
    return []
