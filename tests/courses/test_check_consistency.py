"""`check_consistency` finds what was tampered with behind the services' backs, and mends it through them."""

import json
from contextlib import suppress
from decimal import Decimal
from functools import partial
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.utils import timezone

from courses import consistency
from courses.models import Enrollment, PracticeAnswer, Problem, ProblemProgress, ProgressResult
from courses.services import progress_record
from executor.models import Judgement, Submission
from executor.services.submissions import judgement_create
from tests.courses.factories import AlgorithmProblemFactory, EnrollmentFactory
from tests.courses.progressing import NOON, count, drifted, progress_of, token_of
from tests.executor.databases import judge_next
from tests.executor.factories import SubmissionFactory
from tests.executor.fakes import ScriptedEngine, run_result

pytestmark = pytest.mark.django_db


@pytest.fixture
def problem() -> Problem:
    return AlgorithmProblemFactory().problem


@pytest.fixture
def enrollment(problem: Problem) -> Enrollment:
    return EnrollmentFactory(course=problem.course)


@pytest.fixture
def submission(enrollment: Enrollment, problem: Problem) -> Submission:
    submission: Submission = SubmissionFactory(problem=problem, user=enrollment.user)
    judge_next()
    return submission


@pytest.fixture
def answer(enrollment: Enrollment, problem: Problem) -> PracticeAnswer:
    now = timezone.now()
    answer = PracticeAnswer.objects.create(
        user=enrollment.user, problem=problem, answer={}, score=Decimal(40), is_correct=False, received_at=now
    )
    progress_record(
        user_id=enrollment.user_id,
        problem_id=problem.pk,
        source="answer",
        source_id=answer.pk,
        received_at=now,
        score=Decimal(40),
        is_accepted=False,
        time_ms=None,
    )
    return answer


def check(*options: str) -> tuple[int, list[dict[str, Any]], dict[str, Any]]:
    """The exit status, what was found, and the summary."""
    output, status = StringIO(), 1
    with suppress(SystemExit):
        call_command("check_consistency", *options, stdout=output)
        status = 0
    *found, summary = [json.loads(line) for line in output.getvalue().splitlines()]
    return status, found, summary


def clean() -> bool:
    return check()[:2] == (0, []) and drifted() == []


class TestClean:
    def test_nothing_there(self) -> None:
        status, found, summary = check()
        assert (status, found, summary["drifts"]) == (0, [], 0)

    def test_what_services_wrote(self, submission: Submission, answer: PracticeAnswer) -> None:
        status, found, summary = check()
        assert (status, found) == (0, [])
        assert {name: counts["rows"] for name, counts in summary["recounts"].items()} == {
            "progress": 1,
            "results of answers": 1,
            "results of submissions": 1,
        }

    def test_what_counts_nothing(self, enrollment: Enrollment, problem: Problem) -> None:
        """Pending, of an exam, of staff with no place in the course, and what was received before having one."""
        SubmissionFactory(problem=problem, user=EnrollmentFactory().user)
        SubmissionFactory(problem=problem, user=enrollment.user, purpose=Submission.Purpose.EXAM)
        early = SubmissionFactory(problem=problem, user=EnrollmentFactory().user)
        for _ in range(3):
            judge_next()
        SubmissionFactory(problem=problem, user=enrollment.user)
        EnrollmentFactory(course=problem.course, user=early.user)
        assert clean()


TAMPERINGS = {
    "a score of progress": lambda s, a: ProblemProgress.objects.update(best_score=7),
    "the time of solving": lambda s, a: ProblemProgress.objects.update(solved_at=timezone.now()),
    "the attempts": lambda s, a: ProblemProgress.objects.update(attempts=77),
    "a missing result": lambda s, a: ProgressResult.objects.filter(source="submission").delete(),
    "a missing answer": lambda s, a: ProgressResult.objects.filter(source="answer").delete(),
    "another score": lambda s, a: ProgressResult.objects.filter(source="submission").update(score=1),
    "another answer": lambda s, a: ProgressResult.objects.filter(source="answer").update(score=1),
    "another verdict": lambda s, a: Judgement.objects.update(verdict="wrong_answer", score=0),
    "no verdict any more": lambda s, a: Judgement.objects.update(verdict="internal_error", score=None),
    "an orphan": lambda s, a: ProgressResult.objects.filter(source="submission").update(source_id=s.pk + 1),
    "an orphaned answer": lambda s, a: ProgressResult.objects.filter(source="answer").update(source_id=a.pk + 1),
    "an exam's": lambda s, a: Submission.objects.update(purpose=Submission.Purpose.EXAM),
    "of somebody else": lambda s, a: Submission.objects.update(
        user=EnrollmentFactory(course=s.problem.course, created_at=None).user
    ),
    "all rows gone": lambda s, a: (ProgressResult.objects.all().delete(), ProblemProgress.objects.all().delete()),
}


class TestDrift:
    @pytest.mark.parametrize("name", TAMPERINGS)
    def test_it_is_found_and_mended(self, name: str, submission: Submission, answer: PracticeAnswer) -> None:
        TAMPERINGS[name](submission, answer)
        status, found, summary = check()
        assert status == 1
        assert len(found) == summary["drifts"] > 0
        assert summary["repaired"] == 0
        assert all(drift["stored"] != drift["recomputed"] for drift in found)
        status, mended, summary = check("--repair")
        assert status == 0
        assert summary["repaired"] == summary["drifts"] == len(mended) > 0
        assert clean()

    def test_checking_changes_nothing(self, submission: Submission, answer: PracticeAnswer) -> None:
        ProblemProgress.objects.update(best_score=7)
        ProgressResult.objects.filter(source="answer").delete()
        before = list(ProblemProgress.objects.values()), list(ProgressResult.objects.values())
        check()
        assert (list(ProblemProgress.objects.values()), list(ProgressResult.objects.values())) == before

    def test_it_names_the_row_the_field_and_both_values(self, submission: Submission) -> None:
        ProblemProgress.objects.update(best_score=7)
        _, [drift], _ = check()
        assert drift == {
            "recount": "progress",
            "model": "ProblemProgress",
            "pk": ProblemProgress.objects.get().pk,
            "field": "best_score",
            "stored": "7.00",
            "recomputed": "100.00",
        }

    @pytest.mark.django_db(transaction=True)
    def test_mending_reaches_what_is_cached(self, submission: Submission, enrollment: Enrollment) -> None:
        ProblemProgress.objects.update(best_score=7)
        before = token_of(enrollment)
        check("--repair")
        assert token_of(enrollment) != before

    def test_a_database_from_before_there_was_progress(self, enrollment: Enrollment, problem: Problem) -> None:
        """An upgrade: everything that was handed in counts, once."""
        for _ in range(3):
            SubmissionFactory(problem=problem, user=enrollment.user)
            judge_next()
        ProgressResult.objects.all().delete()
        ProblemProgress.objects.all().delete()
        assert check("--repair")[0] == 0
        assert progress_of(enrollment, problem).attempts == 3
        assert clean()

    def test_in_batches(self, enrollment: Enrollment, problem: Problem, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("courses.consistency.BATCH", 2)
        monkeypatch.setattr("courses.selectors.folding.BATCH", 2)
        for user in [each.user for each in EnrollmentFactory.create_batch(5, course=problem.course)]:
            SubmissionFactory(problem=problem, user=user)
            judge_next()
        ProblemProgress.objects.update(best_score=7)
        ProgressResult.objects.update(score=3)
        _, found, summary = check("--repair")
        assert {name: counts["rows"] for name, counts in summary["recounts"].items()} == {
            "progress": 5,
            "results of answers": 0,
            "results of submissions": 5,
        }
        assert len({(drift["recount"], drift["pk"]) for drift in found}) == 10
        assert clean()


class TestWhileOthersWrite:
    """What changes between two looks of the check is no drift: it looks again with the rows held."""

    def test_a_verdict_after_the_row_was_read(
        self, submission: Submission, enrollment: Enrollment, problem: Problem, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        verdicts = iter([partial(count, enrollment, problem, submission.pk, score=Decimal(60), is_accepted=False)])
        looked = consistency.progress_folds

        def look(rows: list[ProblemProgress]) -> Any:
            for verdict in verdicts:
                Judgement.objects.update(verdict="wrong_answer", score=60)
                Submission.objects.update(received_at=NOON)
                verdict()
            return looked(rows)

        Judgement.objects.update(time_ms=10)
        monkeypatch.setattr(consistency, "progress_folds", look)
        assert check()[:2] == (0, [])
        assert progress_of(enrollment, problem).best_score == 60

    def test_a_rejudge_after_the_submission_was_read(
        self, submission: Submission, enrollment: Enrollment, problem: Problem, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        wrong = iter([ScriptedEngine(lambda stdin: run_result(b"no"))])
        looked = consistency.result_drifts

        def look(*, source: str, counted: Any) -> Any:
            for engine in wrong if source == "submission" else ():
                judgement_create(submission=submission, test_set=problem.test_sets.get())
                judge_next(engine)
            return looked(source=source, counted=counted)

        submission.refresh_from_db()
        monkeypatch.setattr(consistency, "result_drifts", look)
        assert check()[:2] == (0, [])
        assert progress_of(enrollment, problem).status == "in_progress"

    def test_control_without_the_second_look_they_would_be_found(
        self, submission: Submission, enrollment: Enrollment, problem: Problem, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        found = consistency.fold_differences

        def believe(*, progress_id: int, is_repairing: bool) -> Any:
            return differed[progress_id]

        differed: dict[int, Any] = {}
        monkeypatch.setattr(
            consistency, "fold_differences", lambda row, folded: differed.setdefault(row.pk, found(row, folded))
        )
        monkeypatch.setattr(consistency, "progress_verify", believe)
        with pytest.raises(AssertionError):
            self.test_a_verdict_after_the_row_was_read(submission, enrollment, problem, monkeypatch)
