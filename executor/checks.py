"""What `manage.py check --deploy` says of how this machine contains programs."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning

from executor.services.engines import default_engine

_HINT = "manage.py sandbox_doctor says what is missing; EXECUTOR_ENGINE=judge0 is the alternative."


def check_containment(**kwargs: Any) -> list[CheckMessage]:
    """Warn of a tier below A, and refuse a machine that contains nothing. The engine is really tried."""
    if settings.EXECUTOR_ENGINE != "sandbox":
        return []
    health = default_engine().health()
    if not health.is_ready:
        return [Error(f"The sandbox refuses to run programs: {health.detail}.", hint=_HINT, id="executor.E001")]
    if health.tier == "D":
        return [Error(f"Nothing contains the programs of students: {health.detail}.", hint=_HINT, id="executor.E002")]
    if health.tier != "A":
        return [Warning(f"Programs are held by tier {health.tier}: {health.detail}.", hint=_HINT, id="executor.W001")]
    return []
