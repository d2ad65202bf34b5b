"""What every language offered is held to: its programs run, fail and meet their limits as they would be expected to."""

import pytest

from executor.engines.base import Limits, RunResult, RunStatus
from executor.engines.sandbox import SandboxEngine, host, plans
from executor.judging.languages import LANGUAGES
from tests.executor.sandbox import programs_core, programs_further
from tests.executor.sandbox.conftest import Run, only
from tests.executor.sandbox.programs import Programs

SHORT = Limits(time_limit_ms=700, wall_limit_ms=1500, memory_limit_mb=256)
SMALL = Limits(time_limit_ms=5000, wall_limit_ms=20_000, memory_limit_mb=64, output_limit_kib=64)
PROGRAMS: dict[str, Programs] = {
    "python": programs_core.PYTHON,
    "c": programs_core.C,
    "cpp20": programs_core.CPP20,
    "cpp": programs_core.CPP17,
    "java": programs_core.JAVA,
    "javascript": programs_core.JAVASCRIPT,
    "typescript": programs_further.TYPESCRIPT,
    "go": programs_further.GO,
    "rust": programs_further.RUST,
    "ruby": programs_further.RUBY,
    "php": programs_further.PHP,
    "bash": programs_further.BASH,
    "sql": programs_further.SQL,
}


def each(field: str) -> pytest.MarkDecorator:
    """The languages that have such a program."""
    return pytest.mark.parametrize("language", [key for key, p in PROGRAMS.items() if getattr(p, field) is not None])


def stdin(language: str, words: str = "") -> bytes:
    return PROGRAMS[language].given(words)


def test_every_language_is_tried() -> None:
    assert list(PROGRAMS) == list(LANGUAGES)


class LanguageTestCase:
    @each("hello")
    def test_hello_on_several_inputs_in_order(self, run: Run, language: str) -> None:
        inputs = [stdin(language, name) for name in ("one\n", "two\n", "three")]
        report = run(language, PROGRAMS[language].hello, *inputs)
        assert [(r.status, r.exit_code, r.stdout) for r in report.results] == [
            (RunStatus.EXITED, 0, b"hello one\n"),
            (RunStatus.EXITED, 0, b"hello two\n"),
            (RunStatus.EXITED, 0, b"hello three\n"),
        ], report
        assert report.tier == "A"
        for result in report.results:
            assert result.stderr == b""
            assert 0 <= result.wall_ms < 5000
            assert 500 < result.memory_kib < 100_000

    @each("several")
    def test_a_program_of_several_files(self, run: Run, language: str) -> None:
        main, others = PROGRAMS[language].several or ("", {})
        assert only(run(language, main, files=others)).stdout == b"42\n"

    @each("fails")
    def test_a_failing_exit_keeps_its_code(self, run: Run, language: str) -> None:
        result = only(run(language, PROGRAMS[language].fails, stdin(language)))
        assert (result.status, result.exit_code, result.signal) == (
            RunStatus.EXITED,
            PROGRAMS[language].fails_with,
            None,
        )

    @each("crashes")
    def test_an_error_while_it_runs_is_no_limit(self, run: Run, language: str) -> None:
        result = only(run(language, PROGRAMS[language].crashes, stdin(language)))
        assert result.status in {RunStatus.EXITED, RunStatus.SIGNALED}
        assert result.exit_code != 0
        assert result.stdout == b""

    @each("broken")
    def test_what_cannot_be_read_never_runs(self, run: Run, language: str) -> None:
        report = run(language, PROGRAMS[language].broken, stdin(language))
        if LANGUAGES[language].toolchain.compile_argv:
            assert report.compilation is not None
            assert not report.compilation.succeeded
            assert LANGUAGES[language].main_name in report.compilation.output
            assert report.results == ()
        else:
            (result,) = report.results
            assert result.status is RunStatus.EXITED
            assert result.exit_code not in {0, None}
            assert b"rror" in result.stderr

    @each("spins")
    def test_cpu_time_is_limited(self, run: Run, language: str) -> None:
        result = only(run(language, PROGRAMS[language].spins, limits=SHORT))
        # On a machine busy with other things the wall limit may come first; either is the program's.
        assert result.status in {RunStatus.TIME_LIMIT, RunStatus.WALL_LIMIT}
        assert result.wall_ms < 3500

    @each("sleeps")
    def test_wall_time_is_limited(self, run: Run, language: str) -> None:
        result = only(run(language, PROGRAMS[language].sleeps or "", limits=SHORT))
        assert result.status is RunStatus.WALL_LIMIT
        assert result.time_ms < 700
        assert 1500 <= result.wall_ms < 3500

    @each("grows")
    def test_memory_is_limited(self, run: Run, language: str) -> None:
        result = only(run(language, PROGRAMS[language].grows, limits=SMALL))
        assert result.status is RunStatus.MEMORY_LIMIT
        assert result.memory_kib < 600_000

    @each("huge")
    def test_one_huge_allocation_is_the_memory_limit(self, run: Run, language: str) -> None:
        result = only(run(language, PROGRAMS[language].huge or "", limits=SMALL))
        assert result.status is RunStatus.MEMORY_LIMIT
        assert result.memory_kib < 60_000  # it failed at once

    @each("huge")
    def test_control_only_the_runtime_s_own_words_tell_it(
        self, run: Run, language: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("executor.engines.sandbox.measure._says_memory", lambda stderr, toolchain: False)
        assert only(run(language, PROGRAMS[language].huge or "", limits=SMALL)).status is not RunStatus.MEMORY_LIMIT

    @each("floods")
    def test_output_is_cut_at_its_limit(self, run: Run, language: str) -> None:
        result = only(run(language, PROGRAMS[language].floods, limits=SMALL))
        assert result.status is RunStatus.OUTPUT_LIMIT
        assert len(result.stdout) == 64 * 1024
        assert result.wall_ms < 5000

    @each("unicode")
    def test_unicode_passes_through(self, run: Run, language: str) -> None:
        said = only(run(language, PROGRAMS[language].unicode, stdin(language, "žŁ\n"))).stdout.decode()
        assert said.split() == ["é", "žŁ", "2"]

    @each("total")
    def test_a_large_input_arrives_whole(self, run: Run, language: str) -> None:
        count = 400_000
        given = stdin(language, "\n".join(str(n) for n in range(count)))
        assert len(given) > 2_000_000
        result = only(run(language, PROGRAMS[language].total, given))
        assert result.stdout == b"%d\n" % (count * (count - 1) // 2)

    @each("hello")
    def test_a_missing_one_is_reported_with_its_package(
        self, language: str, engine: SandboxEngine, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        toolchain = LANGUAGES[language].toolchain
        assert engine.missing_for(toolchain) is None
        monkeypatch.setattr(host, "PROGRAM_DIRECTORIES", ())
        monkeypatch.setattr(plans, "find_program", lambda name: None)
        assert f"apt-get install {toolchain.debian_packages[0]}" in str(engine.missing_for(toolchain))


class RecursionTestCase:
    @each("deep")
    def test_it_may_be_deep(self, run: Run, language: str) -> None:
        assert only(run(language, PROGRAMS[language].deep or "")).stdout.strip() == b"deep"

    @pytest.mark.parametrize("language", ["c", "cpp", "rust"])
    def test_control_the_stack_is_what_allows_it(
        self, run: Run, language: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(plans, "_STACK_KIB", 8192)
        assert only(run(language, PROGRAMS[language].deep or "")).status is RunStatus.SIGNALED

    @each("endless")
    def test_without_end_it_is_the_program_s_own_failure(self, run: Run, language: str) -> None:
        assert _is_as_expected(language, only(run(language, PROGRAMS[language].endless or "")))


def _is_as_expected(language: str, result: RunResult) -> bool:
    if language in {"go", "php"}:  # whose calls are kept in ordinary memory
        return result.status is RunStatus.MEMORY_LIMIT
    if language in {"c", "cpp", "cpp20", "rust"}:
        return result.status is RunStatus.SIGNALED
    return result.status is RunStatus.EXITED and result.exit_code == 1
