"""Listeners to a real server: many sockets, and what comes over them."""

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection
from django.utils import timezone

from accounts.models import TokenFamily, User
from accounts.tokens import token_pair_write
from tests.core.live import LiveServer, live_server, process_environment

PATIENCE_S = 30


@contextmanager
def event_server(
    directory: Path, *arguments: str, application: str = "config.asgi:application", **extra: str
) -> Iterator[LiveServer]:
    """A server on this test's database, that trusts its tokens and looks around often."""
    quick = {f"TEST_EVENTS_{name}": value for name, value in (("POLL_S", "0.2"), ("RECHECK_S", "0.5"))}
    own: dict[str, str] = {
        "DJANGO_SETTINGS_MODULE": "tests.events.live_settings",
        "SECRET_KEY": settings.SECRET_KEY,
        **quick,
    }
    if connection.vendor == "sqlite":
        own["DATABASE_URL"] = f"sqlite:///{connection.settings_dict['NAME']}"
    environment = process_environment(directory, **{**own, **extra})
    with live_server(directory, *arguments, environment=environment, application=application) as server:
        yield server


def signed_in(user: User) -> str:
    """An access token of a new sign-in."""
    family = TokenFamily.objects.create(user=user, current_jti="", expires_at=timezone.now() + timedelta(days=1))
    return token_pair_write(family_id=family.pk, user_id=user.pk).access


@dataclass(frozen=True)
class Event:
    name: str
    id: str
    data: Any


class Listener:
    """One open stream, read as an `EventSource` reads it."""

    def __init__(self, server: LiveServer, path: str, *, token: str = "", **headers: str) -> None:
        self._socket = socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE_S)
        given = {"Host": "localhost", "Accept": "text/event-stream", "Connection": "close", **headers}
        if token:
            given["Authorization"] = f"Bearer {token}"
        lines = [f"GET {path} HTTP/1.0", *(f"{name.replace('_', '-')}: {value}" for name, value in given.items())]
        self._socket.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
        # HTTP/1.0: no chunks, the answer is over when the connection is.
        self._file = self._socket.makefile("rb")
        self.status = int(self._file.readline().split()[1])
        self.headers = {}
        while (line := self._file.readline()) != b"\r\n":
            name, _, value = line.decode("latin-1").partition(":")
            self.headers[name.lower()] = value.strip()
        self.comments = 0

    def next(self) -> Event | None:
        """The next event; None once the stream is over."""
        fields: dict[str, str] = {}
        while line := self._file.readline():
            text = line.decode().rstrip("\n")
            if not text:
                if "data" in fields:
                    return Event(fields["event"], fields.get("id", ""), json.loads(fields["data"]))
                fields = {}
            elif text.startswith(":"):
                self.comments += 1
            else:
                name, _, value = text.partition(": ")
                fields[name] = value
        return None

    def rest(self) -> list[Event]:
        """All events up to the end."""
        return list(iter(self.next, None))

    def body(self) -> bytes:
        return self._file.read()

    def close(self) -> None:
        self._file.close()
        self._socket.close()

    def __enter__(self) -> "Listener":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
