"""Alive and ready: who asks is answered quickly, plainly, and without secrets."""

from typing import Any

import pytest
from django.core.cache import cache
from django.db import OperationalError
from django.test import Client
from django.test.utils import CaptureQueriesContext
from structlog.testing import capture_logs

from core import health
from core.health import Health, register_check

pytestmark = [pytest.mark.urls("tests.core.urls"), pytest.mark.django_db]


@pytest.fixture(autouse=True)
def only_our_checks(monkeypatch: pytest.MonkeyPatch) -> None:
    checks = {"database": health.check_database, "cache": health.check_cache}
    monkeypatch.setattr(health, "_checks", checks)


def broken(*args: object, **kwargs: object) -> Any:
    raise OperationalError("connection to host db.internal failed: password authentication failed for user assay")


class TestAlive:
    def test_it_asks_nothing_of_anybody(self, client: Client) -> None:
        from django.db import connection

        with CaptureQueriesContext(connection) as queries:
            response = client.get("/healthz")
        assert (response.status_code, response.json(), len(queries)) == (200, {"status": "alive"}, 0)

    @pytest.mark.parametrize("address", ["/healthz", "/readyz"])
    def test_head_works_and_nothing_is_cached(self, client: Client, address: str) -> None:
        response = client.head(address)
        assert (response.status_code, response.content) == (200, b"")
        assert "no-store" in response["Cache-Control"]

    @pytest.mark.parametrize("address", ["/healthz", "/readyz"])
    def test_other_verbs_are_refused(self, client: Client, address: str) -> None:
        response = client.post(address)
        assert (response.status_code, response.json()["code"]) == (405, "method_not_allowed")
        assert response["Allow"] == "GET, HEAD"

    def test_a_probe_names_the_loopback_host(self, client: Client) -> None:
        assert client.get("/healthz", HTTP_HOST="127.0.0.1:8000").status_code == 200


class TestReady:
    def test_every_part_is_named(self, client: Client) -> None:
        body = client.get("/readyz").json()
        assert body["status"] == "ready"
        assert {name: part["ok"] for name, part in body["checks"].items()} == {"database": True, "cache": True}

    def test_without_the_database_it_is_unready(self, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("django.db.backends.base.base.BaseDatabaseWrapper.cursor", broken)
        response = client.get("/readyz")
        assert response.status_code == 503
        assert response.json() == {
            "status": "unready",
            "checks": {
                "database": {"ok": False, "detail": "OperationalError"},
                "cache": {"ok": True, "detail": response.json()["checks"]["cache"]["detail"]},
            },
        }

    def test_without_the_cache_it_is_ready_and_says_so(self, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(type(cache._connections["default"]), "get", broken)  # type: ignore[attr-defined]
        response = client.get("/readyz")
        assert response.status_code == 200
        assert response.json()["checks"]["cache"]["ok"] is False

    def test_a_check_that_crashes_is_a_part_that_is_not_ok(self, client: Client) -> None:
        register_check("engine", broken)
        with capture_logs() as lines:
            response = client.get("/readyz")
        assert response.status_code == 503
        assert response.json()["checks"]["engine"] == {"ok": False, "detail": "OperationalError"}
        # What the driver said is for the operator alone.
        assert "internal" not in response.content.decode()
        assert [line["check"] for line in lines if line["event"] == "check_failed"] == ["engine"]

    @pytest.mark.parametrize(("is_required", "status"), [(True, 503), (False, 200)])
    def test_a_registered_part_counts_if_it_is_required(self, client: Client, is_required: bool, status: int) -> None:
        register_check("engine", lambda: Health(is_ok=False, detail="no bubblewrap", is_required=is_required))
        response = client.get("/readyz")
        assert response.status_code == status
        assert response.json()["checks"]["engine"] == {"ok": False, "detail": "no bubblewrap"}
