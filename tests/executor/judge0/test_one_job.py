"""All tests of a submission in one job: what it costs, how it is split, and where it cannot be had."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from executor.engines.base import EngineRejected, RunResult, RunStatus
from tests.executor.judge0.box import executed
from tests.executor.judge0.loops import (
    LARGE,
    PATIENT,
    SMALL,
    Change,
    answering_frames,
    as_they_are,
    content_of,
    end_of,
    figures,
    frame,
    order_of,
    posts,
    shared_request,
    sizes,
)
from tests.executor.judge0.support import (
    JAVASCRIPT,
    LIMITS,
    SERVER,
    C,
    FakeClock,
    FakeJudge0,
    Item,
    b64,
    engine_with,
    inputs,
    mounted,
    recorded_job,
)


class CostTestCase:
    def test_twenty_tests_of_a_python_submission_cost_one_post_and_one_job(self) -> None:
        with mounted(FakeJudge0(executed)) as fake:
            report = engine_with(timeouts=PATIENT).run(shared_request(*inputs(20), limits=LARGE))
        assert [result.stdout for result in report.results] == [text + b"\n" for text in inputs(20)]
        assert (posts(fake), fake.batches, sizes(fake)) == (1, [1], [20])

    def test_an_exclusive_request_gets_a_job_for_each(self) -> None:
        with mounted(FakeJudge0(answering_frames())) as fake:
            report = engine_with().run(replace(shared_request(*inputs(5)), is_exclusive=True))
        assert [result.stdout for result in report.results] == inputs(5)
        assert sizes(fake) == [0] * 5

    def test_a_single_input_has_nothing_to_share(self) -> None:
        with mounted(FakeJudge0(answering_frames())) as fake:
            engine_with().run(shared_request(b"x"))
        assert sizes(fake) == [0]

    def test_a_compiled_program_is_compiled_once(self) -> None:
        code = '#include <stdio.h>\nint main(void) { puts("1"); }'
        with mounted(FakeJudge0(executed)) as fake:
            request = shared_request(*inputs(10), toolchain=C, files={"main.c": code}, limits=LARGE)
            report = engine_with(timeouts=PATIENT).run(request)
        assert (fake.batches, len(report.results)) == ([1], 10)
        assert report.compilation is not None
        assert report.compilation.succeeded

    def test_it_is_told_in_order_and_what_comes_after_a_stop_is_ignored(self) -> None:
        told: list[tuple[int, bytes]] = []

        def on_result(index: int, result: RunResult) -> bool:
            told.append((index, result.stdout))
            return index < 2

        with mounted(FakeJudge0(answering_frames())) as fake:
            report = engine_with().run(shared_request(*inputs(10)), on_result)
        assert told == list(enumerate(inputs(3)))
        assert (len(report.results), posts(fake)) == (3, 1)

    def test_nothing_is_sent_that_a_job_alone_would_not_hold(self) -> None:
        """Law 1: the order has commands, limits and sizes; the only texts from the problem are the inputs."""
        with mounted(FakeJudge0(answering_frames())) as fake:
            engine_with().run(shared_request(b"a", b"b"))
            engine_with().run(replace(shared_request(b"a", b"b"), is_exclusive=True))
        shared, alone, _ = fake.submissions
        assert set(shared) == set(alone)
        order = order_of(shared)
        assert order is not None
        assert set(order[0]) == {
            "argv", "environment", "nonce", "lengths", "time_limit_ms", "wall_limit_ms", "cpu_budget_ms",
            "wall_budget_ms", "file_size_bytes", "answer_bytes", "address_bytes",
        }  # fmt: skip

    def test_each_job_has_a_nonce_of_its_own(self) -> None:
        with mounted(FakeJudge0(answering_frames())) as fake:
            for _ in range(2):
                engine_with().run(shared_request(*inputs(2)))
        orders = [order_of(submission) for submission in fake.submissions]
        assert len({order[0]["nonce"] for order in orders if order}) == 2


class SplittingTestCase:
    def test_the_jobs_limits_are_those_of_its_tests_together_within_the_servers(self) -> None:
        for count, limits, cpu_s, wall_s in ((10, SMALL, 2.0, 2.5), (10, LARGE, 15, 20)):
            with mounted(FakeJudge0(answering_frames())) as fake:
                engine_with().run(shared_request(*inputs(count), limits=limits))
            submission = fake.submissions[0]
            order = order_of(submission)
            assert order is not None
            assert (submission["cpu_time_limit"], submission["wall_time_limit"]) == (cpu_s, wall_s)
            assert (order[0]["cpu_budget_ms"], order[0]["wall_budget_ms"]) == (cpu_s * 1000, wall_s * 1000)
            assert (order[0]["time_limit_ms"], order[0]["wall_limit_ms"]) == (
                limits.time_limit_ms,
                limits.wall_limit_ms,
            )

    def test_memory_and_files_of_the_job_leave_the_tests_their_own(self) -> None:
        with mounted(FakeJudge0(answering_frames())) as fake:
            engine_with().run(shared_request(*inputs(2)))
        submission = fake.submissions[0]
        order = order_of(submission)
        assert order is not None
        assert (submission["memory_limit"], submission["max_file_size"]) == ((125 + 48) * 1024, 4096)
        assert (order[0]["file_size_bytes"], order[0]["answer_bytes"]) == (1024 * 1024, 4096 * 1024)

    def test_tests_that_found_no_room_go_into_as_few_jobs_as_surely_fit(self) -> None:
        def script(number: int, submission: Item) -> Sequence[Item | None]:
            begun = 2 if number == 0 else 99

            def cut(frames: dict[int, bytes], nonce: str) -> bytes:
                last = max(frames)
                if last <= begun:
                    return as_they_are(frames, nonce)
                return b"".join(frames[index] for index in range(begun)) + frame(nonce, last, end_of(begun, "budget"))

            return answering_frames(cut)(number, submission)

        with mounted(FakeJudge0(script)) as fake:
            report = engine_with().run(shared_request(*inputs(12), limits=LARGE))
        assert [result.stdout for result in report.results] == inputs(12)
        # Three times four seconds of CPU fit into fifteen.
        assert (sizes(fake), fake.batches) == ([12, 3, 3, 3, 0], [1, 4])

    def test_without_that_word_they_are_not_taken_for_unbegun(self) -> None:
        def cut(frames: dict[int, bytes], nonce: str) -> bytes:
            return frames[0] + frame(nonce, max(frames), end_of(1, "an input that was cut"))

        with mounted(FakeJudge0(answering_frames(cut))) as fake:
            engine_with().run(shared_request(*inputs(4)))
        assert sizes(fake) == [4, 0, 0, 0]

    def test_slow_programs_cost_two_posts(self) -> None:
        """Real programs: the first job ends when too little time is left for another, the rest are a second batch."""
        code = "import time\nprint(input())\nwhile time.process_time() < 0.3: pass"
        limits = replace(LIMITS, time_limit_ms=2000, wall_limit_ms=5000)
        fake = FakeJudge0(executed)
        fake.config |= {"max_cpu_time_limit": 2.5, "max_wall_time_limit": 9.0}
        with mounted(fake):
            report = engine_with(timeouts=PATIENT).run(
                shared_request(*inputs(4), files={"main.py": code}, limits=limits)
            )
        assert [result.stdout for result in report.results] == [text + b"\n" for text in inputs(4)]
        assert posts(fake) == 2
        assert sizes(fake)[0] == 4
        assert 2 <= len(fake.submissions) <= 4

    def test_large_inputs_are_spread_over_jobs_and_too_large_ones_go_alone(self) -> None:
        mib = 1024 * 1024
        stdins = [bytes([65 + number]) * (3 * mib) for number in range(4)] + [b"x" * (5 * mib), b"y"]
        # Their outputs need not come back here.
        end_only: Change = lambda frames, nonce: b"".join(  # noqa: E731
            frame(nonce, index, content_of(b"")) for index in range(len(frames) - 1)
        )
        with mounted(FakeJudge0(answering_frames(end_only))) as fake:
            engine_with().run(shared_request(*stdins))
        assert sorted(sizes(fake)) == [0, 2, 3]


class WhereItCannotBeSharedTestCase:
    @pytest.mark.parametrize(
        "change",
        [
            {"languages": [item for item in SERVER["languages"] if item["id"] != 89]},
            {"languages": [item for item in SERVER["languages"] if item["id"] != 71], "toolchain": True},
            {"config": {"enable_additional_files": False}},
            {"config": {"max_extract_size": 1}},
        ],
        ids=["no multi-file programs", "no Python", "files denied", "little room"],
    )
    def test_a_server_that_cannot_loop_gets_a_job_for_each(self, change: Item) -> None:
        fake = FakeJudge0(answering_frames())
        fake.languages = change.get("languages", fake.languages)
        fake.config |= change.get("config", {})
        more: Item = {"toolchain": JAVASCRIPT, "files": {"main.js": "1"}} if change.get("toolchain") else {}
        with mounted(fake):
            report = engine_with().run(shared_request(*inputs(3), **more))
        assert [result.stdout for result in report.results] == inputs(3)
        assert sizes(fake) == [0, 0, 0]

    @pytest.mark.parametrize(("name", "jobs"), [("Python (3.5.10)", [0, 0]), ("Python (3.6.0)", [2])])
    def test_an_old_python_does_not_run_the_loop(self, name: str, jobs: list[int]) -> None:
        fake = FakeJudge0(answering_frames())
        fake.languages = [item if item["id"] != 71 else {"id": 71, "name": name} for item in fake.languages]
        with mounted(fake):
            engine_with().run(shared_request(*inputs(2), toolchain=JAVASCRIPT, files={"main.js": "1"}))
        assert sizes(fake) == jobs

    def test_a_little_memory_is_not_shared(self) -> None:
        with mounted(FakeJudge0(answering_frames())) as fake:
            engine_with().run(shared_request(*inputs(2), limits=replace(SMALL, memory_limit_mb=63)))
            engine_with().run(shared_request(*inputs(2), limits=replace(SMALL, memory_limit_mb=64)))
        assert sizes(fake) == [0, 0, 2]

    @pytest.mark.parametrize(
        ("change", "job", "is_unfit"),
        [
            (lambda frames, nonce: frame(nonce, 3, end_of(0, "no prctl")), {}, True),
            (lambda frames, nonce: b"", {"stderr": b64(b"run: line 2: /x/python3: No such file or directory\n")}, True),
            (lambda frames, nonce: b"", {}, False),
            (lambda frames, nonce: frame(nonce, 3, end_of(1, "processes that do not end")), {}, False),
        ],
        ids=["the loop says so", "no interpreter", "silence", "a test was begun"],
    )
    def test_a_server_on_which_the_loop_fails_is_not_tried_again_for_minutes(
        self, change: Change, job: Item, is_unfit: bool
    ) -> None:
        clock = FakeClock()
        engine = engine_with(clock)
        if job:
            job = {**job, "status_id": 11, "exit_code": 127}
        with mounted(FakeJudge0(answering_frames(change, **job))) as fake:
            for wait_s in (0, 280, 40):
                clock.now_s += wait_s
                engine.run(shared_request(*inputs(3)))
        first, again = [3, 0, 0, 0], [0, 0, 0] if is_unfit else [3, 0, 0, 0]
        assert sizes(fake) == [*first, *again, *first]


class MemoryShortfallTestCase:
    """512 MiB where the server allows 512,000 KB."""

    LIMITS = replace(SMALL, memory_limit_mb=512)

    def test_a_limit_a_little_above_the_servers_runs_in_the_servers_box(self) -> None:
        with mounted(FakeJudge0(answering_frames())) as fake:
            engine_with().run(replace(shared_request(*inputs(2), limits=self.LIMITS), is_exclusive=True))
            engine_with().run(shared_request(*inputs(2), limits=self.LIMITS))
        assert [submission["memory_limit"] for submission in fake.submissions] == [512_000] * 3

    def test_what_fills_that_box_is_not_judged(self) -> None:
        killed = recorded_job("12-bash-kill-parent", memory=512_000)
        with mounted(FakeJudge0(lambda *_: [killed])), pytest.raises(EngineRejected, match="524288, which this Judge0"):
            engine_with().run(replace(shared_request(*inputs(2), limits=self.LIMITS), is_exclusive=True))

    def test_what_fills_a_box_of_its_limit_has_reached_it(self) -> None:
        killed = recorded_job("12-bash-kill-parent", memory=512_000)
        with mounted(FakeJudge0(lambda *_: [killed])):
            limits = replace(SMALL, memory_limit_mb=500)
            report = engine_with().run(replace(shared_request(b"x", limits=limits), is_exclusive=True))
        assert report.results[0].status is RunStatus.MEMORY_LIMIT

    def test_in_a_shared_job_it_is_run_again_alone(self) -> None:
        killed = figures(exit_code=None, signal=9, memory_kib=500_000)
        with mounted(FakeJudge0(answering_frames(killed))) as fake:
            engine_with().run(shared_request(*inputs(3), limits=self.LIMITS))
        assert sizes(fake) == [3, 0]

    def test_more_than_a_little_above_is_refused(self) -> None:
        with mounted(FakeJudge0(answering_frames())) as fake, pytest.raises(EngineRejected, match="max_memory_limit"):
            engine_with().run(shared_request(*inputs(2), limits=replace(SMALL, memory_limit_mb=530)))
        assert fake.submissions == []
