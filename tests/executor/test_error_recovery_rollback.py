"""Whichever write of a step is refused, the step has left nothing, told nobody and counted nothing.

Lines 2 and 6 of `ErrorRecoveryTestCase` in the test plan, as they concern judging.
"""

from collections.abc import Iterator

import pytest
from django.db import DatabaseError, OperationalError
from pytest_django import Settings
from rest_framework.test import APIClient

from accounts.models import User
from courses.models import Enrollment, Problem
from executor.models import Judgement, Submission, TestResult
from executor.queue.claims import claim_next, claim_return, claims_recover
from executor.services import judgements, submissions
from executor.signals import submission_judged
from tests.courses.refusals import ApiAs, refusal
from tests.executor.databases import apply, claimed, judge_next, refusing, submit
from tests.executor.recovering import (
    ADDRESS,
    APPLYING,
    SERVER_GONE,
    body,
    everything,
    expire,
    figures,
    hearing,
    judged_once,
    news,
    pauses_over,
)

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def user(enrollment: Enrollment) -> User:
    return enrollment.user


@pytest.fixture
def student(user: User, api_as: ApiAs) -> APIClient:
    return api_as(user)


@pytest.fixture
def heard() -> Iterator[list[str]]:
    with news() as told:
        yield told


class ErrorRecoveryTestCase:
    # Line 2: whichever write is refused, the step has left nothing and told nobody.

    @pytest.mark.parametrize(
        ("table", "action"),
        [
            ("executor_submission", "INSERT"),
            ("executor_judgement", "INSERT"),
            ("courses_testset", "UPDATE"),
            ("executor_submission", "UPDATE"),
        ],
    )
    def test_a_handing_in_that_is_rolled_back_leaves_nothing(
        self, table: str, action: str, user: User, problem: Problem, heard: list[str]
    ) -> None:
        before = everything(), figures()
        with refusing(table, action), pytest.raises(DatabaseError, match="no space left"):
            submit(user, problem)
        assert (everything(), figures(), heard) == (*before, [])
        submit(user, problem)
        assert heard == ["queued"]

    @pytest.mark.parametrize("table", ["executor_judgement", "executor_submission"])
    def test_a_claim_that_is_rolled_back_leaves_nothing(
        self, table: str, user: User, problem: Problem, heard: list[str]
    ) -> None:
        submit(user, problem)
        heard.clear()
        before = everything(), figures()
        with refusing(table, "UPDATE"), pytest.raises(DatabaseError, match="no space left"):
            claim_next()
        assert (everything(), figures(), heard) == (*before, [])
        assert claim_next() is not None
        assert heard == ["announced"]

    @pytest.mark.parametrize(("table", "action"), APPLYING)
    def test_a_result_that_is_rolled_back_leaves_nothing(
        self, table: str, action: str, enrollment: Enrollment, problem: Problem, heard: list[str]
    ) -> None:
        submit(enrollment.user, problem)
        claim = claimed()
        heard.clear()
        before = everything(), figures()
        with refusing(table, action), pytest.raises(DatabaseError, match="no space left"):
            apply(claim)
        assert (everything(), figures(), heard) == (*before, [])
        assert apply(claim)
        assert heard == ["announced"]
        judged_once(enrollment, problem)

    def test_control_without_the_transaction_a_result_would_be_half_there(
        self, user: User, problem: Problem, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        submit(user, problem)
        claim = claimed()
        row = Judgement.objects.select_related("submission").get()
        # Locks are for transactions only.
        monkeypatch.setattr(judgements, "claimed_lock", lambda judgement_id, **conditions: row)
        monkeypatch.setattr("tests.executor.databases.judgement_apply", judgements.judgement_apply.__wrapped__)  # type: ignore[attr-defined]
        with refusing("executor_submission", "UPDATE"), pytest.raises(DatabaseError):
            apply(claim)
        assert (Submission.objects.get().status, Judgement.objects.get().state) == ("judging", "done")
        assert TestResult.objects.exists()

    @pytest.mark.parametrize("table", ["executor_judgement", "executor_submission"])
    @pytest.mark.parametrize("step", ["return", "recover"])
    def test_giving_back_that_is_rolled_back_leaves_nothing(
        self, step: str, table: str, user: User, problem: Problem, heard: list[str]
    ) -> None:
        submit(user, problem)
        claim = claimed()
        expire()
        heard.clear()
        before = everything(), figures()

        def give_back() -> None:
            if step == "return":
                claim_return(claim, fault="engine away", is_charged=False)
            else:
                assert claims_recover() == 1

        with refusing(table, "UPDATE"), pytest.raises(DatabaseError, match="no space left"):
            give_back()
        assert (everything(), figures(), heard) == (*before, [])
        give_back()
        assert (Submission.objects.get().status, heard) == ("pending", ["announced"])

    @pytest.mark.parametrize(("table", "action"), [("executor_judgement", "INSERT"), ("executor_submission", "UPDATE")])
    def test_what_was_to_be_superseded_waits_on(
        self, table: str, action: str, user: User, problem: Problem, settings: Settings, heard: list[str]
    ) -> None:
        settings.EXECUTOR_COALESCE_SUBMISSIONS = True
        submit(user, problem)
        heard.clear()
        before = everything(), figures()
        with refusing(table, action), pytest.raises(DatabaseError, match="no space left"):
            submit(user, problem)
        assert (everything(), figures(), heard) == (*before, [])
        submit(user, problem)
        assert list(Submission.objects.order_by("pk").values_list("status", flat=True)) == ["superseded", "pending"]

    def test_a_failing_step_after_everything_is_written_takes_it_all_back(
        self, problem: Problem, student: APIClient, monkeypatch: pytest.MonkeyPatch, heard: list[str]
    ) -> None:
        def fail(judgement: Judgement) -> None:
            raise OperationalError(SERVER_GONE)

        before = everything()
        monkeypatch.setattr(submissions, "judgement_announce", fail)
        assert refusal(student.post(ADDRESS, body(problem))) == (503, "service_unavailable")
        assert (everything(), heard) == (before, [])

    def test_a_receiver_that_must_hold_fails_with_what_it_belongs_to(
        self, enrollment: Enrollment, problem: Problem
    ) -> None:
        """Lines 2 and 6: without the marks that follow from it there is no result either; it is tried again."""

        def fail(**kwargs: object) -> None:
            raise RuntimeError("marks cannot be written")

        submit(enrollment.user, problem)
        with hearing(submission_judged, fail):
            judge_next()
        assert (Submission.objects.get().status, TestResult.objects.count()) == ("pending", 0)
        pauses_over()
        judge_next()
        judged_once(enrollment, problem)
