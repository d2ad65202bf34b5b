"""A user with a password, and hashing that takes no time: its cost is Django's to test."""

from collections.abc import Callable

import pytest
from django.contrib.auth.hashers import make_password
from pytest_django import Settings
from rest_framework.test import APIClient

from accounts.models import User
from tests.accounts.factories import UserFactory
from tests.accounts.signing_in import PASSWORD, Tokens, sign_in


@pytest.fixture(autouse=True)
def fast_hashing(settings: Settings) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def ada(db: None) -> User:
    user: User = UserFactory(username="ada", email="ada@example.org", password=make_password(PASSWORD))
    return user


@pytest.fixture
def ada_tokens(ada: User, anonymous_api: APIClient) -> Tokens:
    return sign_in(anonymous_api, "ada")


@pytest.fixture
def bearer() -> Callable[[str], APIClient]:
    """A client that sends this access token, and nothing else that proves who it is."""

    def client_with(access: str) -> APIClient:
        client = APIClient()
        client.credentials(HTTP_AUTHORIZATION=f"Bearer {access}")
        return client

    return client_with
