"""No attack of the corpus gets anything, alone or at full concurrency; the canaries say so, whatever the verdict."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from executor.engines.base import EngineError, EngineRejected, Limits, RunRequest, SourceFile
from executor.engines.sandbox import SandboxEngine
from executor.judging.languages import LANGUAGES
from tests.executor.hostile.harness import ATTACKS, Harness
from tests.executor.hostile.header import Attack, Canary, load

ROOT = Path(__file__).parents[3]
CORPUS = load(ATTACKS)
OFFERED = [one for one in CORPUS if SandboxEngine().missing_for(LANGUAGES[one.language].toolchain) is None]
CATALOGUE = {f"S-{number:02}" for number in (*range(1, 26), *range(30, 35))}
# What no program can try, since it lies in what the engine is given: tried below.
INPUTS = {"S-05": "names of files", "S-06": "names and numbers that end in command lines"}
LEFT_OUT = {"S-25": "nothing here takes archives"}


class CorpusTestCase:
    @pytest.mark.parametrize("attack", OFFERED, ids=lambda attack: attack.name)
    def test_an_attack_alone_gets_nothing(self, harness: Harness, attack: Attack) -> None:
        assert harness.try_attack(attack, is_alone=True).findings == ()

    @pytest.mark.parametrize("is_native", [True, False], ids=["native runner", "runner in Python"])
    def test_nothing_gets_anything_at_full_concurrency(self, kit_directory: Path, is_native: bool) -> None:
        """In a process of its own, whose memory, descriptors and children are therefore the engine's."""
        kit = ["--kit", str(kit_directory)] if is_native else []
        done = subprocess.run(
            [sys.executable, "-m", "tests.executor.hostile", "--json", "--concurrency", str(os.cpu_count()), *kit],
            cwd=ROOT,
            env={"PYTHONPATH": str(ROOT)},
            capture_output=True,
            timeout=300,
            check=False,
        )
        told = json.loads(done.stdout)
        found = [(attack["name"], attack["findings"]) for attack in told["attacks"] if attack["findings"]]
        assert (found, told["findings"]) == ([], [])
        assert told["summary"] == f"{len(OFFERED)} attacks, 0 escapes, 0 residue, 0 leftovers"
        assert done.returncode == 0, done.stderr

    def test_each_row_of_the_catalogue_is_tried_in_two_languages(self) -> None:
        languages = {row: {attack.language for attack in CORPUS if attack.id == row} for row in CATALOGUE}
        tried = {row for row, spoken in languages.items() if len(spoken) >= 2}
        assert tried == CATALOGUE - set(INPUTS) - set(LEFT_OUT)
        assert {attack.id for attack in CORPUS} <= CATALOGUE

    def test_each_canary_is_aimed_at(self) -> None:
        assert {canary for attack in CORPUS for canary in attack.canaries} == set(Canary)


NAMES = [
    "../escaped.py",
    "/tmp/escaped.py",
    "a/b.py",
    "nul\0.py",
    "line\nbreak.py",
    "-rf",
    "-c.py",
    "@arguments.py",
    ".",
    "..",
    "",
    "n" * 255 + ".py",
    "\u202egnp.py",
    "\ud800.py",
    "con.py",
    "aux",
    "space in it.py",
    "$(touch escaped).py",
    "`touch escaped`.py",
    "; touch escaped #.py",
    "&& touch escaped.py",
    "|tee escaped.py",
    "'\".py",
    "*.py",
    "~root.py",
    "%s%n.py",
    "{main}{stem}{sources}.py",
    "{memory_limit_mb}.py",
    "ünïcode-名.py",
]
SHARED = SandboxEngine()
LIMITS = Limits(time_limit_ms=2000, wall_limit_ms=4000, memory_limit_mb=64)
LIST = "import os\nprint(42 if len(os.listdir()) == {count} else os.listdir())"


class InputsTestCase:
    """S-05 and S-06: what the engine is given. The API refuses most of it before; the engine must not rely on that."""

    @pytest.mark.parametrize("is_main", [True, False])
    @pytest.mark.parametrize("name", NAMES)
    def test_a_name_is_refused_or_is_only_a_name(self, name: str, is_main: bool) -> None:
        files = [SourceFile(name="other.py", content=LIST.format(count=2)), SourceFile(name=name, content="exit(1)")]
        if is_main:
            files = [SourceFile(name=name, content=LIST.format(count=1))]
        self._contained("python", files)

    @pytest.mark.parametrize("name", [name[:-2] + "c" for name in NAMES if name.endswith(".py")])
    def test_a_compiler_takes_a_name_for_nothing_else(self, name: str) -> None:
        files = [SourceFile(name=name, content='#include <stdio.h>\nint main(void){puts("42");}')]
        self._contained("c", files)

    @staticmethod
    def _contained(language: str, files: list[SourceFile]) -> None:
        request = RunRequest(toolchain=LANGUAGES[language].toolchain, files=tuple(files), inputs=(b"",), limits=LIMITS)
        try:
            (result,) = SHARED.run(request).results
        except EngineRejected:
            pass
        else:
            assert result.stdout == b"42\n", result
        assert [path for path in (Path("escaped"), Path("/escaped"), Path("/tmp/escaped.py")) if path.exists()] == []

    @pytest.mark.parametrize("number", [0, -1, 2**31, 2**63, 10**30])
    @pytest.mark.parametrize("field", ["time_limit_ms", "wall_limit_ms", "memory_limit_mb", "output_limit_kib"])
    def test_a_limit_is_refused_or_kept(self, harness: Harness, field: str, number: int) -> None:
        limits = {"time_limit_ms": 2000, "wall_limit_ms": 4000, "memory_limit_mb": 64, field: number}
        files = (SourceFile(name="main.py", content="print(42)"),)
        request = RunRequest(
            toolchain=LANGUAGES["python"].toolchain, files=files, inputs=(b"",), limits=Limits(**limits)
        )
        try:
            (result,) = SHARED.run(request).results
            assert (result.stdout, number > 0) == (b"42\n", True)
        except EngineError:
            assert number <= 0 or number >= 2**31
        assert harness.check_neighbor() == []
