"""Signing in over the API, and reading what it answers."""

from dataclasses import dataclass
from typing import Any

from django.http import HttpResponse
from rest_framework.test import APIClient

PASSWORD = "correct horse battery"
TOKEN = "/api/v1/auth/token/"
REFRESH = "/api/v1/auth/token/refresh/"
LOGOUT = "/api/v1/auth/logout/"
ME = "/api/v1/me/"


@dataclass(frozen=True)
class Tokens:
    access: str
    refresh: str


def sign_in(client: APIClient, name: str, password: str = PASSWORD) -> Tokens:
    response = client.post(TOKEN, {"username": name, "password": password})
    assert response.status_code == 200, response.json()
    return Tokens(**response.json())


def refusal(response: HttpResponse) -> tuple[int, str]:
    """Status and code of a problem."""
    assert response["Content-Type"] == "application/problem+json"
    return response.status_code, _json(response)["code"]


def faults(response: HttpResponse) -> dict[str, list[str]]:
    """The codes by pointer of a refused input."""
    found: dict[str, list[str]] = {}
    for fault in _json(response)["errors"]:
        found.setdefault(fault["pointer"], []).append(fault["code"])
    return found


def _json(response: Any) -> dict[str, Any]:
    body: dict[str, Any] = response.json()
    return body
