"""`?wait=`: few wait at a time, a message wakes them, and asleep they hold no connection."""

import threading
from typing import Any

import pytest
from django.db import connection, connections
from pytest_django import Settings

from executor.api import waiting
from executor.api.waiting import wait_for_verdict, waits_at_once
from executor.models import Submission
from tests.executor.databases import judge_next
from tests.executor.factories import SubmissionFactory
from tests.shell import wait_until

pytestmark = pytest.mark.django_db(transaction=True)

LONG_S = 60.0


class Waiter:
    """Somebody who waits in a thread."""

    def __init__(self, submission: Submission, wait_s: float = LONG_S) -> None:
        self.answer: bool | None = None
        self._thread = threading.Thread(target=self._wait, args=(submission.pk, wait_s))
        self._thread.start()

    def _wait(self, submission_id: int, wait_s: float) -> None:
        try:
            self.answer = wait_for_verdict(submission_id, wait_s)
        finally:
            connections.close_all()

    def end(self) -> bool | None:
        self._thread.join(LONG_S)
        assert not self._thread.is_alive()
        return self.answer


@pytest.fixture
def no_poll(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "POLL_S", LONG_S)


def waits(count: int) -> None:
    wait_until(lambda: waiting._waiting == count, what="they wait")


class TestWaiting:
    @pytest.mark.usefixtures("no_poll")
    def test_a_message_wakes_who_waits(self) -> None:
        submission = SubmissionFactory()
        waiter = Waiter(submission)
        waits(1)
        judge_next()
        assert waiter.end() is True
        assert waiting._waiting == 0

    def test_without_one_the_database_is_asked(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(waiting, "POLL_S", 0.05)
        monkeypatch.setattr("events.hub.deliver", lambda topic, message: None)
        waiter = Waiter(SubmissionFactory())
        waits(1)
        judge_next()
        assert waiter.end() is True

    def test_the_time_ends(self) -> None:
        assert wait_for_verdict(SubmissionFactory().pk, 0.05) is False

    def test_without_waiting_it_is_told_at_once(self) -> None:
        submission = SubmissionFactory()
        assert wait_for_verdict(submission.pk, 0) is False
        judge_next()
        assert wait_for_verdict(submission.pk, 0) is True

    @pytest.mark.usefixtures("no_poll")
    def test_more_than_may_wait_are_answered_at_once(self, settings: Settings) -> None:
        settings.EXECUTOR_WAITS_AT_ONCE = 2
        submission = SubmissionFactory()
        waiters = [Waiter(submission) for _ in range(2)]
        waits(2)
        assert wait_for_verdict(submission.pk, LONG_S) is False
        judge_next()
        assert [waiter.end() for waiter in waiters] == [True, True]

    @pytest.mark.usefixtures("no_poll")
    def test_asleep_they_hold_no_connection(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """That is, none of a server's few: SQLite's file is kept open."""
        held: list[Any] = []
        real_wait = threading.Event.wait

        def noting(event: threading.Event, timeout: float | None = None) -> bool:
            if threading.current_thread() is not threading.main_thread() and timeout and timeout > 1:
                held.append(connection.connection)
            return real_wait(event, timeout)

        waiter = None
        with monkeypatch.context() as patched:
            patched.setattr(threading.Event, "wait", noting)
            waiter = Waiter(SubmissionFactory())
            waits(1)
            wait_until(lambda: bool(held), what="it is asleep")
        judge_next()
        assert waiter.end() is True
        assert [each is None for each in held] == [connection.vendor != "sqlite"]

    @pytest.mark.parametrize(("places", "most"), [(16, 4), (4, 2), (1, 0)])
    def test_they_take_half_of_the_places_at_most(
        self, settings: Settings, monkeypatch: pytest.MonkeyPatch, places: int, most: int
    ) -> None:
        monkeypatch.setattr(waiting, "requests_at_once", lambda: places)
        assert waits_at_once() == most
