"""Every trick of the tables beside, tried through CodeExecutorService on the real sandbox: none gains a point.

What is hidden is drawn anew in every test run, so that no trick can know it by heart. The control is a naive harness,
which falls for the tricks that are marked so: they are real ones.
"""

import itertools
import sys
import time

import pytest

from executor.judging.outcome import JudgingOutcome
from executor.judging.verdicts import Verdict
from executor.services.code_executor import CodeExecutorService
from executor.services.engines import engine_named
from tests.executor.fakes import ScriptedEngine, run_result
from tests.executor.tricks import exits, frames, objects, patching, peeking, reshaping, results, state, timing
from tests.executor.tricks.naive import can_be_judged_naively, judge_naively
from tests.executor.tricks.problems import COUNTING, HIDDEN, PROBLEMS, Trick, TrickProblem, plan_of

TRICKS: tuple[Trick, ...] = tuple(
    trick
    for table in (exits, frames, results, objects, patching, reshaping, peeking, state, timing)
    for trick in table.TRICKS
)
ALL_PROBLEMS = (*PROBLEMS, frames.DIGIT)
# Beyond the wall limits of all tests: starting, compiling, and a busy machine.
MARGIN_S = 10.0


@pytest.fixture(scope="module")
def service() -> CodeExecutorService:
    return CodeExecutorService(engine_named("sandbox"))


def judged(service: CodeExecutorService, trick_problem: TrickProblem, language: str, code: str) -> JudgingOutcome:
    return service.run_all_test_cases(plan_of(trick_problem, language, code))


def answering(trick_problem: TrickProblem, language: str) -> str:
    """A program that knows every expected output: what cheating would have to come to."""
    table = "{" + ", ".join(f"'{given.strip('[]')}': {expected}" for given, expected in trick_problem.tests) + "}"
    if trick_problem.entry_point and language == "c":
        cases = "".join(f"if (n == {given}) return {expected}LL; " for given, expected in trick_problem.tests)
        return f"long long solve(int n) {{ {cases}return 0; }}\n"
    if trick_problem.entry_point:
        return f"ANSWERS = {table}\ndef solve(n):\n    return ANSWERS[str(n)]\n"
    return f"print({table}[input()])\n"


class TricksTestCase:
    @pytest.mark.parametrize("trick", TRICKS, ids=[trick.label for trick in TRICKS])
    def test_it_gains_nothing(self, service: CodeExecutorService, trick: Trick) -> None:
        plan = plan_of(trick.problem, trick.language, trick.code, trick.files)
        started = time.monotonic()
        outcome = service.run_all_test_cases(plan)
        took_s = time.monotonic() - started
        assert outcome.score is not None
        assert outcome.score <= trick.problem.honest_score, outcome
        verdicts = [test.verdict.value for test in outcome.tests]
        expected = list(trick.verdicts) * (len(verdicts) // len(trick.verdicts))
        said = [(test.message, test.result.stderr[-300:] if test.result else b"") for test in outcome.tests]
        assert verdicts == expected, (said, outcome.compilation)
        assert took_s < len(verdicts) * plan.limits.wall_limit_ms / 1000 + MARGIN_S

    def test_there_are_tricks_of_every_kind_in_each_language(self) -> None:
        assert len(TRICKS) >= 30
        assert len({trick.label for trick in TRICKS}) == len(TRICKS)
        kinds = {language: {t.id for t in TRICKS if t.language == language} for language in ("python", "javascript")}
        wanted = {"G-01", "G-02", "G-03", "G-04", "G-05", "G-06", "G-08", "G-10", "G-12", "G-15"}
        assert kinds["python"] >= wanted
        assert kinds["javascript"] >= wanted - {"G-05"} | {"G-07"}
        assert {trick.id for trick in TRICKS if trick.language == "c"} >= {"G-01", "G-07", "G-10", "G-12", "G-15"}

    def test_no_two_runs_share_what_is_hidden(self) -> None:
        assert len(set(HIDDEN)) == len(HIDDEN)
        assert min(HIDDEN) > 1 << 46


class HonestTestCase:
    """The problems themselves: what honest programs get, and that the full score can be had."""

    @pytest.mark.parametrize(
        ("trick_problem", "language"),
        [
            pytest.param(trick_problem, language, id=f"{trick_problem.name}, {language}")
            for trick_problem in ALL_PROBLEMS
            for language in trick_problem.honest
        ],
    )
    def test_an_honest_program_without_the_answer(
        self, service: CodeExecutorService, trick_problem: TrickProblem, language: str
    ) -> None:
        outcome = judged(service, trick_problem, language, trick_problem.honest[language])
        assert outcome.score == trick_problem.honest_score
        assert outcome.verdict is not Verdict.ACCEPTED

    @pytest.mark.parametrize(
        "trick_problem",
        [pytest.param(one, id=one.name) for one in ALL_PROBLEMS if one is not COUNTING],
    )
    def test_who_knows_the_answers_gets_everything(
        self, service: CodeExecutorService, trick_problem: TrickProblem
    ) -> None:
        language = "c" if trick_problem.templates else "python"
        outcome = judged(service, trick_problem, language, answering(trick_problem, language))
        assert (outcome.verdict, outcome.score) == (Verdict.ACCEPTED, 100)

    def test_who_could_remember_the_run_before_would_get_everything(self) -> None:
        runs = itertools.count(1)
        remembering = CodeExecutorService(ScriptedEngine(lambda stdin: run_result(b"%d" % next(runs))))
        assert judged(remembering, COUNTING, "python", "1").score == 100


class NaiveHarnessTestCase:
    """The control of law 1: the same tricks on a harness that runs the answer in its own process."""

    def test_it_judges_honest_programs_rightly(self, service: CodeExecutorService) -> None:
        knows = f"def solve(n):\n    return {{1: {HIDDEN[0]}, 2: {HIDDEN[1]}}}[n]\n"
        verdict = judge_naively(service, language="python", code=knows)
        assert (verdict.by_exit_code, verdict.by_marker) == (True, True)
        knows = f"const solve = (n) => [0, {HIDDEN[0]}, {HIDDEN[1]}][n];"
        verdict = judge_naively(service, language="javascript", code=knows)
        assert (verdict.by_exit_code, verdict.by_marker) == (True, True)
        for language, honest in (("python", "def solve(n): return 0"), ("javascript", "const solve = (n) => 0;")):
            assert not judge_naively(service, language=language, code=honest).is_passed

    def test_it_is_fooled_by_at_least_nine(
        self, service: CodeExecutorService, capsys: pytest.CaptureFixture[str]
    ) -> None:
        tried = [trick for trick in TRICKS if can_be_judged_naively(trick)]
        believed = {trick.label: judge_naively(service, language=trick.language, code=trick.code) for trick in tried}
        fooled = {label for label, verdict in believed.items() if verdict.is_passed}
        by_exit_code = sum(verdict.by_exit_code for verdict in believed.values())
        by_marker = sum(verdict.by_marker for verdict in believed.values())
        with capsys.disabled():
            sys.stdout.write(
                f"\nA naive harness is fooled by {len(fooled)} of {len(tried)} tricks"
                f" ({by_exit_code} by its exit code, {by_marker} by its printed marker);"
                f" Assay, tried with {len(TRICKS)}, by none.\n"
            )
        assert fooled == {trick.label for trick in tried if trick.fools_naive}
        assert len(fooled) >= 9
