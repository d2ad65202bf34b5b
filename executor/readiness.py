"""What the executor adds to `/readyz`."""

import structlog
from django.conf import settings

from core.health import Health
from executor.services.engines import default_engine

logger = structlog.get_logger("assay.readiness")


def check_engine() -> Health:
    """Whether programs can be run now. Submissions are taken in either way, and judged once they can.

    Anybody may ask, so an engine elsewhere is not named by its address: that, and what it said, stands in the log.
    """
    engine = default_engine()
    health = engine.health()
    if not health.is_ready:
        logger.warning("engine_not_ready", engine=engine.name, detail=health.detail)
    if settings.EXECUTOR_ENGINE == "judge0":
        return Health(is_ok=health.is_ready, detail="judge0" if health.is_ready else "judge0 cannot run programs now")
    return Health(is_ok=health.is_ready, detail=f"{engine.name}, tier {health.tier}: {health.detail}")
