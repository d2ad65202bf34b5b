"""`manage.py verify_problem`: which solutions it takes, what it says of them, and how it ends."""

import json
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from courses.models import Problem
from executor.demo.loading import demo_load
from executor.engines.base import EngineUnavailable, RunResult, RunStatus
from executor.judging.languages import LANGUAGES
from executor.management.commands import verify_problem
from executor.models import Judgement, Submission
from executor.services.code_executor import CodeExecutorService
from tests.courses.factories import AlgorithmProblemFactory, ChoiceProblemFactory, CourseFactory
from tests.executor.factories import ReferenceSolutionFactory
from tests.executor.fakes import ScriptedEngine, double, run_result

pytestmark = pytest.mark.django_db


def run(*arguments: str) -> tuple[str, int]:
    """What the command printed, and its exit status."""
    out, status = StringIO(), 0
    try:
        call_command("verify_problem", *arguments, stdout=out)
    except SystemExit as ended:
        status = int(ended.code or 0)
    return out.getvalue(), status


def summary(*arguments: str) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(run(*arguments, "--json")[0])
    return answer


def problem_named(slug: str, *, course: str = "basics", **fields: Any) -> Problem:
    made: Problem = AlgorithmProblemFactory(
        **{"problem__slug": slug, "problem__course": CourseFactory(slug=course), **fields}
    ).problem
    return made


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> ScriptedEngine:
    """What judges, instead of the sandbox: by default it doubles whatever it reads."""
    scripted = ScriptedEngine()
    monkeypatch.setattr(verify_problem, "CodeExecutorService", lambda: CodeExecutorService(scripted))
    return scripted


class TestVerdicts:
    def test_all_as_expected_ends_with_0_and_keeps_nothing(self, engine: ScriptedEngine) -> None:
        ReferenceSolutionFactory(problem=problem_named("double"), name="short")
        text, status = run("double")
        head, rule, row, last = text.splitlines()
        assert status == 0
        assert head.split() == [
            *(
                "problem",
                "language",
                "solution",
                "tests",
                "expected",
                "verdict",
                "time",
                "memory",
                "of",
                "limit",
                "note",
            )
        ]
        assert set(rule) == {"-", " "}
        assert row.split() == [
            *("basics/double", "python", "short", "v1", "accepted", "accepted", "5", "ms", "1.0", "MiB", "0%", "ok")
        ]
        assert last == "1 of 1 reference solutions got the verdict they must get"
        assert not Submission.objects.exists()
        assert not Judgement.objects.exists()

    def test_another_verdict_is_named_with_its_reason_and_ends_with_1(self, engine: ScriptedEngine) -> None:
        engine.answer = lambda stdin: double(stdin) if stdin == b"2\n" else run_result(b"41")
        ReferenceSolutionFactory(problem=problem_named("double"))
        text, status = run("double")
        assert status == 1
        assert "wrong_answer" in text
        assert "NOT AS EXPECTED" in text
        assert "'42'" in text
        assert "0 of 1" in text

    def test_a_solution_may_be_meant_to_fail(self, engine: ScriptedEngine) -> None:
        engine.answer = lambda stdin: run_result(status=RunStatus.TIME_LIMIT, exit_code=None)
        solution = ReferenceSolutionFactory(problem=problem_named("double"), expected_verdict="time_limit_exceeded")
        assert run("double")[1] == 0
        solution.expected_verdict = "wrong_answer"
        solution.save()
        assert run("double")[1] == 1

    @pytest.mark.parametrize(("time_ms", "is_slow"), [(1000, False), (1001, True)])
    def test_more_than_half_of_the_time_limit_is_warned_of(
        self, engine: ScriptedEngine, time_ms: int, is_slow: bool
    ) -> None:
        def slow(stdin: bytes) -> RunResult:
            right = double(stdin)
            return RunResult(
                status=right.status,
                exit_code=0,
                time_ms=time_ms,
                wall_ms=time_ms,
                memory_kib=1,
                stdout=right.stdout,
                stderr=b"",
            )

        engine.answer = slow
        ReferenceSolutionFactory(problem=problem_named("double"))
        (row,) = summary("double")["solutions"]
        assert (row["is_slow"], row["time_share"]) == (is_slow, time_ms / 2000)
        text, status = run("double")
        assert (status, "slow" in text) == (0, is_slow)

    def test_json(self, engine: ScriptedEngine) -> None:
        ReferenceSolutionFactory(problem=problem_named("double"), name="short")
        problem_named("lonely", course="other")
        assert summary("--all") == {
            "total": 1,
            "as_expected": 1,
            "without_solution": ["other/lonely"],
            "solutions": [
                {
                    "problem": "basics/double",
                    "name": "short",
                    "language": "python",
                    "test_set_version": 1,
                    "expected_verdict": "accepted",
                    "verdict": "accepted",
                    "as_expected": True,
                    "time_ms": 5,
                    "memory_kib": 1000,
                    "time_share": 0.0025,
                    "is_slow": False,
                    "fault": "",
                }
            ],
        }

    def test_what_a_terminal_would_obey_is_not_printed(self, engine: ScriptedEngine) -> None:
        ReferenceSolutionFactory(problem=problem_named("double"), name="red \x1b[31m\n")
        text = run("double")[0]
        assert "\x1b" not in text
        assert len(text.splitlines()) == 4


class TestFaults:
    def test_what_cannot_be_judged_is_said_and_the_others_go_on(self, engine: ScriptedEngine) -> None:
        course = CourseFactory()
        without_tests = AlgorithmProblemFactory(problem__course=course, problem__slug="a", tests=[]).problem
        ReferenceSolutionFactory(problem=without_tests)
        ReferenceSolutionFactory(
            problem=AlgorithmProblemFactory(problem__course=course, problem__slug="b").problem, language="gone"
        )
        # No template is built in for functions in C.
        ReferenceSolutionFactory(
            problem=AlgorithmProblemFactory(problem__course=course, problem__slug="c", entry_point="f").problem,
            language="c",
        )
        ReferenceSolutionFactory(problem=AlgorithmProblemFactory(problem__course=course, problem__slug="d").problem)
        answer = summary("--all")
        assert [row["verdict"] for row in answer["solutions"]] == [*["internal_error"] * 3, "accepted"]
        assert ["no tests" in answer["solutions"][0]["fault"], "'gone'" in answer["solutions"][1]["fault"]] == [
            True
        ] * 2
        assert answer["solutions"][2]["fault"]
        assert run("--all")[1] == 1

    def test_a_compiler_that_is_missing_is_said(self, engine: ScriptedEngine, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(engine, "missing_for", lambda toolchain: "no compiler is installed")
        ReferenceSolutionFactory(problem=problem_named("double"))
        (row,) = summary("double")["solutions"]
        assert row["fault"] == f"{LANGUAGES['python'].name} cannot be run here: no compiler is installed"

    def test_an_engine_that_is_away_ends_it(self, engine: ScriptedEngine) -> None:
        engine.answer = lambda stdin: EngineUnavailable("nobody is there")
        ReferenceSolutionFactory(problem=problem_named("double"))
        with pytest.raises(CommandError, match="nobody is there"):
            run("double")


class TestChoosing:
    @pytest.fixture(autouse=True)
    def problems(self, engine: ScriptedEngine) -> None:
        basics, advanced = CourseFactory(slug="basics"), CourseFactory(slug="advanced")
        for slug, course in (("double", basics), ("twice", basics), ("double", advanced)):
            made = AlgorithmProblemFactory(problem__slug=slug, problem__course=course)
            ReferenceSolutionFactory(problem=made.problem)
        ChoiceProblemFactory(problem__slug="choice")

    @pytest.mark.parametrize(
        ("arguments", "names"),
        [
            (["--all"], ["advanced/double", "basics/double", "basics/twice"]),
            (["--course", "basics"], ["basics/double", "basics/twice"]),
            (["double"], ["advanced/double", "basics/double"]),
            (["double", "--course", "basics"], ["basics/double"]),
            (["double", "twice"], ["advanced/double", "basics/double", "basics/twice"]),
        ],
    )
    def test_by_name_by_course_or_all(self, arguments: list[str], names: list[str]) -> None:
        assert [row["problem"] for row in summary(*arguments)["solutions"]] == names

    def test_archived_ones_only_by_name(self) -> None:
        Problem.objects.filter(slug="twice").update(status="archived")
        assert summary("--all")["total"] == 2
        assert summary("twice")["total"] == 1

    def test_one_language(self) -> None:
        ReferenceSolutionFactory(problem=Problem.objects.get(slug="twice"), language="c", name="in C")
        assert [row["name"] for row in summary("twice", "--language", "c")["solutions"]] == ["in C"]
        assert summary("twice")["total"] == 2

    @pytest.mark.parametrize("arguments", [["--all"], ["lonely"]])
    def test_a_problem_without_a_solution_ends_with_1_unless_allowed(self, arguments: list[str]) -> None:
        problem_named("lonely", course="other")
        text, status = run(*arguments)
        assert (status, "other/lonely has no reference solution" in text) == (1, True)
        assert run(*arguments, "--allow-none")[1] == 0

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            ([], "Name problems"),
            (["--all", "double"], "--all means all"),
            (["no-such"], "no algorithm problem 'no-such'"),
            (["choice"], "no algorithm problem 'choice'"),
            (["--course", "no-such"], "no course 'no-such'"),
        ],
    )
    def test_mistakes_are_said_in_a_sentence(self, arguments: list[str], message: str) -> None:
        with pytest.raises(CommandError, match=message):
            run(*arguments)

    def test_help_teaches(self, capsys: pytest.CaptureFixture[str]) -> None:
        with pytest.raises(SystemExit):
            call_command("verify_problem", "--help")
        text = capsys.readouterr().out
        assert "manage.py verify_problem two-sum\n" in text
        assert all(option in text for option in ("--course", "--all", "--language", "--allow-none", "--json"))

    def test_progress_is_on_stderr(self, capsys: pytest.CaptureFixture[str]) -> None:
        run("--all")
        captured = capsys.readouterr()
        assert ("verifying" in captured.err, "verifying" in captured.out) == (True, False)


class TestRealEngine:
    def test_a_right_and_a_wrong_program(self) -> None:
        problem = problem_named("double")
        ReferenceSolutionFactory(problem=problem)
        ReferenceSolutionFactory(
            problem=problem,
            files=[{"name": "main.py", "content": "print(4)"}],
            expected_verdict="wrong_answer",
        )
        assert [row["verdict"] for row in summary("double")["solutions"]] == ["accepted", "wrong_answer"]
        assert run("double")[1] == 0

    def test_every_problem_of_the_demo_has_one_that_is_accepted(self, settings: Settings) -> None:
        settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
        demo_load()
        programs = Problem.objects.filter(type=Problem.Type.ALGORITHM).count()
        answer = summary("--all")
        assert (answer["as_expected"], answer["without_solution"]) == (programs, [])
        assert not any(row["is_slow"] for row in answer["solutions"])
        # Loading it again verifies nothing anew.
        before = Submission.objects.count()
        demo_load()
        assert Submission.objects.count() == before == programs
