"""What accounts refuse, each with its own stable code."""

from core.errors import Conflict, DomainError, PermissionRefused, TooManyRequests


class CredentialsRefused(DomainError):
    """Unknown name, wrong password and disabled account answer alike, so that names cannot be tried out."""

    status = 401
    code = "credentials_refused"
    title = "The name or the password is wrong"


class TokenRefused(DomainError):
    """Not a token of ours, or not one for this purpose."""

    status = 401
    code = "token_invalid"
    title = "The token is not valid"


class TokenExpired(TokenRefused):
    """It was ours, and its time is over: refresh an access token; sign in again for a refresh token."""

    code = "token_expired"
    title = "The token has expired"


class TokenRevoked(TokenRefused):
    """The sign-in the token came from was ended, or its user was disabled."""

    code = "token_revoked"
    title = "The sign-in has ended"


class TokenReused(TokenRefused):
    """A refresh token came back after it had been exchanged, so somebody holds a copy: its sign-in is ended."""

    code = "token_reused"
    title = "The refresh token was used before; the sign-in has been ended for safety"


class PasswordThrottled(TooManyRequests):
    """Too many wrong passwords for one name; who asks, and whether the name exists, makes no difference."""

    code = "password_throttled"
    title = "Too many wrong passwords for this name"


class RegistrationClosed(PermissionRefused):
    """This installation does not let people register themselves."""

    code = "registration_closed"
    title = "Registration is closed"


class AlreadyMember(Conflict):
    """The person already has a role in the organization; change that one."""

    code = "already_member"
    title = "This person is a member already"


class LastOwner(Conflict):
    """An organization without an owner could never be handed on."""

    code = "last_owner"
    title = "An organization keeps at least one owner"


class OwnerRequired(PermissionRefused):
    """Only owners decide who is an owner."""

    code = "owner_required"
    title = "Only an owner may do this"
