"""Lists: pages within bounds, filters by their right names, addresses of rows that can exist."""

import pytest
from django.urls import resolve, reverse
from rest_framework.test import APIClient

from accounts.models import User
from core.converters import ID_MAX

pytestmark = [pytest.mark.urls("tests.core.urls"), pytest.mark.django_db]


@pytest.fixture
def people() -> list[str]:
    names = [f"person-{number:03}" for number in range(230)]
    User.objects.bulk_create([User(username=name, email=f"{name}@example.org") for name in names])
    return names


@pytest.fixture
def api() -> APIClient:
    return APIClient(raise_request_exception=False)


class TestPages:
    @pytest.mark.parametrize(
        ("page_size", "length"),
        [("", 50), ("7", 7), ("200", 200), ("1000000000", 200), ("9" * 5000, 50), ("0", 50), ("-1", 50), ("abc", 50)],
    )
    def test_a_page_is_never_longer_than_200(
        self, api: APIClient, people: list[str], page_size: str, length: int
    ) -> None:
        response = api.get("/api/v1/people/", {"page_size": page_size} if page_size else {})
        assert response.status_code == 200
        assert response.json()["results"] == people[:length]
        assert response.json()["count"] == 230

    @pytest.mark.parametrize("page", ["0", "-1", "abc", "1000000000", "9" * 5000, "1.5", "\x00"])
    def test_a_page_that_is_not_there(self, api: APIClient, people: list[str], page: str) -> None:
        response = api.get("/api/v1/people/", {"page": page})
        assert response.status_code == 404
        assert response.json()["code"] == "not_found"


class TestFilters:
    @pytest.mark.parametrize(
        ("query", "code"),
        [
            ("nmae=person-001", "unknown_filter"),
            # Lists that have no search and no ordering do not pretend to.
            ("search=x", "unknown_filter"),
            ("ordering=-id", "unknown_filter"),
            ("cursor=x", "unknown_filter"),
            ("name=person-001&name=person-002", "repeated_filter"),
            ("page=1&page=2", "repeated_filter"),
            ("id=abc", "invalid"),
            ("id=NaN", "invalid"),
            ("name=%00", "null_characters_not_allowed"),
            ("state=maybe", "invalid_choice"),
        ],
    )
    def test_a_filter_that_means_nothing_is_refused(self, api: APIClient, query: str, code: str) -> None:
        response = api.get(f"/api/v1/people/?{query}")
        assert response.status_code == 422, response.content
        assert [error["code"] for error in response.json()["errors"]] == [code]
        assert response.json()["errors"][0]["pointer"] == "#/" + query.split("=")[0]

    @pytest.mark.parametrize("query", ["id=99999999999999999999", "id=-99999999999999999999", "id=1e40"])
    def test_a_number_that_no_row_has_finds_nothing(self, api: APIClient, people: list[str], query: str) -> None:
        response = api.get(f"/api/v1/people/?{query}")
        assert response.status_code in (200, 422), response.content
        assert response.json().get("count", 0) == 0

    def test_filters_that_are_known_work_and_choices_may_repeat(self, api: APIClient, people: list[str]) -> None:
        response = api.get("/api/v1/people/?name=person-007&state=True&state=False")
        assert response.json()["results"] == ["person-007"]

    def test_plain_filtering_would_show_everything_for_a_typo(
        self, api: APIClient, people: list[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from django_filters.rest_framework import DjangoFilterBackend

        from tests.core.urls import PeopleView

        monkeypatch.setattr(PeopleView, "filter_backends", [DjangoFilterBackend])
        assert api.get("/api/v1/people/?nmae=person-001").json()["count"] == 230


class TestIdsInAddresses:
    @pytest.mark.parametrize("number", [0, 1, ID_MAX])
    def test_a_number_that_a_row_can_have(self, api: APIClient, number: int) -> None:
        assert api.get(f"/api/v1/things/{number}/").json()["number"] == number

    @pytest.mark.parametrize("number", [str(ID_MAX + 1), "9" * 20, "9" * 5000, "-1", "1.5", "١", "0x1"])
    def test_any_other_is_no_address(self, api: APIClient, number: str) -> None:
        response = api.get(f"/api/v1/things/{number}/")
        assert response.status_code == 404
        assert response.json()["code"] == "not_found"

    def test_the_usual_converter_would_hand_it_to_the_database(self) -> None:
        assert resolve(f"/api/v1/unbounded/{ID_MAX + 1}/").kwargs == {"number": ID_MAX + 1}

    def test_addresses_can_be_made(self) -> None:
        assert reverse("docs") == "/api/docs/"
