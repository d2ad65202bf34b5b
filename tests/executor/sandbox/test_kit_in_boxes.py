"""The kit as programs meet it: really used, seen by nobody but to read, and never what decides a verdict."""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from executor.engines.base import CompileResult, KitUse, RunReport, RunStatus
from executor.engines.sandbox import SandboxEngine, plans
from executor.engines.sandbox.host import Host
from executor.engines.sandbox.kit import BOX_PATH, Kit, build
from executor.engines.sandbox.recipes import recipe_of
from executor.judging.languages import LANGUAGES
from tests.executor.sandbox import programs_core
from tests.executor.sandbox.conftest import Run, only
from tests.executor.sandbox.test_kit import silent
from tests.executor.sandbox.weakened import Argv, WeakEngine

EngineWith = Callable[[str], SandboxEngine]
KITTED = [key for key, language in LANGUAGES.items() if language.toolchain.kit is not None]
SORTING = """#include <bits/stdc++.h>
using namespace std;
int main(){vector<string> v;string s;while(cin>>s)v.push_back(s);sort(begin(v),end(v));for(auto& x:v)cout<<x<<' ';}
"""


@pytest.fixture(scope="session")
def kit_directory() -> Iterator[Path]:
    """A place for a kit that the boxes' user can enter, unlike pytest's own."""
    directory = Path(tempfile.mkdtemp(prefix="kit-"))
    directory.chmod(0o755)
    yield directory
    shutil.rmtree(directory)


@pytest.fixture(scope="session")
def engine_with(kit_directory: Path) -> EngineWith:
    """An engine whose kit has the part of a language. It takes seconds to make, so each is made once."""
    engines: dict[str, SandboxEngine] = {}

    def engine(key: str) -> SandboxEngine:
        if key not in engines:
            recipe = recipe_of(LANGUAGES[key].toolchain)
            assert recipe is not None
            (state,) = build(kit_directory / key, [recipe], silent)
            assert state.is_there, state
            engines[key] = SandboxEngine(kit_directory=kit_directory / key)
        return engines[key]

    return engine


def compiled(report: RunReport) -> CompileResult:
    assert report.compilation is not None
    return report.compilation


class KitInBoxesTestCase:
    @pytest.mark.parametrize("key", ["cpp", "cpp20"])
    def test_the_header_is_used_and_saves_most_of_the_compile(
        self, run: Run, engine: SandboxEngine, engine_with: EngineWith, key: str
    ) -> None:
        kitted = engine_with(key)
        ratios = []
        for _ in range(3):
            with_kit = compiled(run(key, SORTING, b"b a", engine=kitted)).time_ms
            ratios.append(with_kit / compiled(run(key, SORTING, b"b a", engine=engine)).time_ms)
        assert min(ratios) < 0.6, ratios  # measured: 0.3

    @pytest.mark.parametrize("key", ["cpp", "cpp20"])
    def test_the_compiler_says_so_itself(
        self, run: Run, engine_with: EngineWith, key: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        _trace_headers(monkeypatch, key)
        report = run(key, SORTING + "#error stop\n", engine=engine_with(key))
        used = [line for line in compiled(report).output.splitlines() if line.startswith("! ")]
        assert used == [line for line in used if line.endswith("bits/stdc++.h.gch")]
        assert len(used) == 1

    def test_control_other_flags_do_not_use_it(
        self, run: Run, engine_with: EngineWith, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        _trace_headers(monkeypatch, "cpp")
        kitted = engine_with("cpp")
        toolchain = LANGUAGES["cpp"].toolchain
        other = replace(toolchain, compile_argv=tuple(word.replace("-O2", "-O1") for word in toolchain.compile_argv))
        monkeypatch.setitem(LANGUAGES, "cpp", replace(LANGUAGES["cpp"], toolchain=other))
        report = run("cpp", SORTING + "#error stop\n", engine=kitted)
        assert not [line for line in compiled(report).output.splitlines() if line.startswith("! ")]

    def test_java_s_archives_are_used(self, run: Run, engine_with: EngineWith, monkeypatch: pytest.MonkeyPatch) -> None:
        use = LANGUAGES["java"].toolchain.kit
        assert use is not None
        kitted = engine_with("java")
        # The machine refuses to start where an archive cannot be used; so the compiler's is.
        _use_kit(monkeypatch, "java", replace(use, compile_words=(*use.compile_words, "-J-Xshare:on")))
        assert compiled(run("java", programs_core.JAVA.hello, b"one", engine=kitted)).succeeded
        _let_java_tell(monkeypatch)
        _use_kit(monkeypatch, "java", replace(use, run_words=(*use.run_words, "-Xlog:class+load:stdout")))
        told = only(run("java", programs_core.JAVA.hello, b"one", engine=kitted)).stdout
        assert b"java.util.Scanner source: shared objects file" in told
        # What the machine's own archive lacks.
        _use_kit(monkeypatch, "java", replace(use, run_words=("-Xlog:class+load:stdout",)))
        told = only(run("java", programs_core.JAVA.hello, b"one", engine=kitted)).stdout
        assert b"java.util.Scanner source: jrt:" in told

    @pytest.mark.parametrize(
        ("key", "code"),
        [
            pytest.param("cpp", SORTING, id="all headers"),
            pytest.param("cpp", "#define int long long\n" + SORTING, id="a macro that breaks them"),
            pytest.param("cpp", "#define _GLIBCXX_DEBUG\n" + SORTING, id="a macro that changes them"),
            pytest.param("cpp", '#pragma GCC optimize("O3")\n#pragma GCC target("avx2")\n' + SORTING, id="pragmas"),
            pytest.param("cpp", "#include <vector>\n" + SORTING, id="another header first"),
            pytest.param("cpp", "int before;\n" + SORTING, id="code first"),
            pytest.param("cpp", SORTING + SORTING.partition("\n")[0], id="twice"),
            pytest.param("cpp", "#include <iostream>\nint main(){std::deque<int> v;v.at(0);}", id="a header missing"),
            pytest.param("cpp", SORTING.replace("sort(begin", "sart(begin"), id="an unknown name"),
            pytest.param("cpp20", SORTING.replace("sort(begin(v),end(v))", "ranges::sort(v)"), id="ranges"),
            pytest.param("java", programs_core.JAVA.hello, id="java"),
            pytest.param("java", programs_core.JAVA.broken, id="java that is broken"),
            pytest.param("java", programs_core.JAVA.crashes, id="java that fails"),
        ],
    )  # fmt: skip
    def test_what_comes_of_a_program_is_the_same_without(
        self, run: Run, engine: SandboxEngine, engine_with: EngineWith, key: str, code: str
    ) -> None:
        reports = [run(key, code, b"b c a\n", engine=one) for one in (engine_with(key), engine)]
        assert len({compiled(report).succeeded for report in reports}) == 1
        first_errors = {compiled(report).output.partition("error:")[2].partition("\n")[0] for report in reports}
        assert len(first_errors) == 1
        assert len({tuple((r.status, r.exit_code, r.stdout) for r in report.results) for report in reports}) == 1

    def test_a_message_names_no_place_of_ours(self, run: Run, engine_with: EngineWith, kit_directory: Path) -> None:
        report = run("cpp", SORTING.replace("push_back(s)", "push_back(7, 7)"), engine=engine_with("cpp"))
        assert "push_back" in compiled(report).output
        assert str(kit_directory) not in compiled(report).output
        assert BOX_PATH not in compiled(report).output

    def test_a_kit_that_is_taken_away_costs_nothing_but_time(self, run: Run, kit_directory: Path) -> None:
        recipe = recipe_of(LANGUAGES["java"].toolchain)
        assert recipe is not None
        build(kit_directory / "taken", [recipe], silent)
        engine = SandboxEngine(kit_directory=kit_directory / "taken")
        assert only(run("java", programs_core.JAVA.hello, b"one", engine=engine)).stdout == b"hello one\n"
        shutil.rmtree(kit_directory / "taken")
        assert only(run("java", programs_core.JAVA.hello, b"two", engine=engine)).stdout == b"hello two\n"


# Tries to write wherever a kit could be written; prints what worked.
SCRATCHING = f"""
import os
worked = []
for directory, _, files in os.walk({BOX_PATH!r}):
    for path in [directory + "/new", *(directory + "/" + name for name in files)]:
        try:
            os.close(os.open(path, os.O_WRONLY | os.O_CREAT))
            worked.append(path)
        except OSError:
            pass
print(len(list(os.walk({BOX_PATH!r}))) > 0, worked)
"""


class ReadOnlyTestCase:
    def open_kit(self, kit_directory: Path) -> Kit:
        """A kit that everybody may write to as far as its modes go, so that only the box's own wall is left."""
        directory = kit_directory / "open"
        directory.mkdir(exist_ok=True)
        (directory / "part").mkdir(exist_ok=True)
        (directory / "part" / "file").write_text("x")
        (directory / "index.json").write_text("{}")
        for path in (directory, *directory.rglob("*")):
            path.chmod(0o777)
        return Kit.found(directory)

    def engine(self, kit: Kit, change: Callable[[Argv], Argv]) -> WeakEngine:
        engine = WeakEngine(argv=change)
        host = engine._host
        assert isinstance(host, Host)
        object.__setattr__(host, "shown", kit.shown)
        return engine

    def test_programs_see_it_and_cannot_write_it(self, run: Run, kit_directory: Path) -> None:
        engine = self.engine(self.open_kit(kit_directory), lambda words: words)
        assert only(run("python", SCRATCHING, engine=engine)).stdout == b"True []\n"

    def test_control_bound_to_be_written_it_would_be(self, run: Run, kit_directory: Path) -> None:
        engine = self.engine(
            self.open_kit(kit_directory),
            lambda words: ["--bind" if word == "--ro-bind-try" else word for word in words],
        )
        result = only(run("python", SCRATCHING, engine=engine))
        assert result.status is RunStatus.EXITED
        assert f"{BOX_PATH}/new".encode() in result.stdout
        os.unlink(kit_directory / "open" / "new")


def _use_kit(monkeypatch: pytest.MonkeyPatch, key: str, use: KitUse) -> None:
    """Let a language use its kit with these words."""
    language = LANGUAGES[key]
    kitted = replace(language, toolchain=replace(language.toolchain, kit=use))
    monkeypatch.setitem(LANGUAGES, key, kitted)


def _let_java_tell(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take the words away that keep the virtual machine's log off the program's output."""
    argv = plans._argv
    own = {word for word in LANGUAGES["java"].toolchain.run_argv if word.startswith("-Xlog:")}

    def telling(*arguments: object) -> list[str]:
        return [word for word in argv(*arguments) if word not in own]  # type: ignore[arg-type]

    monkeypatch.setattr(plans, "_argv", telling)


def _trace_headers(monkeypatch: pytest.MonkeyPatch, key: str) -> None:
    """Let the compiler name each header that it opens."""
    argv = plans._argv

    def traced(*arguments: object) -> list[str]:
        words = argv(*arguments)  # type: ignore[arg-type]
        return [words[0], "-H", *words[1:]] if "-o" in words else words

    monkeypatch.setattr(plans, "_argv", traced)
