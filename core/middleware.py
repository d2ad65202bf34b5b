"""The outermost middleware: when a request arrived, under which id it is logged, and how large it may be."""

import re
import time
import uuid
from collections.abc import Callable

import structlog
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from core.problems import problem_response

logger = structlog.get_logger("assay.request")

# A caller's own id is kept where it is harmless in logs; anything else is replaced (O-05).
REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


class RequestContextMiddleware:
    """Stamps `received_at` before anything else runs, binds a request id for every log line, and logs the answer."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        started_s = time.perf_counter()
        request.received_at = timezone.now()  # type: ignore[attr-defined]
        given = request.headers.get("X-Request-ID", "")
        request_id = given if REQUEST_ID.fullmatch(given) else uuid.uuid4().hex
        with structlog.contextvars.bound_contextvars(request_id=request_id):
            response = self.get_response(request)
            response["X-Request-ID"] = request_id
            user = getattr(request, "user", None)
            logger.info(
                "request",
                method=request.method,
                path=request.path,
                status=response.status_code,
                duration_ms=round((time.perf_counter() - started_s) * 1000, 1),
                user_id=getattr(user, "pk", None),
            )
        return response


class BodyLimitMiddleware:
    """Refuses a request body over `CORE_BODY_LIMIT_BYTES` by its stated length, before anything reads it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        stated = request.META.get("CONTENT_LENGTH") or "0"
        if not stated.isdigit():
            return problem_response(status=400, code="bad_request", detail="Content-Length is not a number.")
        if int(stated) > settings.CORE_BODY_LIMIT_BYTES:
            return problem_response(
                status=413,
                code="body_too_large",
                detail=f"The request body may have at most {settings.CORE_BODY_LIMIT_BYTES} bytes.",
            )
        return self.get_response(request)
