"""Trying a program on a problem's samples: judged like a submission, on the public tests alone, with nothing kept."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from django.apps import apps
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.models import User
from core.errors import NotFound
from courses.models import AlgorithmProblem, Course, Enrollment, Problem, TestCase, TestSet
from executor.judging.languages import LANGUAGES
from executor.judging.plan import prepare
from executor.models import RunQuota
from executor.services.code_executor import CodeExecutorService
from executor.services.judgements import plan_for
from executor.services.samples import samples_run
from executor.services.sources import source_files
from executor.services.submissions import ProblemNotReady
from tests.courses.factories import AlgorithmProblemFactory, EnrollmentFactory, TestCaseFactory, TestSetFactory
from tests.executor.factories import DOUBLE
from tests.executor.fakes import ScriptedEngine

pytestmark = pytest.mark.django_db

ApiAs = Callable[[User], APIClient]
HIDDEN = "31337"


@pytest.fixture
def problem() -> Problem:
    """Two samples around a hidden test; an older version had other tests."""
    problem: Problem = AlgorithmProblemFactory(tests=[("1\n", "old\n")]).problem
    current = TestSetFactory(problem=problem, version=2)
    for order, (given, expected, is_sample) in enumerate(
        [("2\n", "4\n", True), (f"{HIDDEN}\n", f"{HIDDEN}0\n", False), ("21\n", "42\n", True)]
    ):
        TestCaseFactory(test_set=current, order=order, input=given, expected_output=expected, is_sample=is_sample)
    return problem


@pytest.fixture
def student(problem: Problem) -> User:
    user: User = EnrollmentFactory(course=problem.course).user
    return user


def url(problem: Problem) -> str:
    return f"/api/v1/problems/{problem.pk}/run-samples/"


class TestAnswer:
    def test_each_sample_is_told_whole(self, api_as: ApiAs, student: User, problem: Problem) -> None:
        code = "import sys\nn = int(input())\nprint('debug', file=sys.stderr)\nprint(4)\n"
        response = api_as(student).post(url(problem), {"language": "python", "code": code})
        assert response.status_code == 200
        answer = response.json()
        assert (answer["verdict"], answer["compile_output"]) == ("wrong_answer", "")
        first, second = answer["samples"]
        assert (first["number"], first["verdict"]) == (1, "accepted")
        assert (first["input"], first["expected_output"], first["stdout"], first["stderr"]) == (
            "2\n",
            "4\n",
            "4\n",
            "debug\n",
        )
        assert (second["number"], second["verdict"], second["input"]) == (2, "wrong_answer", "21\n")
        assert "42" in second["message"]
        assert second["exit_code"] == 0
        assert second["time_ms"] >= 0

    def test_a_right_program_is_accepted(self, api_as: ApiAs, student: User, problem: Problem) -> None:
        answer = api_as(student).post(url(problem), {"language": "python", "code": DOUBLE}).json()
        assert answer["verdict"] == "accepted"
        assert [sample["verdict"] for sample in answer["samples"]] == ["accepted", "accepted"]

    def test_one_that_does_not_compile_says_why(self, api_as: ApiAs, student: User, problem: Problem) -> None:
        answer = api_as(student).post(url(problem), {"language": "c", "code": "int main( {"}).json()
        assert answer["verdict"] == "compilation_error"
        assert "main.c:1" in answer["compile_output"]
        assert [sample["verdict"] for sample in answer["samples"]] == ["skipped", "skipped"]

    def test_function_problems_are_called(self, api_as: ApiAs) -> None:
        problem = AlgorithmProblemFactory(
            entry_point="f", checker="json", languages=["python"], preludes={"python": "K = 2\n"}, tests=[("[4]", "8")]
        ).problem
        client = api_as(EnrollmentFactory(course=problem.course).user)
        code = "def f(n):\n    print('seen')\n    return K * n\n"
        answer = client.post(url(problem), {"language": "python", "code": code}).json()
        assert (answer["verdict"], answer["samples"][0]["stdout"]) == ("accepted", "seen\n")

    def test_hostile_output_comes_back_as_bounded_text(self, api_as: ApiAs, student: User, problem: Problem) -> None:
        code = r"import sys; sys.stdout.buffer.write(b'\x00\xff' + b'x' * 200_000)"
        answer = api_as(student).post(url(problem), {"language": "python", "code": code}).json()
        stdout = answer["samples"][0]["stdout"]
        assert stdout.startswith("\\x00\\xffx")
        assert len(stdout) < 70_000


class TestHiddenTests:
    def test_they_are_neither_run_nor_shown(self, api_as: ApiAs, student: User, problem: Problem) -> None:
        code = f"n = input()\nprint('leak' * (n == '{HIDDEN}'), n)\n"
        response = api_as(student).post(url(problem), {"language": "python", "code": code})
        text = response.content.decode()
        assert HIDDEN not in text
        assert "leak" not in text
        assert "old" not in text

    def test_the_engine_does_not_see_them(self, student: User, problem: Problem) -> None:
        engine = ScriptedEngine()
        service = CodeExecutorService(engine)
        samples_run(user=student, problem_id=problem.pk, language="python", code=DOUBLE, service=service)
        assert [request.inputs for request in engine.requests] == [(b"2\n", b"21\n")]

    def test_control_judging_does_run_them(self, student: User, problem: Problem) -> None:
        test_set = TestSet.objects.get(problem=problem, version=2)
        files = source_files(LANGUAGES["python"], DOUBLE)
        plan = plan_for(problem.algorithm, test_set, language=LANGUAGES["python"], files=files)
        assert f"{HIDDEN}\n".encode() in prepare(plan).request.inputs

    def test_groups_and_early_stops_hold_no_sample_back(self, student: User, problem: Problem) -> None:
        group = {"aggregate": "min", "points": None, "threshold": None}
        TestSet.objects.filter(problem=problem, version=2).update(
            groups=[{"name": "hidden", "requires": [], **group}, {"name": "shown", "requires": ["hidden"], **group}]
        )
        cases = TestCase.objects.filter(test_set__problem=problem, test_set__version=2)
        cases.filter(is_sample=True).update(group="shown")
        cases.filter(is_sample=False).update(group="hidden")
        AlgorithmProblem.objects.filter(problem=problem).update(stops_at_first_failure=True)
        run = samples_run(user=student, problem_id=problem.pk, language="python", code="print(0)")
        assert [one.outcome.verdict.value for one in run.samples] == ["wrong_answer", "wrong_answer"]


class TestNothingIsKept:
    def test_no_row_but_the_quota_s(self, student: User, problem: Problem) -> None:
        def counts() -> dict[str, int]:
            return {
                model._meta.label: model._default_manager.count()
                for model in apps.get_models()
                if model is not RunQuota
            }

        before, frozen = counts(), TestSet.objects.values_list("pk", "frozen_at")
        frozen_before = list(frozen.order_by("pk"))
        samples_run(user=student, problem_id=problem.pk, language="python", code=DOUBLE)
        assert counts() == before
        assert list(frozen.order_by("pk")) == frozen_before


class TestRefusals:
    def test_a_problem_one_does_not_see_is_404(self, api_as: ApiAs, problem: Problem) -> None:
        stranger = EnrollmentFactory().user
        response = api_as(stranger).post(url(problem), {"language": "python", "code": DOUBLE})
        assert (response.status_code, response.json()["code"]) == (404, "not_found")

    @pytest.mark.parametrize(
        "hiding", [{"status": Problem.Status.DRAFT}, {"audience": Problem.Audience.EXAM_ONLY}], ids=["draft", "exam"]
    )
    def test_so_is_one_not_meant_for_students(
        self, api_as: ApiAs, student: User, problem: Problem, hiding: dict[str, str]
    ) -> None:
        Problem.objects.filter(pk=problem.pk).update(**hiding)
        assert api_as(student).post(url(problem), {"language": "python", "code": DOUBLE}).status_code == 404
        with pytest.raises(NotFound):
            samples_run(user=student, problem_id=problem.pk, language="python", code=DOUBLE)
        staff = EnrollmentFactory(course=problem.course, role=Enrollment.Role.ASSISTANT).user
        assert api_as(staff).post(url(problem), {"language": "python", "code": DOUBLE}).status_code == 200

    @pytest.mark.parametrize("state", ["no tests", "no samples", "archived", "archived course", "no program"])
    def test_409_where_there_is_nothing_to_try(self, api_as: ApiAs, problem: Problem, state: str) -> None:
        staff = EnrollmentFactory(course=problem.course, role=Enrollment.Role.INSTRUCTOR).user
        if state == "no tests":
            problem.test_sets.all().delete()
        elif state == "no samples":
            TestCase.objects.filter(test_set__problem=problem, test_set__version=2).update(is_sample=False)
        elif state == "archived":
            Problem.objects.filter(pk=problem.pk).update(status=Problem.Status.ARCHIVED)
        elif state == "archived course":
            Course.objects.filter(pk=problem.course_id).update(status=Course.Status.ARCHIVED)
        else:
            Problem.objects.filter(pk=problem.pk).update(type=Problem.Type.CHOICE)
        response = api_as(staff).post(url(problem), {"language": "python", "code": DOUBLE})
        assert (response.status_code, response.json()["code"]) == (409, "problem_not_ready")
        assert not RunQuota.objects.exists()

    def test_an_author_s_fault_is_no_verdict(self, student: User, problem: Problem) -> None:
        AlgorithmProblem.objects.filter(problem=problem).update(templates={"python": "{{{ nonsense }}}"})
        with pytest.raises(ProblemNotReady):
            samples_run(user=student, problem_id=problem.pk, language="python", code=DOUBLE)

    @pytest.mark.parametrize(
        ("body", "code"),
        [
            ({"language": "java", "code": "x"}, "language_not_allowed"),
            ({"language": "python", "code": ""}, "empty_code"),
            ({"language": "python", "code": "1", "stdin": "2"}, "unknown_field"),
            ({"language": "python"}, "code_or_files"),
        ],
    )
    def test_bad_input_is_named(
        self, api_as: ApiAs, student: User, problem: Problem, body: dict[str, str], code: str
    ) -> None:
        AlgorithmProblem.objects.filter(problem=problem).update(languages=["python"])
        response = api_as(student).post(url(problem), body)
        assert response.status_code == 422
        assert response.json()["errors"][0]["code"] == code

    def test_the_lease_covers_all_samples(self, student: User, problem: Problem) -> None:
        AlgorithmProblem.objects.filter(problem=problem).update(time_limit_ms=60_000)
        leases: list[datetime | None] = []

        def answer(stdin: bytes) -> Exception:
            leases.append(RunQuota.objects.get().leased_until)
            return ZeroDivisionError()

        service = CodeExecutorService(ScriptedEngine(answer))
        with pytest.raises(ZeroDivisionError):
            samples_run(user=student, problem_id=problem.pk, language="python", code=DOUBLE, service=service)
        assert leases[0] is not None
        assert leases[0] is not None
        assert leases[0] > timezone.now() + timedelta(seconds=2 * 121)
