"""What the sandbox promises as an engine: order, early stop, honest figures, and no verdict where it failed itself."""

import dataclasses
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from executor.engines.base import (
    EngineProtocolError,
    EngineRejected,
    EngineUnavailable,
    Limits,
    RunReport,
    RunRequest,
    RunResult,
    RunStatus,
    SourceFile,
)
from executor.engines.sandbox import SandboxEngine, box, host, plans
from executor.engines.sandbox.box import Box, BoxFile, BoxPlan
from executor.engines.sandbox.engine import DEFAULT_UID
from executor.engines.sandbox.host import Host
from executor.judging.languages import LANGUAGES
from tests.executor.sandbox.conftest import LIMITS, Run, children_of, only, processes_naming
from tests.executor.sandbox.weakened import changed_runner, with_bind

SLEEP = "import time\ntime.sleep(30)"


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


class CompileTestCase:
    @pytest.mark.parametrize(
        ("language", "code"),
        [
            pytest.param("c", '#include "main.c"\n#include "main.c"', id="includes itself"),
            pytest.param("c", '#include "/dev/random"', id="includes a device"),
            pytest.param("c", "char a[1ul<<32]={1};int main(){}", id="a huge array"),
            pytest.param("cpp", "template<int N> struct A{typename A<N+1>::t x;}; A<0> a;", id="endless templates"),
            pytest.param("cpp", "\n".join(f"undeclared{n};" for n in range(9000)), id="an error a line"),
        ],
    )
    def test_a_bomb_fails_with_bounded_output(
        self, run: Run, monkeypatch: pytest.MonkeyPatch, language: str, code: str
    ) -> None:
        monkeypatch.setattr(plans, "COMPILE_WALL_MS", 5000)
        started = time.monotonic()
        report = run(language, code)
        assert report.compilation is not None
        assert not report.compilation.succeeded
        assert 0 < len(report.compilation.output) <= 66_000
        assert time.monotonic() - started < 15

    def test_a_compiler_sees_no_file_of_ours(self, run: Run) -> None:
        report = run("c", f'#include "{__file__}"\nint main(){{}}')
        assert report.compilation is not None
        assert not report.compilation.succeeded
        assert "No such file" in report.compilation.output

    def test_only_regular_files_are_handed_over(self, engine: SandboxEngine) -> None:
        code = (
            "import os, socket\nopen('kept', 'w').write('x'); os.chmod('kept', 0o755)\nopen('closed', 'w'); "
            "os.chmod('closed', 0)\nos.symlink('/usr/bin/python3', 'link'); os.mkfifo('fifo'); os.mkdir('directory')\n"
            "os.symlink('kept', 'second-link')\n"
        )
        request = RunRequest(
            toolchain=LANGUAGES["python"].toolchain,
            files=(SourceFile(name="main.py", content=code),),
            inputs=(),
            limits=LIMITS,
        )
        plan = dataclasses.replace(plans.run_plan(request, ()), runs=1, artefacts_bytes=1000, artefacts_count=5)
        with engine.open_box(Host.found(uid_for_root=DEFAULT_UID), plan) as opened:
            left = opened.run(b"", wall_ms=5000, output_limit_bytes=1000)
        assert left.wait_status == 0, left
        assert left.artefacts == (BoxFile(name="kept", content=b"x", mode=0o555),)

    def test_too_much_is_handed_over_as_nothing(self, engine: SandboxEngine) -> None:
        code = "for n in range(4): open(f'file{n}', 'w').write('x' * 400)"
        request = RunRequest(
            toolchain=LANGUAGES["python"].toolchain,
            files=(SourceFile(name="main.py", content=code),),
            inputs=(),
            limits=LIMITS,
        )
        plan = dataclasses.replace(plans.run_plan(request, ()), runs=1, artefacts_bytes=1000, artefacts_count=5)
        with engine.open_box(Host.found(uid_for_root=DEFAULT_UID), plan) as opened:
            assert opened.run(b"", wall_ms=5000, output_limit_bytes=1000).artefacts == ()

    def test_data_files_reach_a_compiled_program_and_its_sources_do_not(self, run: Run) -> None:
        code = (
            '#include <stdio.h>\nint main(){char s[9]="";FILE*f=fopen("data.txt","r");fgets(s,9,f);'
            'printf("%s %d",s,fopen("main.c","r")==0);}'
        )
        assert only(run("c", code, files={"data.txt": "given"})).stdout == b"given 1"


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


class _WatchedEngine(SandboxEngine):
    """Lets a test at the processes of its boxes."""

    def __init__(self) -> None:
        super().__init__()
        self.boxes: list[Box] = []

    def open_box(self, host: Host, plan: BoxPlan) -> Box:
        self.boxes.append(super().open_box(host, plan))
        return self.boxes[-1]

    def process_of_last_box(self, role: str) -> int:
        """The pid of `bubblewrap`, of the `runner` in it, or of the `keeper` under that."""
        pid = self.boxes[-1]._process.pid
        for _ in range(("bubblewrap", "runner", "keeper").index(role)):
            pid = children_of(pid)[0]
        return pid


class FailureTestCase:
    """Whatever happens to the box itself is the engine's failure, never a result."""

    @pytest.mark.parametrize("role", ["bubblewrap", "runner", "keeper"])
    def test_a_killed_part_of_the_box_is_no_verdict(self, run: Run, role: str) -> None:
        marker = f"marker-{uuid.uuid4().hex}"
        engine = _WatchedEngine()
        assert engine.health().is_ready
        outcome: list[RunReport | EngineUnavailable] = []

        def work() -> None:
            try:
                outcome.append(run("python", f"import os\nos.execv('/bin/sleep', ['{marker}', '30'])", engine=engine))
            except EngineUnavailable as error:
                outcome.append(error)

        thread = threading.Thread(target=work)
        thread.start()
        _wait_until(lambda: bool(processes_naming(marker)))
        os.kill(engine.process_of_last_box(role), signal.SIGKILL)
        thread.join(10)
        assert isinstance(outcome[0], EngineUnavailable)
        _wait_until(lambda: not processes_naming(marker))

    def test_a_box_that_hangs_is_ended(self, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(box, "WATCHDOG_MARGIN_S", 1.5)
        engine = _WatchedEngine()
        assert engine.health().is_ready

        def stop_the_runner() -> None:
            _wait_until(lambda: len(engine.boxes) == 2 and bool(children_of(engine.boxes[-1]._process.pid)))
            time.sleep(0.3)
            os.kill(engine.process_of_last_box("runner"), signal.SIGSTOP)

        thread = threading.Thread(target=stop_the_runner)
        thread.start()
        with pytest.raises(EngineUnavailable, match="did not answer in time"):
            run(
                "python",
                SLEEP,
                engine=engine,
                limits=Limits(time_limit_ms=1000, wall_limit_ms=1000, memory_limit_mb=64),
            )
        thread.join()

    def test_a_killed_engine_leaves_nothing_running(self) -> None:
        marker = f"marker-{uuid.uuid4().hex}"
        script = (
            "from executor.engines.base import *\nfrom executor.engines.sandbox import SandboxEngine\n"
            "from executor.judging.languages import LANGUAGES\n"
            f"code = \"import os; os.execv('/bin/sleep', ['{marker}', '30'])\"\n"
            "SandboxEngine().run(RunRequest(toolchain=LANGUAGES['python'].toolchain, inputs=(b'',),"
            "files=(SourceFile(name='main.py', content=code),),"
            "limits=Limits(time_limit_ms=9000, wall_limit_ms=30000, memory_limit_mb=64)))"
        )
        root = Path(__file__).parents[3]
        process = subprocess.Popen([sys.executable, "-c", script], cwd=root, env={"PYTHONPATH": str(root)})
        try:
            _wait_until(lambda: any(pid != process.pid for pid in processes_naming(marker)))
        finally:
            process.kill()
            process.wait()
        _wait_until(lambda: not processes_naming(marker))

    @pytest.mark.parametrize(
        "answer",
        [
            "b'ended', b'', b'x', b'1', b'1', b'1'",
            "b'ended', b''",
            "b'accepted', b'1'",
            "b'ended', b'luck', b'0', b'1', b'1', b'1'",
        ],
    )
    def test_an_answer_that_makes_no_sense_is_no_verdict(
        self, run: Run, monkeypatch: pytest.MonkeyPatch, answer: str
    ) -> None:
        engine = SandboxEngine()
        assert engine.health().is_ready
        changed = changed_runner(
            ('self.say(b"ended", reason, *(b"%d" % figure for figure in figures))', f"self.say({answer})")
        )
        monkeypatch.setattr(host, "runner_code", changed)
        with pytest.raises(EngineProtocolError):
            run("python", "pass", engine=engine)

    def test_a_failing_set_up_is_no_verdict(self, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
        engine = SandboxEngine()
        assert engine.health().is_ready
        monkeypatch.setattr(host, "runner_code", changed_runner(("kernel.drop_capabilities()", "raise OSError('no')")))
        with pytest.raises(EngineUnavailable, match="OSError: no"):
            run("python", "pass", engine=engine)


@pytest.fixture
def pretended_bubblewrap(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A file to be filled with a script that is taken for bubblewrap."""
    directory = Path(tempfile.mkdtemp(dir="/var/tmp"))
    directory.chmod(0o755)
    path = directory / "bwrap"
    real = host.find_program
    monkeypatch.setattr(host, "find_program", lambda name: str(path) if name == "bwrap" else real(name))
    yield path
    shutil.rmtree(directory)


class HealthTestCase:
    def test_a_machine_that_contains_is_ready(self, engine: SandboxEngine) -> None:
        health = engine.health()
        assert (health.is_ready, health.tier) == (True, "A"), health.detail

    def test_without_bubblewrap_it_refuses_and_names_the_package(
        self, run: Run, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        real = host.find_program
        monkeypatch.setattr(host, "find_program", lambda name: None if name == "bwrap" else real(name))
        engine = SandboxEngine()
        assert not engine.health().is_ready
        assert engine.health().detail == "bubblewrap is missing: apt-get install bubblewrap"
        with pytest.raises(EngineUnavailable, match="apt-get install bubblewrap"):
            run("python", "pass", engine=engine)

    @pytest.mark.parametrize(
        ("message", "remedy"),
        [
            ("bwrap: setting up uid map: Permission denied", "AppArmor"),
            ("bwrap: No permissions to create new namespace, likely because the kernel does not allow", "judge0"),
            ("bwrap: Creating new namespace failed: Operation not permitted", "no user namespaces here"),
        ],
    )
    def test_a_refusal_of_the_kernel_is_explained(self, pretended_bubblewrap: Path, message: str, remedy: str) -> None:
        pretended_bubblewrap.write_text(f"#!/bin/sh\necho '{message}' >&2\nexit 1\n")
        pretended_bubblewrap.chmod(0o755)
        health = SandboxEngine().health()
        assert not health.is_ready
        assert remedy in health.detail

    def test_a_box_that_does_not_hold_is_refused(self, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
        real = Host.box_argv
        monkeypatch.setattr(Host, "box_argv", lambda self: with_bind("/var")(real(self)))
        monkeypatch.setattr(tempfile, "tempdir", "/var/tmp")
        engine = SandboxEngine()
        assert "does not hold (open: file)" in engine.health().detail
        with pytest.raises(EngineUnavailable):
            run("python", "pass", engine=engine)

    def test_programs_never_run_as_root(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(os, "geteuid", lambda: 0)
        health = SandboxEngine(uid_for_root=0).health()
        assert (health.is_ready, "as root" in health.detail) == (False, True)


def _wait_until(condition: object, seconds: float = 10) -> None:
    assert callable(condition)
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.02)
