from collections.abc import Callable
from typing import Any

import pytest
from django.db import transaction
from rest_framework.test import APIClient

from accounts.models import TokenFamily, User
from accounts.services import token_refresh
from accounts.services import tokens as token_services
from accounts.tokens import TokenPair
from tests.accounts.signing_in import ME, REFRESH, Tokens, refusal
from tests.parallel import at_once


@pytest.mark.django_db(transaction=True)
class TestParallelRefresh:
    POSTS = 8

    def answers(self, tokens: Tokens) -> list[int]:
        return at_once(
            [lambda: APIClient().post(REFRESH, {"refresh": tokens.refresh}).status_code for _ in range(self.POSTS)]
        )

    def test_one_wins_and_the_sign_in_ends(self, ada_tokens: Tokens, bearer: Callable[[str], APIClient]) -> None:
        assert sorted(self.answers(ada_tokens)) == [200] + [401] * (self.POSTS - 1)
        # The winner may have been the thief.
        assert refusal(bearer(ada_tokens.access).get(ME)) == (401, "token_revoked")

    def test_control_without_the_comparison_all_win(self, ada_tokens: Tokens, monkeypatch: pytest.MonkeyPatch) -> None:
        def rotate_always(*, family_id: int, from_jti: str, pair: TokenPair) -> bool:
            return TokenFamily.objects.filter(pk=family_id).update(current_jti=pair.refresh_jti) == 1

        monkeypatch.setattr(token_services, "family_rotate", rotate_always)
        assert self.answers(ada_tokens) == [200] * self.POSTS


@pytest.mark.django_db(transaction=True)
class TestRevocationIsCommitted:
    def revoked(self) -> bool:
        """As another connection sees it."""
        return at_once([lambda: TokenFamily.objects.get().revoked_at is not None])[0]

    def test_although_the_answer_is_a_refusal(self, ada_tokens: Tokens, anonymous_api: APIClient) -> None:
        assert anonymous_api.post(REFRESH, {"refresh": ada_tokens.refresh}).status_code == 200
        assert not self.revoked()
        assert refusal(anonymous_api.post(REFRESH, {"refresh": ada_tokens.refresh})) == (401, "token_reused")
        assert self.revoked()

    def test_control_a_refusal_raised_inside_the_transaction_takes_it_back(
        self, ada_tokens: Tokens, anonymous_api: APIClient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        real = token_services.family_revoke

        def revoke_and_raise(**kwargs: Any) -> bool:
            real(**kwargs)
            raise token_services.TokenReused

        anonymous_api.post(REFRESH, {"refresh": ada_tokens.refresh})
        monkeypatch.setattr(token_services, "family_revoke", revoke_and_raise)
        assert refusal(anonymous_api.post(REFRESH, {"refresh": ada_tokens.refresh})) == (401, "token_reused")
        assert not self.revoked()

    def test_a_callers_transaction_that_could_take_it_back_is_refused(self, ada: User, ada_tokens: Tokens) -> None:
        with transaction.atomic(), pytest.raises(RuntimeError, match="durable"):
            token_refresh(refresh=ada_tokens.refresh)
