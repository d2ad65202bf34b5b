"""Locks on one queue: whoever meets there waits in turn, gives up in time, and stops nobody for good.

Lines 5 to 7 of `ConcurrencyTestCase` in the test plan, as they concern judging. SQLite has a single lock, so that
nothing can be taken in the wrong order; the same must hold there.
"""

import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.db import OperationalError, connection, connections, transaction
from django.db.backends.signals import connection_created
from django.db.models import Model
from django.utils import timezone
from pytest_django import Settings
from rest_framework.test import APIClient

from accounts.models import User
from courses.models import Enrollment, Problem
from executor.engines.base import EngineUnavailable, RunResult
from executor.models import Judgement, QueueSwitch, Submission, TestResult, Worker
from executor.queue import switch
from executor.queue.claims import Claim, claim_next, claims_recover, claims_renew
from executor.queue.judge import judge_claimed
from executor.queue.sweeper import sweep
from executor.services.code_executor import CodeExecutorService
from executor.services.quotas import student_lock
from executor.services.rejudging import problem_rejudge
from tests.accounts.factories import UserFactory
from tests.courses.factories import EnrollmentFactory
from tests.courses.progressing import drifted
from tests.courses.refusals import ApiAs, refusal
from tests.executor.databases import claimed, judge_next, submit
from tests.executor.fakes import ScriptedEngine, double
from tests.executor.recovering import ADDRESS, body, everything, expire, hearing, shorter_patience
from tests.parallel import at_once, meeting_point

pytestmark = pytest.mark.django_db(transaction=True)

SECONDS = 4.0
IS_POSTGRESQL = connection.vendor == "postgresql"


@pytest.fixture
def user(problem: Problem) -> User:
    return EnrollmentFactory(course=problem.course).user


@pytest.fixture
def student(user: User, api_as: ApiAs) -> APIClient:
    return api_as(user)


@pytest.fixture
def without_quotas(settings: Settings) -> None:
    settings.EXECUTOR_PENDING_PER_STUDENT = settings.EXECUTOR_SUBMISSIONS_PER_MINUTE = 10_000
    settings.EXECUTOR_SUBMISSIONS_PER_PROBLEM_HOUR = 10_000


@pytest.fixture
def quick_deadlocks() -> Iterator[None]:
    """PostgreSQL looks for deadlocks early, and nobody waits for a lock without end: a circle shows as an error."""

    def hurry(connection: Any, **kwargs: object) -> None:
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute("SET deadlock_timeout = '20ms'; SET lock_timeout = '30s'")

    connections.close_all()
    with hearing(connection_created, hurry):
        yield
    connections.close_all()


@contextmanager
def held(*rows: Model) -> Iterator[None]:
    """Another session holds these rows, or the write lock of all, for as long as the block lasts."""
    holds, is_over = threading.Event(), threading.Event()

    def hold() -> None:
        try:
            with transaction.atomic():
                for row in rows:
                    type(row)._default_manager.select_for_update().get(pk=row.pk)
                holds.set()
                assert is_over.wait(60)
        finally:
            connections.close_all()

    thread = threading.Thread(target=hold)
    thread.start()
    try:
        assert holds.wait(60)
        yield
    finally:
        is_over.set()
        thread.join()


class Storm:
    """Everything that locks rows of the queue, again and again in as many threads, for some seconds."""

    def __init__(self, problem: Problem, staff: User, students: list[User]) -> None:
        self.problem, self.staff, self.students = problem, staff, students
        self.ends_s = time.monotonic() + SECONDS
        self.faults: list[str] = []
        self.done: dict[str, int] = {}

    def again_and_again(self, work: Callable[[], Any]) -> Callable[[], None]:
        def run() -> None:
            count = 0
            # At least a few times, however busy the machine is.
            while count < 3 or time.monotonic() < self.ends_s:
                try:
                    work()
                except OperationalError as error:
                    self.faults.append(f"{work.__name__}: {error}")
                count += 1
            self.done[work.__name__] = self.done.get(work.__name__, 0) + count

        return run

    def hand_in(self) -> None:
        submit(random.choice(self.students), self.problem)

    def judge(self) -> None:
        if claim := claim_next():
            judge_claimed(claim, CodeExecutorService(ScriptedEngine(self.answer)))

    def lose(self) -> None:
        """A worker that takes something and is never heard of again; sometimes three of them."""
        for claim in [claim for _ in range(2) if (claim := claim_next())]:
            Judgement.objects.filter(claim_id=claim.claim_id).update(leased_until=timezone.now() - timedelta(seconds=1))

    def recover(self) -> None:
        claims_recover()
        sweep()

    def rejudge(self) -> None:
        problem_rejudge(actor=self.staff, problem_id=self.problem.pk)

    def turn(self) -> None:
        switch.queue_pause(actor=self.staff, reason="a storm")
        switch.queue_resume(actor=self.staff)

    @staticmethod
    def answer(stdin: bytes) -> RunResult | Exception:
        return EngineUnavailable("it died") if random.random() < 0.1 else double(stdin)


class ConcurrencyTestCase:
    # Line 5: lock contention, no deadlock.

    def test_everything_at_once_ends_without_a_deadlock_and_with_nothing_stuck(
        self, problem: Problem, settings: Settings, without_quotas: None, quick_deadlocks: None
    ) -> None:
        """Handing in and superseding, taking, applying, returning, losing, recovering, putting away, judging again."""
        settings.EXECUTOR_COALESCE_SUBMISSIONS = True
        staff = UserFactory(is_superuser=True)
        students = [EnrollmentFactory(course=problem.course).user for _ in range(3)]
        storm = Storm(problem, staff, students)
        works = [storm.hand_in] * 3 + [storm.judge] * 4
        works += [storm.lose, storm.recover, storm.recover, storm.rejudge, storm.rejudge, storm.turn]
        at_once([storm.again_and_again(work) for work in works])
        assert storm.faults == []
        assert set(storm.done) == {"hand_in", "judge", "lose", "recover", "rejudge", "turn"}
        self.work_off()
        assert not Judgement.objects.filter(state__in=["pending", "claimed"]).exists()
        ended = set(Submission.objects.values_list("status", flat=True))
        assert ended <= {"accepted", "superseded", "internal_error", "quarantined"}
        assert not Submission.objects.filter(status="accepted").exclude(score=100).exists()
        for judgement in Judgement.objects.filter(verdict="accepted").prefetch_related("test_results"):
            assert len(judgement.test_results.all()) == 2
        assert drifted() == []

    def work_off(self) -> None:
        while Judgement.objects.filter(state__in=["pending", "claimed"]).exists():
            expire()
            claims_recover()
            Judgement.objects.update(not_before=None)
            while (claim := claim_next()) is not None:
                judge_claimed(claim, CodeExecutorService(ScriptedEngine()))

    def test_control_the_judgement_before_its_submission_they_would_stop_each_other(
        self, user: User, problem: Problem, quick_deadlocks: None
    ) -> None:
        """PostgreSQL ends one of the two."""
        submission = submit(user, problem)
        judgement = submission.current_judgement
        assert judgement is not None
        both_hold_one = meeting_point(2, timeout_s=5 if IS_POSTGRESQL else 0.1)

        def lock(*rows: Model) -> str:
            try:
                with transaction.atomic():
                    for number, row in enumerate(rows):
                        type(row)._default_manager.select_for_update().get(pk=row.pk)
                        if number == 0:
                            both_hold_one()
            except OperationalError as error:
                return "deadlock" if "deadlock" in str(error) else str(error)
            return "passed"

        found = at_once([partial(lock, submission, judgement), partial(lock, judgement, submission)])
        assert sorted(found) == (["deadlock", "passed"] if IS_POSTGRESQL else ["passed", "passed"])

    @pytest.mark.parametrize("of", ["submission", "judgement"])
    def test_taking_waits_for_nobody(self, of: str, user: User, problem: Problem) -> None:
        """What somebody holds is passed over, and the next one taken. On SQLite there is nothing to pass by."""
        first, second = submit(user, problem), submit(user, problem)
        row = first if of == "submission" else first.current_judgement
        assert row is not None
        if not IS_POSTGRESQL:
            with held(row), shorter_patience(), pytest.raises(OperationalError):
                claim_next()
            assert claimed().submission_id == first.pk
            return
        with held(row), shorter_patience():
            assert claimed().submission_id == second.pk
            assert claim_next() is None
        assert claimed().submission_id == first.pk

    # Line 6: no circular waits, time-outs handled.

    def test_who_waits_too_long_to_hand_in_is_told_to_come_back(
        self, user: User, problem: Problem, student: APIClient
    ) -> None:
        """503 with a time, and nothing is written; then it works."""
        before = everything()
        with held(user), shorter_patience():
            response = student.post(ADDRESS, body(problem))
        assert refusal(response) == (503, "service_unavailable")
        assert int(response["Retry-After"]) > 0
        assert everything() == before
        assert student.post(ADDRESS, body(problem)).status_code == 202

    def test_others_do_not_wait_for_a_student_who_is_held(self, user: User, problem: Problem, api_as: ApiAs) -> None:
        other = EnrollmentFactory(course=problem.course).user
        with held(user), shorter_patience():
            response = api_as(other).post(ADDRESS, body(problem))
        assert response.status_code == (202 if IS_POSTGRESQL else 503)

    def test_reading_waits_for_nobody(self, user: User, problem: Problem, student: APIClient) -> None:
        submission = submit(user, problem)
        judgement = submission.current_judgement
        assert judgement is not None
        with held(submission, judgement, user), shorter_patience():
            for path in ("", "queue-status/", f"{submission.pk}/"):
                assert student.get(f"{ADDRESS}{path}").status_code == 200

    @pytest.mark.parametrize("of", ["submission", "enrollment"])
    def test_a_result_that_cannot_be_stored_in_time_is_judged_again(
        self, of: str, user: User, problem: Problem
    ) -> None:
        """Nothing of it is written; its lease runs out, or it is given back at once."""
        submission = submit(user, problem)
        claim = claimed()
        row: Model = submission if of == "submission" else Enrollment.objects.get(user=user)
        with held(row), shorter_patience():
            gives_up(claim)
            assert Submission.objects.get().status in ("judging", "pending")
            assert not TestResult.objects.exists()
        expire()
        claims_recover()
        Judgement.objects.update(not_before=None)
        judge_next()
        assert (Submission.objects.get().status, TestResult.objects.count()) == ("accepted", 2)
        assert drifted() == []

    @pytest.mark.parametrize("work", [claims_recover, partial(claims_renew, [])], ids=["recover", "renew"])
    def test_a_sweep_that_waits_too_long_changes_nothing_and_works_later(
        self, work: Callable[[], Any], user: User, problem: Problem
    ) -> None:
        submission = submit(user, problem)
        claimed()
        expire()
        before = everything()
        with held(submission), shorter_patience():
            with suppress(OperationalError):
                assert not work()
            assert everything() == before
        assert claims_recover() == 1

    # Line 7: tests do not touch each other, in whichever order and process.

    @pytest.mark.parametrize("turn", [1, 2, 3])
    def test_nothing_is_left_of_another_test(self, turn: int, user: User, problem: Problem, student: APIClient) -> None:
        for table in (Submission, Judgement, TestResult, Worker, QueueSwitch):
            assert not table.objects.exists()
        assert student.get(f"{ADDRESS}queue-status/").json()["pending"] == 0
        claim = self.leave_something(user, problem)
        assert student.get(f"{ADDRESS}queue-status/").json()["submissions"][0]["id"] == claim.submission_id

    def leave_something(self, user: User, problem: Problem) -> Claim:
        submit(user, problem)
        switch.queue_pause(actor=None, reason="left behind")
        switch.queue_resume(actor=None)
        return claimed()

    @pytest.mark.parametrize("turn", [1, 2])
    def test_no_thread_and_no_session_of_another_test_goes_on(self, turn: int, user: User, problem: Problem) -> None:
        assert not [thread for thread in threading.enumerate() if thread.name.startswith("assay-")]
        assert not connection.in_atomic_block
        submit(user, problem)
        with held(user):
            pass
        # Who held it is gone, and its lock with it.
        with shorter_patience(1), transaction.atomic():
            student_lock(user)


def gives_up(claim: Claim) -> None:
    """Judge what was claimed; where not even giving it back is possible, the worker's loop outlives that."""
    with suppress(OperationalError):
        judge_claimed(claim, CodeExecutorService(ScriptedEngine()))
