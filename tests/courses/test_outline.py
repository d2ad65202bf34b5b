"""A course in one answer, for students from the cache, and never stale."""

import gzip
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext
from freezegun import freeze_time
from rest_framework import serializers

from accounts.models import User
from courses import services
from courses.api.packed import is_packed, packed
from courses.api.shown import outline as shown
from courses.api.views import outline as outline_view
from courses.models import Chapter, Course, Enrollment, Problem
from tests.courses.factories import (
    ChapterFactory,
    ChapterProblemFactory,
    CourseFactory,
    EnrollmentFactory,
    ProblemFactory,
    UnlockRequirementFactory,
)
from tests.courses.refusals import ApiAs, faults
from tests.courses.solving import answered

V1 = "/api/v1"
NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.fixture
def course(db: None) -> Course:
    return CourseFactory(title="Algorithms")


@pytest.fixture
def student(course: Course) -> User:
    user: User = EnrollmentFactory(course=course).user
    return user


@pytest.fixture
def instructor(course: Course) -> User:
    user: User = EnrollmentFactory(course=course, role=Enrollment.Role.INSTRUCTOR).user
    return user


@pytest.fixture
def chapter(course: Course) -> Chapter:
    return ChapterFactory(course=course, title="Loops", due_at=NOW)


@pytest.fixture
def problem(chapter: Chapter) -> Problem:
    found: Problem = ChapterProblemFactory(chapter=chapter, problem__title="Sums", problem__difficulty=2).problem
    return found


def outline(api_as: ApiAs, user: User, course: Course, query: str = "") -> dict[str, Any]:
    response = api_as(user).get(f"{V1}/courses/{course.pk}/outline/{query}")
    assert response.status_code == 200
    body: dict[str, Any] = response.json()
    return body


class TestForStudents:
    def test_tells_everything_in_one_call(
        self, api_as: ApiAs, course: Course, student: User, chapter: Chapter, problem: Problem
    ) -> None:
        after = ProblemFactory(course=course, title="Queues")
        UnlockRequirementFactory(problem=after, required_chapter=chapter)
        answered(student, problem, score=40)
        waits_for = [{"type": "chapter", "id": chapter.pk, "title": "Loops"}]
        assert outline(api_as, student, course) == {
            "course": course.pk,
            "title": "Algorithms",
            "status": "in_progress",
            "total": 2,
            "solved": 0,
            "percentage": "0.00",
            "next_problem": problem.pk,
            "chapters": [
                {
                    "id": chapter.pk,
                    "title": "Loops",
                    "lock": None,
                    "status": "in_progress",
                    "total": 1,
                    "solved": 0,
                    "percentage": "0.00",
                    "due_at": "2026-03-02T12:00:00Z",
                    "problems": [
                        {
                            "id": problem.pk,
                            "title": "Sums",
                            "type": "algorithm",
                            "difficulty": 2,
                            "lock": None,
                            "status": "in_progress",
                            "best_score": "40.00",
                            "due_at": "2026-03-02T12:00:00Z",
                        }
                    ],
                }
            ],
            "problems": [
                {
                    "id": after.pk,
                    "title": "Queues",
                    "type": "algorithm",
                    "difficulty": 1,
                    "lock": {"reasons": [{"code": "requires_all", "missing": waits_for, "opens_at": None}]},
                    "status": "not_started",
                    "best_score": "0.00",
                    "due_at": None,
                }
            ],
        }

    def test_what_comes_next(
        self, api_as: ApiAs, course: Course, student: User, instructor: User, problem: Problem
    ) -> None:
        address = f"{V1}/courses/{course.pk}/next-problem/"
        assert api_as(student).get(address).json()["problem"]["id"] == problem.pk
        assert api_as(instructor).get(address).json()["problem"]["id"] == problem.pk
        answered(student, problem)
        assert api_as(student).get(address).json() == {"problem": None}

    @pytest.mark.parametrize("accepts", ["gzip", "br, gzip;q=0.5", "identity", "gzip;q=0", ""])
    def test_is_compressed_for_who_takes_it(
        self, api_as: ApiAs, course: Course, student: User, problem: Problem, accepts: str
    ) -> None:
        response = api_as(student).get(f"{V1}/courses/{course.pk}/outline/", headers={"Accept-Encoding": accepts})
        is_compressed = response.headers.get("Content-Encoding") == "gzip"
        assert is_compressed == (accepts in ("gzip", "br, gzip;q=0.5"))
        text = gzip.decompress(response.content) if is_compressed else response.content
        assert json.loads(text) == outline(api_as, student, course)
        assert int(response["Content-Length"]) == len(response.content)
        assert "Accept-Encoding" in response["Vary"]
        assert response["Content-Type"] == "application/json"


class TestForStaff:
    def test_everything_without_locks_and_with_drafts(
        self, api_as: ApiAs, course: Course, instructor: User, chapter: Chapter, problem: Problem
    ) -> None:
        services.problem_update(actor=instructor, problem_id=problem.pk, status="draft")
        Chapter.objects.filter(pk=chapter.pk).update(status="draft")
        body = outline(api_as, instructor, course)
        (told,) = body["chapters"]
        assert (told["publication"], told["is_visible"]) == ("draft", False)
        assert {(each["publication"], each["is_visible"]) for each in told["problems"]} == {("draft", False)}
        assert "lock" not in json.dumps(body)

    def test_as_a_student(
        self, api_as: ApiAs, course: Course, instructor: User, student: User, chapter: Chapter, problem: Problem
    ) -> None:
        UnlockRequirementFactory(chapter=ChapterFactory(course=course), required_chapter=chapter)
        ChapterFactory(course=course, status="draft")
        answered(instructor, problem)
        assert outline(api_as, instructor, course, "?as=student") == outline(api_as, student, course)
        assert outline(api_as, student, course, "?as=student") == outline(api_as, student, course)

    def test_as_nobody_else(self, api_as: ApiAs, course: Course, student: User, instructor: User) -> None:
        for user in (student, instructor):
            for name in ("outline", "next-problem"):
                response = api_as(user).get(f"{V1}/courses/{course.pk}/{name}/?as=owner")
                assert faults(response) == [("#/as", "invalid_choice")]


class TestSchema:
    def test_describes_what_is_written(
        self, api_as: ApiAs, course: Course, student: User, instructor: User, chapter: Chapter, problem: Problem
    ) -> None:
        UnlockRequirementFactory(chapter=chapter, required_problem=ProblemFactory(course=course))
        for user, described in (
            (student, shown.OutlineForStudentSerializer()),
            (instructor, shown.OutlineForStaffSerializer()),
        ):
            assert list(differences(outline(api_as, user, course), described)) == []

    def test_control_a_member_too_many_is_noticed(self) -> None:
        member = {"type": "chapter", "id": 1, "title": "A", "secret": 1}
        assert list(differences(member, shown.MissingSerializer())) == ["secret"]


def differences(body: dict[str, Any], described: serializers.Serializer[Any]) -> Iterator[str]:
    """The members that only one of the two has, all the way down."""
    yield from body.keys() ^ described.fields.keys()
    for name, field in described.fields.items():
        value = body.get(name)
        if isinstance(field, serializers.ListSerializer):
            for each in value or ():
                yield from differences(each, field.child)  # type: ignore[arg-type]
        elif isinstance(field, serializers.Serializer) and value is not None:
            yield from differences(value, field)


class TestCache:
    def queries(self, api_as: ApiAs, user: User, course: Course) -> int:
        with CaptureQueriesContext(connection) as queries:
            outline(api_as, user, course)
        return len(queries)

    @pytest.mark.django_db(transaction=True)
    def test_spares_the_course(
        self, api_as: ApiAs, course: Course, student: User, problem: Problem, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        first = outline(api_as, student, course)
        monkeypatch.setattr(outline_view, "course_state", None)
        assert outline(api_as, student, course) == first

    @pytest.mark.django_db(transaction=True)
    def test_is_of_one_student(self, api_as: ApiAs, course: Course, student: User, problem: Problem) -> None:
        peer = EnrollmentFactory(course=course).user
        answered(peer, problem)
        assert outline(api_as, peer, course)["solved"] == 1
        assert outline(api_as, student, course)["solved"] == 0

    @pytest.mark.django_db(transaction=True)
    def test_sees_every_change(
        self, api_as: ApiAs, course: Course, student: User, instructor: User, chapter: Chapter, problem: Problem
    ) -> None:
        """Each act is followed by another answer, and by the one that is computed from nothing."""
        other = ProblemFactory(course=course)
        enrollment = Enrollment.objects.get(user=student, course=course)
        far = datetime(2099, 1, 1, tzinfo=UTC)
        acts = [
            lambda: services.course_update(actor=instructor, course_id=course.pk, title="Renamed"),
            lambda: services.chapter_update(actor=instructor, chapter_id=chapter.pk, title="Renamed"),
            lambda: services.problem_update(actor=instructor, problem_id=problem.pk, title="Renamed"),
            lambda: answered(student, problem, score=10),
            lambda: answered(student, problem),
            lambda: services.problem_unlocking_update(
                actor=instructor, problem_id=other.pk, requires=[], mode="all", unlock_at=None, due_at=far
            ),
            lambda: services.dueextension_create(
                actor=instructor,
                enrollment_id=enrollment.pk,
                target=("problem", other.pk),
                due_at=far + timedelta(days=1),
            ),
            lambda: services.chapter_unlocking_update(
                actor=instructor,
                chapter_id=chapter.pk,
                requires=[("problem", other.pk)],
                mode="all",
                unlock_at=None,
                due_at=None,
            ),
            lambda: services.chapterproblem_remove(actor=instructor, chapter_id=chapter.pk, problem_id=problem.pk),
            lambda: services.chapterproblem_place(actor=instructor, chapter_id=chapter.pk, problem_id=problem.pk),
            lambda: services.chapter_update(actor=instructor, chapter_id=chapter.pk, status="draft"),
            lambda: services.chapter_delete(actor=instructor, chapter_id=chapter.pk),
            lambda: services.problem_archive(actor=instructor, problem_id=problem.pk),
        ]
        before = outline(api_as, student, course)
        for number, act in enumerate(acts):
            act()
            after = outline(api_as, student, course)
            assert after != before, number
            cache.clear()
            assert outline(api_as, student, course) == after, number
            before = after

    @pytest.mark.django_db(transaction=True)
    def test_ends_when_something_opens(self, api_as: ApiAs, course: Course, student: User) -> None:
        ProblemFactory(course=course, unlock_at=NOW + timedelta(minutes=3))
        ProblemFactory(course=course, published_from=NOW + timedelta(minutes=5))
        with freeze_time(NOW) as clock:
            assert outline(api_as, student, course)["problems"][0]["lock"] is not None
            clock.move_to(NOW + timedelta(minutes=3) - timedelta(microseconds=1))
            assert outline(api_as, student, course)["problems"][0]["lock"] is not None
            clock.move_to(NOW + timedelta(minutes=3))
            assert outline(api_as, student, course)["problems"][0]["lock"] is None
            assert outline(api_as, student, course)["total"] == 1
            clock.move_to(NOW + timedelta(minutes=5))
            assert outline(api_as, student, course)["total"] == 2

    @pytest.mark.django_db(transaction=True)
    def test_control_kept_beyond_that_moment_it_would_be_stale(
        self, api_as: ApiAs, course: Course, student: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(outline_view, "_changes_at", lambda value: None)
        with pytest.raises(AssertionError):
            self.test_ends_when_something_opens(api_as, course, student)

    @pytest.mark.django_db(transaction=True)
    def test_an_old_title_is_not_kept_under_a_new_token(
        self, api_as: ApiAs, course: Course, student: User, instructor: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The course is renamed after the request has looked it up, and before it asks the cache."""
        lookup = outline_view.OutlineView.enrollment_in

        def renamed_meanwhile(view: Any, course_id: int) -> Enrollment:
            services.course_update(actor=instructor, course_id=course_id, title="Renamed")
            return lookup(view, course_id)

        with monkeypatch.context() as patch:
            patch.setattr(outline_view.OutlineView, "enrollment_in", renamed_meanwhile)
            outline(api_as, student, course)
        assert outline(api_as, student, course)["title"] == "Renamed"


class TestPacked:
    def test_a_damaged_one_is_told(self) -> None:
        whole = packed({"title": "Schleifen ✓"})
        assert is_packed(whole)
        for damaged in (
            {},
            {"gzip": whole["gzip"]},
            {**whole, "sha256": "0" * 64},
            {**whole, "gzip": whole["gzip"][:-4]},
            {**whole, "gzip": "no base64"},
            {**whole, "gzip": 7},
        ):
            assert not is_packed(damaged)

    def test_the_same_body_gives_the_same_bytes(self) -> None:
        assert packed({"a": [1, None]}) == packed({"a": [1, None]})
