"""The benchmark of the outline: what it starts, what it prints, and that it notices a wrong answer."""

import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.urls import Resolver404, resolve

from courses.bench import client, measuring
from courses.bench.client import Asking, ServerFailed, served
from courses.bench.measuring import Case, Measured


class TestCommand:
    def test_prints_its_figures_as_json(self, capsys: pytest.CaptureFixture[str]) -> None:
        call_command("bench_api", "--json", only="outline", chapters=3, problems=2, rounds=2, requests=2)
        printed = json.loads(capsys.readouterr().out)
        assert printed.keys() == {"rounds", "outline"}
        assert printed["rounds"] == 2
        figures = printed["outline"]
        assert {name: figures[name] for name in ("chapters", "problems", "requests")} == {
            "chapters": 3,
            "problems": 2,
            "requests": 2,
        }
        assert figures["baseline_ms"] > 0
        assert [case["name"] for case in figures["cases"]] == ["cached", "cached-gzip", "uncached"]
        for case in figures["cases"]:
            assert len(case["ratios"]) == 2
            assert case["ratio"] > 0
            assert case["bytes"] > 100
            assert ("is_met" in case) == (case["name"] != "uncached")

    @pytest.mark.parametrize("name", ["chapters", "problems", "rounds", "requests", "clients", "submissions"])
    def test_numbers_are_at_least_one(self, name: str) -> None:
        with pytest.raises(CommandError, match=f"--{name} must be at least 1"):
            call_command("bench_api", **{name: 0})

    def test_a_wrong_outline_is_noticed(self, monkeypatch: pytest.MonkeyPatch) -> None:
        check = measuring._check
        monkeypatch.setattr(measuring, "_check", lambda content, problems: check(content, problems + 1))
        with pytest.raises(CommandError, match="tells of 1 problems, not of 2"):
            call_command("bench_api", only="outline", chapters=1, problems=1, rounds=1, requests=1)

    def test_a_server_that_does_not_start_says_why(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("LOG_FORMAT", "console")
        monkeypatch.setenv("EXECUTOR_ENGINE", "nothing")
        with pytest.raises(ServerFailed, match="EXECUTOR_ENGINE"), served(chapters=1, problems=1):
            pass


class TestServer:
    def test_leaves_nothing_behind_and_answers_as_asked(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        monkeypatch.setattr(client.tempfile, "tempdir", str(tmp_path))
        with served(chapters=2, problems=2) as server:
            assert [*tmp_path.iterdir()]
            asking = Asking(port=server.port, token=server.token)
            _, plain = asking.timed("GET", f"/api/v1/courses/{server.course_id}/outline/")
            _, compressed = asking.timed("GET", f"/api/v1/courses/{server.course_id}/outline/", is_compressed=True)
            assert json.loads(plain) == json.loads(compressed)
            with pytest.raises(ServerFailed, match="404"):
                asking.timed("GET", "/api/v1/courses/999/outline/")
            asking.close()
        assert [*tmp_path.iterdir()] == []
        with pytest.raises(ServerFailed):
            Asking(port=server.port, token=server.token).timed("GET", "/bench/empty/")

    def test_its_empty_view_is_nowhere_else(self) -> None:
        for address in ("/bench/empty/", "/bench/forget/"):
            with pytest.raises(Resolver404):
                resolve(address)


class TestFigures:
    def measured(self, **fields: Any) -> Measured:
        case = Case(name="cached", title="cached", is_cached=True, at_most=4.0)
        return Measured(case=case, bytes=1, **fields)

    def test_the_ratio_is_the_median_of_the_rounds(self) -> None:
        result = self.measured(samples_s=(3.0, 8.0, 90.0), baseline_s=(1.0, 2.0, 3.0))
        assert result.ratios == [3.0, 4.0, 30.0]
        assert (result.ratio, result.is_met) == (4.0, True)

    def test_a_goal_that_is_missed(self) -> None:
        assert self.measured(samples_s=(4.1,), baseline_s=(1.0,)).is_met is False
