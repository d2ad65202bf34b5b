"""What a real Judge0 answered, and what is measured from it; and what could never have been measured."""

from collections.abc import Sequence
from typing import Any

import pytest

from executor.engines.base import (
    CompileResult,
    EngineProtocolError,
    EngineUnavailable,
    RunResult,
    RunStatus,
    Toolchain,
)
from executor.engines.judge0.program import Program
from executor.engines.judge0.results import FIELDS, Job, compile_result, parse_job, run_result
from tests.executor.judge0.support import CPP, JAVA, JOBS, PYTHON, C, b64, recorded_job

RECORDED_RUNS: Sequence[Any] = [
    # recording, toolchain, multi-file, status, exit code, signal
    ("accepted", PYTHON, False, RunStatus.EXITED, 0, None),
    ("wrong-answer", PYTHON, False, RunStatus.EXITED, 0, None),
    ("no-expected-output", PYTHON, False, RunStatus.EXITED, 0, None),
    ("multi-file-ok", PYTHON, True, RunStatus.EXITED, 0, None),
    ("java-512mb", JAVA, False, RunStatus.EXITED, 0, None),
    ("exit-3", PYTHON, False, RunStatus.EXITED, 3, None),
    ("python-exception", PYTHON, False, RunStatus.EXITED, 1, None),
    ("python-syntax-error", PYTHON, False, RunStatus.EXITED, 1, None),
    ("segv-c", C, False, RunStatus.SIGNALED, None, 11),
    ("fpe-c", C, False, RunStatus.SIGNALED, None, 8),
    ("abort-c", C, False, RunStatus.SIGNALED, None, 6),
    ("kill-9-self", PYTHON, False, RunStatus.SIGNALED, None, 9),
    ("7-multi-file-exec-segv", C, True, RunStatus.SIGNALED, None, 11),
    ("9-multi-file-exec-fpe", C, True, RunStatus.SIGNALED, None, 8),
    ("10-multi-file-exec-abort", C, True, RunStatus.SIGNALED, None, 6),
    ("12-bash-kill-parent", C, True, RunStatus.SIGNALED, None, 9),
    ("memory-c", C, False, RunStatus.MEMORY_LIMIT, None, 9),
    ("memory-python", PYTHON, False, RunStatus.MEMORY_LIMIT, None, 9),
    ("memory-python-per-process", PYTHON, False, RunStatus.MEMORY_LIMIT, 1, None),
    ("xfsz-c", C, False, RunStatus.OUTPUT_LIMIT, None, 25),
    ("8-multi-file-exec-xfsz", C, True, RunStatus.OUTPUT_LIMIT, None, 25),
    ("output-too-large-python", PYTHON, False, RunStatus.OUTPUT_LIMIT, 120, None),
    ("infinite-output-python", PYTHON, False, RunStatus.OUTPUT_LIMIT, 120, None),
    ("tle-cpu", PYTHON, False, RunStatus.TIME_LIMIT, None, None),
    ("fork-bomb-c", C, False, RunStatus.TIME_LIMIT, None, None),
    ("tle-wall", PYTHON, False, RunStatus.WALL_LIMIT, None, None),
]


def program_for(
    recording: str = "accepted",
    *,
    toolchain: Toolchain = PYTHON,
    is_multi_file: bool = False,
    output_limit_bytes: int | None = None,
    memory_limit_kib: int | None = None,
    time_limit_ms: int | None = None,
    wall_limit_ms: int | None = None,
) -> Program:
    """The program of a recording, with the limits it had."""
    limits = JOBS[recording]["limits"]
    file_size = limits["max_file_size"] * 1024
    return Program(
        toolchain=toolchain,
        submission={},
        is_multi_file=is_multi_file,
        time_limit_ms=time_limit_ms or round(float(limits["cpu_time_limit"]) * 1000),
        wall_limit_ms=wall_limit_ms or round(float(limits["wall_time_limit"]) * 1000),
        memory_limit_kib=memory_limit_kib or limits["memory_limit"],
        boxed_memory_kib=limits["memory_limit"],
        output_limit_bytes=output_limit_bytes or file_size - 1024,
        file_size_bytes=file_size,
    )


def job_of(item: dict[str, object]) -> Job:
    job = parse_job(item)
    assert job is not None
    return job


def measured(item: dict[str, object], program: Program | None = None) -> RunResult:
    return run_result(job_of(item), program or program_for())


class RecordedResultsTestCase:
    @pytest.mark.parametrize(
        ("recording", "toolchain", "is_multi_file", "status", "exit_code", "signal"),
        RECORDED_RUNS,
        ids=[case[0] for case in RECORDED_RUNS],
    )
    def test_each_recorded_ending_is_told_as_it_was(
        self,
        recording: str,
        toolchain: Toolchain,
        is_multi_file: bool,
        status: RunStatus,
        exit_code: int | None,
        signal: int | None,
    ) -> None:
        result = measured(
            recorded_job(recording), program_for(recording, toolchain=toolchain, is_multi_file=is_multi_file)
        )
        assert (result.status, result.exit_code, result.signal) == (status, exit_code, signal)

    def test_figures_keep_their_units(self) -> None:
        result = measured(recorded_job("tle-cpu"), program_for("tle-cpu"))
        assert (result.time_ms, result.wall_ms, result.memory_kib) == (1036, 1706, 3748)

    def test_bytes_that_are_no_text_arrive_unchanged(self) -> None:
        assert measured(recorded_job("text-non-utf8-stdout")).stdout == b"\xff\xfe\x00"

    def test_null_outputs_are_empty(self) -> None:
        result = measured(recorded_job("exit-3", stdout=None))
        assert (result.stdout, result.stderr) == (b"", b"")

    def test_what_was_printed_before_the_clock_ran_out_is_kept(self) -> None:
        assert measured(recorded_job("tle-wall"), program_for("tle-wall")).stdout == b"start\n"

    def test_the_shells_own_line_is_not_the_students_stderr(self) -> None:
        assert b"Segmentation fault" in job_of(recorded_job("segv-c")).stderr
        assert measured(recorded_job("segv-c"), program_for("segv-c", toolchain=C)).stderr == b""

    def test_output_is_cut_at_the_limit(self) -> None:
        result = measured(recorded_job("xfsz-c"), program_for("xfsz-c", toolchain=C, output_limit_bytes=3000))
        assert (result.status, len(result.stdout)) == (RunStatus.OUTPUT_LIMIT, 3000)

    @pytest.mark.parametrize("recording", ["queued", "processing"])
    def test_what_is_not_finished_has_no_result(self, recording: str) -> None:
        assert parse_job(recorded_job(recording)) is None

    @pytest.mark.parametrize("status_id", [13, 14])
    def test_judge0s_own_failure_is_never_the_programs(self, status_id: int) -> None:
        with pytest.raises(EngineUnavailable):
            measured(recorded_job("13-internal-error", status_id=status_id))


class DerivedResultsTestCase:
    """What no status of Judge0 says and the figures do."""

    def test_an_exit_code_like_a_signals_without_the_shells_word_is_an_exit(self) -> None:
        result = measured(recorded_job("exit-3", exit_code=139))
        assert (result.status, result.exit_code, result.signal) == (RunStatus.EXITED, 139, None)

    def test_a_kill_far_below_the_limit_is_no_memory_overrun(self) -> None:
        memory = recorded_job("memory-c")
        program = program_for("memory-c", toolchain=C)
        assert measured({**memory, "memory": 60_000}, program).status is RunStatus.SIGNALED
        assert measured(memory, program).status is RunStatus.MEMORY_LIMIT

    def test_a_memory_overrun_of_a_multi_file_program(self) -> None:
        item = recorded_job("12-bash-kill-parent", memory=128_000)
        program = program_for(toolchain=C, is_multi_file=True)
        assert measured(item, program).status is RunStatus.MEMORY_LIMIT

    def test_a_program_above_its_limit_in_a_larger_box(self) -> None:
        program = program_for(memory_limit_kib=1024)
        assert measured(recorded_job("accepted"), program).status is RunStatus.MEMORY_LIMIT

    def test_a_memory_mark_counts_only_with_a_failing_exit(self) -> None:
        stderr = b64(b"terminate called after throwing an instance of 'std::bad_alloc'\n")
        failed = recorded_job("10-multi-file-exec-abort", stderr=stderr)
        fine = recorded_job("accepted", stderr=stderr)
        program = program_for(toolchain=CPP, is_multi_file=True)
        assert measured(failed, program).status is RunStatus.MEMORY_LIMIT
        assert measured(fine, program).status is RunStatus.EXITED

    def test_output_of_exactly_the_limit_is_fine(self) -> None:
        program = program_for(output_limit_bytes=4)
        assert measured(recorded_job("accepted", stdout=b64(b"1234")), program).status is RunStatus.EXITED
        assert measured(recorded_job("accepted", stdout=b64(b"12345")), program).status is RunStatus.OUTPUT_LIMIT

    def test_a_failing_exit_with_a_full_file_is_too_much_output(self) -> None:
        # Where the limit is the server's own maximum, there is no room for one byte more.
        program = program_for("xfsz-c", output_limit_bytes=4096)
        assert measured(recorded_job("output-too-large-python"), program).status is RunStatus.OUTPUT_LIMIT

    def test_too_much_stderr_counts_as_well(self) -> None:
        program = program_for(output_limit_bytes=8)
        result = measured(recorded_job("exit-3", stdout=None, stderr=b64(b"123456789")), program)
        assert (result.status, result.stderr) == (RunStatus.OUTPUT_LIMIT, b"12345678")

    @pytest.mark.parametrize(
        ("time", "status"), [("5.0", RunStatus.TIME_LIMIT), ("0.1", RunStatus.WALL_LIMIT)], ids=["cpu", "wall"]
    )
    def test_a_time_limit_without_a_message_is_told_by_the_figures(self, time: str, status: RunStatus) -> None:
        assert measured(recorded_job("tle-cpu", message=None, time=time)).status is status

    def test_an_exit_beyond_the_limits_is_no_exit(self) -> None:
        slow = recorded_job("accepted", time="0.9", wall_time="0.95")
        assert measured(slow, program_for(time_limit_ms=800)).status is RunStatus.TIME_LIMIT
        assert measured(slow, program_for(wall_limit_ms=900)).status is RunStatus.WALL_LIMIT

    def test_a_signal_that_only_the_status_names(self) -> None:
        result = measured(recorded_job("7-multi-file-exec-segv", exit_signal=None), program_for(is_multi_file=True))
        assert (result.status, result.signal) == (RunStatus.SIGNALED, 11)

    @pytest.mark.parametrize(
        "stderr",
        [
            b"/bin/bash: run: No such file or directory\n",
            b"run: line 3: /usr/bin/python3: No such file or directory\n",
            b"run: line 2: cd: program: No such file or directory\n",
        ],
    )
    def test_a_box_that_could_not_start_the_program_is_infrastructure(self, stderr: bytes) -> None:
        item = recorded_job("exit-3", stdout=None, exit_code=127, stderr=b64(stderr))
        with pytest.raises(EngineUnavailable, match="could not start"):
            measured(item, program_for(is_multi_file=True))
        # Control: the same words from a program that did start are its own.
        assert measured({**item, "exit_code": 1}).status is RunStatus.EXITED
        assert measured({**item, "stdout": b64(b"hello")}).status is RunStatus.EXITED


class CompilationTestCase:
    @pytest.mark.parametrize(("recording", "toolchain"), [("compile-error-c", C), ("compile-error-cpp", CPP)])
    def test_a_compilers_refusal_is_read_with_its_curly_quotes(self, recording: str, toolchain: Toolchain) -> None:
        compilation = compile_result(job_of(recorded_job(recording)), program_for(toolchain=toolchain))
        assert compilation is not None
        assert not compilation.succeeded
        assert "\u2018" in compilation.output
        assert "error:" in compilation.output

    def test_warnings_of_a_program_that_runs_are_kept(self) -> None:
        compilation = compile_result(job_of(recorded_job("compile-warning-c")), program_for(toolchain=C))
        assert compilation is not None
        assert compilation.succeeded
        assert "warning:" in compilation.output

    def test_a_language_without_the_step_has_no_compilation(self) -> None:
        assert compile_result(job_of(recorded_job("accepted")), program_for()) is None

    def test_a_compiler_that_could_not_be_started_is_infrastructure(self) -> None:
        output = b64(b"compile: line 3: /usr/bin/gcc: No such file or directory\n")
        job = job_of(recorded_job("compile-error-c", compile_output=output))
        with pytest.raises(EngineUnavailable, match="compiler"):
            compile_result(job, program_for(toolchain=C, is_multi_file=True))

    def test_the_compilers_text_is_bounded_and_decoded_leniently(self) -> None:
        job = job_of(recorded_job("compile-error-c", compile_output=b64(b"\xff" * 200_000)))
        assert compile_result(job, program_for(toolchain=C)) == CompileResult(
            succeeded=False, output="\ufffd" * 65_536, time_ms=0
        )


class UntrustedJobTestCase:
    @pytest.mark.parametrize("field", FIELDS.split(","))
    def test_a_missing_field_is_refused(self, field: str) -> None:
        item = recorded_job("accepted")
        del item[field]
        with pytest.raises(EngineProtocolError):
            parse_job(item)

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("status_id", 0),
            ("status_id", 15),
            ("status_id", 99),
            ("status_id", -1),
            ("status_id", "3"),
            ("status_id", True),
            ("status_id", 3.0),
            ("status_id", None),
            ("status_id", {"id": 3}),
            ("stdout", 7),
            ("stdout", ["aGk="]),
            ("stdout", "not base64!"),
            ("stdout", "aGk"),
            ("stdout", "aGVsb\ud800G8="),
            ("stderr", {}),
            ("compile_output", "=="),
            ("message", 1.5),
            ("time", None),
            ("time", 0.012),
            ("time", "-0.1"),
            ("time", "NaN"),
            ("time", "Infinity"),
            ("time", "1e9"),
            ("time", "1_0"),
            ("time", "\u0661"),
            ("time", "99999999"),
            ("time", ""),
            ("time", "0" * 10_000),
            ("wall_time", None),
            ("wall_time", "-1"),
            ("wall_time", "3601"),
            ("memory", None),
            ("memory", "3748"),
            ("memory", -1),
            ("memory", 2**40),
            ("memory", 3748.5),
            ("memory", True),
            ("exit_code", None),
            ("exit_code", "0"),
            ("exit_code", -1),
            ("exit_code", 256),
            ("exit_signal", 0),
            ("exit_signal", 65),
            ("exit_signal", "11"),
            ("token", None),
            ("token", 7),
            ("token", "x"),
            ("token", "../../secret"),
            ("token", "a,b,c,d,e,f"),
        ],
    )
    def test_what_cannot_be_is_refused(self, field: str, value: object) -> None:
        assert parse_job(recorded_job("accepted")) is not None
        with pytest.raises(EngineProtocolError):
            parse_job(recorded_job("accepted", **{field: value}))

    @pytest.mark.parametrize(
        ("recording", "changes"),
        [
            ("accepted", {"exit_code": 1}),
            ("accepted", {"exit_signal": 11}),
            ("wrong-answer", {"exit_code": 2}),
            ("exit-3", {"exit_code": 0}),
            ("12-bash-kill-parent", {"exit_signal": None}),
        ],
    )
    def test_a_status_that_its_figures_contradict_is_refused(self, recording: str, changes: dict[str, object]) -> None:
        with pytest.raises(EngineProtocolError):
            parse_job(recorded_job(recording, **changes))
