"""Tiers B, C and D run programs within their limits, name the tier in each result, and leave nothing behind."""

import os
import signal
import subprocess
import sys
import tempfile
import threading
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from executor.engines.base import EngineUnavailable, Limits, RunReport, RunStatus
from executor.engines.sandbox import SandboxEngine
from executor.engines.sandbox.box import Box
from executor.engines.sandbox.flat import FlatBox
from executor.judging.languages import LANGUAGES
from tests.executor.sandbox.conftest import Run, children_of, only, processes_naming
from tests.executor.sandbox.lowered import LoweredEngine, change_runner, filter_nothing, wait_until
from tests.executor.sandbox.weakened import IS_ROOT

SMALL = Limits(time_limit_ms=5000, wall_limit_ms=10_000, memory_limit_mb=64, output_limit_kib=64)
SHORT = Limits(time_limit_ms=600, wall_limit_ms=1500, memory_limit_mb=64)

HELLO = {
    "python": "print('hello', input())",
    "javascript": "console.log('hello ' + require('fs').readFileSync(0, 'utf8').trim())",
    "c": '#include <stdio.h>\nint main(){char s[99];scanf("%98s",s);printf("hello %s\\n",s);}',
    "java": "public class Main{public static void main(String[] a){"
    'System.out.println("hello "+new java.util.Scanner(System.in).next());}}',
}
SPAWN = "import os, sys\nif os.fork() == 0:\n    os.setsid()\n    os.execv('/bin/sleep', [{marker!r}, '60'])\n"


@pytest.fixture(params="BCD")
def lowered(request: pytest.FixtureRequest) -> SandboxEngine:
    return SandboxEngine(tiers=request.param)


@pytest.fixture
def temporary(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A directory of its own for what the engine keeps for a while; it must be empty at the end."""
    with tempfile.TemporaryDirectory(dir="/var/tmp") as directory:
        os.chmod(directory, 0o755)
        monkeypatch.setattr(tempfile, "tempdir", directory)
        yield Path(directory)
        assert list(Path(directory).iterdir()) == []


class LowerTiersTestCase:
    @pytest.mark.parametrize(("tier", "language"), [(tier, name) for tier in "BCD" for name in HELLO])
    def test_hello_on_several_inputs_in_order(self, run: Run, temporary: Path, tier: str, language: str) -> None:
        engine = SandboxEngine(tiers=tier)
        if engine.missing_for(LANGUAGES[language].toolchain) is not None:
            with pytest.raises(EngineUnavailable, match="tier C"):
                run(language, HELLO[language], b"one", engine=engine)
            assert tier == "C"
            return
        report = run(language, HELLO[language], b"one\n", b"two\n", engine=engine)
        assert [(r.status, r.exit_code, r.stdout, r.stderr) for r in report.results] == [
            (RunStatus.EXITED, 0, b"hello one\n", b""),
            (RunStatus.EXITED, 0, b"hello two\n", b""),
        ]
        assert report.tier == tier

    def test_languages_of_tier_c_need_no_compiler_and_no_second_process(self) -> None:
        engine = SandboxEngine(tiers="C")
        offered = {key for key, language in LANGUAGES.items() if engine.missing_for(language.toolchain) is None}
        assert {"python", "javascript"} <= offered
        for key in offered:
            assert not LANGUAGES[key].toolchain.compile_argv
        assert "compiler" in str(engine.missing_for(LANGUAGES["c"].toolchain))

    def test_several_files_and_a_failing_exit(self, run: Run, lowered: SandboxEngine) -> None:
        code = "import helper, sys\nprint(helper.answer)\nsys.exit(3)"
        result = only(run("python", code, files={"helper.py": "answer = 42"}, engine=lowered))
        assert (result.stdout, result.exit_code, result.signal) == (b"42\n", 3, None)

    def test_cpu_time_is_limited(self, run: Run, lowered: SandboxEngine) -> None:
        result = only(run("python", "while True: pass", limits=SHORT, engine=lowered))
        assert result.status in {RunStatus.TIME_LIMIT, RunStatus.WALL_LIMIT}
        assert result.wall_ms < 5000

    def test_wall_time_is_limited(self, run: Run, lowered: SandboxEngine) -> None:
        result = only(run("python", "import time\ntime.sleep(60)", limits=SHORT, engine=lowered))
        assert result.status is RunStatus.WALL_LIMIT
        assert 1500 <= result.wall_ms < 5000

    def test_memory_is_limited_and_measured(self, run: Run, lowered: SandboxEngine) -> None:
        grows = "kept = []\nwhile True: kept.append(bytearray(b'x' * 1_000_000))"
        assert only(run("python", grows, limits=SMALL, engine=lowered)).status is RunStatus.MEMORY_LIMIT
        # Not by its own failing: the watch ends one that touches more than it may. Its address space would allow it.
        fills = "kept = [bytearray(b'x') * 150_000_000]\nimport time\ntime.sleep(20)"
        assert only(run("python", fills, limits=SMALL, engine=lowered)).status is RunStatus.MEMORY_LIMIT
        keeps = only(run("python", "kept = bytearray(b'x') * 100_000_000", engine=lowered))
        assert 100_000 < keeps.memory_kib < 130_000

    def test_output_is_cut_at_its_limit(self, run: Run, lowered: SandboxEngine) -> None:
        result = only(run("python", "while True: print('x' * 1000)", limits=SMALL, engine=lowered))
        assert (result.status, len(result.stdout)) == (RunStatus.OUTPUT_LIMIT, 64 * 1024)

    def test_a_signal_is_named(self, run: Run, lowered: SandboxEngine) -> None:
        result = only(run("python", "import os; os.abort()", engine=lowered))
        assert (result.status, result.signal) == (RunStatus.SIGNALED, signal.SIGABRT)

    def test_the_input_cannot_be_rewritten_and_no_descriptor_is_inherited(
        self, run: Run, lowered: SandboxEngine
    ) -> None:
        code = (
            "import os\nfound = []\nfor number in range(1024):\n"
            "    try: os.fstat(number); found.append(number)\n    except OSError: pass\nprint(found)\n"
            "try: os.write(0, b'x')\nexcept OSError as error: print(type(error).__name__)\nprint(os.read(0, 9))"
        )
        result = only(run("python", code, b"the input", engine=lowered))
        assert result.stdout.splitlines() == [b"[0, 1, 2]", b"PermissionError", b"b'the input'"]

    def test_our_environment_is_not_visible(
        self, run: Run, monkeypatch: pytest.MonkeyPatch, lowered: SandboxEngine
    ) -> None:
        monkeypatch.setenv("ASSAY_TEST_SECRET", "secret")
        said = only(run("python", "import os; print(os.environ)", engine=lowered)).stdout
        assert b"PATH" in said
        assert b"secret" not in said

    @pytest.mark.parametrize("tier", "BD")
    def test_compiling(self, run: Run, temporary: Path, tier: str) -> None:
        engine = SandboxEngine(tiers=tier)
        broken = run("c", "int main(){ return 0", engine=engine)
        assert broken.compilation is not None
        assert not broken.compilation.succeeded
        assert "error" in broken.compilation.output
        said = only(run("c", '#include "x.h"\nint main(){return X;}', files={"x.h": "#define X 5"}, engine=engine))
        assert said.exit_code == 5

    @pytest.mark.parametrize("tier", "BD")
    def test_processes_end_with_their_run(self, run: Run, tier: str) -> None:
        marker = f"marker-{uuid.uuid4().hex}"
        seen: list[list[int]] = []

        def between(index: int, result: object) -> bool:
            seen.append(processes_naming(marker))
            return True

        code = SPAWN.format(marker=marker) + "import time\ntime.sleep(0.3)"
        report = run("python", code, b"", b"", engine=SandboxEngine(tiers=tier), on_result=between)
        assert [r.exit_code for r in report.results] == [0, 0]
        assert seen == [[], []]

    def test_control_an_orphan_that_nobody_adopts_stays(self, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
        change_runner(monkeypatch, ("self._kernel.adopt_orphans()", "pass"))
        marker = f"marker-{uuid.uuid4().hex}"
        code = SPAWN.format(marker=marker)
        only(run("python", code, engine=LoweredEngine("D")))
        wait_until(lambda: bool(processes_naming(marker)))
        for pid in processes_naming(marker):
            os.kill(pid, signal.SIGKILL)

    @pytest.mark.parametrize("tier", "BD")
    def test_cpu_time_of_children_counts(self, run: Run, tier: str) -> None:
        code = "import os, time\nfor _ in range(2):\n    if os.fork() == 0:\n        while True: pass\ntime.sleep(20)"
        limits = Limits(time_limit_ms=600, wall_limit_ms=15_000, memory_limit_mb=64)
        assert only(run("python", code, limits=limits, engine=SandboxEngine(tiers=tier))).status is RunStatus.TIME_LIMIT


class ResidueTestCase:
    LEAVE = (
        "import os\nfound = left = 0\nfor directory, _, names in os.walk('/'):\n"
        "    if directory.startswith(('/usr', '/lib', '/proc')): continue\n"
        "    found += 'left-behind' in names\n"
        "    try: open(directory + '/left-behind', 'w').close(); left += 1\n    except OSError: pass\n"
        "try: open('left-behind', 'w').close(); left += 1\nexcept OSError: pass\nprint(found, left)"
    )

    def test_what_a_run_leaves_is_not_there_for_the_next(self, run: Run, temporary: Path) -> None:
        engine = SandboxEngine(tiers="B")
        for _ in range(2):
            assert [r.stdout for r in run("python", self.LEAVE, b"", b"", engine=engine).results] == [b"0 3\n"] * 2
        engine = SandboxEngine(tiers="C")
        assert [r.stdout for r in run("python", self.LEAVE, b"", b"", engine=engine).results] == [b"0 0\n"] * 2

    def test_control_a_box_that_serves_two_runs_keeps_it(self, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(FlatBox, "run", Box.run)
        results = run("python", self.LEAVE, b"", b"", engine=LoweredEngine("B")).results
        assert [r.stdout for r in results] == [b"0 3\n", b"2 3\n"]

    def test_times_of_access_tell_nothing(self, run: Run, temporary: Path) -> None:
        code = (
            "import os\nbefore = os.stat('data').st_atime\nopen('data').read()\n"
            "print(before == os.stat('data').st_atime or os.stat('data').st_atime_ns)\n"
        )
        results = run("python", code, b"", b"", files={"data": "x"}, engine=SandboxEngine(tiers="C")).results
        assert [r.stdout for r in results] == [b"True\n", b"True\n"]

    def test_control_times_of_access_that_are_not_set_tell(self, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
        change_runner(monkeypatch, ("time.time() + 3600, 0", "1, 2"))
        code = "import os\nopen('data').read()\nprint(os.stat('data').st_atime == 1)"
        assert only(run("python", code, files={"data": "x"}, engine=LoweredEngine("C"))).stdout == b"False\n"


class EndTestCase:
    @pytest.mark.parametrize("tier", "BCD")
    def test_a_killed_engine_leaves_nothing(self, tier: str, temporary: Path) -> None:
        marker = f"marker-{uuid.uuid4().hex}"
        script = (
            "from executor.engines.base import *\nfrom executor.engines.sandbox import SandboxEngine\n"
            "from executor.judging.languages import LANGUAGES\n"
            "import os\n"
            "code = \"import os; os.execv('/bin/sleep', ['MARKER', '30'])\".replace('MARKER', os.environ['MARKER'])\n"
            f"SandboxEngine(tiers='{tier}').run(RunRequest(toolchain=LANGUAGES['python'].toolchain, inputs=(b'',),"
            "files=(SourceFile(name='main.py', content=code),),"
            "limits=Limits(time_limit_ms=9000, wall_limit_ms=30000, memory_limit_mb=64)))"
        )
        root = Path(__file__).parents[3]
        environment = {"PYTHONPATH": str(root), "TMPDIR": str(temporary), "MARKER": marker}
        process = subprocess.Popen([sys.executable, "-c", script], cwd=root, env=environment, stderr=subprocess.DEVNULL)
        try:
            wait_until(lambda: bool(processes_naming(marker)))
        finally:
            process.kill()
            process.wait()
        wait_until(lambda: not processes_naming(marker))
        # The directory's own parent is not the runner's, where that has given up root.
        wait_until(lambda: all(not list(left.iterdir()) for left in temporary.iterdir()))
        for left in temporary.iterdir():
            left.rmdir()

    @pytest.mark.parametrize("tier", "BCD")
    def test_a_killed_runner_is_no_verdict_and_ends_the_program(self, run: Run, tier: str, temporary: Path) -> None:
        assert isinstance(_killed_meanwhile(run, LoweredEngine(tier)), EngineUnavailable)

    def test_control_without_a_death_signal_the_program_stays(self, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
        change_runner(monkeypatch, ("set_death_signal(SIGKILL)", "set_death_signal(0)"))
        with pytest.raises(AssertionError, match="in time"):
            _killed_meanwhile(run, LoweredEngine("C"), patience_s=1)

    @pytest.mark.parametrize("is_filtered", [True, False])
    def test_the_death_signal_cannot_be_given_up(
        self, run: Run, monkeypatch: pytest.MonkeyPatch, is_filtered: bool
    ) -> None:
        code = "import ctypes; print(ctypes.CDLL(None).prctl(1, 0, 0, 0, 0))"
        if not is_filtered:
            filter_nothing(monkeypatch, "lone_process")
        said = only(run("python", code, engine=LoweredEngine("C"))).stdout
        assert said == (b"-1\n" if is_filtered else b"0\n")

    @pytest.mark.parametrize("step", ["os.chown", "subprocess.Popen"] if IS_ROOT else ["subprocess.Popen"])
    def test_a_box_that_cannot_be_started_leaves_nothing(
        self, run: Run, monkeypatch: pytest.MonkeyPatch, temporary: Path, step: str
    ) -> None:
        def refuse(*words: object, **named: object) -> None:
            raise OSError(22, "refused")

        monkeypatch.setattr(step, refuse)
        with pytest.raises(EngineUnavailable, match="refused"):
            run("python", "pass", engine=LoweredEngine("C"))

    def test_nothing_is_left_open(self, run: Run, lowered: SandboxEngine) -> None:
        run("python", "pass", engine=lowered)
        before = len(os.listdir("/proc/self/fd"))
        run("python", "pass", b"", b"", engine=lowered)
        assert len(os.listdir("/proc/self/fd")) == before


def _killed_meanwhile(run: Run, engine: LoweredEngine, *, patience_s: float = 10) -> RunReport | EngineUnavailable:
    """What comes of a run whose runner is killed, once its program is gone."""
    marker = f"marker-{uuid.uuid4().hex}"
    outcome: list[RunReport | EngineUnavailable] = []

    def work() -> None:
        try:
            outcome.append(run("python", f"import os\nos.execv('/bin/sleep', ['{marker}', '30'])", engine=engine))
        except EngineUnavailable as error:
            outcome.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    wait_until(lambda: bool(processes_naming(marker)))
    process = engine.boxes[-1]._process.pid
    os.kill(children_of(process)[0] if engine._host is not None and engine._host.tier == "B" else process, 9)
    thread.join(10)
    try:
        wait_until(lambda: not processes_naming(marker), patience_s)
    finally:
        for pid in processes_naming(marker):
            os.kill(pid, signal.SIGKILL)
    return outcome[0]
