"""Reference solutions over HTTP: staff keep and verify them, and nobody else learns of any (law 7)."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import Membership, User
from courses.models import Enrollment, Problem
from executor.api.filters import SolutionFilter
from executor.models import ReferenceSolution, Submission, SubmissionQuerySet
from tests.accounts.factories import MembershipFactory
from tests.courses.factories import AlgorithmProblemFactory, ChoiceProblemFactory, EnrollmentFactory
from tests.courses.refusals import ApiAs, faults, refusal
from tests.executor.databases import judge_next
from tests.executor.factories import DOUBLE, SubmissionFactory
from tests.executor.fakes import ScriptedEngine, run_result
from tests.executor.solutions import new_tests, solution_for, staff_of

pytestmark = pytest.mark.django_db

V1 = "/api/v1"
CANARY = "canary-of-the-author"


@pytest.fixture
def staff(problem: Problem) -> User:
    return staff_of(problem)


def listed(problem: Problem) -> str:
    return f"{V1}/problems/{problem.pk}/solutions/"


class TestKeeping:
    def test_one_is_added_judged_and_shown(self, api_as: ApiAs, staff: User, problem: Problem) -> None:
        api = api_as(staff)
        made = api.post(listed(problem), {"language": "python", "code": DOUBLE, "name": "fast"})
        assert made.status_code == 201
        assert {*made.json()} == {
            *("id", "problem", "name", "language", "expected_verdict", "author", "status", "verdict", "as_expected"),
            *("test_set_version", "is_stale", "score", "time_ms", "memory_kib", "submission", "results", "files"),
            *("fault", "created_at", "updated_at"),
        }
        assert (made.json()["status"], made.json()["verdict"], made.json()["as_expected"]) == ("pending", None, None)
        judge_next()
        shown = api.get(f"{V1}/solutions/{made.json()['id']}/").json()
        assert (shown["status"], shown["verdict"], shown["as_expected"]) == ("accepted", "accepted", True)
        assert (shown["test_set_version"], shown["is_stale"], shown["score"]) == (1, False, "100.00")
        assert (shown["files"], shown["author"]) == ([{"name": "main.py", "content": DOUBLE}], staff.pk)

    def test_the_results_of_each_test_are_one_link_away(self, api_as: ApiAs, staff: User, problem: Problem) -> None:
        solution = solution_for(problem, actor=staff)
        judge_next()
        api = api_as(EnrollmentFactory(course=problem.course, role=Enrollment.Role.ASSISTANT).user)
        address = api.get(f"{V1}/solutions/{solution.pk}/").json()["results"]
        results = api.get(address).json()
        assert results["purpose"] == "verify"
        assert [(test["verdict"], test["input"]) for test in results["tests"]] == [
            ("accepted", "2\n"),
            ("accepted", "21\n"),
        ]

    def test_files(self, api_as: ApiAs, staff: User, problem: Problem) -> None:
        files = [{"name": "main.py", "content": "import lib\n"}, {"name": "lib.py", "content": ""}]
        made = api_as(staff).post(listed(problem), {"language": "python", "files": files})
        assert (made.status_code, made.json()["files"], made.json()["name"]) == (201, files, "reference")

    def test_changing_what_is_expected_keeps_the_program(self, api_as: ApiAs, staff: User, problem: Problem) -> None:
        solution = solution_for(problem, actor=staff)
        judge_next()
        changed = api_as(staff).patch(f"{V1}/solutions/{solution.pk}/", {"expected_verdict": "wrong_answer"})
        assert (changed.status_code, changed.json()["as_expected"], changed.json()["status"]) == (
            *(200, False),
            "accepted",
        )

    def test_changing_the_program_judges_it(self, api_as: ApiAs, staff: User, problem: Problem) -> None:
        solution = solution_for(problem, actor=staff)
        judge_next()
        changed = api_as(staff).patch(f"{V1}/solutions/{solution.pk}/", {"code": "print(1)"})
        assert (changed.status_code, changed.json()["status"]) == (200, "pending")

    def test_verifying_and_deleting(self, api_as: ApiAs, staff: User, problem: Problem) -> None:
        solution = solution_for(problem, actor=staff)
        judge_next()
        api = api_as(staff)
        again = api.post(f"{V1}/solutions/{solution.pk}/verify/")
        assert (again.status_code, again.json()["status"]) == (202, "pending")
        assert api.delete(f"{V1}/solutions/{solution.pk}/").status_code == 204
        assert api.get(f"{V1}/solutions/{solution.pk}/").status_code == 404

    def test_a_solution_without_tests_is_unverified(self, api_as: ApiAs) -> None:
        problem = AlgorithmProblemFactory(tests=[]).problem
        api = api_as(staff_of(problem))
        made = api.post(listed(problem), {"language": "python", "code": DOUBLE}).json()
        assert (made["status"], made["submission"], made["results"]) == ("unverified", None, None)
        assert refusal(api.post(f"{V1}/solutions/{made['id']}/verify/")) == (409, "problem_not_ready")


class TestRefusals:
    @pytest.mark.parametrize(
        ("body", "fault"),
        [
            ({"language": "python"}, ("#", "code_or_files")),
            ({"language": "python", "code": "x", "files": []}, ("#", "code_or_files")),
            (
                {"language": "python", "code": DOUBLE, "expected_verdict": "internal_error"},
                ("#/expected_verdict", "invalid_choice"),
            ),
            ({"language": "python", "code": DOUBLE, "author": 1}, ("#/author", "unknown_field")),
            ({"language": "python", "code": DOUBLE, "submission": 1}, ("#/submission", "unknown_field")),
            ({"language": "cobol", "code": DOUBLE}, ("#/language", "unknown_language")),
            ({"language": "python", "code": ""}, ("#/code", "empty_code")),
            ({"language": "python", "code": DOUBLE, "name": ""}, ("#/name", "blank")),
            ({"language": "python", "files": []}, ("#/files", "empty_code")),
        ],
    )
    def test_bad_input_is_named_and_changes_nothing(
        self, api_as: ApiAs, staff: User, problem: Problem, body: dict[str, Any], fault: tuple[str, str]
    ) -> None:
        assert fault in faults(api_as(staff).post(listed(problem), body))
        assert not ReferenceSolution.objects.exists()

    def test_no_change_is_taken_with_two_programs(self, api_as: ApiAs, staff: User, problem: Problem) -> None:
        solution = solution_for(problem, actor=staff)
        body = {"code": "x", "files": [{"name": "main.py", "content": "x"}]}
        changed = api_as(staff).patch(f"{V1}/solutions/{solution.pk}/", body)
        assert faults(changed) == [("#", "code_or_files")]

    def test_a_choice_takes_no_program(self, api_as: ApiAs) -> None:
        problem = ChoiceProblemFactory().problem
        made = api_as(staff_of(problem)).post(listed(problem), {"language": "python", "code": DOUBLE})
        assert refusal(made) == (409, "takes_no_code")


class TestList:
    def test_it_is_filtered(self, api_as: ApiAs, staff: User, problem: Problem) -> None:
        solution_for(problem, actor=staff, name="right")
        solution_for(problem, actor=staff, name="wrong", code="print(1)", expected_verdict="wrong_answer")
        judge_next()

        def names(query: str) -> list[str]:
            return [row["name"] for row in api_as(staff).get(f"{listed(problem)}?{query}").json()["results"]]

        assert names("") == ["right", "wrong"]
        assert names("expected_verdict=wrong_answer") == ["wrong"]
        assert names("status=accepted") == ["right"]
        assert names("status=accepted&status=pending") == ["right", "wrong"]
        assert (names("language=c"), names("language=python")) == ([], ["right", "wrong"])
        assert {*SolutionFilter.base_filters} == {"language", "expected_verdict", "status"}

    def test_the_number_of_queries_does_not_grow(self, api_as: ApiAs, staff: User, problem: Problem) -> None:
        def queries() -> int:
            with CaptureQueriesContext(connection) as captured:
                assert api_as(staff).get(listed(problem)).status_code == 200
            return len(captured)

        solution_for(problem, actor=staff)
        judge_next()
        one = queries()
        for number in range(10):
            solution_for(problem, actor=staff, name=f"number {number}")
            judge_next()
        assert queries() == one <= 6

    def test_code_is_not_in_the_list(self, api_as: ApiAs, staff: User, problem: Problem) -> None:
        solution_for(problem, actor=staff, code=f"print('{CANARY}')")
        assert CANARY not in api_as(staff).get(listed(problem)).content.decode()

    def test_submissions_can_be_had_by_purpose(self, api_as: ApiAs, staff: User, problem: Problem) -> None:
        solution = solution_for(problem, actor=staff)
        practice = SubmissionFactory(problem=problem)

        def ids(purpose: str) -> list[int]:
            return [row["id"] for row in api_as(staff).get(f"{V1}/submissions/?purpose={purpose}").json()["results"]]

        assert (ids("verify"), ids("practice"), ids("exam")) == ([solution.submission_id], [practice.pk], [])


class TestPublishing:
    def test_a_solution_that_fails_warns_and_keeps_nobody_from_it(
        self, api_as: ApiAs, staff: User, problem: Problem
    ) -> None:
        Problem.objects.update(status="draft")
        api = api_as(staff)
        solution_for(problem, actor=staff)
        judge_next(ScriptedEngine(lambda stdin: run_result(b"no")))
        published = api.patch(f"{V1}/problems/{problem.pk}/", {"status": "published"})
        assert (published.status_code, published.json()["status"]) == (200, "published")
        (warning,) = published.json()["warnings"]
        assert warning["code"] == "solution_not_as_expected"
        new_tests(problem)
        judge_next()
        assert api.get(f"{V1}/problems/{problem.pk}/").json()["warnings"] == []


class TestSecrecy:
    @pytest.fixture
    def planted(self, problem: Problem, staff: User) -> ReferenceSolution:
        """A judged one and one that waits, whose author has become a student of the course."""
        solution = solution_for(problem, actor=staff, code=f"print('{CANARY}-code')", name=f"{CANARY}-name")
        judge_next(ScriptedEngine(lambda stdin: run_result(f"{CANARY}-output".encode())))
        new_tests(problem)
        staff.enrollments.filter(course=problem.course).update(role=Enrollment.Role.STUDENT)
        return ReferenceSolution.objects.get(pk=solution.pk)

    def leaks(self, api: Any, planted: ReferenceSolution) -> list[str]:
        """The addresses that answer with a word of the solution, or at all where they should not."""
        problem_id = planted.problem_id
        addresses = [
            f"{V1}/solutions/{planted.pk}/",
            *(f"{V1}/submissions/{pk}/" for pk in Submission.objects.values_list("pk", flat=True)),
        ]
        found = [address for address in addresses if api.get(address).status_code != 404]
        found += [f"verify {planted.pk}"] * (api.post(f"{V1}/solutions/{planted.pk}/verify/").status_code != 404)
        filters = (f"problem={problem_id}", "purpose=verify", f"user={planted.author_id}", "status=wrong_answer", "")
        lists = [f"{V1}/submissions/?{query}" for query in filters]
        found += [address for address in lists if api.get(address).json()["count"]]
        for address in (
            f"{V1}/problems/{problem_id}/solutions/",
            f"{V1}/problems/{problem_id}/",
            f"{V1}/problems/{problem_id}/?as=student&expand=solutions",
            f"{V1}/courses/{planted.problem.course_id}/problems/",
            f"{V1}/courses/{planted.problem.course_id}/outline/",
        ):
            text = api.get(address).content.decode()
            found += [address] * any(word in text for word in (CANARY, "warnings", "reference_solution"))
        return found

    def test_students_and_strangers_meet_none(self, api_as: ApiAs, planted: ReferenceSolution) -> None:
        course = planted.problem.course
        for user in (
            planted.author,
            EnrollmentFactory(course=course).user,
            MembershipFactory(organization=course.organization).user,
            MembershipFactory(role=Membership.Role.OWNER).user,
            EnrollmentFactory(role=Enrollment.Role.INSTRUCTOR).user,
        ):
            assert self.leaks(api_as(user), planted) == []

    def test_control_staff_meet_them(self, api_as: ApiAs, planted: ReferenceSolution) -> None:
        api = api_as(EnrollmentFactory(course=planted.problem.course, role=Enrollment.Role.ASSISTANT).user)
        # All of them but those that show no part of how a problem is judged.
        assert len(self.leaks(api, planted)) == 11
        addresses = [
            f"{V1}/solutions/{planted.pk}/",
            *(f"{V1}/submissions/{submission.pk}/" for submission in Submission.objects.all()),
        ]
        texts = "".join(api.get(address).content.decode() for address in addresses)
        assert all(f"{CANARY}-{word}" in texts for word in ("code", "name", "output"))

    def test_control_verifications_that_count_as_one_s_own_are_noticed(
        self, api_as: ApiAs, planted: ReferenceSolution, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(SubmissionQuerySet, "visible_to", lambda self, user: self.filter(user=user))
        assert self.leaks(api_as(planted.author), planted)
