"""`manage.py import_roster COURSE FILE`: enroll everybody whom a spreadsheet names."""

import json
import sys
from argparse import RawDescriptionHelpFormatter
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

from core.errors import DomainError
from courses.errors import RosterRefused
from courses.management.courses import course_named
from courses.rules.roster import Outcome
from courses.services import roster_import
from courses.services.roster import ROSTER_ROWS_MAX, roster_rows

HELP = f"""\
Enroll everybody whom a roster names, up to {ROSTER_ROWS_MAX:,} at a time.

A roster is a table, as CSV (UTF-8) or XLSX, whose first row names its columns:

  user      e-mail address or username; or columns of their own: email, username
  role      student (where empty, or no such column), assistant or instructor
  group     the section they sit in; made if there is none of that name

An empty role or group leaves what somebody has. Who left the course comes back. Everybody becomes a member of the
organization. Nobody who is staff is made a student.

Nothing is written if any row has an error, unless --skip-errors leaves those rows out. Rows with errors are listed;
the last line of the output is a JSON summary, and the exit status is 1 if any row had an error.

  manage.py import_roster ulm/algorithms roster.csv --dry-run
  manage.py import_roster 17 roster.xlsx
"""


class Command(BaseCommand):
    help = HELP

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        return super().create_parser(prog_name, subcommand, formatter_class=RawDescriptionHelpFormatter, **kwargs)

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("course", metavar="COURSE", help="the course's number, or ORGANIZATION/COURSE by slugs")
        parser.add_argument("file", type=Path, metavar="FILE", help="the roster, as CSV or XLSX")
        parser.add_argument("--dry-run", action="store_true", help="only say what would become of each row")
        parser.add_argument("--skip-errors", action="store_true", help="leave rows with errors out")

    def handle(self, *args: Any, **options: Any) -> None:
        course = course_named(options["course"])
        try:
            rows = roster_rows(options["file"].read_bytes())
            # Each row is looked up, and most are written.
            with tqdm(total=2 * len(rows), desc="importing", unit="row", file=sys.stderr) as bar:
                report = roster_import(
                    actor=None,
                    course_id=course.pk,
                    rows=rows,
                    is_dry_run=options["dry_run"],
                    skips_errors=options["skip_errors"],
                    tell=bar.update,
                )
        except OSError as error:
            raise CommandError(str(error)) from error
        except RosterRefused as error:
            self._tell(error.members["rows"], error.members["totals"], is_written=False)
        except DomainError as error:
            raise CommandError(" ".join(fault.detail for fault in error.errors) or error.detail) from error
        else:
            self._tell([asdict(line) for line in report.rows], report.totals, is_written=report.is_written)

    def _tell(self, lines: list[dict[str, Any]], totals: Any, *, is_written: bool) -> None:
        for line in lines:
            if line["outcome"] == Outcome.ERROR:
                self.stdout.write(f"row {line['row']}: {line['user'] or '(nobody)'}: {line['code']}: {line['detail']}")
        self.stdout.write(json.dumps({"is_written": is_written, **totals}))
        if totals[Outcome.ERROR]:
            sys.exit(1)
