"""A program forked from a warm interpreter behaves to the last byte as one that is started."""

import dataclasses
import gc
import os
import re
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from executor.engines.base import Limits, RunStatus
from executor.engines.sandbox import SandboxEngine, pool
from tests.executor.sandbox.conftest import LIMITS, children_of, only, python_request
from tests.executor.sandbox.python_programs import PROGRAMS


@pytest.fixture(scope="module")
def started() -> SandboxEngine:
    return SandboxEngine()


@pytest.fixture(scope="module")
def forking(kit_directory: Path) -> SandboxEngine:
    return SandboxEngine(kit_directory=kit_directory)


class SameTestCase:
    @pytest.mark.parametrize("name", PROGRAMS)
    def test_a_forked_program_does_what_a_started_one_does(
        self, started: SandboxEngine, forking: SandboxEngine, name: str
    ) -> None:
        def observed(engine: SandboxEngine) -> tuple[object, ...]:
            result = only(engine.run(python_request(PROGRAMS[name], b"first\nsecond\nthird\n")))
            texts = (re.sub("0x[0-9a-f]+", "0x", text.decode()) for text in (result.stdout, result.stderr))
            return result.status, result.exit_code, result.signal, *texts

        assert observed(forking) == observed(started)

    def test_control_it_was_forked_and_the_other_was_not(self, started: SandboxEngine, forking: SandboxEngine) -> None:
        request = python_request(WAS_FORKED)
        assert only(forking.run(request)).stdout == b"True\n"
        assert only(started.run(request)).stdout == b"False\n"


# The one thing that tells: below a started program's first frame there is none.
WAS_FORKED = "import sys\nprint(sys._getframe().f_back is not None)"
INTERPRETER = "import ctypes\nprint(ctypes.cast(ctypes.CDLL(None).printf, ctypes.c_void_p).value)"


def interpreter_of(engine: SandboxEngine, *, is_exclusive: bool = False) -> bytes:
    """Where the program's interpreter lies in memory, which differs between any two that were started."""
    return only(engine.run(dataclasses.replace(python_request(INTERPRETER), is_exclusive=is_exclusive))).stdout


class SharingTestCase:
    def test_practice_shares_an_interpreter_and_an_exclusive_request_gets_its_own(self, kit_directory: Path) -> None:
        engine = SandboxEngine(kit_directory=kit_directory)
        shared = interpreter_of(engine)
        own = {interpreter_of(engine, is_exclusive=True) for _ in range(3)}
        assert interpreter_of(engine) == shared
        assert len(own) == 3
        assert shared not in own

    def test_an_interpreter_is_not_used_for_ever(self, kit_directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(pool, "USES_LIMIT", 3)
        engine = SandboxEngine(kit_directory=kit_directory)
        assert len({interpreter_of(engine) for _ in range(7)}) == 3

    def test_a_box_in_which_something_failed_is_not_used_again(self, kit_directory: Path) -> None:
        engine = SandboxEngine(kit_directory=kit_directory)
        shared = interpreter_of(engine)
        with pytest.raises(ZeroDivisionError):
            engine.run(python_request("pass"), lambda index, result: bool(1 / 0))
        assert interpreter_of(engine) != shared

    def test_stopping_early_leaves_a_box_that_serves_the_next(self, kit_directory: Path) -> None:
        engine = SandboxEngine(kit_directory=kit_directory)
        shared = interpreter_of(engine)
        report = engine.run(python_request("print(input())", b"1", b"2", b"3"), lambda index, result: index < 1)
        assert [result.stdout for result in report.results] == [b"1\n", b"2\n"]
        assert interpreter_of(engine) == shared
        assert [r.stdout for r in engine.run(python_request("print(input())", b"4", b"5")).results] == [b"4\n", b"5\n"]

    def test_what_a_run_does_to_its_modules_no_other_sees(self, kit_directory: Path) -> None:
        engine = SandboxEngine(kit_directory=kit_directory)
        spoil = "import json, random, builtins, os, sys\njson.dumps = len\nrandom.random = int\nbuiltins.print = None\n"
        look = "import json, random\nprint(json.dumps([1]), random.random() > 0)"
        engine.run(python_request(spoil, b"", b""))
        assert only(engine.run(python_request(look))).stdout == b"[1] True\n"
        both = engine.run(python_request("import json\nprint(json.dumps([1]))\njson.dumps = len", b"", b"")).results
        assert [result.stdout for result in both] == [b"[1]\n", b"[1]\n"]

    def test_random_numbers_differ_from_run_to_run(self, kit_directory: Path) -> None:
        engine = SandboxEngine(kit_directory=kit_directory)
        results = engine.run(python_request("import random\nprint(random.random())", *[b""] * 5)).results
        assert len({result.stdout for result in results}) == 5

    def test_several_threads_each_get_a_box(self, kit_directory: Path) -> None:
        engine = SandboxEngine(kit_directory=kit_directory)
        with ThreadPoolExecutor(4) as threads:
            found = threads.map(lambda n: only(engine.run(python_request(f"print({n})"))).stdout, range(40))
            assert list(found) == [b"%d\n" % n for n in range(40)]

    def test_a_thread_that_ends_takes_no_box_along(self, kit_directory: Path) -> None:
        engine = SandboxEngine(kit_directory=kit_directory)
        found: list[bytes] = []
        thread = threading.Thread(target=lambda: found.append(interpreter_of(engine)))
        thread.start()
        thread.join()
        assert interpreter_of(engine) == found[0]

    def test_a_forked_server_starts_boxes_of_its_own(self, kit_directory: Path) -> None:
        engine = SandboxEngine(kit_directory=kit_directory)
        shared = interpreter_of(engine)
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            try:
                os.write(writing, interpreter_of(engine))
            finally:
                os._exit(0)
        os.close(writing)
        with os.fdopen(reading, "rb") as file:
            theirs = file.read()
        os.waitpid(child, 0)
        assert theirs
        assert theirs != shared
        assert interpreter_of(engine) == shared

    def test_an_engine_that_is_let_go_ends_its_boxes(self, kit_directory: Path) -> None:
        gc.collect()
        before = set(children_of(os.getpid()))
        engine = SandboxEngine(kit_directory=kit_directory)
        interpreter_of(engine)
        assert set(children_of(os.getpid())) - before
        del engine
        gc.collect()
        assert not set(children_of(os.getpid())) - before


class NotForkedTestCase:
    """Where forking would change what a program sees, it is started."""

    @pytest.mark.parametrize(
        ("files", "memory_limit_mb", "was_forked"),
        [
            ({}, 64, b"True\n"),
            ({"helper.py": ""}, 64, b"True\n"),
            ({"json.py": ""}, 64, b"False\n"),
            ({}, 24, b"False\n"),
        ],
    )
    def test_own_modules_that_hide_loaded_ones_and_tight_limits(
        self, forking: SandboxEngine, files: dict[str, str], memory_limit_mb: int, was_forked: bytes
    ) -> None:
        limits = dataclasses.replace(LIMITS, memory_limit_mb=memory_limit_mb)
        assert only(forking.run(python_request(WAS_FORKED, files=files, limits=limits))).stdout == was_forked

    def test_a_source_that_is_too_much_to_compile_is_the_programs_own_fault(self, forking: SandboxEngine) -> None:
        source = "x = [\n" + "lambda: 0,\n" * 1_500_000 + "]\n"
        limits = Limits(time_limit_ms=1000, wall_limit_ms=3000, memory_limit_mb=128)
        result = only(forking.run(python_request(source, limits=limits)))
        assert result.status in {RunStatus.TIME_LIMIT, RunStatus.WALL_LIMIT, RunStatus.MEMORY_LIMIT}
        assert only(forking.run(python_request("print(1)"))).stdout == b"1\n"
