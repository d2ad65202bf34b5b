"""The project's settings with a lease that outlives any test, for processes of which only a restart can help."""

from config.settings import *  # noqa: F403

EXECUTOR_LEASE_S = 3600
EXECUTOR_POLL_S = 1
