"""What is right is in no answer to a student: not before they answer, not after, and not in what is refused."""

from collections.abc import Iterator
from typing import Any

import pytest
from pytest_django import Settings
from rest_framework.test import APIClient

from courses.api.shown import basics
from courses.api.views import problems as problem_views
from courses.models import Problem
from tests.courses.conftest import World
from tests.courses.factories import (
    ChapterProblemFactory,
    ChoiceProblemFactory,
    EnrollmentFactory,
    FillBlankProblemFactory,
    PracticeAnswerFactory,
)
from tests.courses.refusals import ApiAs

V1 = "/api/v1"
CANARY = "canary"
TOLERANCE = "731.937"
EXTRAS = ("", "?as=staff", "?expand=answers,blanks", "?fields=answers", "?page_size=200", "?search=canary")
FILTERS = ("", "?type=choice", "?type=fillblank", "?status=published", "?is_correct=true", "?is_correct=false")


@pytest.fixture(autouse=True)
def no_quota(settings: Settings) -> None:
    settings.COURSES_CHECKS_PER_WINDOW = 10**6


@pytest.fixture
def problems(world: World) -> list[Problem]:
    """Of each kind of key one, with words planted in all that only authors know."""
    blanks = [
        [{"accepted": [f"{CANARY}-text", f"{CANARY}-other"], "ignores_case": True, "spaces": "collapse"}],
        [{"accepted": [f"{CANARY}-[a-z]+"], "match": "regex"}],
        [{"accepted": ["271.828"], "match": "number", "tolerance": TOLERANCE}],
    ]
    parts: list[Any] = [
        ChoiceProblemFactory(problem__course=world.course),
        ChoiceProblemFactory(problem__course=world.course, answers="D", is_multiple=False),
        *(FillBlankProblemFactory(problem__course=world.course, text="It is {{1}}.", blanks=each) for each in blanks),
    ]
    found = [part.problem for part in parts]
    Problem.objects.filter(pk__in=[problem.pk for problem in found]).update(author_notes=f"{CANARY}-notes")
    peer = EnrollmentFactory(course=world.course).user
    for problem in found:
        ChapterProblemFactory(chapter=world.chapter, problem=problem)
        PracticeAnswerFactory(problem=problem, user=peer, answer={"blanks": [f"{CANARY}-peer"]})
    return found


def answers(api: APIClient, world: World, problems: list[Problem]) -> Iterator[tuple[str, Any]]:
    """What every address about these problems answers, asked in every way, and to answers right, wrong and absurd."""
    lists = (f"{V1}/courses/{world.course.pk}/problems/", f"{V1}/chapters/{world.chapter.pk}/")
    for address in (*lists, *(f"{V1}/problems/{problem.pk}/{end}" for problem in problems for end in ("", "answers/"))):
        for query in {*EXTRAS, *FILTERS}:
            yield address + query, api.get(address + query)
        yield f"patch {address}", api.patch(address, {"status": "archived"})
    for problem in problems:
        for given in (
            *({"chosen": chosen} for chosen in ([], ["A"], ["A", "C"], ["D"], ["Z"], ["A"] * 30)),
            *({"blanks": texts} for texts in ([], [""], ["x"], ["271.828"], ["(" * 500], ["x"] * 60)),
            {},
        ):
            yield f"check {given}", api.post(f"{V1}/problems/{problem.pk}/check/", {"answer": given})


def leak(api: APIClient, world: World, problems: list[Problem]) -> str | None:
    """The first answer that holds a planted word, or a field with which a key or a rule of comparison is told."""
    for name, response in answers(api, world, problems):
        text = response.content.decode()
        keys = ("accepted", "ignores_case", "tolerance", "author_notes")
        if any(word in text for word in (f"{CANARY}-", TOLERANCE, *(f'"{key}"' for key in keys))):
            return name
        if response.status_code == 200 and "answers" in (response.json().get("choice") or {}):
            return name
    return None


class TestSecrets:
    def test_a_student_meets_none(self, world: World, api_as: ApiAs, problems: list[Problem]) -> None:
        assert leak(api_as(world.student), world, problems) is None

    def test_control_staff_meet_them(self, world: World, api_as: ApiAs, problems: list[Problem]) -> None:
        api = api_as(world.assistant)
        texts = "".join(api.get(f"{V1}/problems/{problem.pk}/").content.decode() for problem in problems)
        for word in (
            f"{CANARY}-text",
            f"{CANARY}-[a-z]+",
            "271.828",
            TOLERANCE,
            f"{CANARY}-notes",
            '"answers":["A","C"]',
        ):
            assert word in texts, word
        assert f"{CANARY}-peer" in api.get(f"{V1}/problems/{problems[0].pk}/answers/").content.decode()

    def test_control_what_staff_see_shown_to_students_is_noticed(
        self, world: World, api_as: ApiAs, problems: list[Problem], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(problem_views.shown, "ProblemForStudentSerializer", basics.ProblemForStaffSerializer)
        assert leak(api_as(world.student), world, problems) is not None

    def test_a_mark_tells_the_same_whatever_else_is_right(
        self, world: World, api_as: ApiAs, problems: list[Problem]
    ) -> None:
        """Two keys that give an answer the same mark give the same answer, byte for byte but for ids and times."""
        api = api_as(world.student)

        def told(answers: str) -> dict[str, Any]:
            part = ChoiceProblemFactory(problem__course=world.course, answers=answers)
            shown = api.post(f"{V1}/problems/{part.problem.pk}/check/", {"answer": {"chosen": ["A"]}}).json()
            return {name: value for name, value in shown.items() if name not in ("id", "received_at")}

        assert told("AB") == told("AC") == told("AD")
        assert told("B") == told("BCD")
