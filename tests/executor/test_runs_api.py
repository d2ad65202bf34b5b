"""Free runs and the list of languages over HTTP, on the real sandbox."""

from collections.abc import Callable
from threading import BoundedSemaphore

import pytest
from pytest_django import Settings
from rest_framework.test import APIClient

from accounts.models import User
from executor.engines.base import EngineHealth, EngineUnavailable
from executor.judging.languages import LANGUAGES
from executor.models import Submission
from executor.services.engines import engine_named
from tests.accounts.factories import UserFactory

pytestmark = pytest.mark.django_db

ApiAs = Callable[[User], APIClient]
URL = "/api/v1/runs/"


class TestRuns:
    def test_a_program_runs_and_nothing_is_kept(self, api_as: ApiAs) -> None:
        response = api_as(UserFactory()).post(URL, {"language": "python", "code": "print(input())", "stdin": "hi"})
        assert response.status_code == 200
        answer = response.json()
        assert (answer["status"], answer["exit_code"], answer["stdout"]) == ("exited", 0, "hi\n")
        assert Submission.objects.count() == 0

    def test_hostile_output_comes_back_as_text(self, api_as: ApiAs) -> None:
        code = r"import sys; sys.stdout.buffer.write(b'\x00\xff<script>\x1b[31m')"
        answer = api_as(UserFactory()).post(URL, {"language": "python", "code": code}).json()
        assert answer["stdout"] == "\\x00\\xff<script>\x1b[31m"

    def test_a_program_that_does_not_compile_says_so(self, api_as: ApiAs) -> None:
        answer = api_as(UserFactory()).post(URL, {"language": "c", "code": "int main( {"}).json()
        assert answer["status"] == "compilation_error"
        assert "error" in answer["compile_output"]

    @pytest.mark.parametrize(
        ("body", "code"),
        [
            ({"language": "cobol", "code": "x"}, "unknown_language"),
            ({"language": "python", "code": ""}, "empty_code"),
            ({"language": "python", "code": "1", "stdin": "x" * (64 * 1024 + 1)}, "input_too_large"),
            ({"language": "python", "code": "1", "time_limit_ms": 60_000}, "unknown_field"),
            ({"language": "python"}, "code_or_files"),
        ],
    )
    def test_bad_input_is_named(self, api_as: ApiAs, body: dict[str, str], code: str) -> None:
        response = api_as(UserFactory()).post(URL, body)
        assert response.status_code == 422
        assert response.json()["errors"][0]["code"] == code

    def test_when_all_places_are_taken_it_is_429_and_nothing_runs(
        self, api_as: ApiAs, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        full = BoundedSemaphore(1)
        full.acquire()
        monkeypatch.setattr("executor.services.lane._places", full)
        response = api_as(UserFactory()).post(URL, {"language": "python", "code": "print(1)"})
        assert (response.status_code, response.json()["code"]) == (429, "run_capacity_full")
        assert int(response["Retry-After"]) > 0

    def test_an_engine_that_is_away_is_503_and_gives_the_place_back(
        self, api_as: ApiAs, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def away(*args: object) -> None:
            raise EngineUnavailable("no user namespaces here")

        monkeypatch.setattr("executor.engines.sandbox.SandboxEngine.run", away)
        client = api_as(UserFactory())
        for _ in range(5):
            response = client.post(URL, {"language": "python", "code": "print(1)"})
            assert (response.status_code, response.json()["code"]) == (503, "service_unavailable")


class TestLanguages:
    def test_they_are_listed(self, api_as: ApiAs) -> None:
        rows = api_as(UserFactory()).get("/api/v1/languages/").json()
        assert [row["key"] for row in rows] == list(LANGUAGES)

    def test_a_missing_one_is_left_out(self, api_as: ApiAs, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(
            "executor.services.languages.missing_for", lambda language: "gone" if language.key == "java" else None
        )
        rows = api_as(UserFactory()).get("/api/v1/languages/").json()
        assert "java" not in [row["key"] for row in rows]


class TestReadiness:
    def test_the_engine_is_named_with_its_tier(self, anonymous_api: APIClient) -> None:
        body = anonymous_api.get("/readyz").json()
        assert body["checks"]["engine"]["ok"]
        assert "sandbox, tier A" in body["checks"]["engine"]["detail"]

    def test_an_engine_that_cannot_contain_makes_it_unready(
        self, anonymous_api: APIClient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        refusal = EngineHealth(is_ready=False, tier="", detail="bubblewrap is missing: apt-get install bubblewrap")
        monkeypatch.setattr("executor.engines.sandbox.SandboxEngine.health", lambda self: refusal)
        response = anonymous_api.get("/readyz")
        assert response.status_code == 503
        assert "apt-get install bubblewrap" in response.json()["checks"]["engine"]["detail"]

    def test_a_judge0_is_not_named_by_its_address(
        self, anonymous_api: APIClient, monkeypatch: pytest.MonkeyPatch, settings: Settings
    ) -> None:
        settings.EXECUTOR_ENGINE = "judge0"
        settings.JUDGE0_URL = "http://127.0.0.1:9/secret-place"
        engine_named.cache_clear()
        try:
            response = anonymous_api.get("/readyz")
        finally:
            engine_named.cache_clear()
        assert response.status_code == 503
        assert not response.json()["checks"]["engine"]["ok"]
        assert "127.0.0.1" not in response.content.decode()
        assert "secret-place" not in response.content.decode()
