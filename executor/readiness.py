"""What the executor adds to `/readyz`."""

from core.health import Health
from executor.services.engines import default_engine


def check_engine() -> Health:
    """Whether programs can be run now. Submissions are taken in either way, and judged once they can."""
    health = default_engine().health()
    return Health(is_ok=health.is_ready, detail=f"{default_engine().name}, tier {health.tier}: {health.detail}")
