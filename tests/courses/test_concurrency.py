"""Several at once on one course: threads with connections of their own, on the real database.

Lines 1 to 7 of `ConcurrencyTestCase` in the test plan, as they concern courses. On SQLite writers wait for each other
as a whole, and the same must hold.
"""

import random
from collections.abc import Callable
from decimal import Decimal
from functools import partial
from typing import Any

import pytest
from django.db import OperationalError, connection, transaction

from courses.errors import DraftConflict
from courses.models import CodeDraft, Course, DueExtension, Enrollment, Problem, ProblemProgress, ProgressResult
from courses.selectors.cached import student_cached
from courses.services import (
    chapter_update,
    chapterproblem_place,
    chapterproblem_remove,
    draft_save,
    enrollment_cache_replace,
    progress,
    progress_forget,
    progress_recompute,
)
from tests.accounts.factories import UserFactory
from tests.courses.factories import (
    AlgorithmProblemFactory,
    ChapterFactory,
    EnrollmentFactory,
    ProblemFactory,
    ProblemProgressFactory,
)
from tests.courses.progressing import NOON, count, drifted, progress_of, token_of
from tests.parallel import at_once, meeting_point

pytestmark = pytest.mark.django_db(transaction=True)

THREADS = 16
EACH = 4
IS_POSTGRESQL = connection.vendor == "postgresql"


@pytest.fixture
def problem() -> Problem:
    return ProblemFactory()


@pytest.fixture
def enrollment(problem: Problem) -> Enrollment:
    return EnrollmentFactory(course=problem.course)


def counting(enrollment: Enrollment, problem: Problem, thread: int) -> Callable[[], None]:
    """Some verdicts of one thread: scores from 1 to 64, of which no two are alike."""

    def run() -> None:
        for number in range(EACH * thread + 1, EACH * thread + EACH + 1):
            count(enrollment, problem, number, score=Decimal(number), is_accepted=number % 2 == 0, time_ms=number)

    return run


def expect_all(enrollment: Enrollment, problem: Problem) -> None:
    total = THREADS * EACH
    found = progress_of(enrollment, problem)
    assert (found.attempts, found.best_score, found.status, found.best_time_ms) == (total, total, "solved", 2)
    assert ProgressResult.objects.filter(progress=found).count() == total
    assert drifted() == []


class ConcurrencyTestCase:
    def test_verdicts_at_once_on_one_problem_are_all_counted(self, enrollment: Enrollment, problem: Problem) -> None:
        """Line 1."""
        at_once([counting(enrollment, problem, thread) for thread in range(THREADS)])
        expect_all(enrollment, problem)

    def test_control_read_modify_write_loses_updates(
        self, enrollment: Enrollment, problem: Problem, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The usual way, without a lock and with a number read before: what others did meanwhile is overwritten."""
        ProblemProgressFactory(enrollment=enrollment, problem=problem)
        both_have_read = meeting_point(2, timeout_s=5)

        def record(number: int) -> None:
            row = ProblemProgress.objects.get(enrollment=enrollment, problem=problem)
            both_have_read()
            row.attempts, row.status = row.attempts + 1, "in_progress"
            row.save()

        at_once([partial(record, number) for number in range(2)])
        assert progress_of(enrollment, problem).attempts == 1

    def test_control_without_the_lock_a_fold_misses_what_is_not_committed_yet(
        self, enrollment: Enrollment, problem: Problem, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Each folds what it can see, which is not the other's result. SQLite lets one in at a time in any case."""
        if not IS_POSTGRESQL:
            monkeypatch.setattr(progress, "_differences", lambda row: {})
        else:
            row = ProblemProgressFactory(enrollment=enrollment, problem=problem)
            both_have_written = meeting_point(2, timeout_s=5)
            fold = progress._differences
            monkeypatch.setattr(progress, "_enrollment_lock", lambda condition: enrollment.pk)
            monkeypatch.setattr(progress, "_progress_lock", lambda *ids: ProblemProgress.objects.get(pk=row.pk))
            monkeypatch.setattr(progress, "_differences", lambda row: (both_have_written(), fold(row))[1])
        at_once([partial(count, enrollment, problem, number) for number in (1, 2)])
        assert drifted() != []

    def test_many_students_at_once_do_not_meet(self, problem: Problem) -> None:
        """Line 2: everybody's first verdict on the same problems, each making their own rows."""
        problems = [problem, *ProblemFactory.create_batch(2, course=problem.course)]
        enrollments = EnrollmentFactory.create_batch(THREADS, course=problem.course)

        def solve(enrollment: Enrollment) -> None:
            for number, each in enumerate(problems):
                count(enrollment, each, 10 * enrollment.pk + number)

        at_once([partial(solve, enrollment) for enrollment in enrollments])
        assert ProblemProgress.objects.filter(status="solved", attempts=1).count() == THREADS * len(problems)
        assert drifted() == []

    def test_one_student_s_first_verdicts_at_once_make_one_row(self, enrollment: Enrollment, problem: Problem) -> None:
        at_once([partial(count, enrollment, problem, number) for number in range(1, THREADS + 1)])
        assert progress_of(enrollment, problem).attempts == THREADS

    def test_the_same_verdict_at_once_counts_once(self, enrollment: Enrollment, problem: Problem) -> None:
        at_once([partial(count, enrollment, problem, 1)] * THREADS)
        assert progress_of(enrollment, problem).attempts == ProgressResult.objects.count() == 1

    def test_counting_and_forgetting_at_once(self, enrollment: Enrollment, problem: Problem) -> None:
        for number in range(1, THREADS + 1):
            count(enrollment, problem, number)
        calls: list[Callable[[], Any]] = []
        for number in range(1, THREADS + 1):
            calls.append(partial(progress_forget, source="submission", source_id=number))
            calls.append(partial(count, enrollment, problem, 100 + number))
        at_once(calls)
        assert progress_of(enrollment, problem).attempts == THREADS
        assert drifted() == []

    def test_verdicts_while_the_policy_changes_count_by_the_last_one(self, problem: Problem) -> None:
        """Line 1 too: whoever commits last, nobody's credit is by the policy of before."""
        problem.due_at = NOON
        problem.save()
        enrollments = EnrollmentFactory.create_batch(8, course=problem.course)
        course = Course.objects.get(pk=problem.course_id)

        def tighten() -> None:
            with transaction.atomic():
                Course.objects.select_for_update(no_key=True).get(pk=course.pk)
                course.late_policy = Course.LatePolicy.CUT_OFF
                course.save()

        calls: list[Callable[[], None]] = [partial(count, each, problem, each.pk) for each in enrollments]
        at_once([*calls[:4], tighten, *calls[4:]])
        assert set(ProblemProgress.objects.values_list("credited_score", flat=True)) == {Decimal(0)}
        assert drifted() == []

    def test_extensions_and_verdicts_at_once(self, problem: Problem) -> None:
        problem.due_at = NOON
        problem.save()
        problem.course.late_policy = Course.LatePolicy.CUT_OFF
        problem.course.save()
        enrollments = EnrollmentFactory.create_batch(6, course=problem.course)
        calls: list[Callable[[], Any]] = []
        for each in enrollments:
            calls.append(partial(count, each, problem, each.pk))
            calls.append(
                partial(DueExtension.objects.create, enrollment=each, problem=problem, due_at=NOON.replace(month=12))
            )
        at_once(calls)
        assert set(ProblemProgress.objects.values_list("credited_score", flat=True)) == {Decimal(100)}
        assert drifted() == []

    def test_nobody_reads_what_is_not_committed(self, enrollment: Enrollment, problem: Problem) -> None:
        """Line 3: neither progress nor the token of a transaction that is rolled back later."""
        written, looked = meeting_point(2, timeout_s=20), meeting_point(2, timeout_s=20)
        before = token_of(enrollment)

        def write() -> None:
            with transaction.atomic():
                count(enrollment, problem, 1)
                written()
                looked()
                transaction.set_rollback(True)

        def look() -> tuple[bool, bool]:
            written()
            try:
                return ProblemProgress.objects.exists(), token_of(enrollment) != before
            finally:
                looked()

        assert at_once([write, look])[1] == (False, False)
        assert token_of(enrollment) == before

    def test_a_reader_never_keeps_what_was_before_an_update_that_it_could_see(
        self, enrollment: Enrollment, problem: Problem
    ) -> None:
        """Line 4: readers fill while verdicts come; after each, the writer finds at least what it has written."""
        ProblemProgressFactory(enrollment=enrollment, problem=problem)

        def attempts() -> dict[str, int]:
            return {"attempts": progress_of(enrollment, problem).attempts}

        def cached_attempts() -> int:
            return student_cached(enrollment_id=enrollment.pk, kind="outline", compute=attempts)["attempts"]

        def read() -> list[int]:
            return [cached_attempts() for _ in range(40)]

        def write() -> list[int]:
            seen = []
            for number in range(1, 11):
                count(enrollment, problem, number)
                seen.append(cached_attempts())
            return seen

        *read_by_others, seen = at_once([read, read, read, write])
        assert seen == list(range(1, 11))
        assert all(found == sorted(found) for found in read_by_others)
        assert cached_attempts() == 10

    def test_control_with_a_token_replaced_after_the_commit_it_would_be_stale(
        self, enrollment: Enrollment, problem: Problem, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A process that is killed between commit and replacing: what the student reads stays old."""
        count(enrollment, problem, 1)

        def attempts() -> dict[str, int]:
            return {"attempts": progress_of(enrollment, problem).attempts}

        def cached_attempts() -> int:
            return student_cached(enrollment_id=enrollment.pk, kind="outline", compute=attempts)["attempts"]

        assert cached_attempts() == 1
        monkeypatch.setattr("courses.signals.enrollment_cache_replace", lambda **kwargs: None)
        count(enrollment, problem, 2)
        assert (progress_of(enrollment, problem).attempts, cached_attempts()) == (2, 1)

    def test_everything_at_once_ends_without_a_deadlock(self, problem: Problem) -> None:
        """Lines 5 and 6: by way of the course, of a chapter, of an enrollment and of a verdict, in every order."""
        staff = UserFactory(is_superuser=True)
        chapter = ChapterFactory(course=problem.course)
        enrollments = EnrollmentFactory.create_batch(4, course=problem.course)
        problem.course.late_policy = Course.LatePolicy.PER_DAY
        problem.course.save()

        def place() -> None:
            chapterproblem_place(actor=staff, chapter_id=chapter.pk, problem_id=problem.pk)
            chapterproblem_remove(actor=staff, chapter_id=chapter.pk, problem_id=problem.pk)

        def rename(number: int) -> None:
            chapter_update(actor=staff, chapter_id=chapter.pk, title=f"Chapter {number}")

        def save_enrollments() -> None:
            for each in random.sample(enrollments, len(enrollments)):
                Enrollment.objects.get(pk=each.pk).save()

        calls: list[Callable[[], Any]] = [
            place,
            *(partial(rename, number) for number in range(4)),
            *([save_enrollments] * 3),
            *([partial(progress_recompute, course_id=problem.course_id)] * 3),
            *(partial(count, each, problem, each.pk) for each in enrollments),
        ]
        random.shuffle(calls)
        at_once(calls)
        assert drifted() == []

    def test_control_locked_the_other_way_round_they_would_stop_each_other(self, problem: Problem) -> None:
        """A chapter before its course: PostgreSQL ends one of the two. SQLite has a single lock, and no order of it."""
        chapter = ChapterFactory(course=problem.course)
        both_hold_one = meeting_point(2, timeout_s=5 if IS_POSTGRESQL else 0.1)

        def lock(*rows: Any) -> str:
            try:
                with transaction.atomic():
                    for number, row in enumerate(rows):
                        type(row).objects.select_for_update(no_key=True).get(pk=row.pk)
                        if number == 0:
                            both_hold_one()
            except OperationalError as error:
                return "deadlock" if "deadlock" in str(error) else str(error)
            return "passed"

        found = at_once([partial(lock, problem.course, chapter), partial(lock, chapter, problem.course)])
        assert sorted(found) == (["deadlock", "passed"] if IS_POSTGRESQL else ["passed", "passed"])

    def test_who_waits_too_long_for_a_lock_gets_an_error_and_changes_nothing(
        self, enrollment: Enrollment, problem: Problem
    ) -> None:
        """Line 6: time-outs handled."""
        held, given_up = meeting_point(2, timeout_s=20), meeting_point(2, timeout_s=20)

        def hold() -> None:
            with transaction.atomic():
                enrollment_cache_replace(enrollment_id=enrollment.pk)
                held()
                given_up()

        def wait() -> bool:
            held()
            try:
                with connection.cursor() as cursor:
                    cursor.execute("SET lock_timeout = '50ms'" if IS_POSTGRESQL else "PRAGMA busy_timeout = 50")
                with pytest.raises(OperationalError):
                    count(enrollment, problem, 1)
                return ProblemProgress.objects.exists()
            finally:
                given_up()

        assert at_once([hold, wait])[1] is False
        count(enrollment, problem, 1)
        assert progress_of(enrollment, problem).attempts == 1

    @pytest.mark.parametrize("turn", [1, 2])
    def test_nothing_is_left_of_another_test(self, turn: int, enrollment: Enrollment, problem: Problem) -> None:
        """Line 7: whichever comes first, in whichever process, finds neither rows nor cached values."""
        assert not ProblemProgress.objects.exists()
        found = student_cached(enrollment_id=enrollment.pk, kind="outline", compute=lambda: {"turn": turn})
        assert found == {"turn": turn}
        count(enrollment, problem, 1)


class TestDrafts:
    def test_of_two_windows_that_save_at_once_one_is_told(self) -> None:
        problem = AlgorithmProblemFactory(tests=[]).problem
        user = EnrollmentFactory(course=problem.course).user

        def save(code: str) -> str:
            try:
                draft_save(user=user, problem=problem, language="python", code=code, version=0)
            except DraftConflict:
                return "conflict"
            return code

        found = at_once([partial(save, f"print({number})") for number in range(THREADS)])
        draft = CodeDraft.objects.get()
        assert sorted(found) == sorted(["conflict"] * (THREADS - 1) + [draft.code])
        assert draft.version == 1

    def test_one_window_that_saves_the_same_twice_at_once_is_not(self) -> None:
        problem = AlgorithmProblemFactory(tests=[]).problem
        user = EnrollmentFactory(course=problem.course).user
        save = partial(draft_save, user=user, problem=problem, language="python", code="print(1)", version=0)
        assert [draft.version for draft in at_once([save] * THREADS)] == [1] * THREADS

    def test_a_chain_of_saves_loses_nothing(self) -> None:
        """Each thread appends its line to what it last read until it gets through: all lines are there at the end."""
        problem = AlgorithmProblemFactory(tests=[]).problem
        user = EnrollmentFactory(course=problem.course).user

        def append(line: str) -> None:
            code, version = line, 0
            while True:
                try:
                    draft_save(user=user, problem=problem, language="python", code=code, version=version)
                    return
                except DraftConflict as conflict:
                    current = conflict.members["current"]
                    code, version = current["code"] + line, current["version"]

        at_once([partial(append, f"{number}\n") for number in range(8)])
        draft = CodeDraft.objects.get()
        assert sorted(draft.code.split()) == sorted(str(number) for number in range(8))
        assert draft.version == 8

    def test_control_without_the_lock_one_overwrites_the_other(self, monkeypatch: pytest.MonkeyPatch) -> None:
        draft = CodeDraft.objects.create(
            user=UserFactory(), problem=AlgorithmProblemFactory(tests=[]).problem, language="python", code="old"
        )
        both_have_read = meeting_point(2, timeout_s=5)

        def unlocked(*key: object) -> CodeDraft:
            row = CodeDraft.objects.get(pk=draft.pk)
            both_have_read()
            return row

        def save(code: str) -> None:
            # Without its transaction, which SQLite would begin with a lock.
            save_without = draft_save.__wrapped__  # type: ignore[attr-defined]
            save_without(user=draft.user, problem=draft.problem, language="python", code=code, version=1)

        monkeypatch.setattr("courses.services.draft._lock_or_make", unlocked)
        at_once([partial(save, code) for code in ("mine", "yours")])
        draft.refresh_from_db()
        assert draft.version == 2
