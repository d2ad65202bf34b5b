"""`manage.py load_demo`: a course to look around in."""

import json
import os
from argparse import ArgumentParser
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from core.errors import DomainError
from executor.demo.loading import LoadedDemo, demo_load


class Command(BaseCommand):
    help = (
        "Load the demo course, with problems, tests and users, or bring it up to date. Its users get new passwords "
        "each time, which are printed once and stored nowhere else."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--json", type=Path, metavar="FILE", help="write what was loaded there, readable by you alone"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            demo = demo_load()
        except DomainError as error:
            raise CommandError(error.detail) from error
        if options["json"] is not None:
            _write_private(options["json"], json.dumps(asdict(demo), indent=2))
            return
        self._print(demo)

    def _print(self, demo: LoadedDemo) -> None:
        self.stdout.write(f"Course {demo.course_id} with {len(demo.problem_ids)} problems is there.")
        for user in demo.users:
            self.stdout.write(f"  {user.role:10}  {user.username:16}  password {user.password}")


def _write_private(path: Path, text: str) -> None:
    """Write passwords: a new file that nobody else can open from its first moment on."""
    path.unlink(missing_ok=True)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise CommandError(f"{path} cannot be written: {error.strerror}.") from error
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
