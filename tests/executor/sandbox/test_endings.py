"""How a program ended is told as it was, and what programs need to come to a good end is there."""

import pytest

from executor.engines.base import Limits, RunStatus
from tests.executor.sandbox.conftest import Run, only

SMALL = Limits(time_limit_ms=5000, wall_limit_ms=10_000, memory_limit_mb=64, output_limit_kib=64)


class RefusedMemoryTestCase:
    def test_in_c_it_is_what_the_program_makes_of_it(self, run: Run) -> None:
        code = "#include <stdlib.h>\nint main(){volatile char*p=malloc(1ul<<34);if(!p)return 7;p[0]=1;return 0;}"
        result = only(run("c", code, limits=SMALL))
        assert (result.status, result.exit_code) == (RunStatus.EXITED, 7)

    def test_a_static_array_that_is_too_large(self, run: Run) -> None:
        code = "static char a[200<<20];int main(int c,char**v){for(long i=0;i<200<<20;i+=999)a[i]=c;return a[c]-1;}"
        assert only(run("c", code, limits=SMALL)).status is RunStatus.MEMORY_LIMIT

    def test_a_javascript_array_that_outgrows_the_heap(self, run: Run) -> None:
        code = "const kept = new Array(1e8).fill(1.5); kept.concat(kept)"
        assert only(run("javascript", code, limits=SMALL)).status is RunStatus.MEMORY_LIMIT


class HonestEndTestCase:
    @pytest.mark.parametrize(
        ("body", "signal"),
        [
            pytest.param("abort();", 6, id="abort"),
            pytest.param("raise(SIGFPE);", 8, id="raised"),
            pytest.param("*(volatile int*)0=1;", 11, id="segmentation fault"),
            pytest.param("kill(getpid(),SIGKILL);", 9, id="killed by itself"),
        ],
    )
    def test_a_signal_is_named(self, run: Run, body: str, signal: int) -> None:
        code = "#include <stdlib.h>\n#include <signal.h>\n#include <unistd.h>\nint main(){" + body + "}"
        result = only(run("c", code))
        assert (result.status, result.exit_code, result.signal) == (RunStatus.SIGNALED, None, signal)

    def test_a_string_of_threads_starts_within_a_small_memory_limit(self, run: Run) -> None:
        code = (
            "#include <cstdio>\n#include <thread>\n#include <vector>\nint main(){std::vector<std::thread> t;"
            'for(int i=0;i<4;i++)t.emplace_back([]{});for(auto& x:t)x.join();puts("ok");}'
        )
        assert only(run("cpp", code, limits=SMALL)).stdout == b"ok\n"

    def test_devices_work(self, run: Run) -> None:
        code = (
            "open('/dev/null', 'w').write('x')\n"
            "print(open('/dev/zero', 'rb').read(2), len(open('/dev/urandom', 'rb').read(4)))"
        )
        assert only(run("python", code)).stdout == b"b'\\x00\\x00' 4\n"

    def test_what_the_standard_library_needs_is_allowed(self, run: Run) -> None:
        code = """
import asyncio, concurrent.futures, json, os, random, re, shutil, sqlite3, subprocess, tempfile, threading, time
async def main():
    await asyncio.sleep(0.01)
    return 1
print(asyncio.run(main()))
with concurrent.futures.ThreadPoolExecutor(4) as pool:
    print(sum(pool.map(abs, [-1, 2])))
with tempfile.TemporaryDirectory() as directory:
    open(directory + "/a", "w").write("x")
    shutil.copy2(directory + "/a", directory + "/b")
    print(sorted(os.listdir(directory)))
open("own.txt", "w").write("own")
print(open("own.txt").read(), subprocess.run(["echo", "child"], capture_output=True).stdout)
print(sqlite3.connect("own.db").execute("select 1").fetchone(), exit)
"""
        result = only(run("python", code))
        assert result.stderr == b""
        assert result.stdout.decode().splitlines() == [
            "1",
            "3",
            "['a', 'b']",
            "own b'child\\n'",
            "(1,) Use exit() or Ctrl-D (i.e. EOF) to exit",
        ]
