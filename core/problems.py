"""Every error the API answers, rendered as `application/problem+json` (RFC 9457).

Members: `type`, `title`, `status`, `detail`, a stable `code`, `request_id` and, for invalid input, `errors`:
`[{"pointer": "#/language", "code": "...", "detail": "..."}]`.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from http import HTTPStatus
from itertools import islice
from math import ceil
from typing import Any

import structlog
from django.core.exceptions import PermissionDenied
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import set_rollback

from core.errors import ERRORS_MAX, DomainError, FieldError, InvalidInput, ServiceUnavailable, pointer_to

logger = structlog.get_logger("assay.problems")

CONTENT_TYPE = "application/problem+json"
NON_FIELD = "non_field_errors"
DATABASE_RETRY_AFTER_S = 5


def problem_body(
    *, status: int, code: str, detail: str, title: str = "", errors: Sequence[FieldError] = ()
) -> dict[str, Any]:
    """The members of one problem; `errors` only where there are any, the first `ERRORS_MAX` of them."""
    body: dict[str, Any] = {
        "type": f"urn:assay:problem:{code}",
        "title": title or HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "code": code,
    }
    request_id = structlog.contextvars.get_contextvars().get("request_id")
    if request_id:
        body["request_id"] = request_id
    if errors:
        body["errors"] = [{"pointer": e.pointer, "code": e.code, "detail": e.detail} for e in errors[:ERRORS_MAX]]
    return body


def problem_response(
    *, status: int, code: str, detail: str, title: str = "", headers: Mapping[str, str] | None = None
) -> HttpResponse:
    """A problem outside REST framework: for middleware and Django's own error pages."""
    body = problem_body(status=status, code=code, detail=detail, title=title)
    return HttpResponse(json.dumps(body), status=status, content_type=CONTENT_TYPE, headers=headers)


def exception_handler(exc: Exception, context: Mapping[str, Any]) -> Response | None:
    """REST framework's hook: a problem for everything foreseen, None (a logged 500) for everything else."""
    if isinstance(exc, Http404):
        exc = exceptions.NotFound()
    elif isinstance(exc, PermissionDenied):
        exc = exceptions.PermissionDenied()
    elif isinstance(exc, OperationalError | InterfaceError):
        # Away, restarting, or out of connections: worth another try, and worth an operator's look.
        logger.error("database_failed", exc_info=exc)
        exc = ServiceUnavailable("The database does not answer now. Try again.", retry_after_s=DATABASE_RETRY_AFTER_S)

    headers: dict[str, str] = {}
    if isinstance(exc, DomainError):
        body = exc.members | problem_body(
            status=exc.status, code=exc.code, title=exc.title, detail=exc.detail, errors=exc.errors
        )
        if exc.retry_after_s is not None:
            headers["Retry-After"] = str(exc.retry_after_s)
    elif isinstance(exc, exceptions.APIException):
        body = _body_of_api_exception(exc)
        if auth_header := getattr(exc, "auth_header", None):
            headers["WWW-Authenticate"] = auth_header
        if wait := getattr(exc, "wait", None):
            headers["Retry-After"] = str(ceil(wait))
    else:
        return None
    set_rollback()
    return Response(body, status=body["status"], headers=headers, content_type=CONTENT_TYPE)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """`handler404`: an unknown address."""
    return problem_response(status=404, code="not_found", title="Not found", detail="There is nothing at this address.")


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """`handler400`: a request Django itself refuses, such as a foreign Host header."""
    return problem_response(status=400, code="bad_request", detail="The request is malformed.")


def method_not_allowed(permitted: Sequence[str]) -> HttpResponse:
    """For views outside REST framework: the address exists, this verb does not."""
    return problem_response(
        status=405,
        code="method_not_allowed",
        detail=f"Allowed here: {', '.join(permitted)}.",
        headers={"Allow": ", ".join(permitted)},
    )


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    """`handler403`."""
    return problem_response(status=403, code="permission_denied", detail="You may not do this.")


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """`CSRF_FAILURE_VIEW`."""
    return problem_response(status=403, code="csrf_failed", detail="The CSRF token is missing or wrong.")


def server_error(request: HttpRequest) -> HttpResponse:
    """`handler500`: our fault. It is logged with the request id that the answer names, and tells nothing more."""
    return problem_response(
        status=500,
        code="internal_error",
        title="Internal error",
        detail="Something failed on our side. Nothing was lost that had been acknowledged; quote the request id.",
    )


def _body_of_api_exception(exc: exceptions.APIException) -> dict[str, Any]:
    details = exc.get_full_details()
    if isinstance(exc, exceptions.ValidationError):
        errors = list(islice(_field_errors(details, pointer="#"), ERRORS_MAX))
        told = "; ".join(f"{error.pointer}: {error.detail}" for error in errors[:1])
        # 422, as the services' InvalidInput: a caller meets one answer whichever layer noticed. 400 is for bad syntax.
        return problem_body(
            status=InvalidInput.status,
            code=InvalidInput.code,
            title=InvalidInput.title,
            detail=told.removeprefix("#: ") or InvalidInput.title,
            errors=errors,
        )
    if isinstance(details, dict) and _is_message(details):
        return problem_body(status=exc.status_code, code=str(details["code"]), detail=str(details["message"]))
    # Some libraries put an object where others put a sentence; its inside is not for callers.
    return problem_body(status=exc.status_code, code=str(exc.default_code), detail=str(exc.default_detail))


def _is_message(details: Any) -> bool:
    """Whether this is REST framework's `{message, code}` and not an object with two fields of these names."""
    return (
        isinstance(details, Mapping) and isinstance(details.get("message"), str) and set(details) == {"message", "code"}
    )


def _field_errors(details: Any, *, pointer: str) -> Iterator[FieldError]:
    """Flatten REST framework's nested `{field: [{message, code}]}` into pointers."""
    if _is_message(details):
        yield FieldError(pointer=pointer, code=str(details["code"]), detail=str(details["message"]))
    elif isinstance(details, Mapping):
        for name, inner in details.items():
            yield from _field_errors(inner, pointer=pointer if name == NON_FIELD else pointer_to(pointer, name))
    elif isinstance(details, Sequence):
        for index, inner in enumerate(details):
            yield from _field_errors(inner, pointer=pointer if _is_message(inner) else pointer_to(pointer, index))
