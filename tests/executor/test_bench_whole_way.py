"""The benchmark of the whole way: what it prints, what it starts, and that it notices a wrong verdict or answer."""

import json
import tempfile
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.urls import Resolver404, resolve

from config.environment import read_environment
from courses.bench import client
from courses.bench.client import ServerFailed
from executor.bench import programs
from executor.bench_api import measuring, report
from executor.bench_api.engine import shares, work_off
from executor.bench_api.measuring import EMBEDDED, TESTS, Measured, check_answer
from executor.engines.base import EngineUnavailable, RunReport, RunRequest, RunResult, RunStatus


class TestCommand:
    def test_prints_both_sides_and_their_ratio(
        self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        monkeypatch.setattr(client.tempfile, "tempdir", str(tmp_path))
        call_command("bench_api", "--json", only="whole-way", rounds=2, submissions=3, clients=2)
        printed = json.loads(capsys.readouterr().out)
        assert printed.keys() == {"rounds", "whole_way"}
        figures = printed["whole_way"]
        assert (figures["clients"], figures["submissions"], figures["tests"]) == (2, 3, 10)
        assert figures["per_second"] > 0
        assert figures["engine_per_second"] > 0
        assert len(figures["ratios"]) == 2
        assert (figures["at_least"], figures["is_met"]) == (0.4, figures["ratio"] >= 0.4)
        assert figures["stages_ms"].keys() == {"accepting_ms", "waiting_ms", "judging_ms"}
        assert figures["request_ms"] > figures["stages_ms"]["accepting_ms"]
        # Neither a process nor a file is left of either side.
        assert [*tmp_path.iterdir()] == []

    def test_a_wrong_verdict_is_noticed(self, monkeypatch: pytest.MonkeyPatch) -> None:
        # Handed in over HTTP; the engine alone runs its own copy in another process.
        wrong = f"{programs.PYTHON.source}print(1)\n"
        monkeypatch.setattr(measuring, "SOURCE", wrong)
        with pytest.raises(CommandError, match="judged wrong_answer"):
            call_command("bench_api", only="whole-way", rounds=1, submissions=1, clients=1)

    @pytest.mark.parametrize("address", ["/bench/stages/", "/bench/unfinished/"])
    def test_its_own_addresses_are_nowhere_else(self, address: str) -> None:
        with pytest.raises(Resolver404):
            resolve(address)

    def test_everything_is_embedded_and_no_quota_in_the_way(self) -> None:
        environment = read_environment(EMBEDDED, base_dir=Path(tempfile.gettempdir()))
        assert (environment.redis_url, environment.celery_broker_url, environment.executor_engine) == (
            None,
            None,
            "sandbox",
        )
        assert min(environment.submissions_per_minute, environment.submissions_per_problem_hour) >= 100_000

    def test_a_server_that_does_not_start_says_why(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("SECRET_KEY", "short")
        with pytest.raises(CommandError, match="SECRET_KEY"):
            call_command("bench_api", only="whole-way", rounds=1, submissions=1, clients=1)


class FakeEngine:
    """Answers as if the program had printed these outputs, or raises."""

    name = "fake"

    def __init__(self, outputs: list[bytes] | Exception) -> None:
        self.outputs = outputs
        self.runs = 0

    def run(self, request: RunRequest, on_result: Any = None) -> RunReport:
        self.runs += 1
        if isinstance(self.outputs, Exception):
            raise self.outputs
        results = tuple(
            RunResult(
                status=RunStatus.EXITED, exit_code=0, time_ms=1, wall_ms=1, memory_kib=1, stdout=output, stderr=b""
            )
            for output in self.outputs
        )
        return RunReport(compilation=None, results=results, tier="A")

    def health(self) -> Any:
        raise NotImplementedError

    def missing_for(self, toolchain: Any) -> str | None:
        return None


class TestEngineAlone:
    def test_runs_as_many_as_it_is_told(self, capsys: pytest.CaptureFixture[str]) -> None:
        fake = FakeEngine(programs.answers(TESTS))
        work_off(fake, ["5\n", "2\n"], threads=2, tests=TESTS)
        assert fake.runs == 7
        assert [json.loads(line).keys() for line in capsys.readouterr().out.splitlines()] == [{"took_s"}, {"took_s"}]

    @pytest.mark.parametrize(
        ("outputs", "fault"),
        [
            pytest.param([*programs.answers(TESTS)[:-1], b"7"], "AnsweredWrongly", id="a wrong answer"),
            pytest.param(programs.answers(TESTS)[:-1], "AnsweredWrongly", id="an answer too few"),
            pytest.param(EngineUnavailable("gone"), "EngineUnavailable: gone", id="an engine that failed"),
        ],
    )
    def test_a_fault_has_no_time(
        self, capsys: pytest.CaptureFixture[str], outputs: list[bytes] | Exception, fault: str
    ) -> None:
        work_off(FakeEngine(outputs), ["1\n"], threads=1, tests=TESTS)
        answer = json.loads(capsys.readouterr().out)
        assert "took_s" not in answer
        assert fault in answer["fault"]

    def test_a_fault_is_told_to_the_reader(self) -> None:
        class Failing:
            def tell(self, line: str) -> None: ...

            def answer(self) -> dict[str, Any]:
                return {"fault": "EngineUnavailable: gone"}

        with pytest.raises(ServerFailed, match="The engine alone: EngineUnavailable: gone"):
            measuring._engine_round(Failing(), 1)  # type: ignore[arg-type]

    @pytest.mark.parametrize(("count", "among", "dealt"), [(5, 2, [3, 2]), (1, 3, [1, 0, 0]), (4, 4, [1, 1, 1, 1])])
    def test_shares_are_even(self, count: int, among: int, dealt: list[int]) -> None:
        assert shares(count, among) == dealt


class TestFigures:
    def measured(self, **fields: Any) -> Measured:
        stages = {"accepting_ms": 1.0, "waiting_ms": 2.0, "judging_ms": 3.0}
        return Measured(clients=2, submissions=1, request_ms=10.0, stages_ms=stages, **fields)

    def test_the_ratio_is_the_median_of_the_rounds(self) -> None:
        result = self.measured(whole_way=(10.0, 20.0, 9.0), engine=(20.0, 40.0, 90.0))
        assert result.ratios == [0.5, 0.5, 0.1]
        assert (result.ratio, result.is_met) == (0.5, True)

    def test_a_goal_that_is_missed_is_said_with_its_spread(self) -> None:
        result = self.measured(whole_way=(3.0, 4.0), engine=(10.0, 10.0))
        assert result.is_met is False
        text = "\n".join(report.lines(result))
        assert "0.35 times (0.30 to 0.40)  goal at least 0.4: missed" in text
        assert "handing in takes 10.0 ms" in text

    @pytest.mark.parametrize(
        ("status", "verdicts"),
        [
            ("accepted", ["accepted"] * (TESTS - 1)),
            ("accepted", ["accepted"] * (TESTS - 1) + ["skipped"]),
            ("internal_error", []),
        ],
    )
    def test_only_a_right_program_accepted_on_all_tests_will_do(self, status: str, verdicts: list[str]) -> None:
        check_answer({"status": "accepted", "tests": [{"verdict": "accepted"}] * TESTS})
        with pytest.raises(ServerFailed, match=status):
            check_answer({"status": status, "tests": [{"verdict": verdict} for verdict in verdicts]})
