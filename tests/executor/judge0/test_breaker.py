"""The circuit breaker: what opens it, how it closes, and that an open one sends nothing."""

import itertools
import threading
from typing import Any

import pytest
import requests
import responses

from executor.engines.base import EngineError, EngineUnavailable
from executor.engines.judge0 import breaker as breakers
from executor.engines.judge0.breaker import FAULTS_TO_OPEN, LONGEST_PAUSE_S, Breaker, CircuitOpen
from tests.executor.judge0.support import (
    BATCH,
    URL,
    FakeClock,
    FakeJudge0,
    engine_with,
    mounted,
    recorded_job,
    refusal,
    request_of,
)


def breaker_with(clock: FakeClock) -> Breaker:
    return Breaker(clock=clock, jitter=lambda low, _high: low)


def fail(breaker: Breaker, times: int = 1) -> None:
    for _ in range(times):
        breaker.failed(breaker.admit("a request"), "reset")


def opened(clock: FakeClock) -> Breaker:
    breaker = breaker_with(clock)
    fail(breaker, FAULTS_TO_OPEN)
    return breaker


class BreakerTestCase:
    def test_it_opens_after_so_many_faults_in_a_row(self) -> None:
        breaker = breaker_with(FakeClock())
        fail(breaker, FAULTS_TO_OPEN - 1)
        breaker.passed(breaker.admit("a request"))
        fail(breaker, FAULTS_TO_OPEN - 1)
        assert breaker.open_for_s() is None
        fail(breaker)
        with pytest.raises(CircuitOpen) as caught:
            breaker.admit("a request")
        assert caught.value.retry_after_s == breakers.FIRST_PAUSE_S

    def test_after_the_pause_one_request_goes_out_and_the_others_wait(self) -> None:
        clock = FakeClock()
        breaker = opened(clock)
        clock.now_s += breakers.FIRST_PAUSE_S
        trial = breaker.admit("the trial")
        for _ in range(3):
            with pytest.raises(CircuitOpen):
                breaker.admit("another")
        breaker.passed(trial)
        assert breaker.open_for_s() is None
        breaker.admit("another")

    def test_of_many_threads_one_is_let_through(self) -> None:
        clock = FakeClock()
        breaker = opened(clock)
        clock.now_s += breakers.FIRST_PAUSE_S
        start, let_through = threading.Barrier(8), []

        def ask() -> None:
            start.wait(5)
            try:
                let_through.append(breaker.admit("a request"))
            except CircuitOpen:
                return

        threads = [threading.Thread(target=ask) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(5)
        assert len(let_through) == 1

    def test_each_failed_trial_doubles_the_pause_up_to_a_limit_and_success_forgets_it(self) -> None:
        clock = FakeClock()
        breaker = opened(clock)
        pauses = []
        for _ in range(6):
            pause_s = breaker.open_for_s()
            assert pause_s is not None
            pauses.append(pause_s)
            clock.now_s += pause_s
            fail(breaker)
        assert pauses == [2, 4, 8, 16, LONGEST_PAUSE_S, LONGEST_PAUSE_S]
        clock.now_s += LONGEST_PAUSE_S
        breaker.passed(breaker.admit("the trial"))
        fail(breaker, FAULTS_TO_OPEN)
        assert breaker.open_for_s() == breakers.FIRST_PAUSE_S

    def test_a_trial_that_tells_nothing_leaves_it_open_and_not_stuck(self) -> None:
        clock = FakeClock()
        breaker = opened(clock)
        clock.now_s += breakers.FIRST_PAUSE_S
        breaker.neither(breaker.admit("the trial"))
        assert breaker.open_for_s() == breakers.FIRST_PAUSE_S
        clock.now_s += breakers.FIRST_PAUSE_S
        breaker.passed(breaker.admit("the next trial"))
        assert breaker.open_for_s() is None

    def test_a_late_success_does_not_cut_short_a_pause_the_server_asked_for(self) -> None:
        clock = FakeClock()
        breaker = breaker_with(clock)
        slow = breaker.admit("a slow request")
        breaker.failed(breaker.admit("a request"), "429", wish_s=60.0)
        breaker.passed(slow)
        assert breaker.open_for_s() == 60.0

    def test_a_wish_is_granted_up_to_a_limit(self) -> None:
        breaker = breaker_with(FakeClock())
        breaker.failed(breaker.admit("a request"), "503", wish_s=86_400.0)
        assert breaker.open_for_s() == breakers.LONGEST_WISH_S

    def test_those_refused_are_sent_back_at_different_times(self) -> None:
        breaker = Breaker(clock=FakeClock())
        fail(breaker, FAULTS_TO_OPEN)
        waits = set()
        for _ in range(5):
            with pytest.raises(CircuitOpen) as caught:
                breaker.admit("a request")
            waits.add(caught.value.retry_after_s)
        assert len(waits) == 5


class OpenCircuitTestCase:
    def fail_until_open(self, clock: FakeClock, fault: object) -> tuple[FakeJudge0, int]:
        """Ten programs, one after the other, on a server that refuses every POST; what it saw, and those failed."""
        engine, fake = engine_with(clock), FakeJudge0()
        with mounted(fake):
            engine.run(request_of(b"x"))
            fake.calls.clear()
            fake.post_faults = [fault] * 1000
            failed = 0
            for _ in range(10):
                with pytest.raises(EngineUnavailable):
                    engine.run(request_of(b"x"))
                failed += 1
        return fake, failed

    def test_a_server_that_fails_is_left_alone(self) -> None:
        fake, failed = self.fail_until_open(FakeClock(), (500, {}, ""))
        assert (failed, len(fake.calls)) == (10, FAULTS_TO_OPEN)

    def test_without_the_breaker_it_would_not_be(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """The control of the test above."""
        monkeypatch.setattr(breakers, "FAULTS_TO_OPEN", 10**6)
        fake, failed = self.fail_until_open(FakeClock(), (500, {}, ""))
        assert (failed, len(fake.calls)) == (10, 10)

    def test_the_refusal_says_when_to_come_back_and_then_work_goes_on(self) -> None:
        clock, fake = FakeClock(), FakeJudge0()
        engine = engine_with(clock)
        with mounted(fake):
            fake.post_faults = [(503, {}, "")] * FAULTS_TO_OPEN
            for _ in range(FAULTS_TO_OPEN):
                with pytest.raises(EngineUnavailable):
                    engine.run(request_of(b"x"))
            with pytest.raises(CircuitOpen) as caught:
                engine.run(request_of(b"x"))
            assert caught.value.retry_after_s is not None
            clock.now_s += caught.value.retry_after_s
            assert engine.run(request_of(b"x")).results[0].stdout == b"x"

    def test_a_wish_of_the_server_holds_for_every_thread_at_once(self) -> None:
        clock, fake = FakeClock(), FakeJudge0()
        engine = engine_with(clock)
        with mounted(fake):
            engine.run(request_of(b"x"))
            fake.post_faults = [(429, {"Retry-After": "40"}, "")]
            for _ in range(3):
                with pytest.raises(EngineUnavailable) as caught:
                    engine.run(request_of(b"x"))
                assert caught.value.retry_after_s is not None
                assert caught.value.retry_after_s >= 40
            assert [call.method for call in fake.calls].count("POST") == 2
            clock.now_s += 50
            engine.run(request_of(b"x"))

    @pytest.mark.parametrize(
        ("reply", "opens"),
        [
            ({"body": requests.ReadTimeout("slow")}, True),
            ({"body": requests.ConnectionError("reset")}, True),
            ({"body": requests.exceptions.SSLError("no")}, True),
            ({"status": 500}, True),
            ({"status": 503, "body": '{"error": "queue is full"}'}, True),
            ({"status": 429}, True),
            ({"status": 502, "body": "<html>"}, True),
            ({"status": 401}, True),
            ({"status": 403}, True),
            ({"status": 404}, True),
            ({"status": 302, "headers": {"Location": "/"}}, True),
            ({"status": 204}, True),
            ({"status": 201, "body": "<html>"}, True),
            ({"status": 201, "body": ""}, True),
            ({"status": 201, "body": "[", "headers": {"Content-Encoding": "gzip"}}, True),
            ({"status": 400}, False),
            ({"status": 413}, False),
            (refusal("cpu-above-max"), False),
            (refusal("all-invalid"), False),
            (refusal("batch-mixed"), False),
            ({"status": 201, "json": [{"token": 7}]}, False),
        ],
    )
    def test_what_counts_is_what_the_table_says(self, reply: dict[str, Any], opens: bool) -> None:
        client = engine_with()._client
        with responses.RequestsMock() as mock:
            mock.post(BATCH, **reply)
            for _ in range(FAULTS_TO_OPEN):
                with pytest.raises(EngineError):
                    client.create([{}, {}, {}], budget_s=30)
        assert (client.wire.breaker.open_for_s() is not None) is opens

    def test_a_program_that_never_ends_says_nothing_of_the_server(self) -> None:
        engine = engine_with()
        with mounted(FakeJudge0(lambda *_: [recorded_job("processing")])), pytest.raises(EngineUnavailable):
            engine.run(request_of(b"x"))
        assert engine._client.wire.breaker.open_for_s() is None

    def test_a_caller_in_a_hurry_says_nothing_of_the_server(self) -> None:
        wire = engine_with()._client.wire
        with responses.RequestsMock() as mock:
            mock.get(f"{URL}/about", body=requests.ReadTimeout("slow"))
            for _ in range(FAULTS_TO_OPEN):
                with pytest.raises(EngineUnavailable):
                    wire.get("/about", max_bytes=100, budget_s=0.1)
            assert wire.breaker.faults == 0
            # Control: the same silence, given all its time.
            for _ in range(FAULTS_TO_OPEN):
                with pytest.raises(EngineUnavailable):
                    wire.get("/about", max_bytes=100)
        assert wire.breaker.open_for_s() is not None

    def test_an_exception_nobody_thought_of_does_not_leave_it_stuck(self, monkeypatch: pytest.MonkeyPatch) -> None:
        clock = FakeClock()
        wire = engine_with(clock)._client.wire
        fail(wire.breaker, FAULTS_TO_OPEN)
        clock.now_s += LONGEST_PAUSE_S
        with monkeypatch.context() as patched:
            patched.setattr(wire, "_talk", lambda *_: next(itertools.repeat(None, 0)))
            with pytest.raises(StopIteration):
                wire.get("/about", max_bytes=100)
        clock.now_s += LONGEST_PAUSE_S
        with mounted(FakeJudge0()):
            wire.get("/about", max_bytes=10_000)
        assert wire.breaker.open_for_s() is None
