"""Reference solutions: when they are judged and on which tests, and that they count nowhere."""

from functools import partial
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import ProtectedError
from structlog.testing import capture_logs

from accounts.models import AuditEvent
from core.errors import NotFound
from courses import services
from courses.announcements import problem_warnings
from courses.errors import ProblemInUse, TakesNoCode
from courses.models import Problem, ProblemProgress, ProgressResult, TestSet
from courses.services.parts import AlgorithmChanges
from executor.apps import ExecutorConfig
from executor.engines.base import EngineUnavailable, RunStatus, SourceFile
from executor.errors import SolutionsFull
from executor.models import Judgement, ReferenceSolution, Submission, TestResult
from executor.queue.claims import claim_next
from executor.queue.judge import judge_claimed
from executor.services import reference_solutions
from executor.services.code_executor import CodeExecutorService
from executor.services.judgements import judgement_give_up
from executor.services.reference_solutions import (
    referencesolution_delete,
    referencesolution_update,
    referencesolution_verify,
)
from executor.services.submissions import ProblemNotReady
from tests.accounts.factories import UserFactory
from tests.courses.factories import AlgorithmProblemFactory, ChoiceProblemFactory
from tests.courses.refusals import refused
from tests.executor.databases import apply, claimed, judge_next
from tests.executor.factories import DOUBLE, ReferenceSolutionFactory, SubmissionFactory
from tests.executor.fakes import ScriptedEngine, run_result
from tests.executor.solutions import judgement_of, new_tests, report_of, solution_for, staff_of

pytestmark = pytest.mark.django_db

wrong = partial(ScriptedEngine, lambda stdin: run_result(b"no"))
too_slow = partial(ScriptedEngine, lambda stdin: run_result(status=RunStatus.TIME_LIMIT, exit_code=None))


class TestModel:
    def test_a_name_is_taken_once_in_a_problem_and_language(self, problem: Problem) -> None:
        ReferenceSolutionFactory(problem=problem, name="fast")
        ReferenceSolutionFactory(problem=problem, name="fast", language="cpp")
        ReferenceSolutionFactory(name="fast")
        with pytest.raises(IntegrityError), transaction.atomic():
            ReferenceSolutionFactory(problem=problem, name="fast")

    @pytest.mark.parametrize("fields", [{"name": ""}, {"expected_verdict": "internal_error"}])
    def test_the_database_refuses_what_cannot_be(self, fields: dict[str, str]) -> None:
        with pytest.raises(IntegrityError), transaction.atomic():
            ReferenceSolutionFactory(**fields)

    def test_every_verdict_that_can_be_expected_is_stored(self, problem: Problem) -> None:
        for verdict in ReferenceSolution.Expected:
            ReferenceSolutionFactory(problem=problem, expected_verdict=verdict).full_clean()
        with pytest.raises(ValidationError):
            ReferenceSolutionFactory.build(problem=problem, expected_verdict="skipped").full_clean()

    def test_who_wrote_one_stays(self) -> None:
        solution = ReferenceSolutionFactory()
        with pytest.raises(ProtectedError):
            solution.author.delete()


class TestSaving:
    def test_saving_queues_a_verification_on_the_current_tests(self, problem: Problem) -> None:
        actor = staff_of(problem)
        solution = solution_for(problem, actor=actor)
        submission = Submission.objects.get()
        assert solution.submission == submission
        assert (submission.purpose, submission.feedback, submission.user) == ("verify", "full", actor)
        assert (submission.language, submission.files) == ("python", [{"name": "main.py", "content": DOUBLE}])
        judgement = judgement_of(solution)
        assert (judgement.state, judgement.test_set) == ("pending", problem.test_sets.get())
        assert report_of(solution).status == "pending"
        assert report_of(solution).as_expected is None

    def test_the_ordinary_queue_judges_it(self, problem: Problem) -> None:
        solution = solution_for(problem)
        judge_next()
        report = report_of(solution)
        assert (report.status, report.verdict, report.as_expected) == ("accepted", "accepted", True)
        assert (report.test_set_version, report.is_stale, report.time_ms, report.memory_kib) == (1, False, 5, 1000)
        assert TestResult.objects.count() == 2

    @pytest.mark.parametrize(
        ("expected", "engine", "verdict", "as_expected"),
        [
            ("accepted", wrong, "wrong_answer", False),
            ("wrong_answer", wrong, "wrong_answer", True),
            ("wrong_answer", ScriptedEngine, "accepted", False),
            ("time_limit_exceeded", too_slow, "time_limit_exceeded", True),
            ("wrong_answer", too_slow, "time_limit_exceeded", False),
        ],
    )
    def test_a_program_may_be_meant_to_fail(
        self, problem: Problem, expected: str, engine: Any, verdict: str, as_expected: bool
    ) -> None:
        solution = solution_for(problem, expected_verdict=expected)
        judge_next(engine())
        assert (report_of(solution).verdict, report_of(solution).as_expected) == (verdict, as_expected)

    def test_without_tests_it_waits_for_the_first_ones(self) -> None:
        problem = AlgorithmProblemFactory(tests=[]).problem
        solution = solution_for(problem)
        assert (report_of(solution).status, Submission.objects.count()) == ("unverified", 0)
        new_tests(problem)
        assert (report_of(solution).status, report_of(solution).test_set_version) == ("pending", 1)

    def test_several_files(self, problem: Problem) -> None:
        files = (SourceFile(name="main.py", content="import lib"), SourceFile(name="lib.py", content="x = 1"))
        solution = solution_for(problem, code=None, files=files)
        assert [file["name"] for file in solution.files] == ["main.py", "lib.py"]
        assert solution.submission is not None
        assert solution.submission.files == solution.files

    def test_another_program_is_judged_anew_and_its_author_is_who_wrote_it(self, problem: Problem) -> None:
        solution = solution_for(problem)
        judge_next()
        other = staff_of(problem)
        changed = referencesolution_update(actor=other, solution_id=solution.pk, code="print(1)")
        assert (changed.author, report_of(solution).status) == (other, "pending")
        assert changed.submission is not None
        assert (changed.submission.code, changed.submission.user) == ("print(1)", other)
        # What was judged before stays to be looked at.
        assert Submission.objects.count() == 2

    def test_another_program_is_no_other_program_s_verification(self, problem: Problem) -> None:
        solution = solution_for(problem)
        changed = referencesolution_update(actor=solution.author, solution_id=solution.pk, code="print(1)")
        assert changed.submission is not None
        assert changed.submission.code == "print(1)"

    def test_another_name_or_expectation_judges_nothing(self, problem: Problem) -> None:
        solution = solution_for(problem)
        judge_next()
        referencesolution_update(
            actor=solution.author, solution_id=solution.pk, name="slow", expected_verdict="wrong_answer"
        )
        assert (report_of(solution).as_expected, Submission.objects.count()) == (False, 1)

    def test_what_stays_as_it_was_is_not_written(self, problem: Problem) -> None:
        solution = solution_for(problem)
        before = ReferenceSolution.objects.get()
        referencesolution_update(actor=staff_of(problem), solution_id=solution.pk, code=DOUBLE, name=solution.name)
        assert (ReferenceSolution.objects.get().updated_at, Submission.objects.count()) == (before.updated_at, 1)
        assert not AuditEvent.objects.filter(action="referencesolution.update").exists()

    @pytest.mark.parametrize("state", ["draft", "archived"])
    def test_drafts_and_archives_are_verified_too(self, state: str) -> None:
        problem = AlgorithmProblemFactory(problem__status=state, problem__course__status=state).problem
        solution = solution_for(problem)
        judge_next()
        referencesolution_verify(actor=solution.author, solution_id=solution.pk)
        judge_next()
        assert report_of(solution).as_expected is True

    def test_acts_are_recorded_without_the_code(self, problem: Problem) -> None:
        solution = solution_for(problem)
        referencesolution_update(actor=solution.author, solution_id=solution.pk, code="print('CANARY')")
        referencesolution_verify(actor=solution.author, solution_id=solution.pk)
        referencesolution_delete(actor=solution.author, solution_id=solution.pk)
        events = AuditEvent.objects.filter(action__startswith="referencesolution").order_by("pk")
        assert [event.action.partition(".")[2] for event in events] == ["create", "update", "verify", "delete"]
        assert all(event.changes["problem_id"] == [problem.pk, problem.pk] for event in events)
        assert all(event.organization_id == problem.course.organization_id for event in events)
        assert not [event for event in events if "print" in str(event.changes)]


class TestRefusals:
    def test_what_is_no_program_of_the_problem_is_named(self, problem: Problem) -> None:
        with refused(("#/language", "unknown_language")):
            solution_for(problem, language="cobol")
        with refused(("#/code", "empty_code")):
            solution_for(problem, code=" ")
        problem.algorithm.languages = ["c"]
        problem.algorithm.save()
        with refused(("#/language", "language_not_allowed")):
            solution_for(problem)
        assert not ReferenceSolution.objects.exists()

    def test_a_name_that_is_taken_is_named(self, problem: Problem) -> None:
        first, second = solution_for(problem), solution_for(problem, name="other")
        with refused(("#/name", "unique")):
            solution_for(problem, name=first.name)
        with refused(("#/name", "unique")):
            referencesolution_update(actor=first.author, solution_id=second.pk, name=first.name)

    def test_only_programs_answer_a_problem_with_solutions(self) -> None:
        with pytest.raises(TakesNoCode):
            solution_for(ChoiceProblemFactory().problem)

    def test_there_are_only_so_many(self, problem: Problem, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(reference_solutions, "SOLUTIONS_MAX", 1)
        solution_for(problem)
        with pytest.raises(SolutionsFull):
            solution_for(problem, name="one more")

    def test_what_is_not_there_is_not_found(self, problem: Problem) -> None:
        actor = UserFactory()
        with pytest.raises(NotFound):
            referencesolution_update(actor=actor, solution_id=0, name="x")
        with pytest.raises(NotFound):
            referencesolution_delete(actor=actor, solution_id=0)
        with pytest.raises(NotFound):
            referencesolution_verify(actor=actor, solution_id=0)
        problem_id = problem.pk
        services.problem_delete(actor=actor, problem_id=problem_id)
        with pytest.raises(NotFound):
            reference_solutions.referencesolution_create(
                actor=actor, problem_id=problem_id, language="python", code=DOUBLE
            )

    def test_nothing_is_judged_without_tests(self) -> None:
        solution = solution_for(AlgorithmProblemFactory(tests=[]).problem)
        with pytest.raises(ProblemNotReady):
            referencesolution_verify(actor=solution.author, solution_id=solution.pk)


class TestNewTests:
    def test_a_new_version_verifies_every_solution_again_and_names_itself(self, problem: Problem) -> None:
        solutions = [solution_for(problem, name=name) for name in ("one", "two")]
        foreign = solution_for(AlgorithmProblemFactory().problem)
        for _ in range(3):
            judge_next()
        new_tests(problem, "7\n")
        assert [report_of(one).status for one in solutions] == ["pending", "pending"]
        assert report_of(foreign).status == "accepted"
        judge_next()
        judge_next()
        for solution in solutions:
            report = report_of(solution)
            assert (report.verdict, report.as_expected, report.test_set_version) == ("wrong_answer", False, 2)
        # Each judgement names the version it used.
        judged = Judgement.objects.filter(submission__problem=problem).order_by("pk")
        assert [one.test_set.version for one in judged.select_related("test_set")] == [1, 1, 2, 2]

    def test_tests_changed_one_by_one_do_not_fill_the_queue(self, problem: Problem) -> None:
        solution = solution_for(problem)
        for _ in range(5):
            new_tests(problem)
        assert (Submission.objects.count(), judgement_of(solution).test_set.version) == (1, 6)
        judge_next()
        assert (report_of(solution).test_set_version, report_of(solution).is_stale) == (6, False)

    def test_one_that_is_being_judged_keeps_its_tests(self, problem: Problem) -> None:
        solution = solution_for(problem)
        running = claimed()
        new_tests(problem)
        assert Judgement.objects.get(pk=running.judgement_id).test_set.version == 1
        assert (Submission.objects.count(), judgement_of(solution).test_set.version) == (2, 2)
        # The late result of the older one changes nothing about the solution.
        assert apply(running)
        assert report_of(solution).status == "pending"

    def test_control_a_judging_moved_while_it_runs_would_name_tests_it_did_not_use(
        self, problem: Problem, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def careless(*, submission: Submission, test_set: TestSet) -> bool:
            return bool(Judgement.objects.filter(submission=submission).update(test_set=test_set))

        monkeypatch.setattr(reference_solutions, "judgement_refresh", careless)
        with pytest.raises(AssertionError):
            self.test_one_that_is_being_judged_keeps_its_tests(problem)

    @pytest.mark.parametrize(
        ("changes", "is_verified"),
        [
            ({"time_limit_ms": 500}, True),
            ({"memory_limit_mb": 64}, True),
            ({"checker": "exact"}, True),
            ({"preludes": {"python": "import os\n"}}, True),
            ({"stops_at_first_failure": True}, True),
            ({"starter_code": {"python": "pass"}}, False),
            ({"languages": ["python", "c"]}, False),
        ],
    )
    def test_limits_and_checker_verify_again_too(
        self, problem: Problem, changes: AlgorithmChanges, is_verified: bool
    ) -> None:
        solution = solution_for(problem)
        judge_next()
        services.problem_update(actor=solution.author, problem_id=problem.pk, algorithm=changes)
        assert report_of(solution).status == ("pending" if is_verified else "accepted")
        for name, value in changes.items():
            if hasattr(judgement_of(solution), name):
                assert getattr(judgement_of(solution), name) == value

    def test_one_that_waits_takes_today_s_limits(self, problem: Problem) -> None:
        solution = solution_for(problem)
        services.problem_update(actor=solution.author, problem_id=problem.pk, algorithm={"time_limit_ms": 500})
        assert (Submission.objects.count(), judgement_of(solution).time_limit_ms) == (1, 500)

    def test_a_title_verifies_nothing(self, problem: Problem) -> None:
        solution = solution_for(problem)
        judge_next()
        services.problem_update(actor=solution.author, problem_id=problem.pk, title="Other")
        assert report_of(solution).status == "accepted"

    def test_it_is_one_with_the_new_tests(self, problem: Problem) -> None:
        """Neither is there without the other."""
        solution = solution_for(problem)
        judge_next()

        def failing() -> None:
            with transaction.atomic():
                new_tests(problem)
                raise RuntimeError

        with pytest.raises(RuntimeError):
            failing()
        assert (report_of(solution).status, Submission.objects.count()) == ("accepted", 1)

    def test_control_without_the_announcement_nothing_is_verified(
        self, problem: Problem, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("executor.receivers.problem_solutions_verify", lambda **kwargs: None)
        with pytest.raises(AssertionError):
            self.test_a_new_version_verifies_every_solution_again_and_names_itself(problem)

    def test_a_verdict_on_older_tests_is_stale(self, problem: Problem) -> None:
        solution = solution_for(problem)
        judge_next()
        assert report_of(solution).is_stale is False
        TestSet.objects.create(problem=problem, version=2)
        assert report_of(solution).is_stale is True

    def test_verifying_again_uses_the_current_tests(self, problem: Problem) -> None:
        solution = solution_for(problem)
        judge_next()
        referencesolution_verify(actor=solution.author, solution_id=solution.pk)
        assert (report_of(solution).status, Submission.objects.count()) == ("pending", 2)
        # Asking again while it waits adds nothing.
        referencesolution_verify(actor=solution.author, solution_id=solution.pk)
        assert Submission.objects.count() == 2


class TestFaults:
    def test_a_fault_of_ours_is_neither_right_nor_wrong(self, problem: Problem) -> None:
        solution = solution_for(problem)
        running = claimed()
        judgement_give_up(judgement_id=running.judgement_id, claim_id=running.claim_id, fault="the worker was lost")
        report = report_of(solution)
        assert (report.status, report.as_expected, report.fault) == ("internal_error", None, "the worker was lost")

    def test_an_engine_that_is_away_keeps_it_waiting(self, problem: Problem) -> None:
        solution = solution_for(problem)
        judge_next(ScriptedEngine(lambda stdin: EngineUnavailable("away"), is_ready=False))
        assert (report_of(solution).status, report_of(solution).as_expected) == ("pending", None)


class TestWarnings:
    def test_each_solution_that_is_not_as_expected_is_told(self, problem: Problem) -> None:
        solution_for(problem, name="fine", expected_verdict="wrong_answer")
        solution_for(problem, name="bad")
        assert problem_warnings(problem) == []
        judge_next(wrong())
        judge_next(wrong())
        (warning,) = problem_warnings(problem)
        assert warning.code == "solution_not_as_expected"
        assert "'bad' in python must get accepted, and got wrong_answer on version 1" in warning.detail

    def test_what_could_not_be_judged_is_told(self, problem: Problem) -> None:
        solution_for(problem)
        running = claimed()
        judgement_give_up(judgement_id=running.judgement_id, claim_id=running.claim_id, fault="no such template")
        (warning,) = problem_warnings(problem)
        assert (warning.code, "no such template" in warning.detail) == ("solution_not_judged", True)

    def test_choices_have_none(self) -> None:
        assert problem_warnings(ChoiceProblemFactory().problem) == []

    def test_the_executor_is_asked(self, problem: Problem, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("courses.announcements._sources", [])
        solution_for(problem)
        judge_next(wrong())
        assert problem_warnings(problem) == []
        ExecutorConfig.ready(None)  # type: ignore[arg-type]
        assert len(problem_warnings(problem)) == 1


class TestCountsNowhere:
    def test_not_in_progress(self, problem: Problem) -> None:
        """Nor does it where its author studies in the course since."""
        actor = staff_of(problem)
        solution = solution_for(problem, actor=actor)
        actor.enrollments.update(role="student")
        judge_next()
        assert report_of(solution).verdict == "accepted"
        assert not ProgressResult.objects.exists()
        assert not ProblemProgress.objects.exists()

    def test_control_a_practice_submission_does(self, problem: Problem) -> None:
        actor = staff_of(problem)
        solution_for(problem, actor=actor)
        actor.enrollments.update(role="student")
        Submission.objects.update(purpose="practice")
        judge_next()
        assert ProgressResult.objects.count() == 1

    def test_not_among_the_submissions_of_who_is_no_staff(self, problem: Problem) -> None:
        actor = staff_of(problem)
        solution_for(problem, actor=actor)
        assert Submission.objects.visible_to(actor).count() == 1
        actor.enrollments.update(role="student")
        assert Submission.objects.visible_to(actor).count() == 0
        own = SubmissionFactory(problem=problem, user=actor)
        assert list(Submission.objects.visible_to(actor)) == [own]


class TestDeleting:
    def test_what_was_judged_of_a_deleted_solution_stays(self, problem: Problem) -> None:
        solution = solution_for(problem)
        judge_next()
        referencesolution_delete(actor=solution.author, solution_id=solution.pk)
        assert (ReferenceSolution.objects.count(), Submission.objects.count()) == (0, 1)

    def test_a_problem_with_solutions_alone_can_go(self, problem: Problem) -> None:
        solution = solution_for(problem)
        judge_next()
        new_tests(problem)
        services.problem_delete(actor=solution.author, problem_id=problem.pk)
        for model in (Problem, ReferenceSolution, Submission, Judgement, TestResult, TestSet):
            assert not model._default_manager.exists()

    def test_control_without_the_announcement_it_could_not(
        self, problem: Problem, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("executor.receivers.problem_solutions_discard", lambda **kwargs: None)
        with pytest.raises(ProblemInUse):
            self.test_a_problem_with_solutions_alone_can_go(problem)

    def test_one_with_marks_stays_and_keeps_its_solutions(self, problem: Problem) -> None:
        solution = solution_for(problem)
        judge_next()
        SubmissionFactory(problem=problem)
        with pytest.raises(ProblemInUse):
            services.problem_delete(actor=solution.author, problem_id=problem.pk)
        assert report_of(solution).as_expected is True
        assert Submission.objects.count() == 2

    def test_a_verification_that_runs_while_its_problem_goes_vanishes(self, problem: Problem) -> None:
        solution = solution_for(problem)

        def deleting(stdin: bytes) -> Any:
            if Problem.objects.exists():
                services.problem_delete(actor=solution.author, problem_id=problem.pk)
            return run_result(b"4")

        with capture_logs() as logs:
            judge_next(ScriptedEngine(deleting))
        assert [log["event"] for log in logs if log["event"] in ("claim_lost", "judging_failed")] == ["claim_lost"]
        assert not Submission.objects.exists()

    def test_one_that_was_just_taken_vanishes_too(self, problem: Problem) -> None:
        solution = solution_for(problem)
        taken = claimed()
        services.problem_delete(actor=solution.author, problem_id=problem.pk)
        judge_claimed(taken, CodeExecutorService(ScriptedEngine()))
        assert not Submission.objects.exists()


class TestDuplicates:
    def test_a_copy_has_the_solutions_and_verifies_none_yet(self, problem: Problem) -> None:
        solution = solution_for(problem, name="slow", expected_verdict="time_limit_exceeded")
        actor = staff_of(problem)
        copy = services.problem_duplicate(actor=actor, problem_id=problem.pk)
        (copied,) = copy.reference_solutions.all()
        for field in ("name", "language", "files", "expected_verdict"):
            assert getattr(copied, field) == getattr(solution, field)
        assert (copied.author, report_of(copied).status) == (actor, "unverified")
        assert Submission.objects.count() == 1
        referencesolution_verify(actor=actor, solution_id=copied.pk)
        assert judgement_of(copied).test_set.problem == copy

    def test_so_has_a_copied_course(self, problem: Problem) -> None:
        solution_for(problem)
        owner = UserFactory(is_superuser=True)
        copy = services.course_duplicate(actor=owner, course_id=problem.course_id, title="Copy", slug="copy")
        (copied,) = ReferenceSolution.objects.filter(problem__course=copy)
        assert copied.author == owner


class TestRealEngine:
    """On the embedded sandbox."""

    def test_right_wrong_and_slow_programs_get_what_they_are_meant_to(self, problem: Problem) -> None:
        services.problem_update(
            actor=staff_of(problem), problem_id=problem.pk, algorithm={"time_limit_ms": 300, "checker": "tokens"}
        )
        expected = {
            "accepted": DOUBLE,
            "wrong_answer": "print(4)",
            "time_limit_exceeded": "while True: pass",
            "runtime_error": "1 / 0",
        }
        solutions = [
            solution_for(problem, name=verdict, code=code, expected_verdict=verdict)
            for verdict, code in expected.items()
        ]
        service = CodeExecutorService()
        while claim := claim_next():
            judge_claimed(claim, service)
        assert {one.name: report_of(one).verdict for one in solutions} == {verdict: verdict for verdict in expected}
        assert all(report_of(one).as_expected for one in solutions)
