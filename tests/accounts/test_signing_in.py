from collections.abc import Callable
from datetime import timedelta
from typing import ClassVar

import pytest
from django.contrib.auth.hashers import MD5PasswordHasher, make_password
from django.utils import timezone
from freezegun import freeze_time
from pytest_django import DjangoAssertNumQueries, Settings
from rest_framework.test import APIClient

from accounts.errors import CredentialsRefused
from accounts.models import TokenFamily, User
from accounts.services import tokens as token_services
from accounts.services import user_change_password
from core.errors import Conflict
from tests.accounts.factories import UserFactory
from tests.accounts.signing_in import LOGOUT, ME, PASSWORD, REFRESH, TOKEN, Tokens, refusal, sign_in

Bearer = Callable[[str], APIClient]
NEW_PASSWORD = "a quite different one"


class CountingHasher(MD5PasswordHasher):
    encoded: ClassVar[int] = 0

    def encode(self, password: str, salt: str) -> str:
        type(self).encoded += 1
        return super().encode(password, salt)


@pytest.mark.django_db
class TestTokenObtain:
    @pytest.mark.parametrize("name", ["ada", "ADA", " Ada ", "ada@example.org", "ADA@Example.ORG"])
    def test_either_name_in_any_case_signs_in(
        self, ada: User, anonymous_api: APIClient, bearer: Bearer, name: str
    ) -> None:
        tokens = sign_in(anonymous_api, name)
        assert bearer(tokens.access).get(ME).json()["id"] == ada.pk

    @pytest.mark.parametrize("given", [{"username": "ada"}, {"username": "", "password": PASSWORD}, [], "ada"])
    def test_incomplete_input_is_named(self, anonymous_api: APIClient, given: object) -> None:
        assert refusal(anonymous_api.post(TOKEN, given))[1] == "invalid"

    @pytest.mark.parametrize("name", [r"ad\u0000a", r"ad\ud800a"])
    def test_text_no_database_takes_is_refused(self, anonymous_api: APIClient, name: str) -> None:
        body = f'{{"username": "{name}", "password": "x"}}'
        response = anonymous_api.generic("POST", TOKEN, body, content_type="application/json")
        assert refusal(response)[1] == "invalid"

    def test_unlisted_fields_are_refused(self, ada: User, anonymous_api: APIClient) -> None:
        response = anonymous_api.post(TOKEN, {"username": "ada", "password": PASSWORD, "user_id": 1})
        assert response.json()["errors"][0]["code"] == "unknown_field"
        assert not TokenFamily.objects.exists()

    def test_unknown_wrong_and_disabled_answer_alike_and_take_as_long(
        self, ada: User, anonymous_api: APIClient, settings: Settings
    ) -> None:
        settings.PASSWORD_HASHERS = [f"{__name__}.CountingHasher"]
        UserFactory(username="gone", password=make_password(PASSWORD), is_active=False)
        answers, hashed = [], []
        for name, password in [("nobody", PASSWORD), ("ada", "wrong"), ("gone", PASSWORD)]:
            CountingHasher.encoded = 0
            response = anonymous_api.post(TOKEN, {"username": name, "password": password})
            body = response.json()
            del body["request_id"]
            answers.append((response.status_code, response["WWW-Authenticate"], body))
            hashed.append(CountingHasher.encoded)
        assert answers[0] == answers[1] == answers[2]
        assert answers[0][0] == 401
        assert answers[0][2]["code"] == "credentials_refused"
        assert hashed == [1, 1, 1]

    def test_a_stale_token_in_the_header_does_not_stand_in_the_way(self, ada: User, bearer: Bearer) -> None:
        assert sign_in(bearer("stale"), "ada").access

    def test_tokens_are_not_cached_on_the_way(self, ada: User, anonymous_api: APIClient) -> None:
        response = anonymous_api.post(TOKEN, {"username": "ada", "password": PASSWORD})
        assert response["Cache-Control"] == "no-store"

    def test_signing_in_is_noted_and_sweeps_the_users_expired_sign_ins(
        self, ada: User, anonymous_api: APIClient
    ) -> None:
        sign_in(anonymous_api, "ada")
        with freeze_time(timezone.now() + timedelta(days=15)):
            sign_in(anonymous_api, "ada")
            assert TokenFamily.objects.get().expires_at > timezone.now()
            ada.refresh_from_db()
            assert ada.last_login == timezone.now()

    def test_a_password_changed_while_it_was_compared_does_not_sign_in(
        self, ada: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        real = token_services.authenticate

        def authenticate_then_change(username: str, password: str) -> User:
            user = real(username=username, password=password)
            assert isinstance(user, User)
            user_change_password(user=User.objects.get(), current_password=PASSWORD, new_password=NEW_PASSWORD)
            return user

        monkeypatch.setattr(token_services, "authenticate", authenticate_then_change)
        with pytest.raises(CredentialsRefused):
            token_services.token_obtain(name="ada", password=PASSWORD)
        assert not TokenFamily.objects.exists()


@pytest.mark.django_db
class TestStayingSignedIn:
    def test_each_exchange_gives_a_working_pair_and_prolongs_the_sign_in(
        self, ada_tokens: Tokens, anonymous_api: APIClient, bearer: Bearer
    ) -> None:
        tokens, start = ada_tokens, timezone.now()
        for day in (10, 20, 30):  # each within 14 days of the last
            with freeze_time(start + timedelta(days=day)):
                tokens = Tokens(**anonymous_api.post(REFRESH, {"refresh": tokens.refresh}).json())
                assert bearer(tokens.access).get(ME).status_code == 200
        assert TokenFamily.objects.count() == 1

    def test_after_its_time_a_refresh_token_is_refused(self, ada_tokens: Tokens, anonymous_api: APIClient) -> None:
        with freeze_time(timezone.now() + timedelta(days=14, seconds=1)):
            assert refusal(anonymous_api.post(REFRESH, {"refresh": ada_tokens.refresh})) == (401, "token_expired")

    def test_an_access_token_is_no_refresh_token(self, ada_tokens: Tokens, anonymous_api: APIClient) -> None:
        response = anonymous_api.post(REFRESH, {"refresh": ada_tokens.access})
        assert refusal(response) == (401, "token_invalid")
        assert response["WWW-Authenticate"].startswith("Bearer")

    def test_a_disabled_user_is_not_refreshed(self, ada: User, ada_tokens: Tokens, anonymous_api: APIClient) -> None:
        User.objects.update(is_active=False)
        assert refusal(anonymous_api.post(REFRESH, {"refresh": ada_tokens.refresh})) == (401, "token_revoked")

    @pytest.mark.parametrize("text", ["x", "a.b.c", "é.é.é", "." * 4000])
    def test_what_is_no_token_is_refused(self, anonymous_api: APIClient, text: str) -> None:
        assert refusal(anonymous_api.post(REFRESH, {"refresh": text})) == (401, "token_invalid")


@pytest.mark.django_db
class TestStolenRefreshToken:
    def reuse(self, stolen: Tokens, client: APIClient) -> tuple[Tokens, tuple[int, str]]:
        """The owner refreshes, then the thief with the same token: the owner's new pair, the thief's answer."""
        owners = Tokens(**client.post(REFRESH, {"refresh": stolen.refresh}).json())
        return owners, refusal(client.post(REFRESH, {"refresh": stolen.refresh}))

    def test_its_reuse_ends_the_whole_sign_in(
        self, ada_tokens: Tokens, anonymous_api: APIClient, bearer: Bearer
    ) -> None:
        owners, answer = self.reuse(ada_tokens, anonymous_api)
        assert answer == (401, "token_reused")
        assert refusal(bearer(owners.access).get(ME)) == (401, "token_revoked")
        assert refusal(bearer(ada_tokens.access).get(ME)) == (401, "token_revoked")
        assert refusal(anonymous_api.post(REFRESH, {"refresh": owners.refresh})) == (401, "token_revoked")
        assert refusal(anonymous_api.post(REFRESH, {"refresh": ada_tokens.refresh})) == (401, "token_revoked")

    def test_other_sign_ins_of_the_user_go_on(
        self, ada_tokens: Tokens, anonymous_api: APIClient, bearer: Bearer
    ) -> None:
        elsewhere = sign_in(anonymous_api, "ada")
        self.reuse(ada_tokens, anonymous_api)
        assert bearer(elsewhere.access).get(ME).status_code == 200

    def test_control_without_revocation_the_sign_in_would_go_on(
        self, ada_tokens: Tokens, anonymous_api: APIClient, bearer: Bearer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(token_services, "family_revoke", lambda **kwargs: True)
        owners, answer = self.reuse(ada_tokens, anonymous_api)
        assert answer == (401, "token_reused")
        assert bearer(owners.access).get(ME).status_code == 200


@pytest.mark.django_db
class TestLogout:
    def test_ends_access_and_refresh_at_once_and_harms_nothing_twice(
        self, ada_tokens: Tokens, anonymous_api: APIClient, bearer: Bearer
    ) -> None:
        for _ in range(2):
            assert anonymous_api.post(LOGOUT, {"refresh": ada_tokens.refresh}).status_code == 204
        assert refusal(bearer(ada_tokens.access).get(ME)) == (401, "token_revoked")
        assert refusal(anonymous_api.post(REFRESH, {"refresh": ada_tokens.refresh})) == (401, "token_revoked")

    def test_control_without_the_look_at_the_sign_in_it_would_go_on(
        self, ada_tokens: Tokens, anonymous_api: APIClient, bearer: Bearer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(TokenFamily, "stands_at", lambda self, moment: True)
        anonymous_api.post(LOGOUT, {"refresh": ada_tokens.refresh})
        assert bearer(ada_tokens.access).get(ME).status_code == 200

    def test_keeps_the_moment_it_first_happened(self, ada_tokens: Tokens, anonymous_api: APIClient) -> None:
        anonymous_api.post(LOGOUT, {"refresh": ada_tokens.refresh})
        first = TokenFamily.objects.get().revoked_at
        anonymous_api.post(LOGOUT, {"refresh": ada_tokens.refresh})
        assert TokenFamily.objects.get().revoked_at == first is not None

    def test_of_an_expired_token_has_nothing_left_to_end(self, ada_tokens: Tokens, anonymous_api: APIClient) -> None:
        with freeze_time(timezone.now() + timedelta(days=15)):
            assert anonymous_api.post(LOGOUT, {"refresh": ada_tokens.refresh}).status_code == 204

    def test_takes_refresh_tokens_only(self, ada_tokens: Tokens, anonymous_api: APIClient, bearer: Bearer) -> None:
        assert refusal(anonymous_api.post(LOGOUT, {"refresh": ada_tokens.access})) == (401, "token_invalid")
        assert bearer(ada_tokens.access).get(ME).status_code == 200


@pytest.mark.django_db
class TestPasswordChange:
    URL = "/api/v1/me/password/"

    def test_ends_every_sign_in(self, ada_tokens: Tokens, anonymous_api: APIClient, bearer: Bearer) -> None:
        elsewhere = sign_in(anonymous_api, "ada")
        response = bearer(ada_tokens.access).post(
            self.URL, {"current_password": PASSWORD, "new_password": NEW_PASSWORD}
        )
        assert response.status_code == 204
        for tokens in (ada_tokens, elsewhere):
            assert refusal(bearer(tokens.access).get(ME)) == (401, "token_revoked")
            assert refusal(anonymous_api.post(REFRESH, {"refresh": tokens.refresh})) == (401, "token_revoked")
        assert refusal(anonymous_api.post(TOKEN, {"username": "ada", "password": PASSWORD}))[0] == 401
        assert sign_in(anonymous_api, "ada", NEW_PASSWORD).access

    @pytest.mark.parametrize(
        ("current", "new", "pointer", "code"),
        [
            pytest.param("wrong", NEW_PASSWORD, "#/current_password", "password_wrong", id="wrong current one"),
            pytest.param(PASSWORD, "x1!y2", "#/new_password", "password_too_short", id="short"),
            pytest.param(PASSWORD, "ada@example.org", "#/new_password", "password_too_similar", id="own e-mail"),
        ],
    )
    def test_changes_nothing_when_refused(
        self, ada: User, ada_tokens: Tokens, bearer: Bearer, current: str, new: str, pointer: str, code: str
    ) -> None:
        client = bearer(ada_tokens.access)
        response = client.post(self.URL, {"current_password": current, "new_password": new})
        assert refusal(response) == (422, "invalid")
        assert [(e["pointer"], e["code"]) for e in response.json()["errors"]] == [(pointer, code)]
        assert client.get(ME).status_code == 200
        ada.refresh_from_db()
        assert ada.check_password(PASSWORD)

    def test_of_two_at_once_the_later_is_refused(self, ada: User) -> None:
        elsewhere = User.objects.get()
        user_change_password(user=elsewhere, current_password=PASSWORD, new_password=NEW_PASSWORD)
        with pytest.raises(Conflict):
            user_change_password(user=ada, current_password=PASSWORD, new_password="yet another one")
        assert User.objects.get().check_password(NEW_PASSWORD)


@pytest.mark.django_db
class TestDisabledUser:
    def test_is_refused_while_the_token_lives(self, ada_tokens: Tokens, bearer: Bearer) -> None:
        client = bearer(ada_tokens.access)
        assert client.get(ME).status_code == 200
        User.objects.update(is_active=False)
        assert refusal(client.get(ME)) == (401, "token_revoked")


@pytest.mark.django_db
class TestCost:
    def test_a_token_costs_one_query(
        self, ada_tokens: Tokens, bearer: Bearer, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        with django_assert_num_queries(2):  # the sign-in with its user; the user's organizations
            assert bearer(ada_tokens.access).get(ME).status_code == 200
