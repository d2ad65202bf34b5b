"""Texts with blanks as their authors write them: every fault by its place, and who is shown what."""

from typing import Any

import pytest
from rest_framework.test import APIClient

from accounts.models import AuditEvent
from courses.models import FillBlankProblem, Problem
from tests.courses.conftest import World
from tests.courses.factories import FillBlankProblemFactory
from tests.courses.refusals import ApiAs, faults

V1 = "/api/v1"
SECRET = "hunter2"
FULL = {
    "accepted": ["3.14", "22/7"],
    "match": "text",
    "ignores_case": True,
    "spaces": "collapse",
    "tolerance": None,
    "relative_tolerance": None,
    "score": "2.5",
}
NUMBER = {
    "accepted": ["3.14"],
    "match": "number",
    "ignores_case": False,
    "spaces": "trim",
    "tolerance": "0.000001",
    "relative_tolerance": "0.01",
    "score": "1",
}


@pytest.fixture
def api(world: World, api_as: ApiAs) -> APIClient:
    return api_as(world.instructor)


def body(text: str, *blanks: Any) -> dict[str, Any]:
    part = {"text": text, "blanks": list(blanks)}
    return {"type": "fillblank", "title": "Pi", "slug": "pi", "fillblank": part}


class TestCreate:
    def test_everything_is_kept(self, world: World, api: APIClient) -> None:
        given = body("Pi is {{1}}, **or** {{2}}.", FULL, {**NUMBER, "tolerance": 1e-6, "relative_tolerance": 0.01})
        response = api.post(f"{V1}/courses/{world.course.pk}/problems/", {**given, "status": "published"})
        assert response.status_code == 201
        shown = response.json()
        assert shown["fillblank"] == {
            "text": "Pi is {{1}}, **or** {{2}}.",
            "text_html": "<p>Pi is {{1}}, <strong>or</strong> {{2}}.</p>\n",
            "blank_count": 2,
            "blanks": [FULL, NUMBER],
        }
        assert (shown["type"], shown["algorithm"], shown["choice"]) == ("fillblank", None, None)
        assert api.get(f"{V1}/problems/{shown['id']}/").json() == shown
        # What staff are shown can be sent back.
        again = api.patch(f"{V1}/problems/{shown['id']}/", {"fillblank": {"blanks": shown["fillblank"]["blanks"]}})
        assert again.json() == shown
        assert AuditEvent.objects.count() == 1

    def test_what_is_not_said(self, world: World, api: APIClient) -> None:
        shown = api.post(
            f"{V1}/courses/{world.course.pk}/problems/", body("Pi is {{1}}.", {"accepted": ["3.14"]})
        ).json()
        assert shown["fillblank"]["blanks"] == [
            {
                "accepted": ["3.14"],
                "match": "text",
                "ignores_case": False,
                "spaces": "trim",
                "tolerance": None,
                "relative_tolerance": None,
                "score": "1",
            }
        ]

    @pytest.mark.parametrize(
        ("text", "blanks", "fault"),
        [
            ("No blank.", [], ("text", "no_blanks")),
            ("", [], ("text", "no_blanks")),
            ("{{1}} {{2}}", [{"accepted": ["x"]}], ("text", "blank_unknown")),
            ("{{1}} {{1}}", [{"accepted": ["x"]}], ("text", "blank_repeated")),
            ("{{1}}" + "x" * 100_000, [{"accepted": ["x"]}], ("text", "max_length")),
            ("{{1}}", [{"accepted": ["x"]}, {"accepted": ["y"]}], ("blanks/1", "blank_missing")),
            ("{{1}}", [{"accepted": ["x"]}] * 51, ("blanks", "max_length")),
            ("{{1}}", [{"accepted": []}], ("blanks/0/accepted", "required")),
            ("{{1}}", [{}], ("blanks/0/accepted", "required")),
            ("{{1}}", [{"accepted": ["x"] * 21}], ("blanks/0/accepted", "max_length")),
            ("{{1}}", [{"accepted": ["x", " "]}], ("blanks/0/accepted/1", "blank")),
            ("{{1}}", [{"accepted": ["x", "y" * 1001]}], ("blanks/0/accepted/1", "max_length")),
            ("{{1}}", [{"accepted": ["x", "y\0"]}], ("blanks/0/accepted/1", "null_characters_not_allowed")),
            ("{{1}}", [{"accepted": ["x", "("], "match": "regex"}], ("blanks/0/accepted/1", "regex_invalid")),
            ("{{1}}", [{"accepted": [r"(a)\1"], "match": "regex"}], ("blanks/0/accepted/0", "regex_invalid")),
            ("{{1}}", [{"accepted": ["1", "ten"], "match": "number"}], ("blanks/0/accepted/1", "number_invalid")),
            ("{{1}}", [{"accepted": ["x"], "match": "fuzzy"}], ("blanks/0/match", "invalid_choice")),
            ("{{1}}", [{"accepted": ["x"], "spaces": "some"}], ("blanks/0/spaces", "invalid_choice")),
            ("{{1}}", [{"accepted": ["x"], "tolerance": 1}], ("blanks/0/tolerance", "tolerance_without_number")),
            (
                "{{1}}",
                [{"accepted": ["1"], "match": "number", "tolerance": -1}],
                ("blanks/0/tolerance", "invalid"),
            ),
            (
                "{{1}}",
                [{"accepted": ["1"], "match": "number", "relative_tolerance": "1e999999999"}],
                ("blanks/0/relative_tolerance", "invalid"),
            ),
            ("{{1}}", [{"accepted": ["x"], "score": 0}], ("blanks/0/score", "invalid")),
            ("{{1}}", [{"accepted": ["x"], "score": "1e999999999"}], ("blanks/0/score", "invalid")),
            ("{{1}}", [{"accepted": ["x"], "score": "0.0001"}], ("blanks/0/score", "invalid")),
            ("{{1}}", [{"accepted": ["x"], "score": "NaN"}], ("blanks/0/score", "invalid")),
            ("{{1}}", [{"accepted": ["x"], "scores": 1}], ("blanks/0/scores", "unknown_field")),
            ("{{1}}", [["x"]], ("blanks/0", "invalid")),
        ],
    )
    def test_each_fault_is_named(
        self, world: World, api: APIClient, text: str, blanks: list[Any], fault: tuple[str, str]
    ) -> None:
        existing = FillBlankProblemFactory(problem__course=world.course)
        before = [*Problem.objects.values(), *FillBlankProblem.objects.values()]
        wanted = [(f"#/fillblank/{fault[0]}", fault[1])]
        given = body(text, *blanks)
        assert faults(api.post(f"{V1}/courses/{world.course.pk}/problems/", given)) == wanted
        changed = {"fillblank": given["fillblank"]}
        assert faults(api.patch(f"{V1}/problems/{existing.problem.pk}/", changed)) == wanted
        assert [*Problem.objects.values(), *FillBlankProblem.objects.values()] == before

    def test_the_part_is_required(self, world: World, api: APIClient) -> None:
        given = {"type": "fillblank", "title": "A", "slug": "a"}
        assert faults(api.post(f"{V1}/courses/{world.course.pk}/problems/", given)) == [("#/fillblank", "required")]


class TestUpdate:
    def test_a_text_keeps_its_blanks(self, world: World, api: APIClient) -> None:
        row = FillBlankProblemFactory(problem__course=world.course)
        address = f"{V1}/problems/{row.problem.pk}/"
        assert faults(api.patch(address, {"fillblank": {"text": "Only {{1}}."}})) == [
            ("#/fillblank/blanks/1", "blank_missing")
        ]
        shown = api.patch(address, {"fillblank": {"text": "{{2}} and {{1}}."}}).json()["fillblank"]
        assert (shown["text"], [blank["score"] for blank in shown["blanks"]]) == ("{{2}} and {{1}}.", ["1", "3"])

    def test_the_audit_quotes_no_accepted_answer(self, world: World, api: APIClient) -> None:
        problem = api.post(f"{V1}/courses/{world.course.pk}/problems/", body("{{1}}", {"accepted": [SECRET]})).json()
        part = {"text": "It is {{1}}.", "blanks": [{"accepted": [SECRET, "x"]}]}
        api.patch(f"{V1}/problems/{problem['id']}/", {"fillblank": part})
        created, updated = AuditEvent.objects.order_by("pk")
        assert created.changes["fillblank"] == [None, {"text": "{{1}}", "blanks": "(not quoted)", "blank_count": 1}]
        assert updated.changes == {
            "fillblank.text": ["{{1}}", "It is {{1}}."],
            "fillblank.blanks": ["(not quoted)", "(not quoted)"],
        }


class TestShown:
    def test_a_student_sees_the_text_and_what_blanks_are_worth(self, world: World, api_as: ApiAs) -> None:
        blanks = [{**NUMBER, "score": "2.5"}, {"accepted": [SECRET]}]
        row = FillBlankProblemFactory(problem__course=world.course, blanks=blanks)
        shown = api_as(world.student).get(f"{V1}/problems/{row.problem.pk}/").json()
        assert shown["fillblank"] == {
            "text": row.text,
            "text_html": f"<p>{row.text}</p>\n",
            "blank_count": 2,
            "blanks": [{"score": "2.5"}, {"score": "1"}],
        }
