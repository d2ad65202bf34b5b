"""Where the sandbox itself fails it says so, with the fix where one is known, and never gives a verdict."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from executor.engines.base import (
    EngineProtocolError,
    EngineUnavailable,
    Limits,
    RunReport,
    RunRequest,
)
from executor.engines.sandbox import SandboxEngine, box, host
from executor.engines.sandbox.box import Box, BoxPlan
from executor.engines.sandbox.host import Host
from tests.executor.sandbox.conftest import Run, children_of, processes_naming
from tests.executor.sandbox.weakened import changed_runner, with_bind

SLEEP = "import time\ntime.sleep(30)"


class _WatchedEngine(SandboxEngine):
    """Lets a test at the processes of its boxes."""

    def __init__(self, kit_directory: Path | None = None) -> None:
        super().__init__(kit_directory=kit_directory)
        self.boxes: list[Box] = []

    @contextmanager
    def open_box(self, host: Host, plan: BoxPlan, request: RunRequest | None = None) -> Iterator[Box]:
        with super().open_box(host, plan, request) as box:
            self.boxes.append(box)
            yield box

    def process_of_last_box(self, role: str) -> int:
        """The pid of the box's process with that role; see ROLES."""
        return ROLES[role](self.boxes[-1]._process.pid)


def _first_child(pid: int) -> int:
    return min(children_of(pid))


def _last_child(pid: int) -> int:
    return max(children_of(pid))


# The processes of a box from bubblewrap's pid. Under the native runner stand the zygote, which made the template, and
# the first process of the run; under the one in Python the keeper alone.
ROLES: dict[str, Callable[[int], int]] = {
    "bubblewrap": lambda pid: pid,
    "runner": _first_child,
    "keeper": lambda pid: _last_child(_first_child(pid)),
    "zygote": lambda pid: _first_child(_first_child(pid)),
    "template": lambda pid: _first_child(_first_child(_first_child(pid))),
}


class FailureTestCase:
    """Whatever happens to the box itself is the engine's failure, never a result."""

    @pytest.mark.parametrize(
        ("is_native", "role"),
        [
            *((False, role) for role in ("bubblewrap", "runner", "keeper")),
            *((True, role) for role in ("bubblewrap", "runner", "keeper", "zygote", "template")),
        ],
    )
    def test_a_killed_part_of_the_box_is_no_verdict(
        self, run: Run, kit_directory: Path, is_native: bool, role: str
    ) -> None:
        marker = f"marker-{uuid.uuid4().hex}"
        engine = _WatchedEngine(kit_directory if is_native else None)
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

    @pytest.mark.parametrize("is_native", [True, False])
    def test_a_killed_engine_leaves_nothing_running(self, kit_directory: Path, is_native: bool) -> None:
        marker = f"marker-{uuid.uuid4().hex}"
        kit = f"Path({str(kit_directory)!r})" if is_native else "None"
        script = (
            "from pathlib import Path\n"
            "from executor.engines.base import *\nfrom executor.engines.sandbox import SandboxEngine\n"
            "from executor.judging.languages import LANGUAGES\n"
            f"code = \"import os; os.execv('/bin/sleep', ['{marker}', '30'])\"\n"
            f"SandboxEngine(kit_directory={kit}).run(RunRequest(toolchain=LANGUAGES['python'].toolchain, inputs=(b'',),"
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
        engine = SandboxEngine(tiers="A")
        assert not engine.health().is_ready
        missing = "bubblewrap is missing: apt-get install bubblewrap"
        assert engine.health().detail == f"not tier A: {missing}; or use EXECUTOR_ENGINE=judge0"
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
        health = SandboxEngine(tiers="A").health()
        assert not health.is_ready
        assert remedy in health.detail

    def test_a_box_that_does_not_hold_is_refused(self, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
        real = Host.box_argv
        monkeypatch.setattr(Host, "box_argv", lambda self: with_bind("/var")(real(self)))
        monkeypatch.setattr(tempfile, "tempdir", "/var/tmp")
        engine = SandboxEngine(tiers="A")
        assert "does not hold (open: file" in engine.health().detail
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
