"""The web process: Django over ASGI; before it whole request bodies, event streams and a line; workers beside it."""

import os
import warnings

# Before the settings are read: only web processes get a database connection pool.
os.environ.setdefault("ASSAY_PROCESS", "web")
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

from core.handler import synchronous_application

django_application = synchronous_application()

# Only now are Django's apps ready for their models to be imported.
from django.conf import settings  # noqa: E402

from config.lifespan import with_lifespan  # noqa: E402
from core.asgi import with_whole_body  # noqa: E402
from core.places import requests_at_once, with_places  # noqa: E402
from events.asgi import EventStreams  # noqa: E402
from executor.queue.workers import start_embedded_workers, stop_embedded_workers  # noqa: E402

# Static files are read by a synchronous iterator, in a thread; they are small, and that is all the warning says.
warnings.filterwarnings("ignore", message="StreamingHttpResponse must consume synchronous iterators")

streams = EventStreams(with_places(django_application, at_once=requests_at_once()))
application = with_lifespan(
    with_whole_body(
        streams,
        limit_bytes=settings.CORE_BODY_LIMIT_BYTES,
        form_limit_bytes=settings.CORE_FORM_LIMIT_BYTES,
    ),
    start=start_embedded_workers,
    stop=stop_embedded_workers,
    ending=streams.end,
)
