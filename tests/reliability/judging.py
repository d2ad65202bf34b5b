"""`celery -A tests.reliability.judging`: the product's Celery workers and beat, with points to die at in them."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.reliability.settings")

from config.celery import app
from executor.queue import tasks
from tests.reliability import hosts

hosts.install()

__all__ = ["app", "tasks"]
