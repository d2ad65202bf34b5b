"""Drafts: one's own, saved as one types, and never overwritten unseen."""

import pytest
from rest_framework.test import APIClient

from accounts.models import User
from courses.models import CodeDraft, Problem, UnlockRequirement
from tests.courses.conftest import World
from tests.courses.factories import CodeDraftFactory, ProblemFactory
from tests.courses.refusals import ApiAs, faults, refusal

KIB = 1024


@pytest.fixture
def api(world: World, api_as: ApiAs) -> APIClient:
    return api_as(world.student)


def address(problem: Problem, language: str = "python") -> str:
    return f"/api/v1/problems/{problem.pk}/drafts/{language}/"


def versions(problem: Problem, user: User) -> list[tuple[str, int]]:
    return list(CodeDraft.objects.filter(problem=problem, user=user).values_list("code", "version"))


class TestSaving:
    def test_the_first_the_next_and_the_same_again(self, world: World, api: APIClient) -> None:
        found = [
            api.put(address(world.problem), {"code": code, "version": version}).json()["version"]
            for code, version in [("a", 0), ("ab", 1), ("ab", 2), ("ab", 1), ("abc", 2)]
        ]
        assert found == [1, 2, 2, 2, 3]

    def test_what_is_answered(self, world: World, api: APIClient) -> None:
        saved = api.put(address(world.problem), {"code": " x\n", "version": 0}).json()
        assert saved == api.get(address(world.problem)).json()
        assert saved.keys() == {"problem", "language", "code", "version", "updated_at"}
        assert (saved["code"], saved["language"], saved["problem"]) == (" x\n", "python", world.problem.pk)

    @pytest.mark.parametrize("version", [0, 1, 3])
    def test_based_on_another_version_it_is_a_conflict_with_both_texts(
        self, version: int, world: World, api: APIClient
    ) -> None:
        CodeDraftFactory(user=world.student, problem=world.problem, code="theirs", version=2)
        response = api.put(address(world.problem), {"code": "mine", "version": version})
        assert refusal(response) == (409, "draft_conflict")
        body = response.json()
        assert body["yours"] == {"code": "mine", "version": version}
        assert body["current"].keys() == {"code", "version", "updated_at"}
        assert (body["current"]["code"], body["current"]["version"]) == ("theirs", 2)
        assert versions(world.problem, world.student) == [("theirs", 2)]

    def test_based_on_one_that_was_never_there(self, world: World, api: APIClient) -> None:
        response = api.put(address(world.problem), {"code": "mine", "version": 1})
        assert refusal(response) == (409, "draft_conflict")
        assert response.json()["current"]["version"] == 0
        assert not CodeDraft.objects.exists()

    def test_each_language_has_its_own(self, world: World, api: APIClient) -> None:
        for language in ("python", "javascript"):
            api.put(address(world.problem, language), {"code": language, "version": 0})
        rows = api.get(f"/api/v1/problems/{world.problem.pk}/drafts/").json()["results"]
        assert [(row["language"], row["version"]) for row in rows] == [("javascript", 1), ("python", 1)]
        assert "code" not in rows[0]

    def test_the_longest(self, world: World, api: APIClient) -> None:
        longest = "é" * (32 * KIB)
        assert api.put(address(world.problem), {"code": longest, "version": 0}).status_code == 200
        response = api.put(address(world.problem), {"code": longest + "x", "version": 1})
        assert faults(response) == [("#/code", "code_too_large")]

    @pytest.mark.parametrize(
        ("body", "fault"),
        [
            ({"version": 0}, ("#/code", "required")),
            ({"code": "x"}, ("#/version", "required")),
            ({"code": "x", "version": -1}, ("#/version", "min_value")),
            ({"code": "x", "version": 2**31}, ("#/version", "max_value")),
            ({"code": "a\x00b", "version": 0}, ("#/code", "null_characters_not_allowed")),
            ({"code": "x", "version": 0, "user": 1}, ("#/user", "unknown_field")),
        ],
    )
    def test_a_body_that_is_none(
        self, body: dict[str, object], fault: tuple[str, str], world: World, api: APIClient
    ) -> None:
        assert faults(api.put(address(world.problem), body)) == [fault]

    @pytest.mark.parametrize("language", ["klingon", "Python", "a b", "x" * 31, "%00"])
    def test_an_unknown_language(self, language: str, world: World, api: APIClient) -> None:
        response = api.put(address(world.problem, language), {"code": "x", "version": 0})
        assert faults(response) == [("#/language", "unknown_language")]

    def test_a_language_that_the_problem_does_not_take(self, world: World, api: APIClient) -> None:
        world.problem.algorithm.languages = ["c"]
        world.problem.algorithm.save()
        response = api.put(address(world.problem), {"code": "x", "version": 0})
        assert faults(response) == [("#/language", "language_not_allowed")]

    def test_a_problem_that_takes_no_code(self, world: World, api: APIClient) -> None:
        problem = ProblemFactory(course=world.course, type=Problem.Type.CHOICE)
        response = api.put(address(problem), {"code": "x", "version": 0})
        assert refusal(response) == (409, "takes_no_code")


class TestDeleting:
    def test_it_is_gone_and_may_begin_anew(self, world: World, api: APIClient) -> None:
        api.put(address(world.problem), {"code": "old", "version": 0})
        for _ in range(2):
            assert api.delete(address(world.problem)).status_code == 204
        assert api.get(address(world.problem)).status_code == 404
        assert api.get(f"/api/v1/problems/{world.problem.pk}/drafts/").json()["results"] == []
        assert api.put(address(world.problem), {"code": "new", "version": 0}).status_code == 200
        assert api.get(address(world.problem)).json()["code"] == "new"

    def test_the_text_is_gone_from_the_database(self, world: World, api: APIClient) -> None:
        api.put(address(world.problem), {"code": "old", "version": 0})
        api.delete(address(world.problem))
        assert not CodeDraft.objects.filter(code__contains="old").exists()

    def test_another_window_that_still_shows_it_is_told(self, world: World, api: APIClient) -> None:
        """Versions go on, so that no number is used for two texts."""
        api.put(address(world.problem), {"code": "old", "version": 0})
        api.delete(address(world.problem))
        api.put(address(world.problem), {"code": "new", "version": 0})
        assert refusal(api.put(address(world.problem), {"code": "old, more", "version": 1})) == (409, "draft_conflict")


class TestWhoseItIs:
    def test_nobody_sees_another_s(self, world: World, api_as: ApiAs) -> None:
        CodeDraftFactory(user=world.student, problem=world.problem, code="secret")
        for user in world.staff:
            assert api_as(user).get(address(world.problem)).status_code == 404
            assert api_as(user).get(f"/api/v1/problems/{world.problem.pk}/drafts/").json()["count"] == 0
            assert api_as(user).delete(address(world.problem)).status_code == 204
        assert versions(world.problem, world.student) == [("secret", 1)]

    def test_nobody_writes_to_another_s(self, world: World, api_as: ApiAs) -> None:
        CodeDraftFactory(user=world.student, problem=world.problem, code="mine")
        api_as(world.instructor).put(address(world.problem), {"code": "theirs", "version": 0})
        assert versions(world.problem, world.student) == [("mine", 1)]
        assert versions(world.problem, world.instructor) == [("theirs", 1)]

    @pytest.mark.parametrize("method", ["get", "put", "delete"])
    def test_what_one_does_not_see_has_none(self, method: str, world: World, api: APIClient) -> None:
        for problem in (world.draft, world.foreign_problem):
            response = getattr(api, method)(address(problem), {"code": "x", "version": 0})
            assert refusal(response) == (404, "not_found")

    @pytest.mark.parametrize("method", ["get", "put", "delete"])
    def test_a_locked_problem_has_none(self, method: str, world: World, api: APIClient, api_as: ApiAs) -> None:
        UnlockRequirement.objects.create(
            course=world.course, problem=world.problem, required_problem=ProblemFactory(course=world.course)
        )
        CodeDraftFactory(user=world.student, problem=world.problem)
        body = {"code": "x", "version": 1}
        assert refusal(getattr(api, method)(address(world.problem), body)) == (403, "problem_locked")
        assert refusal(api.get(f"/api/v1/problems/{world.problem.pk}/drafts/")) == (403, "problem_locked")
        assert versions(world.problem, world.student) == [("print(1)\n", 1)]
        assert (
            getattr(api_as(world.instructor), method)(address(world.problem), body | {"version": 0}).status_code != 403
        )
