"""A whole run against a scripted Judge0: batches, polling, order, ends, and what a run survives."""

import base64
import json
import threading
from collections.abc import Sequence
from dataclasses import replace

import pytest
import requests

from executor.engines.base import EngineError, EngineRejected, EngineUnavailable, RunResult, RunStatus
from executor.engines.judge0 import Timeouts
from tests.executor.judge0.support import (
    ANSWERS,
    KEY,
    LIMITS,
    PYTHON,
    SERVER,
    C,
    FakeClock,
    FakeJudge0,
    Item,
    b64,
    echo,
    engine_with,
    mounted,
    recorded_job,
    request_of,
)

UNFINISHED: list[Item | None] = [recorded_job("queued"), recorded_job("processing")]
C_FILES = {"main.c": "int main(void) { return 0; }"}


def inputs(count: int) -> list[bytes]:
    return [f"input {number}".encode() for number in range(count)]


class RunTestCase:
    def test_each_input_gets_its_own_result_in_order(self) -> None:
        with mounted(FakeJudge0()) as fake:
            report = engine_with().run(request_of(*inputs(20)))
        assert [result.stdout for result in report.results] == inputs(20)
        assert (report.compilation, report.tier) == (None, "judge0")
        assert fake.batches == [20]

    def test_twenty_tests_cost_one_post(self) -> None:
        with mounted(FakeJudge0()) as fake:
            engine_with().run(request_of(*inputs(20)))
        assert [call.method for call in fake.calls].count("POST") == 1

    def test_results_go_by_token_whatever_their_order(self) -> None:
        fake = FakeJudge0()
        fake.change_poll = lambda items: {"submissions": items[::-1]}
        with mounted(fake):
            report = engine_with().run(request_of(*inputs(20)))
        assert [result.stdout for result in report.results] == inputs(20)

    def test_results_are_told_in_the_order_of_the_inputs_as_they_become_known(self) -> None:
        def script(number: int, submission: Item) -> Sequence[Item | None]:
            return [*UNFINISHED * (3 - number), *echo(number, submission)]

        polls_at: list[int] = []
        told: list[tuple[int, bytes]] = []

        def on_result(index: int, result: RunResult) -> bool:
            polls_at.append(len(fake.polls))
            told.append((index, result.stdout))
            return True

        with mounted(FakeJudge0(script)) as fake:
            engine_with().run(request_of(*inputs(4)), on_result)
        assert told == list(enumerate(inputs(4)))
        # The first input ended last: the others waited for it.
        assert set(polls_at) == {7}

    def test_false_stops_the_run_and_asks_for_nothing_more(self) -> None:
        def script(number: int, submission: Item) -> Sequence[Item | None]:
            return echo(number, submission) if number < 3 else UNFINISHED

        with mounted(FakeJudge0(script)) as fake:
            report = engine_with().run(request_of(*inputs(45)), lambda index, _: index < 2)
        assert [result.stdout for result in report.results] == inputs(3)
        assert len(fake.polls) == 1
        assert fake.batches == [20]
        assert {call.method for call in fake.calls} == {"GET", "POST"}

    @pytest.mark.parametrize(("limit", "batches"), [(20, [20, 20, 5]), (7, [7] * 6 + [3]), (1, [1] * 45)])
    def test_batches_and_polls_are_cut_to_the_servers_limit(self, limit: int, batches: list[int]) -> None:
        fake = FakeJudge0()
        fake.config["max_submission_batch_size"] = limit
        with mounted(fake):
            report = engine_with().run(request_of(*inputs(45)))
        assert [result.stdout for result in report.results] == inputs(45)
        assert fake.batches == batches
        assert max(len(tokens) for tokens in fake.polls) <= limit

    def test_a_server_that_names_no_limit_gets_twenty(self) -> None:
        fake = FakeJudge0()
        del fake.config["max_submission_batch_size"]
        with mounted(fake):
            engine_with().run(request_of(*inputs(21)))
        assert fake.batches == [20, 1]

    def test_a_batch_of_large_inputs_is_cut_by_size_too(self) -> None:
        large = [bytes([65 + number]) * (5 * 1024 * 1024) for number in range(4)]
        with mounted(FakeJudge0(lambda *_: [recorded_job("accepted")])) as fake:
            engine_with().run(request_of(*large))
        assert fake.batches == [2, 2]

    def test_the_next_batch_waits_until_half_of_the_first_is_back(self) -> None:
        def script(number: int, submission: Item) -> Sequence[Item | None]:
            return [*UNFINISHED * (number // 5), *echo(number, submission)]

        with mounted(FakeJudge0(script)) as fake:
            report = engine_with().run(request_of(*inputs(25)))
        methods = [call.method for call in fake.calls]
        assert fake.batches == [20, 5]
        assert "GET" in methods[methods.index("POST") + 1 : len(methods) - methods[::-1].index("POST") - 1]
        assert [result.stdout for result in report.results] == inputs(25)

    def test_only_what_is_not_finished_is_asked_for_again_and_each_token_once(self) -> None:
        def script(number: int, submission: Item) -> Sequence[Item | None]:
            return [*UNFINISHED, *echo(number, submission)] if number % 2 else echo(number, submission)

        with mounted(FakeJudge0(script)) as fake:
            engine_with().run(request_of(*inputs(6)))
        assert [len(tokens) for tokens in fake.polls] == [6, 3, 3]
        assert all(len(set(tokens)) == len(tokens) for tokens in fake.polls)

    def test_only_the_needed_fields_travel_and_always_as_base64(self) -> None:
        with mounted(FakeJudge0()) as fake:
            engine_with().run(request_of(b"x"))
        post, poll = fake.calls[-2:]
        assert post.params == {"base64_encoded": "true"}  # type: ignore[attr-defined]
        params = poll.params  # type: ignore[attr-defined]
        assert params["base64_encoded"] == "true"
        assert "source_code" not in params["fields"]
        assert "stdin" not in params["fields"]
        assert "*" not in params["fields"]

    def test_no_expected_output_and_no_wait_is_ever_sent(self) -> None:
        with mounted(FakeJudge0()) as fake:
            engine_with().run(request_of(*inputs(3)))
        assert fake.submissions
        assert not any(
            "expected_output" in submission or "callback_url" in submission for submission in fake.submissions
        )
        assert not any("wait" in str(call.url) for call in fake.calls)

    def test_accepted_and_wrong_answer_both_only_mean_that_it_ended(self) -> None:
        names = ["accepted", "wrong-answer"]
        with mounted(FakeJudge0(lambda number, _: [recorded_job(names[number])])):
            report = engine_with().run(request_of(b"a", b"b"))
        assert [(result.status, result.exit_code) for result in report.results] == [(RunStatus.EXITED, 0)] * 2

    def test_a_run_without_inputs_is_refused(self) -> None:
        with mounted(FakeJudge0()) as fake, pytest.raises(EngineRejected):
            engine_with().run(request_of())
        assert fake.calls == []


class CompilationInARunTestCase:
    def test_a_program_that_does_not_compile_has_a_report_and_no_results(self) -> None:
        with mounted(FakeJudge0(lambda *_: [recorded_job("compile-error-c")])) as fake:
            report = engine_with().run(request_of(*inputs(3), toolchain=C, files=C_FILES))
        assert report.compilation is not None
        assert not report.compilation.succeeded
        assert "undeclared" in report.compilation.output
        assert report.results == ()
        assert len(fake.polls) == 1

    def test_warnings_of_a_program_that_runs_are_reported(self) -> None:
        with mounted(FakeJudge0(lambda *_: [recorded_job("compile-warning-c")])):
            report = engine_with().run(request_of(*inputs(2), toolchain=C, files=C_FILES))
        assert report.compilation is not None
        assert report.compilation.succeeded
        assert "warning" in report.compilation.output
        assert len(report.results) == 2

    @pytest.mark.parametrize("odd", [0, 1])
    def test_compiling_for_one_test_and_not_for_another_is_the_servers_fault(self, odd: int) -> None:
        def script(number: int, _submission: Item) -> Sequence[Item | None]:
            return [recorded_job("compile-error-c" if number == odd else "compile-warning-c")]

        with mounted(FakeJudge0(script)), pytest.raises(EngineUnavailable, match="compiled"):
            engine_with().run(request_of(*inputs(2), toolchain=C, files=C_FILES))


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


class SharingTestCase:
    def test_threads_share_an_engine_without_mixing_results(self) -> None:
        def script(number: int, submission: Item) -> Sequence[Item | None]:
            return [*UNFINISHED[: number % 3], *echo(number, submission)]

        engine, outcomes, lock = engine_with(), {}, threading.Lock()

        def work(name: int) -> None:
            sent = [f"{name}:{number}".encode() for number in range(30)]
            got = [result.stdout for result in engine.run(request_of(*sent)).results]
            with lock:
                outcomes[name] = got == sent

        with mounted(FakeJudge0(script)) as fake:
            threads = [threading.Thread(target=work, args=(name,)) for name in range(8)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join(30)
        assert outcomes == dict.fromkeys(range(8), True)
        assert sum("/config_info" in str(call.url) for call in fake.calls) == 1
        assert all(call.headers["X-Auth-Token"] == KEY for call in fake.calls)

    def test_what_is_sent_is_what_was_asked(self) -> None:
        with mounted(FakeJudge0()) as fake:
            engine_with().run(request_of(b"\xff\x00", b"", toolchain=replace(PYTHON, environment={})))
        body = json.loads(fake.calls[-2].body or b"")
        assert [base64.b64decode(item["stdin"]) for item in body["submissions"]] == [b"\xff\x00", b""]
        assert {item["source_code"] for item in body["submissions"]} == {b64(b"print(input())")}
