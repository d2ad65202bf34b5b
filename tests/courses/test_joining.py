"""Coming into a course by oneself: the catalog, open courses, and invitations."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from freezegun import freeze_time
from pytest_django import Settings
from rest_framework.test import APIClient

from accounts.models import AuditEvent, Membership, User
from courses import services
from courses.errors import AlreadyEnrolled, CourseFull, CourseNotJoinable, InvitationUnknown, JoinTriesUsed
from courses.models import Course, Enrollment, Invitation, JoinQuota
from courses.rules.invitation_codes import code_grouped
from courses.services import joining
from tests.accounts.factories import MembershipFactory, UserFactory
from tests.courses.conftest import World
from tests.courses.factories import CourseFactory, CourseGroupFactory, EnrollmentFactory, InvitationFactory
from tests.courses.refusals import ApiAs, faults, refusal

V1 = "/api/v1"
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)


@pytest.fixture
def open_course(world: World) -> Course:
    return CourseFactory(organization=world.organization, title="Graphs", is_open=True)


@pytest.fixture
def stranger(db: None) -> User:
    return UserFactory()


def join_by(user: User, code: str, at: datetime | None = None) -> Enrollment:
    return services.enrollment_join_by_code(actor=user, code=code, received_at=at or timezone.now())


class TestCatalog:
    def test_open_published_courses_of_ones_organizations(
        self, world: World, open_course: Course, api_as: ApiAs, stranger: User
    ) -> None:
        for more in ({"status": "draft"}, {"status": "archived"}, {"published_until": timezone.now() - SECOND}):
            CourseFactory(organization=world.organization, is_open=True, **more)
        CourseFactory(is_open=True)
        Course.objects.filter(pk=open_course.pk).update(capacity=2, description="Trees")
        EnrollmentFactory(course=open_course)
        EnrollmentFactory(course=open_course, role="assistant")
        EnrollmentFactory(course=open_course, left_at=timezone.now())
        shown = api_as(world.member).get(f"{V1}/courses/catalog/").json()["results"]
        assert shown == [
            {
                "id": open_course.pk,
                "organization": world.organization.pk,
                "title": "Graphs",
                "slug": open_course.slug,
                "description": "Trees",
                "seats_left": 1,
                "is_enrolled": False,
            }
        ]
        assert api_as(stranger).get(f"{V1}/courses/catalog/").json()["results"] == []

    def test_seats_and_ones_own_place(self, world: World, open_course: Course, api_as: ApiAs) -> None:
        api = api_as(world.member)

        def only() -> dict[str, Any]:
            (row,) = api.get(f"{V1}/courses/catalog/").json()["results"]
            return {key: row[key] for key in ("seats_left", "is_enrolled")}

        assert only() == {"seats_left": None, "is_enrolled": False}
        EnrollmentFactory.create_batch(2, course=open_course)
        # Fewer than are there, as only the database's owner could have set it.
        Course.objects.filter(pk=open_course.pk).update(capacity=1)
        assert only() == {"seats_left": 0, "is_enrolled": False}
        mine = EnrollmentFactory(course=open_course, user=world.member)
        assert only()["is_enrolled"] is True
        services.enrollment_leave(actor=world.member, course_id=mine.course_id)
        assert only()["is_enrolled"] is False

    def test_filters(self, world: World, open_course: Course, api_as: ApiAs) -> None:
        CourseFactory(organization=world.organization, title="Numbers", description="graphs, too", is_open=True)
        other = MembershipFactory(user=world.member).organization
        CourseFactory(organization=other, title="Elsewhere", is_open=True)

        def titles(query: str) -> list[str]:
            rows = api_as(world.member).get(f"{V1}/courses/catalog/{query}").json()["results"]
            return [row["title"] for row in rows]

        assert titles("") == ["Elsewhere", "Graphs", "Numbers"]
        assert titles("?search=GRAPH") == ["Graphs", "Numbers"]
        assert titles(f"?organization={other.pk}") == ["Elsewhere"]
        assert titles(f"?organization={world.foreign_course.organization_id}") == []
        assert titles("?page_size=1&page=2") == ["Graphs"]
        assert titles("?ordering=-title") == ["Numbers", "Graphs", "Elsewhere"]
        assert faults(api_as(world.member).get(f"{V1}/courses/catalog/?status=draft")) == [
            ("#/status", "unknown_filter")
        ]


class TestOpenCourses:
    def test_a_member_joins_as_a_student(self, world: World, open_course: Course, api_as: ApiAs) -> None:
        response = api_as(world.member).post(f"{V1}/courses/{open_course.pk}/join/")
        assert response.status_code == 201
        shown = response.json()
        assert (shown["course"], shown["user"]["id"], shown["role"]) == (open_course.pk, world.member.pk, "student")
        assert Course.objects.visible_to(world.member).get() == open_course
        event = AuditEvent.objects.get()
        assert (event.action, event.actor, event.organization) == ("enrollment.join", world.member, world.organization)

    def test_nothing_else_is_taken(self, world: World, open_course: Course) -> None:
        with pytest.raises(TypeError):
            services.enrollment_join(actor=world.member, course_id=open_course.pk, role="instructor")  # type: ignore[call-arg]

    def test_a_body_changes_nothing(self, world: World, open_course: Course, api_as: ApiAs) -> None:
        response = api_as(world.member).post(f"{V1}/courses/{open_course.pk}/join/", {"role": "instructor"})
        assert response.json()["role"] == "student"

    def test_once(self, world: World, open_course: Course, api_as: ApiAs) -> None:
        api = api_as(world.member)
        assert api.post(f"{V1}/courses/{open_course.pk}/join/").status_code == 201
        assert refusal(api.post(f"{V1}/courses/{open_course.pk}/join/")) == (409, "already_enrolled")
        assert refusal(api_as(world.student).post(f"{V1}/courses/{world.course.pk}/join/")) == (409, "already_enrolled")

    def test_after_leaving(self, world: World, open_course: Course) -> None:
        first = services.enrollment_join(actor=world.member, course_id=open_course.pk)
        services.enrollment_leave(actor=world.member, course_id=open_course.pk)
        assert services.enrollment_join(actor=world.member, course_id=open_course.pk).pk == first.pk

    @pytest.mark.parametrize(
        "change",
        [
            {"is_open": False},
            {"status": "draft"},
            {"status": "archived"},
            {"published_from": NOON + SECOND},
            {"published_until": NOON},
        ],
        ids=str,
    )
    @freeze_time(NOON)
    def test_closed_to_members(self, world: World, open_course: Course, api_as: ApiAs, change: dict[str, Any]) -> None:
        Course.objects.filter(pk=open_course.pk).update(**change)
        assert refusal(api_as(world.member).post(f"{V1}/courses/{open_course.pk}/join/")) == (404, "not_found")
        # Whoever sees it, as staff by their role in the organization, is told why.
        assert refusal(api_as(world.owner).post(f"{V1}/courses/{open_course.pk}/join/")) == (409, "course_not_joinable")
        # It may close between being found and being joined.
        with pytest.raises(CourseNotJoinable):
            services.enrollment_join(actor=world.member, course_id=open_course.pk)
        assert not Enrollment.objects.filter(course=open_course).exists()

    def test_closed_to_other_organizations(self, open_course: Course, api_as: ApiAs, world: World) -> None:
        for user in (world.foreign_owner, UserFactory()):
            assert refusal(api_as(user).post(f"{V1}/courses/{open_course.pk}/join/")) == (404, "not_found")

    def test_seats(self, world: World, open_course: Course, api_as: ApiAs) -> None:
        Course.objects.filter(pk=open_course.pk).update(capacity=1)
        EnrollmentFactory(course=open_course)
        assert refusal(api_as(world.member).post(f"{V1}/courses/{open_course.pk}/join/")) == (409, "course_full")


class TestInvitations:
    def test_a_stranger_becomes_student_and_member(self, world: World, api_as: ApiAs, stranger: User) -> None:
        group = CourseGroupFactory(course=world.course)
        invitation = InvitationFactory(course=world.course, group=group, uses_max=5)
        written = code_grouped(invitation.code).lower()
        response = api_as(stranger).post(f"{V1}/courses/join/", {"code": f" {written} "})
        assert response.status_code == 201
        assert (response.json()["role"], response.json()["group"]) == ("student", group.pk)
        assert Membership.objects.get(user=stranger, organization=world.organization).role == "member"
        assert Course.objects.visible_to(stranger).get() == world.course
        invitation.refresh_from_db()
        assert invitation.uses == 1
        joined, added = AuditEvent.objects.order_by("pk")
        assert (joined.action, joined.changes["invitation_id"]) == ("enrollment.join", [invitation.pk] * 2)
        assert (added.action, added.actor) == ("membership.add", stranger)

    @pytest.mark.parametrize(
        "change",
        [
            {"code": "0" * 20},
            {"expires_at": NOON},
            {"expires_at": NOON - SECOND},
            {"revoked_at": NOON - SECOND},
            {"uses_max": 3, "uses": 3},
            {"course__status": "draft"},
            {"course__status": "archived"},
            {"course__published_from": NOON + SECOND},
            {"course__published_until": NOON},
        ],
        ids=str,
    )
    @freeze_time(NOON)
    def test_what_lets_nobody_in_answers_alike(
        self, world: World, api_as: ApiAs, stranger: User, change: dict[str, Any]
    ) -> None:
        invitation = InvitationFactory(course=world.course)
        code = invitation.code
        Invitation.objects.filter(pk=invitation.pk).update(
            **{name: value for name, value in change.items() if not name.startswith("course__")}
        )
        Course.objects.filter(pk=world.course.pk).update(
            **{name.removeprefix("course__"): value for name, value in change.items() if name.startswith("course__")}
        )

        def answer(tried: str) -> tuple[Any, int]:
            with CaptureQueriesContext(connection) as queries:
                response = api_as(stranger).post(f"{V1}/courses/join/", {"code": tried})
            assert refusal(response) == (404, "invitation_unknown")
            return {key: value for key, value in response.json().items() if key != "request_id"}, len(queries)

        answer("warm up: the row that counts the tries is made")
        wrong, none_of_ours = answer(code), answer("no such code")
        assert wrong == none_of_ours
        assert not Enrollment.objects.filter(user=stranger).exists()

    @freeze_time(NOON)
    def test_until_it_expires(self, world: World, stranger: User) -> None:
        code = InvitationFactory(course=world.course, expires_at=NOON).code
        # Received in time, looked at later (law 6).
        assert join_by(stranger, code, NOON - SECOND).course == world.course
        with pytest.raises(InvitationUnknown):
            join_by(UserFactory(), code, NOON)

    def test_its_last_use(self, world: World) -> None:
        code = InvitationFactory(course=world.course, uses_max=2).code
        for _ in range(2):
            join_by(UserFactory(), code)
        with pytest.raises(InvitationUnknown):
            join_by(UserFactory(), code)

    def test_who_is_there_does_not_use_it_up(self, world: World) -> None:
        invitation = InvitationFactory(course=world.course, uses_max=1)
        with pytest.raises(AlreadyEnrolled):
            join_by(world.assistant, invitation.code)
        invitation.refresh_from_db()
        assert (invitation.uses, Enrollment.objects.get(user=world.assistant).role) == (0, "assistant")

    def test_a_full_course_does_not_use_it_up(self, world: World, stranger: User) -> None:
        Course.objects.filter(pk=world.course.pk).update(capacity=1)
        invitation = InvitationFactory(course=world.course, uses_max=1)
        with pytest.raises(CourseFull):
            join_by(stranger, invitation.code)
        invitation.refresh_from_db()
        assert invitation.uses == 0
        assert not Membership.objects.filter(user=stranger).exists()

    def test_who_left_comes_back(self, world: World) -> None:
        services.enrollment_leave(actor=world.instructor, course_id=world.course.pk)
        back = join_by(world.instructor, InvitationFactory(course=world.course).code)
        assert (back.role, back.left_at) == ("student", None)

    @pytest.mark.parametrize(
        ("body", "fault"),
        [
            ({}, ("#/code", "required")),
            ({"code": ""}, ("#/code", "blank")),
            ({"code": "x" * 101}, ("#/code", "max_length")),
            ({"code": None}, ("#/code", "null")),
            ({"code": ["x"]}, ("#/code", "invalid")),
            ({"code": "x", "role": "instructor"}, ("#/role", "unknown_field")),
            ({"code": "\x00"}, ("#/code", "null_characters_not_allowed")),
        ],
    )
    def test_bad_bodies(self, api_as: ApiAs, stranger: User, body: dict[str, Any], fault: tuple[str, str]) -> None:
        assert faults(api_as(stranger).post(f"{V1}/courses/join/", body)) == [fault]
        assert not JoinQuota.objects.exists()


class TestGuessing:
    @pytest.fixture(autouse=True)
    def three_tries(self, settings: Settings) -> None:
        settings.COURSES_JOIN_TRIES_PER_WINDOW = 3

    def guess(self, api: APIClient) -> Any:
        return api.post(f"{V1}/courses/join/", {"code": "guessed"})

    def test_tries_are_limited(self, world: World, api_as: ApiAs, stranger: User) -> None:
        api, code = api_as(stranger), InvitationFactory(course=world.course).code
        with freeze_time(NOON):
            for _ in range(3):
                assert refusal(self.guess(api)) == (404, "invitation_unknown")
            refused = api.post(f"{V1}/courses/join/", {"code": code})
            assert refusal(refused) == (429, "join_tries_used")
            assert refused["Retry-After"] == "600"
            assert refusal(self.guess(api_as(world.member))) == (404, "invitation_unknown")
        with freeze_time(NOON + timedelta(seconds=599)):
            assert refusal(self.guess(api)) == (429, "join_tries_used")
        with freeze_time(NOON + timedelta(seconds=600)):
            assert api.post(f"{V1}/courses/join/", {"code": code}).status_code == 201

    def test_a_right_code_counts_too(self, world: World, stranger: User) -> None:
        code = InvitationFactory(course=world.course).code
        join_by(stranger, code)
        for _ in range(2):
            with pytest.raises(InvitationUnknown):
                join_by(stranger, "guessed")
        with pytest.raises(JoinTriesUsed):
            join_by(stranger, "guessed")

    def test_control_uncounted_tries_are_not_limited(
        self, world: World, api_as: ApiAs, stranger: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(joining, "_try_count", lambda user, now: None)
        with pytest.raises(AssertionError):
            self.test_tries_are_limited(world, api_as, stranger)


class TestMakingInvitations:
    @freeze_time(NOON)
    def test_made_listed_and_revoked(self, world: World, api_as: ApiAs, stranger: User) -> None:
        api = api_as(world.assistant)
        group = CourseGroupFactory(course=world.course)
        invitations = f"{V1}/courses/{world.course.pk}/invitations/"
        body = {"uses_max": 30, "expires_at": "2026-03-08T12:00:00+01:00", "group": group.pk}
        made = api.post(invitations, body)
        assert made.status_code == 201
        shown = made.json()
        assert shown == {
            **shown,
            "course": world.course.pk,
            "group": group.pk,
            "uses_max": 30,
            "uses": 0,
            "expires_at": "2026-03-08T11:00:00Z",
            "revoked_at": None,
        }
        address = f"{V1}/invitations/{shown['id']}/"
        assert api.get(address).json() == shown
        assert api.get(invitations).json()["results"] == [shown]
        join_by(stranger, shown["code"])
        assert api.get(address).json()["uses"] == 1
        assert api.delete(address).status_code == api.delete(address).status_code == 204
        assert api.get(address).json()["revoked_at"] == "2026-03-01T12:00:00Z"
        with pytest.raises(InvitationUnknown):
            join_by(UserFactory(), shown["code"])
        assert Course.objects.visible_to(stranger).exists()
        assert AuditEvent.objects.filter(action="invitation.revoke").count() == 1

    def test_nothing_need_be_said(self, world: World, api_as: ApiAs) -> None:
        shown = api_as(world.owner).post(f"{V1}/courses/{world.course.pk}/invitations/", {}).json()
        assert (shown["uses_max"], shown["expires_at"], shown["group"]) == (None, None, None)

    def test_the_record_holds_no_code(self, world: World) -> None:
        invitation = services.invitation_create(actor=world.owner, course_id=world.course.pk, uses_max=3)
        services.invitation_revoke(actor=world.owner, invitation_id=invitation.pk)
        join = InvitationFactory(course=world.course)
        join_by(world.member, join.code)
        recorded = str(list(AuditEvent.objects.values()))
        assert invitation.code not in recorded
        assert join.code not in recorded

    @pytest.mark.parametrize(
        ("body", "fault"),
        [
            ({"uses_max": 0}, ("#/uses_max", "min_value")),
            ({"uses_max": 10**9}, ("#/uses_max", "max_value")),
            ({"expires_at": "2026-03-01T12:00:00Z"}, ("#/expires_at", "in_the_past")),
            ({"expires_at": "2020-01-01T00:00:00Z"}, ("#/expires_at", "in_the_past")),
            ({"expires_at": "tomorrow"}, ("#/expires_at", "invalid")),
            ({"expires_at": "2030-01-01T00:00:00"}, ("#/expires_at", "no_zone")),
            ({"group": 10**9}, ("#/group", "group_unknown")),
            ({"code": "ABC"}, ("#/code", "unknown_field")),
            ({"uses": 0}, ("#/uses", "unknown_field")),
        ],
    )
    @freeze_time(NOON)
    def test_refusals(self, world: World, api_as: ApiAs, body: dict[str, Any], fault: tuple[str, str]) -> None:
        response = api_as(world.owner).post(f"{V1}/courses/{world.course.pk}/invitations/", body)
        assert faults(response) == [fault]
        assert not Invitation.objects.exists()
