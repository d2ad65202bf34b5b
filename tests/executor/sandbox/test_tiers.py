"""The best tier that holds is found by trying, a drop to a lower one is told everywhere, and D must be asked for."""

import errno
import json
import logging
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyseccomp
import pytest

import executor
from executor import readiness
from executor.engines.base import EngineUnavailable
from executor.engines.sandbox import SandboxEngine, host
from executor.engines.sandbox.box import BoxHangs
from executor.engines.sandbox.host import Host
from executor.engines.sandbox.inbox import landlock
from tests.executor.sandbox.conftest import Run, only
from tests.executor.sandbox.lowered import NO_LANDLOCK, change_runner
from tests.executor.sandbox.weakened import IS_ROOT

UBUNTU = "bwrap: setting up uid map: Permission denied"
DOCKER = "bwrap: No permissions to create new namespace, likely because the kernel does not allow non-privileged user"
# As AppArmor's profile for bubblewrap's children does it: the box comes about, and nothing in it has rights.
NO_RIGHTS_INSIDE = """#!{interpreter}
import os, sys
words = sys.argv[1:]
at = words.index("--cap-add") if "--cap-add" in words else len(words)
os.execv("{bubblewrap}", ["bwrap", *words[:at], *words[at + 2:]])
"""


@pytest.fixture
def pretended(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A file to be filled with a script that is taken for bubblewrap."""
    directory = Path(tempfile.mkdtemp(dir="/var/tmp"))
    directory.chmod(0o755)
    path = directory / "bwrap"
    path.write_text("")
    path.chmod(0o755)
    real = host.find_program
    monkeypatch.setattr(host, "find_program", lambda name: str(path) if name == "bwrap" else real(name))
    yield path
    shutil.rmtree(directory)


def failing(message: str) -> str:
    return f"#!/bin/sh\necho '{message}' >&2\nexit 1\n"


class DetectionTestCase:
    def test_the_best_tier_is_taken(self) -> None:
        health = SandboxEngine().health()
        assert (health.is_ready, health.tier) == (True, "A")
        assert "not tier" not in health.detail

    def test_where_boxes_have_no_rights_inside_each_run_gets_a_box(self, run: Run, pretended: Path) -> None:
        interpreter, bubblewrap = host.find_program("python3"), shutil.which("bwrap")
        pretended.write_text(NO_RIGHTS_INSIDE.format(interpreter=interpreter, bubblewrap=bubblewrap))
        engine = SandboxEngine()
        health = engine.health()
        assert (health.is_ready, health.tier) == (True, "B"), health.detail
        assert "not tier A: namespaces inside bubblewrap's are refused" in health.detail
        assert "script/setup" in health.detail
        assert run("python", "print(1)", engine=engine).tier == "B"

    @pytest.mark.parametrize(
        ("message", "remedy"),
        [(UBUNTU, "script/setup"), (DOCKER, "outside the container"), ("bwrap: something new", "something new")],
    )
    def test_without_namespaces_landlock_holds(
        self, run: Run, pretended: Path, caplog: pytest.LogCaptureFixture, message: str, remedy: str
    ) -> None:
        pretended.write_text(failing(message))
        engine = SandboxEngine()
        with caplog.at_level(logging.INFO, logger="assay.sandbox"):
            health = engine.health()
        assert (health.is_ready, health.tier) == (True, "C")
        assert "not tier A or B: " in health.detail
        assert remedy in health.detail
        (record,) = caplog.records
        assert record.levelname == "WARNING"
        assert record.getMessage().startswith("Programs are held by tier C")
        assert run("python", "print(1)", engine=engine).tier == "C"

    def test_without_bubblewrap_too(self, monkeypatch: pytest.MonkeyPatch) -> None:
        real = host.find_program
        monkeypatch.setattr(host, "find_program", lambda name: None if name == "bwrap" else real(name))
        health = SandboxEngine().health()
        assert health.tier == "C"
        assert "not tier A or B: bubblewrap is missing: apt-get install bubblewrap" in health.detail

    def test_a_minimum_refuses_what_is_below_it(self, run: Run, pretended: Path) -> None:
        pretended.write_text(failing(DOCKER))
        engine = SandboxEngine(tiers="AB")
        health = engine.health()
        assert (health.is_ready, health.tier) == (False, "")
        assert health.detail.startswith("not tier A or B: no user namespaces here")
        assert health.detail.endswith("or use EXECUTOR_ENGINE=judge0")
        with pytest.raises(EngineUnavailable, match="judge0"):
            run("python", "print(1)", engine=engine)

    def test_an_old_landlock_is_refused(self, pretended: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        pretended.write_text(failing(DOCKER))
        change_runner(monkeypatch, ("NEEDED_ABI = 6", "NEEDED_ABI = 60"))
        health = SandboxEngine().health()
        assert not health.is_ready
        assert "not tier C: Landlock is switched off or too old here: Linux 6.12" in health.detail

    def test_a_tier_that_does_not_hold_is_refused(self, monkeypatch: pytest.MonkeyPatch) -> None:
        change_runner(monkeypatch, NO_LANDLOCK)
        health = SandboxEngine(tiers="C").health()
        assert not health.is_ready
        assert "does not hold (open: file" in health.detail
        assert "parent" in health.detail

    def test_trust_has_to_be_asked_for(self, run: Run, pretended: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        pretended.write_text(failing(DOCKER))
        change_runner(monkeypatch, ("NEEDED_ABI = 6", "NEEDED_ABI = 60"))
        assert not SandboxEngine().health().is_ready
        trusting = SandboxEngine(tiers="ABCD")
        assert trusting.health().tier == "D"
        assert "every program is trusted" in trusting.health().detail
        assert only(run("python", "print(1)", engine=trusting)).stdout == b"1\n"

    @pytest.mark.parametrize(
        "error", [OSError(errno.EAGAIN, "too many"), OSError(errno.EMFILE, "too many"), BoxHangs("too slow")]
    )
    def test_a_busy_machine_drops_no_tier(self, monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
        def spawn(self: Host, control: int, log: int) -> Any:
            raise error

        engine = SandboxEngine()
        with monkeypatch.context() as patch:
            patch.setattr(Host, "spawn", spawn)
            assert not engine.health().is_ready
        assert engine.health().tier == "A"

    def test_readiness_names_the_tier(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(readiness, "default_engine", lambda: SandboxEngine(tiers="C"))
        health = readiness.check_engine()
        assert health.is_ok
        assert health.detail.startswith("sandbox, tier C: Landlock")


ATTACK = """
import json, os, sys
sys.path[:0] = sys.argv[1:2]
from executor.engines.base import Limits, RunRequest, SourceFile
from executor.engines.sandbox import SandboxEngine
from executor.judging.languages import LANGUAGES
program = '''
import os, socket, sys
canary, engine = sys.stdin.read().split()
for action in (
    lambda: open(canary).read(), lambda: open(canary, "w"), lambda: os.kill(int(engine), 0),
    lambda: socket.socket(), lambda: open("/etc/passwd").read(), lambda: open(f"/proc/{engine}/environ").read(),
):
    try: action(); print("escaped")
    except OSError as error: print("held")
'''
engine = SandboxEngine()
health = engine.health()
said = []
if health.is_ready:
    report = engine.run(RunRequest(
        toolchain=LANGUAGES["python"].toolchain,
        files=(SourceFile(name="main.py", content=program),),
        inputs=(f"{sys.argv[2]} {os.getpid()}".encode(),) * 2,
        limits=Limits(time_limit_ms=5000, wall_limit_ms=10000, memory_limit_mb=128),
    ))
    said = [result.stdout.decode().split() for result in report.results]
print(json.dumps([health.is_ready, health.tier, health.detail, said]))
"""
INSIDE = ["--unshare-user", "--disable-userns", "--ro-bind", "/", "/", "--proc", "/proc", "--tmpfs", "/tmp"]
INSIDE += ["--dev-bind", "/dev", "/dev"]


@pytest.fixture
def everywhere() -> Iterator[Path]:
    """A directory that any user may read, with what the engine is made of, and a canary."""
    directory = Path(tempfile.mkdtemp(dir="/var/tmp"))
    source = Path(executor.__file__).parent
    shutil.copytree(source / "engines", directory / "executor/engines", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(source / "judging", directory / "executor/judging", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(pyseccomp.__file__, directory)
    (directory / "attack.py").write_text(ATTACK)
    (directory / "canary").write_text("secret")
    for path in (directory, *directory.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
    (directory / "canary").chmod(0o666)
    yield directory
    shutil.rmtree(directory)


class WhereTestCase:
    """As root and as an ordinary user, with namespaces and without: held, or refused, and never in between."""

    @pytest.mark.parametrize("is_inside", [False, True])
    @pytest.mark.parametrize("uid", [0, 54321] if IS_ROOT else [os.geteuid()])
    def test_programs_are_held_or_refused(self, everywhere: Path, uid: int, is_inside: bool) -> None:
        is_ready, tier, detail, said = _attacked(everywhere, uid, INSIDE if is_inside else None)
        assert said == ([["held"] * 6] * 2 if is_ready else [])
        if not is_inside:
            assert tier == "A", detail
        elif uid == 0 or landlock.abi() < landlock.NEEDED_ABI:
            assert not is_ready  # a root that has no other user to become
        else:
            assert tier == "C", detail
            assert "no user namespaces here" in detail

    @pytest.mark.parametrize("tier", "BC")
    def test_lower_tiers_hold_programs_of_our_own_user(self, everywhere: Path, tier: str) -> None:
        (everywhere / "attack.py").write_text(ATTACK.replace("SandboxEngine()", f'SandboxEngine(tiers="{tier}")'))
        _, found, detail, said = _attacked(everywhere, 54321 if IS_ROOT else os.geteuid(), None)
        assert found == tier, detail
        assert said == [["held"] * 6] * 2

    def test_control_the_same_attack_gets_out_of_nothing(self, everywhere: Path) -> None:
        (everywhere / "attack.py").write_text(ATTACK.replace("SandboxEngine()", 'SandboxEngine(tiers="D")'))
        is_ready, tier, _, said = _attacked(everywhere, 54321 if IS_ROOT else os.geteuid(), None)
        assert (is_ready, tier) == (True, "D")
        assert said[0] == ["escaped", "escaped", "escaped", "held", "escaped", "escaped"]


def _attacked(directory: Path, uid: int, box: list[str] | None) -> list[Any]:
    words = [] if box is None else [shutil.which("bwrap") or "bwrap", *box]
    words += [host.find_program("python3") or sys.executable, "-I", "-B", str(directory / "attack.py")]
    done = subprocess.run(
        [*words, str(directory), str(directory / "canary")],
        env={"PATH": "/usr/bin:/bin"},
        cwd="/",
        capture_output=True,
        timeout=60,
        check=False,
        user=uid if IS_ROOT else None,
        group=uid if IS_ROOT else None,
        extra_groups=[] if IS_ROOT else None,
    )
    assert done.returncode == 0, done.stderr.decode()
    found: list[Any] = json.loads(done.stdout)
    return found
