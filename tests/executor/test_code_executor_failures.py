"""CodeExecutorService when programs or engines fail: on the real sandbox, and on a Judge0 as it really answers."""

import base64
import socket
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests
from django.utils import timezone

from executor.engines.base import EngineError, EngineProtocolError, EngineRejected, EngineUnavailable
from executor.engines.judge0 import Judge0Engine
from executor.judging.outcome import JudgingOutcome
from executor.queue.claims import claim_next
from executor.queue.judge import judge_claimed
from executor.services.code_executor import CodeExecutorService
from executor.services.engines import engine_named
from tests.executor.factories import SubmissionFactory
from tests.executor.judge0.support import FakeJudge0, b64, engine_with, mounted, recorded_job
from tests.executor.plans import DOUBLES, TESTS, plan, verdicts


@pytest.fixture(scope="module")
def service() -> CodeExecutorService:
    return CodeExecutorService(engine_named("sandbox"))


def refused_port() -> int:
    """A port of loopback that nobody listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


class CodeExecutorServiceTestCase:
    """Lines 1 to 5 and 8 of the test plan, where something fails."""

    # Line 1: Judge0's statuses are mapped to ours; recorded answers of a real one, a job per test.

    @pytest.mark.parametrize(
        ("job", "verdict"),
        [
            ("accepted", "accepted"),
            ("wrong-answer", "accepted"),
            ("tle-cpu", "time_limit_exceeded"),
            ("tle-wall", "time_limit_exceeded"),
            ("fork-bomb-c", "time_limit_exceeded"),
            ("memory-c", "memory_limit_exceeded"),
            ("memory-python", "memory_limit_exceeded"),
            ("segv-c", "runtime_error"),
            ("fpe-c", "runtime_error"),
            ("abort-c", "runtime_error"),
            ("exit-3", "runtime_error"),
            ("python-exception", "runtime_error"),
            ("python-syntax-error", "runtime_error"),
            ("7-multi-file-exec-segv", "runtime_error"),
            ("9-multi-file-exec-fpe", "runtime_error"),
            ("10-multi-file-exec-abort", "runtime_error"),
            ("12-bash-kill-parent", "runtime_error"),
        ],
    )
    def test_judge0_s_status_becomes_our_verdict(self, job: str, verdict: str) -> None:
        """What Judge0 thinks of an output does not matter: 3 and 4 both go to our checker."""
        fake = FakeJudge0(lambda number, sent: [recorded_job(job)])
        answer = recorded_job("accepted" if verdict != "accepted" else job)["stdout"]
        tests = [("1", _text(answer)), ("2", "never this")]
        # The limit that the recordings were made with.
        made = plan("python", "1", tests, memory_limit_mb=125, is_exclusive=True)
        with mounted(fake):
            outcome = CodeExecutorService(engine_with()).run_all_test_cases(made)
        assert verdicts(outcome) == ([verdict, "wrong_answer"] if verdict == "accepted" else [verdict] * 2)
        assert outcome.engine == "judge0"

    def test_what_waits_at_judge0_is_waited_for(self) -> None:
        states = [recorded_job("queued"), recorded_job("processing"), recorded_job("accepted", stdout=b64(b"2\n"))]
        with mounted(FakeJudge0(lambda number, sent: states)):
            outcome = CodeExecutorService(engine_with()).run_all_test_cases(
                plan("python", "1", [("1", "2")], is_exclusive=True)
            )
        assert verdicts(outcome) == ["accepted"]

    def test_judge0_s_own_internal_error_is_no_verdict(self) -> None:
        with mounted(FakeJudge0(lambda number, sent: [recorded_job("13-internal-error")])), pytest.raises(EngineError):
            CodeExecutorService(engine_with()).run_all_test_cases(plan("python", "1", TESTS, is_exclusive=True))

    @pytest.mark.parametrize("job", ["compile-error-c", "compile-error-cpp"])
    def test_judge0_s_compilation_error_skips_all_tests(self, job: str) -> None:
        with mounted(FakeJudge0(lambda number, sent: [recorded_job(job)])):
            outcome = CodeExecutorService(engine_with()).run_all_test_cases(
                plan("c" if job.endswith("-c") else "cpp", "x", TESTS, is_exclusive=True)
            )
        assert (outcome.verdict.value, outcome.score) == ("compilation_error", 0)
        assert verdicts(outcome) == ["skipped"] * 3

    # Line 2: connection refused, DNS failure, network time-out.

    def test_a_refused_connection_is_no_verdict(self) -> None:
        engine = Judge0Engine(base_url=f"http://127.0.0.1:{refused_port()}")
        with pytest.raises(EngineUnavailable):
            CodeExecutorService(engine).run_all_test_cases(plan("python", "1", TESTS))

    @pytest.mark.parametrize(
        ("fault", "error"),
        [
            (requests.ConnectionError("Name or service not known"), EngineUnavailable),
            (requests.ConnectTimeout("connect timed out"), EngineUnavailable),
            (requests.ReadTimeout("read timed out"), EngineUnavailable),
            (requests.exceptions.SSLError("certificate verify failed"), EngineUnavailable),
            ((503, {}, "queue is full"), EngineUnavailable),
            ((500, {}, ""), EngineUnavailable),
            ((422, {}, '{"language_id": ["does not exist"]}'), EngineRejected),
            ((201, {}, "{"), EngineProtocolError),
        ],
        ids=["DNS", "connect timeout", "read timeout", "TLS", "503", "500", "422", "cut JSON"],
    )
    def test_each_fault_of_the_way_is_an_exception_and_never_a_verdict(
        self, fault: object, error: type[EngineError]
    ) -> None:
        fake = FakeJudge0()
        fake.post_faults = [fault] * 50
        with mounted(fake), pytest.raises(error):
            CodeExecutorService(engine_with()).run_all_test_cases(plan("python", "1", TESTS))

    @pytest.mark.django_db
    def test_a_submission_waits_for_an_engine_that_cannot_be_reached(self) -> None:
        submission = SubmissionFactory()
        claim = claim_next()
        assert claim is not None
        judge_claimed(claim, CodeExecutorService(Judge0Engine(base_url=f"http://127.0.0.1:{refused_port()}")))
        submission.refresh_from_db()
        assert (submission.status, submission.score) == ("pending", None)
        assert submission.current_judgement.tries == 0
        assert submission.current_judgement.not_before > timezone.now()

    # Line 3: one test case fails; several fail.

    @pytest.mark.parametrize("failing", [{0}, {1}, {4}, {0, 4}, {1, 2, 3}, {0, 1, 2, 3, 4}])
    def test_exactly_the_failing_tests_fail(self, service: CodeExecutorService, failing: set[int]) -> None:
        code = f"n = int(input())\nprint(-1 if n in {failing!r} else n * n)"
        outcome = service.run_all_test_cases(plan("python", code, [(str(n), str(n * n)) for n in range(5)]))
        assert {test.key for test in outcome.tests if test.verdict.value == "wrong_answer"} == failing
        assert {test.key for test in outcome.tests if test.verdict.value == "accepted"} == set(range(5)) - failing
        assert outcome.score == 20 * (5 - len(failing))

    # Line 4: the time limit and the memory limit.

    @pytest.mark.parametrize(
        ("language", "code"),
        [
            ("python", "while True: pass"),
            ("c", "int main(void) { for (volatile unsigned i = 0;; i++) {} }"),
            ("cpp", "int main() { for (volatile unsigned i = 0;; i = i + 1) {} }"),
            ("java", "public class Main { public static void main(String[] a) { for (;;) {} } }"),
            ("javascript", "for (;;) {}"),
        ],
    )
    def test_the_time_limit_in_each_language(self, service: CodeExecutorService, language: str, code: str) -> None:
        outcome = service.run_all_test_cases(plan(language, code, [("1", "2")], time_limit_ms=400))
        assert (verdicts(outcome), outcome.score) == (["time_limit_exceeded"], 0)

    @pytest.mark.parametrize(
        ("language", "code"),
        [
            ("python", "x = []\nwhile True: x.append('x' * 100000)"),
            (
                "c",
                "#include <stdlib.h>\n#include <string.h>\n"
                "int main(void) { for (;;) memset(malloc(1 << 20), 1, 1 << 20); }",
            ),
            ("cpp", "#include <vector>\nint main() { std::vector<int> v(1 << 30, 1); return v[9]; }"),
            (
                "java",
                "import java.util.*;\npublic class Main { public static void main(String[] a) {"
                " List<int[]> all = new ArrayList<>(); for (;;) all.add(new int[1 << 20]); } }",
            ),
            ("javascript", "const all = []; for (;;) all.push(new Array(1000).fill(Math.random()));"),
        ],
    )
    def test_the_memory_limit_in_each_language(self, service: CodeExecutorService, language: str, code: str) -> None:
        made = plan(language, code, [("1", "2")], time_limit_ms=8000, memory_limit_mb=64)
        outcome = service.run_all_test_cases(made)
        assert (verdicts(outcome), outcome.score) == (["memory_limit_exceeded"], 0)

    # Line 5: syntax errors, import errors, type errors.

    @pytest.mark.parametrize(
        ("language", "code", "says"),
        [
            ("python", "def f(:\n    pass", b"SyntaxError"),
            ("python", "if True:\nprint(1)", b"IndentationError"),
            ("python", "import no_such_module", b"ModuleNotFoundError"),
            ("python", "from os import no_such_name", b"ImportError"),
            ("python", "'a' + 1", b"TypeError"),
            ("python", "int('a')", b"ValueError"),
            ("python", "[][1]", b"IndexError"),
            ("javascript", "let let = 1;", b"SyntaxError"),
            ("javascript", "require('no-such-module')", b"Cannot find module"),
            ("javascript", "null.x", b"TypeError"),
            ("javascript", "x + 1", b"ReferenceError"),
        ],
    )
    def test_an_interpreter_s_error_is_a_runtime_error_in_its_words(
        self, service: CodeExecutorService, language: str, code: str, says: bytes
    ) -> None:
        outcome = service.run_all_test_cases(plan(language, code, TESTS))
        assert (verdicts(outcome), outcome.score) == (["runtime_error"] * 3, 0)
        assert outcome.compilation is None
        result = outcome.tests[0].result
        assert result is not None
        assert says in result.stderr

    @pytest.mark.parametrize(
        ("language", "code", "says"),
        [
            ("c", "int main(void) { return 0 }", "main.c:1"),
            ("c", '#include "no_such.h"\nint main(void) { return 0; }', "no_such.h"),
            ("c", 'int main(void) { int n = "text" * 2; return n; }', "invalid operands"),
            ("cpp", "int main() { std::string s; }", "main.cpp:1"),
            ("cpp", "#include <no_such>\nint main() {}", "no_such"),
            ("java", 'public class Main { int f() { return "text"; } }', "incompatible types"),
            ("java", "import no.such.Thing;\npublic class Main {}", "does not exist"),
        ],
    )
    def test_a_compiler_s_error_is_a_compilation_error_in_its_words(
        self, service: CodeExecutorService, language: str, code: str, says: str
    ) -> None:
        outcome = service.run_all_test_cases(plan(language, code, TESTS))
        assert (outcome.verdict.value, outcome.score) == ("compilation_error", 0)
        assert verdicts(outcome) == ["skipped"] * 3
        assert outcome.compilation is not None
        assert says in outcome.compilation.output
        assert (outcome.time_ms, outcome.memory_kib) == (None, None)

    # Line 8: several submissions at once.

    def test_submissions_in_all_languages_at_once_do_not_mix(self, service: CodeExecutorService) -> None:
        jobs = [(language, number) for number in range(2) for language in DOUBLES]

        def judge(job: tuple[str, int]) -> JudgingOutcome:
            language, number = job
            tests = [(str(n), str(2 * n if number else 2 * n + 1)) for n in range(3)]
            return service.run_all_test_cases(plan(language, DOUBLES[language], tests, time_limit_ms=5000))

        with ThreadPoolExecutor(len(jobs)) as threads:
            outcomes = list(threads.map(judge, jobs))
        expected = ["accepted" if number else "wrong_answer" for _, number in jobs]
        assert [outcome.verdict.value for outcome in outcomes] == expected

    def test_one_that_fails_leaves_its_neighbours_alone(self, service: CodeExecutorService) -> None:
        hostile = [
            "while True: pass",
            "import os\nwhile True: os.fork()",
            "x = ['x'] * (1 << 30)",
            "print('x' * 10**7)",
        ]
        codes = [code for bad in hostile for code in (bad, DOUBLES["python"])]
        with ThreadPoolExecutor(4) as threads:
            outcomes = list(
                threads.map(
                    lambda code: service.run_all_test_cases(plan("python", code, TESTS[:1], time_limit_ms=1000)), codes
                )
            )
        assert [outcome.verdict.value for outcome in outcomes[1::2]] == ["accepted"] * len(hostile)
        assert "accepted" not in [outcome.verdict.value for outcome in outcomes[::2]]


def _text(stdout: str | None) -> str:
    """A recorded output as an expected one."""
    return base64.b64decode(stdout or "").decode()
