"""The stand-in as a Judge0 that executes: the same programs get the same verdicts there as in the sandbox."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace

import pytest

from executor.engines.base import Engine, SourceFile
from executor.engines.judge0 import Judge0Engine
from executor.engines.sandbox import SandboxEngine
from executor.judging.checkers import CheckerSpec
from executor.judging.languages import LANGUAGES
from executor.judging.plan import JudgingPlan, PlannedTest
from executor.services.code_executor import CodeExecutorService
from executor.services.engines import engine_named
from tests.executor.judge0.standin import StandIn
from tests.executor.judge0.standin.execution import Executor

DOUBLE_C = '#include <stdio.h>\nint main(void) { int n; scanf("%d", &n); printf("%d\\n", 2 * n); return 0; }\n'
DOUBLE_JAVA = (
    "public class Main { public static void main(String[] a) {"
    " System.out.println(2 * new java.util.Scanner(System.in).nextInt()); } }"
)
# language, program: each on the inputs 1 and 2, to be doubled
PROGRAMS = {
    "right": ("python", "print(2 * int(input()))"),
    "wrong on one": ("python", "print(int(input()) + 1)"),
    "exit status": ("python", "import sys\nprint(2 * int(input()))\nsys.exit(3)"),
    "signal": ("python", "import os\nos.kill(os.getpid(), 11)"),
    "syntax error": ("python", "print("),
    "CPU time": ("python", "while True: pass"),
    "wall time": ("python", "import time\ntime.sleep(60)"),
    "memory": ("python", "kept = bytearray(500 << 20)\nfor at in range(0, len(kept), 4096): kept[at] = 1"),
    "output": ("python", "while True: print('x' * 1000)"),
    "right in C": ("c", DOUBLE_C),
    "segmentation fault in C": ("c", "int main(void) { return *(volatile int *)0; }"),
    "division by zero in C": ("c", "int main(void) { volatile int n = 0; return 1 / n; }"),
    "output in C": ("c", '#include <stdio.h>\nint main(void) { for (;;) puts("xxxxxxxxxxxxxxxxxxxxxxxx"); }'),
    "compile error in C": ("c", "int main(void) { return x; }"),
    "right in C++": ("cpp", "#include <iostream>\nint main() { int n; std::cin >> n; std::cout << 2 * n; }"),
    "right in Java": ("java", DOUBLE_JAVA),
    "right in JavaScript": ("javascript", "console.log(2 * Number(require('fs').readFileSync(0)))"),
}
SLOW = ("CPU time", "wall time")
# A shared job shows its own ways with these; the others only take time.
SHARED = ("right", "wrong on one", "signal", "output", "memory", "right in C", "right in JavaScript")


def plan_of(name: str, *, tests: int = 2) -> JudgingPlan:
    key, code = PROGRAMS[name]
    language = LANGUAGES[key]
    return JudgingPlan(
        language=language,
        files=(SourceFile(name=language.main_name, content=code),),
        tests=tuple(PlannedTest(key=n, input=f"{n}\n", expected=str(2 * n)) for n in range(1, tests + 1)),
        checker=CheckerSpec(name="tokens"),
        time_limit_ms=1000,
        memory_limit_mb=256,
        is_exclusive=True,
    )


@pytest.fixture(scope="module")
def standin() -> Iterator[StandIn]:
    executor = Executor()
    with StandIn(executor) as standin:
        yield standin
    executor.close()


@pytest.fixture(scope="module")
def judge0(standin: StandIn) -> Judge0Engine:
    return Judge0Engine(base_url=standin.url)


@pytest.fixture(scope="module")
def sandbox() -> Engine:
    return engine_named("sandbox")


def verdicts(plan: JudgingPlan, engine: Engine) -> list[str]:
    outcome = CodeExecutorService(engine).run_all_test_cases(plan)
    return [outcome.verdict.value, *(test.verdict.value for test in outcome.tests)]


class ExecutionTestCase:
    @pytest.mark.parametrize("name", PROGRAMS)
    def test_a_job_for_each_test_gives_the_sandboxs_verdicts(
        self, name: str, judge0: Judge0Engine, sandbox: SandboxEngine
    ) -> None:
        plan = plan_of(name, tests=1 if name in SLOW else 2)
        found = verdicts(plan, judge0)
        assert found == verdicts(plan, sandbox)
        assert (found[0] == "accepted") is name.startswith("right")

    @pytest.mark.parametrize("name", SHARED)
    def test_so_does_one_job_for_all(self, name: str, judge0: Judge0Engine, sandbox: SandboxEngine) -> None:
        plan = replace(plan_of(name), is_exclusive=False)
        assert verdicts(plan, judge0) == verdicts(plan, sandbox)

    def test_without_additional_files_python_goes_as_it_is(self) -> None:
        executor = Executor()
        with StandIn(executor) as standin:
            standin.api.config["enable_additional_files"] = False
            engine = Judge0Engine(base_url=standin.url)
            assert verdicts(plan_of("right"), engine)[0] == "accepted"
            signaled = CodeExecutorService(engine).run_all_test_cases(plan_of("signal"))
            assert all("source_code" in submission for submission in standin.api.submissions)
        executor.close()
        assert [test.result and test.result.signal for test in signaled.tests] == [11, 11]

    def test_twenty_tests_of_a_python_submission_cost_at_most_two_posts(
        self, standin: StandIn, judge0: Judge0Engine, capsys: pytest.CaptureFixture[str]
    ) -> None:
        judge0.health()
        before = standin.counts.copy()
        outcome = CodeExecutorService(judge0).run_all_test_cases(
            replace(plan_of("right", tests=20), is_exclusive=False)
        )
        cost = standin.counts - before
        with capsys.disabled():
            sys.stdout.write(f"\n20 tests of a Python submission: {dict(cost)}\n")
        assert (outcome.verdict.value, len(outcome.tests)) == ("accepted", 20)
        assert cost["create"] <= 2

    def test_a_person_can_start_it_and_it_counts(self) -> None:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.executor.judge0.standin", "--port", "0"],
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )
        try:
            assert process.stdout is not None
            said = re.search(r"http://127\.0\.0\.1:[0-9]+", process.stdout.readline())
            assert said is not None
            assert verdicts(plan_of("right"), Judge0Engine(base_url=said[0]))[0] == "accepted"
            process.send_signal(signal.SIGTERM)
            rest, _ = process.communicate(timeout=30)
        finally:
            process.kill()
            process.wait()
            assert process.stdout is not None
            process.stdout.close()
        counts = json.loads(rest)
        assert (counts["create"], counts["jobs"], counts["config_info"]) == (1, 2, 1)
        assert process.returncode == 0
