"""One engine for all sandbox tests, as a server has it, and the shortest way to run a program on it."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import pytest

from executor.engines.base import Limits, OnResult, RunReport, RunRequest, RunResult, SourceFile
from executor.engines.sandbox import SandboxEngine
from executor.judging.languages import LANGUAGES

LIMITS = Limits(time_limit_ms=10_000, wall_limit_ms=20_000, memory_limit_mb=256)


class Run(Protocol):
    def __call__(
        self,
        language: str,
        code: str,
        *inputs: bytes,
        files: dict[str, str] | None = None,
        limits: Limits = LIMITS,
        engine: SandboxEngine | None = None,
        on_result: OnResult | None = None,
    ) -> RunReport: ...


# What is true of the native runner has to be true of the one that serves where there is no compiler.
_FOR_BOTH_RUNNERS = {"test_containment", "test_engine", "test_system_calls", "test_compiling"}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "engine" in metafunc.fixturenames:
        is_for_both = metafunc.module.__name__.rpartition(".")[2] in _FOR_BOTH_RUNNERS
        runners = ["native", "python"] if is_for_both else ["native"]
        metafunc.parametrize("engine", runners, indirect=True, scope="session")


@pytest.fixture(scope="session")
def engine(request: pytest.FixtureRequest, kit_directory: Path) -> SandboxEngine:
    """The engine with its native runner, or with the one in Python."""
    return SandboxEngine(kit_directory=kit_directory if request.param == "native" else None)


@pytest.fixture
def run(engine: SandboxEngine) -> Run:
    shared = engine

    def run_program(
        language: str,
        code: str,
        *inputs: bytes,
        files: dict[str, str] | None = None,
        limits: Limits = LIMITS,
        engine: SandboxEngine | None = None,
        on_result: OnResult | None = None,
    ) -> RunReport:
        spoken = LANGUAGES[language]
        more = [SourceFile(name=name, content=content) for name, content in (files or {}).items()]
        request = RunRequest(
            toolchain=spoken.toolchain,
            files=(SourceFile(name=spoken.main_name, content=code), *more),
            inputs=inputs or (b"",),
            limits=limits,
        )
        return (engine or shared).run(request, on_result)

    return run_program


def only(report: RunReport) -> RunResult:
    """The one result of a report whose program was compiled and run once."""
    assert report.compilation is None or report.compilation.succeeded, report.compilation
    (result,) = report.results
    return result


def processes_naming(marker: str) -> list[int]:
    """The machine's processes that carry the marker in their command line, but for this one."""
    found = []
    for pid in _pids():
        try:
            words = Path(f"/proc/{pid}/cmdline").read_bytes()
        except OSError:
            continue
        if marker.encode() in words and pid != os.getpid():
            found.append(pid)
    return found


def children_of(parent: int) -> list[int]:
    """The processes whose parent is the given one."""
    found = []
    for pid in _pids():
        try:
            stat = Path(f"/proc/{pid}/stat").read_text()
        except OSError:
            continue
        if int(stat.rpartition(")")[2].split()[1]) == parent:
            found.append(pid)
    return found


def _pids() -> Iterator[int]:
    return (int(name) for name in os.listdir("/proc") if name.isdigit())


def python_request(
    code: str, *inputs: bytes, files: dict[str, str] | None = None, limits: Limits = LIMITS
) -> RunRequest:
    """A request to run a Python program."""
    spoken = LANGUAGES["python"]
    more = [SourceFile(name=name, content=content) for name, content in (files or {}).items()]
    return RunRequest(
        toolchain=spoken.toolchain,
        files=(SourceFile(name=spoken.main_name, content=code), *more),
        inputs=inputs or (b"",),
        limits=limits,
    )
