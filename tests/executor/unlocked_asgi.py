"""The application for a control: nobody waits for a student's other requests, and all have time to count the same."""

import time

from config.asgi import application
from executor.services import submissions
from executor.services.queueing import Standing
from executor.services.quotas import pending_require

__all__ = ["application"]


def _pending_require(standing: Standing) -> None:
    pending_require(standing)
    time.sleep(0.5)


submissions.student_lock = lambda user: None
submissions.pending_require = _pending_require
