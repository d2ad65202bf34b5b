"""The corpus under other uids, and where there can be no user namespaces: contained or refused, never let loose."""

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyseccomp
import pytest

from executor.engines.sandbox.host import find_program
from tests.executor.hostile.harness import ATTACKS
from tests.executor.hostile.header import load

ROOT = Path(__file__).parents[3]
NEEDED = (
    "executor/__init__.py",
    "executor/engines",
    "executor/judging",
    "tests/__init__.py",
    "tests/executor/__init__.py",
)
# Of nobody on any machine, and not the one that the sandbox takes for itself.
ORDINARY_UID = 65531
IS_ROOT = os.geteuid() == 0
WITHOUT_NAMESPACES = ["bwrap", "--unshare-user", "--disable-userns", "--dev-bind", "/", "/", "--die-with-parent", "--"]


@pytest.fixture(scope="module")
def packages() -> Iterator[Path]:
    """What the harness needs, where every uid can read it: the project's own tree may lie in somebody's home."""
    directory = Path(tempfile.mkdtemp(dir="/var/tmp"))
    directory.chmod(0o755)
    for name in (*NEEDED, "tests/executor/hostile"):
        source, target = ROOT / name, directory / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, target)
    shutil.copy(pyseccomp.__file__, directory)
    yield directory
    shutil.rmtree(directory)


def try_corpus(
    packages: Path, uid: int, *arguments: str, before: list[str] | None = None
) -> tuple[int, dict[str, Any]]:
    """Run the whole corpus under a uid; the exit code and what was told."""
    interpreter = find_program("python3")
    assert interpreter is not None
    changes = uid != os.geteuid()
    done = subprocess.run(
        [
            *(before or []),
            interpreter,
            "-sB",
            "-m",
            "tests.executor.hostile",
            "--json",
            "--concurrency",
            "2",
            *arguments,
        ],
        cwd=packages,
        env={"PYTHONPATH": str(packages), "PATH": "/usr/bin:/bin"},
        user=uid if changes else None,
        group=uid if changes else None,
        extra_groups=[] if changes else None,
        capture_output=True,
        timeout=300,
        check=False,
    )
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout)


class OrdinaryUserTestCase:
    def test_the_corpus_gets_nothing(self, packages: Path, kit_directory: Path) -> None:
        uid = ORDINARY_UID if IS_ROOT else os.geteuid()
        code, told = try_corpus(packages, uid, "--kit", str(kit_directory))
        found = [(attack["name"], attack["findings"]) for attack in told["attacks"] if attack["findings"]]
        assert (found, told["findings"]) == ([], [])
        assert (code, told["uid"], told["tier"]) == (0, uid, "A")
        assert len(told["attacks"]) + len(told["not_offered"]) == len(load(ATTACKS))

    @pytest.mark.parametrize("uid", [0, ORDINARY_UID] if IS_ROOT else [os.geteuid()])
    def test_without_namespaces_it_is_contained_otherwise_or_refused(self, packages: Path, uid: int) -> None:
        code, told = try_corpus(packages, uid, before=WITHOUT_NAMESPACES)
        if "refused" in told:
            assert (code, "attacks" in told) == (3, False)
            assert told["refused"], "it says what is missing"
        else:
            found = [(attack["name"], attack["findings"]) for attack in told["attacks"] if attack["findings"]]
            assert (code, told["tier"], found, told["findings"]) == (0, "C", [], [])
            assert {attack["tier"] for attack in told["attacks"]} == {"C"}
