"""The programs of the benchmark, and how each is compiled and run the plain way."""

from dataclasses import dataclass

from executor.engines.base import Engine, Limits, RunRequest, SourceFile
from executor.engines.sandbox.host import find_program
from executor.judging.languages import LANGUAGES

# Such as problems have; a Judge0 puts as many tests into one job as its own limits give room for.
LIMITS = Limits(time_limit_ms=2_000, wall_limit_ms=6_000, memory_limit_mb=256)


@dataclass(frozen=True, slots=True, kw_only=True)
class BenchProgram:
    """A program that prints the sum of two numbers, one pair a test.

    `compile_words` and `run_words` are what a person would type; `{directory}` holds the program. They do without the
    sandbox's own flags: what those save is the sandbox's doing. `comment` opens a comment to the end of the line.
    """

    language: str
    source: str
    run_words: tuple[str, ...]
    compile_words: tuple[str, ...] = ()
    comment: str = "//"

    @property
    def main_name(self) -> str:
        """The file name of the source."""
        return LANGUAGES[self.language].main_name

    def missing(self, engine: Engine) -> str | None:
        """None where it can be run, in the engine and bare; otherwise a sentence that names what is missing."""
        for words in (self.compile_words, self.run_words):
            if words and "/" not in words[0] and find_program(words[0]) is None:
                return f"{words[0]} is missing"
        return engine.missing_for(LANGUAGES[self.language].toolchain)


def argv(words: tuple[str, ...], directory: str) -> list[str]:
    """The command line in a directory, its program by absolute path: a version manager's shim would flatter a ratio.

    Raises:
        FileNotFoundError: the program is not installed.
    """
    first, *rest = [word.replace("{directory}", directory) for word in words]
    path = first if "/" in first else find_program(first)
    if path is None:
        raise FileNotFoundError(f"{first} is missing")
    return [path, *rest]


def inputs(tests: int) -> tuple[bytes, ...]:
    """The stdin of each test; no two are alike, so that answers which changed places are found out."""
    return tuple(b"[%d, %d]\n" % (number, number * 7 + 1) for number in range(tests))


def answers(tests: int) -> list[bytes]:
    """What each test must print, but for the white space around it."""
    return [b"%d" % (number * 8 + 1) for number in range(tests)]


def request_for(
    program: BenchProgram,
    *,
    tests: int,
    source: str | None = None,
    is_exclusive: bool = False,
    limits: Limits = LIMITS,
) -> RunRequest:
    """The program as an engine takes it, or another source in its place."""
    return RunRequest(
        toolchain=LANGUAGES[program.language].toolchain,
        files=(SourceFile(name=program.main_name, content=program.source if source is None else source),),
        inputs=inputs(tests),
        limits=limits,
        is_exclusive=is_exclusive,
    )


_CPP_MAIN = """
int main() {
    char mark;
    long a, b;
    std::cin >> mark >> a >> mark >> b;
    std::cout << a + b << std::endl;
}
"""
_CPP_COMPILE = ("g++", "-std=gnu++17", "-O2", "-o", "{directory}/program", "{directory}/main.cpp")

PYTHON = BenchProgram(
    language="python",
    source="""\
import json
import sys


def solve(a, b):
    return a + b


print(json.dumps(solve(*json.load(sys.stdin))))
""",
    run_words=("python3", "{directory}/main.py"),
    comment="#",
)
CPP_IOSTREAM = BenchProgram(
    language="cpp",
    source="#include <iostream>\n" + _CPP_MAIN,
    compile_words=_CPP_COMPILE,
    run_words=("{directory}/program",),
)
CPP_BITS = BenchProgram(
    language="cpp",
    source="#include <bits/stdc++.h>\n" + _CPP_MAIN,
    compile_words=_CPP_COMPILE,
    run_words=("{directory}/program",),
)
JAVASCRIPT = BenchProgram(
    language="javascript",
    source="""\
const [a, b] = JSON.parse(require("fs").readFileSync(0, "utf8"));
console.log(a + b);
""",
    run_words=("node", "{directory}/main.js"),
)
JAVA = BenchProgram(
    language="java",
    source="""\
import java.io.BufferedReader;
import java.io.InputStreamReader;

public class Main {
    public static void main(String[] words) throws Exception {
        String line = new BufferedReader(new InputStreamReader(System.in)).readLine();
        int comma = line.indexOf(',');
        long a = Long.parseLong(line.substring(1, comma).trim());
        long b = Long.parseLong(line.substring(comma + 1, line.length() - 1).trim());
        System.out.println(a + b);
    }
}
""",
    compile_words=("javac", "-d", "{directory}", "{directory}/Main.java"),
    run_words=("java", "-cp", "{directory}", "Main"),
)
