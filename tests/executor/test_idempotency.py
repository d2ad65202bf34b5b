"""`Idempotency-Key` over HTTP: which addresses take it, and what a request that is sent again finds."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from io import BytesIO
from typing import Any
from zipfile import ZipFile

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError, connection
from django.db.models import Model
from django.db.models.deletion import ProtectedError
from drf_spectacular.generators import SchemaGenerator
from freezegun import freeze_time
from pytest_django import DjangoAssertNumQueries, DjangoCaptureOnCommitCallbacks
from rest_framework.test import APIClient

from accounts.models import Membership, User
from core.models import IdempotencyRecord
from courses import services
from courses.models import Course, Enrollment, PracticeAnswer, Problem, TestSet
from executor.models import Judgement, ReferenceSolution, RunQuota, Submission
from executor.queue.claims import claim_next
from executor.queue.judge import judge_claimed
from executor.services.code_executor import CodeExecutorService
from executor.signals import judgement_queued
from tests.accounts.factories import MembershipFactory
from tests.courses.factories import ChoiceProblemFactory, EnrollmentFactory
from tests.executor.databases import DOUBLE, judge_next
from tests.executor.factories import SubmissionFactory
from tests.executor.fakes import ScriptedEngine
from tests.executor.solutions import solution_for
from tests.parallel import at_once

pytestmark = pytest.mark.django_db

ApiAs = Callable[[User], APIClient]
URL = "/api/v1/submissions/"
KEY = {"Idempotency-Key": "my-key-1"}
REPLAYED = "Idempotency-Replayed"
# Operations that take the key: the specification lists the same.
OPERATIONS = {
    "submissions_create",
    "runs_create",
    "problem_run_samples",
    "solution_create",
    "solution_verify",
    "submission_rejudge",
    "problem_rejudge",
    "problem_check",
    "testcase_create",
    "testset_import",
    "problem_duplicate",
    "course_duplicate",
}


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> ScriptedEngine:
    scripted = ScriptedEngine()
    monkeypatch.setattr("executor.services.code_executor.default_engine", lambda: scripted)
    return scripted


def archive(files: dict[str, bytes]) -> bytes:
    packed = BytesIO()
    with ZipFile(packed, "w") as file:
        for name, content in files.items():
            file.writestr(name, content)
    return packed.getvalue()


def body(problem: Problem, **changes: Any) -> dict[str, Any]:
    return {"problem": problem.pk, "language": "python", "code": DOUBLE, **changes}


class TestSubmitting:
    def test_the_second_names_the_first(self, api_as: ApiAs, student: User, problem: Problem) -> None:
        client = api_as(student)
        first, second = (client.post(URL, body(problem), headers=KEY) for _ in range(2))
        submission = Submission.objects.get()
        assert (first.status_code, second.status_code) == (202, 202)
        assert first.json() == second.json()
        assert first["Location"] == second["Location"] == f"{URL}{submission.pk}/"
        assert REPLAYED not in first
        assert second[REPLAYED] == "true"
        assert Judgement.objects.count() == 1

    def test_control_without_the_key_there_are_two(self, api_as: ApiAs, student: User, problem: Problem) -> None:
        for _ in range(2):
            api_as(student).post(URL, body(problem))
        assert Submission.objects.count() == 2

    def test_by_then_judged_it_is_200_with_the_verdict(self, api_as: ApiAs, student: User, problem: Problem) -> None:
        client = api_as(student)
        assert client.post(URL, body(problem), headers=KEY).status_code == 202
        judge_next()
        response = client.post(f"{URL}?wait=1", body(problem), headers=KEY)
        assert (response.status_code, response.json()["status"]) == (200, "accepted")
        assert response[REPLAYED] == "true"

    def test_it_holds_when_the_problem_takes_no_more(self, api_as: ApiAs, student: User, problem: Problem) -> None:
        client = api_as(student)
        first = client.post(URL, body(problem), headers=KEY)
        Problem.objects.update(status=Problem.Status.ARCHIVED)
        assert client.post(URL, body(problem), headers=KEY)["Location"] == first["Location"]
        assert client.post(URL, body(problem)).status_code == 404

    @pytest.mark.parametrize("changes", [{"code": "print(1)"}, {"language": "c"}], ids=str)
    def test_another_body_is_422_and_nothing_is_made(
        self, api_as: ApiAs, student: User, problem: Problem, changes: dict[str, str]
    ) -> None:
        client = api_as(student)
        client.post(URL, body(problem), headers=KEY)
        response = client.post(URL, body(problem, **changes), headers=KEY)
        assert (response.status_code, response.json()["code"]) == (422, "idempotency_key_reused")
        assert Submission.objects.count() == 1

    def test_another_address_is_422(self, api_as: ApiAs, student: User, problem: Problem) -> None:
        client = api_as(student)
        client.post(URL, body(problem), headers=KEY)
        response = client.post("/api/v1/runs/", {"language": "python", "code": "1"}, headers=KEY)
        assert response.json()["code"] == "idempotency_key_reused"
        assert not RunQuota.objects.exists()

    def test_another_student_s_key_is_another(self, api_as: ApiAs, student: User, problem: Problem) -> None:
        other = EnrollmentFactory(course=problem.course).user
        ids = {api_as(user).post(URL, body(problem), headers=KEY).json()["id"] for user in (student, other)}
        assert len(ids) == 2

    @pytest.mark.parametrize("key", ["", "two words", "x" * 201, "ключ"])
    def test_a_bad_key_is_422_and_nothing_is_made(
        self, api_as: ApiAs, student: User, problem: Problem, key: str
    ) -> None:
        response = api_as(student).post(URL, body(problem), headers={"Idempotency-Key": key})
        assert (response.status_code, response.json()["code"]) == (422, "invalid_idempotency_key")
        assert not Submission.objects.exists()

    def test_what_was_refused_may_be_corrected_under_its_key(
        self, api_as: ApiAs, student: User, problem: Problem
    ) -> None:
        client = api_as(student)
        assert client.post(URL, body(problem, code=""), headers=KEY).status_code == 422
        assert client.post(URL, body(problem, language="cobol"), headers=KEY).status_code == 422
        assert not IdempotencyRecord.objects.exists()
        assert client.post(URL, body(problem), headers=KEY).status_code == 202

    def test_after_a_day_it_is_handed_in_anew(self, api_as: ApiAs, student: User, problem: Problem) -> None:
        client = api_as(student)
        with freeze_time("2026-11-20T10:00:00Z") as clock:
            first = client.post(URL, body(problem), headers=KEY).json()["id"]
            clock.move_to("2026-11-21T10:00:00Z")
            assert client.post(URL, body(problem), headers=KEY).json()["id"] != first

    def test_workers_are_woken_once_and_only_after_the_commit(
        self,
        api_as: ApiAs,
        student: User,
        problem: Problem,
        django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
    ) -> None:
        woken: list[int] = []

        def note(judgement_id: int, **kwargs: object) -> None:
            woken.append(judgement_id)

        judgement_queued.connect(note)
        try:
            with django_capture_on_commit_callbacks(execute=True):
                for _ in range(3):
                    api_as(student).post(URL, body(problem), headers=KEY)
                assert woken == []
        finally:
            judgement_queued.disconnect(note)
        assert woken == [Judgement.objects.get().pk]

    def test_the_key_costs_few_queries(
        self, api_as: ApiAs, student: User, problem: Problem, django_assert_max_num_queries: DjangoAssertNumQueries
    ) -> None:
        client = api_as(student)
        client.post(URL, body(problem))
        with django_assert_max_num_queries(100) as without:
            client.post(URL, body(problem))
        # Looking and noting, the lock on PostgreSQL; and here, in a transaction already, the savepoint around.
        with django_assert_max_num_queries(len(without) + 3 + 2):
            client.post(URL, body(problem), headers=KEY)
        with django_assert_max_num_queries(len(without)):
            assert client.post(URL, body(problem), headers=KEY)[REPLAYED]


class TestRunning:
    def test_the_second_gets_the_answer_of_the_first_run(
        self, api_as: ApiAs, student: User, engine: ScriptedEngine
    ) -> None:
        run = {"language": "python", "code": "x", "stdin": "4"}
        client = api_as(student)
        first, second = (client.post("/api/v1/runs/", run, headers=KEY) for _ in range(2))
        assert (first.status_code, second.status_code) == (200, 200)
        assert first.json() == second.json()
        assert (first.json()["stdout"], second[REPLAYED], len(engine.requests)) == ("8\n", "true", 1)
        # One run counts against the quota, not two.
        assert RunQuota.objects.get().count == 1

    def test_hostile_output_can_be_kept(self, api_as: ApiAs, student: User) -> None:
        run = {"language": "python", "code": r"import sys; sys.stdout.buffer.write(b'\x00\xff\xed\xa0\x80')"}
        first, second = (api_as(student).post("/api/v1/runs/", run, headers=KEY) for _ in range(2))
        assert first.status_code == 200
        assert first.json() == second.json()
        assert second[REPLAYED] == "true"

    def test_samples_are_tried_once(
        self, api_as: ApiAs, student: User, problem: Problem, engine: ScriptedEngine
    ) -> None:
        address = f"/api/v1/problems/{problem.pk}/run-samples/"
        given = {"language": "python", "code": "x"}
        first, second = (api_as(student).post(address, given, headers=KEY) for _ in range(2))
        assert first.status_code == 200
        assert first.json() == second.json()
        assert len(engine.requests) == 1

    def test_while_it_runs_the_same_is_409(
        self, api_as: ApiAs, student: User, problem: Problem, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        run = {"language": "python", "code": "x", "stdin": "4"}
        met: list[Any] = []

        def answer(stdin: bytes) -> Any:
            met.append(api_as(student).post("/api/v1/runs/", run, headers=KEY))
            return double_of(stdin)

        double_of = ScriptedEngine().answer
        scripted = ScriptedEngine(answer)
        monkeypatch.setattr("executor.services.code_executor.default_engine", lambda: scripted)
        assert api_as(student).post("/api/v1/runs/", run, headers=KEY).status_code == 200
        assert (met[0].status_code, met[0].json()["code"]) == (409, "idempotency_in_progress")
        assert int(met[0]["Retry-After"]) > 0

    def test_a_run_that_was_refused_leaves_its_key_free(self, api_as: ApiAs, student: User) -> None:
        client = api_as(student)
        assert client.post("/api/v1/runs/", {"language": "cobol", "code": "x"}, headers=KEY).status_code == 422
        assert not IdempotencyRecord.objects.exists()


@dataclass(frozen=True, slots=True)
class Made:
    """A request of staff, and the rows of which it makes one more."""

    address: str
    given: dict[str, Any]
    rows: type[Model]


def solution(problem: Problem) -> Made:
    given = {"name": "mine", "language": "python", "code": DOUBLE}
    return Made(f"/api/v1/problems/{problem.pk}/solutions/", given, ReferenceSolution)


def verification(problem: Problem) -> Made:
    made = solution_for(problem)
    # While one waits, another verification would only refresh it.
    judge_waiting()
    return Made(f"/api/v1/solutions/{made.pk}/verify/", {}, Submission)


def rejudge_of_one(problem: Problem) -> Made:
    submission = SubmissionFactory(problem=problem)
    judge_waiting()
    return Made(f"/api/v1/submissions/{submission.pk}/rejudge/", {}, Judgement)


def rejudge_of_all(problem: Problem) -> Made:
    SubmissionFactory(problem=problem)
    judge_waiting()
    return Made(f"/api/v1/problems/{problem.pk}/rejudge/", {}, Judgement)


def judge_waiting() -> None:
    while (claim := claim_next()) is not None:
        judge_claimed(claim, CodeExecutorService(ScriptedEngine()))


def one_test(problem: Problem) -> Made:
    return Made(f"/api/v1/problems/{problem.pk}/tests/", {"input": "5\n", "expected_output": "10\n"}, TestSet)


def problem_copy(problem: Problem) -> Made:
    return Made(f"/api/v1/problems/{problem.pk}/duplicate/", {}, Problem)


def course_copy(problem: Problem) -> Made:
    return Made(f"/api/v1/courses/{problem.course_id}/duplicate/", {"slug": "copy", "title": "Copy"}, Course)


def answer(problem: Problem) -> Made:
    choice = ChoiceProblemFactory(problem__course=problem.course).problem
    return Made(f"/api/v1/problems/{choice.pk}/check/", {"answer": {"chosen": ["A"]}}, PracticeAnswer)


class TestOthers:
    @pytest.mark.parametrize("what", [solution, verification, one_test, problem_copy, course_copy, answer])
    def test_what_staff_and_answers_make_is_made_once(
        self, api_as: ApiAs, problem: Problem, what: Callable[[Problem], Made]
    ) -> None:
        user = MembershipFactory(organization=problem.course.organization, role=Membership.Role.OWNER).user
        EnrollmentFactory(course=problem.course, user=user, role=Enrollment.Role.INSTRUCTOR)
        client, made = api_as(user), what(problem)
        before = made.rows._default_manager.count()
        first, second = (client.post(made.address, made.given, headers=KEY) for _ in range(2))
        assert first.status_code in (200, 201, 202), first.content
        assert (second.status_code, second.json()) == (first.status_code, first.json())
        assert second[REPLAYED] == "true"
        assert made.rows._default_manager.count() == before + 1

    @pytest.mark.parametrize("is_keyed", [True, False], ids=["with a key", "control: without"])
    @pytest.mark.parametrize("what", [verification, rejudge_of_one, rejudge_of_all])
    def test_what_was_judged_by_then_is_not_judged_again(
        self, api_as: ApiAs, problem: Problem, what: Callable[[Problem], Made], is_keyed: bool
    ) -> None:
        staff = EnrollmentFactory(course=problem.course, role=Enrollment.Role.INSTRUCTOR).user
        client, made = api_as(staff), what(problem)
        before = made.rows._default_manager.count()
        for _ in range(2):
            response = client.post(made.address, made.given, headers=KEY if is_keyed else {})
            assert response.status_code == 202, response.content
            judge_waiting()
        assert (REPLAYED in response) is is_keyed
        assert made.rows._default_manager.count() == before + (1 if is_keyed else 2)

    def test_an_archive_is_appended_once(self, api_as: ApiAs, problem: Problem) -> None:
        client = api_as(EnrollmentFactory(course=problem.course, role=Enrollment.Role.INSTRUCTOR).user)
        packed = archive({"a.in": b"1\n", "a.ans": b"2\n"})

        def append() -> Any:
            given = {"file": SimpleUploadedFile("t.zip", packed), "mode": "append", "dry_run": "false"}
            return client.post(f"/api/v1/problems/{problem.pk}/tests/archive/", given, format="multipart", headers=KEY)

        first, second = append(), append()
        assert (first.status_code, second.status_code) == (200, 200), first.content
        assert (first.json(), second[REPLAYED]) == (second.json(), "true")
        assert list(TestSet.objects.values_list("version", flat=True).order_by("version")) == [1, 2]

    def test_a_solution_deleted_since_is_404(self, api_as: ApiAs, problem: Problem) -> None:
        staff = EnrollmentFactory(course=problem.course, role=Enrollment.Role.INSTRUCTOR).user
        made = solution(problem)
        client = api_as(staff)
        created = client.post(made.address, made.given, headers=KEY).json()
        client.delete(f"/api/v1/solutions/{created['id']}/")
        assert client.post(made.address, made.given, headers=KEY).status_code == 404

    def test_who_may_no_more_gets_nothing_again(self, api_as: ApiAs, problem: Problem) -> None:
        staff = EnrollmentFactory(course=problem.course, role=Enrollment.Role.INSTRUCTOR)
        made = solution(problem)
        assert api_as(staff.user).post(made.address, made.given, headers=KEY).status_code == 201
        Enrollment.objects.filter(pk=staff.pk).update(role=Enrollment.Role.STUDENT)
        assert api_as(staff.user).post(made.address, made.given, headers=KEY).status_code == 403

    def test_the_document_names_exactly_those_that_take_it(self) -> None:
        operations = [
            operation
            for methods in SchemaGenerator().get_schema(public=True)["paths"].values()
            for operation in methods.values()
        ]
        taking = {
            operation["operationId"]
            for operation in operations
            if "Idempotency-Key" in {parameter["name"] for parameter in operation.get("parameters", ())}
        }
        assert taking == OPERATIONS


@pytest.mark.django_db(transaction=True)
class TestAtOnce:
    @pytest.mark.parametrize("threads", [2, 20])
    def test_many_posts_with_one_key_make_one_submission(
        self, api_as: ApiAs, student: User, problem: Problem, threads: int
    ) -> None:
        clients = [api_as(student) for _ in range(threads)]
        answers = at_once([partial(client.post, URL, body(problem), headers=KEY) for client in clients])
        submission = Submission.objects.get()
        assert Judgement.objects.count() == 1
        assert {answer.status_code for answer in answers} <= {202, 409}
        assert {answer.json()["id"] for answer in answers if answer.status_code == 202} == {submission.pk}
        assert sum(answer.status_code == 202 and REPLAYED not in answer for answer in answers) == 1

    def test_control_without_looking_there_are_two(
        self, api_as: ApiAs, student: User, problem: Problem, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("core.idempotency._record_of", lambda asked: None)
        monkeypatch.setattr("core.idempotency._record", lambda asked, **columns: None)
        at_once([partial(api_as(student).post, URL, body(problem), headers=KEY) for _ in range(2)])
        assert Submission.objects.count() == 2

    def test_a_problem_that_goes_meanwhile_leaves_all_or_nothing(
        self, api_as: ApiAs, student: User, problem: Problem, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """PostgreSQL notices at our commit, outside of the service, and it is the same 404 as without a key."""
        deleted: list[bool] = []

        def delete() -> None:
            try:
                Problem.objects.get(pk=problem.pk).delete()
                deleted.append(True)
            except (IntegrityError, ProtectedError):
                deleted.append(False)
            finally:
                connection.close()

        thread = threading.Thread(target=delete)

        def freeze_late(**kwargs: Any) -> None:
            thread.start()
            thread.join(timeout=0.5)
            services.testset_freeze(**kwargs)

        monkeypatch.setattr("executor.services.submissions.testset_freeze", freeze_late)
        response = api_as(student).post(URL, body(problem), headers=KEY)
        thread.join()
        is_accepted = response.status_code == 202
        assert is_accepted or response.status_code == 404
        assert is_accepted is (connection.vendor == "sqlite")
        assert deleted == [not is_accepted]
        assert Submission.objects.exists() is IdempotencyRecord.objects.exists() is is_accepted
