"""`?as=student` shows staff what a student gets, to the byte; and texts are shown as HTML that is safe."""

from typing import Any

import pytest

from courses.api.views import problems as problem_views
from courses.models import Chapter, Course, Problem
from tests.courses.conftest import World
from tests.courses.factories import (
    ChapterProblemFactory,
    ChoiceProblemFactory,
    EnrollmentFactory,
    FillBlankProblemFactory,
    UnlockRequirementFactory,
)
from tests.courses.refusals import ApiAs, faults, refusal

V1 = "/api/v1"
HOSTILE = "# Hi\n\n<script>alert(1)</script> [x](javascript:alert(1)) **bold**\n"


class TestPreview:
    def addresses(self, world: World) -> list[str]:
        choice = ChoiceProblemFactory(problem__course=world.course).problem
        blanks = FillBlankProblemFactory(problem__course=world.course).problem
        for problem in (choice, blanks, world.draft):
            ChapterProblemFactory(chapter=world.chapter, problem=problem)
        problems = [f"{V1}/problems/{problem.pk}/" for problem in (world.problem, choice, blanks)]
        return [*problems, f"{V1}/chapters/{world.chapter.pk}/"]

    def test_staff_get_the_same_bytes_as_a_student(self, world: World, api_as: ApiAs) -> None:
        for address in self.addresses(world):
            wanted = api_as(world.student).get(address)
            assert wanted.status_code == 200
            for user in world.staff:
                response = api_as(user).get(f"{address}?as=student")
                assert (response.status_code, response.content) == (200, wanted.content), address
                assert api_as(user).get(address).content != wanted.content

    def test_a_student_may_ask_for_it_too(self, world: World, api_as: ApiAs) -> None:
        api = api_as(world.student)
        for address in self.addresses(world):
            assert api.get(f"{address}?as=student").content == api.get(address).content

    def test_what_students_do_not_see_is_not_there(self, world: World, api_as: ApiAs) -> None:
        api = api_as(world.owner)
        Problem.objects.filter(pk=world.foreign_problem.pk).update(course=world.course, audience="exam_only")
        for problem in (world.draft, world.foreign_problem):
            assert api.get(f"{V1}/problems/{problem.pk}/").status_code == 200
            assert refusal(api.get(f"{V1}/problems/{problem.pk}/?as=student")) == (404, "not_found")
        Chapter.objects.filter(pk=world.chapter.pk).update(status="draft")
        assert refusal(api.get(f"{V1}/chapters/{world.chapter.pk}/?as=student")) == (404, "not_found")

    @pytest.mark.parametrize("status", ["draft", "archived"])
    def test_nor_is_anything_of_an_unpublished_course(self, world: World, api_as: ApiAs, status: str) -> None:
        Course.objects.filter(pk=world.course.pk).update(status=status)
        for address in self.addresses(world):
            assert refusal(api_as(world.owner).get(f"{address}?as=student")) == (404, "not_found")

    def test_what_is_locked_for_a_fresh_student_is_locked(self, world: World, api_as: ApiAs) -> None:
        other = ChoiceProblemFactory(problem__course=world.course).problem
        UnlockRequirementFactory(problem=world.problem, required_problem=other)
        address = f"{V1}/problems/{world.problem.pk}/"
        fresh = EnrollmentFactory(course=world.course).user
        told, wanted = api_as(world.owner).get(f"{address}?as=student"), api_as(fresh).get(address)
        assert refusal(told) == refusal(wanted) == (403, "problem_locked")
        assert told.json()["lock"] == wanted.json()["lock"]
        assert api_as(world.owner).get(address).status_code == 200

    def test_nobody_else_can_be_previewed(self, world: World, api_as: ApiAs) -> None:
        for role in ("instructor", "", "1"):
            response = api_as(world.owner).get(f"{V1}/problems/{world.problem.pk}/?as={role}")
            assert faults(response) == [("#/as", "invalid_choice")]

    def test_strangers_learn_nothing_by_it(self, world: World, api_as: ApiAs) -> None:
        addresses = self.addresses(world)
        for user in world.strangers:
            for address in addresses:
                assert refusal(api_as(user).get(f"{address}?as=student")) == (404, "not_found")

    def test_control_a_preview_that_asks_nothing_shows_drafts(
        self, world: World, api_as: ApiAs, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(problem_views, "is_seen_by_students", lambda row: True)
        assert api_as(world.owner).get(f"{V1}/problems/{world.draft.pk}/?as=student").status_code == 200


class TestTexts:
    @pytest.fixture
    def texts(self, world: World) -> dict[str, str]:
        """Where each text is shown as HTML: the address, by the field."""
        Course.objects.filter(pk=world.course.pk).update(description=HOSTILE)
        Chapter.objects.filter(pk=world.chapter.pk).update(description=HOSTILE)
        Problem.objects.filter(pk=world.problem.pk).update(statement=HOSTILE)
        return {
            f"{V1}/courses/{world.course.pk}/": "description",
            f"{V1}/chapters/{world.chapter.pk}/": "description",
            f"{V1}/problems/{world.problem.pk}/": "statement",
        }

    def test_are_rendered_and_sanitized(self, world: World, api_as: ApiAs, texts: dict[str, str]) -> None:
        for user in (world.student, world.instructor):
            for address, field in texts.items():
                shown = api_as(user).get(address).json()
                html = shown[f"{field}_html"]
                assert "<h1>Hi</h1>" in html
                assert "<strong>bold</strong>" in html
                assert "<script" not in html
                assert "javascript:" not in html.split("href=")[-1][:20]
                # What the author wrote is there as they wrote it.
                assert shown[field] == HOSTILE

    def test_control_unrendered_they_would_be_hostile(
        self, world: World, api_as: ApiAs, texts: dict[str, str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("courses.api.shown.texts.render_markdown", lambda text: text)
        for address, field in texts.items():
            assert "<script" in api_as(world.student).get(address).json()[f"{field}_html"]

    def test_have_a_greatest_length(self, world: World, api_as: ApiAs) -> None:
        api = api_as(world.owner)
        bodies: list[tuple[str, str]] = [
            (f"{V1}/courses/{world.course.pk}/", "description"),
            (f"{V1}/chapters/{world.chapter.pk}/", "description"),
            (f"{V1}/problems/{world.problem.pk}/", "statement"),
        ]
        for address, field in bodies:
            assert faults(api.patch(address, {field: "x" * 100_001})) == [(f"#/{field}", "max_length")]
            changed: Any = api.patch(address, {field: "x" * 100_000})
            assert changed.status_code == 200
