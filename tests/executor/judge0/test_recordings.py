"""The contract of the stand-in: every recorded exchange that Assay can cause, over the wire, and understood."""

from typing import Any

import pytest

from executor.engines.base import (
    EngineBusy,
    EngineError,
    EngineProtocolError,
    EngineRejected,
    EngineUnavailable,
    Limits,
    RunReport,
    Toolchain,
)
from executor.engines.judge0 import Judge0Engine
from executor.engines.judge0.faults import Misdirected
from executor.judging.verdicts import Verdict, failure_of
from tests.executor.judge0.standin import Exchange, Reply, StandIn, in_turn, printing, replaying
from tests.executor.judge0.standin.behaviours import answers, changed
from tests.executor.judge0.support import (
    ANSWERS,
    CPP,
    JAVA,
    JAVASCRIPT,
    JOBS,
    KEY,
    PYTHON,
    REFUSALS,
    SERVER,
    C,
    FakeClock,
    request_of,
)

ACCEPTED = None
# recording: language, and the failure that its figures mean; no failure is left to the checker
JOB_MEANINGS: dict[str, tuple[Toolchain, Verdict | None]] = {
    "accepted": (PYTHON, ACCEPTED),
    "wrong-answer": (PYTHON, ACCEPTED),
    "no-expected-output": (PYTHON, ACCEPTED),
    "exit-3": (PYTHON, Verdict.RUNTIME_ERROR),
    "segv-c": (C, Verdict.RUNTIME_ERROR),
    "fpe-c": (C, Verdict.RUNTIME_ERROR),
    "abort-c": (C, Verdict.RUNTIME_ERROR),
    "kill-9-self": (PYTHON, Verdict.RUNTIME_ERROR),
    "memory-c": (C, Verdict.MEMORY_LIMIT_EXCEEDED),
    "memory-c-per-process": (C, Verdict.RUNTIME_ERROR),
    "memory-python": (PYTHON, Verdict.MEMORY_LIMIT_EXCEEDED),
    "memory-python-per-process": (PYTHON, Verdict.MEMORY_LIMIT_EXCEEDED),
    "memory-java": (JAVA, ACCEPTED),
    "python-exception": (PYTHON, Verdict.RUNTIME_ERROR),
    "python-syntax-error": (PYTHON, Verdict.RUNTIME_ERROR),
    "network": (PYTHON, Verdict.RUNTIME_ERROR),
    "tle-cpu": (PYTHON, Verdict.TIME_LIMIT_EXCEEDED),
    "tle-wall": (PYTHON, Verdict.TIME_LIMIT_EXCEEDED),
    "fork-bomb-c": (C, Verdict.TIME_LIMIT_EXCEEDED),
    "fork-bomb-python": (PYTHON, Verdict.RUNTIME_ERROR),
    "xfsz-c": (C, Verdict.OUTPUT_LIMIT_EXCEEDED),
    "output-too-large-python": (PYTHON, Verdict.OUTPUT_LIMIT_EXCEEDED),
    "infinite-output-python": (PYTHON, Verdict.OUTPUT_LIMIT_EXCEEDED),
    "infinite-output-c": (C, Verdict.OUTPUT_LIMIT_EXCEEDED),
    "compile-error-c": (C, Verdict.COMPILATION_ERROR),
    "compile-error-cpp": (CPP, Verdict.COMPILATION_ERROR),
    "compile-warning-c": (C, ACCEPTED),
    "7-multi-file-exec-segv": (C, Verdict.RUNTIME_ERROR),
    "8-multi-file-exec-xfsz": (C, Verdict.OUTPUT_LIMIT_EXCEEDED),
    "9-multi-file-exec-fpe": (C, Verdict.RUNTIME_ERROR),
    "10-multi-file-exec-abort": (C, Verdict.RUNTIME_ERROR),
    "12-bash-kill-parent": (C, Verdict.RUNTIME_ERROR),
    "multi-file-ok": (C, ACCEPTED),
    "cpp": (CPP, ACCEPTED),
    "javascript": (JAVASCRIPT, ACCEPTED),
    "java-512mb": (JAVA, ACCEPTED),
    "text-utf8-stdout": (PYTHON, ACCEPTED),
    "text-non-utf8-stdout": (PYTHON, ACCEPTED),
}
ENDLESS = ("queued", "processing")
# answer, the kind of request it answers, what a run makes of it
ANSWER_MEANINGS: list[tuple[str, str, type[EngineError]]] = [
    ("about-without-a-key", "about", Misdirected),
    ("auth-missing", "config_info", Misdirected),
    ("auth-wrong", "languages", Misdirected),
    ("forbidden", "create", Misdirected),
    ("auth-wrong", "create", Misdirected),
    ("auth-wrong", "poll", Misdirected),
    ("unknown-path", "config_info", Misdirected),
    ("unknown-path", "create", Misdirected),
    ("unknown-language", "language", Misdirected),
    ("unknown-language-empty", "language", Misdirected),
    ("queue-full", "create", EngineBusy),
    ("maintenance", "create", EngineBusy),
    ("unknown-token", "poll", EngineUnavailable),
    ("batches-denied", "create", EngineRejected),
    ("polls-denied", "poll", EngineRejected),
    ("over-the-batch-limit", "create", EngineRejected),
    ("poll-over-the-batch-limit", "poll", EngineRejected),
    ("not-utf8", "poll", EngineRejected),
    ("malformed-json", "create", EngineRejected),
    ("malformed-json-empty", "create", EngineRejected),
    ("cpu-above-max", "create", EngineRejected),
    ("empty-source", "create", EngineRejected),
    ("all-invalid", "create", EngineRejected),
    ("additional-files-denied", "create", EngineRejected),
    ("network-denied", "create", EngineRejected),
    ("batch-mixed", "create", EngineProtocolError),  # three answers to two submissions
    ("batch-created", "create", EngineUnavailable),  # its tokens are of jobs that are gone
    ("batch-in-maintenance", "create", EngineProtocolError),  # one answer to two submissions
]


def recorded(name: str) -> Any:
    answer = ANSWERS[name]
    return answers(answer["status"], answer["body"], answer["content_type"])


def limits_of(recording: str, toolchain: Toolchain) -> Limits:
    limits = JOBS[recording]["limits"]
    return Limits(
        time_limit_ms=round(float(limits["cpu_time_limit"]) * 1000),
        wall_limit_ms=round(float(limits["wall_time_limit"]) * 1000),
        memory_limit_mb=max(16, limits["memory_limit"] // 1024 - toolchain.memory_overhead_mb),
        output_limit_kib=limits["max_file_size"] - 1,
    )


def run_on(standin: StandIn, recording: str, toolchain: Toolchain) -> RunReport:
    clock = FakeClock()
    engine = Judge0Engine(base_url=standin.url, clock=clock, sleep=clock.sleep)
    files = {f"main{toolchain.source_suffixes[0]}": "x"}
    request = request_of(b"21\n", toolchain=toolchain, files=files, limits=limits_of(recording, toolchain))
    return engine.run(request)


class RecordedJobsTestCase:
    def test_every_recording_has_its_meaning(self) -> None:
        assert set(JOBS) == {*JOB_MEANINGS, *ENDLESS, "13-internal-error"}
        assert set(ANSWERS) == {name for name, _, _ in ANSWER_MEANINGS}

    @pytest.mark.parametrize("recording", JOB_MEANINGS)
    def test_each_recorded_job_is_understood(self, recording: str) -> None:
        toolchain, failure = JOB_MEANINGS[recording]
        with StandIn(replaying(JOBS[recording]["item"])) as standin:
            report = run_on(standin, recording, toolchain)
        if failure is Verdict.COMPILATION_ERROR:
            assert report.compilation is not None
            assert not report.compilation.succeeded
            assert "error:" in report.compilation.output
        else:
            assert [failure_of(result) for result in report.results] == [failure]
        assert (standin.counts["create"], standin.counts["poll"], standin.counts["other"]) == (1, 3, 0)

    @pytest.mark.parametrize("recording", ["13-internal-error", *ENDLESS])
    def test_what_says_nothing_of_the_program_is_no_result(self, recording: str) -> None:
        with StandIn(replaying(JOBS[recording]["item"])) as standin, pytest.raises(EngineUnavailable):
            run_on(standin, "accepted", PYTHON)

    def test_a_server_for_single_files_gets_the_source_itself(self) -> None:
        with StandIn(replaying(JOBS["kill-9-self"]["item"])) as standin:
            standin.api.config["enable_additional_files"] = False
            report = run_on(standin, "kill-9-self", PYTHON)
        assert (report.results[0].signal, report.results[0].stderr) == (9, b"")
        assert "additional_files" not in standin.api.submissions[0]


class RecordedAnswersTestCase:
    @pytest.mark.parametrize(("answer", "kind", "error"), ANSWER_MEANINGS, ids=lambda value: str(value))
    def test_each_recorded_answer_is_understood(self, answer: str, kind: str, error: type[EngineError]) -> None:
        clock = FakeClock()
        with StandIn(printing(lambda _submission, stdin: stdin)) as standin:
            if answer == "batch-created":
                standin.behave = in_turn(create=[recorded(answer)])
            else:
                standin.behave = in_turn(**{kind: [recorded(answer)] * 9})
            engine = Judge0Engine(base_url=standin.url, clock=clock, sleep=clock.sleep)
            with pytest.raises(EngineError) as caught:
                engine.run(request_of(b"1", b"2"))
            assert type(caught.value) is error
            # And when it is over, all is well again.
            standin.behave = in_turn()
            clock.now_s += 400
            report = engine.run(request_of(b"1", b"2"))
        assert [result.stdout for result in report.results] == [b"1", b"2"]

    @pytest.mark.parametrize("name", REFUSALS)
    @pytest.mark.parametrize("is_alone", [True, False], ids=["alone", "among others"])
    def test_each_recorded_refusal_is_a_refusal_with_its_reason(self, name: str, is_alone: bool) -> None:
        def refuse(exchange: Exchange) -> None:
            created = exchange.right_answer().json
            exchange.send(
                Reply.of(422, [REFUSALS[name]]) if is_alone else Reply.of(201, [*created[:-1], REFUSALS[name]])
            )

        inputs = [b"1"] if is_alone else [b"1", b"2"]
        with (
            StandIn(printing(lambda _submission, stdin: stdin), behave=in_turn(create=[refuse])) as standin,
            pytest.raises(EngineRejected) as caught,
        ):
            Judge0Engine(base_url=standin.url).run(request_of(*inputs))
        field, texts = next(iter(REFUSALS[name].items()))
        assert f"{field}: {texts[0]}" in str(caught.value)
        assert (standin.counts["create"], standin.counts["poll"]) == (1, 0)

    def test_the_configuration_of_a_server_that_denies_everything(self) -> None:
        with StandIn(printing(lambda _submission, stdin: stdin)) as standin:
            standin.api.config = dict(SERVER["config_info_denying"])
            engine = Judge0Engine(base_url=standin.url)
            assert not engine.health().is_ready
            with pytest.raises(EngineRejected, match="ENABLE_BATCHED_SUBMISSIONS"):
                engine.run(request_of(b"1"))
        assert standin.counts["create"] == 0


class StandInTestCase:
    """The stand-in refuses in Judge0's words what Judge0 refuses."""

    @pytest.mark.parametrize(
        ("name", "field", "value"),
        [
            ("error-cpu-above-max", "cpu_time_limit", 16),
            ("error-wall-above-max", "wall_time_limit", 21),
            ("error-wall-below-min", "wall_time_limit", 0.5),
            ("error-memory-above-max", "memory_limit", 512_001),
            ("error-memory-below-min", "memory_limit", 2047),
            ("error-stack-above-max", "stack_limit", 128_001),
            ("error-processes-above-max", "max_processes_and_or_threads", 121),
            ("error-file-size-above-max", "max_file_size", 4097),
            ("error-unknown-language", "language_id", 9999),
            ("error-empty-source", "source_code", ""),
            ("status-empty-source-file-wait", "source_code", "IA=="),
        ],
    )
    def test_a_refused_field_is_refused_as_recorded(self, name: str, field: str, value: object) -> None:
        with StandIn(printing(lambda _submission, stdin: stdin)) as standin:
            right = {"language_id": 71, "source_code": "cHJpbnQoMSk="}
            assert standin.api.errors_of(right) == {}
            assert set(standin.api.errors_of({**right, field: value})) == set(REFUSALS[name])
            assert (
                standin.api.errors_of({**right, field: value})[field][-1].split(" ")[:5]
                == (REFUSALS[name][field][-1].split(" ")[:5])
            )

    def test_a_wrong_key_is_refused(self) -> None:
        with StandIn(printing(lambda _submission, stdin: stdin), auth_token=KEY) as standin:
            assert Judge0Engine(base_url=standin.url, auth_token=KEY).run(request_of(b"1")).results
            with pytest.raises(Misdirected):
                Judge0Engine(base_url=standin.url, auth_token="other").run(request_of(b"1"))

    def test_a_full_batch_and_no_more(self) -> None:
        with StandIn(printing(lambda _submission, stdin: stdin)) as standin:
            engine = Judge0Engine(base_url=standin.url)
            inputs = [b"%d" % number for number in range(45)]
            report = engine.run(request_of(*inputs))
            assert [result.stdout for result in report.results] == inputs
            assert standin.counts["create"] == 3
            # Control: a client that ignored the limit would be told so.
            standin.api.config["max_submission_batch_size"] = 10
            with pytest.raises(EngineRejected, match="less than or equal to 10"):
                engine.run(request_of(*inputs))

    def test_it_leaves_nothing_behind(self) -> None:
        with StandIn(printing(lambda _submission, stdin: stdin)) as standin:
            engine = Judge0Engine(base_url=standin.url)
            engine.run(request_of(b"1"))
        with pytest.raises(EngineUnavailable, match="refused"):
            engine.run(request_of(b"1"))

    def test_what_it_changes_is_changed(self) -> None:
        """The control of every test with a changed answer."""
        judge = printing(lambda _submission, stdin: stdin)
        behave = in_turn(about=[changed(lambda about: {**about, "version": "0.0"})])
        with StandIn(judge, behave=behave) as standin:
            assert "Judge0 0.0" in Judge0Engine(base_url=standin.url).health().detail
