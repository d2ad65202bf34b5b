"""The README's tables name tests that exist."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
README = Path(__file__).with_name("README.md").read_text(encoding="utf-8")
NAMED = sorted(set(re.findall(r"`(tests/[\w/]+\.py(?:::\w+)*)`", README)))


def exists(test_id: str) -> bool:
    """Whether there is such a file, and in it such a class and function."""
    path, *names = test_id.split("::")
    file = ROOT / path
    if not file.is_file():
        return False
    body: list[ast.stmt] = ast.parse(file.read_text(encoding="utf-8")).body
    for name in names:
        found = [node for node in body if isinstance(node, ast.ClassDef | ast.FunctionDef) and node.name == name]
        if not found:
            return False
        body = found[0].body
    return True


@pytest.mark.parametrize("test_id", NAMED)
def test_it_exists(test_id: str) -> None:
    assert exists(test_id)


def test_every_row_names_a_test() -> None:
    rows = [line for line in README.splitlines() if line.startswith("| ") and not line.startswith("| What")]
    assert len(rows) > 100
    assert [row for row in rows if "`tests/" not in row] == []


@pytest.mark.parametrize("test_id", ["tests/courses/test_nothing.py", "tests/courses/test_readme.py::TestNothing"])
def test_control_what_does_not_exist_is_told(test_id: str) -> None:
    assert not exists(test_id)
