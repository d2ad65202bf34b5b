"""The outer middlewares: the moment of receipt, the request's id, the request line, and headers on every answer."""

import re
from datetime import UTC, datetime
from typing import Any

import pytest
import structlog
from django.conf import LazySettings
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from freezegun import freeze_time
from rest_framework.request import Request
from structlog.testing import capture_logs

from accounts.models import User
from core.asgi import RECEIVED_AT
from core.clock import received_at
from core.middleware import REQUEST_ID, RequestContextMiddleware

pytestmark = [pytest.mark.urls("tests.core.urls"), pytest.mark.django_db]
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.fixture
def client() -> Client:
    return Client(raise_request_exception=False)


class TestReceipt:
    def test_a_request_counts_from_its_receipt_however_long_it_takes(self) -> None:
        seen = []
        with freeze_time(NOON) as clock:

            def slow_view(request: HttpRequest) -> HttpResponse:
                clock.tick(30)
                seen.extend([received_at(request), received_at(Request(request))])
                return HttpResponse()

            RequestContextMiddleware(slow_view)(RequestFactory().get("/"))
        assert seen == [NOON, NOON]

    def test_it_is_stamped_outside_everything_else(self, settings: LazySettings) -> None:
        assert settings.MIDDLEWARE[0] == "core.middleware.RequestContextMiddleware"

    def test_the_moment_the_body_was_complete_counts_however_late_a_thread_is_free(self) -> None:
        request = RequestFactory().get("/")
        request.scope = {RECEIVED_AT: NOON}  # type: ignore[attr-defined]
        seen = []

        def view(request: HttpRequest) -> HttpResponse:
            seen.append(received_at(request))
            return HttpResponse()

        RequestContextMiddleware(view)(request)
        assert seen == [NOON]

    def test_without_the_middleware_it_would_be_the_time_of_asking(self) -> None:
        with freeze_time(NOON) as clock:
            request = RequestFactory().get("/")
            clock.tick(30)
            assert received_at(request) > NOON

    def test_views_see_it(self, client: Client) -> None:
        with freeze_time(NOON):
            assert client.get("/plain/").json()["received_at"] == "2026-11-20T12:00:00Z"


class TestRequestId:
    def test_each_request_gets_one_of_its_own(self, client: Client) -> None:
        first, second = (client.get("/plain/")["X-Request-ID"] for _ in range(2))
        assert re.fullmatch("[0-9a-f]{32}", first)
        assert first != second

    def test_a_harmless_id_of_the_caller_is_kept(self, client: Client) -> None:
        response = client.get("/api/v1/nothing/", headers={"X-Request-ID": "gateway-1.A_b"})
        assert response["X-Request-ID"] == response.json()["request_id"] == "gateway-1.A_b"

    @pytest.mark.parametrize(
        "given",
        ["", "a\nb", "a\r\nSet-Cookie: x=1", 'a", "level": "error', "x" * 65, "é", "\x1b[31m", "a b", "id\n"],
    )
    def test_any_other_is_replaced(self, client: Client, given: str) -> None:
        shown = client.get("/plain/", headers={"X-Request-ID": given})["X-Request-ID"]
        assert shown != given
        assert re.fullmatch("[0-9a-f]{32}", shown)

    def test_a_looser_rule_would_let_a_line_break_in(self, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("core.middleware.REQUEST_ID", re.compile(".*", re.DOTALL))
        assert REQUEST_ID.fullmatch("id\n") is None
        # Django itself will not put it in a header: the answer would be an error of ours.
        with pytest.raises(ValueError, match="newlines"):
            Client().get("/plain/", headers={"X-Request-ID": "a\nb"})

    def test_it_is_bound_while_the_view_runs_and_no_longer(self) -> None:
        seen: list[dict[str, Any]] = []

        def view(request: HttpRequest) -> HttpResponse:
            seen.append(structlog.contextvars.get_contextvars())
            return HttpResponse()

        RequestContextMiddleware(view)(RequestFactory().get("/", headers={"X-Request-ID": "abc"}))
        assert seen == [{"request_id": "abc"}]
        assert "request_id" not in structlog.contextvars.get_contextvars()


class TestRequestLine:
    def test_each_request_is_one_line(self, client: Client) -> None:
        with capture_logs() as lines:
            client.get("/api/v1/nothing/?secret=1")
        (line,) = [line for line in lines if line["event"] == "request"]
        assert (line["method"], line["path"], line["status"]) == ("GET", "/api/v1/nothing/", 404)
        assert line["duration_ms"] >= 0
        assert "secret" not in str(line)

    def test_it_names_the_user_that_the_view_knew(self, client: Client) -> None:
        user = User.objects.create(username="kim", email="kim@example.org")
        client.force_login(user)
        with capture_logs() as lines:
            client.get("/api/v1/private/")
        assert [line["user_id"] for line in lines if line["event"] == "request"] == [user.pk]

    def test_it_costs_no_query(self, client: Client) -> None:
        client.force_login(User.objects.create(username="kim", email="kim@example.org"))
        with (
            CaptureQueriesContext(
                connection,
            ) as queries,
            capture_logs() as lines,
        ):
            client.get("/plain/")
        assert len(queries) == 0
        assert [line["user_id"] for line in lines if line["event"] == "request"] == [None]


class TestHeaders:
    @pytest.mark.parametrize("address", ["/plain/", "/api/v1/nothing/", "/api/v1/fail/bug/", "/healthz", "/api/docs/"])
    def test_every_answer_has_them(self, client: Client, address: str) -> None:
        headers = client.get(address).headers
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["X-Frame-Options"] == "DENY"
        assert headers["Referrer-Policy"] == "same-origin"
        assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
        policy = dict(part.split(" ", 1) for part in headers["Content-Security-Policy"].split("; "))
        assert policy["default-src"] == "'self'"
        assert "script-src" not in policy
        assert policy["frame-ancestors"] == "'none'"

    def test_a_refusal_before_the_view_has_them_too(self, client: Client, settings: LazySettings) -> None:
        settings.CORE_BODY_LIMIT_BYTES = 2
        response = client.post("/api/v1/echo/", {"name": "x"}, content_type="application/json")
        assert response.status_code == 413
        assert {"X-Content-Type-Options", "X-Frame-Options", "Content-Security-Policy"} <= set(response.headers)

    def test_api_answers_are_not_kept_by_browsers(self, client: Client) -> None:
        assert client.get("/api/v1/people/")["Cache-Control"] == "no-store"
        assert "Cache-Control" not in client.get("/plain/").headers

    def test_a_view_may_say_otherwise(self, client: Client) -> None:
        headers = client.get("/api/v1/own-policy/").headers
        assert headers["Content-Security-Policy"] == "default-src 'none'"
        assert headers["Cache-Control"] == "max-age=5"

    @pytest.mark.parametrize(
        ("middleware", "header"),
        [
            ("core.middleware.SecurityHeadersMiddleware", "Content-Security-Policy"),
            ("django.middleware.security.SecurityMiddleware", "X-Content-Type-Options"),
            ("django.middleware.clickjacking.XFrameOptionsMiddleware", "X-Frame-Options"),
        ],
    )
    def test_each_comes_from_its_middleware(self, settings: LazySettings, middleware: str, header: str) -> None:
        settings.MIDDLEWARE = [name for name in settings.MIDDLEWARE if name != middleware]
        assert header not in Client().get("/plain/").headers
