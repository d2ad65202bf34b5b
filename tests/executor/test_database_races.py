"""Several at once: threads with connections of their own, on the real database, and no race between them."""

import threading
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from functools import partial

import pytest
from django.utils import timezone

from accounts.models import User
from courses.models import Problem, TestSet
from executor.engines.base import RunResult
from executor.models import Judgement, Submission, TestResult
from executor.queue.claims import Claim, claim_next, claims_recover
from executor.queue.judge import judge_claimed
from executor.services.code_executor import CodeExecutorService
from executor.services.judgements import judgement_give_up
from executor.services.submissions import judgement_create
from tests.courses.factories import EnrollmentFactory
from tests.executor.databases import apply, claimed, submit
from tests.executor.factories import SubmissionFactory
from tests.executor.fakes import ScriptedEngine, double, run_result
from tests.parallel import at_once

pytestmark = pytest.mark.django_db(transaction=True)

THREADS = 6


def expire(claim: Claim) -> None:
    Judgement.objects.filter(pk=claim.judgement_id).update(leased_until=timezone.now() - timedelta(seconds=1))


class DatabaseUpdateTestCase:
    """Line 4 of the test plan."""

    def test_many_students_hand_in_at_once(self, problem: Problem) -> None:
        students = [EnrollmentFactory(course=problem.course).user for _ in range(THREADS)]
        made = at_once([partial(submit, user, problem) for user in students])
        assert len({submission.pk for submission in made}) == THREADS
        assert sorted(Submission.objects.values_list("user_id", flat=True)) == sorted(user.pk for user in students)
        assert list(Judgement.objects.values_list("number", flat=True)) == [1] * THREADS
        for submission in Submission.objects.select_related("current_judgement"):
            assert submission.current_judgement is not None
            assert submission.current_judgement.submission_id == submission.pk

    def test_one_student_hands_in_many_times_at_once(self, student: User, problem: Problem) -> None:
        codes = [f"print({number})" for number in range(THREADS)]
        at_once([partial(submit, student, problem, code=code) for code in codes])
        assert sorted(submission.code for submission in Submission.objects.all()) == codes

    def test_the_tests_are_frozen_once_by_whoever_comes_first(self, student: User, problem: Problem) -> None:
        at_once([partial(submit, student, problem) for _ in range(THREADS)])
        frozen_at = TestSet.objects.get().frozen_at
        assert frozen_at is not None
        submit(student, problem)
        assert TestSet.objects.get().frozen_at == frozen_at

    def test_several_judgings_of_one_submission_get_different_numbers(self, student: User, problem: Problem) -> None:
        submission = submit(student, problem)
        test_set = problem.test_sets.get()
        calls = [
            partial(judgement_create, submission=Submission.objects.get(pk=submission.pk), test_set=test_set)
            for _ in range(THREADS)
        ]
        at_once(calls)
        assert list(Judgement.objects.values_list("number", flat=True)) == list(range(1, THREADS + 2))

    def test_several_workers_judge_each_submission_once(self) -> None:
        for _ in range(3 * THREADS):
            SubmissionFactory()
        engine = ScriptedEngine()

        def work() -> int:
            count = 0
            while (claim := claim_next()) is not None:
                judge_claimed(claim, CodeExecutorService(engine))
                count += 1
            return count

        assert sum(at_once([work] * THREADS)) == 3 * THREADS
        assert len(engine.requests) == 3 * THREADS
        assert set(Submission.objects.values_list("status", "score")) == {("accepted", Decimal(100))}
        assert set(Counter(TestResult.objects.values_list("judgement", flat=True)).values()) == {2}
        assert set(Judgement.objects.values_list("tries", flat=True)) == {1}

    def test_different_verdicts_do_not_mix(self) -> None:
        expected = {}
        for number in range(2 * THREADS):
            submission = SubmissionFactory(files=[{"name": "main.py", "content": f"# {number}"}])
            expected[submission.pk] = "accepted" if number % 2 else "wrong_answer"

        def work() -> None:
            while (claim := claim_next()) is not None:
                submission = Submission.objects.get(judgements=claim.judgement_id)
                is_odd = int(submission.code[2:]) % 2
                judge_claimed(claim, CodeExecutorService(ScriptedEngine(double if is_odd else wrong)))

        at_once([work] * THREADS)
        assert dict(Submission.objects.values_list("pk", "status")) == expected

    def test_one_result_delivered_many_times_counts_once(self) -> None:
        submission = SubmissionFactory()
        claim = claimed()
        assert sorted(at_once([partial(apply, claim)] * THREADS)) == [False] * (THREADS - 1) + [True]
        submission.refresh_from_db()
        assert (submission.status, submission.score, TestResult.objects.count()) == ("accepted", 100, 2)

    def test_a_result_and_a_surrender_at_once_leave_one_of_them_whole(self) -> None:
        submission = SubmissionFactory()
        claim = claimed()
        give_up = partial(judgement_give_up, judgement_id=claim.judgement_id, claim_id=claim.claim_id, fault="lost")
        applied, gave_up = at_once([partial(apply, claim), give_up])
        assert applied is not gave_up
        submission.refresh_from_db()
        found = (submission.status, submission.score, TestResult.objects.count())
        assert found == (("accepted", 100, 2) if applied else ("internal_error", None, 0))

    def test_a_late_result_and_a_recovered_lease_at_once_leave_one_of_them_whole(self) -> None:
        submission = SubmissionFactory()
        claim = claimed()
        expire(claim)

        def recover() -> bool:
            return bool(claims_recover())

        calls: list[Callable[[], bool]] = [partial(apply, claim), recover]
        applied, recovered = at_once(calls)
        submission.refresh_from_db()
        judgement = submission.current_judgement
        found = (submission.status, judgement.state, TestResult.objects.count())
        assert found == (("accepted", "done", 2) if applied else ("pending", "pending", 0))
        assert applied or recovered

    def test_handing_in_while_others_are_judged_blocks_nobody(self, student: User, problem: Problem) -> None:
        running, finish = threading.Event(), threading.Event()

        def slow(stdin: bytes) -> RunResult:
            running.set()
            assert finish.wait(20)
            return double(stdin)

        def judge() -> None:
            judge_claimed(claimed(), CodeExecutorService(ScriptedEngine(slow)))

        def hand_in() -> None:
            assert running.wait(20)
            try:
                submit(student, problem)
            finally:
                finish.set()

        SubmissionFactory()
        at_once([judge, hand_in])
        assert sorted(Submission.objects.values_list("status", flat=True)) == ["accepted", "pending"]

    def test_readers_never_see_half_a_result(self) -> None:
        """A verdict is there with all its rows, or not at all."""
        submission = SubmissionFactory()
        claim = claimed()
        seen: list[tuple[str, int]] = []
        finished = threading.Event()

        def read() -> None:
            while not finished.is_set():
                # The status first: rows that come between the two reads can only belong to a verdict not yet seen.
                status = Submission.objects.values_list("status", flat=True).get(pk=submission.pk)
                seen.append((status, TestResult.objects.count()))

        def write() -> None:
            try:
                assert apply(claim)
            finally:
                finished.set()

        at_once([read, write])
        seen.append((Submission.objects.get().status, TestResult.objects.count()))
        assert ("accepted", 2) in seen
        assert all(count == 2 for status, count in seen if status == "accepted")


def wrong(stdin: bytes) -> RunResult:
    return run_result(b"no")
