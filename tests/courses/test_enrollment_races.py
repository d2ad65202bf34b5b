"""Seats, uses of invitations and tries are counted exactly, however many come at once."""

from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any

import pytest
from django.db import IntegrityError, connection
from django.db.models import QuerySet
from django.utils import timezone
from pytest_django import Settings

from accounts.models import User
from core.errors import DomainError, InvalidInput
from courses import services
from courses.models import Course, Enrollment, Invitation, JoinQuota
from courses.services import enrollment, joining, places
from tests.accounts.factories import MembershipFactory, UserFactory
from tests.courses.factories import CourseFactory, EnrollmentFactory, InvitationFactory
from tests.parallel import at_once, meeting_point

pytestmark = pytest.mark.django_db(transaction=True)

Call = Callable[[], Any]


@pytest.fixture
def course() -> Course:
    found: Course = CourseFactory(is_open=True)
    return found


def members(course: Course, count: int) -> list[User]:
    return [MembershipFactory(organization=course.organization).user for _ in range(count)]


def students(course: Course) -> int:
    return Enrollment.objects.seated().filter(course=course).count()


def outcome(call: Call) -> str:
    try:
        call()
    except DomainError as error:
        return error.code
    except IntegrityError:
        return "the database had to refuse"
    return "done"


def outcomes(calls: list[Call]) -> Counter[str]:
    return Counter(at_once([partial(outcome, call) for call in calls]))


def join(course: Course, user: User) -> Call:
    return lambda: joining.enrollment_join(actor=user, course_id=course.pk)


def join_by(code: str, user: User) -> Call:
    return lambda: joining.enrollment_join_by_code(actor=user, code=code, received_at=timezone.now())


@pytest.fixture
def unlocked(monkeypatch: pytest.MonkeyPatch) -> None:
    """The course is read where it would be locked; on SQLite, whose transactions alone are lock enough, without one."""

    def read(rows: QuerySet[Any], pk: int) -> Any:
        return rows.get(pk=pk)

    for module in (joining, enrollment):
        monkeypatch.setattr(module, "row_lock", read)
    if connection.vendor == "sqlite":
        for name in ("enrollment_join", "_join_by_code"):
            monkeypatch.setattr(joining, name, getattr(joining, name).__wrapped__)


def all_look_before_any_writes(monkeypatch: pytest.MonkeyPatch, parties: int) -> None:
    """As close as they can come: where a lock keeps some away, the others do not wait for long."""
    real, meet = places.refuse, meeting_point(parties)

    def refuse_then_meet(errors: Any) -> None:
        real(errors)
        meet()

    # It comes after the look for a place of one's own, and after none for a seat yet.
    monkeypatch.setattr(places, "refuse", refuse_then_meet)


class TestSeats:
    def test_thirty_for_ten(self, course: Course) -> None:
        Course.objects.filter(pk=course.pk).update(capacity=10)
        got = outcomes([join(course, user) for user in members(course, 30)])
        assert got == {"done": 10, "course_full": 20}
        assert students(course) == 10

    def test_control_without_the_lock_there_are_too_many(
        self, course: Course, unlocked: None, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        Course.objects.filter(pk=course.pk).update(capacity=1)
        real, meet = places.seat_require, meeting_point(4, timeout_s=5)

        def require_then_meet(course: Course) -> None:
            real(course)
            meet()

        monkeypatch.setattr(places, "seat_require", require_then_meet)
        assert outcomes([join(course, user) for user in members(course, 4)]) == {"done": 4}
        assert students(course) == 4

    def test_all_ways_in_count_together(self, course: Course) -> None:
        Course.objects.filter(pk=course.pk).update(capacity=6)
        owner = UserFactory(is_superuser=True)
        code = InvitationFactory(course=course).code
        back = [EnrollmentFactory(course=course, left_at=timezone.now()).user for _ in range(3)]
        changed = [EnrollmentFactory(course=course, role="assistant") for _ in range(3)]
        rostered = [{"user": user.username} for user in members(course, 3)]
        calls: list[Call] = [
            *(join(course, user) for user in members(course, 3)),
            *(join_by(code, UserFactory()) for _ in range(3)),
            *(
                partial(services.enrollment_create, actor=owner, course_id=course.pk, user=user.username)
                for user in back
            ),
            *(
                partial(services.enrollment_update, actor=owner, enrollment_id=row.pk, role="student")
                for row in changed
            ),
            *(
                partial(services.roster_import, actor=owner, course_id=course.pk, rows=[row], is_dry_run=False)
                for row in rostered
            ),
        ]
        got = outcomes(calls)
        assert got["done"] == students(course) == 6
        assert set(got) <= {"done", "course_full", "roster_has_errors"}

    def test_lowering_and_joining_never_leave_too_many(self, course: Course) -> None:
        owner = UserFactory(is_superuser=True)

        def lower() -> None:
            for capacity in (8, 4, 2):
                with suppress(InvalidInput):
                    services.course_update(actor=owner, course_id=course.pk, capacity=capacity)

        at_once([partial(outcome, call) for call in (lower, *(join(course, user) for user in members(course, 8)))])
        now = Course.objects.get(pk=course.pk)
        assert now.capacity is not None
        assert students(course) <= now.capacity

    def test_leaving_and_joining_keep_the_count(self, course: Course) -> None:
        Course.objects.filter(pk=course.pk).update(capacity=5)
        seated = [EnrollmentFactory(course=course).user for _ in range(5)]
        leave: list[Call] = [partial(services.enrollment_leave, actor=user, course_id=course.pk) for user in seated]
        got = outcomes([*leave, *(join(course, user) for user in members(course, 10))])
        assert students(course) == got["done"] - 5 <= 5


class TestTwice:
    def test_one_place_for_one_user(self, course: Course) -> None:
        (user,) = members(course, 1)
        assert outcomes([join(course, user)] * 6) == {"done": 1, "already_enrolled": 5}
        assert Enrollment.objects.filter(course=course, user=user).count() == 1

    def test_control_without_the_lock_the_database_has_to_refuse(
        self, course: Course, unlocked: None, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (user,) = members(course, 1)
        all_look_before_any_writes(monkeypatch, 4)
        assert outcomes([join(course, user)] * 4) == {"done": 1, "the database had to refuse": 3}


class TestUses:
    def test_as_many_as_there_are(self, course: Course) -> None:
        invitation = InvitationFactory(course=course, uses_max=5)
        users = UserFactory.create_batch(20)
        assert outcomes([join_by(invitation.code, user) for user in users]) == {"done": 5, "invitation_unknown": 15}
        assert (Invitation.objects.get().uses, students(course)) == (5, 5)

    def test_control_without_the_lock_the_database_has_to_refuse(
        self, course: Course, unlocked: None, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        invitation = InvitationFactory(course=course, uses_max=1)
        all_look_before_any_writes(monkeypatch, 4)
        got = outcomes([join_by(invitation.code, user) for user in UserFactory.create_batch(4)])
        assert got == {"done": 1, "the database had to refuse": 3}

    def test_refused_ones_are_not_counted(self, course: Course) -> None:
        Course.objects.filter(pk=course.pk).update(capacity=3)
        invitation = InvitationFactory(course=course, uses_max=10)
        got = outcomes([join_by(invitation.code, user) for user in UserFactory.create_batch(8)])
        assert got == {"done": 3, "course_full": 5}
        assert Invitation.objects.get().uses == 3

    def test_none_after_it_is_revoked(self, course: Course) -> None:
        invitation = InvitationFactory(course=course)
        owner = UserFactory(is_superuser=True)
        uses: list[int] = []

        def revoke() -> None:
            services.invitation_revoke(actor=owner, invitation_id=invitation.pk)
            uses.append(Invitation.objects.get().uses)

        outcomes([revoke, *(join_by(invitation.code, user) for user in UserFactory.create_batch(8))])
        assert uses == [Invitation.objects.get().uses] == [students(course)]


class TestTries:
    @pytest.fixture(autouse=True)
    def three_tries(self, settings: Settings) -> None:
        settings.COURSES_JOIN_TRIES_PER_WINDOW = 3

    def test_exactly_the_window_is_looked_at(self) -> None:
        user = UserFactory()
        assert outcomes([join_by("guessed", user)] * 10) == {"invitation_unknown": 3, "join_tries_used": 7}
        assert JoinQuota.objects.get().count == 3

    def test_control_a_count_read_before_it_is_written_lets_all_pass(self, monkeypatch: pytest.MonkeyPatch) -> None:
        user = UserFactory()
        row = JoinQuota.objects.create(user=user, window_started_at=timezone.now())
        meet = meeting_point(10, timeout_s=5)

        def racy(user: User, now: Any) -> None:
            read = JoinQuota.objects.get(pk=row.pk)
            meet()
            read.count_one(now=now, window_s=600, most=3)

        monkeypatch.setattr(joining, "_try_count", racy)
        assert outcomes([join_by("guessed", user)] * 10) == {"invitation_unknown": 10}
        assert JoinQuota.objects.get().count == 1
