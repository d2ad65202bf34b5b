"""A save of progress makes all that is cached for that student unreachable, once, in its transaction, and nothing else.

Lines 1 to 5 of `ProgressSignalTestCase` in the test plan.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core import serializers
from django.core.cache import cache
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from courses.models import (
    Attachment,
    ChapterProblem,
    ChoiceProblem,
    Course,
    DueExtension,
    Enrollment,
    FillBlankProblem,
    Problem,
    ProblemProgress,
    UnlockRequirement,
)
from courses.selectors.cached import CachePlace, cache_place, student_cache_key, student_cached
from courses.services import tokens
from tests.courses.factories import (
    AlgorithmProblemFactory,
    ChapterFactory,
    ChapterProblemFactory,
    EnrollmentFactory,
    ProblemFactory,
    ProblemProgressFactory,
    TestSetFactory,
)
from tests.courses.progressing import NOON, content_token_of, count, token_of, undone

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def problem() -> Problem:
    return ProblemFactory()


@pytest.fixture
def enrollment(problem: Problem) -> Enrollment:
    return EnrollmentFactory(course=problem.course)


@pytest.fixture
def progress(enrollment: Enrollment, problem: Problem) -> ProblemProgress:
    return ProblemProgressFactory(enrollment=enrollment, problem=problem)


def place_of(enrollment: Enrollment) -> CachePlace:
    place = cache_place(enrollment.pk)
    assert place is not None
    return place


def asked(enrollment: Enrollment, kind: str = "outline", problem_id: int | None = None) -> bool:
    """Whether asking computes, because nothing is cached that can be reached."""
    computed: list[bool] = []

    def compute() -> dict[str, int]:
        computed.append(True)
        return {"answer": 42}

    student_cached(enrollment_id=enrollment.pk, kind=kind, problem_id=problem_id, compute=compute)
    return bool(computed)


def token_writes(table: type[Any], column: str, queries: CaptureQueriesContext) -> int:
    start = f'UPDATE "{table._meta.db_table}" SET "{column}" = '
    # A full save leaves the token as it is: it is set to itself.
    return sum(query["sql"].startswith(start) for query in queries)


class ProgressSignalTestCase:
    def test_a_save_fires_and_what_was_cached_is_not_found_any_more(self, progress: ProblemProgress) -> None:
        """Line 1."""
        enrollment = progress.enrollment
        assert asked(enrollment)
        assert not asked(enrollment)
        progress.save()
        assert asked(enrollment)

    def test_deleting_fires_too(self, progress: ProblemProgress) -> None:
        before = token_of(progress.enrollment)
        progress.delete()
        assert token_of(progress.enrollment) != before

    def test_a_verdict_that_counts_fires(self, enrollment: Enrollment, problem: Problem) -> None:
        assert asked(enrollment)
        count(enrollment, problem, 1)
        assert asked(enrollment)

    def test_control_without_the_receiver_it_would_be_stale(
        self, progress: ProblemProgress, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("courses.signals.enrollment_cache_replace", lambda **kwargs: None)
        with pytest.raises(AssertionError):
            self.test_a_save_fires_and_what_was_cached_is_not_found_any_more(progress)

    def test_the_key_holds_organization_user_enrollment_and_problem(self, progress: ProblemProgress) -> None:
        """Line 2."""
        enrollment, place = progress.enrollment, place_of(progress.enrollment)
        key = student_cache_key(place, "problem", progress.problem_id)
        assert key.split(":") == [
            "student",
            f"o{enrollment.course.organization_id}",
            f"u{enrollment.user_id}",
            f"e{enrollment.pk}",
            f"p{progress.problem_id}",
            "problem",
            token_of(enrollment).hex,
            content_token_of(enrollment.course).hex,
        ]

    def test_every_part_tells_keys_apart(self, progress: ProblemProgress) -> None:
        place = place_of(progress.enrollment)
        changed = [
            CachePlace(**{**{name: getattr(place, name) for name in place.__slots__}, name: getattr(other, name)})
            for other in [place_of(EnrollmentFactory())]
            for name in place.__slots__
        ]
        keys = {student_cache_key(each, kind, pk) for each in [place, *changed] for kind in "ab" for pk in (None, 1, 2)}
        assert len(keys) == (1 + len(place.__slots__)) * 2 * 3

    def test_a_key_is_never_too_long(self, progress: ProblemProgress) -> None:
        place = place_of(progress.enrollment)
        most = dict.fromkeys(("organization_id", "user_id", "enrollment_id"), 2**63 - 1)
        longest = CachePlace(**{**{name: getattr(place, name) for name in place.__slots__}, **most})
        assert len(student_cache_key(longest, "k" * 30, 2**63 - 1)) <= 250

    @pytest.mark.parametrize("kind", ["", "a:b", "Outline", "k" * 31, "a b", "1"])
    def test_a_kind_that_could_be_taken_for_something_else_is_refused(
        self, kind: str, progress: ProblemProgress
    ) -> None:
        with pytest.raises(ValueError, match="kind"):
            student_cache_key(place_of(progress.enrollment), kind)

    def test_all_related_keys_and_no_unrelated_one(self, progress: ProblemProgress) -> None:
        """Line 3: every kind and problem of the student in the course; no other student, no other course of theirs."""
        enrollment = progress.enrollment
        elsewhere = EnrollmentFactory(user=enrollment.user)
        neighbor = EnrollmentFactory(course=enrollment.course)
        related = [("outline", None), ("problem", progress.problem_id), ("problem", 7), ("next", None)]
        for each in (enrollment, elsewhere, neighbor):
            for kind, problem_id in related:
                assert asked(each, kind, problem_id)
        progress.save()
        assert all(asked(enrollment, kind, problem_id) for kind, problem_id in related)
        assert not any(asked(each, kind, pk) for each in (elsewhere, neighbor) for kind, pk in related)

    def test_many_saves_in_one_transaction_are_one_invalidation(self, progress: ProblemProgress) -> None:
        """Line 4."""
        others: list[ProblemProgress] = [
            ProblemProgressFactory(
                enrollment=progress.enrollment, problem=ProblemFactory(course=progress.problem.course)
            )
            for _ in range(3)
        ]
        with CaptureQueriesContext(connection) as queries, transaction.atomic():
            for each in [progress, *others, progress]:
                each.save()
        assert token_writes(Enrollment, "cache_token", queries) == 1

    def test_control_without_once_there_would_be_many(
        self, progress: ProblemProgress, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(tokens, "once_per_transaction", lambda key, act, **kwargs: act())
        with pytest.raises(AssertionError):
            self.test_many_saves_in_one_transaction_are_one_invalidation(progress)

    def test_each_transaction_has_a_token_of_its_own(self, progress: ProblemProgress) -> None:
        found = {token_of(progress.enrollment)}
        for _ in range(3):
            progress.save()
            found.add(token_of(progress.enrollment))
        assert len(found) == 4

    def test_a_rollback_leaves_what_is_cached(self, progress: ProblemProgress) -> None:
        assert asked(progress.enrollment)
        before = token_of(progress.enrollment)
        with undone():
            progress.save()
        assert token_of(progress.enrollment) == before
        assert not asked(progress.enrollment)

    def test_after_a_savepoint_rolled_back_the_next_save_fires_again(self, progress: ProblemProgress) -> None:
        before = token_of(progress.enrollment)
        with transaction.atomic():
            with undone():
                progress.save()
            assert token_of(progress.enrollment) == before
            progress.save()
        assert token_of(progress.enrollment) != before

    def test_the_old_keys_are_tidied_away_after_the_commit_and_not_before(self, progress: ProblemProgress) -> None:
        key = student_cache_key(place_of(progress.enrollment), "outline")
        assert asked(progress.enrollment)
        with transaction.atomic():
            progress.save()
            assert cache.get(key) is not None
        assert cache.get(key) is None

    def test_tidying_that_fails_costs_nothing(self, progress: ProblemProgress, monkeypatch: pytest.MonkeyPatch) -> None:
        def fail(*args: object, **kwargs: object) -> None:
            raise OSError("the cache is away")

        assert asked(progress.enrollment)
        monkeypatch.setattr(tokens.cache, "delete_many", fail)
        progress.attempts, progress.status = 1, "in_progress"
        progress.save()
        progress.refresh_from_db()
        assert progress.attempts == 1
        assert asked(progress.enrollment)

    def test_many_updates_cost_the_same_each(self, progress: ProblemProgress) -> None:
        """Line 5: a thousand saves in one transaction are a thousand updates, and a handful of statements for all."""
        with CaptureQueriesContext(connection) as queries, transaction.atomic():
            progress.save()
            few = len(queries)
        with CaptureQueriesContext(connection) as queries, transaction.atomic():
            for _ in range(1000):
                progress.save()
        # Each save is its savepoint, its update, and the savepoint's end.
        updates = [query for query in queries if query["sql"].startswith('UPDATE "courses_problemprogress"')]
        assert len(updates) == 1000
        assert len(queries) <= 3 * 1000 + few

    def test_fixtures_are_loaded_as_they_are(self, progress: ProblemProgress) -> None:
        before = token_of(progress.enrollment), content_token_of(progress.problem.course)
        dump = serializers.serialize("json", [progress, progress.problem, Course.objects.get()])
        for each in serializers.deserialize("json", dump):
            each.save()
        assert (token_of(progress.enrollment), content_token_of(progress.problem.course)) == before


class TestTokensInMemory:
    """A row that was read before its token was replaced does not bring the old one back."""

    def test_saving_an_old_enrollment(self, progress: ProblemProgress) -> None:
        old = Enrollment.objects.get(pk=progress.enrollment_id)
        with transaction.atomic():
            progress.save()
            replaced = token_of(old)
            old.save()
            assert token_of(old) == replaced
        assert old.cache_token != replaced

    def test_saving_an_old_course(self, problem: Problem) -> None:
        old = Course.objects.get(pk=problem.course_id)
        with transaction.atomic():
            problem.save()
            replaced = content_token_of(old)
            old.save()
            assert content_token_of(old) == replaced

    def test_control_a_plain_field_would_bring_it_back(
        self, progress: ProblemProgress, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        field = type(Enrollment._meta.get_field("cache_token"))
        monkeypatch.setattr(field, "pre_save", lambda self, row, add: getattr(row, self.attname))
        with pytest.raises(AssertionError):
            self.test_saving_an_old_enrollment(progress)


Writes = dict[str, Callable[[Problem], Any]]

CONTENT: Writes = {
    "course": lambda problem: problem.course.save(),
    "problem": lambda problem: problem.save(),
    "a new problem": lambda problem: ProblemFactory(course=problem.course),
    "algorithm": lambda problem: AlgorithmProblemFactory(problem=problem, tests=[]),
    "choice": lambda problem: ChoiceProblem.objects.create(
        problem=problem, options=["a", "b"], option_count=2, answers="A"
    ),
    "blanks": lambda problem: FillBlankProblem.objects.create(problem=problem, text="{{1}}", blanks=[], blank_count=1),
    "tests": lambda problem: TestSetFactory(problem=problem),
    "attachment": lambda problem: Attachment.objects.create(
        problem=problem, name="a.png", content_type="image/png", size_bytes=1, sha256="0" * 64
    ),
    "chapter": lambda problem: ChapterFactory(course=problem.course),
    "placement": lambda problem: ChapterProblemFactory(chapter__course=problem.course, problem=problem),
    "requirement": lambda problem: UnlockRequirement.objects.create(
        course=problem.course, problem=problem, required_problem=ProblemFactory(course=problem.course)
    ),
}


class TestContent:
    """Whatever students see of a course replaces its token, be it made, changed or deleted."""

    @pytest.mark.parametrize("name", CONTENT)
    def test_a_write_replaces_the_token_of_the_course(self, name: str, problem: Problem) -> None:
        other = ProblemFactory()
        before, unrelated = content_token_of(problem.course), content_token_of(other.course)
        CONTENT[name](problem)
        assert content_token_of(problem.course) != before
        assert content_token_of(other.course) == unrelated

    @pytest.mark.parametrize("name", [name for name in CONTENT if name not in ("course", "problem")])
    def test_changing_and_deleting_do_too(self, name: str, problem: Problem) -> None:
        row = CONTENT[name](problem)
        before = content_token_of(problem.course)
        row.save()
        between = content_token_of(problem.course)
        row.delete()
        assert len({before, between, content_token_of(problem.course)}) == 3

    def test_once_per_transaction_however_much_is_written(self, problem: Problem) -> None:
        with CaptureQueriesContext(connection) as queries, transaction.atomic():
            for name in CONTENT:
                CONTENT[name](problem)
        assert token_writes(Course, "content_token", queries) == 1

    def test_deleting_a_chapter_with_all_its_placements_is_one(self, problem: Problem) -> None:
        chapter = ChapterFactory(course=problem.course)
        ChapterProblemFactory.create_batch(5, chapter=chapter)
        with CaptureQueriesContext(connection) as queries:
            chapter.delete()
        assert token_writes(Course, "content_token", queries) == 1
        assert not ChapterProblem.objects.exists()

    def test_the_time_of_the_last_edit_of_a_course_is_left_alone(self, problem: Problem) -> None:
        before = Course.objects.get().updated_at
        problem.save()
        assert Course.objects.get().updated_at == before

    def test_a_change_reaches_every_student_of_the_course(self, problem: Problem) -> None:
        students = EnrollmentFactory.create_batch(2, course=problem.course)
        assert [asked(each) for each in students] == [True, True]
        problem.save()
        assert [asked(each) for each in students] == [True, True]

    def test_an_extension_is_seen_by_its_student(self, problem: Problem, enrollment: Enrollment) -> None:
        neighbor = EnrollmentFactory(course=problem.course)
        before, unrelated = token_of(enrollment), token_of(neighbor)
        extension = DueExtension.objects.create(enrollment=enrollment, problem=problem, due_at=NOON)
        between = token_of(enrollment)
        extension.due_at = NOON + timedelta(days=1)
        extension.save()
        later = token_of(enrollment)
        extension.delete()
        assert len({before, between, later, token_of(enrollment)}) == 4
        assert token_of(neighbor) == unrelated
