"""CodeExecutorService on the real sandbox: real interpreters and compilers, real limits."""

from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import pytest

from executor.engines.base import EngineUnavailable, SourceFile
from executor.judging.outcome import JudgingOutcome
from executor.judging.plan import PlanError
from executor.judging.verdicts import Verdict
from executor.judging.wrapping import WrappingError
from executor.services.code_executor import CodeExecutorService
from executor.services.engines import engine_named
from tests.executor.fakes import ScriptedEngine
from tests.executor.plans import DOUBLES, TESTS, function_plan, plan, verdicts


@pytest.fixture(scope="module")
def service() -> CodeExecutorService:
    return CodeExecutorService(engine_named("sandbox"))


class CodeExecutorServiceTestCase:
    @pytest.mark.parametrize("language", DOUBLES)
    def test_a_right_stdio_program_is_accepted(self, service: CodeExecutorService, language: str) -> None:
        outcome = service.run_all_test_cases(plan(language, DOUBLES[language], TESTS))
        assert (outcome.verdict, outcome.score) == (Verdict.ACCEPTED, Decimal(100))
        assert (outcome.engine, outcome.tier) == ("sandbox", "A")
        assert outcome.time_ms is not None
        assert outcome.memory_kib is not None
        assert outcome.memory_kib > 0

    @pytest.mark.parametrize(
        ("language", "code"),
        [
            ("python", "def solve(a, b):\n    print('noise')\n    return {'sum': a + b}"),
            ("javascript", "const solve = (a, b) => { console.log('noise'); return {sum: a + b}; };"),
            ("javascript", "module.exports.solve = async (a, b) => ({sum: a + b});"),
        ],
    )
    def test_a_function_is_called_and_its_value_compared(
        self, service: CodeExecutorService, language: str, code: str
    ) -> None:
        tests = [("[1, 2]", '{"sum": 3}'), ("[-1, 1]", '{"sum": 0.0}'), ('["a", "b"]', '{"sum": "ab"}')]
        outcome = service.run_all_test_cases(function_plan(language, code, tests))
        assert verdicts(outcome) == ["accepted"] * 3

    def test_an_object_of_arguments_goes_by_keyword(self, service: CodeExecutorService) -> None:
        made = function_plan(
            "python", "def solve(*, left, right): return left - right", [('{"right": 1, "left": 5}', "4")]
        )
        assert service.run_all_test_cases(made).verdict is Verdict.ACCEPTED

    def test_some_fail(self, service: CodeExecutorService) -> None:
        code = "n = int(input())\nprint(n * 2 if n > 0 else 0)"
        outcome = service.run_all_test_cases(plan("python", code, TESTS))
        assert verdicts(outcome) == ["accepted", "accepted", "wrong_answer"]
        assert (outcome.verdict, outcome.score) == (Verdict.WRONG_ANSWER, Decimal("66.66"))

    def test_the_first_failure_may_end_it(self, service: CodeExecutorService) -> None:
        made = plan("python", "print(0)", TESTS, stops_at_first_failure=True)
        assert verdicts(service.run_all_test_cases(made)) == ["wrong_answer", "skipped", "skipped"]

    @pytest.mark.parametrize(
        ("language", "code", "verdict"),
        [
            ("python", "while True: pass", Verdict.TIME_LIMIT_EXCEEDED),
            ("python", "import time; time.sleep(60)", Verdict.TIME_LIMIT_EXCEEDED),
            ("python", "x = bytearray(1 << 30); print(len(x))", Verdict.MEMORY_LIMIT_EXCEEDED),
            ("python", "x = []\nwhile True: x.append('x' * 100000)", Verdict.MEMORY_LIMIT_EXCEEDED),
            ("python", "while True: print('x' * 1000)", Verdict.OUTPUT_LIMIT_EXCEEDED),
            ("python", "print(", Verdict.RUNTIME_ERROR),
            ("python", "import no_such_module", Verdict.RUNTIME_ERROR),
            ("python", "'a' + 1", Verdict.RUNTIME_ERROR),
            ("python", "import sys; sys.exit(3)", Verdict.RUNTIME_ERROR),
            ("c", "int main(void) { return *(volatile int *)0; }", Verdict.RUNTIME_ERROR),
            ("c", "int main(void) { return x; }", Verdict.COMPILATION_ERROR),
            ("cpp", "#include <vector>\nint main() { std::vector<int> v(1 << 30, 1); }", Verdict.MEMORY_LIMIT_EXCEEDED),
            ("java", "public class Main { int x = no; }", Verdict.COMPILATION_ERROR),
            ("javascript", "for (;;) {}", Verdict.TIME_LIMIT_EXCEEDED),
            ("javascript", "null.x", Verdict.RUNTIME_ERROR),
        ],
    )  # fmt: skip
    def test_each_way_to_fail(self, service: CodeExecutorService, language: str, code: str, verdict: Verdict) -> None:
        outcome = service.run_all_test_cases(plan(language, code, [("1", "2")], time_limit_ms=500))
        assert outcome.verdict is verdict
        assert outcome.score == 0

    def test_a_compiler_s_message_has_the_student_s_lines(self, service: CodeExecutorService) -> None:
        outcome = service.run_all_test_cases(plan("c", "\n\nint main(void) { return x; }", TESTS))
        assert outcome.compilation is not None
        assert "main.c:3" in outcome.compilation.output
        assert verdicts(outcome) == ["skipped"] * 3

    def test_a_traceback_has_the_student_s_lines_and_none_of_ours(self, service: CodeExecutorService) -> None:
        made = function_plan("python", "\n\ndef solve(a):\n    return a / 0\n", [("[1]", "1")])
        (test,) = service.run_all_test_cases(made).tests
        assert test.result is not None
        stderr = test.result.stderr.decode()
        assert 'File "solution.py", line 4' in stderr
        assert "_assay" not in stderr

    @pytest.mark.parametrize(
        ("code", "verdict"),
        [
            ("import sys\nsys.exit(0)", Verdict.RUNTIME_ERROR),
            ("import os\ndef solve(a): os._exit(0)", Verdict.RUNTIME_ERROR),
            ("def solve(a): return {1, 2}", Verdict.WRONG_ANSWER),
            ("def solve(a): return float('nan')", Verdict.WRONG_ANSWER),
            (
                "class Same:\n    def __eq__(self, other): return True\ndef solve(a): return Same()",
                Verdict.WRONG_ANSWER,
            ),
            ("solve = 7", Verdict.RUNTIME_ERROR),
            ("print('42')", Verdict.RUNTIME_ERROR),
        ],
    )
    def test_tricks_gain_nothing(self, service: CodeExecutorService, code: str, verdict: Verdict) -> None:
        assert service.run_all_test_cases(function_plan("python", code, [("[1]", "42")])).verdict is verdict

    def test_the_main_guard_does_not_run_in_a_function_problem(self, service: CodeExecutorService) -> None:
        code = "def solve(a): return a\nif __name__ == '__main__':\n    1 / 0\n"
        assert service.run_all_test_cases(function_plan("python", code, [("[1]", "1")])).verdict is Verdict.ACCEPTED

    def test_classes_of_a_solution_know_their_module(self, service: CodeExecutorService) -> None:
        code = (
            "from __future__ import annotations\nfrom dataclasses import dataclass\n"
            "@dataclass\nclass Pair:\n    a: int\n    b: int\n"
            "def solve(a, b): return Pair(a, b).b"
        )
        assert service.run_all_test_cases(function_plan("python", code, [("[1, 2]", "2")])).verdict is Verdict.ACCEPTED

    @pytest.mark.parametrize(
        ("language", "files"),
        [
            ("python", {"main.py": "import lib; print(lib.f(int(input())))", "lib.py": "def f(n): return n * 2"}),
            (
                "c",
                {
                    "main.c": '#include <stdio.h>\n#include "lib.h"\n'
                    'int main(void) { int n; scanf("%d", &n); printf("%d", f(n)); }',
                    "lib.h": "int f(int);",
                    "lib.c": "int f(int n) { return 2 * n; }",
                },
            ),
            (
                "java",
                {
                    "Main.java": "public class Main { public static void main(String[] a) {"
                    " System.out.println(Lib.f(new java.util.Scanner(System.in).nextInt())); } }",
                    "Lib.java": "class Lib { static int f(int n) { return 2 * n; } }",
                },
            ),
            (
                "javascript",
                {
                    "main.js": "console.log(require('./lib.js').f(+require('fs').readFileSync(0)))",
                    "lib.js": "exports.f = n => 2 * n",
                },
            ),
        ],
    )
    def test_several_files(self, service: CodeExecutorService, language: str, files: dict[str, str]) -> None:
        sources = tuple(SourceFile(name=name, content=content) for name, content in files.items())
        outcome = service.run_all_test_cases(plan(language, "", TESTS, files=sources))
        assert outcome.verdict is Verdict.ACCEPTED, outcome

    def test_an_author_s_template_for_a_compiled_language(self, service: CodeExecutorService) -> None:
        template = (
            "#include <stdio.h>\n{{{ code }}}\n"
            'int main(void) { int n; scanf("%d", &n); printf("%d\\n", {{{ entry_point }}}(n)); return 0; }\n'
        )
        made = plan("c", "int twice(int n) { return 2 * n; }", TESTS, entry_point="twice", template=template)
        assert service.run_all_test_cases(made).verdict is Verdict.ACCEPTED

    def test_several_submissions_at_once_do_not_mix(self, service: CodeExecutorService) -> None:
        def judge(number: int) -> JudgingOutcome:
            return service.run_all_test_cases(plan("python", f"print({number})", [("", str(number))] * 3))

        with ThreadPoolExecutor(4) as threads:
            outcomes = list(threads.map(judge, range(12)))
        assert {outcome.verdict for outcome in outcomes} == {Verdict.ACCEPTED}

    def test_expected_outputs_are_nowhere_in_the_box(self, service: CodeExecutorService) -> None:
        code = (
            "import gc, os\n"
            "word = 'CAN' + 'ARY'\n"
            "count = sum(word in text for text in gc.get_objects() if isinstance(text, str) and text is not word)\n"
            "for root, dirs, names in os.walk('/'):\n"
            "    if root == '/': dirs.remove('usr')\n"
            "    if root.count('/') > 4: dirs.clear()\n"
            "    for name in names:\n"
            "        try: count += word in open(os.path.join(root, name), errors='replace').read(65536)\n"
            "        except OSError: pass\n"
            "print(count)"
        )
        (test,) = service.run_all_test_cases(plan("python", code, [("", "CANARY")], time_limit_ms=10_000)).tests
        assert test.printed == b"0\n"

    def test_what_cannot_be_judged_is_an_authoring_fault(self, service: CodeExecutorService) -> None:
        with pytest.raises(PlanError):
            service.run_all_test_cases(plan("python", "print(1)", []))
        with pytest.raises(WrappingError):
            service.run_all_test_cases(function_plan("c", "int solve(int n) { return n; }", [("[1]", "1")]))

    def test_an_engine_that_fails_is_no_verdict(self) -> None:
        broken = CodeExecutorService(ScriptedEngine(lambda stdin: EngineUnavailable("gone")))
        with pytest.raises(EngineUnavailable):
            broken.run_all_test_cases(plan("python", "print(1)", TESTS))
