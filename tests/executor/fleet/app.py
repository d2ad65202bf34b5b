"""The product's Celery application, with less patience when it is stopped.

Its workers look for themselves only where a test says so: else a lost message would not show.
"""

import os

from config.celery import app
from executor.queue import celery_worker

celery_worker.STOP_PATIENCE_S = 1.0
if not os.environ.get("TEST_LOOKS"):
    celery_worker.DEAF_SWEEPS = 10**9

__all__ = ["app"]
