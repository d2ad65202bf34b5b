"""Reading refusals, from services and from the API."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from rest_framework.test import APIClient

from accounts.models import User
from core.errors import InvalidInput

ApiAs = Callable[[User], APIClient]


@contextmanager
def refused(*wanted: tuple[str, str]) -> Iterator[None]:
    """The block raises `InvalidInput` with exactly these (pointer, code)."""
    with pytest.raises(InvalidInput) as caught:
        yield
    assert [(error.pointer, error.code) for error in caught.value.errors] == list(wanted)


def refusal(response: Any) -> tuple[int, str]:
    """Status and code of a problem answer."""
    assert response["Content-Type"] == "application/problem+json"
    return response.status_code, response.json()["code"]


def faults(response: Any) -> list[tuple[str, str]]:
    """(pointer, code) of each error of a 422."""
    assert refusal(response) == (422, "invalid")
    return [(error["pointer"], error["code"]) for error in response.json()["errors"]]
