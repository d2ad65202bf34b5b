"""`/healthz` says that the process is alive, `/readyz` that it can do its work, naming each part."""

from collections.abc import Callable
from dataclasses import dataclass

import structlog
from django.conf import settings
from django.core.cache import cache
from django.db import connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache

from core.problems import method_not_allowed

logger = structlog.get_logger("assay.health")

SAFE = ("GET", "HEAD")


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """The state of one part. A part that is not required costs speed when it is gone, not readiness.

    `detail` is shown to anybody who asks: no addresses, no messages of drivers, no secrets.
    """

    is_ok: bool
    detail: str = ""
    is_required: bool = True


_checks: dict[str, Callable[[], Health]] = {}


def register_check(name: str, check: Callable[[], Health]) -> None:
    """Add a part to `/readyz`, or replace the check of that name. Apps above register theirs in `AppConfig.ready`."""
    _checks[name] = check


def check_database() -> Health:
    """One round trip to the database."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return Health(is_ok=True, detail=connection.vendor)


def check_cache() -> Health:
    """Write and read one value. A lost cache costs speed only (law 5), so it never makes Assay unready."""
    kind = "redis" if "Redis" in settings.CACHES["default"]["BACKEND"] else "in process"
    try:
        cache.set("readyz", "ok", timeout=5)
        is_ok = cache.get("readyz") == "ok"
    except Exception:
        logger.warning("cache_failed", exc_info=True)
        is_ok = False
    return Health(is_ok=is_ok, detail=kind, is_required=False)


register_check("database", check_database)
register_check("cache", check_cache)


@never_cache
def alive(request: HttpRequest) -> HttpResponse:
    """Answers while the process does."""
    if request.method not in SAFE:
        return method_not_allowed(SAFE)
    return JsonResponse({"status": "alive"})


@never_cache
def ready(request: HttpRequest) -> HttpResponse:
    """200 where every required part works, else 503; either way each part is named with what it says."""
    if request.method not in SAFE:
        return method_not_allowed(SAFE)
    results = {name: _result(name, check) for name, check in _checks.items()}
    is_ready = all(health.is_ok for health in results.values() if health.is_required)
    body = {
        "status": "ready" if is_ready else "unready",
        "checks": {name: {"ok": health.is_ok, "detail": health.detail} for name, health in results.items()},
    }
    return JsonResponse(body, status=200 if is_ready else 503)


def _result(name: str, check: Callable[[], Health]) -> Health:
    try:
        return check()
    except Exception as error:
        # Whatever a driver raises, the answer is "not ready"; what it says may name hosts and users: to the log only.
        logger.warning("check_failed", check=name, exc_info=True)
        return Health(is_ok=False, detail=type(error).__name__)
