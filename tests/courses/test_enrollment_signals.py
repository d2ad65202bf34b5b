"""Saving an enrollment makes all that is cached under it unreachable: at the commit, and for nobody else."""

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection, transaction
from django.db.models.signals import post_save, pre_save
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import User
from courses import services
from courses.models import Course, Enrollment
from courses.selectors.cached import cache_place, student_cache_key, student_cached
from courses.services import roster
from courses.signals import forget_of_enrollment
from tests.courses.factories import CourseFactory, EnrollmentFactory
from tests.parallel import at_once

pytestmark = pytest.mark.django_db(transaction=True)


def token(enrollment: Enrollment) -> uuid.UUID:
    return Enrollment.objects.values_list("cache_token", flat=True).get(pk=enrollment.pk)


def shown(enrollment: Enrollment) -> Any:
    """What a student is shown: a value that tells from what it was computed."""

    def compute() -> dict[str, Any]:
        return {"role": Enrollment.objects.values_list("role", flat=True).get(pk=enrollment.pk)}

    return student_cached(enrollment_id=enrollment.pk, kind="outline", compute=compute)["role"]


def key(enrollment: Enrollment, problem_id: int | None = None) -> str:
    place = cache_place(enrollment.pk)
    assert place is not None
    return student_cache_key(place, "outline", problem_id)


def saved(enrollment: Enrollment, role: str) -> None:
    stored = Enrollment.objects.get(pk=enrollment.pk)
    stored.role = role
    stored.save()


@pytest.fixture
def mine() -> Enrollment:
    found: Enrollment = EnrollmentFactory()
    return found


@pytest.fixture
def unheard() -> Any:
    """Nobody listens to saved enrollments."""
    for signal in (pre_save, post_save):
        signal.disconnect(sender=Enrollment, dispatch_uid="courses.enrollment_cache")
    yield
    for signal in (pre_save, post_save):
        signal.connect(forget_of_enrollment, sender=Enrollment, dispatch_uid="courses.enrollment_cache")


class EnrollmentSignalTestCase:
    # 1: a save fires, related caches gone
    def test_a_save_makes_everything_cached_unreachable(self, mine: Enrollment) -> None:
        assert shown(mine) == "student"
        before = [key(mine), key(mine, problem_id=7)]
        assert cache.get(before[0]) is not None
        saved(mine, "assistant")
        assert shown(mine) == "assistant"
        assert not {key(mine), key(mine, problem_id=7)} & {*before}
        # Tidied too, though nothing depends on it.
        assert cache.get(before[0]) is None

    def test_control_unheard_what_was_cached_is_shown_on(self, mine: Enrollment, unheard: None) -> None:
        with pytest.raises(AssertionError):
            self.test_a_save_makes_everything_cached_unreachable(mine)

    def test_nobody_else_is_touched(self, mine: Enrollment) -> None:
        others = [
            EnrollmentFactory(course=mine.course),
            EnrollmentFactory(user=mine.user),
            EnrollmentFactory(course=CourseFactory(organization=mine.course.organization)),
        ]
        before = [(token(other), shown(other), key(other)) for other in others]
        content = Course.objects.get(pk=mine.course_id).content_token
        saved(mine, "assistant")
        assert [(token(other), shown(other), key(other)) for other in others] == before
        assert all(cache.get(key(other)) is not None for other in others)
        assert Course.objects.get(pk=mine.course_id).content_token == content

    @pytest.mark.parametrize(
        "act",
        [
            pytest.param(
                lambda actor, row: services.enrollment_update(actor=actor, enrollment_id=row.pk, role="assistant"),
                id="another role",
            ),
            pytest.param(
                lambda actor, row: services.enrollment_remove(actor=actor, enrollment_id=row.pk), id="removed"
            ),
            pytest.param(
                lambda actor, row: services.enrollment_leave(actor=row.user, course_id=row.course_id), id="left"
            ),
            pytest.param(
                lambda actor, row: services.roster_import(
                    actor=actor,
                    course_id=row.course_id,
                    rows=[{"user": row.user.username, "group": "A"}],
                    is_dry_run=False,
                ),
                id="rostered",
            ),
            pytest.param(lambda actor, row: row.save(), id="saved in a shell"),
            pytest.param(lambda actor, row: row.save(update_fields=["role"]), id="one field saved"),
        ],
    )
    def test_every_way_to_change_one(
        self, mine: Enrollment, act: Callable[[User, Enrollment], Any], django_user_model: type[User]
    ) -> None:
        actor = django_user_model.objects.create(username="root", email="root@example.org", is_superuser=True)
        before = token(mine)
        act(actor, mine)
        assert token(mine) != before

    def test_coming_back(self, mine: Enrollment) -> None:
        Enrollment.objects.update(left_at=timezone.now())
        Course.objects.update(is_open=True)
        mine.course.organization.memberships.create(user=mine.user)
        before = token(mine)
        services.enrollment_join(actor=mine.user, course_id=mine.course_id)
        assert token(mine) != before

    # 2: not before the commit, nothing stale after
    def test_others_keep_what_they_see_until_the_commit(self, mine: Enrollment) -> None:
        assert shown(mine) == "student"
        old = key(mine)
        with transaction.atomic():
            saved(mine, "assistant")
            if connection.vendor == "postgresql":
                # Another connection still reads what is committed, from the cache and below it.
                assert at_once([lambda: (shown(mine), key(mine))]) == [("student", old)]
            assert cache.get(old) is not None
        assert key(mine) != old
        assert shown(mine) == "assistant"

    def test_nothing_is_filled_from_inside_a_transaction(self, mine: Enrollment) -> None:
        with transaction.atomic():
            saved(mine, "assistant")
            assert shown(mine) == "assistant"
            transaction.set_rollback(True)
        assert shown(mine) == "student"

    def test_a_rollback_leaves_the_token_and_what_is_cached(self, mine: Enrollment) -> None:
        shown(mine)
        before, old = token(mine), key(mine)
        with transaction.atomic():
            saved(mine, "assistant")
            transaction.set_rollback(True)
        assert (token(mine), key(mine)) == (before, old)
        assert cache.get(old) is not None

    def test_once_per_transaction_however_many_saves(self, mine: Enrollment) -> None:
        with transaction.atomic(), CaptureQueriesContext(connection) as queries:
            for role in ("assistant", "instructor") * 10:
                saved(mine, role)
        replaced = [
            query["sql"]
            for query in queries
            if query["sql"].startswith('UPDATE "courses_enrollment" SET "cache_token"')
        ]
        # A save writes the token only as it stands.
        assert len([sql for sql in replaced if '"cache_token" = "courses_enrollment"."cache_token"' not in sql]) == 1

    def test_an_old_row_in_memory_does_not_bring_back_its_token(self, mine: Enrollment) -> None:
        old = Enrollment.objects.get(pk=mine.pk)
        with transaction.atomic():
            saved(mine, "assistant")
            replaced = token(mine)
            old.save()
            assert token(mine) == replaced

    # 3: many enrollments, caches cleared efficiently
    def test_many_at_once_in_a_few_statements(self) -> None:
        course = CourseFactory()
        rows = EnrollmentFactory.create_batch(600, course=course)
        before = dict(Enrollment.objects.values_list("pk", "cache_token"))
        with CaptureQueriesContext(connection) as queries:
            services.enrollments_cache_replace(enrollment_ids=[row.pk for row in rows])
        after = dict(Enrollment.objects.values_list("pk", "cache_token"))
        assert len(queries) == 2
        assert all(after[pk] != before[pk] for pk in before)

    def test_a_course_is_forgotten_in_one_statement(self) -> None:
        course = CourseFactory()
        few = EnrollmentFactory.create_batch(3, course=course)
        keys = [key(row) for row in few]
        with CaptureQueriesContext(connection) as queries:
            services.course_cache_replace(course_id=course.pk)
        assert len(queries) == 1
        assert not {*keys} & {key(row) for row in few}

    # 4: bulk import, no time-out
    def imported(self, count: int) -> tuple[int, dict[int, uuid.UUID], dict[int, uuid.UUID]]:
        """Statements of a roster that moves `count` students, and all tokens before and after it."""
        course = CourseFactory()
        users = User.objects.bulk_create(
            [User(username=f"u{count}-{n}", email=f"u{count}-{n}@example.org", password="!") for n in range(count)]
        )
        rows = Enrollment.objects.bulk_create([Enrollment(course=course, user=user) for user in users])
        EnrollmentFactory(course=course)
        before = dict(Enrollment.objects.filter(course=course).values_list("pk", "cache_token"))
        with CaptureQueriesContext(connection) as queries:
            services.roster_import(
                actor=None,
                course_id=course.pk,
                rows=[{"user": user.username, "group": "A"} for user in users],
                is_dry_run=False,
            )
        after = dict(Enrollment.objects.filter(course=course).values_list("pk", "cache_token"))
        untouched = before.keys() - {row.pk for row in rows}
        assert all(before[pk] == after[pk] for pk in untouched)
        return len(queries), {row.pk: before[row.pk] for row in rows}, {row.pk: after[row.pk] for row in rows}

    def replaces_every_token(self, count: int) -> None:
        statements, before, after = self.imported(count)
        assert statements < 60
        assert len({*after.values()}) == count
        assert not {*before.values()} & {*after.values()}

    def test_a_bulk_import_replaces_every_token_in_a_bounded_number_of_statements(self) -> None:
        self.replaces_every_token(10_000)

    def test_control_a_bulk_import_that_keeps_tokens_is_noticed(self, monkeypatch: pytest.MonkeyPatch) -> None:
        others = tuple(name for name in roster.UPDATED_FIELDS if name != "cache_token")
        monkeypatch.setattr(roster, "UPDATED_FIELDS", others)
        with pytest.raises(AssertionError):
            self.replaces_every_token(10)

    def test_a_rolled_back_import_leaves_every_token(self, mine: Enrollment, monkeypatch: pytest.MonkeyPatch) -> None:
        def fail(**kwargs: Any) -> None:
            raise RuntimeError("no audit")

        monkeypatch.setattr(roster, "audit_record", fail)
        before, role = token(mine), shown(mine)
        with pytest.raises(RuntimeError):
            services.roster_import(
                actor=None,
                course_id=mine.course_id,
                rows=[{"user": mine.user.username, "role": "assistant"}],
                is_dry_run=False,
            )
        assert (token(mine), shown(mine)) == (before, role)
