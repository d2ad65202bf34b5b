"""`manage.py import_problems COURSE FILE`: create or change the problems that a table names."""

import json
import sys
from argparse import RawDescriptionHelpFormatter
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

from core.errors import DomainError
from courses.errors import ProblemImportRefused
from courses.exchange.importing import ON_EXISTING, ROWS_MAX, problem_rows, problems_import
from courses.management.courses import course_named

HELP = f"""\
Create the problems that a table names in a course, up to {ROWS_MAX:,} at a time.

A table is CSV (UTF-8) or XLSX, as the export of problems writes it; docs/problem-import.md tells its columns.
Nothing is written if any row has an error. Errors are listed by row and column; the last line of the output is a JSON
summary, and the exit status is 1 if any row had an error.

  manage.py import_problems ulm/algorithms problems.xlsx --dry-run
  manage.py import_problems 17 problems.csv --on-existing update
"""


class Command(BaseCommand):
    help = HELP

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        return super().create_parser(prog_name, subcommand, formatter_class=RawDescriptionHelpFormatter, **kwargs)

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("course", metavar="COURSE", help="the course's number, or ORGANIZATION/COURSE by slugs")
        parser.add_argument("file", type=Path, metavar="FILE", help="the table, as CSV or XLSX")
        parser.add_argument("--dry-run", action="store_true", help="try everything and write nothing")
        parser.add_argument(
            "--on-existing",
            choices=ON_EXISTING,
            default="refuse",
            help="what becomes of rows whose slug the course has: refuse (the default), update or skip",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        course = course_named(options["course"])
        try:
            rows = problem_rows(options["file"].read_bytes())
            with tqdm(total=len(rows), desc="importing", unit="row", file=sys.stderr) as bar:
                report = problems_import(
                    actor=None,
                    course_id=course.pk,
                    rows=rows,
                    is_dry_run=options["dry_run"],
                    on_existing=options["on_existing"],
                    tell=bar.update,
                )
        except OSError as error:
            raise CommandError(str(error)) from error
        except ProblemImportRefused as error:
            self._tell(error.members["rows"], error.members["totals"], is_written=False)
        except DomainError as error:
            raise CommandError(" ".join(fault.detail for fault in error.errors) or error.detail) from error
        else:
            self._tell(report.as_members()["rows"], report.totals, is_written=report.is_written)

    def _tell(self, lines: list[dict[str, Any]], totals: Any, *, is_written: bool) -> None:
        for line in lines:
            for error in line["errors"]:
                where = error["column"] or "(row)"
                self.stdout.write(f"row {line['row']}: {line['slug']}: {where}: {error['code']}: {error['detail']}")
        self.stdout.write(json.dumps({"is_written": is_written, **totals}))
        if totals["error"]:
            sys.exit(1)
