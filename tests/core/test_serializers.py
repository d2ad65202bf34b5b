"""Input serializers refuse what they do not list, and numbers that no column holds."""

import pytest
from rest_framework.test import APIClient

from tests.core.urls import EchoInput, LooseEchoInput


def codes(data: object) -> dict[str, str]:
    body = EchoInput(data=data)
    body.is_valid()
    return {name: errors[0].code for name, errors in body.errors.items()}


def is_taken(data: object) -> bool:
    return EchoInput(data=data).is_valid()


class TestStrictSerializer:
    @pytest.mark.parametrize(
        ("field", "code"),
        [
            pytest.param("score", "unknown_field", id="unlisted"),
            pytest.param("__proto__", "unknown_field", id="odd name"),
            pytest.param("id", "read_only_field", id="read-only"),
            pytest.param("owner", "read_only_field", id="set by the server"),
        ],
    )
    def test_a_field_that_cannot_be_set_is_refused_by_name(self, field: str, code: str) -> None:
        assert codes({"name": "x", field: 1}) == {field: code}

    def test_without_strictness_it_would_be_dropped_in_silence(self) -> None:
        assert LooseEchoInput(data={"name": "x", "score": 1}).is_valid()

    @pytest.mark.parametrize("number", [2**63, -(2**63) - 1, 10**30])
    def test_integers_over_64_bits_are_refused(self, number: int) -> None:
        assert not is_taken({"count": number})
        assert not is_taken({"counts": [number]})
        assert LooseEchoInput(data={"count": number}).is_valid()

    @pytest.mark.parametrize("number", [2**63 - 1, -(2**63)])
    def test_integers_of_64_bits_pass(self, number: int) -> None:
        assert is_taken({"count": number, "counts": [number]})

    @pytest.mark.parametrize("text", ["nan", "inf", "-Infinity"])
    def test_floats_are_finite_even_as_text(self, text: str) -> None:
        assert codes({"ratio": text}) == {"ratio": "invalid"}

    @pytest.mark.urls("tests.core.urls")
    @pytest.mark.django_db
    def test_a_refused_field_changes_nothing_and_is_named(self) -> None:
        response = APIClient().post("/api/v1/echo/", {"name": "x", "score": 100}, format="json")
        assert response.status_code == 422
        assert response.json()["errors"] == [
            {"pointer": "#/score", "code": "unknown_field", "detail": "There is no such field."}
        ]
