"""`/healthz` says that the process is alive, `/readyz` that it can do its work, naming each part."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from django.conf import settings
from django.core.cache import cache
from django.db import connection
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """The state of one part. A part that is not required costs speed when it is gone, not readiness."""

    is_ok: bool
    detail: str = ""
    is_required: bool = True


_checks: dict[str, Callable[[], Health]] = {}


def register_check(name: str, check: Callable[[], Health]) -> None:
    """Add a part to `/readyz`. Apps above register theirs when they are ready; a check must not raise."""
    _checks[name] = check


def check_database() -> Health:
    """One round trip to the database."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except Exception as error:  # noqa: BLE001 - whatever the driver raises, the answer is "not ready"
        return Health(is_ok=False, detail=type(error).__name__)
    return Health(is_ok=True, detail=connection.vendor)


def check_cache() -> Health:
    """Write and read one value. A lost cache costs speed only (law 5), so it never makes Assay unready."""
    try:
        cache.set("readyz", "ok", timeout=5)
        found = cache.get("readyz")
    except Exception as error:  # noqa: BLE001 - as above
        return Health(is_ok=False, detail=type(error).__name__, is_required=False)
    kind = "redis" if "redis" in settings.CACHES["default"]["BACKEND"] else "in process"
    return Health(is_ok=found == "ok", detail=kind, is_required=False)


register_check("database", check_database)
register_check("cache", check_cache)


@require_safe
@never_cache
def alive(request: HttpRequest) -> JsonResponse:
    """Answers while the process does."""
    return JsonResponse({"status": "alive"})


@require_safe
@never_cache
def ready(request: HttpRequest) -> JsonResponse:
    """200 where every required part works, else 503; either way each part is named with what it says."""
    results: Mapping[str, Health] = {name: check() for name, check in _checks.items()}
    is_ready = all(health.is_ok for health in results.values() if health.is_required)
    body = {
        "status": "ready" if is_ready else "unready",
        "checks": {name: {"ok": health.is_ok, "detail": health.detail} for name, health in results.items()},
    }
    return JsonResponse(body, status=200 if is_ready else 503)
