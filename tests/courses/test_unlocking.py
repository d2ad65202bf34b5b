"""Unlocking through the API: what is required, dates, both; staff; edits that count at once; cycles refused."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from freezegun import freeze_time

from accounts.models import User
from core.errors import InvalidInput
from courses import services
from courses.models import Chapter, Course, Enrollment, Problem, UnlockRequirement
from courses.services import unlocking as unlocking_module
from tests.courses.factories import (
    AlgorithmProblemFactory,
    ChapterFactory,
    ChapterProblemFactory,
    ChoiceProblemFactory,
    CourseFactory,
    EnrollmentFactory,
    ProblemFactory,
    UnlockRequirementFactory,
)
from tests.courses.refusals import ApiAs, faults, refusal
from tests.courses.solving import answered
from tests.executor.factories import DOUBLE
from tests.parallel import at_once, meeting_point

V1 = "/api/v1"
NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
NOTHING: dict[str, Any] = {"requires": [], "mode": "all", "unlock_at": None, "due_at": None}


@pytest.fixture
def course(db: None) -> Course:
    return CourseFactory()


@pytest.fixture
def student(course: Course) -> User:
    user: User = EnrollmentFactory(course=course).user
    return user


@pytest.fixture
def instructor(course: Course) -> User:
    user: User = EnrollmentFactory(course=course, role=Enrollment.Role.INSTRUCTOR).user
    return user


def asked(problem: Problem, **fields: Any) -> Problem:
    """The problem, which from now on waits for what the fields say."""
    row: Problem = services.problem_unlocking_update(
        actor=problem.course.enrollments.filter(role="instructor").get().user,
        problem_id=problem.pk,
        **{**NOTHING, **fields},
    )
    return row


def is_open(api_as: ApiAs, user: User, problem: Problem) -> bool:
    response = api_as(user).get(f"{V1}/problems/{problem.pk}/")
    if response.status_code == 200:
        return True
    assert refusal(response) == (403, "problem_locked")
    return False


def reasons(api_as: ApiAs, user: User, problem: Problem) -> list[tuple[str, list[int]]]:
    response = api_as(user).get(f"{V1}/problems/{problem.pk}/")
    assert refusal(response) == (403, "problem_locked")
    return [
        (reason["code"], [each["id"] for each in reason["missing"]]) for reason in response.json()["lock"]["reasons"]
    ]


class TestWhatOpens:
    def test_all_of_several(self, api_as: ApiAs, course: Course, student: User, instructor: User) -> None:
        first, second, last = (ProblemFactory(course=course) for _ in range(3))
        asked(last, requires=[("problem", first.pk), ("problem", second.pk)])
        assert reasons(api_as, student, last) == [("requires_all", [first.pk, second.pk])]
        answered(student, first)
        assert reasons(api_as, student, last) == [("requires_all", [second.pk])]
        # Half a score is not solved.
        answered(student, second, score=50)
        assert not is_open(api_as, student, last)
        answered(student, second)
        assert is_open(api_as, student, last)

    def test_any_of_several(self, api_as: ApiAs, course: Course, student: User, instructor: User) -> None:
        first, second, last = (ProblemFactory(course=course) for _ in range(3))
        asked(last, requires=[("problem", first.pk), ("problem", second.pk)], mode="any")
        assert reasons(api_as, student, last) == [("requires_any", [first.pk, second.pk])]
        answered(student, second)
        assert is_open(api_as, student, last)

    def test_a_date(self, api_as: ApiAs, course: Course, student: User, instructor: User) -> None:
        problem = ProblemFactory(course=course)
        with freeze_time(NOW) as clock:
            asked(problem, unlock_at=NOW + timedelta(hours=1))
            assert reasons(api_as, student, problem) == [("opens_at", [])]
            clock.move_to(NOW + timedelta(hours=1) - timedelta(microseconds=1))
            assert not is_open(api_as, student, problem)
            clock.move_to(NOW + timedelta(hours=1))
            assert is_open(api_as, student, problem)

    def test_both_a_date_and_a_requirement(
        self, api_as: ApiAs, course: Course, student: User, instructor: User
    ) -> None:
        first, last = (ProblemFactory(course=course) for _ in range(2))
        with freeze_time(NOW) as clock:
            asked(last, requires=[("problem", first.pk)], unlock_at=NOW + timedelta(hours=1))
            assert reasons(api_as, student, last) == [("requires_all", [first.pk]), ("opens_at", [])]
            answered(student, first)
            assert reasons(api_as, student, last) == [("opens_at", [])]
            clock.move_to(NOW + timedelta(hours=1))
            assert is_open(api_as, student, last)

    def test_a_chapter_with_its_problems(self, api_as: ApiAs, course: Course, student: User, instructor: User) -> None:
        before, after = (ChapterFactory(course=course) for _ in range(2))
        inside = [ChapterProblemFactory(chapter=before).problem for _ in range(2)]
        behind = ChapterProblemFactory(chapter=after).problem
        answer = api_as(instructor).put(
            f"{V1}/chapters/{after.pk}/unlocking/", {**NOTHING, "requires": [{"chapter": before.pk}]}
        )
        assert answer.json() == {**NOTHING, "requires": [{"chapter": before.pk}]}
        assert reasons(api_as, student, behind) == [("chapter_locked", [after.pk])]
        for problem in inside:
            assert not is_open(api_as, student, behind)
            answered(student, problem)
        assert is_open(api_as, student, behind)

    def test_any_open_chapter_it_stands_in(
        self, api_as: ApiAs, course: Course, student: User, instructor: User
    ) -> None:
        shut = ChapterFactory(course=course)
        problem = ChapterProblemFactory(chapter=shut).problem
        services.chapter_unlocking_update(
            actor=instructor, chapter_id=shut.pk, **{**NOTHING, "unlock_at": datetime(2099, 1, 1, tzinfo=UTC)}
        )
        assert not is_open(api_as, student, problem)
        ChapterProblemFactory(chapter=ChapterFactory(course=course), problem=problem)
        assert is_open(api_as, student, problem)

    @pytest.mark.parametrize(
        "hidden", [{"status": "draft"}, {"status": "archived"}, {"audience": "exam_only"}], ids=lambda each: str(each)
    )
    def test_what_nobody_sees_is_not_waited_for(
        self, api_as: ApiAs, course: Course, student: User, instructor: User, hidden: dict[str, str]
    ) -> None:
        first, last = ProblemFactory(course=course), ProblemFactory(course=course)
        asked(last, requires=[("problem", first.pk)])
        assert not is_open(api_as, student, last)
        services.problem_update(actor=instructor, problem_id=first.pk, **hidden)  # type: ignore[arg-type]
        assert is_open(api_as, student, last)

    def test_staff_see_everything(self, api_as: ApiAs, course: Course, instructor: User) -> None:
        first, last = ProblemFactory(course=course), AlgorithmProblemFactory(problem__course=course).problem
        asked(last, requires=[("problem", first.pk)], unlock_at=datetime(2099, 1, 1, tzinfo=UTC))
        assert is_open(api_as, instructor, last)


class TestLockedMeansLocked:
    @pytest.fixture
    def locked(self, course: Course, instructor: User) -> Problem:
        problem: Problem = AlgorithmProblemFactory(problem__course=course, problem__statement="Secret.").problem
        return asked(problem, requires=[("problem", ProblemFactory(course=course).pk)])

    @pytest.mark.parametrize(
        ("address", "body"),
        [
            ("submissions/", lambda p: {"problem": p.pk, "language": "python", "code": DOUBLE}),
            ("problems/{}/run-samples/", lambda p: {"language": "python", "code": DOUBLE}),
        ],
        ids=["submission", "samples"],
    )
    def test_no_program_is_taken(
        self,
        api_as: ApiAs,
        student: User,
        locked: Problem,
        address: str,
        body: Callable[[Problem], dict[str, Any]],
    ) -> None:
        response = api_as(student).post(f"{V1}/{address.format(locked.pk)}", body(locked))
        assert refusal(response) == (403, "problem_locked")
        assert locked.submissions.count() == 0

    def test_no_answer_is_checked(self, api_as: ApiAs, course: Course, student: User, instructor: User) -> None:
        problem = asked(
            ChoiceProblemFactory(problem__course=course).problem,
            requires=[("problem", ProblemFactory(course=course).pk)],
        )
        response = api_as(student).post(f"{V1}/problems/{problem.pk}/check/", {"answer": {"chosen": ["A"]}})
        assert refusal(response) == (403, "problem_locked")

    def test_lists_show_titles_alone(self, api_as: ApiAs, course: Course, student: User, instructor: User) -> None:
        chapter = ChapterFactory(course=course, description="Secret.")
        problem = AlgorithmProblemFactory(problem__course=course, problem__statement="Secret.").problem
        ChapterProblemFactory(chapter=chapter, problem=problem)
        services.chapter_unlocking_update(
            actor=instructor, chapter_id=chapter.pk, **{**NOTHING, "unlock_at": datetime(2099, 1, 1, tzinfo=UTC)}
        )
        for address in (
            *(f"courses/{course.pk}/{name}/" for name in ("chapters", "problems", "outline", "next-problem")),
            f"chapters/{chapter.pk}/",
        ):
            text = api_as(student).get(f"{V1}/{address}").content.decode()
            assert "Secret" not in text, address
        shown = api_as(student).get(f"{V1}/chapters/{chapter.pk}/").json()
        assert shown["lock"]["reasons"][0]["code"] == "opens_at"
        assert [each["problem"]["lock"]["reasons"][0]["code"] for each in shown["problems"]] == ["chapter_locked"]
        (listed,) = api_as(student).get(f"{V1}/courses/{course.pk}/problems/").json()["results"]
        assert (listed["title"], listed["lock"]["reasons"][0]["code"]) == (problem.title, "chapter_locked")
        (listed,) = api_as(student).get(f"{V1}/courses/{course.pk}/chapters/").json()["results"]
        assert (listed["title"], listed["lock"]["reasons"][0]["code"]) == (chapter.title, "opens_at")

    def test_draft_chapters_are_not_listed(self, api_as: ApiAs, course: Course, student: User) -> None:
        ChapterFactory(course=course, status="draft")
        assert api_as(student).get(f"{V1}/courses/{course.pk}/chapters/").json()["results"] == []


class TestEdits:
    def test_count_at_once(self, api_as: ApiAs, course: Course, student: User, instructor: User) -> None:
        first, last = (ProblemFactory(course=course) for _ in range(2))

        def outline_lock() -> Any:
            listed = api_as(student).get(f"{V1}/courses/{course.pk}/outline/").json()["problems"]
            return {each["id"]: each["lock"] for each in listed}[last.pk]

        address = f"{V1}/problems/{last.pk}/unlocking/"
        assert outline_lock() is None
        api_as(instructor).put(address, {**NOTHING, "requires": [{"problem": first.pk}]})
        assert outline_lock() is not None
        assert not is_open(api_as, student, last)
        api_as(instructor).put(address, NOTHING)
        assert outline_lock() is None
        assert is_open(api_as, student, last)

    def test_what_is_put_is_got(self, api_as: ApiAs, course: Course, instructor: User) -> None:
        chapter, problem, last = (
            ChapterFactory(course=course),
            ProblemFactory(course=course),
            ProblemFactory(course=course),
        )
        body = {
            "requires": [{"problem": problem.pk}, {"chapter": chapter.pk}],
            "mode": "any",
            "unlock_at": "2099-01-01T00:00:00Z",
            "due_at": "2099-02-01T00:00:00Z",
        }
        address = f"{V1}/problems/{last.pk}/unlocking/"
        assert api_as(instructor).put(address, body).json() == body
        assert api_as(instructor).get(address).json() == body
        # The same again writes nothing.
        kept = list(UnlockRequirement.objects.values_list("pk", flat=True))
        api_as(instructor).put(address, body)
        assert list(UnlockRequirement.objects.values_list("pk", flat=True)) == kept

    def test_what_is_wrong_is_named(self, api_as: ApiAs, course: Course, instructor: User) -> None:
        problem, foreign = ProblemFactory(course=course), ProblemFactory()
        other = ProblemFactory(course=course)

        def put(**fields: Any) -> list[tuple[str, str]]:
            return faults(api_as(instructor).put(f"{V1}/problems/{problem.pk}/unlocking/", {**NOTHING, **fields}))

        assert put(requires=[{"problem": foreign.pk}]) == [("#/requires/0/problem", "unknown")]
        assert put(requires=[{"chapter": 2**62}]) == [("#/requires/0/chapter", "unknown")]
        assert put(requires=[{"problem": other.pk}] * 2) == [("#/requires/1", "duplicate")]
        assert put(requires=[{}]) == [("#/requires/0", "one_target")]
        assert put(requires=[{"problem": other.pk, "chapter": 1}]) == [("#/requires/0", "one_target")]
        assert put(requires=[{"problem": other.pk}] * 51) == [("#/requires", "max_length")]
        assert put(mode="some") == [("#/mode", "invalid_choice")]
        assert put(unlock_at="2020-01-01T00:00:00Z") == [("#/unlock_at", "in_the_past")]
        assert put(due_at="2020-01-01T00:00:00Z") == [("#/due_at", "in_the_past")]
        assert put(unlock_at="2099-01-01T00:00:00") == [("#/unlock_at", "no_zone")]
        both = {"unlock_at": "2099-01-01T00:00:00Z", "due_at": "2099-01-01T00:00:00Z"}
        assert put(**both) == [("#/due_at", "not_after_unlock")]
        incomplete = api_as(instructor).put(f"{V1}/problems/{problem.pk}/unlocking/", {"requires": []})
        assert {pointer for pointer, _ in faults(incomplete)} == {"#/mode", "#/unlock_at", "#/due_at"}
        assert UnlockRequirement.objects.count() == 0

    def test_a_date_that_has_passed_may_stay(self, api_as: ApiAs, course: Course, instructor: User) -> None:
        problem = ProblemFactory(course=course, unlock_at=NOW, due_at=NOW + timedelta(days=1))
        body = {**NOTHING, "mode": "any", "unlock_at": "2026-03-02T12:00:00Z", "due_at": "2026-03-03T12:00:00Z"}
        with freeze_time(NOW + timedelta(days=9)):
            assert api_as(instructor).put(f"{V1}/problems/{problem.pk}/unlocking/", body).json() == body


class TestCycles:
    @pytest.fixture
    def chapters(self, course: Course) -> list[Chapter]:
        return [ChapterFactory(course=course, title=title) for title in ("Loops", "Lists", "Trees")]

    def require(self, actor: User, chapter: Chapter, required: Chapter) -> None:
        services.chapter_unlocking_update(
            actor=actor, chapter_id=chapter.pk, **{**NOTHING, "requires": [("chapter", required.pk)]}
        )

    def test_are_refused_by_their_titles(
        self, api_as: ApiAs, course: Course, instructor: User, chapters: list[Chapter]
    ) -> None:
        first, second, third = chapters
        self.require(instructor, second, first)
        self.require(instructor, third, second)
        response = api_as(instructor).put(
            f"{V1}/chapters/{first.pk}/unlocking/", {**NOTHING, "requires": [{"chapter": third.pk}]}
        )
        assert faults(response) == [("#/requires", "requirement_cycle")]
        detail = response.json()["detail"]
        assert any(way in detail for way in ("Loops → Trees → Lists → Loops", "Lists → Loops → Trees → Lists")) or (
            "Trees → Lists → Loops → Trees" in detail
        )
        assert not first.requirements.exists()

    def test_oneself(self, api_as: ApiAs, course: Course, instructor: User) -> None:
        problem = ProblemFactory(course=course)
        response = api_as(instructor).put(
            f"{V1}/problems/{problem.pk}/unlocking/", {**NOTHING, "requires": [{"problem": problem.pk}]}
        )
        assert faults(response) == [("#/requires", "requirement_cycle")]

    def test_a_chapter_that_waits_for_its_own_problem(
        self, api_as: ApiAs, course: Course, instructor: User, chapters: list[Chapter]
    ) -> None:
        inside = ChapterProblemFactory(chapter=chapters[0]).problem
        response = api_as(instructor).put(
            f"{V1}/chapters/{chapters[0].pk}/unlocking/", {**NOTHING, "requires": [{"problem": inside.pk}]}
        )
        assert faults(response) == [("#/requires", "requirement_cycle")]

    def test_placing_a_problem_may_close_one(
        self, api_as: ApiAs, course: Course, instructor: User, chapters: list[Chapter]
    ) -> None:
        problem = ProblemFactory(course=course)
        UnlockRequirementFactory(chapter=chapters[0], required_problem=problem)
        response = api_as(instructor).post(f"{V1}/chapters/{chapters[0].pk}/problems/", {"problem": problem.pk})
        assert faults(response) == [("#/problem", "requirement_cycle")]
        assert not chapters[0].placements.exists()
        assert (
            api_as(instructor).post(f"{V1}/chapters/{chapters[1].pk}/problems/", {"problem": problem.pk}).status_code
            == 201
        )


@pytest.mark.django_db(transaction=True)
class TestCyclesAtOnce:
    """Two halves of a cycle, each fine by itself."""

    def halves(self, monkeypatch: pytest.MonkeyPatch) -> tuple[Course, list[str]]:
        """What became of the two halves; each waits for the other after it has looked, where no lock keeps it away."""
        course = CourseFactory()
        actor = EnrollmentFactory(course=course, role="instructor").user
        first, second = (ChapterFactory(course=course) for _ in range(2))
        meet = meeting_point(2)
        check = unlocking_module.cycle_refuse

        def check_then_meet(**arguments: Any) -> None:
            check(**arguments)
            meet()

        monkeypatch.setattr(unlocking_module, "cycle_refuse", check_then_meet)

        def require(chapter: Chapter, required: Chapter) -> str:
            try:
                services.chapter_unlocking_update(
                    actor=actor, chapter_id=chapter.pk, **{**NOTHING, "requires": [("chapter", required.pk)]}
                )
            except InvalidInput as error:
                return error.errors[0].code
            return "written"

        return course, at_once([lambda: require(first, second), lambda: require(second, first)])

    def test_one_half_is_refused(self, monkeypatch: pytest.MonkeyPatch) -> None:
        course, outcomes = self.halves(monkeypatch)
        assert sorted(outcomes) == ["requirement_cycle", "written"]
        assert course.unlock_requirements.count() == 1

    def test_control_without_the_lock_on_the_course_both_are_written(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(unlocking_module, "_course_lock", lambda pk: Course.objects.get(pk=pk))
        # The token of the course is written in the same transaction, which would keep the other away as well.
        monkeypatch.setattr("courses.signals.course_cache_replace", lambda **arguments: None)
        course, outcomes = self.halves(monkeypatch)
        if connection.vendor == "sqlite":
            # Its transactions come one after the other, lock or no lock.
            assert sorted(outcomes) == ["requirement_cycle", "written"]
        else:
            assert outcomes == ["written", "written"]
            assert course.unlock_requirements.count() == 2
