"""Judging again: on today's tests, after all live work, and nothing that is shown changes before it is applied."""

from collections.abc import Callable
from decimal import Decimal
from functools import partial

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import DjangoCaptureOnCommitCallbacks

from accounts.models import AuditEvent, User
from core.errors import NotFound
from courses import services
from courses.models import Course, Enrollment, Problem
from courses.testdata import TestCaseSpec
from executor.errors import VerificationNotRejudged
from executor.models import Judgement, Submission
from executor.queue.claims import claim_next
from executor.services import rejudging
from executor.services.judgements import judgement_give_up
from executor.services.rejudging import Rejudged, problem_rejudge, submission_rejudge
from executor.services.submissions import ProblemNotReady
from executor.signals import judgement_queued, submission_judged
from tests.courses.factories import ChoiceProblemFactory, EnrollmentFactory
from tests.courses.progressing import progress_of
from tests.executor.databases import apply, claimed, judge_next, rows, submit
from tests.executor.factories import ReferenceSolutionFactory, SubmissionFactory
from tests.executor.fakes import ScriptedEngine, run_result
from tests.parallel import at_once

pytestmark = pytest.mark.django_db

wrong = partial(ScriptedEngine, lambda stdin: run_result(b"no"))


@pytest.fixture
def staff(problem: Problem) -> User:
    return EnrollmentFactory(course=problem.course, role=Enrollment.Role.INSTRUCTOR).user


def judged(student: User, problem: Problem, engine: ScriptedEngine | None = None) -> Submission:
    submission = submit(student, problem)
    judge_next(engine)
    submission.refresh_from_db()
    return submission


def shown(submission: Submission) -> tuple[str, Decimal | None, int]:
    submission.refresh_from_db()
    assert submission.current_judgement is not None
    return submission.status, submission.score, submission.current_judgement.number


class TestOne:
    def test_what_is_shown_changes_when_it_is_applied(
        self, student: User, staff: User, problem: Problem, enrollment: Enrollment
    ) -> None:
        submission = judged(student, problem, wrong())
        heard: list[tuple[str, str]] = []

        def hear(previous: str, current: str, **kwargs: object) -> None:
            heard.append((previous, current))

        assert submission_rejudge(actor=staff, submission_id=submission.pk)
        assert shown(submission) == ("wrong_answer", 0, 1)
        claim = claimed()
        assert shown(submission) == ("wrong_answer", 0, 1)
        submission_judged.connect(hear)
        try:
            assert apply(claim)
        finally:
            submission_judged.disconnect(hear)
        assert shown(submission) == ("accepted", 100, 2)
        assert heard == [("wrong_answer", "accepted")]
        progress = progress_of(enrollment, problem)
        assert (progress.status, progress.attempts) == ("solved", 1)

    def test_one_that_breaks_leaves_what_is_shown(self, student: User, staff: User, problem: Problem) -> None:
        submission = judged(student, problem)
        submission_rejudge(actor=staff, submission_id=submission.pk)
        claim = claimed()
        assert judgement_give_up(judgement_id=claim.judgement_id, claim_id=claim.claim_id, fault="the engine broke")
        assert shown(submission) == ("accepted", 100, 1)
        assert submission_rejudge(actor=staff, submission_id=submission.pk)

    def test_it_is_on_today_s_tests_and_rules(self, student: User, staff: User, problem: Problem) -> None:
        submission = judged(student, problem)
        tests = [TestCaseSpec(input="3\n", expected_output="6\n")]
        services.testset_create(actor=staff, problem_id=problem.pk, test_cases=tests)
        problem.algorithm.time_limit_ms = 700
        problem.algorithm.save()
        submission_rejudge(actor=staff, submission_id=submission.pk)
        first, second = submission.judgements.select_related("test_set")
        assert (first.test_set.version, first.time_limit_ms) == (1, 2000)
        assert (second.test_set.version, second.time_limit_ms, second.lane) == (2, 700, "rejudge")
        assert second.test_set.frozen_at is not None

    def test_live_work_goes_before_it(self, student: User, staff: User, problem: Problem) -> None:
        submission = judged(student, problem)
        submission_rejudge(actor=staff, submission_id=submission.pk)
        live = submit(student, problem)
        assert claimed().judgement_id == live.current_judgement_id

    @pytest.mark.parametrize("is_claimed", [False, True], ids=["waiting", "running"])
    def test_what_has_a_judgement_on_its_way_gets_no_second_one(
        self, student: User, staff: User, problem: Problem, is_claimed: bool
    ) -> None:
        submission = submit(student, problem)
        if is_claimed:
            claim_next()
        before = rows()
        assert not submission_rejudge(actor=staff, submission_id=submission.pk)
        assert rows() == before
        assert not AuditEvent.objects.exists()

    def test_asking_twice_is_asking_once(self, student: User, staff: User, problem: Problem) -> None:
        submission = judged(student, problem)
        asked = [submission_rejudge(actor=staff, submission_id=submission.pk) for _ in range(2)]
        assert asked == [True, False]
        assert submission.judgements.count() == 2

    def test_after_the_course_has_ended_too(self, student: User, staff: User, problem: Problem) -> None:
        submission = judged(student, problem, wrong())
        Course.objects.update(status=Course.Status.ARCHIVED)
        Problem.objects.update(status=Problem.Status.ARCHIVED)
        assert submission_rejudge(actor=staff, submission_id=submission.pk)
        judge_next()
        assert shown(submission) == ("accepted", 100, 2)

    def test_what_cannot_be_judged_again_is_refused(self, student: User, staff: User, problem: Problem) -> None:
        verification = SubmissionFactory(problem=problem, purpose=Submission.Purpose.VERIFY)
        with pytest.raises(VerificationNotRejudged):
            submission_rejudge(actor=staff, submission_id=verification.pk)
        with pytest.raises(NotFound):
            submission_rejudge(actor=staff, submission_id=verification.pk + 1)
        bare = Submission.objects.create(
            problem=ChoiceProblemFactory().problem,
            user=student,
            language="python",
            files=[],
            received_at=timezone.now(),
        )
        with pytest.raises(ProblemNotReady):
            submission_rejudge(actor=staff, submission_id=bare.pk)

    def test_it_is_recorded(self, student: User, staff: User, problem: Problem) -> None:
        submission = judged(student, problem)
        submission_rejudge(actor=staff, submission_id=submission.pk)
        event = AuditEvent.objects.get()
        assert (event.action, event.actor, event.target_id) == ("submission.rejudge", staff, str(submission.pk))
        assert (event.organization, event.changes) == (problem.course.organization, {"judgement": [1, 2]})

    def test_it_is_undone_where_it_cannot_be_recorded(
        self, student: User, staff: User, problem: Problem, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail(**kwargs: object) -> None:
            raise RuntimeError("no audit")

        submission = judged(student, problem)
        before = rows()
        monkeypatch.setattr(rejudging, "audit_record", fail)
        for ask in (
            lambda: submission_rejudge(actor=staff, submission_id=submission.pk),
            lambda: problem_rejudge(actor=staff, problem_id=problem.pk),
        ):
            with pytest.raises(RuntimeError, match="no audit"):
                ask()
        assert rows() == before


class TestMany:
    def test_all_but_those_on_their_way_and_verifications(self, student: User, staff: User, problem: Problem) -> None:
        done = [judged(student, problem) for _ in range(3)]
        waiting = submit(student, problem)
        SubmissionFactory(problem=problem, purpose=Submission.Purpose.VERIFY)
        elsewhere = SubmissionFactory()
        assert problem_rejudge(actor=staff, problem_id=problem.pk) == Rejudged(queued=3, skipped=2)
        assert problem_rejudge(actor=staff, problem_id=problem.pk) == Rejudged(queued=0, skipped=5)
        assert [submission.judgements.count() for submission in done] == [2, 2, 2]
        assert waiting.judgements.count() == elsewhere.judgements.count() == 1

    def test_of_certain_statuses_and_languages(self, student: User, staff: User, problem: Problem) -> None:
        judged(student, problem)
        failed = judged(student, problem, wrong())
        other = judged(student, problem, wrong())
        Submission.objects.filter(pk=other.pk).update(language="javascript")
        found = problem_rejudge(
            actor=staff, problem_id=problem.pk, statuses=["wrong_answer"], languages=["python", "c"]
        )
        assert found == Rejudged(queued=1, skipped=0)
        assert Judgement.objects.get(lane="rejudge").submission_id == failed.pk
        changes = AuditEvent.objects.get().changes
        assert changes["statuses"] == [None, ["wrong_answer"]]

    def test_the_oldest_comes_first_over_all_steps(
        self, student: User, staff: User, problem: Problem, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(rejudging, "STEP_ROWS", 2)
        done = [judged(student, problem) for _ in range(5)]
        assert problem_rejudge(actor=staff, problem_id=problem.pk) == Rejudged(queued=5, skipped=0)
        taken = []
        while Judgement.objects.filter(state="pending").exists():
            claim = claimed()
            taken.append(Judgement.objects.get(pk=claim.judgement_id).submission_id)
            apply(claim)
        assert taken == [submission.pk for submission in done]

    def test_verifications_go_before_it(self, student: User, staff: User, problem: Problem) -> None:
        from executor.services.reference_solutions import referencesolution_verify

        judged(student, problem)
        problem_rejudge(actor=staff, problem_id=problem.pk)
        solution = ReferenceSolutionFactory(problem=problem, author=staff)
        verified = referencesolution_verify(actor=staff, solution_id=solution.pk)
        assert verified.submission is not None
        assert claimed().judgement_id == verified.submission.current_judgement_id

    def test_a_step_costs_as_much_however_many_there_are(self, student: User, staff: User, problem: Problem) -> None:
        costs = []
        for number in (1, 20):
            for _ in range(number):
                SubmissionFactory(problem=problem, user=student)
            Judgement.objects.update(state="done", verdict="accepted")
            with CaptureQueriesContext(connection) as context:
                problem_rejudge(actor=staff, problem_id=problem.pk)
            costs.append(len(context))
        assert costs[0] == costs[1]

    def test_one_wake_up_a_step_is_enough(
        self,
        student: User,
        staff: User,
        problem: Problem,
        django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
    ) -> None:
        heard: list[str] = []

        def hear(lane: str, **kwargs: object) -> None:
            heard.append(lane)

        for _ in range(3):
            judged(student, problem)
        judgement_queued.connect(hear)
        try:
            with django_capture_on_commit_callbacks(execute=True):
                problem_rejudge(actor=staff, problem_id=problem.pk)
        finally:
            judgement_queued.disconnect(hear)
        assert heard == ["rejudge"]

    @pytest.mark.parametrize(
        "make_unready",
        [lambda problem: problem.test_sets.all().delete(), lambda problem: Problem.objects.update(type="choice")],
        ids=["no tests", "no program asked for"],
    )
    def test_a_problem_that_cannot_be_judged(
        self, staff: User, problem: Problem, make_unready: Callable[[Problem], object]
    ) -> None:
        make_unready(problem)
        with pytest.raises(ProblemNotReady):
            problem_rejudge(actor=staff, problem_id=problem.pk)
        assert not AuditEvent.objects.exists()

    def test_a_problem_that_is_not_there(self, staff: User) -> None:
        with pytest.raises(NotFound):
            problem_rejudge(actor=staff, problem_id=2**40)


@pytest.mark.django_db(transaction=True)
class TestTogether:
    def test_several_who_ask_at_once_queue_each_once(self, student: User, staff: User, problem: Problem) -> None:
        submissions = [judged(student, problem) for _ in range(6)]
        one = submissions[0].pk
        calls: list[Callable[[], Rejudged | bool]] = [partial(problem_rejudge, actor=staff, problem_id=problem.pk)] * 3
        calls += [partial(submission_rejudge, actor=staff, submission_id=one)] * 2
        asked = at_once(calls)
        queued = sum(found.queued if isinstance(found, Rejudged) else found for found in asked)
        assert queued == 6
        assert Judgement.objects.filter(lane="rejudge").count() == 6

    def test_a_step_that_fails_leaves_the_ones_before_it_and_can_be_asked_for_again(
        self, student: User, staff: User, problem: Problem, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(rejudging, "STEP_ROWS", 2)
        for _ in range(5):
            judged(student, problem)
        real, calls = rejudging.judgement_announce, []

        def announce(judgement: Judgement) -> None:
            calls.append(judgement)
            if len(calls) == 2:
                raise RuntimeError("the database went away")
            real(judgement)

        monkeypatch.setattr(rejudging, "judgement_announce", announce)
        with pytest.raises(RuntimeError):
            problem_rejudge(actor=staff, problem_id=problem.pk)
        assert Judgement.objects.filter(lane="rejudge").count() == 2
        assert problem_rejudge(actor=staff, problem_id=problem.pk) == Rejudged(queued=3, skipped=2)
        assert not transaction.get_connection().in_atomic_block
