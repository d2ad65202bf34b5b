"""The kit on disk: made whole or not at all, by one builder at a time, and never used once it is outdated."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from threading import Thread

import pytest

from executor.engines.argv import expand_argv
from executor.engines.base import KitUse, Toolchain
from executor.engines.judge0.capabilities import LanguageCommands, ServerLanguage, parse_capabilities
from executor.engines.judge0.program import prepare_program
from executor.engines.sandbox import kit as kit_module
from executor.engines.sandbox import recipes
from executor.engines.sandbox.kit import Kit, PartState, build
from executor.engines.sandbox.recipes import LIBRARY_SOURCES, PartMissing, Recipe, recipe_of, recipes_for, runner_recipe
from executor.judging.languages import LANGUAGES
from tests.executor.judge0.support import COMMANDS, SERVER, request_of

ROOT = Path(__file__).resolve().parents[3]


def silent(line: str) -> None:
    """Progress that nobody reads."""


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A file of the machine that goes into a part."""
    path = tmp_path / "source.txt"
    path.write_text("first")
    return path


def copying(source: Path, *ingredients: str, after: Callable[[], None] = lambda: None) -> Recipe:
    """A recipe whose part holds a copy of a file, made in two steps with something between them."""

    def make(target: Path, scratch: Path) -> Iterable[str]:
        (target / "inner").mkdir()
        copy = target / "inner" / "copy.txt"
        copy.write_text("half of it")
        after()
        copy.write_text(source.read_text())
        return [str(source)]

    return Recipe(part="copy", purpose="a test's", ingredients=ingredients, make=make)


def content(kit: Kit, recipe: Recipe) -> str | None:
    """What the part holds, as boxes would read it; None where it must not be used."""
    path = kit.path_of(recipe)
    if path is None:
        return None
    assert kit.directory is not None
    return (kit.directory / Path(path).relative_to(kit.seen_at) / "inner" / "copy.txt").read_text()


def parts_of(directory: Path) -> list[str]:
    return sorted(path.name.partition("-")[0] for path in directory.iterdir() if path.is_dir())


class BuildTestCase:
    def test_what_is_built_is_found_and_built_once(self, tmp_path: Path, source: Path) -> None:
        recipe, said = copying(source), list[str]()
        assert Kit.found(tmp_path / "kit").path_of(recipe) is None
        (first,) = build(tmp_path / "kit", [recipe], said.append)
        (second,) = build(tmp_path / "kit", [recipe], said.append)
        assert (first.is_there, first.is_new, first.size_bytes) == (True, True, 5)
        assert second == replace(first, is_new=False)
        assert content(Kit.found(tmp_path / "kit"), recipe) == "first"
        assert said == ["making copy: a test's"]

    def test_everybody_may_read_it_and_nobody_write(self, tmp_path: Path, source: Path) -> None:
        before = os.umask(0o077)
        try:
            build(tmp_path / "kit", [copying(source)], silent)
        finally:
            os.umask(before)
        modes = {path.name.partition("-")[0]: path.stat().st_mode & 0o777 for path in (tmp_path / "kit").rglob("*")}
        assert modes["copy"] == modes["inner"] == (tmp_path / "kit").stat().st_mode & 0o777 == 0o755
        assert modes["copy.txt"] == 0o444
        assert modes["index.json"] == 0o644

    @pytest.mark.parametrize("change", ["file", "time", "recipe", "gone"])
    def test_an_outdated_part_is_not_used_and_made_anew(self, tmp_path: Path, source: Path, change: str) -> None:
        directory, recipe = tmp_path / "kit", copying(source)
        build(directory, [recipe], silent)
        kit = Kit.found(directory)
        if change == "file":
            source.write_text("second")
        elif change == "time":
            os.utime(source, (1, 1))
        elif change == "recipe":
            recipe = copying(source, "-O3")
        else:
            (directory / kit.entries["copy"].directory).rename(tmp_path / "elsewhere")
        assert "sandbox_setup" in str(kit.missing(recipe))
        assert content(kit, recipe) is None
        (state,) = build(directory, [recipe], silent)
        assert state.is_new
        assert content(Kit.found(directory), recipe) == source.read_text()
        assert parts_of(directory) == ["copy"]

    def test_control_what_is_not_compared_is_used_though_outdated(
        self, tmp_path: Path, source: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(kit_module, "_identity", lambda path: (0, 0))
        build(tmp_path / "kit", [copying(source)], silent)
        source.write_text("second")
        assert content(Kit.found(tmp_path / "kit"), copying(source)) == "first"

    def test_a_part_that_nobody_wants_any_more_goes(self, tmp_path: Path, source: Path) -> None:
        build(tmp_path / "kit", [copying(source)], silent)
        assert build(tmp_path / "kit", [], silent) == []
        assert parts_of(tmp_path / "kit") == []

    def test_what_cannot_be_made_is_told_and_tried_again(self, tmp_path: Path, source: Path) -> None:
        def refuse() -> None:
            raise PartMissing("the compiler is missing: apt-get install it")

        (state,) = build(tmp_path / "kit", [copying(source, after=refuse)], silent)
        told = "the compiler is missing: apt-get install it"
        assert state == PartState(part="copy", is_there=False, is_new=False, size_bytes=0, detail=told)
        kit = Kit.found(tmp_path / "kit")
        assert (kit.missing(copying(source)), content(kit, copying(source))) == (told, None)
        assert parts_of(tmp_path / "kit") == []
        (state,) = build(tmp_path / "kit", [copying(source)], silent)
        assert state.is_there

    @pytest.mark.parametrize("damage", ["", "[]", "{", '{"copy": {}}', '{"copy": 7}', '{"copy": {"inputs": [1]}}'])
    def test_a_damaged_index_is_no_kit(self, tmp_path: Path, source: Path, damage: str) -> None:
        directory, recipe = tmp_path / "kit", copying(source)
        build(directory, [recipe], silent)
        (directory / "index.json").write_text(damage)
        assert content(Kit.found(directory), recipe) is None
        build(directory, [recipe], silent)
        assert content(Kit.found(directory), recipe) == "first"
        assert parts_of(directory) == ["copy"]

    def test_no_reader_sees_half_of_a_part(self, tmp_path: Path, source: Path) -> None:
        seen: list[str | None] = []

        def look() -> None:
            seen.append(content(Kit.found(tmp_path / "kit"), recipe))

        recipe = copying(source, after=look)
        build(tmp_path / "kit", [recipe], silent)
        source.write_text("second")
        build(tmp_path / "kit", [recipe], silent)
        assert seen == [None, None]

    def test_two_builds_at_once_make_it_once(self, tmp_path: Path, source: Path) -> None:
        states: list[PartState] = []
        recipe = copying(source, after=lambda: time.sleep(0.3))
        threads = [Thread(target=lambda: states.extend(build(tmp_path / "kit", [recipe], silent))) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(state.is_new for state in states) == [False, True]
        assert all(state.is_there for state in states)

    def test_control_without_the_lock_both_would(
        self, tmp_path: Path, source: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(kit_module.fcntl, "flock", lambda *arguments: None)
        starts: list[float] = []

        def start() -> None:
            starts.append(time.monotonic())
            time.sleep(1.0)

        recipe = copying(source, after=start)
        threads = [Thread(target=_build_whatever_comes, args=(tmp_path / "kit", recipe)) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(starts) == 2

    def test_a_killed_build_leaves_the_old_part_and_the_next_one_tidies(self, tmp_path: Path, source: Path) -> None:
        directory, recipe = tmp_path / "kit", copying(source)
        build(directory, [recipe], silent)
        program = (
            "import os, sys, time\nfrom pathlib import Path\n"
            "from tests.executor.sandbox.test_kit import build, copying, silent\n"
            "def wait():\n    print('half', flush=True)\n    time.sleep(60)\n"
            f"build(Path({str(directory)!r}), [copying(Path({str(source)!r}), 'new', after=wait)], silent)\n"
        )
        with subprocess.Popen([sys.executable, "-c", program], cwd=ROOT, stdout=subprocess.PIPE) as other:
            assert other.stdout is not None
            assert other.stdout.readline() == b"half\n"
            other.send_signal(signal.SIGKILL)
        assert content(Kit.found(directory), recipe) == "first"
        assert parts_of(directory) == ["copy", "copy", "scratch"]
        (state,) = build(directory, [recipe], silent)
        assert not state.is_new
        assert parts_of(directory) == ["copy"]


def _build_whatever_comes(directory: Path, recipe: Recipe) -> None:
    try:
        build(directory, [recipe], silent)
    except OSError:
        return  # each tidies the other's work away


class ReaderTestCase:
    def test_a_directory_that_the_boxes_user_cannot_enter_is_not_used(self, tmp_path: Path, source: Path) -> None:
        recipe, nobody = copying(source), 65533
        for path in (tmp_path, *tmp_path.parents):
            if path.stat().st_uid == os.geteuid() and path != Path("/tmp"):
                path.chmod(0o755)
        build(tmp_path / "home" / "kit", [recipe], silent)
        assert content(Kit.found(tmp_path / "home" / "kit", reader_uid=nobody), recipe) == "first"
        (tmp_path / "home").chmod(0o700)
        kit = Kit.found(tmp_path / "home" / "kit", reader_uid=nobody)
        assert content(kit, recipe) is None
        assert "cannot enter" in str(kit.missing(recipe))
        assert kit.shown == ()
        assert content(Kit.found(tmp_path / "home" / "kit", reader_uid=os.geteuid()), recipe) == "first"

    def test_no_directory_is_no_kit(self) -> None:
        kit = Kit.found(None)
        assert kit.compile_words(LANGUAGES["cpp"].toolchain) == ()
        assert kit.shown == ()


class RunnerTestCase:
    def program(self, tmp_path: Path, text: str) -> Recipe:
        sources = tmp_path / "native"
        sources.mkdir(exist_ok=True)
        for name in LIBRARY_SOURCES:
            (sources / name).write_text(f"int {name[:-2]};\n")
        (sources / "runner.c").write_text(text)
        return runner_recipe(sources)

    def test_it_is_one_static_program(self, tmp_path: Path) -> None:
        recipe = self.program(tmp_path, '#include <stdio.h>\nint main(void) { puts("runs"); return 0; }\n')
        build(tmp_path / "kit", [recipe], silent)
        kit = replace(Kit.found(tmp_path / "kit"), seen_at=str(tmp_path / "kit"))
        program = f"{kit.path_of(recipe)}/runner"
        assert subprocess.run([program], env={}, capture_output=True, check=True).stdout == b"runs\n"
        headers = subprocess.run(["readelf", "--program-headers", program], capture_output=True, check=True).stdout
        assert b"LOAD" in headers
        assert b"INTERP" not in headers

    def test_a_changed_source_makes_it_anew(self, tmp_path: Path) -> None:
        build(tmp_path / "kit", [self.program(tmp_path, "int main(void) { return 0; }\n")], silent)
        changed = self.program(tmp_path, "int main(void) { return 1; }\n")
        assert Kit.found(tmp_path / "kit").path_of(changed) is None

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            pytest.param("int main(void) { int unused; return 0; }\n", "unused", id="a warning"),
            pytest.param("int main(void) {", "failed with exit code 1", id="an error"),
        ],
    )
    def test_a_source_that_is_not_clean_is_left_out(self, tmp_path: Path, text: str, said: str) -> None:
        (state,) = build(tmp_path / "kit", [self.program(tmp_path, text)], silent)
        assert not state.is_there
        assert said in state.detail

    def test_without_its_source_it_is_left_out_by_name(self, tmp_path: Path) -> None:
        (state,) = build(tmp_path / "kit", [runner_recipe(tmp_path / "native")], silent)
        assert (state.is_there, state.detail) == (False, "native is missing from this installation")

    def test_without_a_compiler_it_is_left_out_by_name(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(recipes, "find_program", lambda name: None)
        states = build(tmp_path / "kit", recipes_for(language.toolchain for language in LANGUAGES.values()), silent)
        assert {state.part: state.detail for state in states} == {
            "runner": "cc is missing: apt-get install gcc libc6-dev",
            "cpp": "g++ is missing: apt-get install g++",
            "cpp20": "g++ is missing: apt-get install g++",
            "java": "javac is missing: apt-get install default-jdk-headless",
        }


class KitUseTestCase:
    def test_other_flags_are_another_part(self) -> None:
        toolchain = LANGUAGES["cpp"].toolchain
        slower = replace(toolchain, compile_argv=tuple(word.replace("-O2", "-O1") for word in toolchain.compile_argv))
        one, other = recipe_of(toolchain), recipe_of(slower)
        assert one is not None
        assert other is not None
        assert one.digest != other.digest

    def test_every_recipe_that_a_language_names_is_known(self) -> None:
        assert [recipe.part for recipe in recipes_for(language.toolchain for language in LANGUAGES.values())] == [
            "runner",
            *(key for key, language in LANGUAGES.items() if language.toolchain.kit is not None),
        ]

    @pytest.mark.parametrize("key", [key for key, language in LANGUAGES.items() if language.toolchain.kit])
    def test_nothing_of_it_reaches_a_judge0(self, key: str) -> None:
        language = LANGUAGES[key]
        request = request_of(b"", toolchain=language.toolchain, files={language.main_name: "int main(){}"})
        capabilities = parse_capabilities(SERVER["config_info"], SERVER["languages"])

        def commands_of(server_language: ServerLanguage) -> LanguageCommands:
            compile_cmd, run_cmd = COMMANDS[server_language.id]
            return LanguageCommands(compile_cmd=compile_cmd, run_cmd=run_cmd)

        marked = replace(
            language.toolchain,
            kit=KitUse(part="x", recipe="none", compile_words=("MARK",), run_words=("MARK",)),
        )
        assert (
            prepare_program(request, capabilities, commands_of).submission
            == prepare_program(replace(request, toolchain=marked), capabilities, commands_of).submission
        )

    @pytest.mark.parametrize("key", LANGUAGES)
    def test_what_all_engines_read_does_not_speak_of_it(self, key: str) -> None:
        toolchain: Toolchain = LANGUAGES[key].toolchain
        request = request_of(b"", toolchain=toolchain, files={LANGUAGES[key].main_name: ""})
        words = [*expand_argv(toolchain.compile_argv, request), *expand_argv(toolchain.run_argv, request)]
        assert not any("kit" in word for word in (*words, *toolchain.environment.values()))

    def test_the_index_can_be_read_by_people(self, tmp_path: Path, source: Path) -> None:
        build(tmp_path / "kit", [copying(source)], silent)
        index = json.loads((tmp_path / "kit" / "index.json").read_text())
        assert list(index["copy"]["inputs"]) == [str(source)]
