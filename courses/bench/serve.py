"""`python -m courses.bench.serve CHAPTERS PROBLEMS`: the real server, on an empty database, with a course to ask for.

It prints one line of JSON (`port`, `token`, `course_id`) once it listens, and serves until it is ended. Where its
database is, the environment says.
"""

import json
import os
import secrets
import socket
import sys
from collections.abc import Callable, Mapping
from typing import Any

BACKLOG = 128


def serve(seed: Callable[[], Mapping[str, Any]], *, urls: str) -> None:
    """Listen on a free port of this machine; what `seed` wrote and returned is printed with the port.

    `urls` names the module of addresses: those of a benchmark exist in this process alone.
    """
    os.environ.setdefault("ASSAY_PROCESS", "web")
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    import django

    django.setup()

    import uvicorn
    from django.conf import settings
    from django.core.management import call_command
    from django.utils.module_loading import import_string

    call_command("migrate", verbosity=0, interactive=False)
    seeded = seed()
    settings.ROOT_URLCONF = urls
    listening = socket.create_server(("127.0.0.1", 0), backlog=BACKLOG)
    sys.stdout.write(json.dumps({"port": listening.getsockname()[1], **seeded}) + "\n")
    sys.stdout.flush()
    application = import_string(settings.ASGI_APPLICATION)
    server = uvicorn.Server(uvicorn.Config(application, lifespan="on", access_log=False, log_level="warning"))
    server.run(sockets=[listening])


def _seed() -> Mapping[str, Any]:
    from accounts.services import token_obtain
    from courses.bench.course import seed

    seeded = seed(chapters=int(sys.argv[1]), problems=int(sys.argv[2]), password=secrets.token_urlsafe())
    token = token_obtain(name=seeded.username, password=seeded.password).access
    return {"token": token, "course_id": seeded.course_id}


if __name__ == "__main__":
    serve(_seed, urls="courses.bench.urls")
