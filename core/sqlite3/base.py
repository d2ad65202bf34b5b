"""Django's SQLite backend, which waits evenly, and where SQLite itself would not, and whose statements may be long."""

import sqlite3
import time
from collections.abc import Callable
from typing import Any, TypeVar

from django.db.backends.sqlite3 import base, features
from django.db.utils import OperationalError
from django.utils.functional import cached_property

T = TypeVar("T")

# Short beside a commit to disk, and long enough not to spin.
_CONNECT_PAUSE_S = 0.01
_BEGIN_PAUSE_S = 0.002


class DatabaseFeatures(features.DatabaseFeatures):
    @cached_property
    def max_query_params(self) -> int:  # type: ignore[override]
        """As many parameters as this SQLite takes in a statement (32,766 and more since 3.32; Django assumes 999)."""
        with self.connection.cursor() as cursor:
            return int(cursor.connection.getlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER))


class DatabaseWrapper(base.DatabaseWrapper):
    features_class = DatabaseFeatures

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        """Connect, within the connection's `timeout`, even while another process turns the file to write-ahead logging.

        SQLite's own busy time-out does not hold where two meet at that change: they would wait for each other, so one
        is told at once that the database is locked.
        """
        return _until_free(
            lambda: super(DatabaseWrapper, self).get_new_connection(conn_params),
            timeout_s=conn_params.get("timeout", 5),
            pause_s=_CONNECT_PAUSE_S,
        )

    def _start_transaction_under_autocommit(self) -> None:
        """Begin, within the connection's `timeout`, asking again every two milliseconds while another one writes.

        SQLite's own waiting asks ever more rarely, up to ten times a second: whoever has waited long then loses against
        whoever comes, and waits seconds while the file is free most of the time.
        """
        begin = super()._start_transaction_under_autocommit  # type: ignore[misc]  # the stubs leave it out
        timeout_ms = int(self.connection.execute("PRAGMA busy_timeout").fetchone()[0])
        self.connection.execute("PRAGMA busy_timeout = 0")
        try:
            _until_free(begin, timeout_s=timeout_ms / 1000, pause_s=_BEGIN_PAUSE_S)
        finally:
            self.connection.execute(f"PRAGMA busy_timeout = {timeout_ms}")


def _until_free(work: Callable[[], T], *, timeout_s: float, pause_s: float) -> T:
    """What `work` returns, tried again after a pause each time SQLite says that the database is locked."""
    give_up_at_s = time.monotonic() + timeout_s
    while True:
        try:
            return work()
        except (sqlite3.OperationalError, OperationalError) as error:
            if not _is_busy(error) or time.monotonic() >= give_up_at_s:
                raise
        time.sleep(pause_s)


def _is_busy(error: Exception) -> bool:
    # Django's error has SQLite's as its cause. The low byte is the kind of fault: extended codes say more elsewhere.
    fault = error if isinstance(error, sqlite3.OperationalError) else error.__cause__
    return isinstance(fault, sqlite3.OperationalError) and fault.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY
