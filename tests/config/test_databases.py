"""SQLite as it really runs: what is acknowledged is on disk, and writers wait for each other instead of failing."""

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import OperationalError, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.postgresql.base import DatabaseWrapper
from django.db.backends.sqlite3.base import DatabaseWrapper as DjangosDatabaseWrapper
from django.db.utils import ConnectionHandler
from psycopg_pool import ConnectionPool
from pytest_django.plugin import DjangoDbBlocker

from config.environment import database_settings, read_environment
from core.sqlite3.base import DatabaseWrapper as WaitingDatabaseWrapper

Connect = Callable[..., BaseDatabaseWrapper]


def configured(data_dir: Path, **variables: str) -> dict[str, Any]:
    return database_settings(read_environment({"ASSAY_DATA_DIR": str(data_dir), **variables}, base_dir=data_dir))


@pytest.fixture
def connect(tmp_path: Path, django_db_blocker: DjangoDbBlocker) -> Iterator[Connect]:
    """New connections to one fresh file, each with the project's options or others in their place."""
    opened: list[BaseDatabaseWrapper] = []

    def new_connection(**options: Any) -> BaseDatabaseWrapper:
        settings = configured(tmp_path)
        settings["OPTIONS"] |= options
        connection = ConnectionHandler({"default": settings})["default"]
        connection.inc_thread_sharing()
        opened.append(connection)
        return connection

    # These are connections to files of their own, not to the test database.
    with django_db_blocker.unblock():
        yield new_connection
        for connection in opened:
            connection.close()


def asked(connection: BaseDatabaseWrapper, query: str) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(query)
        row = cursor.fetchone()
        return row and row[0]


def count_asks(connection: BaseDatabaseWrapper) -> list[str]:
    """The statements this connection has tried from now on."""
    asks: list[str] = []

    def wrapper(execute: Callable[..., Any], sql: str, *rest: Any) -> Any:
        asks.append(sql)
        return execute(sql, *rest)

    connection.ensure_connection()
    connection.execute_wrappers.append(wrapper)
    return asks


def refusing(monkeypatch: pytest.MonkeyPatch, code: int, *, times: int) -> list[int]:
    """Let SQLite refuse so many connections with this code; which of them it did is in the list.

    Two that turn a fresh file to writing ahead at the same moment meet too rarely to be waited for.
    """
    refused: list[int] = []
    connect_really = DjangosDatabaseWrapper.get_new_connection

    def get_new_connection(self: Any, conn_params: dict[str, Any]) -> Any:
        if len(refused) < times:
            refused.append(code)
            error = sqlite3.OperationalError("refused")
            error.sqlite_errorcode = code
            raise error
        return connect_really(self, conn_params)

    monkeypatch.setattr(DjangosDatabaseWrapper, "get_new_connection", get_new_connection)
    return refused


class TestSQLite:
    def test_it_writes_ahead_syncs_and_holds_foreign_keys(self, connect: Connect) -> None:
        connection = connect()
        assert asked(connection, "PRAGMA journal_mode") == "wal"
        assert asked(connection, "PRAGMA synchronous") == 2
        assert asked(connection, "PRAGMA foreign_keys") == 1
        assert asked(connection, "PRAGMA busy_timeout") == 20_000

    def test_without_the_options_it_would_not(self, connect: Connect) -> None:
        assert asked(connect(init_command=""), "PRAGMA journal_mode") == "delete"

    def test_a_second_writer_waits_at_its_beginning(self, connect: Connect) -> None:
        first, second = connect(), connect()
        asked(first, "CREATE TABLE counter (value integer)")
        asked(first, "INSERT INTO counter VALUES (0)")
        first.set_autocommit(False)
        with first.cursor() as cursor:
            cursor.execute("BEGIN IMMEDIATE")
            cursor.execute("UPDATE counter SET value = 1")
        begun_after_s: list[float] = []

        def write() -> None:
            started_s = time.monotonic()
            second.set_autocommit(False, force_begin_transaction_with_broken_autocommit=True)
            begun_after_s.append(time.monotonic() - started_s)
            with second.cursor() as cursor:
                cursor.execute("SELECT value FROM counter")
                seen = cursor.fetchone()[0]
                cursor.execute("UPDATE counter SET value = %s", [seen + 1])
            second.commit()

        writer = threading.Thread(target=write)
        writer.start()
        time.sleep(0.5)
        assert begun_after_s == []
        first.commit()
        writer.join(timeout=20)
        assert begun_after_s[0] >= 0.4
        assert asked(connect(), "SELECT value FROM counter") == 2

    def test_who_waits_asks_often_and_evenly(self, connect: Connect) -> None:
        first, second = connect(), connect()
        first.set_autocommit(False, force_begin_transaction_with_broken_autocommit=True)
        asks = count_asks(second)

        def wait() -> None:
            second.set_autocommit(False, force_begin_transaction_with_broken_autocommit=True)
            second.rollback()

        waiting = threading.Thread(target=wait)
        waiting.start()
        deadline_s = time.monotonic() + 15
        while len(asks) < 50 and time.monotonic() < deadline_s:
            time.sleep(0.01)
        first.commit()
        waiting.join(timeout=20)
        assert len(asks) >= 50
        # What is no transaction waits as SQLite does.
        assert asked(second, "PRAGMA busy_timeout") == 20_000

    def test_control_sqlites_own_waiting_would_be_one_ask(
        self, connect: Connect, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.delattr(WaitingDatabaseWrapper, "_start_transaction_under_autocommit")
        first, second = connect(), connect(timeout=0.3)
        first.set_autocommit(False, force_begin_transaction_with_broken_autocommit=True)
        asks = count_asks(second)
        with pytest.raises(OperationalError, match="locked"):
            second.set_autocommit(False, force_begin_transaction_with_broken_autocommit=True)
        first.rollback()
        assert len(asks) == 1

    def test_who_waits_for_a_transaction_gives_up_in_time(self, connect: Connect) -> None:
        first, second = connect(), connect(timeout=0.2)
        first.set_autocommit(False, force_begin_transaction_with_broken_autocommit=True)
        with pytest.raises(OperationalError, match="locked"):
            second.set_autocommit(False, force_begin_transaction_with_broken_autocommit=True)
        first.rollback()
        assert asked(second, "PRAGMA busy_timeout") == 200

    def test_with_deferred_transactions_the_second_writer_would_fail(self, connect: Connect) -> None:
        first, second = connect(transaction_mode="DEFERRED"), connect(transaction_mode="DEFERRED")
        asked(first, "CREATE TABLE counter (value integer)")
        asked(first, "INSERT INTO counter VALUES (0)")
        second.set_autocommit(False, force_begin_transaction_with_broken_autocommit=True)
        asked(second, "SELECT value FROM counter")
        asked(first, "UPDATE counter SET value = 1")
        with pytest.raises(OperationalError, match="locked"):
            asked(second, "UPDATE counter SET value = 2")
        second.rollback()

    def test_connecting_tries_again_where_sqlite_says_at_once_that_it_is_locked(
        self, connect: Connect, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        refused = refusing(monkeypatch, sqlite3.SQLITE_BUSY, times=3)
        assert asked(connect(), "PRAGMA journal_mode") == "wal"
        assert refused == [sqlite3.SQLITE_BUSY] * 3

    def test_extended_codes_of_being_locked_are_known(self, connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
        refusing(monkeypatch, sqlite3.SQLITE_BUSY_RECOVERY, times=1)
        assert asked(connect(), "SELECT 1") == 1

    def test_it_tries_no_longer_than_its_time_out(self, connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
        refusing(monkeypatch, sqlite3.SQLITE_BUSY, times=10**6)
        with pytest.raises(OperationalError, match="refused"):
            asked(connect(timeout=0.1), "SELECT 1")

    def test_another_fault_is_told_at_once(self, connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
        refused = refusing(monkeypatch, sqlite3.SQLITE_CANTOPEN, times=1)
        with pytest.raises(OperationalError, match="refused"):
            asked(connect(), "SELECT 1")
        assert refused == [sqlite3.SQLITE_CANTOPEN]

    def test_control_djangos_own_backend_would_fail_at_once(
        self, connect: Connect, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        refusing(monkeypatch, sqlite3.SQLITE_BUSY, times=1)
        monkeypatch.delattr(WaitingDatabaseWrapper, "get_new_connection")
        with pytest.raises(OperationalError, match="refused"):
            asked(connect(), "SELECT 1")

    def test_processes_may_meet_at_a_fresh_file(self, connect: Connect) -> None:
        connections = [connect() for _ in range(8)]
        barrier = threading.Barrier(len(connections))
        failures: list[Exception] = []

        def open_and_write(connection: BaseDatabaseWrapper) -> None:
            barrier.wait()
            try:
                asked(connection, "CREATE TABLE IF NOT EXISTS entry (value integer)")
                for _ in range(5):
                    asked(connection, "INSERT INTO entry VALUES (1)")
            except Exception as error:
                failures.append(error)
                raise

        threads = [threading.Thread(target=open_and_write, args=[connection]) for connection in connections]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(timeout=60)
        assert failures == []
        assert asked(connect(), "SELECT count(*) FROM entry") == 40


class TestThisRun:
    @pytest.mark.django_db(transaction=True)
    def test_the_test_database_keeps_the_same_promises(self) -> None:
        from django.db import connection

        if connection.vendor == "sqlite":
            assert asked(connection, "PRAGMA journal_mode") == "wal"
            assert asked(connection, "PRAGMA synchronous") == 2
        else:
            assert asked(connection, "SHOW transaction_isolation") == "read committed"
            assert asked(connection, "SHOW synchronous_commit") == "on"
        with transaction.atomic():
            assert asked(connection, "SELECT 1") == 1


class TestPostgresPool:
    URL = "postgres://assay@127.0.0.1:1/assay"

    @pytest.fixture(autouse=True)
    def _own_pools(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Django keeps one pool for each alias in a process."""
        monkeypatch.setattr(DatabaseWrapper, "_connection_pools", {})

    def pool_of(self, settings: dict[str, Any]) -> Any:
        return ConnectionHandler({"default": settings})["default"].pool  # type: ignore[attr-defined]

    def test_django_takes_the_pool_of_web_processes(self, tmp_path: Path) -> None:
        variables = {"DATABASE_URL": self.URL, "DATABASE_POOL_SIZE": "3"}
        pool = self.pool_of(configured(tmp_path, ASSAY_PROCESS="web", **variables))
        assert isinstance(pool, ConnectionPool)
        assert (pool.min_size, pool.max_size) == (1, 3)
        # Each connection is looked at before it is lent.
        assert pool._check is not None
        assert self.pool_of(configured(tmp_path, **variables)) is None

    def test_connections_that_outlive_requests_would_be_refused(self, tmp_path: Path) -> None:
        settings = configured(tmp_path, DATABASE_URL=self.URL, ASSAY_PROCESS="web")
        with pytest.raises(ImproperlyConfigured, match="persistent"):
            self.pool_of({**settings, "CONN_MAX_AGE": 60})
