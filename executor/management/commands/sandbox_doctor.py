"""`manage.py sandbox_doctor`: how this machine contains programs, and what would help it to do better."""

import json
import os
import sys
from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from executor.engines.base import EngineError
from executor.engines.sandbox import SandboxEngine
from executor.engines.sandbox.engine import DEFAULT_UID
from executor.engines.sandbox.kit import Kit
from executor.engines.sandbox.survey import Fact, facts, kit_facts
from executor.judging.languages import LANGUAGES


class Command(BaseCommand):
    help = (
        "Say what this machine has of what the embedded sandbox wants, which tier of containment holds here (tried for "
        "real), what would fix the rest, and which languages it offers. Exit 0 where programs can be run, 1 where the "
        "sandbox refuses. No database is needed."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="one JSON object instead of text for people")

    def handle(self, *args: Any, **options: Any) -> None:
        # One of its own, since the engine of the settings may be another.
        engine = SandboxEngine(tiers=settings.EXECUTOR_TIERS, kit_directory=settings.EXECUTOR_KIT_DIRECTORY)
        health = engine.health()
        toolchains = [language.toolchain for language in LANGUAGES.values()]
        kit = Kit.found(settings.EXECUTOR_KIT_DIRECTORY, reader_uid=DEFAULT_UID if os.geteuid() == 0 else None)
        machine = [*facts(uid_for_root=DEFAULT_UID), *kit_facts(kit, toolchains)]
        languages = {key: _missing(engine, key) for key in LANGUAGES}
        if options["json"]:
            document = {
                "is_ready": health.is_ready,
                "tier": health.tier,
                "detail": health.detail,
                "tiers_allowed": settings.EXECUTOR_TIERS,
                "machine": [asdict(fact) for fact in machine],
                "languages": languages,
            }
            self.stdout.write(json.dumps(document, indent=1))
        else:
            self._tell(machine, languages)
            verdict = f"Tier {health.tier}: " if health.is_ready else "Refused: "
            self.stdout.write(f"\n{verdict}{health.detail}.")
        if not health.is_ready:
            sys.exit(1)

    def _tell(self, machine: list[Fact], languages: dict[str, str | None]) -> None:
        for fact in machine:
            self.stdout.write(f"{fact.name:22}{fact.value}" + (f"  -> {fact.fix}" if fact.fix else ""))
        self.stdout.write("\nLanguages")
        for key, missing in languages.items():
            self.stdout.write(f"  {key:20}{'offered' if missing is None else missing}")


def _missing(engine: SandboxEngine, key: str) -> str | None:
    try:
        return engine.missing_for(LANGUAGES[key].toolchain)
    except EngineError:
        return "no tier holds here"
