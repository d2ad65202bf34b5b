"""The tables from the catalogue's ids to tests name only tests that exist, and leave no id and no attack out."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

from tests.executor.hostile.graded import ATTACKS, PROBLEM_OF
from tests.executor.hostile.header import load
from tests.executor.tricks.test_tricks import TRICKS

README = (Path(__file__).parent / "README.md").read_text(encoding="utf-8")
TESTS = Path(__file__).parents[2]
TEST_ID = re.compile(r"`([a-z0-9_/]+\.py)::(\w+)::(\w+)`")
ROW = re.compile(r"^\| ([GLZ]-\d\d)(?: … [GLZ]-\d\d)? \| [^|]+ \| ([^|]+) \|$", re.MULTILINE)
IDS = [*(f"G-{number:02}" for number in range(1, 19)), *(f"L-{number:02}" for number in range(1, 11)), "Z-01"]
# About values or requests, not programs; or about the one language whose interpreter is kept warm.
NO_PROGRAM = {"G-11", "G-13", "G-14", "G-16", "G-17", "L-06", "L-07", "L-08", "L-09", "L-10", "Z-01"}


@cache
def defined_in(file: str) -> frozenset[tuple[str, str]]:
    """The (class, test) pairs that a file defines, read without running it."""
    path = TESTS / file
    if not path.exists():
        return frozenset()
    return frozenset(
        (group.name, item.name)
        for group in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(group, ast.ClassDef)
        for item in group.body
        if isinstance(item, ast.FunctionDef) and item.name.startswith("test_")
    )


class TestReadme:
    def test_every_id_has_tests_or_a_reason(self) -> None:
        rows = dict(ROW.findall(README))
        assert list(rows) == IDS
        assert [
            key for key, where in rows.items() if not TEST_ID.search(where) and "does not apply:" not in where
        ] == []

    def test_every_test_named_exists(self) -> None:
        named = TEST_ID.findall(README)
        assert [test for test in named if test[1:] not in defined_in(test[0])] == []
        # Nothing looks like a test and escapes the pattern.
        assert README.count("::") == 2 * len(named)

    @pytest.mark.parametrize("group", ["TestReadme", "TestGone"])
    def test_control_a_test_that_is_gone_is_noticed(self, group: str) -> None:
        here = "executor/hostile/test_readme.py"
        assert ("TestReadme", "test_every_test_named_exists") in defined_in(here)
        assert (group, "test_that_is_gone") not in defined_in(here)
        assert defined_in("executor/hostile/test_gone.py") == frozenset()


class TestAttacks:
    def test_every_attack_is_run(self) -> None:
        graded = {attack.name for attack in load(ATTACKS, letter="G")}
        leaks = {attack.name for attack in load(ATTACKS, letter="L")}
        searches = {name for name in leaks if name.startswith("l01")}
        assert {*PROBLEM_OF} == graded | searches
        assert {name[:3] for name in leaks} == {"l01", "l02", "l03", "l04", "l05"}
        assert [attack.id for attack in load(ATTACKS, letter="Z")] == [f"Z-{number:02}" for number in range(1, 15)]

    def test_a_file_s_name_begins_with_its_id(self) -> None:
        attacks = [attack for letter in "GLZ" for attack in load(ATTACKS, letter=letter)]
        assert [
            attack.name for attack in attacks if not attack.name.startswith(attack.id.replace("-", "").lower())
        ] == []

    @pytest.mark.parametrize("key", [key for key in IDS if key not in NO_PROGRAM])
    def test_each_is_tried_in_two_languages(self, key: str) -> None:
        attacks = [attack for attack in load(ATTACKS, letter=key[0]) if attack.id == key]
        languages = {attack.language for attack in attacks} | {trick.language for trick in TRICKS if trick.id == key}
        assert len(languages) >= 2
