"""Which frames are believed, and that a test without one is run again alone."""

import base64
import zlib
from collections.abc import Sequence

import pytest

from executor.engines.judge0 import Timeouts
from tests.executor.judge0.loops import (
    LARGE,
    Change,
    answering_frames,
    content_of,
    end_of,
    figures,
    frame,
    instead,
    order_of,
    shared_request,
    sizes,
    without,
)
from tests.executor.judge0.support import (
    UNFINISHED,
    C,
    FakeClock,
    FakeJudge0,
    Item,
    engine_with,
    inputs,
    mounted,
    recorded_job,
)

SPOILT: dict[str, Change] = {
    "missing": without(1),
    "cut": instead(lambda nonce: frame(nonce, 1, content_of(b"forged"))[:-20] + b"\n"),
    "another nonce": instead(lambda nonce: frame(nonce[::-1], 1, content_of(b"forged"))),
    "twice": instead(lambda nonce: frame(nonce, 1, content_of(b"forged")) + frame(nonce, 1, content_of(b"again"))),
    "thrice": instead(lambda nonce: frame(nonce, 1, content_of(b"forged")) * 3),
    "wrong length": instead(lambda nonce: frame(nonce, 1, content_of(b"forged"), length=7)),
    "negative length": instead(lambda nonce: frame(nonce, 1, content_of(b"forged"), length=-1)),
    "beyond the last": instead(lambda nonce: frame(nonce, 99, content_of(b"forged"))),
    "no base64": instead(lambda nonce: frame(nonce, 1, b"", packed=b"?" * 40)),
    "no zlib": instead(lambda nonce: frame(nonce, 1, b"", packed=base64.b64encode(b"plain"))),
    "more after the zlib": instead(
        lambda nonce: frame(nonce, 1, content_of(b"x"), packed=base64.b64encode(zlib.compress(content_of(b"x")) + b"y"))
    ),
    "a bomb": instead(lambda nonce: frame(nonce, 1, b"0" * 50_000_000)),
    "no json": instead(lambda nonce: frame(nonce, 1, b"{]\n")),
    "a list": instead(lambda nonce: frame(nonce, 1, b"[]\n")),
    "deep json": instead(lambda nonce: frame(nonce, 1, b"[" * 100_000 + b"\n")),
    "no figures": instead(lambda nonce: frame(nonce, 1, b"{}\nforged")),
    "an unknown reason": figures(reason="luck"),
    "an exit code and a signal": figures(signal=11),
    "neither": figures(exit_code=None),
    "an exit code beyond": figures(exit_code=256),
    "a boolean": figures(exit_code=True),
    "a signal of zero": figures(exit_code=None, signal=0),
    "a text": figures(time_us="12"),
    "negative time": figures(time_us=-1),
    "endless time": figures(wall_us=10**15),
    "fractional memory": figures(memory_kib=1.5),
    "lengths beyond": figures(lengths=[6, 1]),
    "lengths short": figures(lengths=[5, 0]),
    "one length": figures(lengths=[6]),
    "no lengths": figures(lengths=None),
    "an unexplained kill": figures(exit_code=None, signal=9),
    "a start that failed": instead(
        lambda nonce: frame(nonce, 1, content_of(b"", b"run: line 3: x: command not found", exit_code=127))
    ),
}


class RunAgainAloneTestCase:
    @pytest.mark.parametrize("change", SPOILT.values(), ids=SPOILT)
    def test_a_test_without_a_sound_frame_and_only_that_is_run_again_alone(self, change: Change) -> None:
        with mounted(FakeJudge0(answering_frames(change))) as fake:
            report = engine_with().run(shared_request(*inputs(4)))
        assert [result.stdout for result in report.results] == inputs(4)
        assert sizes(fake) == [4, 0]
        assert base64.b64decode(fake.submissions[1]["stdin"]) == inputs(4)[1]

    def test_a_sound_frame_is_believed(self) -> None:
        """The control of the test above: what it must not take would be taken."""
        with mounted(FakeJudge0(answering_frames(figures()))) as fake:
            report = engine_with().run(shared_request(*inputs(4)))
        assert report.results[1].stdout == b"forged"
        assert sizes(fake) == [4]

    @pytest.mark.parametrize(
        "change",
        [
            lambda frames, nonce: b"",
            lambda frames, nonce: b"Traceback\n",
            lambda frames, nonce: frames[4],
            lambda frames, nonce: frame(nonce, 4, b"[]"),
            lambda frames, nonce: frame(nonce, 4, end_of(-1)),
            lambda frames, nonce: b"\xff" * 1000,
        ],
    )
    def test_without_any_frame_all_are_run_again_alone(self, change: Change) -> None:
        with mounted(FakeJudge0(answering_frames(change))) as fake:
            report = engine_with().run(shared_request(*inputs(4)))
        assert [result.stdout for result in report.results] == inputs(4)
        assert (sizes(fake), fake.batches) == ([4, 0, 0, 0, 0], [1, 4])

    @pytest.mark.parametrize("status_id", [13, 14])
    def test_a_job_over_which_judge0_failed_says_nothing_of_its_tests(self, status_id: int) -> None:
        failed = recorded_job("13-internal-error", status_id=status_id)
        alone = answering_frames()

        def script(number: int, submission: Item) -> Sequence[Item | None]:
            return [failed] if number == 0 else alone(number, submission)

        with mounted(FakeJudge0(script)) as fake:
            report = engine_with().run(shared_request(*inputs(3)))
        assert [result.stdout for result in report.results] == inputs(3)
        assert sizes(fake) == [3, 0, 0, 0]

    @pytest.mark.parametrize("recording", ["tle-cpu", "tle-wall", "12-bash-kill-parent", "exit-3"])
    def test_the_frames_of_a_job_that_was_ended_count_as_far_as_they_go(self, recording: str) -> None:
        def script(number: int, submission: Item) -> Sequence[Item | None]:
            (job,) = answering_frames(lambda frames, _: frames[0] + frames[1] + frames[2][:-9])(number, submission)
            assert job is not None
            return [recorded_job(recording, stdout=job["stdout"]) if order_of(submission) else job]

        with mounted(FakeJudge0(script)) as fake:
            report = engine_with().run(shared_request(*inputs(4)))
        assert [result.stdout for result in report.results] == inputs(4)
        assert sizes(fake) == [4, 0, 0]

    def test_time_that_no_frame_owns_up_to_makes_all_of_them_doubtful(self) -> None:
        # Four tests of 12 ms each, and what the loop itself may have used.
        for time, jobs in (("1.40", [4]), ("1.50", [4, 0, 0, 0, 0])):
            with mounted(FakeJudge0(answering_frames(time=time))) as fake:
                engine_with().run(shared_request(*inputs(4)))
            assert sizes(fake) == jobs

    def test_a_test_without_a_frame_may_have_used_it(self) -> None:
        with mounted(FakeJudge0(answering_frames(without(1), time="3.40"))) as fake:
            engine_with().run(shared_request(*inputs(4)))
        assert sizes(fake) == [4, 0]

    def test_frames_of_a_program_that_compiled_and_a_later_refusal_are_the_servers_fault(self) -> None:
        error = recorded_job("compile-error-c")
        shared = answering_frames(without(1))

        def script(number: int, submission: Item) -> Sequence[Item | None]:
            return shared(number, submission) if number == 0 else [error]

        files = {"main.c": "int main(void) {}"}
        request = shared_request(*inputs(3), toolchain=C, files=files)
        with mounted(FakeJudge0(script)), pytest.raises(Exception, match="compiled"):
            engine_with().run(request)

    def test_a_job_that_does_not_compile_answers_for_all(self) -> None:
        request = shared_request(*inputs(3), toolchain=C, files={"main.c": "int"})
        with mounted(FakeJudge0(lambda *_: [recorded_job("compile-error-c")])) as fake:
            report = engine_with().run(request)
        assert report.compilation is not None
        assert (report.compilation.succeeded, report.results, sizes(fake)) == (False, (), [3])

    def test_the_deadline_moves_with_the_jobs_that_are_added(self) -> None:
        clock = FakeClock()
        alone = answering_frames(lambda *_: b"")

        def script(number: int, submission: Item) -> Sequence[Item | None]:
            return [*UNFINISHED * 15, *alone(number, submission)]

        with mounted(FakeJudge0(script)):
            engine = engine_with(clock, timeouts=Timeouts(queue_allowance_s=30))
            report = engine.run(shared_request(*inputs(20), limits=LARGE))
        # Twice half a minute of waiting.
        assert (len(report.results), clock.now_s > 1045) == (20, True)
