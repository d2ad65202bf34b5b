"""What compilers and runtimes say is told by the student's own file and line, also inside an author's template."""

import pytest

from executor.engines.base import SourceFile
from executor.judging.checkers import CheckerSpec
from executor.judging.languages import LANGUAGES
from executor.judging.outcome import JudgingOutcome
from executor.judging.plan import JudgingPlan, PlannedTest
from executor.services.code_executor import CodeExecutorService
from executor.services.engines import engine_named
from tests.executor.injections import TEMPLATES

# Each fails in line 4: while it runs, and where the language is checked before.
FAILS = {
    "python": "def f(n):\n    x = 1\n\n    return n / (x - 1)\n",
    "javascript": "function f(n) {\n\n\n  return n.a.b; }\n",
    "c": "#include <assert.h>\nint f(int n) {\n\n  assert(n == 0); return n; }\n",
    "cpp": "#include <cassert>\nint f(int n) {\n\n  assert(n == 0); return n; }\n",
    "java": "static int f(int n) {\n  int x = 1;\n\n  return n / (x - 1); }\n",
}
BROKEN = {
    "python": "def f(n):\n    x = 1\n\n    return n +\n",
    "javascript": "function f(n) {\n\n\n  return n +; }\n",
    "c": "int f(int n) {\n\n\n  return n +; }\n",
    "cpp": "int f(int n) {\n\n\n  return n +; }\n",
    "java": "static int f(int n) {\n\n\n  return n +; }\n",
}
SUFFIXES = {key: language.toolchain.source_suffixes[0] for key, language in LANGUAGES.items()}
CASES = [(key, template) for key, author in TEMPLATES.items() for template in (author, "")]
CASES = [(key, template) for key, template in CASES if template or LANGUAGES[key].template_name]
PRELUDES = {"python": "import math\n\n\n", "javascript": "const A = 1;\n\n\n"}


@pytest.fixture(scope="module")
def service() -> CodeExecutorService:
    return CodeExecutorService(engine_named("sandbox"))


def judged(service: CodeExecutorService, key: str, template: str, name: str, code: str) -> JudgingOutcome:
    language = LANGUAGES[key]
    plan = JudgingPlan(
        language=language,
        files=(SourceFile(name=name, content=code),),
        tests=(PlannedTest(key=1, input="3\n" if template else "[3]", expected="6"),),
        checker=CheckerSpec(name="tokens"),
        time_limit_ms=5000,
        memory_limit_mb=256,
        entry_point="f",
        template=template,
        prelude=PRELUDES.get(key, "\n\n\n"),
    )
    return service.run_all_test_cases(plan)


def said(outcome: JudgingOutcome) -> str:
    """Everything the student is told of it."""
    compiled = outcome.compilation.output if outcome.compilation else ""
    return compiled + "".join(test.result.stderr.decode() for test in outcome.tests if test.result)


every_template = pytest.mark.parametrize(
    ("key", "template"), CASES, ids=[f"{key}-{'author' if template else 'builtin'}" for key, template in CASES]
)
both_ways = pytest.mark.parametrize("programs", [FAILS, BROKEN], ids=["fails", "broken"])


@every_template
@both_ways
class TestLines:
    @pytest.mark.parametrize("is_named", [False, True], ids=["as code", "by its own name"])
    def test_the_message_names_line_4_of_the_student_s_file(
        self, service: CodeExecutorService, key: str, template: str, programs: dict[str, str], is_named: bool
    ) -> None:
        stem = "fib" if is_named else "solution"
        if key == "java":
            stem = stem.capitalize()
        name = stem + SUFFIXES[key] if is_named else LANGUAGES[key].main_name
        text = said(judged(service, key, template, name, programs[key]))
        assert f"{stem}{SUFFIXES[key]}" + ('", line 4' if key == "python" else ":4") in text
        assert ".inc" not in text
        if key != "java":  # whose stack begins in the author's class, as it must
            assert LANGUAGES[key].main_name not in text

    def test_control_what_was_really_said_speaks_of_the_driver(
        self,
        service: CodeExecutorService,
        key: str,
        template: str,
        programs: dict[str, str],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr("executor.services.code_executor.bytes_as_written", lambda places, output: output)
        monkeypatch.setattr("executor.services.code_executor.compilation_as_written", lambda places, result: result)
        name = LANGUAGES[key].main_name
        text = said(judged(service, key, template, name, programs[key]))
        assert name in text or ".inc" in text
