"""`manage.py check_consistency`: recount everything that is derived, and compare."""

import json
import sys
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand
from tqdm import tqdm

from core.consistency import Drift, Recount, recounts

HELP = """\
Recount everything that is derived from something else, such as students' progress, and compare it with what is stored.

It reads in batches while others go on writing, and says of each difference which row it is in, what is stored, and what
it should be. With --repair it mends each, through the same code that keeps it right otherwise. Run that once after an
upgrade that says so.

The last line of the output is a JSON summary; the exit status is 1 if anything differed and was not mended.

  manage.py check_consistency
  manage.py check_consistency --repair
"""


class Command(BaseCommand):
    help = HELP

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> Any:
        return super().create_parser(prog_name, subcommand, formatter_class=RawDescriptionHelpFormatter, **kwargs)

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--repair", action="store_true", help="mend what differs")

    def handle(self, *args: Any, **options: Any) -> None:
        is_repairing = bool(options["repair"])
        counts = {recount.name: self._run(recount, is_repairing) for recount in recounts()}
        drifted = sum(count["drifts"] for count in counts.values())
        summary = {"drifts": drifted, "repaired": drifted if is_repairing else 0, "recounts": counts}
        self.stdout.write(json.dumps(summary))
        if drifted and not is_repairing:
            raise SystemExit(1)

    def _run(self, recount: Recount, is_repairing: bool) -> dict[str, int]:
        rows = drifts = 0
        with tqdm(total=recount.count(), desc=recount.name, unit="row", file=sys.stderr) as bar:
            for batch in recount.run(is_repairing):
                for drift in batch.drifts:
                    self.stdout.write(_line(recount, drift))
                rows += batch.row_count
                drifts += len(batch.drifts)
                bar.update(batch.row_count)
        return {"rows": rows, "drifts": drifts}


def _line(recount: Recount, drift: Drift) -> str:
    return json.dumps({"recount": recount.name, **asdict(drift)})
