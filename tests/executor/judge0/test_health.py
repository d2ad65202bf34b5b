"""What an operator and a student are told of a Judge0 and its languages."""

from typing import Any

import pytest
import requests

from executor.engines.base import EngineUnavailable
from executor.judging.languages import LANGUAGES
from tests.executor.judge0.support import (
    CPP,
    PYTHON,
    SERVER,
    URL,
    C,
    FakeJudge0,
    answering,
    engine_with,
    mounted,
)


class HealthTestCase:
    def test_a_judge0_that_can_be_used(self) -> None:
        with mounted(FakeJudge0()):
            health = engine_with().health()
        assert (health.is_ready, health.tier) == (True, "judge0")
        assert health.detail == "Judge0 1.13.1 at judge0.test answers, with 9 languages."

    def test_maintenance_is_told(self) -> None:
        fake = FakeJudge0()
        fake.config["maintenance_mode"] = True
        with mounted(fake):
            health = engine_with().health()
        assert not health.is_ready
        assert "maintenance" in health.detail

    def test_denied_batches_name_the_setting(self) -> None:
        fake = FakeJudge0()
        fake.config = dict(SERVER["config_info_denying"])
        with mounted(fake):
            health = engine_with().health()
        assert not health.is_ready
        assert "ENABLE_BATCHED_SUBMISSIONS" in health.detail

    @pytest.mark.parametrize(
        "reply",
        [
            {"body": requests.ConnectionError("no")},
            {"body": requests.exceptions.SSLError("no")},
            {"body": "<html>"},
            {"body": ""},
            {"json": None},
            {"json": {"version": 1}},
            {"body": '{"version": "1.13.1", "load": NaN}'},
            {"body": "[" * 100_000},
            {"status": 500},
            {"status": 302, "headers": {"Location": "/"}},
            {"status": 404},
        ],
    )
    @pytest.mark.parametrize("path", ["about", "config_info", "languages"])
    def test_whatever_is_answered_it_never_raises(self, path: str, reply: dict[str, Any]) -> None:
        with answering("GET", f"{URL}/{path}", **reply):
            health = engine_with().health()
        assert not health.is_ready
        assert "judge0.test" in health.detail


class MissingLanguageTestCase:
    @pytest.mark.parametrize("key", ["python", "c", "cpp", "cpp20", "java", "javascript", "bash"])
    def test_nothing_is_missing_on_a_usual_judge0(self, key: str) -> None:
        with mounted(FakeJudge0()):
            assert engine_with().missing_for(LANGUAGES[key].toolchain) is None

    def test_a_language_it_lacks_is_named(self) -> None:
        fake = FakeJudge0()
        fake.languages = [item for item in fake.languages if item["id"] != 54]
        with mounted(fake):
            engine = engine_with()
            assert "C++ (GCC" in str(engine.missing_for(CPP))
            assert engine.missing_for(C) is None

    def test_a_server_for_single_files_runs_python_only(self) -> None:
        fake = FakeJudge0()
        fake.config["enable_additional_files"] = False
        with mounted(fake):
            engine = engine_with()
            assert "ENABLE_ADDITIONAL_FILES" in str(engine.missing_for(C))
            assert engine.missing_for(PYTHON) is None

    def test_a_compiler_it_does_not_name_is_named(self) -> None:
        with answering("GET", f"{URL}/languages/50", json={"compile_cmd": "clang main.c", "run_cmd": "./a.out"}):
            assert "'gcc'" in str(engine_with().missing_for(C))

    @pytest.mark.parametrize("reply", [{"status": 503}, {"status": 401}, {"body": "<html>"}])
    def test_a_server_that_cannot_be_asked_says_nothing_of_languages(self, reply: dict[str, Any]) -> None:
        with answering("GET", f"{URL}/config_info", **reply), pytest.raises(EngineUnavailable):
            engine_with().missing_for(PYTHON)
