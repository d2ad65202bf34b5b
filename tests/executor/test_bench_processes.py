"""Whose CPU time and whose leftovers the benchmark counts, with real processes."""

import os
import resource
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from executor.bench import processes, programs, soak, timing
from executor.bench.cases import Case
from executor.bench.census import changes, take_census
from executor.bench.processes import ProcessFigures, descendants, own_cpu_s, settled, settled_cpu_s
from executor.bench.timing import AnsweredWrongly, EngineSide
from executor.engines.base import EngineHealth, OnResult, RunReport, RunRequest, RunResult, RunStatus, Toolchain
from executor.engines.sandbox import SandboxEngine
from executor.services.engines import engine_named
from tests.shell import ROOT, wait_until

BURN_S = 0.5
# Burns CPU time whenever it is sent a line, answers, and stays alive.
BURNER = f"""
import sys, time
for line in sys.stdin:
    end = time.process_time() + {BURN_S}
    while time.process_time() < end: pass
    print("done", flush=True)
"""


class Burner:
    """A process that lives on between the pieces of work it is given, as a warm interpreter does."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", BURNER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def work(self) -> None:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write("go\n")
        self.process.stdin.flush()
        assert self.process.stdout.readline() == "done\n"


@pytest.fixture
def burner() -> Iterator[Burner]:
    made = Burner()
    with made.process:
        yield made
        made.process.kill()


class BurningEngine:
    """An engine that has its work done by a process which outlives it."""

    name = "burning"

    def __init__(self, burner: Burner) -> None:
        self._burner = burner

    def run(self, request: RunRequest, on_result: OnResult | None = None) -> RunReport:
        self._burner.work()
        result = RunResult(
            status=RunStatus.EXITED, exit_code=0, time_ms=1, wall_ms=1, memory_kib=1, stdout=b"1\n", stderr=b""
        )
        return RunReport(compilation=None, results=(result,), tier="A")

    def health(self) -> EngineHealth:
        return EngineHealth(is_ready=True, tier="A", detail="")

    def missing_for(self, toolchain: Toolchain) -> str | None:
        return None


class TestCpuTime:
    CASE = Case(name="burn", title="", program=programs.PYTHON, tests=1, submissions=2)

    def measured_s(self, burner: Burner) -> float:
        with ThreadPoolExecutor(1) as pool:
            return EngineSide(self.CASE, BurningEngine(burner), pool).measure().cpu_s

    def test_of_a_process_that_lives_on_is_counted(self, burner: Burner) -> None:
        assert self.measured_s(burner) > BURN_S * 1.5

    def test_control_the_reaped_alone_are_not_enough(self, burner: Burner, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(timing, "settled_cpu_s", lambda: 0.0)
        assert self.measured_s(burner) < BURN_S

    def test_is_counted_once_when_the_process_is_reaped(self, burner: Burner) -> None:
        before = own_cpu_s() + settled_cpu_s()
        burner.work()
        alive = own_cpu_s() + settled_cpu_s()
        burner.process.kill()
        burner.process.wait()
        reaped = own_cpu_s() + settled_cpu_s()
        assert BURN_S * 0.8 < alive - before < BURN_S * 1.8
        assert BURN_S * 0.8 < reaped - before < BURN_S * 1.8

    def test_grandchildren_are_descendants(self) -> None:
        program = "import subprocess; subprocess.run(['cat'])"
        with subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE) as child:
            wait_until(lambda: bool(descendants(child.pid)), what="the grandchild is there")
            below = descendants(child.pid)
            assert [process.parent for process in below] == [child.pid]
            assert below[0].resident_kib > 0
            assert {child.pid, below[0].pid} <= {process.pid for process in descendants(os.getpid())}


class TestSettling:
    def seen(self, monkeypatch: pytest.MonkeyPatch, *cpu_s: float) -> Iterator[list[ProcessFigures]]:
        """Have the descendants look so, one time after the other."""
        looks = iter([[ProcessFigures(pid=9, parent=1, cpu_s=figure, resident_kib=1)] for figure in cpu_s])
        monkeypatch.setattr(processes, "descendants", lambda root: next(looks))
        return looks

    def test_waits_until_two_looks_are_alike(self, monkeypatch: pytest.MonkeyPatch) -> None:
        later = self.seen(monkeypatch, 0.1, 0.2, 0.3, 0.3, 0.4)
        assert settled(1, quiet_s=0)[0].cpu_s == 0.3
        assert next(later)[0].cpu_s == 0.4

    def test_gives_up_on_what_never_rests(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(processes, "_GIVE_UP_S", 0.0)
        self.seen(monkeypatch, 0.1, 0.2)
        assert settled(1, quiet_s=0)[0].cpu_s == 0.1


class LeakyEngine(SandboxEngine):
    """A sandbox that leaves something behind with every submission."""

    def __init__(self, directory: Path, kind: str) -> None:
        super().__init__()
        self._directory, self._kind = directory, kind
        self.left: list[object] = []

    def run(self, request: RunRequest, on_result: OnResult | None = None) -> RunReport:
        if self._kind == "files":
            (self._directory / f"left{len(self.left)}").touch()
        if self._kind == "server_kib":
            self.left.append(b"x" * resource.getpagesize() * 4096)
        if self._kind == "descriptors":
            self.left.append(os.open("/dev/null", os.O_RDONLY))
        if self._kind == "processes":
            self.left.append(subprocess.Popen(["sleep", "60"]))
        self.left.append(None)
        return super().run(request, on_result)

    def tidy(self) -> None:
        for thing in self.left:
            if isinstance(thing, int):
                os.close(thing)
            if isinstance(thing, subprocess.Popen):
                thing.kill()
                thing.wait()
        self.left.clear()


class TestSoak:
    def soaked(self, engine: SandboxEngine, directory: Path, submissions: int = 6) -> soak.SoakResult:
        return soak.soak(
            engine,
            submissions=submissions,
            workers=2,
            directories=[directory],
            root=os.getpid(),
            on_submission=lambda: None,
        )

    def test_every_fate_is_met(self, tmp_path: Path) -> None:
        told: list[int] = []
        found = soak.soak(
            engine_named("sandbox"),
            submissions=2 * len(soak.FATES),
            workers=2,
            directories=[tmp_path],
            root=os.getpid(),
            on_submission=lambda: told.append(1),
        )
        assert len(told) == found.submissions == 14
        assert found.warm_up == 7
        assert found.before.files == found.after.files == 0

    @pytest.mark.parametrize("kind", ["files", "server_kib", "descriptors", "processes"])
    def test_what_is_left_behind_is_found(self, kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(soak, "FATES", soak.FATES[:1])
        engine = LeakyEngine(tmp_path, kind)
        try:
            found = self.soaked(engine, tmp_path)
        finally:
            engine.tidy()
        assert not found.is_clean
        assert kind in [change.name for change in changes(found.before, found.after) if not change.is_allowed]

    def test_control_without_a_leak_the_counts_stay(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(soak, "FATES", soak.FATES[:1])
        found = self.soaked(LeakyEngine(tmp_path, "nothing"), tmp_path)
        assert (found.before.files, found.before.processes) == (found.after.files, found.after.processes)
        assert found.before.descriptors == found.after.descriptors

    @pytest.mark.parametrize("fate", soak.FATES, ids=lambda fate: fate.program.source.splitlines()[0])
    def test_another_fate_is_an_error(self, fate: soak.Fate) -> None:
        wrong = programs.request_for(programs.PYTHON, tests=fate.tests, source="print('wrong')")
        with pytest.raises(AnsweredWrongly):
            fate.check(engine_named("sandbox").run(wrong))


class TestOrphans:
    # The server leaves a process whose parent is gone, and counts what is below the watching process and below itself.
    SERVER = """
        import json, os, subprocess, sys, time
        from executor.bench.census import take_census
        from executor.bench.processes import descendants
        from executor.bench.watching import run_watched

        def server(root):
            script = "import subprocess; print(subprocess.Popen(['sleep', '60'], stdout=subprocess.DEVNULL).pid)"
            pid = int(subprocess.check_output([sys.executable, "-c", script]))
            counts = [take_census([], root=place).processes for place in (root, os.getpid())]
            os.kill(pid, 9)
            while descendants(root)[1:]:  # all but this process; not for ever, since the test does not wait that long
                time.sleep(0.05)
            print(json.dumps(counts), flush=True)
            sys.exit(7)

        status = run_watched(server)
        print(status)
    """

    def test_are_counted_and_reaped(self) -> None:
        done = subprocess.run(
            [sys.executable, "-c", textwrap.dedent(self.SERVER)],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        # One more below the watching process than below the server itself, which has lost sight of it.
        assert done.stdout.splitlines() == ["[1, 0]", "7"], done.stderr

    def test_a_census_leaves_out_who_takes_it(self) -> None:
        before = take_census([], root=os.getpid())
        with subprocess.Popen(["sleep", "60"]) as sleeper:
            assert take_census([], root=os.getpid()).processes == before.processes + 1
            sleeper.kill()
