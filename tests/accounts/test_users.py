from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from pytest_django import Settings
from rest_framework.test import APIClient

from accounts.models import User
from tests.accounts.factories import MembershipFactory, UserFactory
from tests.accounts.signing_in import ME, PASSWORD, Tokens, faults, refusal, sign_in
from tests.parallel import at_once

REGISTER = "/api/v1/auth/register/"
GRACE = {"username": "grace", "email": "grace@example.org", "password": PASSWORD, "display_name": "Grace H."}
ApiAs = Callable[[User], APIClient]


@pytest.fixture
def open_registration(settings: Settings) -> None:
    settings.ACCOUNTS_REGISTRATION_OPEN = True


@pytest.mark.django_db
@pytest.mark.usefixtures("open_registration")
class TestRegister:
    def test_makes_a_user_who_can_sign_in_and_is_nobody_special(self, anonymous_api: APIClient) -> None:
        response = anonymous_api.post(REGISTER, GRACE)
        user = User.objects.get()
        assert response.status_code == 201
        assert response.json() == {
            "id": user.pk,
            "username": "grace",
            "email": "grace@example.org",
            "display_name": "Grace H.",
            "organizations": [],
        }
        assert (user.is_staff, user.is_superuser, user.is_active) == (False, False, True)
        assert sign_in(anonymous_api, "GRACE@example.org").access

    def test_where_it_is_closed_nobody_is_made(self, anonymous_api: APIClient, settings: Settings) -> None:
        settings.ACCOUNTS_REGISTRATION_OPEN = False
        assert refusal(anonymous_api.post(REGISTER, GRACE)) == (403, "registration_closed")
        assert not User.objects.exists()

    @pytest.mark.parametrize(
        ("given", "expected"),
        [
            pytest.param({"username": "ADA"}, {"#/username": ["taken"]}, id="username in another case"),
            pytest.param({"email": "ADA@Example.org"}, {"#/email": ["taken"]}, id="e-mail in another case"),
            pytest.param(
                {"username": "Ada", "email": "Ada@example.org"},
                {"#/username": ["taken"], "#/email": ["taken"]},
                id="both",
            ),
            pytest.param({"username": "ada@example.org"}, {"#/username": ["invalid"]}, id="an e-mail as username"),
            pytest.param({"username": "-x"}, {"#/username": ["invalid"]}, id="looks like an option"),
            pytest.param({"username": "аdа"}, {"#/username": ["invalid"]}, id="Cyrillic letters that look the same"),
            pytest.param({"username": "x" * 151}, {"#/username": ["max_length"]}, id="long username"),
            pytest.param({"username": ""}, {"#/username": ["blank"]}, id="no username"),
            pytest.param({"email": "grace"}, {"#/email": ["invalid"]}, id="no e-mail address"),
            pytest.param({"email": "\u212aat@example.org"}, {"#/email": ["invalid"]}, id="Kelvin sign for K"),
            pytest.param({"password": "x1!y2"}, {"#/password": ["password_too_short"]}, id="short password"),
            pytest.param({"password": "password1"}, {"#/password": ["password_too_common"]}, id="common password"),
            pytest.param({"password": "8301749265"}, {"#/password": ["password_entirely_numeric"]}, id="digits"),
            pytest.param({"password": "grace@example.org"}, {"#/password": ["password_too_similar"]}, id="own e-mail"),
            pytest.param(
                {"password": "1234", "username": "a b"},
                {
                    "#/username": ["invalid"],
                    "#/password": ["password_too_short", "password_too_common", "password_entirely_numeric"],
                },
                id="everything at once",
            ),
        ],
    )
    def test_names_what_is_wrong_and_makes_nobody(
        self, ada: User, anonymous_api: APIClient, given: dict[str, str], expected: dict[str, list[str]]
    ) -> None:
        response = anonymous_api.post(REGISTER, {**GRACE, **given})
        assert refusal(response) == (422, "invalid")
        assert faults(response) == expected
        assert User.objects.count() == 1

    @pytest.mark.parametrize(
        "field", ["is_staff", "is_superuser", "is_active", "role", "id", "groups", "date_joined", "__proto__"]
    )
    def test_takes_no_field_it_does_not_list(self, anonymous_api: APIClient, field: str) -> None:
        response = anonymous_api.post(REGISTER, {**GRACE, field: True})
        assert faults(response) == {f"#/{field}": ["unknown_field"]}
        assert not User.objects.exists()


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("open_registration")
class TestParallelRegister:
    def test_of_several_spellings_one_wins_and_the_others_hear_why(self) -> None:
        names = ["grace", "Grace", "GRACE", "gRACE"]
        calls = [
            lambda name=name: APIClient().post(REGISTER, {**GRACE, "username": name, "email": f"{name}@example.org"})
            for name in names
        ]
        responses = at_once(calls)
        assert sorted(response.status_code for response in responses) == [201, 422, 422, 422]
        for response in responses:
            if response.status_code == 422:
                assert faults(response) == {"#/username": ["taken"], "#/email": ["taken"]}
        assert User.objects.count() == 1


@pytest.mark.django_db
class TestUniqueWithoutCase:
    def test_control_without_the_index_two_spellings_would_stand_side_by_side(
        self, anonymous_api: APIClient, open_registration: None
    ) -> None:
        with connection.cursor() as cursor:
            cursor.execute("DROP INDEX user_email_unique_ci")
            cursor.execute("DROP INDEX user_username_unique_ci")
        for name in ("grace", "GRACE"):
            given = {**GRACE, "username": name, "email": f"{name}@example.org"}
            assert anonymous_api.post(REGISTER, given).status_code == 201


@pytest.mark.django_db
class TestMe:
    def test_shows_the_profile_and_the_role_in_each_organization(self, ada: User, api_as: ApiAs) -> None:
        theirs = MembershipFactory(user=ada, role="admin", organization__name="Ulm")
        MembershipFactory()
        assert api_as(ada).get(ME).json() == {
            "id": ada.pk,
            "username": "ada",
            "email": "ada@example.org",
            "display_name": "",
            "organizations": [
                {"id": theirs.organization_id, "name": "Ulm", "slug": theirs.organization.slug, "role": "admin"}
            ],
        }

    def test_costs_the_same_however_many_organizations(
        self, ada: User, api_as: ApiAs, django_assert_num_queries: Any
    ) -> None:
        for expected in (1, 4):
            while ada.memberships.count() < expected:
                MembershipFactory(user=ada)
            with django_assert_num_queries(1):
                assert len(api_as(ada).get(ME).json()["organizations"]) == expected

    def test_asks_for_a_sign_in(self, anonymous_api: APIClient) -> None:
        for response in (anonymous_api.get(ME), anonymous_api.patch(ME, {})):
            assert refusal(response) == (401, "not_authenticated")

    def test_the_display_name_is_changed_alone(self, ada: User, api_as: ApiAs) -> None:
        response = api_as(ada).patch(ME, {"display_name": "<b>Ada</b>"})
        assert (response.status_code, response.json()["display_name"]) == (200, "<b>Ada</b>")
        ada.refresh_from_db()
        assert (ada.display_name, ada.email, ada.username) == ("<b>Ada</b>", "ada@example.org", "ada")

    def test_nothing_given_changes_nothing(self, ada: User, api_as: ApiAs, django_assert_num_queries: Any) -> None:
        with django_assert_num_queries(1):  # the organizations shown
            assert api_as(ada).patch(ME, {}).status_code == 200

    @pytest.mark.parametrize(
        ("given", "expected"),
        [
            pytest.param({"email": "new@example.org"}, {"#/current_password": ["required"]}, id="no password"),
            pytest.param(
                {"email": "new@example.org", "current_password": "wrong"},
                {"#/current_password": ["password_wrong"]},
                id="wrong password",
            ),
            pytest.param(
                {"email": "BOB@example.org", "current_password": PASSWORD}, {"#/email": ["taken"]}, id="somebody's"
            ),
            pytest.param(
                {"email": "\u212aat@example.org", "current_password": PASSWORD},
                {"#/email": ["invalid"]},
                id="not ASCII",
            ),
            pytest.param({"display_name": "x" * 151}, {"#/display_name": ["max_length"]}, id="long name"),
            pytest.param({"display_name": None}, {"#/display_name": ["null"]}, id="null name"),
        ],
    )
    def test_a_refused_change_changes_nothing(
        self, ada: User, api_as: ApiAs, given: dict[str, str], expected: dict[str, list[str]]
    ) -> None:
        UserFactory(username="bob")
        response = api_as(ada).patch(ME, given)
        assert refusal(response) == (422, "invalid")
        assert faults(response) == expected
        ada.refresh_from_db()
        assert (ada.email, ada.display_name) == ("ada@example.org", "")

    def test_a_new_address_needs_the_password_and_then_signs_in(
        self, ada_tokens: Tokens, bearer: Callable[[str], APIClient], anonymous_api: APIClient
    ) -> None:
        given = {"email": "Lovelace@Example.ORG", "current_password": PASSWORD}
        response = bearer(ada_tokens.access).patch(ME, given)
        assert response.json()["email"] == "Lovelace@example.org"
        assert sign_in(anonymous_api, "lovelace@example.org").access

    def test_the_same_address_needs_none(self, ada: User, api_as: ApiAs) -> None:
        assert api_as(ada).patch(ME, {"email": "ada@example.org", "display_name": "Ada"}).status_code == 200

    @pytest.mark.parametrize(
        ("field", "code"),
        [
            ("id", "read_only_field"),
            ("username", "read_only_field"),
            ("organizations", "read_only_field"),
            ("is_staff", "unknown_field"),
            ("is_superuser", "unknown_field"),
            ("is_active", "unknown_field"),
            ("role", "unknown_field"),
            ("password", "unknown_field"),
        ],
    )
    def test_takes_no_field_it_does_not_list(self, ada: User, api_as: ApiAs, field: str, code: str) -> None:
        before = User.objects.values().get()
        response = api_as(ada).patch(ME, {"display_name": "x", field: True})
        assert faults(response) == {f"#/{field}": [code]}
        assert User.objects.values().get() == before
