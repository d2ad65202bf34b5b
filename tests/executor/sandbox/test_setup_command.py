"""`manage.py sandbox_setup`: says what it makes and what it leaves out. No test here has a database."""

from collections.abc import Iterable
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from executor.engines.sandbox.kit import Kit
from executor.engines.sandbox.recipes import PartMissing, Recipe
from executor.management.commands import sandbox_setup
from executor.services.engines import engine_named


def recipe(part: str, *, missing: str = "") -> Recipe:
    def make(target: Path, scratch: Path) -> Iterable[str]:
        if missing:
            raise PartMissing(missing)
        (target / "file").write_bytes(bytes(3 << 20))
        return []

    return Recipe(part=part, purpose="a test's", ingredients=(), make=make)


@pytest.fixture
def recipes(monkeypatch: pytest.MonkeyPatch) -> list[Recipe]:
    """The recipes that the command finds."""
    found = [recipe("good"), recipe("bad", missing="cc is missing: apt-get install gcc")]
    monkeypatch.setattr(sandbox_setup, "recipes_for", lambda toolchains: found)
    return found


def told(**options: object) -> list[str]:
    out = StringIO()
    call_command("sandbox_setup", stdout=out, **options)
    return out.getvalue().splitlines()


class TestSandboxSetup:
    def test_it_says_what_it_makes_and_what_it_leaves_out(self, tmp_path: Path, recipes: list[Recipe]) -> None:
        lines = told(directory=tmp_path / "kit")
        assert lines.pop(2).startswith("Sandbox kit: made in ")
        assert lines == [
            "  making good: a test's ...",
            "  making bad: a test's ...",
            "  good         3 MiB",
            "  bad      left out: cc is missing: apt-get install gcc",
        ]
        assert Kit.found(tmp_path / "kit").path_of(recipes[0]) is not None

    def test_the_second_time_nothing_is_left_to_do(self, tmp_path: Path, recipes: list[Recipe]) -> None:
        del recipes[1]
        told(directory=tmp_path / "kit")
        assert told(directory=tmp_path / "kit") == ["Sandbox kit: already there"]
        assert told(directory=tmp_path / "kit", verbosity=2)[1:] == ["  good         3 MiB"]

    def test_a_directory_that_cannot_be_is_an_error_in_one_sentence(self, recipes: list[Recipe]) -> None:
        with pytest.raises(CommandError, match=r"^/proc/kit cannot be written: .+\.$"):
            told(directory=Path("/proc/kit"))

    def test_by_default_it_is_put_where_the_engine_looks(
        self, tmp_path: Path, settings: Settings, recipes: list[Recipe]
    ) -> None:
        settings.EXECUTOR_KIT_DIRECTORY = tmp_path / "kit"
        told()
        assert Kit.found(tmp_path / "kit").path_of(recipes[0]) is not None
        engine_named.cache_clear()
        try:
            assert getattr(engine_named("sandbox"), "_kit_directory") == tmp_path / "kit"  # noqa: B009
        finally:
            engine_named.cache_clear()
