"""What the executor adds to `/readyz`."""

import socket
from urllib.parse import unquote, urlsplit

import structlog
from django.conf import settings

from core.health import Health
from executor.selectors.queue import threads_live
from executor.services.engines import default_engine

logger = structlog.get_logger("assay.readiness")

BROKER_TIMEOUT_S = 0.5
BROKER_PORTS = {"redis": 6379, "rediss": 6379, "amqp": 5672, "amqps": 5671}


def check_engine() -> Health:
    """Whether programs can be run now. Submissions are taken in either way, and judged once they can.

    Anybody may ask, so an engine elsewhere is not named by its address: that, and what it said, stands in the log.
    Where workers elsewhere have the sandboxes, it is they who count, and this process is ready without them.
    """
    if settings.CELERY_BROKER_URL and settings.EXECUTOR_ENGINE == "sandbox":
        threads = threads_live()
        return Health(is_ok=threads > 0, detail=f"sandbox, {threads} threads of workers", is_required=False)
    engine = default_engine()
    health = engine.health()
    if not health.is_ready:
        logger.warning("engine_not_ready", engine=engine.name, detail=health.detail)
    if settings.EXECUTOR_ENGINE == "judge0":
        return Health(is_ok=health.is_ready, detail="judge0" if health.is_ready else "judge0 cannot run programs now")
    return Health(is_ok=health.is_ready, detail=f"{engine.name}, tier {health.tier}: {health.detail}")


def check_broker() -> Health:
    """Whether the broker takes connections. Without it workers find work by the sweep alone, so it is not required."""
    parts = urlsplit(settings.CELERY_BROKER_URL or "")
    address = (unquote(parts.hostname or ""), parts.port or BROKER_PORTS[parts.scheme])
    try:
        socket.create_connection(address, timeout=BROKER_TIMEOUT_S).close()
    except OSError:
        logger.warning("broker_not_ready", exc_info=True)
        return Health(is_ok=False, detail=f"{parts.scheme} does not answer", is_required=False)
    return Health(is_ok=True, detail=parts.scheme, is_required=False)
