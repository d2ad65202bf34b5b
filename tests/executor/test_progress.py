"""What judging does to progress: with the verdict, as the submission stands today, and for practice alone."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.db import transaction
from django.utils import timezone

from courses.models import Course, Enrollment, Problem, ProblemProgress, ProgressResult
from executor.engines.base import RunStatus
from executor.models import Judgement, Submission, TestResult
from executor.queue.claims import claim_next
from executor.queue.judge import judge_claimed
from executor.services.code_executor import CodeExecutorService
from executor.services.judgements import judgement_give_up
from executor.services.progress import submission_progress_update
from executor.services.submissions import judgement_create
from tests.courses.factories import EnrollmentFactory
from tests.courses.progressing import drifted, progress_of, token_of
from tests.executor.databases import apply, claimed, judge_next, refusing
from tests.executor.factories import SubmissionFactory
from tests.executor.fakes import ScriptedEngine, run_result
from tests.parallel import at_once

pytestmark = pytest.mark.django_db

right = ScriptedEngine
wrong = partial(ScriptedEngine, lambda stdin: run_result(b"no"))
half = partial(ScriptedEngine, lambda stdin: run_result(b"4" if stdin == b"2\n" else b"no"))
too_slow = partial(ScriptedEngine, lambda stdin: run_result(status=RunStatus.TIME_LIMIT, exit_code=None))
Engines = Callable[[], ScriptedEngine]


@pytest.fixture
def hand_in(problem: Problem, enrollment: Enrollment) -> Callable[..., Submission]:
    def hand_in(**fields: object) -> Submission:
        submission: Submission = SubmissionFactory(problem=problem, user=enrollment.user, **fields)
        return submission

    return hand_in


HandIn = Callable[..., Submission]


def rejudge(submission: Submission, engine: ScriptedEngine) -> None:
    submission.refresh_from_db()
    judgement_create(submission=submission, test_set=submission.problem.test_sets.get())
    judge_next(engine)


class TestVerdicts:
    def test_an_accepted_submission_solves_the_problem_when_it_was_received(
        self, hand_in: HandIn, enrollment: Enrollment, problem: Problem
    ) -> None:
        submission = hand_in(received_at=timezone.now() - timedelta(hours=1))
        judge_next()
        progress = progress_of(enrollment, problem)
        assert (progress.status, progress.attempts, progress.best_score) == ("solved", 1, 100)
        assert progress.solved_at == progress.first_at == progress.last_at == submission.received_at
        assert progress.best_time_ms == 5

    @pytest.mark.parametrize(("engine", "score"), [(wrong, 0), (half, 50), (too_slow, 0)])
    def test_another_verdict_is_an_attempt(
        self, engine: Engines, score: int, hand_in: HandIn, enrollment: Enrollment, problem: Problem
    ) -> None:
        hand_in()
        judge_next(engine())
        progress = progress_of(enrollment, problem)
        assert (progress.status, progress.attempts, progress.best_score) == ("in_progress", 1, score)
        assert (progress.solved_at, progress.best_time_ms) == (None, None)

    def test_what_is_pending_is_none(self, hand_in: HandIn) -> None:
        hand_in()
        claimed()
        assert not ProblemProgress.objects.exists()

    def test_what_is_ours_to_mend_is_none(self, hand_in: HandIn) -> None:
        """Law 3."""
        hand_in()
        claim = claimed()
        assert judgement_give_up(judgement_id=claim.judgement_id, claim_id=claim.claim_id, fault="the engine broke")
        assert not ProblemProgress.objects.exists()

    @pytest.mark.parametrize("purpose", [Submission.Purpose.EXAM, Submission.Purpose.VERIFY])
    def test_exams_and_reference_solutions_are_none(self, purpose: str, hand_in: HandIn) -> None:
        hand_in(purpose=purpose)
        judge_next()
        assert not ProblemProgress.objects.exists()

    def test_staff_without_a_place_in_the_course_make_none(self, problem: Problem) -> None:
        SubmissionFactory(problem=problem, user=EnrollmentFactory().user)
        judge_next()
        assert not ProblemProgress.objects.exists()

    def test_a_result_delivered_twice_counts_once(
        self, hand_in: HandIn, enrollment: Enrollment, problem: Problem
    ) -> None:
        hand_in()
        claim = claimed()
        assert [apply(claim), apply(claim)] == [True, False]
        assert progress_of(enrollment, problem).attempts == 1


class TestRejudging:
    def test_it_counts_what_it_is_now(self, hand_in: HandIn, enrollment: Enrollment, problem: Problem) -> None:
        submission = hand_in()
        found = []
        judge_next()
        for engine in (wrong(), half(), right()):
            rejudge(submission, engine)
            progress = progress_of(enrollment, problem)
            found.append((progress.status, progress.attempts, progress.best_score))
            assert drifted() == []
        assert found == [("in_progress", 1, 0), ("in_progress", 1, 50), ("solved", 1, 100)]

    def test_solved_moves_to_the_next_accepted_one(
        self, hand_in: HandIn, enrollment: Enrollment, problem: Problem
    ) -> None:
        first, second = hand_in(), hand_in()
        judge_next()
        judge_next()
        assert progress_of(enrollment, problem).solved_at == first.received_at
        rejudge(first, wrong())
        assert progress_of(enrollment, problem).solved_at == second.received_at

    def test_while_it_waits_the_old_result_stands(
        self, hand_in: HandIn, enrollment: Enrollment, problem: Problem
    ) -> None:
        submission = hand_in()
        judge_next()
        submission.refresh_from_db()
        judgement_create(submission=submission, test_set=problem.test_sets.get())
        claimed()
        assert progress_of(enrollment, problem).status == "solved"

    def test_one_that_breaks_takes_nothing_away(
        self, hand_in: HandIn, enrollment: Enrollment, problem: Problem
    ) -> None:
        submission = hand_in()
        judge_next(half())
        submission.refresh_from_db()
        judgement_create(submission=submission, test_set=problem.test_sets.get())
        claim = claimed()
        judgement_give_up(judgement_id=claim.judgement_id, claim_id=claim.claim_id, fault="the engine broke")
        progress = progress_of(enrollment, problem)
        assert (progress.status, progress.attempts, progress.best_score) == ("in_progress", 1, 50)
        call_command("check_consistency", stdout=StringIO(), stderr=StringIO())

    def test_a_later_one_that_broke_found_nothing(
        self, hand_in: HandIn, enrollment: Enrollment, problem: Problem
    ) -> None:
        submission = hand_in()
        slow = claimed()
        judgement_create(submission=submission, test_set=problem.test_sets.get())
        quick = claimed()
        judgement_give_up(judgement_id=quick.judgement_id, claim_id=quick.claim_id, fault="the engine broke")
        assert apply(slow)
        submission.refresh_from_db()
        assert (submission.status, submission.score) == ("accepted", 100)
        assert progress_of(enrollment, problem).status == "solved"
        call_command("check_consistency", stdout=StringIO(), stderr=StringIO())

    def test_a_later_judging_that_was_quicker_stands(
        self, hand_in: HandIn, enrollment: Enrollment, problem: Problem
    ) -> None:
        submission = hand_in()
        slow = claimed()
        judgement_create(submission=submission, test_set=problem.test_sets.get())
        judge_next(wrong())
        assert apply(slow)
        submission.refresh_from_db()
        assert (submission.status, submission.score) == ("wrong_answer", 0)
        assert submission.current_judgement is not None
        assert submission.current_judgement.number == 2
        assert progress_of(enrollment, problem).status == "in_progress"
        assert set(Judgement.objects.values_list("number", "verdict")) == {(1, "accepted"), (2, "wrong_answer")}


@pytest.mark.django_db(transaction=True)
class TestOneTransaction:
    @pytest.mark.parametrize(
        ("table", "action"),
        [
            ("courses_problemprogress", "INSERT"),
            ("courses_problemprogress", "UPDATE"),
            ("courses_progressresult", "INSERT"),
            ("courses_enrollment", "UPDATE"),
        ],
    )
    def test_where_progress_cannot_be_written_there_is_no_verdict_yet(
        self, table: str, action: str, hand_in: HandIn, enrollment: Enrollment, problem: Problem
    ) -> None:
        """Nothing of it is there, the judgement waits for its next try, and that one counts."""
        submission = hand_in()
        with refusing(table, action):
            judge_next()
        submission.refresh_from_db()
        assert (submission.status, submission.score) == ("pending", None)
        assert not ProblemProgress.objects.exists()
        assert not ProgressResult.objects.exists()
        assert not TestResult.objects.exists()
        Judgement.objects.update(not_before=None)
        judge_next()
        assert (progress_of(enrollment, problem).status, TestResult.objects.count()) == ("solved", 2)

    def test_control_outside_the_transaction_the_verdict_would_stay_without_it(
        self, hand_in: HandIn, enrollment: Enrollment, problem: Problem, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def later(**what: Any) -> None:
            transaction.on_commit(partial(submission_progress_update, **what), robust=True)

        monkeypatch.setattr("executor.services.judgements.submission_progress_update", later)
        with pytest.raises(AssertionError):
            self.test_where_progress_cannot_be_written_there_is_no_verdict_yet(
                "courses_problemprogress", "INSERT", hand_in, enrollment, problem
            )

    def test_a_verdict_replaces_the_token_of_its_student_alone(
        self, hand_in: HandIn, enrollment: Enrollment, problem: Problem
    ) -> None:
        neighbor = EnrollmentFactory(course=problem.course)
        before, unrelated = token_of(enrollment), token_of(neighbor)
        hand_in()
        assert token_of(enrollment) == before
        judge_next()
        assert token_of(enrollment) != before
        assert token_of(neighbor) == unrelated


@pytest.mark.django_db(transaction=True)
class TestManyAtOnce:
    def test_workers_editors_and_rejudges_at_once(
        self, hand_in: HandIn, enrollment: Enrollment, problem: Problem
    ) -> None:
        """One student's submissions, by several workers, while dates and policy change: exact, and nobody is stuck."""
        submissions = [hand_in() for _ in range(12)]
        others = [SubmissionFactory(problem=problem) for _ in range(4)]
        course = problem.course

        def work() -> None:
            while (claim := claim_next()) is not None:
                judge_claimed(claim, CodeExecutorService(right() if claim.judgement_id % 3 else half()))

        def rejudge_some() -> None:
            for submission in submissions[:4]:
                judgement_create(submission=Submission.objects.get(pk=submission.pk), test_set=problem.test_sets.get())
            work()

        def edit() -> None:
            for kind in (Course.LatePolicy.CUT_OFF, Course.LatePolicy.NONE, Course.LatePolicy.PER_DAY):
                with transaction.atomic():
                    Course.objects.select_for_update(no_key=True).get(pk=course.pk)
                    problem.due_at = submissions[0].received_at
                    problem.save()
                    course.late_policy = kind
                    course.save()

        at_once([work, work, work, rejudge_some, edit])
        work()
        assert progress_of(enrollment, problem).attempts == len(submissions)
        assert ProgressResult.objects.count() == len(submissions) + len(others)
        assert progress_of(enrollment, problem).credited_score == 90
        call_command("check_consistency", stdout=StringIO())
