"""Whatever goes wrong, the answer is a problem with a stable code and the request's id."""

from typing import Any

import pytest
from django.db import connection, transaction
from django.test import Client
from rest_framework.exceptions import ValidationError
from rest_framework.test import APIClient
from structlog.testing import capture_logs

from core.errors import ERRORS_MAX, FieldError, InvalidInput, NotFound, pointer_to
from core.problems import CONTENT_TYPE, exception_handler, problem_body

pytestmark = [pytest.mark.urls("tests.core.urls"), pytest.mark.django_db]


@pytest.fixture
def api() -> APIClient:
    return APIClient(raise_request_exception=False)


def assert_problem(response: Any, *, status: int, code: str) -> dict[str, Any]:
    assert response.status_code == status, response.content
    assert response["Content-Type"] == CONTENT_TYPE
    body: dict[str, Any] = response.json()
    assert body["code"] == code
    assert body["type"] == f"urn:assay:problem:{code}"
    assert body["status"] == status
    assert body["title"]
    assert body["detail"]
    assert body["request_id"] == response["X-Request-ID"]
    return body


class TestFailures:
    @pytest.mark.parametrize("address", ["/api/v1/fail/{}/", "/plain/fail/{}/"], ids=["api view", "plain view"])
    @pytest.mark.parametrize(
        ("how", "status", "code"),
        [
            ("bug", 500, "internal_error"),
            ("http404", 404, "not_found"),
            ("forbidden", 403, "permission_denied"),
            ("suspicious", 400, "bad_request"),
        ],
    )
    def test_every_failure_is_a_problem_and_tells_nothing_of_the_inside(
        self, api: APIClient, address: str, how: str, status: int, code: str
    ) -> None:
        response = api.get(address.format(how))
        assert_problem(response, status=status, code=code)
        for inside in ("secret", "Traceback", "why", "RuntimeError"):
            assert inside not in response.content.decode()

    def test_a_domain_error_keeps_its_words_and_its_delay(self, api: APIClient) -> None:
        response = api.get("/api/v1/fail/conflict/")
        body = assert_problem(response, status=409, code="conflict")
        assert body["detail"] == "It is over."
        assert response["Retry-After"] == "3"

    @pytest.mark.parametrize(("how", "seconds"), [("throttled", "7"), ("drf-throttled", "2")])
    def test_throttling_says_when_to_come_back(self, api: APIClient, how: str, seconds: str) -> None:
        response = api.get(f"/api/v1/fail/{how}/")
        assert_problem(response, status=429, code="throttled")
        assert response["Retry-After"] == seconds

    def test_a_database_that_is_away_is_worth_another_try(self, api: APIClient) -> None:
        with capture_logs() as lines:
            response = api.get("/api/v1/fail/database/")
        assert_problem(response, status=503, code="service_unavailable")
        assert response["Retry-After"] == "5"
        assert b"secret" not in response.content
        (told,) = [line for line in lines if line["event"] == "database_failed"]
        assert "secret.host" in str(told["exc_info"])

    def test_an_unknown_address_is_a_problem(self, api: APIClient) -> None:
        assert_problem(api.get("/api/v1/nothing/"), status=404, code="not_found")

    def test_a_missing_slash_is_an_unknown_address_and_no_redirect(self, api: APIClient) -> None:
        assert_problem(api.post("/api/v1/echo", {}), status=404, code="not_found")

    def test_a_verb_that_is_not_there(self, api: APIClient) -> None:
        response = api.delete("/api/v1/echo/")
        assert_problem(response, status=405, code="method_not_allowed")
        assert "POST" in response["Allow"]

    def test_a_format_that_is_not_spoken(self, api: APIClient) -> None:
        response = api.post("/api/v1/echo/", {}, HTTP_ACCEPT="text/html")
        assert_problem(response, status=406, code="not_acceptable")

    @pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "text/json", ""])
    def test_a_body_that_is_not_json(self, api: APIClient, content_type: str) -> None:
        response = api.generic("POST", "/api/v1/echo/", '{"name": "x"}', content_type=content_type)
        assert_problem(response, status=415, code="unsupported_media_type")

    def test_nobody_is_told_to_sign_in(self, api: APIClient) -> None:
        response = api.get("/api/v1/private/")
        assert_problem(response, status=401, code="not_authenticated")
        assert response["WWW-Authenticate"].startswith("Bearer")

    def test_a_foreign_host_is_refused(self, api: APIClient) -> None:
        assert_problem(api.get("/plain/", HTTP_HOST="evil.example"), status=400, code="bad_request")

    def test_a_missing_csrf_token_is_a_problem(self) -> None:
        response = Client(enforce_csrf_checks=True).post("/plain/")
        assert_problem(response, status=403, code="csrf_failed")

    def test_an_object_where_a_sentence_belongs_is_not_shown(self, api: APIClient) -> None:
        response = api.get("/api/v1/fail/object-detail/")
        assert_problem(response, status=401, code="authentication_failed")
        assert "inner" not in response.content.decode()

    def test_a_validation_error_without_a_fault_is_still_an_answer(self, api: APIClient) -> None:
        assert "errors" not in assert_problem(api.get("/api/v1/fail/empty-validation/"), status=422, code="invalid")

    def test_without_our_pages_a_failure_would_be_html(self, api: APIClient, monkeypatch: pytest.MonkeyPatch) -> None:
        from tests.core import urls

        for number in (400, 403, 404, 500):
            monkeypatch.delattr(urls, f"handler{number}")
        assert api.get("/plain/fail/bug/")["Content-Type"].startswith("text/html")
        assert api.get("/api/v1/nothing/")["Content-Type"].startswith("text/html")


class TestErrorsOfFields:
    def test_each_fault_has_its_place(self, api: APIClient) -> None:
        given = {"parts": [{"name": "a"}, {"name": ""}, {"extra": 1}], "counts": [1, "x"], "message": "x", "code": "y"}
        body = assert_problem(api.post("/api/v1/echo/", given, format="json"), status=422, code="invalid")
        assert {(error["pointer"], error["code"]) for error in body["errors"]} == {
            ("#/parts/1/name", "blank"),
            ("#/parts/2/extra", "unknown_field"),
            ("#/counts/1", "invalid"),
            ("#/message", "invalid"),
            ("#/code", "invalid"),
        }

    def test_two_fields_named_like_the_parts_of_one_error_are_two_faults(self, api: APIClient) -> None:
        response = api.post("/api/v1/echo/", {"message": "x", "code": "y"}, format="json")
        errors = assert_problem(response, status=422, code="invalid")["errors"]
        assert {error["pointer"] for error in errors} == {"#/message", "#/code"}

    @pytest.mark.parametrize("body", ["[]", '["name"]', '"text"', "7", "null", "true"])
    def test_a_body_that_is_no_object(self, api: APIClient, body: str) -> None:
        response = api.generic("POST", "/api/v1/echo/", body, content_type="application/json")
        errors = assert_problem(response, status=422, code="invalid")["errors"]
        assert [error["pointer"] for error in errors] == ["#"]

    def test_a_hundred_thousand_faults_are_a_short_answer(self, api: APIClient) -> None:
        given = {f"field-{number}": 1 for number in range(100_000)}
        response = api.post("/api/v1/echo/", given, format="json")
        assert len(assert_problem(response, status=422, code="invalid")["errors"]) == ERRORS_MAX
        response = api.post("/api/v1/echo/", {"counts": ["x"] * 100_000}, format="json")
        assert len(assert_problem(response, status=422, code="invalid")["errors"]) == ERRORS_MAX
        assert len(problem_body(status=422, code="x", detail="x", errors=[FAULT] * 1000)["errors"]) == ERRORS_MAX

    def test_a_name_of_a_megabyte_is_not_echoed(self, api: APIClient) -> None:
        response = api.post("/api/v1/echo/", {"x" * 1_000_000: 1}, format="json")
        assert_problem(response, status=422, code="invalid")
        assert len(response.content) < 2000

    def test_pointers_escape_what_has_a_meaning_in_them(self) -> None:
        assert pointer_to("#", "a/b~c") == "#/a~1b~0c"
        assert InvalidInput.at("a/b", "wrong", "It is wrong.").errors[0].pointer == "#/a~1b"

    def test_services_and_serializers_give_one_answer(self) -> None:
        ours = exception_handler(InvalidInput.at("name", "wrong", "It is wrong."), {})
        theirs = exception_handler(ValidationError({"name": ["It is wrong."]}, code="wrong"), {})
        assert ours is not None
        assert theirs is not None
        assert ours.status_code == theirs.status_code == 422
        assert ours.data["errors"] == theirs.data["errors"]

    def test_a_refusal_rolls_back_where_requests_are_transactions(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(connection.settings_dict, "ATOMIC_REQUESTS", True)
        with transaction.atomic():
            exception_handler(NotFound(), {})
            assert transaction.get_rollback()

    def test_a_bug_is_left_to_the_error_page(self) -> None:
        assert exception_handler(RuntimeError(), {}) is None
        assert exception_handler(NotFound(), {}) is not None


FAULT = FieldError(pointer="#/x", code="x", detail="x")
