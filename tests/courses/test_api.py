"""The API as staff use it: what each route takes, answers and refuses."""

from typing import Any

import pytest
from rest_framework.test import APIClient

from accounts.models import Membership
from courses.models import Chapter, Course, Enrollment, Problem, TestSet
from courses.testdata import TEST_CASES_MAX
from tests.accounts.factories import UserFactory
from tests.courses.conftest import World
from tests.courses.factories import ChapterProblemFactory, CourseFactory, ProblemFactory
from tests.courses.refusals import ApiAs, faults, refusal
from tests.executor.factories import SubmissionFactory

V1 = "/api/v1"
HUGE = 10**30
NUL = "null_characters_not_allowed"


@pytest.fixture
def api(world: World, api_as: ApiAs) -> APIClient:
    return api_as(world.instructor)


class TestCourses:
    def test_create(self, world: World, api_as: ApiAs) -> None:
        body = {"organization": world.organization.pk, "title": "Algorithms", "slug": "algorithms"}
        response = api_as(world.admin).post(f"{V1}/courses/", body)
        assert response.status_code == 201
        course = Course.objects.get(slug="algorithms")
        shown = response.json()
        assert shown.pop("created_at") <= shown.pop("updated_at")
        assert shown == {**shown, **body, "id": course.pk, "description": "", "status": "draft"}

    @pytest.mark.parametrize(
        ("who", "answer"),
        [
            ("instructor", (403, "permission_denied")),
            ("student", (403, "permission_denied")),
            ("foreign_owner", (404, "not_found")),
        ],
    )
    def test_create_is_for_the_organization(
        self, world: World, api_as: ApiAs, who: str, answer: tuple[int, str]
    ) -> None:
        body = {"organization": world.organization.pk, "title": "A", "slug": "a"}
        assert refusal(api_as(getattr(world, who)).post(f"{V1}/courses/", body)) == answer
        assert not Course.objects.filter(slug="a").exists()

    @pytest.mark.parametrize("organization", [10**9, HUGE])
    def test_create_in_a_missing_organization(self, world: World, api_as: ApiAs, organization: int) -> None:
        body = {"organization": organization, "title": "A", "slug": "a"}
        response = api_as(world.owner).post(f"{V1}/courses/", body)
        assert refusal(response) in {(404, "not_found"), (422, "invalid")}

    def test_list_filters(self, world: World, api_as: ApiAs) -> None:
        archived = CourseFactory(organization=world.organization, status="archived")
        api = api_as(world.owner)

        def listed(query: str) -> list[int]:
            return [row["id"] for row in api.get(f"{V1}/courses/{query}").json()["results"]]

        assert sorted(listed("")) == [world.course.pk, archived.pk]
        assert listed("?status=archived") == [archived.pk]
        assert sorted(listed(f"?organization={world.organization.pk}")) == [world.course.pk, archived.pk]
        # A foreign organization answers like a missing one, and like one with a number nothing can have.
        for organization in (world.foreign_course.organization.pk, 10**9, HUGE):
            assert listed(f"?organization={organization}") == []

    def test_filters_are_checked(self, api: APIClient) -> None:
        assert faults(api.get(f"{V1}/courses/?status=gone")) == [("#/status", "invalid_choice")]
        assert faults(api.get(f"{V1}/courses/?organization=x")) == [("#/organization", "invalid")]
        assert faults(api.get(f"{V1}/courses/?owner=1")) == [("#/owner", "unknown_filter")]

    def test_update(self, world: World, api: APIClient) -> None:
        response = api.patch(f"{V1}/courses/{world.course.pk}/", {"title": "New", "status": "archived"})
        assert (response.status_code, response.json()["title"]) == (200, "New")
        world.course.refresh_from_db()
        assert (world.course.title, world.course.status) == ("New", "archived")
        assert api.get(f"{V1}/courses/{world.course.pk}/").json() == response.json()

    def test_a_taken_slug(self, world: World, api: APIClient) -> None:
        other = CourseFactory(organization=world.organization)
        response = api.patch(f"{V1}/courses/{world.course.pk}/", {"slug": other.slug})
        assert faults(response) == [("#/slug", "unique")]


class TestChapters:
    def test_create_list_update_delete(self, world: World, api: APIClient) -> None:
        chapters = f"{V1}/courses/{world.course.pk}/chapters/"
        response = api.post(chapters, {"title": "Second", "description": "More.", "status": "draft"})
        assert response.status_code == 201
        shown = response.json()
        assert shown == {
            "id": shown["id"],
            "course": world.course.pk,
            "title": "Second",
            "description": "More.",
            "status": "draft",
        }
        assert [row["id"] for row in api.get(chapters).json()["results"]] == [world.chapter.pk, shown["id"]]
        address = f"{V1}/chapters/{shown['id']}/"
        assert api.patch(address, {"title": "Third"}).json()["title"] == "Third"
        assert api.get(address).json() == {
            **shown,
            "title": "Third",
            "description_html": "<p>More.</p>\n",
            "problems": [],
        }
        assert api.delete(address).status_code == 204
        assert refusal(api.get(address)) == (404, "not_found")

    def test_its_problems_are_those_one_may_see(self, world: World, api_as: ApiAs) -> None:
        ChapterProblemFactory(chapter=world.chapter, problem=world.draft)
        address = f"{V1}/chapters/{world.chapter.pk}/"

        def seen(who: Any) -> list[int]:
            return [row["problem"]["id"] for row in api_as(who).get(address).json()["problems"]]

        assert sorted(seen(world.assistant)) == [world.problem.pk, world.draft.pk]
        assert seen(world.student) == [world.problem.pk]

    def test_bad_input(self, world: World, api: APIClient) -> None:
        chapters = f"{V1}/courses/{world.course.pk}/chapters/"
        assert faults(api.post(chapters, {})) == [("#/title", "required")]
        assert faults(api.post(chapters, {"title": "a\0"})) == [("#/title", NUL)]
        assert faults(api.post(chapters, {"title": "A", "status": "archived"})) == [("#/status", "invalid_choice")]
        assert faults(api.post(chapters, {"title": "A", "position": "a1"})) == [("#/position", "unknown_field")]
        assert Chapter.objects.filter(course=world.course).count() == 1


class TestPlacements:
    def test_place_move_remove(self, world: World, api: APIClient) -> None:
        placements = f"{V1}/chapters/{world.chapter.pk}/problems/"
        response = api.post(placements, {"problem": world.draft.pk})
        assert response.status_code == 201
        assert response.json() == {"chapter": world.chapter.pk, "problem": world.draft.pk}
        address = f"{placements}{world.draft.pk}/"
        assert api.patch(address, {"after": None}).json() == response.json()
        assert list(world.chapter.problems.order_by("placements__position")) == [world.draft, world.problem]
        assert faults(api.patch(address, {})) == [("#/after", "required")]
        assert faults(api.patch(address, {"after": world.draft.pk})) == [("#/after", "not_a_sibling")]
        assert api.delete(address).status_code == 204
        assert refusal(api.delete(address)) == (404, "not_found")
        assert Problem.objects.filter(pk=world.draft.pk).exists()

    def test_refusals(self, world: World, api: APIClient, api_as: ApiAs) -> None:
        placements = f"{V1}/chapters/{world.chapter.pk}/problems/"
        assert refusal(api.post(placements, {"problem": world.problem.pk})) == (409, "already_placed")
        # To the instructor the other course of their organization is as invisible as the foreign one.
        other = ProblemFactory(course=CourseFactory(organization=world.organization))
        for problem in (other, world.foreign_problem):
            assert refusal(api.post(placements, {"problem": problem.pk})) == (404, "not_found")
        assert faults(api_as(world.owner).post(placements, {"problem": other.pk})) == [("#/problem", "other_course")]
        assert faults(api.post(placements, {"problem": HUGE})) == [("#/problem", "max_value")]


class TestProblems:
    def test_create(self, world: World, api: APIClient) -> None:
        body = {
            "type": "algorithm",
            "title": "Double",
            "slug": "double",
            "statement": "Double it.\n",
            "difficulty": 2,
            "audience": "exam_only",
            "status": "published",
        }
        algorithm = {
            "time_limit_ms": 500,
            "memory_limit_mb": 64,
            "entry_point": "double",
            "value_encoding": "json",
            "checker": "float",
            "checker_options": {"absolute": 0.5},
            "is_partial_credit": False,
            "stops_at_first_failure": True,
            "isolates_tests": True,
            "languages": ["python"],
            "templates": {},
            "preludes": {"python": "import math\n"},
            "postludes": {"python": "assert callable(double)\n"},
            "starter_code": {"python": "def double(n):\n    "},
        }
        response = api.post(f"{V1}/courses/{world.course.pk}/problems/", {**body, "algorithm": algorithm})
        assert response.status_code == 201
        shown = response.json()
        assert shown["algorithm"] == algorithm
        assert {name: shown[name] for name in body} == body
        assert shown["sample_tests"] == []
        assert api.get(f"{V1}/problems/{shown['id']}/").json() == shown

    def test_defaults(self, world: World, api: APIClient) -> None:
        body = {"title": "Least", "slug": "least", "algorithm": {}}
        shown = api.post(f"{V1}/courses/{world.course.pk}/problems/", body).json()
        assert (shown["type"], shown["difficulty"], shown["audience"], shown["status"]) == (
            "algorithm",
            1,
            "course",
            "draft",
        )
        assert (shown["algorithm"]["time_limit_ms"], shown["algorithm"]["checker"]) == (2000, "tokens")

    @pytest.mark.parametrize(
        ("change", "fault"),
        [
            ({"algorithm": {"time_limit_ms": 1}}, ("#/algorithm/time_limit_ms", "min_value")),
            ({"algorithm": {"entry_point": "1st"}}, ("#/algorithm/entry_point", "not_an_identifier")),
            ({"algorithm": {"checker": "vibes"}}, ("#/algorithm/checker", "invalid_choice")),
            ({"algorithm": {"checker_options": {"a\0": 1}}}, ("#/algorithm/checker_options", NUL)),
            ({"algorithm": {"checker_options": {"a b": 1}}}, ("#/algorithm/checker_options", "invalid")),
            ({"algorithm": {"templates": {"c": "\0"}}}, ("#/algorithm/templates/c", NUL)),
            ({"algorithm": {"templates": {"\0": ""}}}, ("#/algorithm/templates", NUL)),
            ({"algorithm": {"templates": {"../c": ""}}}, ("#/algorithm/templates", "invalid")),
            ({"algorithm": {"preludes": {"c": "\0"}}}, ("#/algorithm/preludes/c", NUL)),
            ({"algorithm": {"preludes": {"../c": ""}}}, ("#/algorithm/preludes", "invalid")),
            ({"algorithm": {"postludes": {"c": None}}}, ("#/algorithm/postludes/c", "null")),
            ({"algorithm": {"languages": "python"}}, ("#/algorithm/languages", "not_a_list")),
            ({"algorithm": {"languages": ["c"] * 51}}, ("#/algorithm/languages", "max_length")),
            ({"algorithm": {"reference": ""}}, ("#/algorithm/reference", "unknown_field")),
            ({"algorithm": None}, ("#/algorithm", "null")),
            ({"difficulty": 4}, ("#/difficulty", "invalid_choice")),
            ({"slug": "two words"}, ("#/slug", "invalid")),
            ({"statement": None}, ("#/statement", "null")),
        ],
    )
    def test_bad_input(self, world: World, api: APIClient, change: dict[str, Any], fault: tuple[str, str]) -> None:
        before = [*Problem.objects.values(), *Problem.objects.values("algorithm__templates", "algorithm__checker")]
        body = {"title": "A", "slug": "a", "algorithm": {}, **change}
        assert faults(api.post(f"{V1}/courses/{world.course.pk}/problems/", body)) == [fault]
        assert faults(api.patch(f"{V1}/problems/{world.problem.pk}/", change)) == [fault]
        after = [*Problem.objects.values(), *Problem.objects.values("algorithm__templates", "algorithm__checker")]
        assert after == before

    def test_list_filters(self, world: World, api: APIClient) -> None:
        Problem.objects.filter(pk=world.draft.pk).update(difficulty=3)

        def listed(query: str) -> list[int]:
            response = api.get(f"{V1}/courses/{world.course.pk}/problems/{query}")
            return [row["id"] for row in response.json()["results"]]

        assert listed("") == [world.problem.pk, world.draft.pk]
        assert listed("?difficulty=3") == [world.draft.pk]
        assert listed("?status=published") == [world.problem.pk]
        assert listed("?type=algorithm&difficulty=1") == [world.problem.pk]
        assert listed("?type=choice") == []
        response = api.get(f"{V1}/courses/{world.course.pk}/problems/?template=x")
        assert faults(response) == [("#/template", "unknown_filter")]

    def test_update_a_part(self, world: World, api: APIClient) -> None:
        address = f"{V1}/problems/{world.problem.pk}/"
        before = api.get(address).json()
        changes: dict[str, Any] = {"difficulty": 3, "algorithm": {"memory_limit_mb": 32}}
        after = api.patch(address, changes).json()
        assert after.pop("updated_at") > before.pop("updated_at")
        assert after == {**before, "difficulty": 3, "algorithm": {**before["algorithm"], "memory_limit_mb": 32}}

    def test_delete(self, world: World, api: APIClient) -> None:
        SubmissionFactory(problem=world.problem)
        assert refusal(api.delete(f"{V1}/problems/{world.problem.pk}/")) == (409, "problem_in_use")
        assert api.delete(f"{V1}/problems/{world.draft.pk}/").status_code == 204
        assert list(Problem.objects.filter(course=world.course)) == [world.problem]


class TestTestSets:
    def test_create_list_retrieve(self, world: World, api: APIClient) -> None:
        test_sets = f"{V1}/problems/{world.problem.pk}/test-sets/"
        cases: list[dict[str, Any]] = [
            {"input": " 1 \n", "expected_output": " 2 \n", "is_sample": True, "weight": "1.000", "group": ""},
            {"input": "", "expected_output": None, "is_sample": False, "weight": "0.500", "group": "big"},
            {"input": "", "expected_output": None, "is_sample": False, "weight": "0.500", "group": "huge"},
        ]
        groups: list[dict[str, Any]] = [
            {"name": "big", "aggregate": "min", "points": "40.000", "threshold": None, "requires": []},
            {"name": "huge", "aggregate": "threshold", "points": None, "threshold": "0.5000", "requires": ["big"]},
        ]
        response = api.post(test_sets, {"test_cases": cases, "groups": groups})
        assert response.status_code == 201
        shown = response.json()
        assert (shown["problem"], shown["version"], shown["frozen_at"]) == (world.problem.pk, 2, None)
        assert shown["test_cases"] == [{"order": order, **case} for order, case in enumerate(cases)]
        assert shown["groups"] == groups
        assert api.get(f"{V1}/test-sets/{shown['id']}/").json() == shown
        listed = api.get(test_sets).json()["results"]
        assert [(row["version"], row["test_case_count"]) for row in listed] == [(2, 3), (1, 2)]
        sample = {"input": " 1 \n", "expected_output": " 2 \n"}
        assert api.get(f"{V1}/problems/{world.problem.pk}/").json()["sample_tests"] == [sample]

    @pytest.mark.parametrize(
        ("body", "fault"),
        [
            ({}, ("#/test_cases", "required")),
            ({"test_cases": []}, ("#/test_cases", "empty")),
            ({"test_cases": {}}, ("#/test_cases", "not_a_list")),
            ({"test_cases": [{}] * (TEST_CASES_MAX + 1)}, ("#/test_cases", "max_length")),
            ({"test_cases": [{}, {"weight": -1}]}, ("#/test_cases/1/weight", "min_value")),
            ({"test_cases": [{"weight": "NaN"}]}, ("#/test_cases/0/weight", "invalid")),
            ({"test_cases": [{"input": "\0"}]}, ("#/test_cases/0/input", NUL)),
            ({"test_cases": [{"order": 3}]}, ("#/test_cases/0/order", "unknown_field")),
            ({"test_cases": [{"group": "a"}]}, ("#/test_cases/0/group", "unknown_group")),
            ({"test_cases": [{}], "groups": {}}, ("#/groups", "not_a_list")),
            ({"test_cases": [{}], "groups": [{}]}, ("#/groups/0/name", "required")),
            ({"test_cases": [{}], "groups": [{"name": ""}]}, ("#/groups/0/name", "blank")),
            ({"test_cases": [{}], "groups": [{"name": "a", "score": 1}]}, ("#/groups/0/score", "unknown_field")),
            ({"test_cases": [{}], "groups": [{"name": "a", "points": -1}]}, ("#/groups/0/points", "min_value")),
            ({"test_cases": [{}], "groups": [{"name": "a", "points": "NaN"}]}, ("#/groups/0/points", "invalid")),
            ({"test_cases": [{}], "groups": [{"name": "a", "requires": "b"}]}, ("#/groups/0/requires", "not_a_list")),
            ({"test_cases": [{}], "groups": [{"name": "a"}]}, ("#/groups/0/name", "group_empty")),
            ({"test_cases": [{}], "version": 9}, ("#/version", "unknown_field")),
            ({"test_cases": [{}], "frozen_at": None}, ("#/frozen_at", "unknown_field")),
        ],
        ids=lambda value: None if isinstance(value, dict) else value[0],
    )
    def test_bad_input(self, world: World, api: APIClient, body: Any, fault: tuple[str, str]) -> None:
        assert faults(api.post(f"{V1}/problems/{world.problem.pk}/test-sets/", body)) == [fault]
        assert TestSet.objects.filter(problem=world.problem).count() == 1

    def test_lone_surrogates_are_refused(self, world: World, api: APIClient) -> None:
        response = api.post(
            f"{V1}/problems/{world.problem.pk}/test-sets/",
            r'{"test_cases": [{"input": "\ud800"}]}',
            content_type="application/json",
        )
        assert faults(response) == [("#/test_cases/0/input", "surrogate_characters_not_allowed")]


class TestEnrollments:
    def test_enroll_list_change_remove(self, world: World, api: APIClient) -> None:
        user = UserFactory(username="new", display_name="New Person")
        enrollments = f"{V1}/courses/{world.course.pk}/enrollments/"
        response = api.post(enrollments, {"user": user.email, "role": "assistant"})
        assert response.status_code == 201
        shown = response.json()
        assert shown["user"] == {"id": user.pk, "username": "new", "display_name": "New Person"}
        assert (shown["course"], shown["role"]) == (world.course.pk, "assistant")
        assert Membership.objects.filter(user=user, organization=world.organization, role="member").exists()
        listed = api.get(f"{enrollments}?role=assistant").json()["results"]
        assert [row["user"]["id"] for row in listed] == [world.assistant.pk, user.pk]
        assert user.email not in api.get(enrollments).content.decode()
        address = f"{V1}/enrollments/{shown['id']}/"
        assert api.patch(address, {"role": "student"}).json() == {**shown, "role": "student"}
        assert api.delete(address).status_code == 204
        assert refusal(api.delete(address)) == (404, "not_found")

    def test_refusals(self, world: World, api: APIClient) -> None:
        enrollments = f"{V1}/courses/{world.course.pk}/enrollments/"
        assert faults(api.post(enrollments, {"user": "nobody"})) == [("#/user", "user_unknown")]
        assert faults(api.post(enrollments, {"user": "x", "role": "owner"})) == [("#/role", "invalid_choice")]
        again = {"user": world.student.username}
        assert refusal(api.post(enrollments, again)) == (409, "already_enrolled")
        own = Enrollment.objects.get(user=world.student)
        assert api.patch(f"{V1}/enrollments/{own.pk}/", {}).json()["role"] == "student"
