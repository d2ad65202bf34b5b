import threading
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db.models import F
from django.utils import timezone
from freezegun import freeze_time
from rest_framework.test import APIClient

from accounts.errors import PasswordThrottled
from accounts.models import LoginFailure, User
from accounts.services import throttle
from accounts.services import tokens as token_services
from accounts.services.throttle import password_try_count
from tests.accounts.factories import UserFactory
from tests.accounts.signing_in import PASSWORD, TOKEN, Tokens, faults, refusal, sign_in
from tests.parallel import at_once

LIMIT = 5
WINDOW_S = 60


def wrong(client: APIClient, name: str = "ada") -> tuple[int, str]:
    return refusal(client.post(TOKEN, {"username": name, "password": "wrong"}))


@pytest.mark.django_db
class TestLoginThrottle:
    def test_after_five_wrong_passwords_not_even_the_right_one_is_compared(
        self, ada: User, anonymous_api: APIClient
    ) -> None:
        assert [wrong(anonymous_api) for _ in range(LIMIT)] == [(401, "credentials_refused")] * LIMIT
        assert wrong(anonymous_api) == (429, "password_throttled")
        response = anonymous_api.post(TOKEN, {"username": "ada", "password": PASSWORD})
        assert refusal(response) == (429, "password_throttled")
        assert 0 < int(response["Retry-After"]) <= WINDOW_S

    def test_control_without_counting_it_would_be(
        self, ada: User, anonymous_api: APIClient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(token_services, "password_try_count", lambda **kwargs: None)
        assert [wrong(anonymous_api) for _ in range(LIMIT + 1)] == [(401, "credentials_refused")] * (LIMIT + 1)
        assert sign_in(anonymous_api, "ada").access

    def test_retry_after_says_when(self, ada: User, anonymous_api: APIClient) -> None:
        with freeze_time("2026-11-20T10:00:00Z") as clock:
            for _ in range(LIMIT):
                wrong(anonymous_api)
            clock.move_to("2026-11-20T10:00:20Z")
            response = anonymous_api.post(TOKEN, {"username": "ada", "password": "wrong"})
            assert response["Retry-After"] == "40"
            clock.move_to("2026-11-20T10:00:59.5Z")
            assert wrong(anonymous_api)[0] == 429
            clock.move_to("2026-11-20T10:01:00Z")
            assert sign_in(anonymous_api, "ada").access

    def test_the_right_password_starts_the_count_anew(self, ada: User, anonymous_api: APIClient) -> None:
        for _ in range(3):
            assert [wrong(anonymous_api)[0] for _ in range(LIMIT - 1)] == [401] * (LIMIT - 1)
            assert sign_in(anonymous_api, "ada").access

    def test_names_nobody_has_answer_the_same(self, ada: User, anonymous_api: APIClient) -> None:
        answers = []
        with freeze_time("2026-11-20T10:00:00Z"):
            for name in ("ada", "nobody"):
                for _ in range(LIMIT):
                    wrong(anonymous_api, name)
                response = anonymous_api.post(TOKEN, {"username": name, "password": "wrong"})
                body = response.json()
                del body["request_id"]
                answers.append((response.status_code, response["Retry-After"], body))
        assert answers[0] == answers[1]
        assert answers[0][0] == 429

    def test_the_spellings_of_a_name_share_one_count(self, ada: User, anonymous_api: APIClient) -> None:
        spellings = ["ada", "ADA", " Ada ", "aDa", "\uff41da"]  # the last one in full-width letters
        assert [wrong(anonymous_api, name)[0] for name in spellings] == [401] * LIMIT
        assert wrong(anonymous_api, "ada")[0] == 429

    def test_one_name_does_not_use_up_anothers_tries(self, ada: User, anonymous_api: APIClient) -> None:
        """An exam room shares one address, and one student's mistakes are not the room's."""
        UserFactory(username="bob", password=ada.password)
        for _ in range(LIMIT + 1):
            wrong(anonymous_api, "ada")
        assert sign_in(anonymous_api, "bob").access

    def test_no_name_is_kept_in_clear(self, anonymous_api: APIClient) -> None:
        wrong(anonymous_api, "my secret password")
        assert "secret" not in str(LoginFailure.objects.values_list().get())

    def test_old_counts_are_deleted_and_current_ones_are_not(self, anonymous_api: APIClient) -> None:
        now = timezone.now()
        LoginFailure.objects.create(name_hash="old", window_started_at=now - timedelta(hours=2), count=5)
        LoginFailure.objects.create(name_hash="new", window_started_at=now - timedelta(minutes=2), count=5)
        wrong(anonymous_api, "somebody")
        assert set(LoginFailure.objects.exclude(name_hash__in=["new"]).values_list("count", flat=True)) == {1}
        assert LoginFailure.objects.filter(name_hash="new").exists()

    def test_many_old_counts_go_a_few_at_a_time(self, db: None, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(throttle, "PRUNE_MAX", 2)
        long_ago = timezone.now() - timedelta(days=1)
        LoginFailure.objects.bulk_create(LoginFailure(name_hash=str(n), window_started_at=long_ago) for n in range(5))
        password_try_count(scope="login", name="somebody")
        assert LoginFailure.objects.filter(window_started_at=long_ago).count() == 3


@pytest.mark.django_db
class TestConfirmThrottle:
    URL = "/api/v1/me/password/"

    def test_a_stolen_token_does_not_let_passwords_be_tried_without_end(
        self, ada_tokens: Tokens, anonymous_api: APIClient, bearer: Callable[[str], APIClient]
    ) -> None:
        client = bearer(ada_tokens.access)
        change = {"current_password": "wrong", "new_password": "a quite different one"}
        for _ in range(LIMIT):
            assert faults(client.post(self.URL, change)) == {"#/current_password": ["password_wrong"]}
        assert refusal(client.post(self.URL, change)) == (429, "password_throttled")
        assert refusal(client.patch("/api/v1/me/", {"email": "x@example.org", "current_password": PASSWORD}))[0] == 429
        # Signing in has a count of its own: a thief cannot lock the owner out this way.
        assert sign_in(anonymous_api, "ada").access


@pytest.mark.django_db(transaction=True)
class TestParallelLogins:
    POSTS = 20

    def answers(self) -> Counter[tuple[int, str]]:
        with freeze_time("2026-11-20T10:00:00Z"):
            return Counter(at_once([lambda: wrong(APIClient()) for _ in range(self.POSTS)]))

    def test_exactly_the_limit_is_compared(self, ada: User) -> None:
        assert self.answers() == {
            (401, "credentials_refused"): LIMIT,
            (429, "password_throttled"): self.POSTS - LIMIT,
        }

    def test_control_a_count_read_before_it_is_written_lets_all_pass(
        self, ada: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        everybody_has_read = threading.Barrier(self.POSTS)
        row = LoginFailure.objects.create(name_hash="ada", window_started_at=timezone.now())

        def racy(**kwargs: Any) -> None:
            failures = LoginFailure.objects.get(pk=row.pk).count
            everybody_has_read.wait(timeout=10)
            if failures >= LIMIT:
                raise PasswordThrottled
            LoginFailure.objects.filter(pk=row.pk).update(count=F("count") + 1)

        monkeypatch.setattr(token_services, "password_try_count", racy)
        assert self.answers() == {(401, "credentials_refused"): self.POSTS}
