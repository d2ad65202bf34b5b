"""Progress is the fold of what counted, whatever comes in which order and whatever is edited afterwards."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from core.errors import NotFound
from courses.errors import ProblemInUse
from courses.models import (
    Chapter,
    ChapterProblem,
    Course,
    DueExtension,
    Enrollment,
    PracticeAnswer,
    Problem,
    ProblemProgress,
    ProgressResult,
)
from courses.selectors.duedates import due_dates
from courses.services import problem_delete, progress_forget, progress_recompute
from tests.accounts.factories import UserFactory
from tests.courses.factories import (
    ChapterFactory,
    ChapterProblemFactory,
    CourseFactory,
    EnrollmentFactory,
    ProblemFactory,
    ProblemProgressFactory,
)
from tests.courses.progressing import NOON, count, drifted, progress_of

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)
HALF = Decimal(50)


@pytest.fixture
def problem() -> Problem:
    return ProblemFactory()


@pytest.fixture
def enrollment(problem: Problem) -> Enrollment:
    return EnrollmentFactory(course=problem.course)


class TestRecording:
    def test_the_first_result_makes_the_row(self, enrollment: Enrollment, problem: Problem) -> None:
        assert not ProblemProgress.objects.exists()
        count(enrollment, problem, 1, score=HALF, is_accepted=False)
        progress = progress_of(enrollment, problem)
        assert (progress.status, progress.attempts, progress.best_score) == ("in_progress", 1, HALF)
        assert (progress.first_at, progress.last_at, progress.solved_at, progress.best_time_ms) == (
            NOON,
            NOON,
            None,
            None,
        )

    def test_solved_at_is_the_earliest_receipt_of_an_accepted_result(
        self, enrollment: Enrollment, problem: Problem
    ) -> None:
        count(enrollment, problem, 1, received_at=NOON + 2 * HOUR, time_ms=7)
        count(enrollment, problem, 2, received_at=NOON + HOUR, time_ms=9)
        count(enrollment, problem, 3, received_at=NOON, is_accepted=False, score=HALF)
        progress = progress_of(enrollment, problem)
        assert (progress.status, progress.attempts, progress.best_time_ms) == ("solved", 3, 7)
        assert (progress.first_at, progress.last_at) == (NOON, NOON + 2 * HOUR)
        assert progress.solved_at == NOON + HOUR

    def test_said_again_it_counts_once(self, enrollment: Enrollment, problem: Problem) -> None:
        for _ in range(3):
            count(enrollment, problem, 1)
        assert progress_of(enrollment, problem).attempts == ProgressResult.objects.count() == 1

    def test_said_differently_it_replaces_what_was_said(self, enrollment: Enrollment, problem: Problem) -> None:
        count(enrollment, problem, 1)
        count(enrollment, problem, 1, score=HALF, is_accepted=False)
        progress = progress_of(enrollment, problem)
        assert (progress.status, progress.attempts, progress.best_score) == ("in_progress", 1, HALF)
        assert (progress.solved_at, progress.best_time_ms) == (None, None)

    def test_an_answer_and_a_submission_of_one_number_are_two(self, enrollment: Enrollment, problem: Problem) -> None:
        count(enrollment, problem, 1)
        count(enrollment, problem, 1, source="answer", time_ms=None)
        assert progress_of(enrollment, problem).attempts == 2

    def test_without_a_place_in_the_course_nothing_happens(self, problem: Problem) -> None:
        count(Enrollment(user=UserFactory(), course=problem.course), problem, 1)
        count(EnrollmentFactory(), problem, 2)
        assert not ProblemProgress.objects.exists()
        assert not ProgressResult.objects.exists()

    def test_what_was_handed_in_before_leaving_counts(self, enrollment: Enrollment, problem: Problem) -> None:
        Enrollment.objects.filter(pk=enrollment.pk).update(left_at=timezone.now())
        count(enrollment, problem, 1)
        assert progress_of(enrollment, problem).status == "solved"

    def test_the_same_again_writes_nothing_of_the_row(self, enrollment: Enrollment, problem: Problem) -> None:
        count(enrollment, problem, 1)
        before = progress_of(enrollment, problem).updated_at
        count(enrollment, problem, 1)
        assert progress_of(enrollment, problem).updated_at == before

    def test_the_cost_does_not_grow_with_what_is_there(self, enrollment: Enrollment, problem: Problem) -> None:
        def cost(source_id: int) -> int:
            with CaptureQueriesContext(connection) as queries:
                count(enrollment, problem, source_id)
            return len(queries)

        count(enrollment, problem, 1)
        few = cost(2)
        for source_id in range(3, 40):
            count(enrollment, problem, source_id)
        assert cost(40) == few


class TestForgetting:
    def test_the_rest_stays(self, enrollment: Enrollment, problem: Problem) -> None:
        count(enrollment, problem, 1)
        count(enrollment, problem, 2, score=HALF, is_accepted=False, received_at=NOON + HOUR)
        progress_forget(source="submission", source_id=1)
        progress = progress_of(enrollment, problem)
        assert (progress.status, progress.attempts, progress.best_score) == ("in_progress", 1, HALF)

    def test_the_last_one_leaves_the_problem_not_started(self, enrollment: Enrollment, problem: Problem) -> None:
        count(enrollment, problem, 1)
        for _ in range(2):
            progress_forget(source="submission", source_id=1)
        progress = progress_of(enrollment, problem)
        assert (progress.status, progress.attempts, progress.first_at) == ("not_started", 0, None)

    def test_what_never_counted_is_no_matter(self) -> None:
        progress_forget(source="submission", source_id=1)
        assert not ProblemProgress.objects.exists()


def late(course: Course, kind: str = "cut_off") -> None:
    course.late_policy = kind
    course.save()


def chapter_of(problem: Problem, **fields: object) -> Chapter:
    return ChapterProblemFactory(chapter=ChapterFactory(course=problem.course, **fields), problem=problem).chapter


Edit = Callable[[Problem, Enrollment], None]


def _due_on_problem(problem: Problem, enrollment: Enrollment) -> None:
    problem.due_at = NOON
    problem.save()


def _due_on_chapter(problem: Problem, enrollment: Enrollment) -> None:
    chapter = Chapter.objects.get()
    chapter.due_at = NOON
    chapter.save(update_fields=["due_at"])


def _placed_in_a_due_chapter(problem: Problem, enrollment: Enrollment) -> None:
    ChapterProblem.objects.all().delete()
    chapter_of(problem, due_at=NOON)


def _undated_chapter_hidden(problem: Problem, enrollment: Enrollment) -> None:
    undated = Chapter.objects.get()
    chapter_of(problem, due_at=NOON)
    undated.status = Chapter.Status.DRAFT
    undated.save()


def _undated_chapter_deleted(problem: Problem, enrollment: Enrollment) -> None:
    undated = Chapter.objects.get()
    chapter_of(problem, due_at=NOON)
    undated.delete()


def _taken_from_the_undated_chapter(problem: Problem, enrollment: Enrollment) -> None:
    undated = ChapterProblem.objects.get()
    chapter_of(problem, due_at=NOON)
    undated.delete()


def _extension_taken_back(problem: Problem, enrollment: Enrollment) -> None:
    extension = DueExtension.objects.create(enrollment=enrollment, problem=problem, due_at=NOON + HOUR)
    _due_on_problem(problem, enrollment)
    assert progress_of(enrollment, problem).credited_score == 100
    extension.delete()


EDITS = [
    _due_on_problem,
    _due_on_chapter,
    _placed_in_a_due_chapter,
    _undated_chapter_hidden,
    _undated_chapter_deleted,
    _taken_from_the_undated_chapter,
    _extension_taken_back,
]


class TestLateness:
    """Whatever makes work late or not late is followed in the same breath, by whichever way it is edited."""

    @pytest.mark.parametrize("edit", EDITS, ids=lambda edit: edit.__name__.strip("_"))
    def test_an_edit_makes_it_late(self, edit: Edit, problem: Problem, enrollment: Enrollment) -> None:
        late(problem.course)
        chapter_of(problem)
        count(enrollment, problem, 1, received_at=NOON)
        assert progress_of(enrollment, problem).credited_score == 100
        edit(problem, enrollment)
        progress = progress_of(enrollment, problem)
        assert (progress.credited_score, progress.best_score, progress.status) == (0, 100, "solved")
        assert drifted() == []

    @pytest.mark.parametrize("edit", EDITS[:6], ids=lambda edit: edit.__name__.strip("_"))
    def test_control_without_refolding_it_drifts(
        self, edit: Edit, problem: Problem, enrollment: Enrollment, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("courses.signals.progress_recompute", lambda **kwargs: 0)
        with pytest.raises(AssertionError):
            self.test_an_edit_makes_it_late(edit, problem, enrollment)

    def test_the_policy_itself_and_back(self, problem: Problem, enrollment: Enrollment) -> None:
        problem.due_at = NOON - HOUR
        problem.save()
        count(enrollment, problem, 1)
        found = [progress_of(enrollment, problem).credited_score]
        for kind in ("cut_off", "per_day", "none"):
            late(problem.course, kind)
            found.append(progress_of(enrollment, problem).credited_score)
        assert found == [100, 0, 90, 100]

    def test_a_longer_extension_counts_and_a_shorter_one_does_not(
        self, problem: Problem, enrollment: Enrollment
    ) -> None:
        late(problem.course)
        chapter = chapter_of(problem, due_at=NOON)
        count(enrollment, problem, 1, received_at=NOON)
        DueExtension.objects.create(enrollment=enrollment, chapter=chapter, due_at=NOON - HOUR)
        assert progress_of(enrollment, problem).credited_score == 0
        DueExtension.objects.create(enrollment=enrollment, problem=problem, due_at=NOON + HOUR)
        assert progress_of(enrollment, problem).credited_score == 100

    def test_an_extension_is_for_one_student(self, problem: Problem, enrollment: Enrollment) -> None:
        late(problem.course)
        problem.due_at = NOON
        problem.save()
        other = EnrollmentFactory(course=problem.course)
        count(enrollment, problem, 1)
        count(other, problem, 2)
        DueExtension.objects.create(enrollment=other, problem=problem, due_at=NOON + HOUR)
        assert [progress_of(each, problem).credited_score for each in (enrollment, other)] == [0, 100]

    def test_recomputing_reads_the_same_whatever_is_there(self, problem: Problem) -> None:
        late(problem.course)
        problem.due_at = NOON
        problem.save()

        def cost(students: int) -> int:
            for enrollment in EnrollmentFactory.create_batch(students, course=problem.course):
                count(enrollment, problem, enrollment.pk)
            ProblemProgress.objects.update(credited_score=50)
            with CaptureQueriesContext(connection) as queries:
                progress_recompute(course_id=problem.course_id)
            return len(queries)

        assert cost(3) == cost(30)
        assert drifted() == []

    def test_more_rows_than_are_read_at_a_time(self, problem: Problem, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("courses.selectors.folding.BATCH", 3)
        others = ProblemFactory.create_batch(2, course=problem.course)
        for enrollment in EnrollmentFactory.create_batch(4, course=problem.course):
            for each in (problem, *others):
                count(enrollment, each, 100 * enrollment.pk + each.pk)
        ProblemProgress.objects.update(best_score=1)
        assert progress_recompute(course_id=problem.course_id) == 12
        assert drifted() == []

    def test_only_what_is_asked_for(self, problem: Problem, enrollment: Enrollment) -> None:
        late(problem.course)
        other: Enrollment = EnrollmentFactory(course=problem.course)
        other_problem: Problem = ProblemFactory(course=problem.course)
        count(enrollment, problem, 1)
        count(other, problem, 2)
        count(enrollment, other_problem, 3)
        ProblemProgress.objects.update(best_score=1)
        assert progress_recompute(course_id=problem.course_id, problem_ids=[problem.pk]) == 2
        assert progress_recompute(course_id=problem.course_id, enrollment_ids=[other.pk]) == 0
        assert progress_recompute(course_id=problem.course_id, enrollment_ids=[enrollment.pk]) == 1

    def test_an_unknown_course(self) -> None:
        with pytest.raises(NotFound):
            progress_recompute(course_id=1)

    def test_where_lateness_costs_nothing_a_date_is_not_followed_row_by_row(
        self, problem: Problem, enrollment: Enrollment
    ) -> None:
        count(enrollment, problem, 1)
        with CaptureQueriesContext(connection) as queries:
            progress_recompute(course_id=problem.course_id, problem_ids=[problem.pk])
        assert not [query for query in queries if "courses_problemprogress" in query["sql"]]


class TestDueDates:
    def test_three_queries_for_any_number(self) -> None:
        course = CourseFactory()
        chapters = ChapterFactory.create_batch(3, course=course, due_at=NOON)
        problems = ProblemFactory.create_batch(12, course=course)
        for number, problem in enumerate(problems):
            ChapterProblemFactory(chapter=chapters[number % 3], problem=problem)
        enrollments = EnrollmentFactory.create_batch(5, course=course)
        DueExtension.objects.create(enrollment=enrollments[0], chapter=chapters[0], due_at=NOON + HOUR)
        with CaptureQueriesContext(connection) as queries:
            dues = due_dates(
                enrollment_ids=[each.pk for each in enrollments], problem_ids=[each.pk for each in problems]
            )
        assert len(queries) == 3
        assert dues.of(enrollment_id=enrollments[0].pk, problem_id=problems[0].pk) == NOON + HOUR
        assert dues.of(enrollment_id=enrollments[0].pk, problem_id=problems[1].pk) == NOON
        assert dues.of(enrollment_id=enrollments[1].pk, problem_id=problems[0].pk) == NOON


class TestMarksStay:
    """Law 9."""

    def test_a_problem_with_progress_is_not_deleted(self, problem: Problem, enrollment: Enrollment) -> None:
        ProblemProgressFactory(enrollment=enrollment, problem=problem)
        with pytest.raises(ProblemInUse):
            problem_delete(actor=UserFactory(), problem_id=problem.pk)
        assert Problem.objects.filter(pk=problem.pk).exists()

    def test_a_problem_with_answers_is_not_deleted(self, problem: Problem) -> None:
        PracticeAnswer.objects.create(
            user=UserFactory(), problem=problem, answer={"chosen": ["A"]}, score=0, is_correct=False, received_at=NOON
        )
        with pytest.raises(ProblemInUse):
            problem_delete(actor=UserFactory(), problem_id=problem.pk)

    def test_a_problem_without_any_is(self, problem: Problem) -> None:
        problem_delete(actor=UserFactory(), problem_id=problem.pk)
        assert not Problem.objects.exists()
