"""The outer middlewares: when a request arrived, under which id it is logged, how large it may be, how it is shown."""

import re
import time
import uuid
from collections.abc import Callable

import structlog
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.functional import LazyObject

from core.asgi import RECEIVED_AT, is_form
from core.metrics import HTTP_IN_PROGRESS, request_count
from core.problems import problem_response

logger = structlog.get_logger("assay.request")

# A caller's own id is kept where it is harmless in logs; anything else is replaced (O-05).
REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")

# Scripts, styles and pictures come from this server only. Swagger UI needs inline styles and `data:` pictures.
CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'self'",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data:",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)


class RequestContextMiddleware:
    """Stamps `received_at` before anything else runs, binds a request id for log lines, logs and counts the answer."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        started_s = time.perf_counter()
        # Behind `with_whole_body` the end of the body is known to the moment, however busy the threads are.
        stamp = getattr(request, "scope", {}).get(RECEIVED_AT)
        request.received_at = stamp or timezone.now()  # type: ignore[attr-defined]
        given = request.headers.get("X-Request-ID", "")
        request_id = given if REQUEST_ID.fullmatch(given) else uuid.uuid4().hex
        with structlog.contextvars.bound_contextvars(request_id=request_id), HTTP_IN_PROGRESS.track_inprogress():
            response = self.get_response(request)
            response["X-Request-ID"] = request_id
            # The line below says it, with the id; Django's own comes when the id is no longer bound.
            response._has_been_logged = True  # type: ignore[attr-defined]
            duration_s = time.perf_counter() - started_s
            request_count(request, response, duration_s=duration_s)
            logger.info(
                "request",
                method=request.method,
                path=request.path,
                status=response.status_code,
                duration_ms=round(duration_s * 1000, 1),
                user_id=_known_user_id(request),
            )
        return response


class SecurityHeadersMiddleware:
    """Sends a content security policy with every answer, and keeps the API's answers out of browsers' caches.

    A view that says otherwise about its own answer is left alone.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response.headers.setdefault("Content-Security-Policy", CONTENT_SECURITY_POLICY)
        if request.path.startswith("/api/v1/"):
            # Answers depend on who asks; the computers of an exam room are shared.
            response.headers.setdefault("Cache-Control", "no-store")
        return response


class BodyLimitMiddleware:
    """Refuses a request body over its limit by its stated length, before anything reads it.

    That is `CORE_FORM_LIMIT_BYTES` for forms, in which files come, and `CORE_BODY_LIMIT_BYTES` for everything else.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        stated = request.META.get("CONTENT_LENGTH") or "0"
        if not (stated.isascii() and stated.isdigit()):
            return problem_response(status=400, code="bad_request", detail="Content-Length is not a number.")
        has_form = is_form(request.META.get("CONTENT_TYPE") or "")
        limit = settings.CORE_FORM_LIMIT_BYTES if has_form else settings.CORE_BODY_LIMIT_BYTES
        if len(stated) > 20 or int(stated) > limit:
            return problem_response(
                status=413, code="body_too_large", detail=f"The request body may have at most {limit} bytes."
            )
        return self.get_response(request)


def _known_user_id(request: HttpRequest) -> int | None:
    """Who asked, if anybody looked: a log line must not cost a query, nor fail with the database."""
    user = vars(request).get("user")
    if isinstance(user, LazyObject):
        user = getattr(request, "_cached_user", None)
    return getattr(user, "pk", None)
