"""Several at once on one queue: threads with connections of their own, on the real database.

Lines 1 to 4 of `ConcurrencyTestCase` in the test plan, as they concern judging. On SQLite writers wait for each other
as a whole, and the same must hold.
"""

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from functools import partial
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection, connections, transaction
from pytest_django import Settings

from accounts.models import User
from courses.models import Enrollment, Problem
from executor import selectors
from executor.models import Judgement, Submission, TestResult
from executor.queue.claims import claim_next
from executor.queue.judge import judge_claimed
from executor.selectors.queue import OVERVIEW_KEY, queue_overview, queue_overview_lately
from executor.services.code_executor import CodeExecutorService
from executor.signals import judgement_queued, submission_announced, submission_judged
from tests.courses.factories import AlgorithmProblemFactory, EnrollmentFactory
from tests.courses.progressing import drifted, progress_of
from tests.courses.refusals import ApiAs
from tests.executor.databases import apply, claimed, judge_next, submit
from tests.executor.factories import SubmissionFactory
from tests.executor.fakes import ScriptedEngine
from tests.executor.recovering import ADDRESS, all_judged, hearing
from tests.parallel import at_once, meeting_point

pytestmark = pytest.mark.django_db(transaction=True)

STUDENTS, WORKERS, APPLIES = 30, 6, 100
IS_POSTGRESQL = connection.vendor == "postgresql"
QUEUE_STATUS = f"{ADDRESS}queue-status/"


@pytest.fixture
def user(enrollment: Enrollment) -> User:
    return enrollment.user


@pytest.fixture(autouse=True)
def without_quotas(settings: Settings) -> None:
    settings.EXECUTOR_PENDING_PER_STUDENT = settings.EXECUTOR_SUBMISSIONS_PER_MINUTE = 1000
    settings.EXECUTOR_SUBMISSIONS_PER_PROBLEM_HOUR = 1000


def work_off(engine: ScriptedEngine, expected: int) -> Callable[[], int]:
    """Claim and judge until so many are judged; how many of them by this thread."""

    def work() -> int:
        count = 0
        while Judgement.objects.filter(state="done").count() < expected:
            if (claim := claim_next()) is not None:
                judge_claimed(claim, CodeExecutorService(engine))
                count += 1
        return count

    return work


@contextmanager
def before_statement(start: str, meanwhile: Callable[[], Any]) -> Iterator[None]:
    """Once, right before this thread's first statement that starts like this, something happens in another session."""
    is_over = False

    def run() -> None:
        try:
            meanwhile()
        finally:
            connections.close_all()

    def meet(execute: Callable[..., Any], sql: str, *rest: Any) -> Any:
        nonlocal is_over
        if sql.startswith(start) and not is_over:
            is_over = True
            thread = threading.Thread(target=run)
            thread.start()
            thread.join()
        return execute(sql, *rest)

    with connection.execute_wrapper(meet):
        yield
    assert is_over


class ConcurrencyTestCase:
    # Line 1: receivers racing.

    def test_receivers_of_verdicts_at_once_count_each_once(self, user: User, problem: Problem) -> None:
        """What is written in the verdict's transaction is written once for each, whoever else is at it."""
        made = [submit(user, problem).pk for _ in range(2 * WORKERS)]
        tally = AlgorithmProblemFactory().problem
        type(tally).objects.filter(pk=tally.pk).update(title="0")
        lock, news = threading.Lock(), Counter[int]()

        def count(submission_id: int, **kwargs: object) -> None:
            row = Problem.objects.select_for_update().get(pk=tally.pk)
            Problem.objects.filter(pk=tally.pk).update(title=str(int(row.title) + 1))

        def hear(submission_id: int, **kwargs: object) -> None:
            with lock:
                news[submission_id] += 1

        with hearing(submission_judged, count), hearing(submission_announced, hear):
            at_once([work_off(ScriptedEngine(), len(made))] * WORKERS)
        assert Problem.objects.get(pk=tally.pk).title == str(len(made))
        # Each was taken and was judged.
        assert news == dict.fromkeys(made, 2)
        assert set(Submission.objects.values_list("version", flat=True)) == {2}

    def test_control_a_receiver_that_reads_modifies_and_writes_loses(self) -> None:
        """The same without its lock. SQLite lets one write at a time in any case."""
        for _ in range(2):
            SubmissionFactory()  # of two students, who do not wait for each other
        claims = [claimed(), claimed()]
        tally = AlgorithmProblemFactory().problem
        type(tally).objects.filter(pk=tally.pk).update(title="0")
        both_have_read = meeting_point(2, timeout_s=5 if IS_POSTGRESQL else 0.1)

        def count(**kwargs: object) -> None:
            read = int(Problem.objects.get(pk=tally.pk).title)
            both_have_read()
            Problem.objects.filter(pk=tally.pk).update(title=str(read + 1))

        with hearing(submission_judged, count):
            at_once([partial(apply, claim) for claim in claims])
        assert Problem.objects.get(pk=tally.pk).title == ("1" if IS_POSTGRESQL else "2")

    def test_wake_ups_at_once_take_each_judgement_once(self, problem: Problem) -> None:
        """A receiver that judges at once, in every thread that hands in: what it finds may be another's."""
        students = [EnrollmentFactory(course=problem.course).user for _ in range(2 * WORKERS)]
        engine = ScriptedEngine()

        def judge(**kwargs: object) -> None:
            if (claim := claim_next()) is not None:
                judge_claimed(claim, CodeExecutorService(engine))

        with hearing(judgement_queued, judge):
            at_once([partial(submit, user, problem) for user in students])
        while (claim := claim_next()) is not None:
            judge_claimed(claim, CodeExecutorService(engine))
        assert all_judged()
        assert len(engine.requests) == len(students)
        assert set(Judgement.objects.values_list("tries", "faults")) == {(1, 0)}

    # Line 2: many users at once.

    def test_thirty_students_hand_in_while_six_workers_judge(self, problem: Problem, api_as: ApiAs) -> None:
        enrollments = EnrollmentFactory.create_batch(STUDENTS, course=problem.course)
        engine = ScriptedEngine()
        given = {"problem": problem.pk, "language": "python", "code": "print(int(input()) * 2)"}

        def hand_in(enrollment: Enrollment) -> int:
            response = api_as(enrollment.user).post(ADDRESS, given)
            assert response.status_code == 202
            return int(response.json()["id"])

        calls: list[Callable[[], int]] = [partial(hand_in, each) for each in enrollments]
        found = at_once([*calls, *([work_off(engine, STUDENTS)] * WORKERS)])
        made, judged = found[:STUDENTS], found[STUDENTS:]
        assert (len(set(made)), sum(judged), len(engine.requests)) == (STUDENTS, STUDENTS, STUDENTS)
        assert set(Submission.objects.values_list("pk", "status", "score")) == {
            (pk, "accepted", Decimal(100)) for pk in made
        }
        assert set(Judgement.objects.values_list("state", "tries", "number")) == {("done", 1, 1)}
        assert set(Counter(TestResult.objects.values_list("judgement", flat=True)).values()) == {2}
        assert [progress_of(each, problem).attempts for each in enrollments] == [1] * STUDENTS
        assert drifted() == []

    def test_one_student_in_ten_windows_counts_each(self, enrollment: Enrollment, problem: Problem) -> None:
        hand_in = partial(submit, enrollment.user, problem)
        calls: list[Callable[[], Any]] = [hand_in] * 10 + [work_off(ScriptedEngine(), 10)] * WORKERS
        at_once(calls)
        assert progress_of(enrollment, problem).attempts == 10
        assert Judgement.objects.filter(state="done", tries=1).count() == 10
        assert drifted() == []

    # Line 3: read committed, and nothing that is not.

    def test_nobody_reads_a_verdict_that_is_not_committed(self, user: User, problem: Problem, api_as: ApiAs) -> None:
        submission = submit(user, problem)
        claim = claimed()
        written, looked = meeting_point(2, timeout_s=20), meeting_point(2, timeout_s=20)

        def write() -> None:
            with transaction.atomic():
                assert apply(claim)
                written()
                looked()
                transaction.set_rollback(True)

        def look() -> tuple[Any, ...]:
            written()
            try:
                shown = api_as(user).get(f"{ADDRESS}{submission.pk}/").json()
                listed = api_as(user).get(ADDRESS).json()["results"][0]
                return shown["status"], shown["score"], shown["tests"], listed["status"], TestResult.objects.count()
            finally:
                looked()

        assert at_once([write, look])[1] == ("judging", None, [], "judging", 0)
        assert Submission.objects.get().status == "judging"
        assert apply(claim)

    @pytest.mark.parametrize(
        ("path", "start"),
        [
            ("{}/", "SELECT"),
            ("{}/", 'SELECT "executor_submission"'),
            ("{}/", 'SELECT "executor_testresult"'),
            ("", "SELECT"),
            ("", 'SELECT "executor_submission"'),
        ],
    )
    def test_an_answer_is_of_one_moment_wherever_the_verdict_falls_into_it(
        self, path: str, start: str, user: User, problem: Problem, api_as: ApiAs
    ) -> None:
        """Read committed lets each statement of an answer see more than the one before."""
        submission = submit(user, problem)
        claim = claimed()
        client = api_as(user)
        with before_statement(start, lambda: apply(claim)):
            answer = client.get(f"{ADDRESS}{path.format(submission.pk)}").json()
        fits_together(answer if path else answer["results"][0], has_tests=bool(path))

    def test_control_shown_whatever_the_status_the_tests_would_come_before_their_verdict(
        self, user: User, problem: Problem, api_as: ApiAs, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        submission = submit(user, problem)
        claim = claimed()
        monkeypatch.setattr(selectors, "UNJUDGED", ())
        with before_statement('SELECT "executor_testresult"', lambda: apply(claim)):
            answer = api_as(user).get(f"{ADDRESS}{submission.pk}/").json()
        assert (answer["status"], len(answer["tests"])) == ("judging", 2)

    def test_readers_during_a_hundred_verdicts_see_each_whole(
        self, user: User, problem: Problem, api_as: ApiAs
    ) -> None:
        made = [submit(user, problem).pk for _ in range(APPLIES)]
        finished = threading.Event()

        def read() -> int:
            client, count = api_as(user), 0
            versions: dict[int, str] = {}
            while not finished.is_set():
                for pk in (made[count % APPLIES], made[-1 - count % APPLIES]):
                    answer = client.get(f"{ADDRESS}{pk}/").json()
                    fits_together(answer, has_tests=True)
                    assert STEPS.index(answer["status"]) >= STEPS.index(versions.get(pk, "pending")), "it went back"
                    versions[pk] = answer["status"]
                count += 1
            return count

        def write() -> int:
            try:
                return work_off(ScriptedEngine(), APPLIES)()
            finally:
                finished.set()

        *readings, judged = at_once([read, read, read, write])
        assert (judged, min(readings) > 0) == (APPLIES, True)
        assert drifted() == []

    # Line 4: a cache that is coherent.

    def test_after_the_moment_the_state_of_the_queue_is_that_of_the_database(
        self, user: User, problem: Problem, api_as: ApiAs
    ) -> None:
        client = api_as(user)

        def read() -> list[int]:
            return [api_as(user).get(QUEUE_STATUS).json()["pending"] for _ in range(20)]

        def write() -> list[int]:
            for _ in range(8):
                submit(user, problem)
            return []

        at_once([read, read, write, write])
        cache.delete(OVERVIEW_KEY)  # as its time to live does
        assert client.get(QUEUE_STATUS).json()["pending"] == queue_overview().pending_live == 16
        for _ in range(16):
            judge_next()
        cache.delete(OVERVIEW_KEY)
        assert client.get(QUEUE_STATUS).json()["pending"] == 0

    def test_one_s_own_are_of_this_very_moment(self, user: User, problem: Problem, api_as: ApiAs) -> None:
        """Each sees what they have just handed in, and what has just been judged, whatever the cache holds."""

        def hand_in_and_look(student: User) -> list[list[int]]:
            client, seen = api_as(student), []
            for _ in range(3):
                pk = submit(student, problem).pk
                seen.append([pk, *(entry["id"] for entry in client.get(QUEUE_STATUS).json()["submissions"])])
            return seen

        students = [EnrollmentFactory(course=problem.course).user for _ in range(WORKERS)]
        for seen in at_once([partial(hand_in_and_look, student) for student in students]):
            assert all(pk in shown for pk, *shown in seen)
            assert [len(shown) for _, *shown in seen] == [1, 2, 3]

    def test_what_is_rolled_back_never_comes_into_the_cache(
        self, user: User, problem: Problem, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        assert self.seen_after_a_rollback(user, problem) == (1, 0)

    def test_control_filled_from_inside_a_transaction_it_would(
        self, user: User, problem: Problem, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("executor.selectors.queue.OVERVIEW_KEPT_S", 600)
        monkeypatch.setattr("core.single_flight._is_in_transaction", lambda: False)
        assert self.seen_after_a_rollback(user, problem) == (1, 1)

    def seen_after_a_rollback(self, user: User, problem: Problem) -> tuple[int, int]:
        """How many wait, as seen by who writes one, and after that one was rolled back."""
        with transaction.atomic():
            submit(user, problem)
            inside = queue_overview_lately().pending_live
            transaction.set_rollback(True)
        return inside, queue_overview_lately().pending_live


STEPS = ["pending", "judging", "accepted"]


def fits_together(answer: dict[str, Any], *, has_tests: bool) -> None:
    """One answer tells of one moment: a verdict with its score, its time and its tests, or none of them."""
    if answer["status"] == "accepted":
        assert answer["score"] == "100.00"
        assert answer["time_ms"] is not None
        if has_tests:
            assert [test["verdict"] for test in answer["tests"]] == ["accepted", "accepted"]
    else:
        assert (answer["score"], answer["time_ms"], answer["tests"]) == (None, None, [])
