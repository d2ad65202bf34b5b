"""The web process: Django over ASGI, and around it the lifespan that starts and stops the embedded judging workers."""

import os

# Before the settings are read: only web processes get a database connection pool.
os.environ.setdefault("ASSAY_PROCESS", "web")
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

from django.core.asgi import get_asgi_application

from config.lifespan import with_lifespan

application = with_lifespan(get_asgi_application())
