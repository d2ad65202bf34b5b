"""The errors services raise when a request cannot be granted.

A service says what is wrong and with which stable code; `core.problems` alone turns that into HTTP.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

# So many faults are told at once: an answer must not grow with what a caller gets wrong.
ERRORS_MAX = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldError:
    """One fault in one input field. `pointer` is a JSON pointer into the request body, such as `#/files/0/name`."""

    pointer: str
    code: str
    detail: str


def pointer_to(parent: str, name: object) -> str:
    """The JSON pointer (RFC 6901) to the member or index `name` of what `parent` points at; a very long name is cut."""
    text = str(name)
    shown = text if len(text) <= 100 else f"{text[:100]}…"
    return f"{parent}/{shown.replace('~', '~0').replace('/', '~1')}"


class DomainError(Exception):
    """A refusal with a stable code, a status and a sentence that helps. Nothing has been changed when it is raised.

    `members` are told beside these, such as the two texts of an edit conflict.
    """

    status: ClassVar[int] = 400
    code: ClassVar[str] = "bad_request"
    title: ClassVar[str] = "The request cannot be granted"

    def __init__(
        self,
        detail: str = "",
        *,
        errors: tuple[FieldError, ...] = (),
        retry_after_s: int | None = None,
        members: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(detail or self.title)
        self.detail = detail or self.title
        self.errors = errors
        self.retry_after_s = retry_after_s
        self.members = dict(members or {})


class InvalidInput(DomainError):
    """The body is well formed but says something that cannot be; `errors` names each field."""

    status = 422
    code = "invalid"
    title = "The input is not valid"

    @classmethod
    def at(cls, field: str, code: str, detail: str) -> "InvalidInput":
        """The usual case: one fault, in the body's top-level field (or the query's parameter) `field`."""
        return cls(detail, errors=(FieldError(pointer=pointer_to("#", field), code=code, detail=detail),))


class NotFound(DomainError):
    """There is no such object for this user; a foreign one answers the same (law 7)."""

    status = 404
    code = "not_found"
    title = "Not found"


class PermissionRefused(DomainError):
    """The user may see the object but not do this to it."""

    status = 403
    code = "permission_denied"
    title = "You may not do this"


class Conflict(DomainError):
    """The object's present state does not allow this."""

    status = 409
    code = "conflict"
    title = "The present state does not allow this"


class TooManyRequests(DomainError):
    """A limit is used up for now; `retry_after_s` says when to come back."""

    status = 429
    code = "throttled"
    title = "Too many requests"


class ServiceUnavailable(DomainError):
    """A part Assay needs is not there now; nothing that was acknowledged is lost."""

    status = 503
    code = "service_unavailable"
    title = "The service is not available now"
