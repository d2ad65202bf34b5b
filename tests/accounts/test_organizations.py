from collections.abc import Callable
from typing import Any

import pytest
from rest_framework.test import APIClient

from accounts.models import AuditEvent, Membership, Organization, User
from tests.accounts.factories import MembershipFactory, OrganizationFactory, UserFactory
from tests.accounts.signing_in import faults, refusal

LIST = "/api/v1/organizations/"
ROLES = ("owner", "admin", "member")
ApiAs = Callable[[User], APIClient]


def detail(organization: Organization) -> str:
    return f"{LIST}{organization.pk}/"


def members(organization: Organization, user: User | None = None) -> str:
    return f"{detail(organization)}members/" + (f"{user.pk}/" if user else "")


@pytest.fixture
def ulm(db: None) -> Organization:
    organization: Organization = OrganizationFactory(name="Ulm")
    for role in ROLES:
        MembershipFactory(organization=organization, user__username=role, role=role)
    return organization


@pytest.fixture
def people(ulm: Organization) -> dict[str, User]:
    """One for each role, an owner of another organization, a superuser, and somebody without any."""
    MembershipFactory(user__username="stranger", role="owner")
    UserFactory(username="root", is_superuser=True)
    UserFactory(username="nobody")
    return {user.username: user for user in User.objects.all()}


class TestList:
    def test_shows_ones_own_by_name_with_ones_role(
        self, ulm: Organization, people: dict[str, User], api_as: ApiAs
    ) -> None:
        MembershipFactory(user=people["admin"], organization__name="Aachen")
        body = api_as(people["admin"]).get(LIST).json()
        assert [(row["name"], row["role"]) for row in body["results"]] == [("Aachen", "member"), ("Ulm", "admin")]
        assert body["count"] == 2
        assert set(body["results"][0]) == {"id", "name", "slug", "role"}

    def test_shows_a_superuser_all(self, people: dict[str, User], api_as: ApiAs) -> None:
        rows = api_as(people["root"]).get(LIST).json()["results"]
        assert [row["role"] for row in rows] == [None, None]

    def test_shows_others_nothing(self, people: dict[str, User], api_as: ApiAs) -> None:
        assert api_as(people["nobody"]).get(LIST).json()["results"] == []

    def test_costs_the_same_however_many(
        self, people: dict[str, User], api_as: ApiAs, django_assert_num_queries: Any
    ) -> None:
        for expected in (1, 5):
            while people["owner"].memberships.count() < expected:
                MembershipFactory(user=people["owner"])
            with django_assert_num_queries(2):  # the count; the page
                assert len(api_as(people["owner"]).get(LIST).json()["results"]) == expected

    def test_refuses_a_filter_it_does_not_know(self, people: dict[str, User], api_as: ApiAs) -> None:
        response = api_as(people["owner"]).get(LIST, {"nmae": "Ulm"})
        assert refusal(response) == (422, "invalid")
        assert response.json()["errors"][0]["code"] == "unknown_filter"


class TestDetail:
    @pytest.mark.parametrize(
        ("who", "status"), [("owner", 200), ("admin", 200), ("member", 200), ("root", 200), ("stranger", 404)]
    )
    def test_is_for_members(
        self, ulm: Organization, people: dict[str, User], api_as: ApiAs, who: str, status: int
    ) -> None:
        assert api_as(people[who]).get(detail(ulm)).status_code == status

    def test_a_foreign_one_answers_like_a_missing_one(
        self, ulm: Organization, people: dict[str, User], api_as: ApiAs
    ) -> None:
        client = api_as(people["stranger"])
        bodies = []
        for path in (detail(ulm), f"{LIST}{10**9}/"):
            body = client.get(path).json()
            del body["request_id"]
            bodies.append(body)
        assert bodies[0] == bodies[1]

    @pytest.mark.parametrize("number", [2**63 - 1, 2**63, 10**30])
    def test_numbers_no_row_can_have_are_missing(self, people: dict[str, User], api_as: ApiAs, number: int) -> None:
        for path in (f"{LIST}{number}/", f"{LIST}{number}/members/", f"{LIST}{number}/members/{number}/"):
            assert api_as(people["root"]).delete(path).status_code in (404, 405)
            assert api_as(people["root"]).get(path).status_code in (404, 405)


class TestWhoManagesMembers:
    """Strangers get 404 first; members see the organization, so they get 403."""

    @pytest.mark.parametrize(
        ("who", "status", "code"),
        [
            ("owner", 200, ""),
            ("admin", 200, ""),
            ("root", 200, ""),
            ("member", 403, "permission_denied"),
            ("stranger", 404, "not_found"),
            ("nobody", 404, "not_found"),
        ],
    )
    def test_by_role(
        self, ulm: Organization, people: dict[str, User], api_as: ApiAs, who: str, status: int, code: str
    ) -> None:
        client, target = api_as(people[who]), people["member"]
        before = list(Membership.objects.values())
        responses = [client.get(members(ulm))]
        if status != 200:
            responses += [
                client.post(members(ulm), {"user": "nobody"}),
                client.patch(members(ulm, target), {"role": "admin"}),
                client.delete(members(ulm, target)),
            ]
        assert {response.status_code for response in responses} == {status}
        assert {response.json().get("code", "") for response in responses} == {code}
        assert list(Membership.objects.values()) == before

    def test_asks_for_a_sign_in(self, ulm: Organization, people: dict[str, User], anonymous_api: APIClient) -> None:
        for response in (anonymous_api.get(members(ulm)), anonymous_api.delete(members(ulm, people["member"]))):
            assert refusal(response) == (401, "not_authenticated")

    def test_a_role_taken_away_counts_at_once(self, ulm: Organization, people: dict[str, User], api_as: ApiAs) -> None:
        client = api_as(people["admin"])
        assert client.get(members(ulm)).status_code == 200
        Membership.objects.filter(user=people["admin"]).update(role="member")
        assert client.get(members(ulm)).status_code == 403


class TestMembers:
    def test_are_listed_by_username(self, ulm: Organization, people: dict[str, User], api_as: ApiAs) -> None:
        rows = api_as(people["owner"]).get(members(ulm)).json()["results"]
        assert [(row["user"]["username"], row["role"]) for row in rows] == [(role, role) for role in sorted(ROLES)]
        assert set(rows[0]["user"]) == {"id", "username", "email", "display_name"}

    def test_cost_the_same_however_many(
        self, ulm: Organization, people: dict[str, User], api_as: ApiAs, django_assert_num_queries: Any
    ) -> None:
        for expected in (3, 8):
            while ulm.memberships.count() < expected:
                MembershipFactory(organization=ulm)
            with django_assert_num_queries(3):  # may they; the count; the page
                assert len(api_as(people["admin"]).get(members(ulm)).json()["results"]) == expected

    @pytest.mark.parametrize("name", ["nobody", "NOBODY@example.org"])
    def test_are_added_by_name_with_a_record(
        self, ulm: Organization, people: dict[str, User], api_as: ApiAs, name: str
    ) -> None:
        response = api_as(people["admin"]).post(members(ulm), {"user": name, "role": "admin"})
        assert response.status_code == 201
        assert (response.json()["user"]["id"], response.json()["role"]) == (people["nobody"].pk, "admin")
        event = AuditEvent.objects.get()
        assert (event.actor, event.action, event.organization) == (people["admin"], "membership.add", ulm)
        assert event.changes == {"user_id": [people["nobody"].pk] * 2, "role": [None, "admin"]}

    def test_are_plain_members_if_nothing_is_said(
        self, ulm: Organization, people: dict[str, User], api_as: ApiAs
    ) -> None:
        assert api_as(people["admin"]).post(members(ulm), {"user": "nobody"}).json()["role"] == "member"

    @pytest.mark.parametrize(
        ("given", "expected"),
        [
            pytest.param({"user": "who"}, {"#/user": ["user_unknown"]}, id="unknown user"),
            pytest.param({"user": "nobody", "role": "king"}, {"#/role": ["invalid_choice"]}, id="unknown role"),
            pytest.param({"user": "nobody", "id": 1}, {"#/id": ["unknown_field"]}, id="id"),
            pytest.param(
                {"user": "nobody", "is_superuser": True}, {"#/is_superuser": ["unknown_field"]}, id="is_superuser"
            ),
            pytest.param(
                {"user": "nobody", "organization": 1}, {"#/organization": ["unknown_field"]}, id="organization"
            ),
            pytest.param({}, {"#/user": ["required"]}, id="nothing"),
        ],
    )
    def test_a_refused_addition_adds_nobody(
        self,
        ulm: Organization,
        people: dict[str, User],
        api_as: ApiAs,
        given: dict[str, Any],
        expected: dict[str, list[str]],
    ) -> None:
        response = api_as(people["owner"]).post(members(ulm), given)
        assert refusal(response) == (422, "invalid")
        assert faults(response) == expected
        assert ulm.memberships.count() == len(ROLES)

    def test_are_added_once(self, ulm: Organization, people: dict[str, User], api_as: ApiAs) -> None:
        response = api_as(people["owner"]).post(members(ulm), {"user": "member", "role": "admin"})
        assert refusal(response) == (409, "already_member")
        assert ulm.memberships.get(user=people["member"]).role == "member"
        assert not AuditEvent.objects.exists()

    def test_disabled_users_are_not_added(self, ulm: Organization, people: dict[str, User], api_as: ApiAs) -> None:
        User.objects.filter(username="nobody").update(is_active=False)
        response = api_as(people["owner"]).post(members(ulm), {"user": "nobody"})
        assert faults(response) == {"#/user": ["user_unknown"]}

    def test_get_another_role_with_a_record(self, ulm: Organization, people: dict[str, User], api_as: ApiAs) -> None:
        response = api_as(people["admin"]).patch(members(ulm, people["member"]), {"role": "admin"})
        assert (response.status_code, response.json()["role"]) == (200, "admin")
        assert AuditEvent.objects.get().changes["role"] == ["member", "admin"]

    def test_the_same_role_again_is_no_act(self, ulm: Organization, people: dict[str, User], api_as: ApiAs) -> None:
        assert api_as(people["admin"]).patch(members(ulm, people["member"]), {"role": "member"}).status_code == 200
        assert not AuditEvent.objects.exists()

    @pytest.mark.parametrize("given", [{"role": "owner", "user": 1}, {"role": "admin", "id": 1}])
    def test_nothing_but_the_role_is_changed(
        self, ulm: Organization, people: dict[str, User], api_as: ApiAs, given: dict[str, Any]
    ) -> None:
        response = api_as(people["owner"]).patch(members(ulm, people["member"]), given)
        assert list(faults(response).values()) == [["unknown_field"]]
        assert ulm.memberships.get(user=people["member"]).role == "member"

    def test_leave_with_a_record(self, ulm: Organization, people: dict[str, User], api_as: ApiAs) -> None:
        assert api_as(people["admin"]).delete(members(ulm, people["member"])).status_code == 204
        assert not ulm.memberships.filter(user=people["member"]).exists()
        event = AuditEvent.objects.get()
        assert (event.action, event.changes["role"]) == ("membership.remove", ["member", None])

    def test_of_another_organization_are_not_found_here(
        self, ulm: Organization, people: dict[str, User], api_as: ApiAs
    ) -> None:
        client = api_as(people["owner"])
        for response in (
            client.patch(members(ulm, people["stranger"]), {"role": "member"}),
            client.delete(members(ulm, people["stranger"])),
        ):
            assert refusal(response) == (404, "not_found")
        assert people["stranger"].memberships.get().role == "owner"


class TestOwners:
    """Only owners decide who is one, and one stays."""

    def test_an_admin_touches_no_owner_and_makes_none(
        self, ulm: Organization, people: dict[str, User], api_as: ApiAs
    ) -> None:
        client = api_as(people["admin"])
        before = list(Membership.objects.values())
        for response in (
            client.post(members(ulm), {"user": "nobody", "role": "owner"}),
            client.patch(members(ulm, people["admin"]), {"role": "owner"}),
            client.patch(members(ulm, people["owner"]), {"role": "member"}),
            client.delete(members(ulm, people["owner"])),
        ):
            assert refusal(response) == (403, "owner_required")
        assert list(Membership.objects.values()) == before
        assert not AuditEvent.objects.exists()

    @pytest.mark.parametrize("who", ["owner", "root"])
    def test_the_last_one_stays(self, ulm: Organization, people: dict[str, User], api_as: ApiAs, who: str) -> None:
        client = api_as(people[who])
        for response in (
            client.patch(members(ulm, people["owner"]), {"role": "admin"}),
            client.delete(members(ulm, people["owner"])),
        ):
            assert refusal(response) == (409, "last_owner")
        assert ulm.memberships.get(user=people["owner"]).role == "owner"
        assert not AuditEvent.objects.exists()

    def test_one_can_hand_on_and_go(self, ulm: Organization, people: dict[str, User], api_as: ApiAs) -> None:
        client = api_as(people["owner"])
        assert client.patch(members(ulm, people["member"]), {"role": "owner"}).status_code == 200
        assert client.delete(members(ulm, people["owner"])).status_code == 204
        assert client.get(members(ulm)).status_code == 404

    def test_one_who_cannot_sign_in_does_not_count(
        self, ulm: Organization, people: dict[str, User], api_as: ApiAs
    ) -> None:
        MembershipFactory(organization=ulm, role="owner", user__is_active=False)
        assert refusal(api_as(people["owner"]).delete(members(ulm, people["owner"]))) == (409, "last_owner")
