"""`manage.py bench_engine` on the real sandbox, in rounds as short as they can be."""

import json
import math
import os
import re
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from executor.bench import programs, suite, timing
from executor.bench.cases import CASES, Case, Figure, Target
from executor.engines.base import EngineHealth
from executor.engines.sandbox import SandboxEngine
from executor.services.engines import engine_named
from tests.executor.judge0.standin import StandIn
from tests.executor.judge0.standin.execution import Executor
from tests.shell import PYTHON, ROOT, clean_environment, run

TINY = Case(
    name="tiny",
    title="Python, 2 tests",
    program=programs.PYTHON,
    tests=2,
    bare_tests=2,
    target=Target(limit=0.0),  # which nothing meets
)


def bench(*arguments: str) -> tuple[str, int]:
    """What the command printed, and its exit status."""
    out, status = StringIO(), 0
    try:
        call_command("bench_engine", "--rounds", "1", *arguments, stdout=out, stderr=StringIO())
    except SystemExit as ended:
        status = int(ended.code or 0)
    return out.getvalue(), status


def bench_json(*arguments: str) -> tuple[dict[str, Any], int]:
    text, status = bench("--json", *arguments)
    return json.loads(text), status


def only_cases(monkeypatch: pytest.MonkeyPatch, *cases: Case) -> None:
    monkeypatch.setattr(suite, "CASES", cases)


class TestFigures:
    def test_json_has_figures_with_units_and_the_machine(self) -> None:
        answer, status = bench_json("--only", "python-1")
        assert status == 0
        assert answer["rounds"] == 1
        assert answer["tier"] == engine_named("sandbox").health().tier
        assert {"cores", "cores_used", "kernel", "architecture", "programs"} == set(answer["machine"])
        assert any(version.startswith("Python 3") for version in answer["machine"]["programs"].values())
        (case,) = answer["cases"]
        assert (case["name"], case["contender"], case["tests"], case["bare_tests"]) == ("python-1", "sandbox", 1, 1)
        for side in (case["engine"], case["bare"]):
            assert set(side) == {"wall_ms", "cpu_ms", "tests_per_second", "tests_per_second_and_core"}
            assert all(math.isfinite(figure) for figure in side.values())
            assert side["wall_ms"] > 0
        assert math.isfinite(case["ratio"])
        assert case["ratios"] == [case["ratio"]]

    def test_every_case_can_be_measured(self, monkeypatch: pytest.MonkeyPatch) -> None:
        # But for the one that differs from its neighbor in nothing but the header it includes.
        chosen = [case for case in CASES if case.name != "cpp-20-iostream"]
        only_cases(
            monkeypatch,
            *(replace(case, submissions=1, bare_submissions=1, tests=1, bare_tests=1) for case in chosen),
        )
        answer, status = bench_json()
        assert status == 0, [case.get("fault") for case in answer["cases"]]
        assert [case["name"] for case in answer["cases"]] == [case.name for case in chosen]
        measured = [case for case in answer["cases"] if "missing" not in case]
        assert any(case["name"] == "python-20" for case in measured)
        assert all(math.isfinite(case["ratio"]) and case["ratio"] > 0 for case in measured)

    def test_people_read_a_line_and_a_table_and_a_missed_target_is_no_failure(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        only_cases(monkeypatch, TINY)
        text, status = bench()
        lines = text.splitlines()
        assert status == 0
        assert lines[0].startswith("tiny: ")
        assert lines[0].endswith("times the bare wall time; target at most 0.00: missed")
        assert lines[-3].split()[:4] == ["case", "engine", "bare", "ratio"]
        assert lines[-1].endswith("missed")

    def test_a_judge0_takes_part_in_the_same_rounds(self, monkeypatch: pytest.MonkeyPatch) -> None:
        only_cases(monkeypatch, replace(TINY, name="python-20"))
        executor = Executor()
        try:
            with StandIn(executor, auth_token="key") as judge0:
                answer, status = bench_json("--judge0-url", judge0.url, "--judge0-token", "key")
        finally:
            executor.close()
        ours, theirs = answer["cases"]
        assert status == 0
        assert (ours["name"], theirs["name"]) == ("python-20", "python-20 on judge0")
        assert theirs["ratio"] > 0
        assert theirs["bare"] == ours["bare"]
        assert "cpu_ms" not in theirs["engine"]  # its processes are none of ours
        assert "target" not in theirs


class TestWrongAnswers:
    WRONG = replace(TINY, program=replace(programs.PYTHON, source="print(0)\n"))

    def test_a_program_that_answers_wrongly_gives_no_figure_and_1(self, monkeypatch: pytest.MonkeyPatch) -> None:
        only_cases(monkeypatch, self.WRONG, replace(TINY, name="right"))
        answer, status = bench_json()
        wrong, right = answer["cases"]
        assert status == 1
        assert "AnsweredWrongly: test 1 printed" in wrong["fault"]
        assert "ratio" not in wrong
        assert right["ratio"] > 0  # the others are measured all the same
        text, status = bench()
        assert status == 1
        assert "tiny: not measured: " in text

    def test_control_unchecked_it_passes_for_a_result(self, monkeypatch: pytest.MonkeyPatch) -> None:
        only_cases(monkeypatch, self.WRONG)
        monkeypatch.setattr(timing, "check_outputs", lambda outputs, tests: None)
        answer, status = bench_json()
        assert status == 0
        assert answer["cases"][0]["ratio"] > 0

    @pytest.mark.parametrize(
        ("changed", "fault"),
        [
            pytest.param({"run_words": ("python3", "-c", "print(0)")}, "bare: AnsweredWrongly", id="bare alone"),
            pytest.param({"source": "import sys\nsys.exit(3)\n"}, "ended with", id="it fails"),
            pytest.param({"compile_words": ("python3", "-c", "[")}, "bare: /usr", id="bare compilation fails"),
        ],
    )
    def test_other_faults(self, monkeypatch: pytest.MonkeyPatch, changed: dict[str, Any], fault: str) -> None:
        only_cases(monkeypatch, replace(TINY, program=replace(programs.PYTHON, **changed)))
        answer, status = bench_json()
        assert status == 1
        assert fault in answer["cases"][0]["fault"]

    def test_a_language_that_is_not_here_is_left_out(self, monkeypatch: pytest.MonkeyPatch) -> None:
        absent = replace(programs.PYTHON, run_words=("no-such-interpreter",))
        only_cases(monkeypatch, replace(TINY, program=absent), replace(TINY, name="present"))
        answer, status = bench_json()
        assert status == 0
        assert answer["cases"][0]["missing"] == "no-such-interpreter is missing"
        assert answer["cases"][1]["ratio"] > 0
        assert "tiny: left out: no-such-interpreter is missing" in bench()[0]


class TestCores:
    @pytest.fixture(autouse=True)
    def unchanged(self) -> Iterator[None]:
        before = os.sched_getaffinity(0)
        yield
        assert os.sched_getaffinity(0) == before

    def test_everything_keeps_to_one_core(self, monkeypatch: pytest.MonkeyPatch) -> None:
        counting = "import os, sys\nsys.stdin.read()\nprint([1, 9][len(os.sched_getaffinity(0)) - 1])\n"
        program = replace(programs.PYTHON, source=counting)
        only_cases(monkeypatch, replace(TINY, tests=1, bare_tests=1, program=program))
        answer, status = bench_json("--cores", "1")
        assert status == 0, answer["cases"]  # 1 is also what the only test has for its answer
        assert len(answer["machine"]["cores_used"]) == 1

    def test_a_worker_a_core_where_a_case_wants_that(self) -> None:
        by_name = {case.name: case for case in suite.chosen_cases([], cores=3)}
        assert by_name["sustained"].workers == 3
        assert by_name["two-at-a-time"].workers == 2
        assert by_name["python-20"].workers == 1


class TestMistakes:
    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (["--only", "python-21"], "no case 'python-21'; there are python-1, "),
            (["--rounds", "0"], "--rounds"),
            (["--soak", "0"], "--soak"),
            (["--only", "node-20", "--judge0-url", "http://127.0.0.1:1"], "takes part in python-20"),
            (["--only", "python-20", "--judge0-url", "http://127.0.0.1:1"], "Judge0 cannot run anything"),
            (["--only", "python-20", "--judge0-url", "nowhere"], "address of Judge0"),
        ],
    )
    def test_are_said_in_a_sentence(self, arguments: list[str], message: str) -> None:
        with pytest.raises(CommandError, match=message):
            bench(*arguments)

    def test_more_cores_than_there_are(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {0})
        with pytest.raises(CommandError, match="there are not 2 cores"):
            bench("--cores", "2")

    def test_a_sandbox_that_cannot_run(self, monkeypatch: pytest.MonkeyPatch) -> None:
        assert isinstance(engine_named("sandbox"), SandboxEngine)
        health = EngineHealth(is_ready=False, tier="", detail="bubblewrap is missing")
        monkeypatch.setattr(SandboxEngine, "health", lambda self: health)
        with pytest.raises(CommandError, match="bubblewrap is missing"):
            bench()


class TestSoakCommand:
    # The command in a process of its own, as it is used, after `patch` has been at work.
    SCRIPT = """
import os, sys, tempfile
import django
django.setup()
from dataclasses import replace
from django.core.management import call_command
from executor.bench import programs, soak
from executor.engines.sandbox import SandboxEngine
{patch}
call_command("bench_engine", *sys.argv[1:])
"""
    LEAK = """
run = SandboxEngine.run
def leaking(self, request, on_result=None):
    tempfile.mkstemp()
    return run(self, request, on_result)
SandboxEngine.run = leaking
"""
    WRONG = "soak.FATES = (replace(soak.FATES[0], program=replace(programs.PYTHON, source='print(0)')),)"

    def soaked(self, data_dir: Path, *arguments: str, patch: str = "") -> subprocess.CompletedProcess[str]:
        return run(
            PYTHON,
            "-c",
            self.SCRIPT.format(patch=patch),
            "--soak",
            "8",
            *arguments,
            cwd=ROOT,
            environment=clean_environment(ASSAY_DATA_DIR=str(data_dir), DJANGO_SETTINGS_MODULE="config.settings"),
        )

    def test_a_leak_ends_with_1(self, tmp_path: Path) -> None:
        ended = self.soaked(tmp_path, patch=self.LEAK)
        assert ended.returncode == 1
        assert re.search(r"^files .* GREW$", ended.stdout, re.MULTILINE), ended.stdout

    def test_a_wrong_answer_ends_with_1(self, tmp_path: Path) -> None:
        ended = self.soaked(tmp_path, "--json", patch=self.WRONG)
        assert ended.returncode == 1
        assert "AnsweredWrongly: test 1 printed b'0" in ended.stdout
        assert "counted_after" not in ended.stdout

    def test_what_is_held_is_counted_twice(self, tmp_path: Path) -> None:
        ended = self.soaked(tmp_path, "--json")
        answer = json.loads(ended.stdout[ended.stdout.index("{\n") :])
        assert answer["counted_after"] == [4, 8]
        assert set(answer["held"]) == {"server_kib", "descendants_kib", "descriptors", "processes", "files"}
        assert answer["held"]["server_kib"]["before"] > 0
        assert answer["held"]["descriptors"]["before"] > 2
        is_clean = all(figure["is_allowed"] for figure in answer["held"].values())
        assert ended.returncode == (0 if is_clean else 1)


def test_every_target_of_the_issue_has_its_case() -> None:
    targets = {case.name: case.target for case in CASES if case.target}
    assert targets == {
        "python-20": Target(limit=0.13, one_core=0.20, stretch=0.10),
        "python-100": Target(limit=0.11),
        "python-20-exclusive": Target(limit=0.28),
        "python-20-over-one": Target(limit=2.6),
        "python-20-cpu": Target(limit=0.22),
        "cpp-20-run": Target(limit=1.75),
        "cpp-20-iostream": Target(limit=1.1),
        "cpp-20-bits": Target(limit=0.50),
        "two-at-a-time": Target(limit=4.5, is_at_least=True),
    }
    figures = {case.name: case.figure for case in CASES}
    assert figures["python-20-cpu"] is Figure.CPU
    assert figures["two-at-a-time"] is Figure.THROUGHPUT
