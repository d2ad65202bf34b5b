"""Connections of threads that have nothing to do for a while."""

from django.db import connection


def connection_give_back() -> None:
    """Let others have this thread's connection, where a server has only so many; one to SQLite's file is kept.

    Opening that again would cost more than it does to keep it.
    """
    if connection.vendor != "sqlite":
        connection.close()
