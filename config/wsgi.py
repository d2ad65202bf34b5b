"""Django over WSGI, for hosts that offer nothing else; judging then needs `manage.py judge_worker` beside it."""

import os

os.environ.setdefault("ASSAY_PROCESS", "web")
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

from django.core.wsgi import get_wsgi_application

application = get_wsgi_application()
