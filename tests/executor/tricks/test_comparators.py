"""G-13 and G-14: odd outputs, each with its stated verdict, and outputs that would keep a comparison busy for hours."""

import time
from functools import cache
from typing import Any

import pytest

from executor.engines.base import SourceFile
from executor.judging.checkers import CheckerSpec
from executor.judging.languages import LANGUAGES
from executor.judging.outcome import JudgingOutcome
from executor.judging.plan import JudgingPlan, PlannedTest
from executor.judging.values import PYTHON_LITERAL
from executor.services.code_executor import CodeExecutorService
from executor.services.engines import engine_named
from tests.executor.tricks.frames import FORGE
from tests.executor.tricks.oddities import BOMBS, COLLIDING, LITERAL_BOMBS, PRINTED, RETURNED, WRONG

BOMB_LIMIT_S = 2.0

# Writes to stdout the bytes that its stdin spells in hexadecimal.
SPELLED = "import sys\nsys.stdout.buffer.write(bytes.fromhex(sys.stdin.read()))\n"
# Returns what its argument is in Python, or in JavaScript.
EVALUATED = {
    "python": "def solve(text):\n    return eval(text)\n",
    "javascript": "const solve = (text) => eval(text);\n",
}


@pytest.fixture(scope="module")
def service() -> CodeExecutorService:
    return CodeExecutorService(engine_named("sandbox"))


def judged(
    service: CodeExecutorService, code: str, tests: list[tuple[str, str]], *, language: str = "python", **changes: Any
) -> JudgingOutcome:
    chosen = LANGUAGES[language]
    particulars: dict[str, Any] = {"time_limit_ms": 5000, "memory_limit_mb": 256, **changes}
    planned = tuple(PlannedTest(key=i, input=given, expected=expected) for i, (given, expected) in enumerate(tests))
    files = (SourceFile(name=chosen.main_name, content=code),)
    return service.run_all_test_cases(JudgingPlan(language=chosen, files=files, tests=planned, **particulars))


def spelled(output: str | bytes) -> str:
    return (output if isinstance(output, bytes) else output.encode("utf-8")).hex()


@pytest.fixture(scope="module")
def printed(service: CodeExecutorService) -> Any:
    """The verdicts of all outputs of one checker, from a single judging."""

    @cache
    def verdicts(checker: str) -> list[str]:
        tests = [(spelled(output), expected) for expected, output, _ in PRINTED[checker]]
        outcome = judged(service, SPELLED, tests, checker=CheckerSpec(name=checker))
        return [test.verdict.value for test in outcome.tests]

    return verdicts


@pytest.fixture(scope="module")
def returned(service: CodeExecutorService) -> Any:
    """The verdicts of all values of one language, from a single judging."""

    @cache
    def verdicts(language: str) -> list[str]:
        tests = [(f"[{_json_text(value)}]", expected) for expected, value, _ in RETURNED[language]]
        spec = CheckerSpec(name="json")
        outcome = judged(service, EVALUATED[language], tests, language=language, checker=spec, entry_point="solve")
        return [test.verdict.value for test in outcome.tests]

    return verdicts


def _json_text(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


class OddOutputTestCase:
    @pytest.mark.parametrize(
        ("checker", "index"),
        [
            pytest.param(checker, index, id=f"{checker}: {expected[:20]!a} against {output[:20]!a}")
            for checker, rows in PRINTED.items()
            for index, (expected, output, _) in enumerate(rows)
        ],
    )
    def test_each_printed_oddity_has_its_verdict(self, printed: Any, checker: str, index: int) -> None:
        assert printed(checker)[index] == PRINTED[checker][index][2]

    @pytest.mark.parametrize(
        ("language", "index"),
        [
            pytest.param(language, index, id=f"{language}: {expected[:20]!a} against {value[:20]!a}")
            for language, rows in RETURNED.items()
            for index, (expected, value, _) in enumerate(rows)
        ],
    )
    def test_each_returned_oddity_has_its_verdict(self, returned: Any, language: str, index: int) -> None:
        assert returned(language)[index] == RETURNED[language][index][2]

    @pytest.mark.parametrize("value", ["NaN", "Infinity", "1e999", "{}", "[1", "null null"])
    def test_a_forged_frame_is_parsed_as_strictly(self, service: CodeExecutorService, value: str) -> None:
        code = FORGE + f"os.write(1, frame('{{\"value\": {value}}}'))\nos._exit(0)\n"
        outcome = judged(service, code, [("[1]", "NaN")], checker=CheckerSpec(name="json"), entry_point="solve")
        assert outcome.verdict.value == WRONG

    def test_a_lottery_on_the_order_of_sets_has_one_result(self, service: CodeExecutorService) -> None:
        """G-16: the same code on the same input gives the same output, however often it is handed in."""
        code = "print([*{'a', 'b', 'c', 'd', 'e', 'f'}], hash('x'))"
        runs = [judged(service, code, [("", "")], checker=CheckerSpec(name="exact")) for _ in range(3)]
        assert len({run.tests[0].printed for run in runs}) == 1


class BombTestCase:
    """The judge's own time on one hostile output, as CPU time of the thread that judges; the sandbox's is not in it."""

    def judging_s(self, service: CodeExecutorService, code: str, expected: str, **changes: Any) -> tuple[str, float]:
        started = time.thread_time()
        outcome = judged(service, code, [("[1]", expected)], **changes)
        took_s = time.thread_time() - started
        return outcome.tests[0].verdict.value, took_s

    @pytest.mark.parametrize(
        ("checker", "expected", "bomb"), [pytest.param(*row[:3], id=f"{row[0]}: {row[3]}") for row in BOMBS]
    )
    def test_printed_bombs_are_wrong_soon(
        self, service: CodeExecutorService, checker: str, expected: str, bomb: str
    ) -> None:
        code = f"import sys\nsys.stdout.write({bomb})\n"
        verdict, took_s = self.judging_s(service, code, expected, checker=CheckerSpec(name=checker))
        assert verdict == WRONG
        assert took_s < BOMB_LIMIT_S

    def literal_bomb(self, service: CodeExecutorService, bomb: str) -> tuple[str, float]:
        code = FORGE + f"os.write(1, frame(json.dumps({{'value': {bomb}}})))\nos._exit(0)\n"
        spec = CheckerSpec(name="json")
        return self.judging_s(service, code, "{1}", checker=spec, entry_point="solve", value_encoding=PYTHON_LITERAL)

    @pytest.mark.parametrize("bomb", [pytest.param(text, id=name) for text, name in LITERAL_BOMBS])
    def test_literal_bombs_are_wrong_soon(self, service: CodeExecutorService, bomb: str) -> None:
        verdict, took_s = self.literal_bomb(service, bomb)
        assert verdict == WRONG
        assert took_s < BOMB_LIMIT_S

    def test_control_without_its_limit_a_literal_keeps_the_judge_busy(
        self, service: CodeExecutorService, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        _, limited_s = self.literal_bomb(service, COLLIDING % 14000)
        monkeypatch.setattr("executor.judging.values.LITERAL_LIMIT_BYTES", 1 << 30)
        _, unlimited_s = self.literal_bomb(service, COLLIDING % 14000)
        # With all 40,000 that an output has room for it is eight times as much again.
        assert unlimited_s > 10 * limited_s
