"""A custom checker from its author's hands to a stored judgement, over HTTP; and every reason to refuse one."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from rest_framework.test import APIClient

from accounts.models import User
from core.errors import FieldError
from courses import services
from courses.authoring import CheckerProgram, checker_program_errors
from courses.models import AlgorithmProblem, Enrollment, Problem, TestSet
from courses.testdata import TestCaseSpec
from executor import checker_authoring
from executor.engines.sandbox import SandboxEngine
from executor.models import Judgement, Submission
from executor.queue.claims import claim_next
from executor.queue.judge import judge_claimed
from executor.services.code_executor import CodeExecutorService
from executor.services.engines import engine_named
from tests.courses.factories import AlgorithmProblemFactory, EnrollmentFactory
from tests.courses.refusals import faults, refused
from tests.executor.fakes import ScriptedEngine

pytestmark = pytest.mark.django_db

ApiAs = Callable[[User], APIClient]
EVEN = """
import sys
number = int(sys.stdin.read())
open(sys.argv[3] + "teammessage.txt", "w").write("even?")
open(sys.argv[3] + "judgemessage.txt", "w").write(f"CANARY {number}")
sys.exit(42 if number % 2 == 0 else 43)
"""
TESTS = [{"input": "1", "expected_output": "", "is_sample": True}, {"input": "2", "expected_output": ""}]


@pytest.fixture
def problem() -> Problem:
    found: Problem = AlgorithmProblemFactory(tests=[], checker="custom").problem
    return found


@pytest.fixture
def author(problem: Problem) -> User:
    found: User = EnrollmentFactory(course=problem.course, role=Enrollment.Role.INSTRUCTOR).user
    return found


@pytest.fixture
def without_sandbox(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A machine whose own sandbox cannot contain anything."""
    away = ScriptedEngine(is_ready=False)
    monkeypatch.setattr(checker_authoring, "engine_named", lambda name: away)
    yield
    assert away.requests == []


def give(api: APIClient, problem: Problem, **body: Any) -> Any:
    return api.post(f"/api/v1/problems/{problem.pk}/test-sets/", {"test_cases": TESTS, **body})


class TestSaving:
    def test_a_test_set_brings_its_checker(self, problem: Problem, author: User, api_as: ApiAs) -> None:
        response = give(api_as(author), problem, checker_language="python", checker_source=EVEN)
        assert response.status_code == 201
        assert (response.json()["checker_language"], response.json()["checker_source"]) == ("python", EVEN)
        stored = TestSet.objects.get(problem=problem)
        assert (stored.checker_language, stored.checker_source) == ("python", EVEN)

    @pytest.mark.parametrize(
        ("body", "fault"),
        [
            ({}, ("#/checker_source", "checker_missing")),
            ({"checker_language": "python"}, ("#/checker_source", "checker_not_whole")),
            ({"checker_source": EVEN}, ("#/checker_source", "checker_not_whole")),
            ({"checker_language": "cobol", "checker_source": EVEN}, ("#/checker_language", "unknown_language")),
            ({"checker_language": "python", "checker_source": " "}, ("#/checker_source", "empty_code")),
            (
                {"checker_language": "python", "checker_source": "#" * 300_000},
                ("#/checker_source", "code_too_large"),
            ),
            (
                {"checker_language": "cpp", "checker_source": "int main( {"},
                ("#/checker_source", "checker_does_not_compile"),
            ),
            (
                {"checker_language": "python", "checker_source": "if:"},
                ("#/checker_source", "checker_does_not_compile"),
            ),
            (
                {"checker_language": "javascript", "checker_source": "if ("},
                ("#/checker_source", "checker_does_not_compile"),
            ),
        ],
        ids=lambda value: None if isinstance(value, dict) else value[1],
    )
    def test_refused(
        self, problem: Problem, author: User, api_as: ApiAs, body: dict[str, str], fault: tuple[str, str]
    ) -> None:
        assert faults(give(api_as(author), problem, **body)) == [fault]
        assert not TestSet.objects.filter(problem=problem).exists()

    def test_the_compiler_s_words_reach_the_author(self, problem: Problem, author: User, api_as: ApiAs) -> None:
        response = give(api_as(author), problem, checker_language="c", checker_source="int main(void) { return x; }")
        assert "main.c:1" in response.json()["errors"][0]["detail"]

    @pytest.mark.parametrize("language", ["c", "cpp", "java", "javascript", "python"])
    def test_sound_ones_pass_in_every_language(self, language: str) -> None:
        sources = {
            "c": "int main(void) { return 42; }",
            "cpp": "int main() { return 42; }",
            "java": "public class Judge { public static void main(String[] a) { System.exit(42); } }",
            "javascript": "process.exit(42)",
            "python": "exit(42)",
        }
        assert checker_program_errors(CheckerProgram(language=language, source=sources[language])) == []


class TestWhereNoBoxWorks:
    def test_a_problem_with_one_is_refused(
        self, problem: Problem, author: User, api_as: ApiAs, without_sandbox: None
    ) -> None:
        body = {"title": "A", "slug": "a", "algorithm": {"checker": "custom"}}
        response = api_as(author).post(f"/api/v1/courses/{problem.course_id}/problems/", body)
        assert faults(response) == [("#/algorithm/checker", "custom_checker_unavailable")]
        AlgorithmProblem.objects.filter(problem=problem).update(checker="tokens")
        response = api_as(author).patch(f"/api/v1/problems/{problem.pk}/", {"algorithm": {"checker": "custom"}})
        assert faults(response) == [("#/algorithm/checker", "custom_checker_unavailable")]

    def test_tests_with_one_are_refused(
        self, problem: Problem, author: User, api_as: ApiAs, without_sandbox: None
    ) -> None:
        response = give(api_as(author), problem, checker_language="python", checker_source=EVEN)
        assert faults(response) == [("#/checker_source", "custom_checker_unavailable")]

    def test_other_problems_are_not(self, problem: Problem, author: User, api_as: ApiAs, without_sandbox: None) -> None:
        body = {"title": "A", "slug": "a", "algorithm": {"checker": "tokens"}}
        assert api_as(author).post(f"/api/v1/courses/{problem.course_id}/problems/", body).status_code == 201

    def test_control_where_one_works_it_is_taken(self, problem: Problem, author: User, api_as: ApiAs) -> None:
        body = {"title": "A", "slug": "a", "algorithm": {"checker": "custom"}}
        assert api_as(author).post(f"/api/v1/courses/{problem.course_id}/problems/", body).status_code == 201

    def test_the_reason_is_the_sandbox_s_own(self, monkeypatch: pytest.MonkeyPatch) -> None:
        powerless = SandboxEngine(uid_for_root=0)  # for root, a uid no box can hold
        monkeypatch.setattr(checker_authoring, "engine_named", lambda name: powerless)
        reason = checker_authoring.unavailable_reason()
        assert (reason is None) == powerless.health().is_ready


class TestChanging:
    def test_a_published_problem_does_not_lose_its_decider(self, author: User) -> None:
        problem = AlgorithmProblemFactory().problem
        with refused(("#/algorithm", "tests_do_not_fit")):
            services.problem_update(actor=author, problem_id=problem.pk, algorithm={"checker": "custom"})

    def test_nothing_is_locked_while_it_compiles(self, problem: Problem, monkeypatch: pytest.MonkeyPatch) -> None:
        """The registered checks are asked before the transaction of saving begins."""
        from django.db import connection

        from courses import authoring

        depths: list[int] = []

        def note(program: CheckerProgram) -> list[FieldError]:
            depths.append(len(connection.savepoint_ids))
            return []

        monkeypatch.setattr(authoring, "_program_checks", [note])
        outside = len(connection.savepoint_ids)
        services.testset_create(
            actor=EnrollmentFactory(course=problem.course).user,
            problem_id=problem.pk,
            test_cases=[TestCaseSpec(input="1")],
            checker=CheckerProgram(language="python", source="exit(42)"),
        )
        assert depths == [outside]


class TestJudging:
    def judged(self, problem: Problem, author: User, api_as: ApiAs, source: str, code: str) -> Submission:
        assert give(api_as(author), problem, checker_language="python", checker_source=source).status_code == 201
        student = EnrollmentFactory(course=problem.course).user
        body = {"problem": problem.pk, "language": "python", "code": code}
        assert api_as(student).post("/api/v1/submissions/", body).status_code == 202
        claim = claim_next()
        assert claim is not None
        judge_claimed(claim, CodeExecutorService(engine_named("sandbox")))
        return Submission.objects.get(current_judgement=claim.judgement_id)

    def test_each_reader_gets_their_message(self, problem: Problem, author: User, api_as: ApiAs) -> None:
        submission = self.judged(problem, author, api_as, EVEN, "print(int(input()) + 1)")
        assert (submission.status, submission.score) == ("wrong_answer", 50)
        address = f"/api/v1/submissions/{submission.pk}/"
        sample, hidden = api_as(submission.user).get(address).json()["tests"]
        assert (sample["message"], sample["judge_message"]) == ("even?", None)
        assert (hidden["message"], hidden["judge_message"]) == (None, None)
        assert "CANARY" not in api_as(submission.user).get(address).content.decode()
        shown = [test["judge_message"] for test in api_as(author).get(address).json()["tests"]]
        assert shown == ["CANARY 2", "CANARY 3"]

    def test_a_broken_one_costs_the_student_nothing(self, problem: Problem, author: User, api_as: ApiAs) -> None:
        submission = self.judged(problem, author, api_as, "raise SystemExit('CANARY')", "print(2)")
        assert (submission.status, submission.score) == ("internal_error", None)
        judgement = Judgement.objects.get(submission=submission)
        assert (judgement.state, judgement.tries) == ("done", 1)
        assert "exit code 1" in judgement.fault
        assert "CANARY" in judgement.fault
        shown = api_as(submission.user).get(f"/api/v1/submissions/{submission.pk}/")
        assert (shown.json()["status"], shown.json()["score"]) == ("internal_error", None)
        assert "CANARY" not in shown.content.decode()

    def test_a_judgement_uses_the_checker_of_its_own_tests(self, problem: Problem, author: User, api_as: ApiAs) -> None:
        first = self.judged(problem, author, api_as, EVEN, "print(2)")
        second = self.judged(problem, author, api_as, "exit(43)", "print(2)")
        assert (first.status, second.status) == ("accepted", "wrong_answer")
        sources = Judgement.objects.order_by("pk").values_list("test_set__checker_source", flat=True)
        assert list(sources) == [EVEN, "exit(43)"]
