"""Waiting for Judge0: pauses, retries, deadlines, and what is remembered of the server."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
import requests

from executor.engines.base import EngineError, EngineRejected, EngineUnavailable
from executor.engines.judge0 import Timeouts
from tests.executor.judge0.support import (
    ANSWERS,
    LIMITS,
    SERVER,
    UNFINISHED,
    FakeClock,
    FakeJudge0,
    Item,
    engine_with,
    inputs,
    mounted,
    recorded_job,
    request_of,
)


class PollingTestCase:
    def test_pauses_grow_from_fifty_milliseconds_to_one_second(self) -> None:
        clock = FakeClock()
        states = [*UNFINISHED * 15, recorded_job("accepted")]
        with mounted(FakeJudge0(lambda *_: states)):
            engine_with(clock).run(request_of(b"x"))
        assert 0.05 <= clock.sleeps[0] <= 0.0625
        assert 1.0 <= clock.sleeps[-1] <= 1.25
        assert all(later > 1.03 * earlier for earlier, later in zip(clock.sleeps[:8], clock.sleeps[1:9], strict=True))

    def test_two_runs_never_pause_alike(self) -> None:
        clocks = FakeClock(), FakeClock()
        for clock in clocks:
            with mounted(FakeJudge0(lambda *_: [*UNFINISHED * 5, recorded_job("accepted")])):
                engine_with(clock).run(request_of(b"x"))
        assert clocks[0].sleeps != clocks[1].sleeps

    @pytest.mark.parametrize("state", ["queued", "processing"])
    def test_a_job_that_never_ends_ends_at_the_deadline(self, state: str) -> None:
        clock = FakeClock()
        engine = engine_with(clock, timeouts=Timeouts(queue_allowance_s=60))
        fake = FakeJudge0(lambda *_: [recorded_job(state)])
        with mounted(fake), pytest.raises(EngineUnavailable, match="in time: 3 of 3 jobs"):
            engine.run(request_of(*inputs(3)))
        # Three inputs of ten seconds, two for each box, and a minute in the queue.
        assert clock.now_s == pytest.approx(1000 + 60 + 3 * 12)
        # No hot loop: about one poll a second.
        assert len(fake.polls) < 115

    def test_a_longer_allowance_would_have_seen_it_end(self) -> None:
        states = [*UNFINISHED * 60, recorded_job("accepted")]
        with mounted(FakeJudge0(lambda *_: states)), pytest.raises(EngineUnavailable):
            engine_with(timeouts=Timeouts(queue_allowance_s=60)).run(request_of(b"x"))
        with mounted(FakeJudge0(lambda *_: states)):
            report = engine_with(timeouts=Timeouts(queue_allowance_s=600)).run(request_of(b"x"))
        assert len(report.results) == 1

    @pytest.mark.parametrize("status_id", [13, 14])
    def test_judge0s_own_failure_over_one_job_fails_the_run_and_not_the_program(self, status_id: int) -> None:
        def script(number: int, _submission: Item) -> Sequence[Item | None]:
            return [recorded_job("13-internal-error", status_id=status_id) if number == 1 else recorded_job("accepted")]

        with mounted(FakeJudge0(script)), pytest.raises(EngineUnavailable):
            engine_with().run(request_of(*inputs(3)))

    def test_a_moments_null_is_asked_again(self) -> None:
        with mounted(FakeJudge0(lambda *_: [None, None, recorded_job("accepted")])):
            assert len(engine_with().run(request_of(b"x")).results) == 1

    def test_a_token_the_server_forgot_is_given_up_soon(self) -> None:
        clock = FakeClock()
        with mounted(FakeJudge0(lambda *_: [None])) as fake, pytest.raises(EngineUnavailable, match="not know"):
            engine_with(clock).run(request_of(b"x"))
        assert len(fake.polls) == 6
        assert clock.now_s < 1020

    @pytest.mark.parametrize(
        "fault",
        [
            requests.ConnectionError("reset"),
            requests.ReadTimeout("slow"),
            requests.exceptions.ChunkedEncodingError("cut"),
            (503, {}, ANSWERS["queue-full"]["body"]),
            (500, {}, "<html>"),
            (502, {}, "<html>Bad Gateway</html>"),
            (429, {}, ""),
        ],
    )
    def test_a_poll_survives_a_fault_of_the_moment(self, fault: object) -> None:
        fake = FakeJudge0()
        fake.poll_faults = [fault] * 5
        with mounted(fake):
            report = engine_with().run(request_of(*inputs(2)))
        assert [result.stdout for result in report.results] == inputs(2)
        assert fake.batches == [2]

    def test_six_faults_in_a_row_are_no_moment(self) -> None:
        fake = FakeJudge0()
        fake.poll_faults = [requests.ConnectionError("reset")] * 6
        with mounted(fake), pytest.raises(EngineUnavailable):
            engine_with().run(request_of(b"x"))
        assert len(fake.polls) == 6

    def test_a_short_retry_after_is_waited_for(self) -> None:
        clock, fake = FakeClock(), FakeJudge0()
        fake.poll_faults = [(429, {"Retry-After": "4"}, "")]
        with mounted(fake):
            engine_with(clock).run(request_of(b"x"))
        assert max(clock.sleeps) >= 4

    def test_a_long_retry_after_is_handed_up(self) -> None:
        fake = FakeJudge0()
        fake.poll_faults = [(503, {"Retry-After": "120"}, "")]
        with mounted(fake), pytest.raises(EngineUnavailable) as caught:
            engine_with().run(request_of(b"x"))
        assert caught.value.retry_after_s == 120
        assert len(fake.polls) == 1


class PostingTestCase:
    @pytest.mark.parametrize(
        "fault",
        [
            requests.ReadTimeout("slow"),
            requests.ConnectionError("reset"),
            (503, {}, ANSWERS["queue-full"]["body"]),
            (500, {}, ""),
            (201, {}, '[{"token":'),
        ],
    )
    def test_a_post_that_may_have_been_heard_is_not_repeated(self, fault: object) -> None:
        fake = FakeJudge0()
        fake.post_faults = [fault]
        with mounted(fake), pytest.raises(EngineError):
            engine_with().run(request_of(b"x"))
        assert [call.method for call in fake.calls].count("POST") == 1

    def test_a_refused_connection_heard_nothing_and_is_repeated(self) -> None:
        fake = FakeJudge0()
        refused = requests.ConnectionError(ConnectionRefusedError(111, "Connection refused"))
        fake.post_faults = [refused, refused]
        with mounted(fake):
            report = engine_with().run(request_of(b"x"))
        assert [result.stdout for result in report.results] == [b"x"]
        assert [call.method for call in fake.calls].count("POST") == 3

    def test_but_only_a_few_times(self) -> None:
        fake = FakeJudge0()
        fake.post_faults = [requests.ConnectionError(ConnectionRefusedError(111, "Connection refused"))] * 9
        with mounted(fake), pytest.raises(EngineUnavailable, match="refused"):
            engine_with().run(request_of(b"x"))
        assert [call.method for call in fake.calls].count("POST") == 3


class LearningTestCase:
    def test_the_server_is_asked_once_for_many_runs_and_again_after_some_minutes(self) -> None:
        clock = FakeClock()
        engine = engine_with(clock)
        with mounted(FakeJudge0()) as fake:
            for _ in range(5):
                engine.run(request_of(b"x"))
            asked = sum("/config_info" in str(call.url) for call in fake.calls)
            clock.now_s += 301
            engine.run(request_of(b"x"))
            asked_later = sum("/config_info" in str(call.url) for call in fake.calls)
        assert (asked, asked_later) == (1, 2)

    def test_a_refusal_makes_it_ask_anew(self) -> None:
        engine = engine_with()
        refused = ANSWERS["cpu-above-max"]
        with mounted(FakeJudge0()) as fake:
            fake.post_faults = [(refused["status"], {}, refused["body"])]
            with pytest.raises(EngineRejected, match="cpu_time_limit: must be less than or equal to"):
                engine.run(request_of(b"x"))
            engine.run(request_of(b"x"))
        assert sum("/config_info" in str(call.url) for call in fake.calls) == 2

    def test_a_server_in_maintenance_is_left_alone_until_it_is_over(self) -> None:
        engine, fake = engine_with(), FakeJudge0()
        fake.config["maintenance_mode"] = True
        with mounted(fake):
            with pytest.raises(EngineUnavailable, match="maintenance"):
                engine.run(request_of(b"x"))
            assert fake.batches == []
            fake.config["maintenance_mode"] = False
            engine.run(request_of(b"x"))
        assert fake.batches == [1]

    def test_a_server_that_denies_batches_is_refused_before_anything_is_sent(self) -> None:
        fake = FakeJudge0()
        fake.config = dict(SERVER["config_info_denying"])
        with mounted(fake), pytest.raises(EngineRejected, match="ENABLE_BATCHED_SUBMISSIONS"):
            engine_with().run(request_of(b"x"))
        assert fake.batches == []

    def test_a_limit_beyond_the_servers_is_refused_before_anything_is_sent(self) -> None:
        with mounted(FakeJudge0()) as fake, pytest.raises(EngineRejected, match="max_memory_limit"):
            engine_with().run(request_of(b"x", limits=replace(LIMITS, memory_limit_mb=4096)))
        assert fake.batches == []
