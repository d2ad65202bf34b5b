"""A whole run against a scripted Judge0: batches, polling, order, ends, and what a run survives."""

import base64
import json
import threading
from collections.abc import Sequence
from dataclasses import replace

import pytest

from executor.engines.base import EngineRejected, EngineUnavailable, RunResult, RunStatus
from tests.executor.judge0.support import (
    KEY,
    PYTHON,
    UNFINISHED,
    C,
    FakeJudge0,
    Item,
    b64,
    echo,
    engine_with,
    inputs,
    mounted,
    recorded_job,
    request_of,
)

C_FILES = {"main.c": "int main(void) { return 0; }"}


def polls_before_post(fake: FakeJudge0, which: int) -> int:
    """How many polls there were when the n-th POST came, counted from 1."""
    batch_calls = [call.method for call in fake.calls if "/submissions/batch" in str(call.url)]
    positions = [position for position, method in enumerate(batch_calls) if method == "POST"]
    return batch_calls[: positions[which - 1]].count("GET")


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
        # After the first poll 15 are still out, after the second too, after the third 10.
        assert fake.batches == [20, 5]
        assert polls_before_post(fake, 2) == 3
        assert [result.stdout for result in report.results] == inputs(25)

    def test_one_slow_job_does_not_hold_up_the_next_batch(self) -> None:
        def script(number: int, submission: Item) -> Sequence[Item | None]:
            return [*UNFINISHED * (0 if number else 10), *echo(number, submission)]

        with mounted(FakeJudge0(script)) as fake:
            report = engine_with().run(request_of(*inputs(25)))
        assert polls_before_post(fake, 2) == 1
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
