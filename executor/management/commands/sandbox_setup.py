"""`manage.py sandbox_setup`: what the sandbox can make ahead, so that judging is fast."""

import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from executor.engines.sandbox.kit import PartState, build
from executor.engines.sandbox.recipes import recipes_for
from executor.judging.languages import LANGUAGES


class Command(BaseCommand):
    help = (
        "Make what the embedded sandbox uses to judge faster: a runner for compiled programs, C++ headers compiled "
        "ahead, archives of Java classes. It takes about a minute and 300 MB the first time; later only what has "
        "changed with the machine's compilers is made anew, and what is outdated is never used. Run it again after an "
        "update of the compilers. What is missing costs speed, never a verdict. A server that is running takes the new "
        "parts when it is started again. No database is needed."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--directory",
            type=Path,
            default=settings.EXECUTOR_KIT_DIRECTORY,
            help="where to put it, readable by the user that boxes run as (default: sandbox/ in ASSAY_DATA_DIR)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        directory: Path = options["directory"]
        started = time.monotonic()
        recipes = recipes_for(language.toolchain for language in LANGUAGES.values())
        try:
            states = build(directory, recipes, lambda line: self.stdout.write(f"  {line} ..."))
        except OSError as error:
            raise CommandError(f"{directory} cannot be written: {error.strerror}.") from error
        if not any(state.is_new for state in states):
            self.stdout.write("Sandbox kit: already there")
        else:
            self.stdout.write(f"Sandbox kit: made in {time.monotonic() - started:.0f} s")
        for state in states:
            if options["verbosity"] > 1 or state.is_new or not state.is_there:
                self.stdout.write(_told(state))


def _told(state: PartState) -> str:
    if not state.is_there:
        return f"  {state.part:8} left out: {state.detail}"
    return f"  {state.part:8} {state.size_bytes / 2**20:5.0f} MiB"
