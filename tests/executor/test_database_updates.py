"""What submissions leave in the database: all of it or nothing, exactly once, whatever fails and whoever races."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
from django.db import DatabaseError, IntegrityError, transaction
from freezegun import freeze_time
from pytest_django import DjangoCaptureOnCommitCallbacks

from accounts.models import User
from courses.models import Problem
from executor.engines.base import CompileResult, OnResult, RunReport, RunRequest, RunResult, RunStatus, SourceFile
from executor.models import Judgement, Submission, TestResult
from executor.queue.claims import Claim, claim_release, claim_return
from executor.queue.judge import judge_claimed
from executor.services.code_executor import CodeExecutorService
from executor.services.judgements import judgement_give_up
from executor.services.submissions import judgement_create
from executor.signals import submission_announced, submission_judged
from tests.executor.databases import DOUBLE, apply, claimed, judge_next, refusing, rows, submit
from tests.executor.factories import SubmissionFactory
from tests.executor.fakes import ScriptedEngine, run_result

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


class UncompiledEngine(ScriptedEngine):
    """An engine whose compiler refuses everything."""

    def run(self, request: RunRequest, on_result: OnResult | None = None) -> RunReport:
        return RunReport(
            compilation=CompileResult(succeeded=False, output="main.c:1: no", time_ms=1), results=(), tier="scripted"
        )


def ending(status: RunStatus, exit_code: int | None = None) -> Callable[[bytes], RunResult]:
    return lambda stdin: run_result(status=status, exit_code=exit_code)


# verdict -> the engine that leads to it
ENGINES: dict[str, Callable[[], ScriptedEngine]] = {
    "accepted": ScriptedEngine,
    "wrong_answer": partial(ScriptedEngine, lambda stdin: run_result(b"no")),
    "time_limit_exceeded": partial(ScriptedEngine, ending(RunStatus.TIME_LIMIT)),
    "memory_limit_exceeded": partial(ScriptedEngine, ending(RunStatus.MEMORY_LIMIT)),
    "output_limit_exceeded": partial(ScriptedEngine, ending(RunStatus.OUTPUT_LIMIT)),
    "runtime_error": partial(ScriptedEngine, ending(RunStatus.EXITED, 1)),
    "compilation_error": UncompiledEngine,
}


def held(submission: Submission) -> Claim:
    """The claim that somebody has on a submission's judgement."""
    judgement = Judgement.objects.get(submission=submission)
    assert judgement.claim_id is not None
    return Claim(judgement.pk, judgement.claim_id, submission.pk, judgement.lane, judgement.losses)


class DatabaseUpdateTestCase:
    """Lines 1 to 7 of the test plan."""

    # Line 1: the record is created, with its first status, its user and its problem.

    def test_a_record_is_created_with_user_problem_and_first_status(self, student: User, problem: Problem) -> None:
        created = submit(student, problem)
        stored = Submission.objects.get()
        assert (stored.pk, stored.user, stored.problem) == (created.pk, student, problem)
        assert (stored.status, stored.score) == ("pending", None)
        assert (stored.purpose, stored.feedback, stored.language) == ("practice", "verdicts", "python")
        assert stored.files == [{"name": "main.py", "content": DOUBLE}]

    def test_its_first_judgement_waits_with_the_rules_of_today(self, student: User, problem: Problem) -> None:
        created = submit(student, problem)
        judgement = Judgement.objects.get()
        assert created.current_judgement == judgement
        assert (judgement.submission, judgement.number, judgement.state) == (created, 1, "pending")
        assert (judgement.verdict, judgement.score, judgement.tries) == ("", None, 0)
        algorithm = problem.algorithm
        assert (judgement.checker, judgement.time_limit_ms, judgement.memory_limit_mb) == (
            algorithm.checker,
            algorithm.time_limit_ms,
            algorithm.memory_limit_mb,
        )
        assert (judgement.claim_id, judgement.started_at, judgement.finished_at) == (None, None, None)
        assert TestResult.objects.count() == 0

    def test_later_changes_of_the_problem_leave_it_alone(self, student: User, problem: Problem) -> None:
        before = submit(student, problem).current_judgement
        assert before is not None
        problem.algorithm.time_limit_ms, problem.algorithm.checker = 77, "exact"
        problem.algorithm.save()
        after = Judgement.objects.get()
        assert (after.time_limit_ms, after.checker) == (before.time_limit_ms, before.checker) != (77, "exact")

    @pytest.mark.parametrize("purpose", Submission.Purpose.values)
    @pytest.mark.parametrize("feedback", Submission.Feedback.values)
    def test_purpose_and_feedback_are_kept(self, student: User, problem: Problem, purpose: str, feedback: str) -> None:
        submit(student, problem, purpose=purpose, feedback=feedback)
        stored = Submission.objects.get()
        assert (stored.purpose, stored.feedback) == (purpose, feedback)

    @pytest.mark.parametrize(
        "code",
        ["print('é')", "print('😀\U0010ffff')", "a = 1\r\nb = 2\r", "\ufeffx = 1", "x = '\u2028\u202e'", " \tx\n\n "],
    )
    def test_code_is_kept_to_the_letter(self, student: User, problem: Problem, code: str) -> None:
        submit(student, problem, code=code)
        assert Submission.objects.get().code == code

    def test_several_files_keep_their_order(self, student: User, problem: Problem) -> None:
        names = ["main.py", "b.py", "a.py"]
        submit(student, problem, code=None, files=[SourceFile(name=name, content=f"# {name}\n") for name in names])
        assert [file["name"] for file in Submission.objects.get().files] == names

    def test_handing_in_twice_makes_two_records(self, student: User, problem: Problem) -> None:
        first, second = submit(student, problem), submit(student, problem)
        assert first.pk < second.pk
        assert list(Judgement.objects.order_by("pk").values_list("submission_id", "number")) == [
            (first.pk, 1),
            (second.pk, 1),
        ]

    def test_a_new_judging_is_the_next_record_and_the_first_stays(self, student: User, problem: Problem) -> None:
        submission = submit(student, problem)
        judge_next()
        first = Judgement.objects.values().get()
        second = judgement_create(submission=submission, test_set=problem.test_sets.get())
        assert second.number == 2
        assert Judgement.objects.values().get(pk=first["id"]) == first

    # Line 2: changes of status are saved, and timestamps move.

    @pytest.mark.parametrize("verdict", ENGINES)
    def test_each_verdict_is_saved_with_its_status(self, verdict: str) -> None:
        submission = SubmissionFactory()
        claim = claimed()
        submission.refresh_from_db()
        assert submission.status == "judging"
        judge_claimed(claim, CodeExecutorService(ENGINES[verdict]()))
        submission.refresh_from_db()
        judgement = submission.current_judgement
        assert (submission.status, judgement.verdict, judgement.state) == (verdict, verdict, "done")
        assert submission.score == judgement.score == (100 if verdict == "accepted" else 0)
        results = list(TestResult.objects.values_list("verdict", flat=True))
        assert results == ["skipped" if verdict == "compilation_error" else verdict] * 2

    def test_giving_up_saves_our_error_and_no_score(self) -> None:
        submission = SubmissionFactory()
        claim = claimed()
        assert judgement_give_up(judgement_id=claim.judgement_id, claim_id=claim.claim_id, fault="the disk is full")
        submission.refresh_from_db()
        assert (submission.status, submission.score) == ("internal_error", None)
        assert submission.current_judgement.fault == "the disk is full"

    def test_a_judgement_s_own_times_follow_one_another(self) -> None:
        submission = SubmissionFactory()
        judgement = submission.current_judgement
        assert (judgement.started_at, judgement.finished_at) == (None, None)
        claim = claimed()
        judgement.refresh_from_db()
        started_at = judgement.started_at
        assert (started_at is None, judgement.finished_at) == (False, None)
        judge_claimed(claim, CodeExecutorService(ScriptedEngine()))
        judgement.refresh_from_db()
        assert judgement.started_at == started_at
        assert judgement.finished_at >= started_at
        # The database's clock, which may tell only milliseconds.
        assert started_at >= judgement.created_at - timedelta(milliseconds=1)

    def test_updated_at_moves_with_each_status_and_the_others_stay(self, student: User, problem: Problem) -> None:
        moments = []
        with freeze_time(NOON) as clock:
            submission = submit(student, problem, received_at=NOON - timedelta(seconds=1))
            for change in (claimed, lambda: apply(held(submission))):
                clock.tick(60)
                change()
                submission.refresh_from_db()
                moments.append((submission.status, (submission.updated_at - NOON).total_seconds()))
        assert moments == [("judging", 60), ("accepted", 120)]
        assert (submission.received_at, submission.created_at) == (NOON - timedelta(seconds=1), NOON)

    @pytest.mark.parametrize(
        "give_back",
        [claim_release, partial(claim_return, fault="engine away", is_charged=False)],
        ids=["released", "returned"],
    )
    def test_a_status_that_goes_back_is_saved_too(
        self, student: User, problem: Problem, give_back: Callable[[Claim], None]
    ) -> None:
        with freeze_time(NOON) as clock:
            submission = submit(student, problem)
            claim = claimed()
            clock.tick(60)
            give_back(claim)
        submission.refresh_from_db()
        assert (submission.status, submission.updated_at) == ("pending", NOON + timedelta(seconds=60))
        assert Judgement.objects.get().state == "pending"

    def test_times_are_kept_with_their_zone_to_the_microsecond(self, student: User, problem: Problem) -> None:
        received_at = datetime(2026, 11, 20, 12, 0, 0, 123456, tzinfo=UTC)
        submit(student, problem, received_at=received_at)
        stored = Submission.objects.get().received_at
        assert (stored, stored.utcoffset()) == (received_at, timedelta(0))

    # Line 3: all or nothing; a partial failure leaves no state.

    @pytest.mark.parametrize("step", ["language_of", "source_files", "current_test_set", "testset_freeze"])
    def test_handing_in_that_fails_midway_leaves_nothing(
        self, student: User, problem: Problem, monkeypatch: pytest.MonkeyPatch, step: str
    ) -> None:
        def fail(*args: object, **kwargs: object) -> None:
            raise RuntimeError(step)

        before = rows()
        monkeypatch.setattr(f"executor.services.submissions.{step}", fail)
        with pytest.raises(RuntimeError, match=step):
            submit(student, problem)
        assert rows() == before

    def test_a_receiver_that_fails_takes_the_whole_result_along(self) -> None:
        def fail(sender: object, **kwargs: object) -> None:
            # All is written by now, and seen from inside.
            assert TestResult.objects.count() == 2
            raise RuntimeError("the exam's score cannot be written")

        SubmissionFactory()
        claim = claimed()
        before = rows()
        submission_judged.connect(fail)
        try:
            with pytest.raises(RuntimeError):
                apply(claim)
        finally:
            submission_judged.disconnect(fail)
        assert rows() == before
        assert apply(claim)

    def test_no_news_goes_out_of_what_was_rolled_back(
        self, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
    ) -> None:
        heard: list[object] = []

        def hear(sender: object, submission_id: int, **kwargs: object) -> None:
            heard.append(submission_id)

        submission = SubmissionFactory()
        claim = claimed()
        submission_announced.connect(hear)
        try:
            with (
                django_capture_on_commit_callbacks(execute=True),
                refusing("executor_submission", "UPDATE"),
                pytest.raises(DatabaseError),
            ):
                apply(claim)
            assert heard == []
            with django_capture_on_commit_callbacks(execute=True):
                apply(claim)
        finally:
            submission_announced.disconnect(hear)
        assert heard == [submission.pk]

    # Line 6: an error of the database rolls back, and nothing partial stays.

    @pytest.mark.parametrize(
        ("table", "action"),
        [
            ("executor_submission", "INSERT"),
            ("executor_judgement", "INSERT"),
            ("courses_testset", "UPDATE"),
            ("executor_submission", "UPDATE"),
        ],
    )
    def test_a_database_error_while_handing_in_leaves_nothing(
        self, student: User, problem: Problem, table: str, action: str
    ) -> None:
        before = rows()
        with refusing(table, action):
            with pytest.raises(DatabaseError, match="no space left"):
                submit(student, problem)
            assert rows() == before
        submit(student, problem)
        assert Submission.objects.count() == Judgement.objects.count() == 1

    @pytest.mark.parametrize(
        ("table", "action"),
        [("executor_testresult", "INSERT"), ("executor_judgement", "UPDATE"), ("executor_submission", "UPDATE")],
    )
    def test_a_database_error_while_storing_a_result_leaves_nothing(self, table: str, action: str) -> None:
        submission = SubmissionFactory()
        claim = claimed()
        before = rows()
        with refusing(table, action):
            with pytest.raises(DatabaseError, match="no space left"):
                apply(claim)
            assert rows() == before
        assert apply(claim)
        submission.refresh_from_db()
        assert (submission.status, submission.score, TestResult.objects.count()) == ("accepted", 100, 2)

    def test_a_database_error_costs_the_student_nothing_and_is_tried_again(self) -> None:
        submission = SubmissionFactory()
        with refusing("executor_testresult", "INSERT"):
            judge_next()
            submission.refresh_from_db()
            assert (submission.status, submission.score) == ("pending", None)
        Judgement.objects.update(not_before=None)
        judge_next()
        submission.refresh_from_db()
        assert (submission.status, submission.score) == ("accepted", 100)

    def test_a_result_row_in_the_way_is_not_half_overwritten(self) -> None:
        judgement = SubmissionFactory().current_judgement
        last = judgement.test_set.test_cases.order_by("order").last()
        TestResult.objects.create(judgement=judgement, test_case=last, order=1, verdict="accepted")
        claim = claimed()
        before = rows()
        with pytest.raises(IntegrityError), transaction.atomic():
            apply(claim)
        assert rows() == before
