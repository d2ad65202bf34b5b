"""A database that refuses, hangs up or goes away: all of a step or none of it, and then it is done again.

Lines 5 and 7 of `ErrorRecoveryTestCase` in the test plan, as they concern judging.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import DatabaseError, OperationalError, connection, connections, transaction
from pytest_django import Settings
from rest_framework.test import APIClient
from structlog.testing import capture_logs

from accounts.models import User
from courses.models import Enrollment, Problem
from executor.models import Judgement, Submission, TestResult
from executor.queue import claims
from executor.queue.claims import Claim, claim_next, claims_recover
from executor.queue.judge import judge_claimed
from executor.services.code_executor import CodeExecutorService
from tests.courses.progressing import drifted, progress_of
from tests.courses.refusals import ApiAs, refusal
from tests.executor.databases import claimed, judge_next, refusing, submit
from tests.executor.factories import SubmissionFactory
from tests.executor.fakes import ScriptedEngine
from tests.executor.recovering import (
    ADDRESS,
    APPLYING,
    SERVER_GONE,
    all_judged,
    body,
    everything,
    expire,
    failing,
    figures,
    judged_once,
    news,
    pauses_over,
    shorter_patience,
    working,
)
from tests.shell import wait_until

pytestmark = pytest.mark.django_db(transaction=True)

IS_POSTGRESQL = connection.vendor == "postgresql"
CUT_WORK = 16


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


def hang_up() -> None:
    """End this thread's connection as a server does that is shut down, or that is told to by its operator."""
    if not IS_POSTGRESQL:
        raise OperationalError(SERVER_GONE)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (own,) = cursor.fetchone()

    def end() -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(%s, 10000)", [own])
            assert cursor.fetchone() == (True,)
        connections.close_all()

    thread = threading.Thread(target=end)
    thread.start()
    thread.join()


@contextmanager
def hung_up_once(start: str) -> Iterator[None]:
    """The connection is lost right before the first statement that starts like this."""
    is_over = False

    def lose(execute: Callable[..., Any], sql: str, *rest: Any) -> Any:
        nonlocal is_over
        if sql.startswith(start) and not is_over:
            is_over = True
            hang_up()
        return execute(sql, *rest)

    with connection.execute_wrapper(lose):
        yield
    # As at the end of each request, which the test's client leaves out.
    connection.close_if_unusable_or_obsolete()
    assert is_over


class ErrorRecoveryTestCase:
    # Line 5: an error of the database while a result is stored.

    @pytest.mark.parametrize(("table", "action"), APPLYING)
    def test_a_result_that_could_not_be_stored_is_judged_again(
        self, table: str, action: str, enrollment: Enrollment, problem: Problem
    ) -> None:
        """With the worker's own safety net: nobody has to look after it, and it counts once."""
        submit(enrollment.user, problem)
        if (table, action) in (("executor_judgement", "UPDATE"), ("executor_submission", "UPDATE")):
            # Giving it back is refused too: the lease runs out instead.
            claim = claimed()
            with refusing(table, action), pytest.raises(DatabaseError, match="no space left"):
                judge_claimed(claim, CodeExecutorService(ScriptedEngine()))
            expire()
            assert claims_recover() == 1
        else:
            with refusing(table, action):
                judge_next()
        assert Submission.objects.get().status == "pending"
        pauses_over()
        judge_next()
        judged_once(enrollment, problem)

    @pytest.mark.parametrize(
        "start",
        [
            'SELECT "executor_submission"',
            'INSERT INTO "executor_testresult"',
            'UPDATE "executor_judgement"',
            'UPDATE "executor_submission"',
            'UPDATE "courses_enrollment"',
        ],
    )
    def test_a_connection_lost_while_a_result_is_stored(
        self, start: str, enrollment: Enrollment, problem: Problem, heard: list[str]
    ) -> None:
        submit(enrollment.user, problem)
        claim = claimed()
        heard.clear()
        counted = figures()
        with hung_up_once(start):
            judge_claimed(claim, CodeExecutorService(ScriptedEngine()))
        assert Submission.objects.get().status == "pending"
        assert not TestResult.objects.exists()
        assert verdicts(figures()) == verdicts(counted)
        pauses_over()
        judge_next()
        judged_once(enrollment, problem)
        assert heard == ["announced"] * 3  # given back, taken again, judged

    @pytest.mark.parametrize("is_stored", [False, True], ids=["before", "after"])
    def test_a_connection_lost_at_the_commit_itself(
        self, is_stored: bool, enrollment: Enrollment, problem: Problem, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Nobody was told whether the result is stored. It is judged again where it is not, and else left alone."""
        submit(enrollment.user, problem)
        claim = claimed()
        commit = connection._commit  # type: ignore[attr-defined]  # the stubs leave it out

        def lose() -> None:
            monkeypatch.undo()
            if is_stored:
                commit()
                hang_up()
                raise OperationalError(SERVER_GONE)
            hang_up()
            commit()

        monkeypatch.setattr(connection, "_commit", lose)
        judge_claimed(claim, CodeExecutorService(ScriptedEngine()))
        assert Judgement.objects.get().state == ("done" if is_stored else "pending")
        pauses_over()
        if not is_stored:
            judge_next()
        assert claim_next() is None
        judged_once(enrollment, problem)

    def test_one_of_two_in_a_deadlock_is_judged_again(self, enrollment: Enrollment, problem: Problem) -> None:
        """PostgreSQL ends the worker; SQLite, with its one lock, lets it wait in vain."""
        submit(enrollment.user, problem)
        claim = claimed()
        with stumbling(enrollment):
            judge(claim)
        if Judgement.objects.get().state == "claimed":
            expire()
            assert claims_recover() == 1
        assert (Submission.objects.get().status, TestResult.objects.count()) == ("pending", 0)
        pauses_over()
        judge_next()
        judged_once(enrollment, problem)

    def test_workers_whose_connections_are_cut_go_on(
        self, enrollment: Enrollment, problem: Problem, settings: Settings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Fewer cuts than tries: whatever each of them hits, everything gets its verdict, and counts once."""
        settings.EXECUTOR_LEASE_S, settings.EXECUTOR_LEASE_RENEW_S = 3, 0.3
        settings.EXECUTOR_POLL_S = settings.EXECUTOR_SWEEP_S = 0.1
        monkeypatch.setattr(claims, "BACKOFF_FIRST_S", 0.1)
        for _ in range(CUT_WORK):
            SubmissionFactory(problem=problem, user=enrollment.user)
        with working(ScriptedEngine(), threads=4):
            for wanted in (2, CUT_WORK // 2):
                done = Judgement.objects.filter(state="done")
                wait_until(lambda least=wanted, done=done: done.count() >= least, what="some are judged")
                cut_all_others()
            wait_until(all_judged, what="all are judged")
        assert set(Submission.objects.values_list("status", flat=True)) == {"accepted"}
        assert TestResult.objects.count() == 2 * CUT_WORK
        assert progress_of(enrollment, problem).attempts == CUT_WORK
        assert drifted() == []

    # Lines 5 and 7: the database goes away while somebody hands in.

    @pytest.mark.parametrize(
        "start",
        [
            "SELECT",
            'INSERT INTO "executor_submission"',
            'INSERT INTO "executor_judgement"',
            'UPDATE "executor_submission"',
        ],
    )
    def test_a_database_that_goes_away_while_somebody_hands_in(
        self, start: str, problem: Problem, student: APIClient, heard: list[str]
    ) -> None:
        """503 with a time to come back, nothing half written, and the next try works."""
        before = everything(), figures()
        with failing(start):
            response = student.post(ADDRESS, body(problem))
        assert refusal(response) == (503, "service_unavailable")
        assert int(response["Retry-After"]) > 0
        assert (everything(), figures(), heard) == (*before, [])
        assert student.post(ADDRESS, body(problem)).status_code == 202
        assert heard == ["queued"]

    @pytest.mark.parametrize(
        "start", ['INSERT INTO "executor_submission"', 'INSERT INTO "executor_judgement"', "SELECT"]
    )
    def test_a_connection_lost_while_somebody_hands_in(self, start: str, problem: Problem, student: APIClient) -> None:
        before = everything()
        with hung_up_once(start):
            response = student.post(ADDRESS, body(problem))
        assert refusal(response) == (503, "service_unavailable")
        assert everything() == before
        assert student.post(ADDRESS, body(problem)).status_code == 202

    @pytest.mark.parametrize("path", [ADDRESS, f"{ADDRESS}queue-status/", f"{ADDRESS}{{}}/", f"{ADDRESS}{{}}/events/"])
    def test_a_database_that_cannot_be_read(self, path: str, user: User, problem: Problem, student: APIClient) -> None:
        submission = submit(user, problem)
        with failing("SELECT"):
            response = student.get(path.format(submission.pk))
        assert refusal(response) == (503, "service_unavailable")
        assert int(response["Retry-After"]) > 0

    def test_control_without_its_place_among_the_answers_it_would_be_a_500(
        self, problem: Problem, student: APIClient
    ) -> None:
        """What is no fault of the database's being away is a bug of ours, and said to be one."""
        student.raise_request_exception = False
        with failing('INSERT INTO "executor_submission"', lambda: DatabaseError("a bug")):
            assert student.post(ADDRESS, body(problem)).status_code == 500
        assert not Submission.objects.exists()


def verdicts(counted: dict[tuple[str, ...], float]) -> dict[tuple[str, ...], float]:
    return {name: value for name, value in counted.items() if name[0].startswith("assay_verdicts")}


def judge(claim: Claim) -> None:
    """Judge what was claimed as a worker does, which outlives it where not even giving back is possible."""
    try:
        judge_claimed(claim, CodeExecutorService(ScriptedEngine()))
    except OperationalError:
        assert not IS_POSTGRESQL


def cut_all_others() -> None:
    """End every other session of this database; SQLite's are kept from writing for longer than they wait."""
    if not IS_POSTGRESQL:
        with shorter_patience(), transaction.atomic():
            time.sleep(0.5)
        return
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


@contextmanager
def stumbling(enrollment: Enrollment) -> Iterator[None]:
    """Storing a result meets somebody who holds the enrollment and asks for the submission, and is the one to fall."""
    holds, may_ask, is_over = threading.Event(), threading.Event(), threading.Event()
    own: list[int] = []

    def hold() -> None:
        try:
            with transaction.atomic():
                if not IS_POSTGRESQL:
                    holds.set()
                    assert is_over.wait(60)
                    return
                with connection.cursor() as cursor:
                    cursor.execute("SET LOCAL deadlock_timeout = '60s'")
                    cursor.execute("SELECT pg_backend_pid()")
                    own.append(cursor.fetchone()[0])
                Enrollment.objects.select_for_update().get(pk=enrollment.pk)
                holds.set()
                assert may_ask.wait(60)
                Submission.objects.select_for_update().get()
        finally:
            connections.close_all()

    def meet(execute: Callable[..., Any], sql: str, *rest: Any) -> Any:
        if sql.startswith('INSERT INTO "executor_testresult"'):
            may_ask.set()
            wait_until(lambda: is_waiting(own[0]), what="the other one waits")
        return execute(sql, *rest)

    other = threading.Thread(target=hold)
    other.start()
    try:
        assert holds.wait(60)
        if IS_POSTGRESQL:
            with connection.cursor() as cursor:
                cursor.execute("SET deadlock_timeout = '10ms'")
            with connection.execute_wrapper(meet), capture_logs() as logs:
                yield
            assert any("deadlock detected" in str(line.get("fault")) for line in logs)
        else:
            with shorter_patience():
                yield
    finally:
        may_ask.set()
        is_over.set()
        other.join()
        connection.close()


def is_waiting(process_id: int) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_locks WHERE pid = %s AND NOT granted", [process_id])
        return cursor.fetchone() is not None
