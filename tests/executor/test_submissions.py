"""Handing in, through the service and over HTTP: what is taken, what is refused, and that a refusal changes nothing."""

import json
import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import IntegrityError, connection
from django.db.models import ProtectedError
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, DjangoCaptureOnCommitCallbacks, Settings
from rest_framework.test import APIClient

from accounts.models import Membership, User
from core.errors import NotFound
from courses import services
from courses.models import Course, Enrollment, Problem
from executor.models import Judgement, Submission
from executor.services.submissions import ProblemNotReady, submission_create
from executor.signals import judgement_queued
from tests.accounts.factories import MembershipFactory, UserFactory
from tests.courses.factories import AlgorithmProblemFactory, EnrollmentFactory, ProblemFactory
from tests.executor.factories import DOUBLE, SubmissionFactory

pytestmark = pytest.mark.django_db

ApiAs = Callable[[User], APIClient]


def body(problem: Problem, **changes: Any) -> dict[str, Any]:
    return {"problem": problem.pk, "language": "python", "code": DOUBLE, **changes}


def submit(user: User, problem: Problem) -> Submission:
    return submission_create(
        user=user, problem_id=problem.pk, language="python", code=DOUBLE, received_at=timezone.now()
    )


class TestSubmissionCreate:
    def test_the_submission_and_its_first_judgement_are_written(self, student: User, problem: Problem) -> None:
        submission = submit(student, problem)
        judgement = submission.current_judgement
        assert judgement is not None
        assert (submission.status, submission.purpose, submission.user) == ("pending", "practice", student)
        assert (judgement.number, judgement.state, judgement.tries) == (1, "pending", 0)
        assert (judgement.time_limit_ms, judgement.memory_limit_mb, judgement.checker) == (2000, 256, "tokens")

    def test_the_test_set_is_frozen_by_its_first_use(self, student: User, problem: Problem) -> None:
        assert problem.test_sets.get().frozen_at is None
        submit(student, problem)
        frozen_at = problem.test_sets.get().frozen_at
        assert frozen_at is not None
        submit(student, problem)
        assert problem.test_sets.get().frozen_at == frozen_at

    def test_workers_are_woken_after_the_commit_and_not_before(
        self, student: User, problem: Problem, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
    ) -> None:
        heard: list[object] = []

        def receiver(sender: object, judgement_id: int, **kwargs: object) -> None:
            heard.append(judgement_id)

        judgement_queued.connect(receiver)
        try:
            with django_capture_on_commit_callbacks(execute=True):
                submission = submit(student, problem)
                assert heard == []
        finally:
            judgement_queued.disconnect(receiver)
        assert heard == [submission.current_judgement_id]

    def test_a_failing_listener_never_fails_the_submission(
        self, student: User, problem: Problem, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
    ) -> None:
        def receiver(sender: object, **kwargs: object) -> None:
            raise RuntimeError("nobody to wake")

        judgement_queued.connect(receiver)
        try:
            with django_capture_on_commit_callbacks(execute=True):
                submit(student, problem)
        finally:
            judgement_queued.disconnect(receiver)
        assert Submission.objects.count() == 1

    def test_nothing_is_left_of_a_transaction_that_fails(
        self, student: User, problem: Problem, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def broken(**kwargs: object) -> None:
            raise RuntimeError("the database went away")

        monkeypatch.setattr("executor.services.submissions.testset_freeze", broken)
        with pytest.raises(RuntimeError):
            submit(student, problem)
        assert Submission.objects.count() == 0

    def test_staff_may_try_a_draft_and_students_do_not_see_it(self, student: User, problem: Problem) -> None:
        Problem.objects.update(status=Problem.Status.DRAFT)
        with pytest.raises(NotFound):
            submit(student, problem)
        instructor = EnrollmentFactory(course=problem.course, role=Enrollment.Role.INSTRUCTOR).user
        submit(instructor, problem)

    def test_an_exam_s_problem_does_not_exist_outside_it(self, student: User, problem: Problem) -> None:
        Problem.objects.update(audience=Problem.Audience.EXAM_ONLY)
        with pytest.raises(NotFound):
            submit(student, problem)

    @pytest.mark.parametrize(
        "make_unready",
        [
            lambda problem: problem.test_sets.all().delete(),
            lambda problem: Problem.objects.update(status=Problem.Status.ARCHIVED),
            lambda problem: Course.objects.update(status=Course.Status.ARCHIVED),
            lambda problem: Problem.objects.update(type=Problem.Type.CHOICE),
        ],
        ids=["no tests", "archived problem", "archived course", "no program asked for"],
    )
    def test_a_problem_that_cannot_be_judged_is_refused(
        self, problem: Problem, make_unready: Callable[[Problem], object]
    ) -> None:
        instructor = EnrollmentFactory(course=problem.course, role=Enrollment.Role.INSTRUCTOR).user
        make_unready(problem)
        with pytest.raises(ProblemNotReady):
            submit(instructor, problem)
        assert Submission.objects.count() == 0


class TestPost:
    def test_it_is_answered_with_202_and_where_to_look(self, api_as: ApiAs, student: User, problem: Problem) -> None:
        SubmissionFactory(problem=problem)
        response = api_as(student).post("/api/v1/submissions/", body(problem))
        assert response.status_code == 202
        submission = Submission.objects.latest("pk")
        assert response["Location"] == f"/api/v1/submissions/{submission.pk}/"
        assert response.json()["id"] == submission.pk
        assert response.json()["status"] == "pending"
        assert response.json()["queue_position"] == 2
        assert response.json()["estimated_wait_seconds"] >= 1

    def test_several_files_are_kept_in_their_order(self, api_as: ApiAs, student: User, problem: Problem) -> None:
        files = [{"name": "main.py", "content": "import lib"}, {"name": "lib.py", "content": "x = 1\n"}]
        request = {"problem": problem.pk, "language": "python", "files": files}
        assert api_as(student).post("/api/v1/submissions/", request).status_code == 202
        assert Submission.objects.get().files == files

    def test_leading_and_trailing_space_is_the_student_s_own(
        self, api_as: ApiAs, student: User, problem: Problem
    ) -> None:
        api_as(student).post("/api/v1/submissions/", body(problem, code="  \nprint(1)\n\n"))
        assert Submission.objects.get().code == "  \nprint(1)\n\n"

    def test_received_at_is_the_moment_the_request_came(self, api_as: ApiAs, student: User, problem: Problem) -> None:
        before = timezone.now()
        api_as(student).post("/api/v1/submissions/", body(problem))
        submission = Submission.objects.get()
        assert before <= submission.received_at <= submission.created_at

    @pytest.mark.parametrize(
        ("changes", "status", "pointer", "code"),
        [
            ({"language": "cobol"}, 422, "#/language", "unknown_language"),
            ({"language": ""}, 422, "#/language", "blank"),
            ({"code": ""}, 422, "#/code", "empty_code"),
            ({"code": " \n\t"}, 422, "#/code", "empty_code"),
            ({"code": "x" * (64 * 1024 + 1)}, 422, "#/code", "code_too_large"),
            ({"code": "a\x00b"}, 422, "#/code", "null_characters_not_allowed"),
            ({"code": None}, 422, "#/code", "null"),
            ({"problem": "one"}, 422, "#/problem", "invalid"),
            ({"problem": 2**70}, 422, "#/problem", "max_value"),
            ({"problem": True}, 422, "#/problem", "invalid"),
            ({"score": 100}, 422, "#/score", "unknown_field"),
            ({"status": "accepted"}, 422, "#/status", "unknown_field"),
            ({"user": 1}, 422, "#/user", "unknown_field"),
            ({"purpose": "exam"}, 422, "#/purpose", "unknown_field"),
            ({"feedback": "full"}, 422, "#/feedback", "unknown_field"),
            ({"received_at": "2020-01-01T00:00:00Z"}, 422, "#/received_at", "unknown_field"),
            ({"files": []}, 422, "#", "code_or_files"),
        ],
    )
    def test_bad_input_is_named_and_changes_nothing(
        self,
        api_as: ApiAs,
        student: User,
        problem: Problem,
        changes: dict[str, Any],
        status: int,
        pointer: str,
        code: str,
    ) -> None:
        response = api_as(student).post("/api/v1/submissions/", {**body(problem), **changes})
        assert response.status_code == status
        assert response["Content-Type"] == "application/problem+json"
        assert {"pointer": pointer, "code": code} in [
            {"pointer": error["pointer"], "code": error["code"]} for error in response.json()["errors"]
        ]
        assert Submission.objects.count() == Judgement.objects.count() == 0
        assert problem.test_sets.get().frozen_at is None

    @pytest.mark.parametrize(
        ("files", "pointer", "code"),
        [
            ([], "#/files", "empty_code"),
            ([{"name": "../main.py", "content": "1"}], "#/files/0/name", "invalid_file_name"),
            ([{"name": "/etc/x.py", "content": "1"}], "#/files/0/name", "invalid_file_name"),
            ([{"name": "-rf.py", "content": "1"}], "#/files/0/name", "invalid_file_name"),
            ([{"name": ".py", "content": "1"}], "#/files/0/name", "invalid_file_name"),
            ([{"name": "a\nb.py", "content": "1"}], "#/files/0/name", "invalid_file_name"),
            ([{"name": "m\u202eain.py", "content": "1"}], "#/files/0/name", "invalid_file_name"),
            ([{"name": "main.c", "content": "1"}], "#/files/0/name", "wrong_suffix"),
            ([{"name": "a.py", "content": "1"}] * 2, "#/files/1/name", "duplicate_file_name"),
            ([{"name": f"a{n}.py", "content": "1"} for n in range(21)], "#/files", "too_many_files"),
            ([{"name": "a.py", "content": "1", "mode": 7}], "#/files/0/mode", "unknown_field"),
        ],
    )
    def test_bad_files_are_named(
        self, api_as: ApiAs, student: User, problem: Problem, files: list[Any], pointer: str, code: str
    ) -> None:
        request = {"problem": problem.pk, "language": "python", "files": files}
        response = api_as(student).post("/api/v1/submissions/", request)
        assert response.status_code == 422
        assert (pointer, code) in [(error["pointer"], error["code"]) for error in response.json()["errors"]]
        assert Submission.objects.count() == 0

    def test_a_lone_surrogate_is_refused(self, api_as: ApiAs, student: User, problem: Problem) -> None:
        raw = json.dumps(body(problem, code="x = '\ud800'"))
        response = api_as(student).post("/api/v1/submissions/", raw, content_type="application/json")
        assert response.status_code in (400, 422)
        assert Submission.objects.count() == 0

    @pytest.mark.parametrize("raw", ["{", "[]", "null", '"x"', '{"problem": NaN}', '{"a": 1, "a": 2}', "\ud800"[:0]])
    def test_what_is_no_json_object_is_refused(self, api_as: ApiAs, student: User, problem: Problem, raw: str) -> None:
        response = api_as(student).post("/api/v1/submissions/", raw, content_type="application/json")
        assert response.status_code in (400, 422)
        assert response["Content-Type"] == "application/problem+json"
        assert Submission.objects.count() == 0

    def test_a_language_the_problem_does_not_take(self, api_as: ApiAs, student: User, problem: Problem) -> None:
        problem.algorithm.languages = ["c"]
        problem.algorithm.save()
        response = api_as(student).post("/api/v1/submissions/", body(problem))
        assert response.status_code == 422
        assert response.json()["errors"][0]["code"] == "language_not_allowed"

    def test_foreign_missing_and_not_enrolled_look_the_same(self, api_as: ApiAs, student: User) -> None:
        foreign = AlgorithmProblemFactory().problem
        member = MembershipFactory(organization=foreign.course.organization, role=Membership.Role.MEMBER).user
        answers = [
            api_as(student).post("/api/v1/submissions/", body(foreign)),
            api_as(member).post("/api/v1/submissions/", body(foreign)),
            api_as(student).post("/api/v1/submissions/", {**body(foreign), "problem": foreign.pk + 1000}),
        ]
        assert [answer.status_code for answer in answers] == [404, 404, 404]
        assert len({json.dumps({**answer.json(), "request_id": ""}) for answer in answers}) == 1
        assert Submission.objects.count() == 0

    def test_a_problem_without_tests_is_a_conflict(self, api_as: ApiAs) -> None:
        bare = AlgorithmProblemFactory(tests=[]).problem
        student = EnrollmentFactory(course=bare.course).user
        response = api_as(student).post("/api/v1/submissions/", body(bare))
        assert (response.status_code, response.json()["code"]) == (409, "problem_not_ready")

    @pytest.mark.parametrize("wait", ["-1", "31", "x", "1.5", "٣"])
    def test_a_bad_wait_is_refused(self, api_as: ApiAs, student: User, problem: Problem, wait: str) -> None:
        response = api_as(student).post(f"/api/v1/submissions/?wait={wait}", body(problem))
        assert response.status_code == 422
        assert Submission.objects.count() == 0

    def test_the_number_of_queries_does_not_grow(
        self, api_as: ApiAs, student: User, problem: Problem, django_assert_max_num_queries: DjangoAssertNumQueries
    ) -> None:
        client = api_as(student)
        client.post("/api/v1/submissions/", body(problem))
        for _ in range(20):
            SubmissionFactory(problem=problem, user=student)
        # The last six say how the queue stands; outside of a transaction they are asked once a second at most.
        with django_assert_max_num_queries(34):
            client.post("/api/v1/submissions/", body(problem))


class TestLaw9:
    """Marks are never deleted with something else."""

    def test_neither_user_nor_problem_takes_submissions_along(self) -> None:
        submission = SubmissionFactory()
        with pytest.raises(ProtectedError):
            submission.user.delete()
        with pytest.raises(ProtectedError):
            submission.problem.delete()
        assert Submission.objects.count() == 1

    def test_a_user_without_marks_can_go(self) -> None:
        user = UserFactory()
        user.delete()
        assert not User.objects.filter(pk=user.pk).exists()

    def test_a_problem_without_submissions_can_go(self) -> None:
        ProblemFactory().delete()
        assert Problem.objects.count() == 0


class TestLanguageAvailability:
    def test_a_language_that_is_missing_here_is_refused_with_what_is_missing(
        self, api_as: ApiAs, student: User, problem: Problem, monkeypatch: pytest.MonkeyPatch, settings: Settings
    ) -> None:
        monkeypatch.setattr("executor.services.sources.missing_for", lambda language: "python3 is missing")
        response = api_as(student).post("/api/v1/submissions/", body(problem))
        assert response.json()["errors"][0]["code"] == "language_unavailable"
        assert "python3 is missing" in response.json()["detail"]
        assert Submission.objects.count() == 0


@pytest.mark.django_db(transaction=True)
class TestDeletedMeanwhile:
    def test_a_problem_that_goes_while_one_hands_in_leaves_all_or_nothing(
        self, student: User, problem: Problem, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """PostgreSQL notices at the commit and it is a 404; SQLite's write lock keeps the deletion away until then."""
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
        try:
            submit(student, problem)
            is_accepted = True
        except NotFound:
            is_accepted = False
        thread.join()
        assert deleted == [not is_accepted]
        assert is_accepted is (connection.vendor == "sqlite")
        assert Submission.objects.exists() is is_accepted
        assert Problem.objects.filter(pk=problem.pk).exists() is is_accepted
