"""After one failure the cache is left alone for a while, and one call at a time finds out whether it is back."""

from datetime import timedelta

import pytest
from freezegun import freeze_time
from structlog.testing import capture_logs

from core.cache_breaker import REST_S, Breaker, Ticket
from tests.parallel import at_once

REST = timedelta(seconds=REST_S)
MOMENT = timedelta(milliseconds=1)


def opened() -> Breaker:
    breaker = Breaker()
    ticket = breaker.admit()
    assert ticket is not None
    breaker.failed(ticket, "TimeoutError")
    return breaker


class TestBreaker:
    def test_while_all_is_well_everybody_passes(self) -> None:
        breaker = Breaker()
        for _ in range(3):
            ticket = breaker.admit()
            assert ticket is not None
            breaker.passed(ticket)

    def test_one_failure_gives_it_a_rest(self) -> None:
        with freeze_time() as clock:
            breaker = opened()
            assert breaker.admit() is None
            clock.tick(REST - MOMENT)
            assert breaker.admit() is None
            clock.tick(MOMENT)
            assert breaker.admit() is not None

    def test_one_thread_alone_tries_after_the_rest(self) -> None:
        with freeze_time() as clock:
            breaker = opened()
            clock.tick(REST)
            tickets = at_once([breaker.admit] * 8)
            assert sum(ticket is not None for ticket in tickets) == 1

    def test_a_probe_that_is_answered_ends_the_outage(self) -> None:
        with freeze_time() as clock:
            breaker = opened()
            clock.tick(REST)
            probe = breaker.admit()
            assert probe is not None
            breaker.passed(probe)
            assert breaker.admit() is not None
            assert breaker.admit() is not None

    @pytest.mark.parametrize("reports", [True, False])
    def test_a_probe_that_fails_or_never_returns_costs_another_rest(self, reports: bool) -> None:
        with freeze_time() as clock:
            breaker = opened()
            clock.tick(REST)
            probe = breaker.admit()
            assert probe is not None
            if reports:
                breaker.failed(probe, "TimeoutError")
            assert breaker.admit() is None
            clock.tick(REST)
            assert breaker.admit() is not None

    def test_who_asked_before_the_outage_decides_nothing_about_it(self) -> None:
        breaker = Breaker()
        early, late = breaker.admit(), breaker.admit()
        assert early is not None
        assert late is not None
        breaker.failed(late, "TimeoutError")
        breaker.passed(early)
        assert breaker.admit() is None

    def test_a_failure_of_before_does_not_undo_the_recovery(self) -> None:
        with freeze_time() as clock:
            breaker = Breaker()
            early, late = breaker.admit(), breaker.admit()
            assert early is not None
            assert late is not None
            breaker.failed(late, "TimeoutError")
            clock.tick(REST)
            probe = breaker.admit()
            assert probe is not None
            breaker.passed(probe)
            breaker.failed(early, "TimeoutError")
            assert breaker.admit() is not None

    def test_a_rest_set_on_another_clock_does_not_last_for_ever(self) -> None:
        with freeze_time("2090-01-01"):
            breaker = opened()
            assert breaker.admit() is None
        assert isinstance(breaker.admit(), Ticket)

    def test_an_outage_is_two_lines_in_the_log(self) -> None:
        with freeze_time() as clock, capture_logs() as lines:
            breaker = opened()
            for _ in range(3):
                clock.tick(REST)
                probe = breaker.admit()
                assert probe is not None
                breaker.failed(probe, "TimeoutError")
            clock.tick(REST)
            probe = breaker.admit()
            assert probe is not None
            breaker.passed(probe)
        assert [(line["event"], line["log_level"]) for line in lines] == [
            ("cache_away", "warning"),
            ("cache_back", "info"),
        ]
