"""The loop in the box: what it measures of each test, and when it stops."""

import ast
import os
from dataclasses import replace
from pathlib import Path

import pytest

from executor.engines.base import RunStatus
from executor.engines.judge0 import loop
from tests.executor.judge0.loops import (
    QUICK,
    looped,
    stdout_of,
)
from tests.executor.judge0.support import CPP, C


class MeasuredTestCase:
    def test_each_test_has_its_own_input_output_and_exit_code(self) -> None:
        code = (
            "import sys\ntext = sys.stdin.read()\nprint(text, end='')\nprint('e', file=sys.stderr)\nsys.exit(len(text))"
        )
        inputs = [b"", b"a\n", b"\n" * 200, "h\u00e9\n".encode()]
        outcome = looped(code, *inputs)
        assert [result.stdout for result in outcome.results.values()] == inputs
        assert [result.exit_code for result in outcome.results.values()] == [0, 2, 200, 3]
        assert {result.stderr for result in outcome.results.values()} == {b"e\n"}
        assert (outcome.unbegun, outcome.why_ended, outcome.is_unfit) == ((), "done", False)

    def test_bytes_that_are_no_text_pass_both_ways(self) -> None:
        code = "import sys\nsys.stdout.buffer.write(sys.stdin.buffer.read()[::-1])"
        assert stdout_of(code, b"\xff\x00\n", bytes(range(256)) * 4000) == [
            b"\n\x00\xff",
            bytes(range(256))[::-1] * 4000,
        ]

    def test_what_uses_up_its_time_is_ended_and_the_next_has_all_of_its_own(self) -> None:
        outcome = looped("if input() == 'x':\n    while True: pass\nprint(1)", b"a", b"x", b"b")
        assert [outcome.results[index].status for index in range(3)] == [
            RunStatus.EXITED,
            RunStatus.TIME_LIMIT,
            RunStatus.EXITED,
        ]
        assert 1000 < outcome.results[1].time_ms < 2000

    def test_the_time_of_all_processes_counts(self) -> None:
        code = "import os\nif input() == 'x':\n    for _ in range(3): os.fork()\n    while True: pass"
        outcome = looped(code, b"a", b"x", b"b")
        assert [outcome.results[index].status for index in range(3)] == [
            RunStatus.EXITED,
            RunStatus.TIME_LIMIT,
            RunStatus.EXITED,
        ]
        # Of eight processes none comes near to a second of its own.
        assert 1000 < outcome.results[1].time_ms < 3000

    def test_what_waits_for_ever_is_ended_by_the_wall_clock(self) -> None:
        limits = replace(QUICK, wall_limit_ms=1200)
        code = "import time\nprint(1, flush=True)\nif input() == 'x':\n    time.sleep(60)"
        outcome = looped(code, b"a", b"x", b"b", limits=limits)
        assert [result.status for result in outcome.results.values()] == [
            RunStatus.EXITED,
            RunStatus.WALL_LIMIT,
            RunStatus.EXITED,
        ]
        assert 1200 <= outcome.results[1].wall_ms < 4000
        assert outcome.results[1].stdout == b"1\n"

    def test_memory_is_each_tests_own(self) -> None:
        outcome = looped("text = bytearray(160_000_000) if input() == 'x' else b''\nprint(len(text))", b"x", b"a")
        assert outcome.results[0].status is RunStatus.MEMORY_LIMIT
        assert outcome.results[0].memory_kib > 150_000
        assert outcome.results[1].status is RunStatus.EXITED
        assert outcome.results[1].memory_kib < 30_000

    def test_a_flood_of_output_ends_at_the_limit(self) -> None:
        limits = replace(QUICK, output_limit_kib=64)
        code = '#include <stdio.h>\nint main(void) { if (getchar() == \'x\') for (;;) puts("flood"); puts("1"); }'
        outcome = looped(code, b"x", b"a", toolchain=C, name="main.c", limits=limits)
        assert outcome.results[0].status is RunStatus.OUTPUT_LIMIT
        assert outcome.results[0].stdout == (b"flood\n" * 20_000)[: 64 * 1024]
        assert (outcome.results[0].signal, outcome.results[1].stdout) == (25, b"1\n")

    @pytest.mark.parametrize(
        ("body", "signal"), [("*(volatile int *)0 = 1;", 11), ("abort();", 6), ("raise(SIGTERM);", 15)]
    )
    def test_a_crash_is_told_by_its_signal(self, body: str, signal: int) -> None:
        code = f"#include <signal.h>\n#include <stdlib.h>\nint main(void) {{ {body} }}"
        outcome = looped(code, b"x", b"a", toolchain=CPP, name="main.cpp")
        assert [(result.status, result.signal) for result in outcome.results.values()] == [
            (RunStatus.SIGNALED, signal)
        ] * 2

    def test_a_kill_that_nobody_owns_up_to_is_doubtful(self) -> None:
        code = "import os\nif input() == 'x':\n    os.kill(os.getpid(), 9)"
        assert sorted(looped(code, b"a", b"x", b"b").results) == [0, 2]

    def test_python_3_6_understands_the_loop(self) -> None:
        for path in Path(loop.__file__).parent.glob("*.py"):
            ast.parse(path.read_text(), feature_version=(3, 6))
            assert "from __future__" not in path.read_text()


class BudgetTestCase:
    def test_a_test_is_begun_only_while_the_job_can_give_it_all_it_may_use(self) -> None:
        # Three seconds of CPU, one for each, of which they take a little more than half.
        burn = "import time\nif input() == 'x':\n    while time.process_time() < 0.6: pass\nprint(1)"
        outcome = looped(burn, *[b"x"] * 4, *[b"a"] * 2, max_cpu_time_s=3)
        assert sorted(outcome.results) == [0, 1, 2, 3][: len(outcome.results)]
        assert outcome.why_ended == "budget"
        assert outcome.unbegun == tuple(range(len(outcome.results), 6))
        assert 2 <= len(outcome.results) <= 4

    def test_quick_tests_all_fit_however_large_their_limits_are(self) -> None:
        limits = replace(QUICK, time_limit_ms=10_000, wall_limit_ms=18_000)
        assert len(looped("print(input())", *[b"%d" % number for number in range(10)], limits=limits).results) == 10

    def test_output_that_finds_no_room_leaves_only_its_own_frame_out(self) -> None:
        code = "import random, sys\nsys.stdout.buffer.write(random.Random(1).randbytes(1_000_000 * int(input())))"
        outcome = looped(code, b"1", b"1", b"1", b"1", b"0", b"0")
        assert sorted(outcome.results) == [0, 1, 2, 4, 5]
        assert outcome.unbegun == ()

    def test_a_program_that_cannot_be_started_stops_the_loop(self) -> None:
        def take_it_away(box: Path) -> None:
            os.unlink(box / "program" / "program")

        outcome = looped("int main(void) { return 0; }", b"", b"", toolchain=C, name="main.c", prepare=take_it_away)
        assert outcome.results == {}
        assert outcome.why_ended.startswith("a program that cannot be started: FileNotFoundError")

    def test_a_compiler_that_left_more_than_files_stops_it_before_the_first_test(self) -> None:
        outcome = looped("print(input())", b"1", b"2", prepare=lambda box: (box / "program" / "more").mkdir())
        assert (outcome.results, outcome.is_unfit) == ({}, True)
