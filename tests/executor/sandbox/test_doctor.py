"""`manage.py sandbox_doctor` and `check --deploy`: what an operator is told of how programs are held."""

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.checks import Error, Warning
from django.core.checks.registry import registry
from django.core.management import call_command
from pytest_django import Settings

from executor import checks
from executor.engines.base import EngineHealth
from executor.engines.sandbox import host, survey
from executor.engines.sandbox.inbox import landlock
from executor.queue import workers


def told(*arguments: str) -> tuple[str, int]:
    """What the command printed, and its exit status. There is no database in these tests, and none is asked for."""
    out, status = StringIO(), 0
    try:
        call_command("sandbox_doctor", *arguments, stdout=out)
    except SystemExit as ended:
        status = int(ended.code or 0)
    return out.getvalue(), status


class TestSandboxDoctor:
    def test_on_a_machine_that_contains(self) -> None:
        text, status = told()
        assert status == 0
        assert "Tier A: bubblewrap with namespaces" in text
        for name in ("bubblewrap", "user namespaces", "AppArmor", "Landlock", "system-call filters", "kit: runner"):
            assert name in text
        assert "python              offered" in text

    def test_as_json(self, settings: Settings) -> None:
        settings.EXECUTOR_TIERS = "C"
        text, status = told("--json")
        document = json.loads(text)
        assert status == 0
        assert (document["is_ready"], document["tier"], document["tiers_allowed"]) == (True, "C", "C")
        assert document["languages"]["python"] is None
        assert "tier C cannot hold" in document["languages"]["cpp"]
        facts = {fact["name"]: fact for fact in document["machine"]}
        assert facts["Landlock"]["value"].startswith(f"version {landlock.abi()}")

    def test_a_refusal_says_what_is_missing_and_what_fixes_it(
        self, settings: Settings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        real = host.find_program
        for module in (host, survey):
            monkeypatch.setattr(module, "find_program", lambda name: None if name == "bwrap" else real(name))
        settings.EXECUTOR_TIERS = "AB"
        text, status = told()
        assert status == 1
        assert "bubblewrap            missing  -> apt-get install bubblewrap" in text
        assert "Refused: not tier A or B: bubblewrap is missing" in text
        assert "judge0" in text
        assert "no tier holds here" in text
        assert json.loads(told("--json")[0])["is_ready"] is False

    def test_what_stands_in_the_way_is_named(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        for name, attribute, text in (("enabled", "_APPARMOR", "Y\n"), ("restricts", "_APPARMOR_RESTRICTS", "1\n")):
            (tmp_path / name).write_text(text)
            monkeypatch.setattr(survey, attribute, tmp_path / name)
        monkeypatch.setattr(landlock, "abi", lambda: 4)
        monkeypatch.setattr(survey, "_NEW_USER_NAMESPACE", "raise SystemExit('Operation not permitted')")
        facts = {fact.name: fact for fact in survey.facts(uid_for_root=65533)}
        assert facts["AppArmor"].fix == "sudo script/setup"
        assert facts["Landlock"].fix.startswith("Linux 6.12")
        assert facts["user namespaces"].value == "refused to python3: Operation not permitted"


class _Engine:
    def __init__(self, health: EngineHealth) -> None:
        self._health = health
        self.asked = 0

    def health(self) -> EngineHealth:
        self.asked += 1
        return self._health


def engine(tier: str) -> _Engine:
    return _Engine(EngineHealth(is_ready=bool(tier), tier=tier, detail="this and that"))


class TestDeploymentCheck:
    @pytest.mark.parametrize(
        ("tier", "kind", "number"),
        [
            ("B", Warning, "executor.W001"),
            ("C", Warning, "executor.W001"),
            ("D", Error, "executor.E002"),
            ("", Error, "executor.E001"),
        ],
    )
    def test_less_than_tier_a_is_told(
        self, monkeypatch: pytest.MonkeyPatch, tier: str, kind: type[Any], number: str
    ) -> None:
        monkeypatch.setattr(checks, "default_engine", lambda: engine(tier))
        (message,) = checks.check_containment()
        assert (type(message), message.id) == (kind, number)
        assert "this and that" in message.msg
        assert "sandbox_doctor" in str(message.hint)

    def test_tier_a_is_nothing_to_tell(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(checks, "default_engine", lambda: engine("A"))
        assert checks.check_containment() == []

    def test_a_judge0_is_no_matter_of_this_machine(self, monkeypatch: pytest.MonkeyPatch, settings: Settings) -> None:
        asked = engine("")
        monkeypatch.setattr(checks, "default_engine", lambda: asked)
        settings.EXECUTOR_ENGINE = "judge0"
        assert checks.check_containment() == []
        assert asked.asked == 0

    def test_it_is_part_of_the_deployment_check_only(self) -> None:
        assert checks.check_containment in registry.get_checks(include_deployment_checks=True)
        assert checks.check_containment not in registry.get_checks()


class TestStart:
    def test_workers_find_the_tier_out_when_they_start(self, monkeypatch: pytest.MonkeyPatch) -> None:
        asked = engine("A")
        monkeypatch.setattr(workers, "default_engine", lambda: asked)
        monkeypatch.setattr(workers.LeaseKeeper, "start", lambda self: None)
        monkeypatch.setattr(workers.WorkerPool, "_sweep", lambda self: None)
        pool = workers.WorkerPool(0)
        pool.start()
        for thread in pool._threads:
            thread.join(10)
        assert asked.asked == 1
