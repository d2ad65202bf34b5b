"""A program fares in one job as it does in a job for each of its tests."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from executor.engines.base import RunReport, Toolchain
from tests.executor.judge0.box import executed
from tests.executor.judge0.loops import (
    LARGE,
    PATIENT,
    shared_request,
    sizes,
)
from tests.executor.judge0.support import (
    CPP,
    JAVA,
    JAVASCRIPT,
    LIMITS,
    PYTHON,
    C,
    FakeJudge0,
    engine_with,
    mounted,
)

FUNCTION_C = """
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
int main(void) {
    char line[64] = "";
    fgets(line, sizeof line, stdin);
    if (!strcmp(line, "crash")) abort();
    if (!strcmp(line, "flood")) for (;;) puts("flood");
    if (!strcmp(line, "hang")) for (;;);
    if (!strcmp(line, "exit")) return 7;
    fprintf(stderr, "to stderr");
    printf("%s %d\\n", line, (int)strlen(line));
}
"""
FUNCTION_PYTHON = """
import os, sys
line = sys.stdin.readline()
if line == "crash": os.abort()
if line == "flood":
    while True: print("flood")
if line == "hang":
    while True: pass
if line == "exit": sys.exit(7)
if line == "raise": raise ValueError(line)
if line == "memory": sys.exit("MemoryError")
if line == "pipe": os.kill(os.getpid(), 13)
print("to stderr", file=sys.stderr)
print(line, len(line), os.getcwd(), sorted(os.listdir()), os.environ.get("PWD"), os.environ.get("PYTHONHASHSEED"))
"""
JAVA_CODE = """
import java.util.*;
public class Main {
    public static void main(String[] words) {
        String line = new Scanner(System.in).nextLine();
        if (line.equals("exit")) System.exit(7);
        if (line.equals("raise")) throw new RuntimeException(line);
        System.out.println(line + new Helper().text);
    }
}
class Helper { String text = "!"; }
"""
PROGRAMS: Sequence[tuple[Toolchain, str, str, list[bytes]]] = [
    (
        PYTHON,
        "main.py",
        FUNCTION_PYTHON,
        [b"a", b"", b"crash", b"flood", b"hang", b"exit", b"raise", b"memory", b"pipe"],
    ),
    (PYTHON, "main.py", "def broken(:", [b"a", b"b"]),
    (C, "main.c", FUNCTION_C, [b"a", b"", b"crash", b"flood", b"hang", b"exit"]),
    (C, "main.c", "int main(void) { return 1 }", [b"a", b"b"]),
    (CPP, "main.cpp", "#include <new>\nint main() { throw std::bad_alloc(); }", [b"a", b"b"]),
    (JAVA, "Main.java", JAVA_CODE, [b"a", b"exit", b"raise"]),
    (
        JAVASCRIPT,
        "main.js",
        "const t = require('fs').readFileSync(0, 'utf8'); if (t === 'exit') process.exit(7); console.log(t, __dirname)",
        [b"a", b"exit", b""],
    ),
]


def comparable(report: RunReport) -> list[object]:
    succeeded = report.compilation.succeeded if report.compilation else None
    output = report.compilation.output if report.compilation else None
    return [succeeded, output, *((r.status, r.exit_code, r.signal, r.stdout, r.stderr) for r in report.results)]


class SameResultsTestCase:
    @pytest.mark.parametrize(
        ("toolchain", "name", "code", "inputs"),
        PROGRAMS,
        ids=[f"{program[0].language}-{len(program[2])}" for program in PROGRAMS],
    )
    def test_a_program_fares_in_one_job_as_in_a_job_for_each(
        self, toolchain: Toolchain, name: str, code: str, inputs: list[bytes]
    ) -> None:
        limits = replace(LIMITS, time_limit_ms=1000, wall_limit_ms=15_000, output_limit_kib=64)
        request = shared_request(*inputs, toolchain=toolchain, files={name: code}, limits=limits)
        with mounted(FakeJudge0(executed)) as fake:
            together = engine_with(timeouts=PATIENT).run(request)
            jobs_together = len(fake.submissions)
            alone = engine_with(timeouts=PATIENT).run(replace(request, is_exclusive=True))
        assert comparable(together) == comparable(alone)
        assert jobs_together == 1

    def test_the_second_test_of_a_job_finds_the_surroundings_of_the_first(self) -> None:
        code = """
import os, resource, signal, sys
print(sorted((name, value) for name, value in os.environ.items() if name != "_"))
print(os.getcwd(), sorted(os.listdir()), sys.argv, sys.flags, sys.path, os.umask(0))
print([signal.getsignal(number) for number in (signal.SIGPIPE, signal.SIGXFSZ, signal.SIGCHLD)])
print(signal.pthread_sigmask(signal.SIG_BLOCK, []), resource.getrlimit(resource.RLIMIT_FSIZE))
print(resource.getrlimit(resource.RLIMIT_STACK), os.isatty(0), [os.fstat(number).st_size for number in range(3)])
"""
        request = shared_request(b"a", b"b", files={"main.py": code, "other.py": ""}, limits=LARGE)
        with mounted(FakeJudge0(executed)):
            together = engine_with(timeouts=PATIENT).run(request)
            alone = engine_with(timeouts=PATIENT).run(replace(request, is_exclusive=True))
        assert together.results[1].stdout == together.results[0].stdout == alone.results[0].stdout

    def test_a_program_that_kills_the_loop_fares_as_it_does_alone(self) -> None:
        code = """
import os
print(input(), flush=True)
with open(f"/proc/{os.getppid()}/cmdline", "rb") as file:
    if file.read().endswith(b"\\0loop\\0"):
        os.kill(os.getppid(), 9)
print("and on")
"""
        request = shared_request(b"a", b"b", b"c", files={"main.py": code}, limits=LARGE)
        with mounted(FakeJudge0(executed)) as fake:
            together = engine_with(timeouts=PATIENT).run(request)
            alone = engine_with(timeouts=PATIENT).run(replace(request, is_exclusive=True))
        assert comparable(together) == comparable(alone)
        assert sizes(fake)[:4] == [3, 0, 0, 0]
