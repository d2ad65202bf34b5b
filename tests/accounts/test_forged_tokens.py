"""T-06: tokens that are not ours, or not for this."""

import base64
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import jwt
import pytest
from django.conf import settings
from django.utils import timezone
from freezegun import freeze_time
from rest_framework.test import APIClient

from accounts.models import User
from tests.accounts.factories import UserFactory
from tests.accounts.signing_in import ME, Tokens, refusal, sign_in

Claims = dict[str, Any]
OTHER_KEY = "k" * 64


def claims_of(token: str) -> Claims:
    return dict(jwt.decode(token, options={"verify_signature": False}))


def signed(claims: Claims, key: str = settings.SECRET_KEY, algorithm: str = "HS256", **headers: str) -> str:
    return jwt.encode(claims, key, algorithm=algorithm, headers=headers or None)


def without(claims: Claims, name: str) -> Claims:
    return {key: value for key, value in claims.items() if key != name}


def segment(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def epoch(**ahead: int) -> int:
    return int((timezone.now() + timedelta(**ahead)).timestamp())


FORGERIES: list[Any] = [
    pytest.param(lambda c: jwt.encode(c, None, algorithm="none"), "token_invalid", id="alg none"),
    pytest.param(lambda c: signed(c, OTHER_KEY), "token_invalid", id="wrong key"),
    pytest.param(lambda c: signed(c, OTHER_KEY, kid="../../../../dev/null"), "token_invalid", id="kid traversal"),
    pytest.param(lambda c: signed(c, algorithm="HS512"), "token_invalid", id="another algorithm with our key"),
    pytest.param(lambda c: signed({**c, "iss": "other"}), "token_invalid", id="another issuer"),
    pytest.param(lambda c: signed(without(c, "iss")), "token_invalid", id="no issuer"),
    pytest.param(lambda c: signed({**c, "token_type": "refresh"}), "token_invalid", id="refresh as access"),
    pytest.param(lambda c: signed(without(c, "token_type")), "token_invalid", id="no type"),
    pytest.param(lambda c: signed(without(c, "exp")), "token_invalid", id="no expiry"),
    pytest.param(lambda c: signed(without(c, "jti")), "token_invalid", id="no id"),
    pytest.param(lambda c: signed(without(c, "family")), "token_invalid", id="no family"),
    pytest.param(lambda c: signed({**c, "family": None}), "token_invalid", id="family null"),
    pytest.param(lambda c: signed({**c, "family": "x"}), "token_invalid", id="family no number"),
    pytest.param(lambda c: signed({**c, "family": 10**30}), "token_revoked", id="family beyond any row"),
    pytest.param(lambda c: signed(without(c, "user_id")), "token_invalid", id="no user"),
    pytest.param(lambda c: signed({**c, "user_id": "0"}), "token_revoked", id="user not the family's"),
    pytest.param(lambda c: signed({**c, "nbf": epoch(minutes=5)}), "token_invalid", id="not yet"),
    pytest.param(lambda c: signed({**c, "exp": epoch(minutes=-1)}), "token_expired", id="expired"),
    pytest.param(lambda c: signed(c)[:-2], "token_invalid", id="cut off"),
    pytest.param(lambda c: "x", "token_invalid", id="no token"),
    pytest.param(lambda c: "a b", "token_invalid", id="two words"),
    pytest.param(lambda c: "", "token_invalid", id="nothing"),
    pytest.param(lambda c: "é.é.é", "token_invalid", id="not ASCII"),
    pytest.param(lambda c: f"{segment('[' * 20_000)}.e30.e30", "token_invalid", id="nested header"),
    pytest.param(lambda c: f"{segment(json.dumps([1]))}.e30.e30", "token_invalid", id="header no object"),
]


@pytest.mark.django_db
class TestForgedToken:
    @pytest.mark.parametrize(("forge", "code"), FORGERIES)
    def test_is_refused(
        self, ada_tokens: Tokens, bearer: Callable[[str], APIClient], forge: Callable[[Claims], str], code: str
    ) -> None:
        response = bearer(forge(claims_of(ada_tokens.access))).get(ME)
        assert refusal(response) == (401, code)
        assert response["WWW-Authenticate"] == 'Bearer realm="assay"'

    def test_control_the_same_claims_signed_with_our_key_are_taken(
        self, ada_tokens: Tokens, bearer: Callable[[str], APIClient]
    ) -> None:
        assert bearer(signed(claims_of(ada_tokens.access))).get(ME).status_code == 200

    def test_a_real_refresh_token_is_no_access_token(
        self, ada_tokens: Tokens, bearer: Callable[[str], APIClient]
    ) -> None:
        assert refusal(bearer(ada_tokens.refresh).get(ME)) == (401, "token_invalid")

    def test_another_users_family_does_not_carry_over(
        self, ada: User, ada_tokens: Tokens, anonymous_api: APIClient, bearer: Callable[[str], APIClient]
    ) -> None:
        eve: User = UserFactory(username="eve", password=ada.password)
        stolen = {**claims_of(sign_in(anonymous_api, "eve").access), "user_id": str(ada.pk)}
        assert eve.pk != ada.pk
        assert refusal(bearer(signed(stolen)).get(ME)) == (401, "token_revoked")

    def test_an_access_token_lives_fifteen_minutes(
        self, ada_tokens: Tokens, bearer: Callable[[str], APIClient]
    ) -> None:
        client, now = bearer(ada_tokens.access), timezone.now()
        with freeze_time(now + timedelta(minutes=14, seconds=58)):
            assert client.get(ME).status_code == 200
        with freeze_time(now + timedelta(minutes=15)):
            assert refusal(client.get(ME)) == (401, "token_expired")

    @pytest.mark.parametrize("scheme", ["bearer", "BEARER"])
    def test_the_schemes_name_ignores_case(self, ada_tokens: Tokens, scheme: str) -> None:
        header = f"{scheme} {ada_tokens.access}"
        assert APIClient().get(ME, HTTP_AUTHORIZATION=header).status_code == 200

    @pytest.mark.parametrize("header", ["", "Basic YWRhOnB3", "Token x"])
    def test_other_schemes_prove_nothing(self, db: None, header: str) -> None:
        assert refusal(APIClient().get(ME, HTTP_AUTHORIZATION=header)) == (401, "not_authenticated")
