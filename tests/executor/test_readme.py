"""The table from the test plan's lines to tests names only tests that exist, and leaves no line out."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

HERE = Path(__file__).parent
# How many lines the plan has for each class.
LINES = {
    "CodeExecutorServiceTestCase": 10,
    "RunFreelyTestCase": 5,
    "ExternalIntegrationTestCase": 7,
    "DatabaseUpdateTestCase": 7,
    "ErrorRecoveryTestCase": 7,
    "ConcurrencyTestCase": 7,
}
TEST_ID = re.compile(r"`([a-z0-9_/]+\.py)::(\w+)::(\w+)`")
ROW = re.compile(r"\| (\d+) \| [^|]+ \| ([^|]+) \|")


def section(name: str) -> str:
    """The README's part on one class."""
    text = (HERE / "README.md").read_text(encoding="utf-8")
    return text.split(f"## {name}\n", 1)[1].split("\n## ", 1)[0]


def table(name: str) -> dict[int, list[tuple[str, str, str]]]:
    """The rows on one class: line -> (file, class, test) of each test it names."""
    return {int(line): TEST_ID.findall(tests) for line, tests in ROW.findall(section(name))}


@cache
def defined_in(file: str) -> frozenset[tuple[str, str]]:
    """The (class, test) pairs that a file defines, read without running it."""
    path = HERE / file
    if not path.exists():
        return frozenset()
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return frozenset(
        (group.name, item.name)
        for group in tree.body
        if isinstance(group, ast.ClassDef)
        for item in group.body
        if isinstance(item, ast.FunctionDef) and item.name.startswith("test_")
    )


class TestReadme:
    @pytest.mark.parametrize("name", LINES)
    def test_every_line_of_the_plan_has_tests_of_its_class(self, name: str) -> None:
        rows = table(name)
        assert list(rows) == list(range(1, LINES[name] + 1))
        for line, tests in rows.items():
            assert any(group == name for _, group, _ in tests), f"line {line} of {name}"

    @pytest.mark.parametrize("name", LINES)
    def test_every_test_named_exists(self, name: str) -> None:
        named = [test for tests in table(name).values() for test in tests]
        assert [test for test in named if test[1:] not in defined_in(test[0])] == []
        # Nothing in the section looks like a test and escapes the pattern above.
        assert section(name).count("::") == 2 * len(named)

    @pytest.mark.parametrize(
        ("file", "group", "test"),
        [
            ("test_readme.py", "TestReadme", "test_that_is_not_there"),
            ("test_readme.py", "TestGone", "test_every_test_named_exists"),
            ("test_gone.py", "TestReadme", "test_every_test_named_exists"),
        ],
    )
    def test_control_a_test_that_is_gone_is_noticed(self, file: str, group: str, test: str) -> None:
        assert ("TestReadme", "test_every_test_named_exists") in defined_in("test_readme.py")
        assert (group, test) not in defined_in(file)
