"""Who is in a course: leaving and coming back, seats, and groups."""

from datetime import UTC, datetime
from typing import Any

import pytest
from freezegun import freeze_time

from accounts.models import AuditEvent, Membership
from core.errors import NotFound
from courses import services
from courses.errors import AlreadyEnrolled, CourseFull, EnrollmentEnded
from courses.models import Course, CourseGroup, Enrollment, Problem
from tests.accounts.factories import UserFactory
from tests.courses.conftest import World
from tests.courses.factories import CourseFactory, CourseGroupFactory, EnrollmentFactory
from tests.courses.refusals import ApiAs, faults, refusal, refused

V1 = "/api/v1"
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def of(user: Any) -> Enrollment:
    return Enrollment.objects.get(user=user)


def enroll(world: World, user: Any, role: str = "student", **more: Any) -> Enrollment:
    return services.enrollment_create(
        actor=world.instructor, course_id=world.course.pk, user=user.username, role=role, **more
    )


class TestLeaving:
    @freeze_time(NOON)
    def test_the_row_stays_and_nothing_is_seen(self, world: World) -> None:
        before = of(world.student)
        services.enrollment_remove(actor=world.instructor, enrollment_id=before.pk)
        after = of(world.student)
        assert (after.pk, after.role, after.left_at) == (before.pk, "student", NOON)
        assert not Course.objects.visible_to(world.student).exists()
        assert not Problem.objects.visible_to(world.student).exists()
        assert Membership.objects.filter(user=world.student, organization=world.organization).exists()

    def test_whoever_taught_is_staff_no_more(self, world: World) -> None:
        services.enrollment_remove(actor=world.owner, enrollment_id=of(world.instructor).pk)
        assert not Course.objects.staffed_by(world.instructor).exists()

    def test_one_comes_back_to_the_same_row_with_the_new_role(self, world: World) -> None:
        before = of(world.student)
        services.enrollment_leave(actor=world.student, course_id=world.course.pk)
        back = enroll(world, world.student, "assistant")
        assert (back.pk, back.role, back.left_at) == (before.pk, "assistant", None)
        assert back.created_at == before.created_at
        assert of(world.student).cache_token != before.cache_token
        assert Course.objects.staffed_by(world.student).exists()

    def test_one_comes_back_to_ones_group_unless_told(self, world: World) -> None:
        first, second = CourseGroupFactory.create_batch(2, course=world.course)
        mine = of(world.student)
        services.enrollment_update(actor=world.owner, enrollment_id=mine.pk, group_id=first.pk)
        services.enrollment_remove(actor=world.owner, enrollment_id=mine.pk)
        assert enroll(world, world.student).group == first
        services.enrollment_remove(actor=world.owner, enrollment_id=mine.pk)
        assert enroll(world, world.student, group_id=second.pk).group == second

    def test_who_left_has_no_role_to_change(self, world: World) -> None:
        mine = of(world.student)
        services.enrollment_remove(actor=world.owner, enrollment_id=mine.pk)
        with pytest.raises(EnrollmentEnded):
            services.enrollment_update(actor=world.owner, enrollment_id=mine.pk, role="instructor")
        with pytest.raises(NotFound):
            services.enrollment_remove(actor=world.owner, enrollment_id=mine.pk)
        with pytest.raises(NotFound):
            services.enrollment_leave(actor=world.student, course_id=world.course.pk)
        assert of(world.student).role == "student"

    @pytest.mark.parametrize("course_id", ["foreign", "missing"])
    def test_where_one_is_not(self, world: World, course_id: str) -> None:
        wanted = world.foreign_course.pk if course_id == "foreign" else 10**6
        with pytest.raises(NotFound):
            services.enrollment_leave(actor=world.student, course_id=wanted)
        assert of(world.student).left_at is None

    def test_both_are_recorded(self, world: World) -> None:
        services.enrollment_leave(actor=world.student, course_id=world.course.pk)
        enroll(world, world.student)
        leaving, coming = AuditEvent.objects.order_by("pk")
        assert (leaving.action, leaving.actor, leaving.changes["role"]) == (
            "enrollment.leave",
            world.student,
            ["student", None],
        )
        assert (coming.action, coming.actor, coming.changes["role"]) == (
            "enrollment.create",
            world.instructor,
            [None, "student"],
        )

    def test_over_the_api(self, world: World, api_as: ApiAs) -> None:
        student, staff = api_as(world.student), api_as(world.instructor)
        leave = f"{V1}/courses/{world.course.pk}/leave/"
        assert student.post(leave).status_code == 204
        assert refusal(student.post(leave)) == (404, "not_found")
        assert student.get(f"{V1}/courses/{world.course.pk}/").status_code == 404
        mine = f"{V1}/enrollments/{of(world.student).pk}/"
        assert refusal(staff.patch(mine, {"role": "assistant"})) == (409, "enrollment_ended")
        assert refusal(staff.delete(mine)) == (404, "not_found")
        enrollments = f"{V1}/courses/{world.course.pk}/enrollments/"
        back = staff.post(enrollments, {"user": world.student.username})
        assert (back.status_code, back.json()["id"], back.json()["left_at"]) == (201, of(world.student).pk, None)
        assert student.get(f"{V1}/courses/{world.course.pk}/").status_code == 200


class TestCapacity:
    @pytest.fixture
    def full(self, world: World) -> Course:
        """The course's one seat is the student's."""
        return services.course_update(actor=world.owner, course_id=world.course.pk, capacity=1)

    def test_no_seat_no_student(self, world: World, full: Course) -> None:
        with pytest.raises(CourseFull):
            enroll(world, world.member)
        assert not Enrollment.objects.filter(user=world.member).exists()

    def test_staff_take_no_seat(self, world: World, full: Course) -> None:
        assert enroll(world, world.member, "assistant").role == "assistant"

    def test_leaving_frees_a_seat_and_coming_back_takes_one(self, world: World, full: Course) -> None:
        services.enrollment_leave(actor=world.student, course_id=full.pk)
        enroll(world, world.member)
        with pytest.raises(CourseFull):
            enroll(world, world.student)
        assert of(world.student).left_at is not None

    def test_whoever_becomes_a_student_takes_a_seat(self, world: World, full: Course) -> None:
        assistant = of(world.assistant)
        with pytest.raises(CourseFull):
            services.enrollment_update(actor=world.owner, enrollment_id=assistant.pk, role="student")
        assert of(world.assistant).role == "assistant"
        services.enrollment_update(actor=world.owner, enrollment_id=of(world.student).pk, role="assistant")
        services.enrollment_update(actor=world.owner, enrollment_id=assistant.pk, role="student")

    def test_a_student_moves_between_groups_of_a_full_course(self, world: World, full: Course) -> None:
        group = CourseGroupFactory(course=full)
        services.enrollment_update(actor=world.owner, enrollment_id=of(world.student).pk, group_id=group.pk)
        assert of(world.student).group == group

    def test_it_is_not_lowered_below_those_who_are_there(self, world: World) -> None:
        EnrollmentFactory.create_batch(2, course=world.course)

        def set_to(capacity: int | None) -> Course:
            return services.course_update(actor=world.owner, course_id=world.course.pk, capacity=capacity)

        for too_few in (1, 2):
            with refused(("#/capacity", "below_enrolled")):
                set_to(too_few)
        assert Course.objects.get(pk=world.course.pk).capacity is None
        assert [set_to(capacity).capacity for capacity in (3, 10, 3, None)] == [3, 10, 3, None]

    def test_a_course_that_is_over_full_still_changes_otherwise(self, world: World) -> None:
        EnrollmentFactory.create_batch(2, course=world.course)
        Course.objects.filter(pk=world.course.pk).update(capacity=1)
        services.course_update(actor=world.owner, course_id=world.course.pk, title="Another", capacity=1)
        with pytest.raises(CourseFull):
            enroll(world, world.member)

    @pytest.mark.parametrize(
        ("capacity", "code"),
        [(0, "min_value"), (-1, "min_value"), (10**9, "max_value"), ("many", "invalid"), (1.5, "invalid")],
    )
    def test_bad_numbers(self, world: World, api_as: ApiAs, capacity: Any, code: str) -> None:
        response = api_as(world.owner).patch(f"{V1}/courses/{world.course.pk}/", {"capacity": capacity})
        assert faults(response) == [("#/capacity", code)]

    def test_over_the_api(self, world: World, api_as: ApiAs) -> None:
        api = api_as(world.owner)
        course = f"{V1}/courses/{world.course.pk}/"
        assert api.patch(course, {"capacity": 1, "is_open": True}).json()["capacity"] == 1
        assert refusal(api.post(f"{course}enrollments/", {"user": world.member.username})) == (409, "course_full")
        created = api.post(
            f"{V1}/courses/",
            {"organization": world.organization.pk, "title": "A", "slug": "a", "capacity": 7, "is_open": True},
        ).json()
        assert (created["capacity"], created["is_open"]) == (7, True)


class TestGroups:
    def test_made_renamed_and_deleted(self, world: World, api_as: ApiAs) -> None:
        api = api_as(world.assistant)
        groups = f"{V1}/courses/{world.course.pk}/groups/"
        made = api.post(groups, {"name": "  Monday   9 h "}).json()
        assert made == {"id": made["id"], "course": world.course.pk, "name": "Monday 9 h"}
        address = f"{V1}/groups/{made['id']}/"
        assert api.get(address).json() == made
        assert api.patch(address, {"name": "Tuesday"}).json() == {**made, "name": "Tuesday"}
        enrollment = f"{V1}/enrollments/{of(world.student).pk}/"
        assert api.patch(enrollment, {"group": made["id"]}).json()["group"] == made["id"]
        assert api.get(groups).json()["results"] == [{**made, "name": "Tuesday", "member_count": 1}]
        assert api.delete(address).status_code == 204
        mine = of(world.student)
        assert (mine.group, mine.left_at) == (None, None)
        assert refusal(api.get(address)) == (404, "not_found")

    def test_who_left_is_not_counted(self, world: World, api_as: ApiAs) -> None:
        group = CourseGroupFactory(course=world.course)
        mine = of(world.student)
        services.enrollment_update(actor=world.owner, enrollment_id=mine.pk, group_id=group.pk)
        services.enrollment_remove(actor=world.owner, enrollment_id=mine.pk)
        listed = api_as(world.owner).get(f"{V1}/courses/{world.course.pk}/groups/").json()["results"]
        assert [row["member_count"] for row in listed] == [0]

    def test_out_of_a_group(self, world: World, api_as: ApiAs) -> None:
        mine = of(world.student)
        group = CourseGroupFactory(course=world.course)
        services.enrollment_update(actor=world.owner, enrollment_id=mine.pk, group_id=group.pk)
        response = api_as(world.owner).patch(f"{V1}/enrollments/{mine.pk}/", {"group": None})
        assert response.json()["group"] is None
        event = AuditEvent.objects.get(action="enrollment.update", changes__group_id=[group.pk, None])
        assert event.changes["role"] == ["student", "student"]

    def test_a_group_of_another_course_is_like_a_missing_one(self, world: World, api_as: ApiAs) -> None:
        api = api_as(world.owner)
        sibling = CourseGroupFactory(course=CourseFactory(organization=world.organization))
        foreign = CourseGroupFactory(course=world.foreign_course)
        answers = []
        for group_id in (sibling.pk, foreign.pk, 10**9):
            response = api.patch(f"{V1}/enrollments/{of(world.student).pk}/", {"group": group_id})
            assert faults(response) == [("#/group", "group_unknown")]
            response = api.post(
                f"{V1}/courses/{world.course.pk}/enrollments/", {"user": world.member.username, "group": group_id}
            )
            assert faults(response) == [("#/group", "group_unknown")]
            answers.append(response.json()["errors"])
        assert answers[0] == answers[1] == answers[2]
        assert of(world.student).group is None

    @pytest.mark.parametrize(
        ("name", "code"),
        [("", "blank"), ("   ", "blank"), ("x" * 101, "max_length"), (None, "null"), ("Taken", "unique")],
    )
    def test_bad_names(self, world: World, api_as: ApiAs, name: Any, code: str) -> None:
        CourseGroupFactory(course=world.course, name="Taken")
        other = CourseGroupFactory(course=world.course, name="Other")
        api = api_as(world.owner)
        assert faults(api.post(f"{V1}/courses/{world.course.pk}/groups/", {"name": name})) == [("#/name", code)]
        assert faults(api.patch(f"{V1}/groups/{other.pk}/", {"name": name})) == [("#/name", code)]
        assert CourseGroup.objects.filter(course=world.course).count() == 2

    def test_a_name_is_taken_in_its_course_alone(self, world: World, api_as: ApiAs) -> None:
        CourseGroupFactory(course=world.foreign_course, name="A")
        response = api_as(world.owner).post(f"{V1}/courses/{world.course.pk}/groups/", {"name": "A"})
        assert response.status_code == 201


class TestLists:
    def listed(self, api: Any, world: World, query: str = "") -> list[str]:
        rows = api.get(f"{V1}/courses/{world.course.pk}/enrollments/{query}").json()["results"]
        return [row["user"]["username"] for row in rows]

    def test_those_in_the_course_unless_those_who_left_are_asked_for(self, world: World, api_as: ApiAs) -> None:
        api = api_as(world.owner)
        services.enrollment_leave(actor=world.student, course_id=world.course.pk)
        there = [world.instructor.username, world.assistant.username]
        assert self.listed(api, world) == self.listed(api, world, "?is_active=true") == there
        assert self.listed(api, world, "?is_active=false") == [world.student.username]

    def test_group_name_and_order(self, world: World, api_as: ApiAs) -> None:
        api = api_as(world.owner)
        group = CourseGroupFactory(course=world.course)
        for username, name in (("zoe", "Zoe Adams"), ("adam", "Adam West")):
            user = UserFactory(username=username, display_name=name)
            EnrollmentFactory(course=world.course, user=user, group=group)
        assert self.listed(api, world, f"?group={group.pk}") == ["zoe", "adam"]
        assert self.listed(api, world, f"?group={group.pk}&ordering=username") == ["adam", "zoe"]
        assert self.listed(api, world, f"?group={group.pk}&ordering=-id") == ["adam", "zoe"]
        assert self.listed(api, world, "?search=ADAM&ordering=username") == ["adam", "zoe"]
        assert self.listed(api, world, "?search=west") == ["adam"]
        assert self.listed(api, world, "?search=%25") == []
        assert self.listed(api, world, "?search=example.org") == []

    @pytest.mark.parametrize(
        ("query", "fault"),
        [
            ("is_active=banana", ("#/is_active", "invalid_choice")),
            ("group=x", ("#/group", "invalid")),
            ("role=owner", ("#/role", "invalid_choice")),
            ("ordering=user__password", ("#/ordering", "invalid_choice")),
            ("search=%00", ("#/search", "null_characters_not_allowed")),
            ("left=1", ("#/left", "unknown_filter")),
        ],
    )
    def test_bad_filters(self, world: World, api_as: ApiAs, query: str, fault: tuple[str, str]) -> None:
        response = api_as(world.owner).get(f"{V1}/courses/{world.course.pk}/enrollments/?{query}")
        assert faults(response) == [fault]

    def test_twice_is_refused_while_one_is_there(self, world: World) -> None:
        with pytest.raises(AlreadyEnrolled):
            enroll(world, world.student, "assistant")
