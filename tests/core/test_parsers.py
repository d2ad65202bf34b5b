"""Hostile bodies end as a clear 4xx, quickly, wherever they hide; never as a 500 (O-01, O-02, O-07, O-08)."""

import json
import time

import pytest
from django.conf import LazySettings
from rest_framework.test import APIClient

from core.parsers import DEPTH_MAX

pytestmark = [pytest.mark.urls("tests.core.urls"), pytest.mark.django_db]

DEEP = 100_000
MALFORMED = {
    "nothing but a brace": b"{",
    "trailing comma": b'{"name": "x",}',
    "single quotes": b"{'name': 'x'}",
    "two values": b"{} {}",
    "deep list": b'{"anything": ' + b"[" * DEEP + b"]" * DEEP + b"}",
    "deep object": b'{"anything":' * DEEP + b"1" + b"}" * DEEP,
    "deep and unclosed": b"[" * DEEP,
    "a little too deep": b'{"anything": ' + b"[" * DEPTH_MAX + b"]" * DEPTH_MAX + b"}",
    "NaN": b'{"anything": NaN}',
    "Infinity": b'{"ratio": Infinity}',
    "-Infinity": b'{"ratio": -Infinity}',
    "1e999": b'{"ratio": 1e999}',
    "-1e999": b'{"anything": [-1e999]}',
    "5,000 digits": b'{"count": ' + b"9" * 5000 + b"}",
    "key twice": b'{"name": "a", "name": "b"}',
    "inner key twice": b'{"anything": {"a": {"b": 1, "b": 1}}}',
    "key twice by escape": b'{"name": "a", "n\\u0061me": "b"}',
    "invalid UTF-8": b'{"name": "\xff\xfe"}',
    "overlong UTF-8": b'{"name": "\xc0\x80"}',
    "surrogate in UTF-8": b'{"name": "\xed\xa0\x80"}',
    "UTF-16": '{"name": "x"}'.encode("utf-16"),
    "byte order mark": b"\xef\xbb\xbf{}",
    "raw NUL": b'{"name": "\x00"}',
    "raw line break": b'{"name": "a\nb"}',
}
UNSTORABLE = {
    "NUL": (b'{"name": "a\\u0000b"}', "#/name", "null_characters_not_allowed"),
    "NUL deep in free JSON": (b'{"anything": [1, {"a": "\\u0000"}]}', "#/anything/1/a", "null_characters_not_allowed"),
    "NUL in a key": (b'{"anything": {"\\u0000": 1}}', "#/anything", "null_characters_not_allowed"),
    "high half": (b'{"name": "\\ud800"}', "#/name", "surrogate_characters_not_allowed"),
    "low half": (b'{"name": "x\\uDC00y"}', "#/name", "surrogate_characters_not_allowed"),
    "wrong order": (b'{"name": "\\udc00\\ud800"}', "#/name", "surrogate_characters_not_allowed"),
    "half in free JSON": (b'{"anything": "\\uDfff"}', "#/anything", "surrogate_characters_not_allowed"),
    "half in a key": (b'{"\\ud800": 1}', "#", "surrogate_characters_not_allowed"),
}


@pytest.fixture
def api() -> APIClient:
    return APIClient(raise_request_exception=False)


class TestStrictJSON:
    @pytest.mark.parametrize("body", MALFORMED.values(), ids=MALFORMED.keys())
    def test_what_is_no_strict_json_is_refused_within_a_second(self, api: APIClient, body: bytes) -> None:
        started_s = time.perf_counter()
        response = api.post("/api/v1/echo/", data=body, content_type="application/json")
        assert time.perf_counter() - started_s < 1
        assert response.status_code == 400
        assert response.json()["code"] == "malformed_json"
        assert "set_int_max_str_digits" not in response.json()["detail"]

    @pytest.mark.parametrize(("body", "pointer", "code"), UNSTORABLE.values(), ids=UNSTORABLE.keys())
    def test_text_that_no_database_holds_is_refused_by_its_place(
        self, api: APIClient, body: bytes, pointer: str, code: str
    ) -> None:
        response = api.post("/api/v1/echo/", data=body, content_type="application/json")
        assert response.status_code == 422
        assert [(error["pointer"], error["code"]) for error in response.json()["errors"]] == [(pointer, code)]

    @pytest.mark.parametrize(
        "name",
        ["NaN", "1e999", "key twice", "inner key twice", "deep list", "5,000 digits", "raw NUL", "a little too deep"],
    )
    def test_the_usual_parser_would_let_it_in_or_fail(self, api: APIClient, name: str) -> None:
        """The control: without the strict parser each of these is taken, or refused for another reason than ours."""
        response = api.post("/api/v1/loose-echo/", data=MALFORMED[name], content_type="application/json")
        assert response.status_code != 400 or response.json()["code"] != "malformed_json"

    @pytest.mark.parametrize("name", ["NUL deep in free JSON", "NUL in a key", "half in free JSON"])
    def test_the_usual_parser_would_let_unstorable_text_into_free_json(self, api: APIClient, name: str) -> None:
        response = api.post("/api/v1/loose-echo/", data=UNSTORABLE[name][0], content_type="application/json")
        assert response.status_code in (200, 500)

    @pytest.mark.parametrize(
        "value",
        [
            pytest.param({"name": "naïve 😀 \u2028 \ufeff"}, id="all of Unicode"),
            pytest.param({"anything": 10**400}, id="an integer of 400 digits in free JSON"),
            pytest.param({"anything": ["\\ud800", "\\u0000"]}, id="text that only speaks of escapes"),
            pytest.param({"anything": [[] for _ in range(5000)]}, id="many brackets, but flat"),
            pytest.param({"ratio": 1e308}, id="the largest floats"),
        ],
    )
    def test_what_is_right_passes_unchanged(self, api: APIClient, value: dict[str, object]) -> None:
        response = api.post("/api/v1/echo/", data=json.dumps(value), content_type="application/json")
        assert response.status_code == 200, response.content
        got = response.json()["got"]
        assert {name: got[name] for name in value} == value

    def test_depth_up_to_the_bound_passes(self, api: APIClient) -> None:
        body = b'{"anything": ' + b"[" * (DEPTH_MAX - 1) + b"]" * (DEPTH_MAX - 1) + b"}"
        assert api.post("/api/v1/echo/", data=body, content_type="application/json").status_code == 200

    def test_the_charset_parameter_changes_nothing(self, api: APIClient) -> None:
        body = '{"name": "é"}'.encode()
        response = api.post("/api/v1/echo/", data=body, content_type="application/json; charset=utf-16")
        assert response.json()["got"]["name"] == "é"


class TestLimit:
    def test_a_body_at_the_limit_passes_and_a_byte_more_does_not(self, api: APIClient, settings: LazySettings) -> None:
        settings.CORE_BODY_LIMIT_BYTES = 20
        body = b'{"name": "12345678"}'
        assert len(body) == 20
        assert api.post("/api/v1/echo/", data=body, content_type="application/json").status_code == 200
        response = api.post("/api/v1/echo/", data=body + b" ", content_type="application/json")
        assert response.status_code == 413
        assert response.json()["code"] == "body_too_large"

    def test_a_form_has_a_limit_of_its_own(self, api: APIClient, settings: LazySettings) -> None:
        settings.CORE_BODY_LIMIT_BYTES, settings.CORE_FORM_LIMIT_BYTES = 20, 60
        for length, wanted in ((40, 415), (60, 415), (61, 413)):
            response = api.post("/api/v1/echo/", b"x" * length, content_type="multipart/form-data; boundary=y")
            assert response.status_code == wanted
        assert api.post("/api/v1/echo/", b"x" * 40, content_type="application/json").status_code == 413

    def test_the_parser_notices_by_itself(self, settings: LazySettings) -> None:
        import io

        from core.parsers import BodyTooLarge, StrictJSONParser

        settings.CORE_BODY_LIMIT_BYTES = 20
        with pytest.raises(BodyTooLarge):
            StrictJSONParser().parse(io.BytesIO(b" " * 21))

    @pytest.mark.parametrize("stated", ["²", "-1", "1e3", "9" * 5000], ids=["superscript", "-1", "1e3", "5000 digits"])
    def test_a_length_that_is_no_usable_number(self, api: APIClient, stated: str) -> None:
        response = api.post("/api/v1/echo/", data=b"{}", content_type="application/json", CONTENT_LENGTH=stated)
        assert response.status_code == (413 if stated.startswith("9") else 400)
