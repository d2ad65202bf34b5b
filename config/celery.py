"""Celery, where a broker is set: `celery -A config.celery worker -Q live,rejudge,runs` and `... beat`."""

import os
import sys

# Whatever the environment says: a pool of connections would not outlive the fork of a worker's children.
os.environ["ASSAY_PROCESS"] = "celery"
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

import django
from django.conf import settings

django.setup()

from executor.queue.celery_worker import with_lifecycle  # noqa: E402
from executor.queue.messages import make_app  # noqa: E402

if settings.CELERY_BROKER_URL is None:
    # Celery would look for one on this machine.
    sys.exit(
        "assay: CELERY_BROKER_URL is missing: Celery needs the address of a broker. Without one, use judge_worker."
    )

app = with_lifecycle(make_app())
app.set_default()
