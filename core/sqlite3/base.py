"""Django's SQLite backend, whose connecting waits where SQLite itself would not, and whose statements may be long."""

import sqlite3
import time
from typing import Any

from django.db.backends.sqlite3 import base, features
from django.utils.functional import cached_property

# Short beside a commit to disk, and long enough not to spin.
_PAUSE_S = 0.01


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
        give_up_at_s = time.monotonic() + conn_params.get("timeout", 5)
        while True:
            try:
                return super().get_new_connection(conn_params)
            except sqlite3.OperationalError as error:
                # The low byte is the kind of fault: extended codes say more in the others.
                if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() >= give_up_at_s:
                    raise
            time.sleep(_PAUSE_S)
