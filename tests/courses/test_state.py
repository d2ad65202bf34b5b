"""The state of one student in one course: in three queries, and the same whether all of it is asked for or a part."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from accounts.models import User
from courses.errors import ProblemLocked
from courses.models import Chapter, Course, Enrollment, Problem
from courses.rules.unlocking import Reason, ReasonCode
from courses.selectors import state as state_module
from courses.selectors.duedates import due_dates
from courses.selectors.state import CourseState, Tally, course_state, problem_require_open, problem_states
from courses.selectors.staterows import ChapterRow
from tests.courses.factories import (
    ChapterFactory,
    ChapterProblemFactory,
    CourseFactory,
    DueExtensionFactory,
    EnrollmentFactory,
    ProblemFactory,
    UnlockRequirementFactory,
)
from tests.courses.solving import answered

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.fixture
def course() -> Course:
    return CourseFactory()


@pytest.fixture
def enrollment(course: Course) -> Enrollment:
    return EnrollmentFactory(course=course)


def placed(chapter: Chapter, **fields: object) -> Problem:
    problem: Problem = ChapterProblemFactory(
        chapter=chapter, problem=ProblemFactory(course=chapter.course, **fields)
    ).problem
    return problem


def state_of(enrollment: Enrollment, now: datetime | None = None) -> CourseState:
    return course_state(course=enrollment.course, enrollment=enrollment, now=now or timezone.now())


class TestQueries:
    @pytest.mark.parametrize("chapters", [0, 1, 12])
    def test_whatever_the_size(
        self, enrollment: Enrollment, chapters: int, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        before = None
        for _ in range(chapters):
            chapter = ChapterFactory(course=enrollment.course)
            first, second = placed(chapter), placed(chapter)
            UnlockRequirementFactory(problem=second, required_problem=first)
            if before is not None:
                UnlockRequirementFactory(chapter=chapter, required_chapter=before)
            answered(enrollment.user, first)
            before = chapter
        with django_assert_num_queries(3):
            state = state_of(enrollment)
        assert (len(state.chapters), state.tally.total) == (chapters, 2 * chapters)

    def test_some_problems_of_it(
        self, enrollment: Enrollment, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        chapter = ChapterFactory(course=enrollment.course)
        problems = [placed(chapter) for _ in range(6)]
        for problem in problems[1:]:
            UnlockRequirementFactory(problem=problem, required_problem=problems[0])
        with django_assert_num_queries(3):
            problem_states(
                course_id=enrollment.course_id,
                problem_ids=[each.pk for each in problems],
                enrollment=enrollment,
                now=timezone.now(),
            )


class TestContent:
    def test_in_order_with_progress(self, enrollment: Enrollment) -> None:
        later = ChapterFactory(course=enrollment.course, position="e00002")
        sooner = ChapterFactory(course=enrollment.course, position="e00001")
        second = ChapterProblemFactory(chapter=sooner, position="e00002").problem
        first = ChapterProblemFactory(chapter=sooner, position="e00001").problem
        loose = ProblemFactory(course=enrollment.course)
        answered(enrollment.user, second, score=40)
        answered(enrollment.user, first)

        state = state_of(enrollment)
        assert [each.id for each in state.chapters] == [sooner.pk, later.pk]
        assert [(each.id, each.status, each.best_score) for each in state.chapters[0].problems] == [
            (first.pk, "solved", Decimal(100)),
            (second.pk, "in_progress", Decimal(40)),
        ]
        assert [each.id for each in state.unplaced] == [loose.pk]
        assert state.next_problem_id == second.pk

    def test_another_students_progress_is_not_theirs(self, enrollment: Enrollment) -> None:
        problem = ProblemFactory(course=enrollment.course)
        answered(EnrollmentFactory(course=enrollment.course).user, problem)
        assert state_of(enrollment).by_id[problem.pk].status == "not_started"

    def test_students_see_nothing_hidden(self, enrollment: Enrollment) -> None:
        hidden = ChapterFactory(course=enrollment.course, status="draft")
        in_hidden = placed(hidden)
        chapter = ChapterFactory(course=enrollment.course)
        for fields in ({"status": "draft"}, {"status": "archived"}, {"audience": "exam_only"}):
            placed(chapter, **fields)
        placed(chapter, published_from=timezone.now() + timedelta(hours=1))
        placed(chapter, published_until=timezone.now() - timedelta(hours=1))
        shown = placed(chapter)
        state = state_of(enrollment)
        assert [(each.id, [problem.id for problem in each.problems]) for each in state.chapters] == [
            (chapter.pk, [shown.pk])
        ]
        assert state.tally == Tally(total=1, started=0, solved=0)
        # It can be seen, but nobody gets there.
        assert state.by_id[in_hidden.pk].lock.reasons == (Reason(code=ReasonCode.CHAPTER_LOCKED),)

    def test_staff_see_everything_and_nothing_is_locked(self, course: Course) -> None:
        chapter = ChapterFactory(course=course, status="draft", unlock_at=timezone.now() + timedelta(days=1))
        problem = placed(chapter, status="draft")
        UnlockRequirementFactory(problem=problem, required_problem=placed(ChapterFactory(course=course)))
        for enrollment in (None, EnrollmentFactory(course=course, role="assistant")):
            state = course_state(course=course, enrollment=enrollment, now=timezone.now())
            assert state.chapters[0].lock.is_unlocked
            assert state.by_id[problem.pk].lock.is_unlocked
            assert not state.by_id[problem.pk].is_visible

    def test_as_a_student_who_has_just_come(self, course: Course) -> None:
        first, second = (ProblemFactory(course=course) for _ in range(2))
        UnlockRequirementFactory(problem=second, required_problem=first)
        state = course_state(course=course, enrollment=None, now=timezone.now(), as_student=True)
        assert not state.by_id[second.pk].lock.is_unlocked
        assert state.next_problem_id == first.pk

    def test_what_comes_next_is_open_and_unsolved_and_the_easiest(self, enrollment: Enrollment) -> None:
        hard, easy = (ProblemFactory(course=enrollment.course, difficulty=level) for level in (3, 1))
        assert state_of(enrollment).next_problem_id == easy.pk
        in_chapter = placed(ChapterFactory(course=enrollment.course), difficulty=3)
        assert state_of(enrollment).next_problem_id == in_chapter.pk
        UnlockRequirementFactory(problem=in_chapter, required_problem=hard)
        assert state_of(enrollment).next_problem_id == easy.pk
        for problem in (easy, hard, in_chapter):
            answered(enrollment.user, problem)
        assert state_of(enrollment).next_problem_id is None


class TestPercentages:
    def test_are_rounded_down(self, enrollment: Enrollment) -> None:
        chapter = ChapterFactory(course=enrollment.course)
        problems = [placed(chapter) for _ in range(3)]
        for solved, wanted, status in (
            (0, "0.00", "not_started"),
            (1, "33.33", "in_progress"),
            (3, "100.00", "solved"),
        ):
            for problem in problems[:solved]:
                answered(enrollment.user, problem)
            tally = state_of(enrollment).chapters[0].tally
            assert (str(tally.percentage), tally.status) == (wanted, status)

    def test_a_problem_in_two_chapters_counts_once_for_the_course(self, enrollment: Enrollment) -> None:
        first, second = (ChapterFactory(course=enrollment.course) for _ in range(2))
        both = placed(first)
        ChapterProblemFactory(chapter=second, problem=both)
        placed(second)
        answered(enrollment.user, both)
        state = state_of(enrollment)
        assert [each.tally.percentage for each in state.chapters] == [100, 50]
        assert state.tally == Tally(total=2, started=1, solved=1)

    def test_nothing_to_solve_has_none(self, enrollment: Enrollment) -> None:
        ChapterFactory(course=enrollment.course)
        state = state_of(enrollment)
        assert (state.tally.percentage, state.chapters[0].tally.percentage) == (None, None)
        assert state.tally.status == "not_started"


class TestDueDates:
    @pytest.mark.parametrize("own", [None, NOW + timedelta(days=1), NOW + timedelta(days=9)])
    @pytest.mark.parametrize("extended", [None, "problem", "chapter"])
    def test_agree_with_what_progress_counts(
        self, enrollment: Enrollment, own: datetime | None, extended: str | None
    ) -> None:
        chapters = [ChapterFactory(course=enrollment.course, due_at=NOW + timedelta(days=day)) for day in (2, 3)]
        draft = ChapterFactory(course=enrollment.course, status="draft", due_at=NOW + timedelta(days=20))
        problem = placed(chapters[0], due_at=own)
        for chapter in (chapters[1], draft):
            ChapterProblemFactory(chapter=chapter, problem=problem)
        if extended:
            target = {"problem": problem} if extended == "problem" else {"chapter": chapters[0]}
            DueExtensionFactory(enrollment=enrollment, due_at=NOW + timedelta(days=5), **target)
        counted = due_dates(enrollment_ids=[enrollment.pk], problem_ids=[problem.pk])
        assert state_of(enrollment).by_id[problem.pk].due_at == counted.of(
            enrollment_id=enrollment.pk, problem_id=problem.pk
        )

    def test_of_a_chapter(self, enrollment: Enrollment) -> None:
        chapter = ChapterFactory(course=enrollment.course, due_at=NOW)
        assert state_of(enrollment).chapters[0].due_at == NOW
        extension = DueExtensionFactory(enrollment=enrollment, chapter=chapter)
        assert state_of(enrollment).chapters[0].due_at == extension.due_at
        # Another student's date is the regular one.
        assert state_of(EnrollmentFactory(course=enrollment.course)).chapters[0].due_at == NOW


class TestTime:
    def test_says_when_time_alone_changes_it(self, enrollment: Enrollment) -> None:
        assert state_of(enrollment, NOW).changes_at is None
        placed(ChapterFactory(course=enrollment.course, unlock_at=NOW + timedelta(hours=9)))
        ProblemFactory(course=enrollment.course, published_until=NOW + timedelta(hours=5), published_from=NOW)
        # A draft's window changes nothing.
        ProblemFactory(course=enrollment.course, status="draft", published_from=NOW + timedelta(hours=1))
        assert state_of(enrollment, NOW).changes_at == NOW + timedelta(hours=5)
        assert state_of(enrollment, NOW + timedelta(hours=5)).changes_at == NOW + timedelta(hours=9)
        assert state_of(enrollment, NOW + timedelta(hours=9)).changes_at is None

    def test_opens_at_its_moment(self, enrollment: Enrollment) -> None:
        problem = ProblemFactory(course=enrollment.course, unlock_at=NOW)
        before = state_of(enrollment, NOW - timedelta(microseconds=1)).by_id[problem.pk].lock
        assert before.reasons == (Reason(code=ReasonCode.OPENS_AT, opens_at=NOW),)
        assert state_of(enrollment, NOW).by_id[problem.pk].lock.is_unlocked


class TestSomeProblems:
    def test_are_as_in_the_whole_course(self, enrollment: Enrollment) -> None:
        course = enrollment.course
        chapters = [ChapterFactory(course=course) for _ in range(4)]
        problems = [placed(chapters[number % 4]) for number in range(12)]
        loose: Problem = ProblemFactory(course=course, unlock_at=timezone.now() + timedelta(days=1))
        ChapterProblemFactory(chapter=chapters[3], problem=problems[0])
        for before, after in pairwise(chapters):
            UnlockRequirementFactory(chapter=after, required_chapter=before)
        UnlockRequirementFactory(problem=problems[4], required_problem=loose)
        UnlockRequirementFactory(problem=loose, required_chapter=chapters[2])
        for problem in (problems[0], problems[1], problems[4], problems[8]):
            answered(enrollment.user, problem)
        whole = state_of(enrollment)
        assert {state.lock.is_unlocked for state in whole.by_id.values()} == {True, False}
        for problem in (*problems, loose):
            part = problem_states(
                course_id=course.pk, problem_ids=[problem.pk], enrollment=enrollment, now=timezone.now()
            )
            assert dict(part.by_id) == {problem.pk: whole.by_id[problem.pk]}
            for reason in part.by_id[problem.pk].lock.reasons:
                assert all(part.titles[node] == whole.titles[node] for node in reason.missing)


class TestMeanwhile:
    def test_a_chapter_added_between_two_of_the_queries_is_not_told_of_yet(
        self, enrollment: Enrollment, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        known = placed(ChapterFactory(course=enrollment.course))
        read = state_module.chapter_rows

        def then_added(**arguments: int) -> list[ChapterRow]:
            rows = read(**arguments)
            placed(ChapterFactory(course=enrollment.course))
            return rows

        monkeypatch.setattr(state_module, "chapter_rows", then_added)
        state = state_of(enrollment)
        assert [problem.id for chapter in state.chapters for problem in chapter.problems] == [known.pk]
        assert (state.unplaced, state.tally.total) == ((), 1)


class TestRequireOpen:
    def test_says_what_is_missing(self, enrollment: Enrollment) -> None:
        first, second = (ProblemFactory(course=enrollment.course) for _ in range(2))
        UnlockRequirementFactory(problem=second, required_problem=first)
        with pytest.raises(ProblemLocked) as caught:
            problem_require_open(user=enrollment.user, problem=second)
        missing = [{"type": "problem", "id": first.pk, "title": first.title}]
        assert caught.value.members == {
            "lock": {"reasons": [{"code": "requires_all", "missing": missing, "opens_at": None}]}
        }
        answered(enrollment.user, first)
        problem_require_open(user=enrollment.user, problem=second)

    @pytest.mark.parametrize("role", ["assistant", "instructor"])
    def test_staff_are_never_locked_out(self, course: Course, role: str) -> None:
        user: User = EnrollmentFactory(course=course, role=role).user
        problem_require_open(
            user=user, problem=ProblemFactory(course=course, unlock_at=timezone.now() + timedelta(days=1))
        )

    def test_what_they_solved_counts_after_coming_back(self, enrollment: Enrollment) -> None:
        first, second = (ProblemFactory(course=enrollment.course) for _ in range(2))
        UnlockRequirementFactory(problem=second, required_problem=first)
        answered(enrollment.user, first)
        Enrollment.objects.filter(pk=enrollment.pk).update(left_at=timezone.now())
        with pytest.raises(ProblemLocked):
            problem_require_open(user=enrollment.user, problem=second)
        Enrollment.objects.filter(pk=enrollment.pk).update(left_at=None)
        problem_require_open(user=enrollment.user, problem=second)
