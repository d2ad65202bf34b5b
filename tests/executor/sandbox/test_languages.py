"""What every language offered is held to: its programs run, fail and meet their limits as they would be expected to."""

from dataclasses import dataclass

import pytest

from executor.engines.base import Limits, RunStatus
from tests.executor.sandbox.conftest import Run, only

SHORT = Limits(time_limit_ms=700, wall_limit_ms=1500, memory_limit_mb=256)
SMALL = Limits(time_limit_ms=5000, wall_limit_ms=10_000, memory_limit_mb=64, output_limit_kib=64)


@dataclass(frozen=True, kw_only=True)
class Programs:
    """One program for each thing a language has to do. `total` adds up the numbers on stdin, one a line."""

    hello: str
    several: tuple[str, dict[str, str]]
    fails: str
    spins: str
    sleeps: str
    grows: str
    floods: str
    unicode: str
    total: str
    broken: str = ""


PROGRAMS = {
    "python": Programs(
        hello="print('hello', input())",
        several=("import helper\nprint(helper.twice(21))", {"helper.py": "def twice(n):\n    return 2 * n\n"}),
        fails="import sys\nsys.exit(3)",
        spins="while True: pass",
        sleeps="import time\ntime.sleep(60)",
        grows="kept = []\nwhile True: kept.append(bytearray(b'x' * 1_000_000))",
        floods="while True: print('x' * 1000)",
        unicode="name = input()\nprint('é', name, len(name))",
        total="import sys\nprint(sum(map(int, sys.stdin)))",
    ),
    "c": Programs(
        hello='#include <stdio.h>\nint main(){char s[99];scanf("%98s",s);printf("hello %s\\n",s);}',
        several=(
            '#include <stdio.h>\n#include "helper.h"\nint main(){printf("%d\\n",twice(21));}',
            {"helper.h": "int twice(int);", "helper.c": '#include "helper.h"\nint twice(int n){return 2*n;}'},
        ),
        fails="int main(){return 3;}",
        spins="int main(){volatile int i=0;for(;;)i++;}",
        sleeps="#include <unistd.h>\nint main(){sleep(60);}",
        grows="#include <stdlib.h>\n#include <string.h>\nint main(){for(;;)memset(malloc(1000000),1,1000000);}",
        floods='#include <stdio.h>\nint main(){for(;;)puts("xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx");}',
        unicode='#include <stdio.h>\nint main(){char s[99];fgets(s,99,stdin);printf("é %s2",s);}',
        total='#include <stdio.h>\nint main(){long t=0,n;while(scanf("%ld",&n)==1)t+=n;printf("%ld\\n",t);}',
        broken="int main(){ return 0",
    ),
    "cpp": Programs(
        hello='#include <iostream>\nint main(){std::string s;std::cin>>s;std::cout<<"hello "<<s<<"\\n";}',
        several=(
            '#include <iostream>\n#include "helper.h"\nint main(){std::cout<<twice(21)<<"\\n";}',
            {"helper.h": "int twice(int);", "helper.cpp": '#include "helper.h"\nint twice(int n){return 2*n;}'},
        ),
        fails="int main(){return 3;}",
        spins="int main(){volatile int i=0;for(;;)i=i+1;}",
        sleeps="#include <unistd.h>\nint main(){sleep(60);}",
        grows="#include <vector>\nint main(){std::vector<int>v;for(;;)v.push_back(1);}",
        floods='#include <cstdio>\nint main(){for(;;)puts("xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx");}',
        unicode='#include <cstdio>\nint main(){char s[99];fgets(s,99,stdin);printf("é %s2",s);}',
        total='#include <cstdio>\nint main(){long t=0,n;while(scanf("%ld",&n)==1)t+=n;printf("%ld\\n",t);}',
        broken="int main(){ return undeclared; }",
    ),
    "java": Programs(
        hello="public class Main{public static void main(String[] a){"
        'System.out.println("hello "+new java.util.Scanner(System.in).next());}}',
        several=(
            "public class Main{public static void main(String[] a){System.out.println(Helper.twice(21));}}",
            {"Helper.java": "class Helper{static int twice(int n){return 2*n;}}"},
        ),
        fails="public class Main{public static void main(String[] a){System.exit(3);}}",
        spins="public class Main{static volatile int i;public static void main(String[] a){for(;;)i++;}}",
        sleeps="public class Main{public static void main(String[] a)throws Exception{Thread.sleep(60000);}}",
        grows="public class Main{public static void main(String[] a){"
        "var kept=new java.util.ArrayList<int[]>();for(;;)kept.add(new int[100000]);}}",
        floods='public class Main{public static void main(String[] a){for(;;)System.out.println("xxxxxxxxx");}}',
        unicode="public class Main{public static void main(String[] a)throws Exception{"
        "var s=new java.util.Scanner(System.in).next();"
        'new java.io.PrintStream(System.out,true,"UTF-8").println("é "+s+" "+s.length());'
        "}}",
        total="import java.io.*;public class Main{public static void main(String[] a)throws IOException{"
        "var r=new BufferedReader(new InputStreamReader(System.in));long t=0;String l;"
        "while((l=r.readLine())!=null)t+=Long.parseLong(l);System.out.println(t);}}",
        broken="public class Main { int x = ; }",
    ),
    "javascript": Programs(
        hello="console.log('hello ' + require('fs').readFileSync(0, 'utf8').trim())",
        several=("console.log(require('./helper.js')(21))", {"helper.js": "module.exports = n => 2 * n"}),
        fails="process.exit(3)",
        spins="for (;;);",
        sleeps="setTimeout(() => 0, 60000)",
        grows="const kept = []; for (;;) kept.push(new Array(10000).fill(1.5))",
        floods="const fs = require('fs'); for (;;) fs.writeSync(1, 'x'.repeat(1000))",
        unicode="const s = require('fs').readFileSync(0, 'utf8').trim(); console.log('é ' + s + ' ' + s.length)",
        total="let t = 0; for (const l of require('fs').readFileSync(0, 'utf8').split('\\n')) t += Number(l);"
        "console.log(t)",
    ),
}


@pytest.fixture(params=PROGRAMS)
def language(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


class LanguageTestCase:
    def test_hello_on_several_inputs_in_order(self, run: Run, language: str) -> None:
        report = run(language, PROGRAMS[language].hello, b"one\n", b"two\n", b"three")
        assert [(r.status, r.exit_code, r.stdout) for r in report.results] == [
            (RunStatus.EXITED, 0, b"hello one\n"),
            (RunStatus.EXITED, 0, b"hello two\n"),
            (RunStatus.EXITED, 0, b"hello three\n"),
        ]
        assert report.tier == "A"
        for result in report.results:
            assert result.stderr == b""
            assert 0 < result.wall_ms < 5000
            assert 500 < result.memory_kib < 100_000

    def test_a_program_of_several_files(self, run: Run, language: str) -> None:
        main, others = PROGRAMS[language].several
        assert only(run(language, main, files=others)).stdout == b"42\n"

    def test_a_failing_exit_keeps_its_code(self, run: Run, language: str) -> None:
        result = only(run(language, PROGRAMS[language].fails))
        assert (result.status, result.exit_code, result.signal) == (RunStatus.EXITED, 3, None)

    def test_cpu_time_is_limited(self, run: Run, language: str) -> None:
        result = only(run(language, PROGRAMS[language].spins, limits=SHORT))
        # On a machine busy with other things the wall limit may come first; either is the program's.
        assert result.status in {RunStatus.TIME_LIMIT, RunStatus.WALL_LIMIT}
        assert result.wall_ms < 3500

    def test_wall_time_is_limited(self, run: Run, language: str) -> None:
        result = only(run(language, PROGRAMS[language].sleeps, limits=SHORT))
        assert result.status is RunStatus.WALL_LIMIT
        assert result.time_ms < 700
        assert 1500 <= result.wall_ms < 3500

    def test_memory_is_limited(self, run: Run, language: str) -> None:
        result = only(run(language, PROGRAMS[language].grows, limits=SMALL))
        assert result.status is RunStatus.MEMORY_LIMIT
        assert result.memory_kib < 600_000

    def test_output_is_cut_at_its_limit(self, run: Run, language: str) -> None:
        result = only(run(language, PROGRAMS[language].floods, limits=SMALL))
        assert result.status is RunStatus.OUTPUT_LIMIT
        assert len(result.stdout) == 64 * 1024
        assert result.wall_ms < 5000

    def test_unicode_passes_through(self, run: Run, language: str) -> None:
        said = only(run(language, PROGRAMS[language].unicode, "žŁ\n".encode())).stdout.decode()
        assert said.split() == ["é", "žŁ", "2"]

    def test_a_large_input_arrives_whole(self, run: Run, language: str) -> None:
        count = 300_000
        text = "\n".join(str(n) for n in range(count)).encode()
        assert only(run(language, PROGRAMS[language].total, text)).stdout == b"%d\n" % (count * (count - 1) // 2)

    @pytest.mark.parametrize("compiled", [name for name, programs in PROGRAMS.items() if programs.broken])
    def test_a_program_that_does_not_compile(self, run: Run, compiled: str) -> None:
        report = run(compiled, PROGRAMS[compiled].broken)
        assert report.compilation is not None
        assert not report.compilation.succeeded
        assert "error" in report.compilation.output
        assert report.results == ()


class HugeAllocationTestCase:
    """One request for memory that fails at once, at a small peak, is the memory limit where the runtime says so."""

    @pytest.mark.parametrize(
        ("language", "code"),
        [
            pytest.param("python", "bytearray(10 ** 10)", id="python"),
            pytest.param("cpp", "#include <vector>\nint main(){std::vector<char> v(1ul<<34);return v[1];}", id="cpp"),
            pytest.param(
                "java",
                "public class Main{public static void main(String[] a){long[][] x=new long[99][99999999];}}",
                id="java",
            ),
            pytest.param("javascript", "const kept = new Array(1e8).fill(1.5); kept.concat(kept)", id="javascript"),
        ],
    )
    def test_it_is_the_memory_limit(self, run: Run, language: str, code: str) -> None:
        assert only(run(language, code, limits=SMALL)).status is RunStatus.MEMORY_LIMIT

    def test_in_c_it_is_what_the_program_makes_of_it(self, run: Run) -> None:
        code = "#include <stdlib.h>\nint main(){volatile char*p=malloc(1ul<<34);if(!p)return 7;p[0]=1;return 0;}"
        result = only(run("c", code, limits=SMALL))
        assert (result.status, result.exit_code) == (RunStatus.EXITED, 7)

    def test_a_static_array_that_is_too_large(self, run: Run) -> None:
        code = "static char a[200<<20];int main(int c,char**v){for(long i=0;i<200<<20;i+=999)a[i]=c;return a[c]-1;}"
        assert only(run("c", code, limits=SMALL)).status is RunStatus.MEMORY_LIMIT


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

    def test_endless_recursion_is_a_crash_and_not_the_memory_limit(self, run: Run) -> None:
        code = "int f(int n){volatile char b[999];b[0]=n;return f(n+1)+b[0];}int main(){return f(0);}"
        result = only(run("c", code))
        assert (result.status, result.signal) == (RunStatus.SIGNALED, 11)

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
