"""Reading submissions over HTTP: who sees which, and how much of them."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from pytest_django import DjangoAssertNumQueries
from rest_framework.test import APIClient

from accounts.models import Membership, User
from courses.models import Enrollment
from executor.models import Judgement, Submission
from executor.queue.claims import claim_next
from executor.queue.judge import judge_claimed
from executor.services.code_executor import CodeExecutorService
from tests.accounts.factories import MembershipFactory
from tests.courses.factories import AlgorithmProblemFactory, EnrollmentFactory
from tests.executor.factories import SubmissionFactory
from tests.executor.fakes import ScriptedEngine, double, run_result

pytestmark = pytest.mark.django_db

ApiAs = Callable[[User], APIClient]
HIDDEN = "HIDDEN-CANARY"


def judged(**changes: Any) -> Submission:
    """A submission that got the sample right and the hidden test wrong, printing what it read."""
    problem = AlgorithmProblemFactory(tests=[("1", "2"), ("7", f"14 {HIDDEN}")]).problem
    submission = SubmissionFactory(problem=problem, **changes)
    claim = claim_next()
    assert claim is not None
    answer = double

    def leaky(stdin: bytes) -> Any:
        return answer(stdin) if stdin == b"1" else run_result(HIDDEN.encode() + stdin)

    judge_claimed(claim, CodeExecutorService(ScriptedEngine(leaky)))
    submission.refresh_from_db()
    return submission


def read(client: APIClient, submission: Submission) -> dict[str, Any]:
    response = client.get(f"/api/v1/submissions/{submission.pk}/")
    assert response.status_code == 200
    return response.json()


class TestWhoSees:
    def test_owner_and_staff_see_it_and_nobody_else(self, api_as: ApiAs) -> None:
        submission = judged()
        course = submission.problem.course
        may = [
            submission.user,
            EnrollmentFactory(course=course, role=Enrollment.Role.ASSISTANT).user,
            EnrollmentFactory(course=course, role=Enrollment.Role.INSTRUCTOR).user,
            MembershipFactory(organization=course.organization, role=Membership.Role.ADMIN).user,
        ]
        may_not = [
            EnrollmentFactory(course=course).user,
            EnrollmentFactory(role=Enrollment.Role.INSTRUCTOR).user,
            MembershipFactory(organization=course.organization).user,
            MembershipFactory(role=Membership.Role.OWNER).user,
        ]
        url = f"/api/v1/submissions/{submission.pk}/"
        assert [api_as(user).get(url).status_code for user in may] == [200] * 4
        assert [api_as(user).get(url).status_code for user in may_not] == [404] * 4
        assert [api_as(user).get("/api/v1/submissions/").json()["count"] for user in may] == [1] * 4
        assert [api_as(user).get("/api/v1/submissions/").json()["count"] for user in may_not] == [0] * 4


class TestFeedback:
    def test_verdicts_show_each_test_and_of_hidden_ones_nothing_else(self, api_as: ApiAs) -> None:
        submission = judged()
        shown = read(api_as(submission.user), submission)
        assert (shown["status"], shown["score"]) == ("wrong_answer", "50.00")
        sample, hidden = shown["tests"]
        assert (sample["verdict"], sample["input"], sample["stdout"]) == ("accepted", "1", "2\n")
        assert hidden["verdict"] == "wrong_answer"
        assert {value for key, value in hidden.items() if key not in ("number", "is_sample", "verdict")} == {None}

    def test_figures_are_coarse_unless_all_is_shown(self, api_as: ApiAs) -> None:
        """How long a program ran on hidden tests could tell them, bit by bit."""

        def shown(feedback: Submission.Feedback, figures: tuple[int, int]) -> tuple[int, int]:
            submission = judged(feedback=feedback)
            assert submission.current_judgement is not None
            judgement = Judgement.objects.filter(pk=submission.current_judgement.pk)
            judgement.update(time_ms=figures[0], memory_kib=figures[1])
            report = read(api_as(submission.user), submission)
            return report["time_ms"], report["memory_kib"]

        for figures in ((121, 9217), (130, 10240)):
            assert shown(Submission.Feedback.VERDICTS, figures) == (130, 10240)
        assert shown(Submission.Feedback.FULL, (121, 9217)) == (121, 9217)

    def test_samples_show_the_samples_and_no_verdict(self, api_as: ApiAs) -> None:
        submission = judged(feedback=Submission.Feedback.SAMPLES)
        shown = read(api_as(submission.user), submission)
        assert (shown["status"], shown["score"], shown["time_ms"]) == ("judged", None, None)
        assert [test["number"] for test in shown["tests"]] == [1]

    def test_none_shows_that_it_is_judged(self, api_as: ApiAs) -> None:
        submission = judged(feedback=Submission.Feedback.NONE)
        shown = read(api_as(submission.user), submission)
        assert (shown["status"], shown["score"], shown["tests"]) == ("judged", None, [])

    def test_full_shows_hidden_tests_too(self, api_as: ApiAs) -> None:
        submission = judged(feedback=Submission.Feedback.FULL)
        assert HIDDEN in str(read(api_as(submission.user), submission))

    @pytest.mark.parametrize("feedback", Submission.Feedback)
    def test_staff_see_everything(self, api_as: ApiAs, feedback: Submission.Feedback) -> None:
        submission = judged(feedback=feedback)
        staff = EnrollmentFactory(course=submission.problem.course, role=Enrollment.Role.ASSISTANT).user
        shown = read(api_as(staff), submission)
        assert shown["status"] == "wrong_answer"
        assert HIDDEN in str(shown["tests"])

    @pytest.mark.parametrize("feedback", ["none", "samples", "verdicts"])
    def test_nothing_of_a_hidden_test_leaves_by_any_list_or_filter(self, api_as: ApiAs, feedback: str) -> None:
        submission = judged(feedback=feedback)
        client = api_as(submission.user)
        urls = [
            f"/api/v1/submissions/{submission.pk}/",
            "/api/v1/submissions/",
            f"/api/v1/submissions/?problem={submission.problem_id}&user={submission.user_id}&language=python",
            f"/api/v1/submissions/?course={submission.problem.course_id}&status=wrong_answer",
            f"/api/v1/problems/{submission.problem_id}/",
        ]
        for url in urls:
            response = client.get(url)
            assert response.status_code == 200, url
            assert HIDDEN not in response.content.decode(), url

    @pytest.mark.parametrize("feedback", ["none", "samples"])
    def test_a_filter_tells_no_more_than_the_list(self, api_as: ApiAs, feedback: str) -> None:
        submission = judged(feedback=feedback)
        client = api_as(submission.user)
        for status in Submission.Status:
            assert client.get(f"/api/v1/submissions/?status={status}").json()["count"] == 0
        staff = EnrollmentFactory(course=submission.problem.course, role=Enrollment.Role.ASSISTANT).user
        assert api_as(staff).get("/api/v1/submissions/?status=wrong_answer").json()["count"] == 1

    def test_control_an_unguarded_filter_would_tell(self, api_as: ApiAs, monkeypatch: pytest.MonkeyPatch) -> None:
        from django.db.models import Q

        monkeypatch.setattr("executor.api.filters.status_filter", lambda statuses: Q(status__in=statuses))
        submission = judged(feedback=Submission.Feedback.NONE)
        client = api_as(submission.user)
        assert client.get("/api/v1/submissions/?status=wrong_answer").json()["count"] == 1


class TestList:
    def test_it_costs_the_same_for_few_and_many(
        self, api_as: ApiAs, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        submission = judged()
        staff = EnrollmentFactory(course=submission.problem.course, role=Enrollment.Role.INSTRUCTOR).user
        client = api_as(staff)
        with django_assert_num_queries(2):
            assert client.get("/api/v1/submissions/").json()["count"] == 1
        for _ in range(30):
            SubmissionFactory(problem=submission.problem)
        with django_assert_num_queries(2):
            assert client.get("/api/v1/submissions/").json()["count"] == 31

    def test_filters_narrow_and_unknown_ones_are_refused(self, api_as: ApiAs) -> None:
        submission = judged()
        client = api_as(submission.user)
        assert client.get("/api/v1/submissions/?language=c").json()["count"] == 0
        assert client.get("/api/v1/submissions/?status=wrong_answer&status=pending").json()["count"] == 1
        assert client.get("/api/v1/submissions/?scoer=1").json()["errors"][0]["code"] == "unknown_filter"
        assert client.get("/api/v1/submissions/?status=great").status_code == 422

    def test_rows_carry_neither_code_nor_tests(self, api_as: ApiAs) -> None:
        submission = judged()
        (row,) = api_as(submission.user).get("/api/v1/submissions/").json()["results"]
        assert "files" not in row
        assert "tests" not in row
        assert Decimal(row["score"]) == 50

    def test_newest_first(self, api_as: ApiAs) -> None:
        first = SubmissionFactory()
        second = SubmissionFactory(problem=first.problem, user=first.user)
        rows = api_as(first.user).get("/api/v1/submissions/").json()["results"]
        assert [row["id"] for row in rows] == [second.pk, first.pk]
