"""What the sandbox promises as an engine: order, early stop, honest figures, and refusal of bad requests."""

import os
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from executor.engines.base import (
    EngineRejected,
    Limits,
    RunRequest,
    RunResult,
    RunStatus,
    SourceFile,
)
from executor.engines.sandbox import SandboxEngine, host, plans
from executor.judging.languages import LANGUAGES
from tests.executor.sandbox.conftest import LIMITS, Run, only


class OrderTestCase:
    def test_results_come_as_they_are_measured_and_in_order(self, run: Run) -> None:
        seen: list[tuple[int, bytes]] = []

        def note(index: int, result: RunResult) -> bool:
            seen.append((index, result.stdout))
            return True

        report = run("python", "print(input())", b"a", b"b", b"c", on_result=note)
        assert seen == [(0, b"a\n"), (1, b"b\n"), (2, b"c\n")]
        assert len(report.results) == 3

    def test_a_caller_may_stop_early(self, run: Run) -> None:
        started = time.monotonic()
        report = run("python", "import time; time.sleep(float(input()))", b"0", b"9", on_result=lambda *_: False)
        assert len(report.results) == 1
        assert time.monotonic() - started < 8

    def test_no_inputs_only_compile(self, engine: SandboxEngine) -> None:
        request = RunRequest(
            toolchain=LANGUAGES["c"].toolchain,
            files=(SourceFile(name="main.c", content="int main(){}"),),
            inputs=(),
            limits=LIMITS,
        )
        report = engine.run(request)
        assert report.compilation is not None
        assert report.compilation.succeeded
        assert report.results == ()

    def test_threads_share_an_engine(self, run: Run) -> None:
        def double(number: int) -> bytes:
            return only(run("python", "print(2 * int(input()))", b"%d" % number)).stdout

        with ThreadPoolExecutor(6) as pool:
            assert list(pool.map(double, range(24))) == [b"%d\n" % (2 * n) for n in range(24)]

    def test_nothing_is_left_open(self, run: Run) -> None:
        run("c", "int main(){}")
        before = len(os.listdir("/proc/self/fd"))
        for code in ("int main(){}", "broken"):
            run("c", code, b"", b"")
        assert len(os.listdir("/proc/self/fd")) == before


class FiguresTestCase:
    def test_memory_is_the_programs_own_and_not_the_servers(self, run: Run) -> None:
        ballast = bytearray(b"x") * 300_000_000
        result = only(run("c", "int main(){return 0;}"))
        assert 500 < result.memory_kib < 12_000
        # The control: spawned from here, the same kind of program would report this process's size.
        process = subprocess.Popen(["/bin/true"])
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = status
        assert usage.ru_maxrss > 250_000
        assert len(ballast) == 300_000_000

    def test_memory_grows_with_what_is_touched(self, run: Run) -> None:
        result = only(run("python", "kept = bytearray(b'x') * 100_000_000"))
        assert 100_000 < result.memory_kib < 130_000

    def test_a_tiny_limit_does_not_hold_the_starters_pages_against_a_program(self, run: Run) -> None:
        limits = Limits(time_limit_ms=1000, wall_limit_ms=2000, memory_limit_mb=4)
        assert only(run("c", "int main(){return 0;}", limits=limits)).status is RunStatus.EXITED

    def test_large_inputs_do_not_count_as_the_programs_memory(self, run: Run) -> None:
        result = only(run("c", "int main(){return 0;}", b"x" * 50_000_000))
        assert result.memory_kib < 12_000

    def test_cpu_time_of_children_counts_also_where_nobody_waits_for_them(self, run: Run) -> None:
        code = (
            "#include <signal.h>\n#include <unistd.h>\nint main(){signal(SIGCHLD,SIG_IGN);"
            "for(int i=0;i<2;i++)if(!fork())for(;;);sleep(20);return 0;}"
        )
        limits = Limits(time_limit_ms=600, wall_limit_ms=15_000, memory_limit_mb=64)
        result = only(run("c", code, limits=limits))
        assert result.status is RunStatus.TIME_LIMIT
        assert result.time_ms >= 600

    def test_memory_of_children_is_counted_together(self, run: Run) -> None:
        code = (
            "import os, time\nfor _ in range(6):\n    if os.fork() == 0:\n"
            "        kept = bytearray(b'x') * 30_000_000\n        time.sleep(20)\n        os._exit(0)\ntime.sleep(20)"
        )
        limits = Limits(time_limit_ms=10_000, wall_limit_ms=15_000, memory_limit_mb=64)
        assert only(run("python", code, limits=limits)).status is RunStatus.MEMORY_LIMIT

    def test_a_forked_copy_is_not_counted_twice(self, run: Run) -> None:
        code = (
            "import os, time\nkept = bytearray(b'x') * 40_000_000\npids = [os.fork() for _ in range(1)]\n"
            "time.sleep(0.5)\nif pids[0]: os.wait(); print('ok')"
        )
        limits = Limits(time_limit_ms=10_000, wall_limit_ms=15_000, memory_limit_mb=64)
        result = only(run("python", code, limits=limits))
        assert (result.status, result.stdout) == (RunStatus.EXITED, b"ok\n")


class RequestTestCase:
    @pytest.mark.parametrize(
        "name",
        ["../x.py", "/etc/x", "", ".", "..", "-fplugin=x.c", "@list", "a\nb", "a\0b", "x" * 300, "main.py"],
    )
    def test_names_that_are_not_plain_are_refused(self, run: Run, name: str) -> None:
        with pytest.raises(EngineRejected):
            run("python", "pass", files={name: "x"})

    def test_limits_must_be_positive(self, run: Run) -> None:
        with pytest.raises(EngineRejected):
            run("python", "pass", limits=Limits(time_limit_ms=0, wall_limit_ms=1, memory_limit_mb=1))

    def test_a_language_is_offered_where_its_programs_are(
        self, engine: SandboxEngine, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        toolchain = LANGUAGES["cpp"].toolchain
        assert engine.missing_for(toolchain) is None
        monkeypatch.setattr(plans, "find_program", lambda name: None)
        assert engine.missing_for(toolchain) == "g++ is missing: apt-get install g++"

    def test_a_shim_on_the_path_is_never_taken(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PATH", "/nowhere")
        found = host.find_program("python3")
        assert found is not None
        assert found.startswith(("/usr/", "/bin/")) or found == os.path.realpath(found)


class EachRunTestCase:
    def test_the_last_run_is_watched_like_the_first(self, run: Run) -> None:
        """Each was made while the one before it ran, and must not be taken for one that still waits."""
        limits = Limits(time_limit_ms=500, wall_limit_ms=8000, memory_limit_mb=64)
        report = run("c", "int main(void) { for (volatile long n = 0;; n++); }", b"", b"", b"", limits=limits)
        assert [result.status for result in report.results] == [RunStatus.TIME_LIMIT] * 3
        assert max(result.time_ms for result in report.results) < 1500  # the kernel's own limit comes at 2500
