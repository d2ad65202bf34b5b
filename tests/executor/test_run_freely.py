"""Free runs on the real sandbox: a program, some input, and what came of it; nothing is kept."""

import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.apps import apps
from django.db import connection
from pytest_django import Settings

from core.errors import InvalidInput
from executor.engines.base import Limits, RunResult, RunStatus, SourceFile
from executor.judging.languages import LANGUAGES
from executor.judging.plan import limits_for
from executor.services.code_executor import CodeExecutorService, FreeRun
from executor.services.engines import engine_named
from executor.services.lane import RunCapacityFull
from executor.services.runs import free_run_limits, run_create
from tests.executor.fakes import ScriptedEngine, run_result
from tests.executor.plans import DOUBLES

LIMITS = limits_for(time_limit_ms=500, memory_limit_mb=64)


@pytest.fixture(scope="module")
def service() -> CodeExecutorService:
    return CodeExecutorService(engine_named("sandbox"))


def run(
    service: CodeExecutorService, code: str, stdin: str = "", language: str = "python", limits: Limits = LIMITS
) -> FreeRun:
    chosen = LANGUAGES[language]
    files = (SourceFile(name=chosen.main_name, content=code),)
    return service.run_freely(language=chosen, files=files, stdin=stdin, limits=limits)


def result_of(free_run: FreeRun) -> RunResult:
    assert free_run.result is not None, free_run.compilation
    return free_run.result


class RunFreelyTestCase:
    """Lines 1 to 5 of the test plan."""

    # Line 1: it runs, the result is returned, no test cases are used, and nothing is kept.

    def test_it_runs_and_says_what_came(self, service: CodeExecutorService) -> None:
        result = result_of(run(service, "import sys; print(input()); print('err', file=sys.stderr)", "hällo"))
        assert (result.status, result.exit_code) == (RunStatus.EXITED, 0)
        assert (result.stdout, result.stderr) == ("hällo\n".encode(), b"err\n")

    @pytest.mark.parametrize("language", DOUBLES)
    def test_it_runs_every_language(self, service: CodeExecutorService, language: str) -> None:
        limits = limits_for(time_limit_ms=3000, memory_limit_mb=128)
        done = run(service, DOUBLES[language], "21\n", language, limits)
        assert result_of(done).stdout.split() == [b"42"]
        assert (done.compilation is None) is (LANGUAGES[language].toolchain.compile_argv == ())
        assert done.tier == "A"

    @pytest.mark.parametrize("stdin", ["", "\n", "a\r\nb", "\x00", "é😀\u2028", "x" * 65536])
    def test_stdin_arrives_to_the_byte(self, service: CodeExecutorService, stdin: str) -> None:
        result = result_of(run(service, "import sys; sys.stdout.buffer.write(sys.stdin.buffer.read())", stdin))
        assert result.stdout == stdin.encode()

    @pytest.mark.parametrize("raw", [b"\x00\xff\xfe", b"\xed\xa0\x80", b"\x1b]0;t\x07\x1b[2J", b"<script>", b""])
    def test_output_comes_back_to_the_byte(self, service: CodeExecutorService, raw: bytes) -> None:
        result = result_of(run(service, f"import sys; sys.stdout.buffer.write({raw!r})"))
        assert result.stdout == raw

    def test_it_uses_one_input_and_no_test_cases(self) -> None:
        engine = ScriptedEngine(lambda stdin: run_result(b"seen"))
        run(CodeExecutorService(engine), "print(1)", "given")
        (request,) = engine.requests
        assert request.inputs == (b"given",)
        assert [file.content for file in request.files] == ["print(1)"]

    @pytest.mark.django_db
    def test_no_table_has_a_row_more(self) -> None:
        def counts() -> dict[str, int]:
            return {model._meta.label: model._default_manager.count() for model in apps.get_models()}

        before = counts()
        run_create(language="python", stdin="7", code="print(input())")
        run_create(language="c", stdin="", code="int main( {")
        assert counts() == before

    def test_no_file_and_no_process_is_left_for_the_next_run(self, service: CodeExecutorService) -> None:
        leave = "import os\nopen('/tmp/left', 'w').close()\nif os.fork() == 0:\n    import time; time.sleep(30)\n"
        result_of(run(service, leave))
        look = "import os; print(os.path.exists('/tmp/left'), os.listdir('/tmp'), os.listdir('/box'))"
        assert result_of(run(service, look)).stdout == b"False [] ['main.py']\n"

    # Line 2: the time limit and its status.

    @pytest.mark.parametrize(
        ("language", "code", "status"),
        [
            ("python", "while True: pass", RunStatus.TIME_LIMIT),
            ("c", "int main(void) { for (volatile unsigned i = 0;; i++) {} }", RunStatus.TIME_LIMIT),
            ("javascript", "for (;;) {}", RunStatus.TIME_LIMIT),
            ("python", "import os\nfor _ in range(3): os.fork()\nwhile True: pass", RunStatus.TIME_LIMIT),
            ("python", "import time; time.sleep(60)", RunStatus.WALL_LIMIT),
            ("javascript", "setTimeout(() => {}, 60000)", RunStatus.WALL_LIMIT),
            ("python", "import os, signal; os.kill(os.getpid(), signal.SIGSTOP)", RunStatus.WALL_LIMIT),
        ],
        ids=["spin", "spin in C", "spin in JavaScript", "spin in children", "sleep", "timer", "stop itself"],
    )
    def test_the_time_limit(self, service: CodeExecutorService, language: str, code: str, status: RunStatus) -> None:
        # Wide apart, so that on a busy machine too it is the one meant that ends the run.
        wall_limit_ms = 20_000 if status is RunStatus.TIME_LIMIT else 1500
        limits = Limits(time_limit_ms=500, wall_limit_ms=wall_limit_ms, memory_limit_mb=64)
        started = time.monotonic()
        result = result_of(run(service, code, language=language, limits=limits))
        assert result.status is status
        assert time.monotonic() - started < wall_limit_ms / 1000 + 10
        assert result.exit_code is None

    def test_what_was_printed_before_the_limit_is_kept(self, service: CodeExecutorService) -> None:
        limits = Limits(time_limit_ms=500, wall_limit_ms=20_000, memory_limit_mb=64)
        result = result_of(run(service, "print('so far', flush=True)\nwhile True: pass", limits=limits))
        assert (result.status, result.stdout) == (RunStatus.TIME_LIMIT, b"so far\n")

    # Line 3: the memory limit and its status.

    @pytest.mark.parametrize(
        ("language", "code"),
        [
            ("python", "x = []\nwhile True: x.append('x' * 100000)"),
            ("python", "x = bytearray(1 << 30)"),
            ("cpp", "#include <vector>\nint main() { std::vector<char> v(1 << 30, 1); return v[5]; }"),
            (
                "c",
                "#include <stdlib.h>\n#include <string.h>\n"
                "int main(void) { for (;;) memset(malloc(1 << 20), 1, 1 << 20); }",
            ),
            ("javascript", "const all = []; for (;;) all.push(new Array(1000).fill(Math.random()));"),
        ],
        ids=["many small", "one large", "C++", "C", "JavaScript"],
    )
    def test_the_memory_limit(self, service: CodeExecutorService, language: str, code: str) -> None:
        limits = limits_for(time_limit_ms=5000, memory_limit_mb=64)
        assert result_of(run(service, code, language=language, limits=limits)).status is RunStatus.MEMORY_LIMIT

    # Line 4: runtime errors and exceptions.

    @pytest.mark.parametrize(
        ("language", "code", "exit_code", "says"),
        [
            ("python", "1 / 0", 1, b"ZeroDivisionError"),
            ("python", "print(", 1, b"SyntaxError"),
            ("python", "import no_such_module", 1, b"ModuleNotFoundError"),
            ("python", "'a' + 1", 1, b"TypeError"),
            ("python", "input()", 1, b"EOFError"),
            ("python", "def f(): f()\nf()", 1, b"RecursionError"),
            ("python", "raise SystemExit('stop')", 1, b"stop"),
            ("python", "import sys; sys.exit(7)", 7, b""),
            ("javascript", "null.x", 1, b"TypeError"),
            ("javascript", "let = ;", 1, b"SyntaxError"),
            ("javascript", "Promise.reject(new RangeError('far'))", 1, b"RangeError"),
            ("c", "int main(void) { return 3; }", 3, b""),
        ],
    )
    def test_a_failing_program_is_a_result(
        self, service: CodeExecutorService, language: str, code: str, exit_code: int, says: bytes
    ) -> None:
        result = result_of(run(service, code, language=language))
        assert (result.status, result.exit_code) == (RunStatus.EXITED, exit_code)
        assert says in result.stderr

    @pytest.mark.parametrize(
        ("language", "code", "signal"),
        [
            ("c", "int main(void) { return *(volatile int *)0; }", 11),
            ("c", "#include <stdlib.h>\nint main(void) { abort(); }", 6),
            ("python", "import os, signal; os.kill(os.getpid(), signal.SIGTERM)", 15),
        ],
    )
    def test_a_signal_is_named(self, service: CodeExecutorService, language: str, code: str, signal: int) -> None:
        result = result_of(run(service, code, language=language))
        assert (result.status, result.signal, result.exit_code) == (RunStatus.SIGNALED, signal, None)

    @pytest.mark.parametrize(
        ("language", "code", "says"),
        [
            ("c", "int main( {", "main.c:1"),
            ("cpp", "int main() { no x; }", "main.cpp:1"),
            ("java", "public class Main { int x = no; }", "Main.java:1"),
        ],
    )
    def test_a_program_that_does_not_compile_has_no_result(
        self, service: CodeExecutorService, language: str, code: str, says: str
    ) -> None:
        done = run(service, code, language=language)
        assert done.result is None
        assert done.compilation is not None
        assert not done.compilation.succeeded
        assert says in done.compilation.output

    # Line 5: limits on the size of input and output, and system calls that are forbidden.

    @pytest.mark.parametrize("stream", ["stdout", "stderr"])
    def test_endless_output_is_cut_at_the_limit(self, service: CodeExecutorService, stream: str) -> None:
        limits = Limits(time_limit_ms=2000, wall_limit_ms=5000, memory_limit_mb=64, output_limit_kib=64)
        result = result_of(run(service, f"import sys\nwhile True: sys.{stream}.write('x' * 1000)", limits=limits))
        assert result.status is RunStatus.OUTPUT_LIMIT
        assert len(getattr(result, stream)) == 64 * 1024

    def test_output_of_exactly_the_limit_is_whole(self, service: CodeExecutorService) -> None:
        limits = Limits(time_limit_ms=2000, wall_limit_ms=5000, memory_limit_mb=64, output_limit_kib=64)
        result = result_of(run(service, "import sys\nsys.stdout.write('x' * 65536)", limits=limits))
        assert (result.status, len(result.stdout)) == (RunStatus.EXITED, 65536)

    @pytest.mark.django_db
    def test_a_free_run_s_limits_are_its_own_and_are_handed_to_the_engine(self, settings: Settings) -> None:
        settings.EXECUTOR_RUN_TIME_LIMIT_MS, settings.EXECUTOR_RUN_MEMORY_LIMIT_MB = 1234, 77
        settings.EXECUTOR_RUN_OUTPUT_LIMIT_KIB = 3
        engine = ScriptedEngine(lambda stdin: run_result(b""))
        run_create(language="python", stdin="", code="1", service=CodeExecutorService(engine))
        limits = engine.requests[0].limits
        assert limits == free_run_limits()
        assert (limits.time_limit_ms, limits.memory_limit_mb, limits.output_limit_kib) == (1234, 77, 3)
        assert limits.wall_limit_ms == 2 * 1234 + 1000

    @pytest.mark.django_db
    @pytest.mark.parametrize(("size", "is_taken"), [(64 * 1024, True), (64 * 1024 + 1, False)])
    def test_input_has_a_limit_in_bytes(self, size: int, is_taken: bool) -> None:
        engine = ScriptedEngine(lambda stdin: run_result(b""))
        stdin = "é" * (size // 2) + "x" * (size % 2)
        if is_taken:
            run_create(language="python", stdin=stdin, code="1", service=CodeExecutorService(engine))
        else:
            with pytest.raises(InvalidInput) as caught:
                run_create(language="python", stdin=stdin, code="1", service=CodeExecutorService(engine))
            assert [error.code for error in caught.value.errors] == ["input_too_large"]
        assert len(engine.requests) == int(is_taken)

    @pytest.mark.parametrize(
        ("code", "error"),
        [
            ("import socket; socket.socket()", b"PermissionError"),
            ("import socket; socket.socket(socket.AF_UNIX)", b"PermissionError"),
            ("import os; os.chroot('/')", b"PermissionError"),
            ("import os; os.setuid(0)", b"PermissionError"),
            ("import os; os.chown('/tmp', 0, 0)", b"PermissionError"),
            ("import os; os.nice(-5)", b"PermissionError"),
            ("import os; os.memfd_create('x')", b"PermissionError"),
            ("import time; time.clock_settime(0, 0)", b"PermissionError"),
            ("open('/etc/shadow').read()", b"Error"),
            ("open('/usr/bin/new', 'w')", b"Error"),
            ("open('/proc/1/environ').read()", b"Error"),
        ],
    )
    def test_a_forbidden_act_fails_with_an_error(self, service: CodeExecutorService, code: str, error: bytes) -> None:
        result = result_of(run(service, code))
        assert result.exit_code == 1
        assert error in result.stderr

    @pytest.mark.parametrize(
        ("name", "arguments"),
        [
            ("unshare", "0x10000000"),
            ("ptrace", "16, 1, 0, 0"),
            ("mount", "b'x', b'/tmp', b'tmpfs', 0, None"),
            ("shmget", "1, 4096, 0o1666"),
            ("msgget", "1, 0o1666"),
            ("reboot", "0"),
        ],
    )
    def test_a_forbidden_system_call_is_refused(self, service: CodeExecutorService, name: str, arguments: str) -> None:
        code = (
            "import ctypes, json\nlibc = ctypes.CDLL(None, use_errno=True)\n"
            f"print(json.dumps([libc.{name}({arguments}), ctypes.get_errno()]))"
        )
        assert json.loads(result_of(run(service, code)).stdout) == [-1, 1]

    # Its own lane: a few at a time, so that judging never starves.

    @pytest.mark.django_db(transaction=True)
    def test_when_all_places_are_taken_nothing_runs(self, settings: Settings) -> None:
        running, finish = threading.Semaphore(0), threading.Event()

        def slow(stdin: bytes) -> RunResult:
            running.release()
            assert finish.wait(20)
            return run_result(b"")

        engine = ScriptedEngine(slow)

        def run_one() -> FreeRun:
            try:
                return run_create(language="python", stdin="", code="1", service=CodeExecutorService(engine))
            finally:
                connection.close()

        places = settings.EXECUTOR_RUNS_AT_ONCE
        with ThreadPoolExecutor(places) as threads:
            taken = [threads.submit(run_one) for _ in range(places)]
            try:
                assert all(running.acquire(timeout=20) for _ in range(places))
                with pytest.raises(RunCapacityFull):
                    run_one()
            finally:
                finish.set()
            assert all(done.result().result is not None for done in taken)
        assert len(engine.requests) == places
        run_one()
