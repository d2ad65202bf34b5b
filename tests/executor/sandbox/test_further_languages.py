"""What is particular to the further languages: how their programs read, and what they must not reach."""

from dataclasses import replace

import pytest

from executor.engines.base import Limits, RunReport, RunRequest, RunStatus, SourceFile, Toolchain
from executor.engines.sandbox import SandboxEngine
from executor.judging.languages import LANGUAGES
from tests.executor.sandbox.conftest import LIMITS, Run, only

TABLE = b"create table animals(name, legs); insert into animals values ('cat', 4), ('hen', 2);\n"
SQL = LANGUAGES["sql"].toolchain


def run_with(engine: SandboxEngine, toolchain: Toolchain, name: str, code: str, stdin: bytes = b"") -> RunReport:
    file = SourceFile(name=name, content=code)
    return engine.run(RunRequest(toolchain=toolchain, files=(file,), inputs=(stdin,), limits=LIMITS))


class TypeScriptTestCase:
    @pytest.mark.parametrize(
        "code",
        [
            pytest.param(
                'import * as fs from "fs"; console.log(fs.readFileSync(0, "utf8").split("\\n").length)', id="fs"
            ),
            pytest.param(
                'const fs = require("fs"); console.log(fs.readFileSync(0).toString().split("\\n").length)', id="require"
            ),
            pytest.param(
                'import { createInterface } from "node:readline"; let n = 1;'
                'createInterface({ input: process.stdin }).on("line", (line) => { n += Number(line.length > 0); })'
                '.on("close", () => console.log(n));',
                id="readline",
            ),
            pytest.param(
                'let text = ""; process.stdin.setEncoding("utf8"); process.stdin.on("data", (part) => (text += part));'
                'process.stdin.on("end", () => process.stdout.write(`${text.split("\\n").length}\\n`));',
                id="process.stdin",
            ),
            pytest.param(
                'import rl from "readline"; (async () => { let n = 1;'
                "for await (const line of rl.createInterface({ input: process.stdin })) n += Math.sign(line.length);"
                "console.log(n); })();",
                id="for await",
            ),
        ],
    )
    def test_the_usual_ways_to_read_have_types(self, run: Run, code: str) -> None:
        assert only(run("typescript", code, b"one\ntwo\n")).stdout == b"3\n"

    @pytest.mark.parametrize(
        ("code", "said"),
        [
            pytest.param("document.title", "'document'", id="a browser's global"),
            pytest.param('import { twice } from "./nowhere"', "'./nowhere'", id="a module that is not there"),
            pytest.param('const n: number = require("readline").x; n.y', "'y'", id="an unknown property"),
            pytest.param(
                'import fs from "fs"; const n: number = fs.readFileSync(0, "utf8")', "'string'", id="what reading gives"
            ),
        ],
    )
    def test_a_type_error_is_a_compile_error(self, run: Run, code: str, said: str) -> None:
        report = run("typescript", code)
        assert report.compilation is not None
        assert not report.compilation.succeeded
        assert report.compilation.output.startswith("main.ts(1,")
        assert said in report.compilation.output

    def test_control_without_our_declarations_nothing_of_node_is_known(self, engine: SandboxEngine) -> None:
        bare = replace(LANGUAGES["typescript"].toolchain, support_files=())
        report = run_with(engine, bare, "main.ts", "process.exit(0)")
        assert report.compilation is not None
        assert "'process'" in report.compilation.output

    def test_a_program_s_own_declarations_come_first(self, run: Run) -> None:
        files = {"node.d.ts": "declare const console: { log(value: number): void };"}
        assert only(run("typescript", "console.log(7)", files=files)).stdout == b"7\n"
        report = run("typescript", "console.log('seven')", files=files)
        assert report.compilation is not None
        assert not report.compilation.succeeded


class SqlTestCase:
    def test_the_input_fills_the_tables_and_the_script_asks_them(self, run: Run) -> None:
        report = run(
            "sql", "select name, legs from animals order by legs;", TABLE, b"create table animals(name, legs);"
        )
        assert [result.stdout for result in report.results] == [b"hen|2\ncat|4\n", b""]

    def test_the_input_may_say_how_rows_are_shown(self, run: Run) -> None:
        assert only(run("sql", "select * from animals", TABLE + b".mode csv\n.headers on\n")).stdout == (
            b"name,legs\r\ncat,4\r\nhen,2\r\n"
        )

    def test_nothing_is_left_for_the_next_test(self, run: Run) -> None:
        report = run("sql", "create table mine(x); select count(*) from sqlite_schema;", b"", b"")
        assert [result.stdout for result in report.results] == [b"1\n", b"1\n"]

    @pytest.mark.parametrize(
        "code",
        [
            ".shell echo reached",
            ".system echo reached",
            "select 1;\n.shell echo reached",
            ".read main.sql",
            ".import main.sql animals",
            ".load ./x",
            ".once reached",
            "attach 'other.db' as other; select 'reached';",
            "select load_extension('./x'), 'reached';",
            "select 'reached' || readfile('main.sql');",
            "select writefile('x', 'x'), 'reached';",
            "select edit('reached', 'cat');",
            "vacuum into 'x.db'; select 'reached';",
        ],
    )
    def test_a_script_reaches_nothing_but_its_database(self, run: Run, code: str) -> None:
        result = only(run("sql", code, TABLE))
        assert (result.status, result.exit_code) == (RunStatus.EXITED, 1)
        assert b"reached" not in result.stdout

    def test_control_without_the_safe_mode_it_would(self, engine: SandboxEngine) -> None:
        unsafe = replace(SQL, run_argv=tuple(word for word in SQL.run_argv if word != "-safe"))
        assert b"reached" in only(run_with(engine, unsafe, "main.sql", "attach 'x.db' as x; select 'reached';")).stdout

    def test_control_as_a_file_its_dot_commands_would_be_obeyed(self, engine: SandboxEngine) -> None:
        read = (*(word for word in SQL.run_argv[:-1] if word != "-safe"), ".read {main}")
        assert (
            only(run_with(engine, replace(SQL, run_argv=read), "main.sql", ".shell echo reached")).stdout
            == b"reached\n"
        )

    def test_text_that_looks_like_a_placeholder_is_text(self, run: Run) -> None:
        assert only(run("sql", "select '{main} {stem} {main_text}';")).stdout == b"{main} {stem} {main_text}\n"


class BashTestCase:
    @pytest.mark.parametrize(
        ("code", "printed"),
        [
            pytest.param("sort -n | uniq | tr '\\n' ' '", "1 2 10 ", id="a pipe"),
            pytest.param('paste -sd, <(seq 3) | tr -d "\\n"', "1,2,3", id="process substitution"),
            pytest.param('cat <<< "here $(wc -l)"', "here 4\n", id="a here-string"),
            pytest.param("mapfile -t lines; echo ${#lines[@]} $((2 ** 40))", "4 1099511627776\n", id="arrays"),
            pytest.param("sleep 0.01 & wait $!; echo $?", "0\n", id="a job"),
            pytest.param("echo x > own.txt; ls; rm own.txt; ls", "main.sh\nown.txt\nmain.sh\n", id="files"),
        ],
    )
    def test_scripts_have_what_they_are_used_to(self, run: Run, code: str, printed: str) -> None:
        result = only(run("bash", code, b"10\n1\n2\n1\n"))
        assert (result.stdout.decode(), result.stderr) == (printed, b"")

    def test_control_process_substitution_is_what_proc_is_for(self, engine: SandboxEngine) -> None:
        without = replace(LANGUAGES["bash"].toolchain, needs_proc_to_run=False)
        assert b"1,2,3" not in only(run_with(engine, without, "main.sh", "paste -sd, <(seq 3)")).stdout


class GoTestCase:
    def test_goroutines_share_the_processor_within_a_small_limit(self, run: Run) -> None:
        code = (
            'package main\nimport ("fmt"; "runtime"; "sync")\n'
            "func main() { var all sync.WaitGroup; c := make(chan int, 9)\n"
            "for i := 0; i < 1000; i++ { all.Add(1); go func(i int) { defer all.Done(); c <- i; <-c }(i) }\n"
            "all.Wait(); fmt.Println(runtime.GOMAXPROCS(0)) }"
        )
        limits = Limits(time_limit_ms=5000, wall_limit_ms=10_000, memory_limit_mb=32)
        assert only(run("go", code, limits=limits)).stdout == b"1\n"


class PhpTestCase:
    def test_warnings_are_not_among_the_answers(self, run: Run) -> None:
        result = only(run("php", "<?php echo $undefined, 'answer';"))
        assert result.stdout == b"answer"
        assert b"Undefined variable" in result.stderr

    def test_installed_extensions_are_there(self, run: Run) -> None:
        assert only(run("php", "<?php echo ctype_digit('12') ? 'yes' : 'no';")).stdout == b"yes"


class JavaTestCase:
    def test_sixty_threads_are_no_matter_of_memory(self, run: Run) -> None:
        """Each has a stack as large as the main one, of which next to nothing is touched."""
        code = (
            "import java.util.concurrent.*;\n"
            "public class Main {\n  public static void main(String[] words) throws Exception {\n"
            "    CountDownLatch all = new CountDownLatch(60);\n"
            "    ExecutorService pool = Executors.newFixedThreadPool(60);\n"
            "    for (int n = 0; n < 60; n++)\n"
            "      pool.submit(() -> { all.countDown(); all.await(); return 1; });\n"
            '    all.await();\n    pool.shutdown();\n    System.out.println("met");\n  }\n}\n'
        )
        result = only(run("java", code, limits=Limits(time_limit_ms=10_000, wall_limit_ms=20_000, memory_limit_mb=64)))
        assert (result.stdout, result.status) == (b"met\n", RunStatus.EXITED), result.stderr
