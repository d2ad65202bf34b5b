"""Choices as their authors write them: every fault by its place, and who is shown what."""

import json
from typing import Any

import pytest
from rest_framework.test import APIClient

from accounts.models import AuditEvent
from courses import services
from courses.answer_keys import ChoiceSpec
from courses.models import ChoiceProblem, Problem
from courses.rules.choice import OPTION_CHARS_MAX
from tests.courses.conftest import World
from tests.courses.factories import ChoiceProblemFactory, ProblemFactory
from tests.courses.refusals import ApiAs, faults, refused

V1 = "/api/v1"
CHOICE = {"options": ["red", "green", "blue"], "answers": ["A", "C"], "is_multiple": True}


@pytest.fixture
def api(world: World, api_as: ApiAs) -> APIClient:
    return api_as(world.instructor)


def body(**choice: Any) -> dict[str, Any]:
    return {"type": "choice", "title": "Colors", "slug": "colors", "choice": {**CHOICE, **choice}}


class TestCreate:
    def test_everything_is_kept(self, world: World, api: APIClient) -> None:
        response = api.post(
            f"{V1}/courses/{world.course.pk}/problems/",
            {**body(scoring="right_minus_wrong"), "author_notes": "Why not.", "status": "published"},
        )
        assert response.status_code == 201
        shown = response.json()
        assert shown["choice"] == {
            **CHOICE,
            "options_html": ["<p>red</p>\n", "<p>green</p>\n", "<p>blue</p>\n"],
            "scoring": "right_minus_wrong",
        }
        assert (shown["type"], shown["algorithm"], shown["fillblank"]) == ("choice", None, None)
        assert (shown["author_notes"], shown["sample_tests"]) == ("Why not.", [])
        assert api.get(f"{V1}/problems/{shown['id']}/").json() == shown
        row = ChoiceProblem.objects.get(problem=shown["id"])
        assert (row.options, row.option_count, row.answers) == (["red", "green", "blue"], 3, "AC")

    def test_spaces_in_options_stay(self, world: World, api: APIClient) -> None:
        options = ["    code\n", "text"]
        response = api.post(f"{V1}/courses/{world.course.pk}/problems/", body(options=options, answers=["A"]))
        assert response.json()["choice"]["options"] == options

    def test_a_hostile_option_is_rendered_harmless(self, world: World, api: APIClient) -> None:
        options = ["<script>alert(1)</script>", "[x](javascript:alert(1))"]
        html = api.post(f"{V1}/courses/{world.course.pk}/problems/", body(options=options, answers=["A"])).json()
        assert not any(word in "".join(html["choice"]["options_html"]) for word in ("<script", 'href="javascript'))

    @pytest.mark.parametrize(
        ("choice", "fault"),
        [
            ({"options": ["one"], "answers": ["A"]}, ("options", "min_length")),
            ({"options": ["x"] * 27}, ("options", "max_length")),
            ({"options": ["x", " "], "answers": ["A"]}, ("options/1", "blank")),
            ({"options": ["x", "y", "x"]}, ("options/2", "duplicate")),
            ({"options": ["x", "y" * (OPTION_CHARS_MAX + 1)], "answers": ["A"]}, ("options/1", "max_length")),
            ({"options": "red"}, ("options", "not_a_list")),
            ({"options": ["x", None]}, ("options/1", "null")),
            ({"options": ["x", "y\0", "z"]}, ("options/1", "null_characters_not_allowed")),
            ({"answers": []}, ("answers", "required")),
            ({"answers": ["A", "B"], "is_multiple": False}, ("answers", "one_answer")),
            ({"answers": ["A", "D"]}, ("answers/1", "unknown_option")),
            ({"answers": ["AC"]}, ("answers/0", "unknown_option")),
            ({"answers": ["A", "A"]}, ("answers/1", "duplicate")),
            ({"answers": ["a"]}, ("answers/0", "unknown_option")),
            ({"scoring": "half"}, ("scoring", "invalid_choice")),
            ({"option_count": 3}, ("option_count", "unknown_field")),
            ({"answer": "A"}, ("answer", "unknown_field")),
        ],
    )
    def test_each_fault_is_named(
        self, world: World, api: APIClient, choice: dict[str, Any], fault: tuple[str, str]
    ) -> None:
        existing = ChoiceProblemFactory(problem__course=world.course, **{**CHOICE, "answers": "AC"})
        before = [*Problem.objects.values(), *ChoiceProblem.objects.values()]
        wanted = [(f"#/choice/{fault[0]}", fault[1])]
        assert faults(api.post(f"{V1}/courses/{world.course.pk}/problems/", body(**choice))) == wanted
        changed = {**CHOICE, **choice}
        assert faults(api.patch(f"{V1}/problems/{existing.problem.pk}/", {"choice": changed})) == wanted
        assert [*Problem.objects.values(), *ChoiceProblem.objects.values()] == before

    def test_all_faults_at_once(self, world: World) -> None:
        with refused(
            ("#/title", "blank"),
            ("#/slug", "unique"),
            ("#/choice/options/1", "blank"),
            ("#/choice/answers/0", "unknown_option"),
        ):
            services.problem_create(
                actor=world.owner,
                course_id=world.course.pk,
                title="",
                slug=world.problem.slug,
                type="choice",
                choice=ChoiceSpec(options=["x", ""], answers=["Z"]),
            )

    @pytest.mark.parametrize(
        ("parts", "wanted"),
        [
            ({}, [("#/choice", "required")]),
            ({"algorithm": {}}, [("#/algorithm", "not_algorithm"), ("#/choice", "required")]),
            ({"choice": CHOICE, "algorithm": {}}, [("#/algorithm", "not_algorithm")]),
            ({"choice": CHOICE, "fillblank": {}}, [("#/fillblank", "not_fillblank")]),
            ({"choice": None}, [("#/choice", "null")]),
        ],
    )
    def test_exactly_the_part_that_fits(
        self, world: World, api: APIClient, parts: dict[str, Any], wanted: list[tuple[str, str]]
    ) -> None:
        given = {"type": "choice", "title": "A", "slug": "a", **parts}
        assert faults(api.post(f"{V1}/courses/{world.course.pk}/problems/", given)) == wanted

    def test_without_a_type_it_is_answered_with_a_program(self, world: World, api: APIClient) -> None:
        given = {"title": "A", "slug": "a", "choice": CHOICE}
        assert faults(api.post(f"{V1}/courses/{world.course.pk}/problems/", given)) == [
            ("#/choice", "not_choice"),
            ("#/algorithm", "required"),
        ]

    def test_an_unknown_type(self, world: World) -> None:
        with refused(("#/type", "invalid_choice"), ("#/choice", "not_choice")):
            services.problem_create(
                actor=world.owner,
                course_id=world.course.pk,
                title="A",
                slug="a",
                type="essay",
                choice=ChoiceSpec(options=["x", "y"], answers=["A"]),
            )


class TestUpdate:
    @pytest.fixture
    def choice(self, world: World) -> ChoiceProblem:
        row: ChoiceProblem = ChoiceProblemFactory(problem__course=world.course)
        return row

    def test_only_what_is_given_changes(self, api: APIClient, choice: ChoiceProblem) -> None:
        address = f"{V1}/problems/{choice.problem.pk}/"
        before = api.get(address).json()
        after = api.patch(address, {"author_notes": "New.", "choice": {"answers": ["D", "B"]}}).json()
        assert after.pop("updated_at") > before.pop("updated_at")
        assert after == {**before, "author_notes": "New.", "choice": {**before["choice"], "answers": ["B", "D"]}}

    def test_the_key_stays_among_the_options(self, api: APIClient, choice: ChoiceProblem) -> None:
        response = api.patch(f"{V1}/problems/{choice.problem.pk}/", {"choice": {"options": ["x", "y"]}})
        assert faults(response) == [("#/choice/answers/1", "unknown_option")]

    def test_the_same_said_in_another_order_changes_nothing(self, world: World, choice: ChoiceProblem) -> None:
        before = choice.problem.updated_at
        services.problem_update(actor=world.owner, problem_id=choice.problem.pk, choice={"answers": ["C", "A"]})
        assert Problem.objects.get(pk=choice.problem.pk).updated_at == before
        assert not AuditEvent.objects.exists()

    @pytest.mark.parametrize("part", ["algorithm", "fillblank"])
    def test_it_has_no_other_part(self, api: APIClient, choice: ChoiceProblem, part: str) -> None:
        response = api.patch(f"{V1}/problems/{choice.problem.pk}/", {part: {}})
        assert faults(response) == [(f"#/{part}", f"not_{part}")]

    def test_the_audit_quotes_no_key_and_no_notes(self, world: World, api: APIClient, choice: ChoiceProblem) -> None:
        notes = "the third is right"
        api.post(f"{V1}/courses/{world.course.pk}/problems/", {**body(), "author_notes": notes})
        changes = {"author_notes": notes, "choice": {"answers": ["B"], "is_multiple": False}}
        api.patch(f"{V1}/problems/{choice.problem.pk}/", changes)
        created, updated = AuditEvent.objects.order_by("pk")
        assert created.changes["choice"][1]["answers"] == created.changes["author_notes"][1] == "(not quoted)"
        assert created.changes["choice"][1]["options"] == CHOICE["options"]
        assert updated.changes["choice.answers"] == updated.changes["author_notes"] == ["(not quoted)"] * 2
        assert updated.changes["choice.is_multiple"] == [True, False]
        assert notes not in json.dumps([created.changes, updated.changes])


class TestPublishing:
    def test_nobody_could_answer_a_problem_without_tests(self, world: World, api: APIClient) -> None:
        given = {"title": "A", "slug": "a", "algorithm": {}}
        problem = api.post(f"{V1}/courses/{world.course.pk}/problems/", given).json()["id"]
        address = f"{V1}/problems/{problem}/"
        assert faults(api.patch(address, {"status": "published"})) == [("#/status", "not_answerable")]
        assert api.get(address).json()["status"] == "draft"
        api.post(f"{address}test-sets/", {"test_cases": [{"input": "1", "expected_output": "1"}]})
        assert api.patch(address, {"status": "published"}).json()["status"] == "published"

    @pytest.mark.parametrize("type_", Problem.Type.values)
    def test_nor_one_without_its_part(self, world: World, api: APIClient, type_: str) -> None:
        problem = ProblemFactory(course=world.course, type=type_, status="draft")
        response = api.patch(f"{V1}/problems/{problem.pk}/", {"status": "published"})
        assert faults(response) == [("#/status", "not_answerable")]

    def test_a_choice_is_published_at_once(self, world: World, api: APIClient) -> None:
        problem = ChoiceProblemFactory(problem__course=world.course, problem__status="draft").problem
        assert api.patch(f"{V1}/problems/{problem.pk}/", {"status": "published"}).status_code == 200


class TestShown:
    def test_a_student_sees_the_options_and_no_key(self, world: World, api_as: ApiAs) -> None:
        choice = ChoiceProblemFactory(problem__course=world.course, problem__author_notes="C, of course")
        api = api_as(world.student)
        shown = api.get(f"{V1}/problems/{choice.problem.pk}/").json()
        assert shown["choice"] == {
            "options": ["two", "four", "three", "nine"],
            "options_html": ["<p>two</p>\n", "<p>four</p>\n", "<p>three</p>\n", "<p>nine</p>\n"],
            "is_multiple": True,
            "scoring": "right_minus_wrong",
        }
        assert "author_notes" not in shown
        listed = api.get(f"{V1}/courses/{world.course.pk}/problems/?type=choice").json()["results"]
        assert [(row["id"], row["type"]) for row in listed] == [(choice.problem.pk, "choice")]
        assert not {"choice", "fillblank", "author_notes"} & {*listed[0]}
