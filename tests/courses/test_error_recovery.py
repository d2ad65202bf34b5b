"""Faults around courses leave nothing half done, and nothing that was known is lost.

Lines 1 to 7 of `ErrorRecoveryTestCase` in the test plan, as they concern courses.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.core.cache import cache
from django.db import DatabaseError, OperationalError, connection, connections, transaction
from rest_framework.test import APIClient

from courses.models import CodeDraft, Enrollment, Problem, ProblemProgress, ProgressResult
from courses.selectors.cached import cache_place, student_cache_key, student_cached
from courses.services import draft_save, tokens
from executor.engines.base import EngineUnavailable
from executor.models import Judgement
from tests.courses.factories import AlgorithmProblemFactory, EnrollmentFactory
from tests.courses.progressing import count, drifted, progress_of, token_of
from tests.courses.refusals import ApiAs, refusal
from tests.executor.databases import judge_next, refusing
from tests.executor.factories import SubmissionFactory
from tests.executor.fakes import ScriptedEngine

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def problem() -> Problem:
    return AlgorithmProblemFactory().problem


@pytest.fixture
def enrollment(problem: Problem) -> Enrollment:
    return EnrollmentFactory(course=problem.course)


@pytest.fixture
def student(enrollment: Enrollment, api_as: ApiAs) -> APIClient:
    return api_as(enrollment.user)


def in_a_process_that_is_killed(work: Callable[[], None]) -> None:
    """Do something in a process of its own, which ends there and then, with no time to roll back or tidy up."""
    # Else both processes would talk through one connection.
    connections.close_all()
    child = os.fork()
    if child == 0:
        try:
            work()
        finally:
            os._exit(9)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9


@contextmanager
def failing(start: str) -> Iterator[None]:
    """The database goes away at the first statement that starts like this."""

    def fail(execute: Callable[..., Any], sql: str, *rest: Any) -> Any:
        if sql.startswith(start):
            raise OperationalError("server closed the connection unexpectedly")
        return execute(sql, *rest)

    with connection.execute_wrapper(fail):
        yield


class ErrorRecoveryTestCase:
    def test_a_process_killed_in_the_middle_of_a_verdict_leaves_nothing_and_holds_nobody_up(
        self, enrollment: Enrollment, problem: Problem
    ) -> None:
        """Line 1: the next process finds what was there before, and no lock."""
        before = token_of(enrollment)

        def work() -> None:
            with transaction.atomic():
                count(enrollment, problem, 1)
                assert progress_of(enrollment, problem).attempts == 1
                os._exit(9)

        in_a_process_that_is_killed(work)
        assert not ProblemProgress.objects.exists()
        assert token_of(enrollment) == before
        count(enrollment, problem, 1)
        assert progress_of(enrollment, problem).attempts == 1

    def test_a_process_killed_right_after_the_commit_leaves_nothing_stale(
        self, enrollment: Enrollment, problem: Problem, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Line 1: it had no time to tell any cache; its token is committed with its result."""
        count(enrollment, problem, 1)
        assert cached_attempts(enrollment, problem) == 1

        def work() -> None:
            monkeypatch.setattr(tokens.cache, "delete_many", lambda keys: os._exit(9))
            count(enrollment, problem, 2)

        in_a_process_that_is_killed(work)
        assert cached_attempts(enrollment, problem) == 2

    @pytest.mark.parametrize(
        ("table", "action"),
        [
            ("courses_problemprogress", "INSERT"),
            ("courses_progressresult", "INSERT"),
            ("courses_problemprogress", "UPDATE"),
            ("courses_enrollment", "UPDATE"),
        ],
    )
    def test_a_rollback_is_complete(self, table: str, action: str, enrollment: Enrollment, problem: Problem) -> None:
        """Line 2: whichever step fails, no result, no progress, no new token; what is cached is right still."""
        before = token_of(enrollment)
        assert cached_attempts(enrollment, problem) == 0
        with refusing(table, action), pytest.raises(DatabaseError):
            count(enrollment, problem, 1)
        assert not ProblemProgress.objects.exists()
        assert not ProgressResult.objects.exists()
        assert token_of(enrollment) == before
        assert cached_attempts(enrollment, problem) == 0
        count(enrollment, problem, 1)
        assert cached_attempts(enrollment, problem) == 1

    def test_control_without_the_transaction_something_would_be_left(
        self, enrollment: Enrollment, problem: Problem, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from courses.services.progress import progress_record

        monkeypatch.setattr("tests.courses.progressing.progress_record", progress_record.__wrapped__)  # type: ignore[attr-defined]
        if connection.vendor == "postgresql":
            # Locks are for transactions only.
            monkeypatch.setattr("courses.services.progress._enrollment_lock", lambda condition: enrollment.pk)
            row = ProblemProgress.objects.create(enrollment=enrollment, problem=problem)
            monkeypatch.setattr("courses.services.progress._progress_lock", lambda *ids: row)
        with refusing("courses_problemprogress", "UPDATE"), pytest.raises(DatabaseError):
            count(enrollment, problem, 1)
        assert ProgressResult.objects.exists()
        assert drifted() != []

    def test_a_corrupt_cached_outline_is_computed_again_and_replaced(
        self, enrollment: Enrollment, student: APIClient
    ) -> None:
        """Line 3, as a student meets it."""
        address = f"/api/v1/courses/{enrollment.course_id}/outline/"
        right = student.get(address).json()
        place = cache_place(enrollment.pk)
        assert place is not None
        key = student_cache_key(place, "outline")
        good = cache.get(key)
        assert good is not None
        for rubbish in ("text", {}, {**good, "value": {"titles": None}}, {**good, "key": "of another"}):
            cache.set(key, rubbish, timeout=600)
            assert student.get(address).json() == right
            assert cache.get(key) == {**good, "until": cache.get(key)["until"]}

    def test_with_the_engine_back_online_the_attempt_counts_once(
        self, enrollment: Enrollment, problem: Problem
    ) -> None:
        """Line 4."""
        SubmissionFactory(problem=problem, user=enrollment.user)
        for _ in range(3):
            judge_next(ScriptedEngine(lambda stdin: EngineUnavailable("away"), is_ready=False))
            assert not ProblemProgress.objects.exists()
            Judgement.objects.update(not_before=None)
        judge_next()
        progress = progress_of(enrollment, problem)
        assert (progress.status, progress.attempts) == ("solved", 1)

    def test_a_database_that_goes_away_in_the_middle_of_a_request(
        self, enrollment: Enrollment, problem: Problem, student: APIClient
    ) -> None:
        """Lines 5 and 7: 503 with a time to come back, nothing half written, and the next try works."""
        address = f"/api/v1/problems/{problem.pk}/drafts/python/"
        with failing('UPDATE "courses_codedraft"'):
            response = student.put(address, {"code": "print(1)", "version": 0})
        assert refusal(response) == (503, "service_unavailable")
        assert int(response["Retry-After"]) > 0
        assert not CodeDraft.objects.exists()
        assert student.put(address, {"code": "print(1)", "version": 0}).status_code == 200

    @pytest.mark.parametrize("path", ["courses/{c}/progress/", "courses/{c}/outline/", "problems/{p}/drafts/"])
    def test_a_database_that_cannot_be_read(
        self, path: str, enrollment: Enrollment, problem: Problem, student: APIClient
    ) -> None:
        """Line 7: the stated answer, for reading too; what is cached does not answer for what cannot be checked."""
        address = "/api/v1/" + path.format(c=enrollment.course_id, p=problem.pk)
        assert student.get(address).status_code == 200
        with failing("SELECT"):
            assert refusal(student.get(address)) == (503, "service_unavailable")
        assert student.get(address).status_code == 200

    def test_tidying_that_fails_does_not_fail_the_request_that_it_follows(
        self, enrollment: Enrollment, problem: Problem, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Line 6: what only informs may fail alone."""

        def fail(keys: list[str]) -> None:
            raise OSError("the cache is away")

        monkeypatch.setattr(tokens.cache, "delete_many", fail)
        SubmissionFactory(problem=problem, user=enrollment.user)
        judge_next()
        assert progress_of(enrollment, problem).status == "solved"

    def test_a_receiver_that_must_hold_fails_with_what_it_belongs_to(
        self, enrollment: Enrollment, problem: Problem, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Line 6, the other way round: without its token no progress."""

        def fail(**kwargs: Any) -> None:
            raise RuntimeError("a bug of ours")

        monkeypatch.setattr("courses.signals.enrollment_cache_replace", fail)
        with pytest.raises(RuntimeError):
            count(enrollment, problem, 1)
        assert not ProgressResult.objects.exists()
        assert drifted() == []

    def test_a_draft_outlives_a_failed_save(self, enrollment: Enrollment, problem: Problem) -> None:
        """Line 5."""
        draft_save(user=enrollment.user, problem=problem, language="python", code="first", version=0)
        with refusing("courses_codedraft", "UPDATE"), pytest.raises(DatabaseError):
            draft_save(user=enrollment.user, problem=problem, language="python", code="second", version=1)
        draft = CodeDraft.objects.get()
        assert (draft.code, draft.version) == ("first", 1)


def cached_attempts(enrollment: Enrollment, problem: Problem) -> int:
    def attempts() -> dict[str, int]:
        rows = ProblemProgress.objects.filter(enrollment=enrollment, problem=problem)
        return {"attempts": rows.values_list("attempts", flat=True).first() or 0}

    return student_cached(enrollment_id=enrollment.pk, kind="outline", compute=attempts)["attempts"]
