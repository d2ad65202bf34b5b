"""`manage.py bench_api`: what a course's outline costs over HTTP beside an empty view."""

import json
import sys
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from statistics import median
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from courses.bench.client import ServerFailed, served
from courses.bench.measuring import Measured, measure

HELP = """\
Measure a course's outline over HTTP, with a token, against an empty view that asks for the same token.

A server of its own is started on a database of its own (SQLite) and thrown away afterwards; the empty view's address
exists in that server alone. All cases take turns, round by round; what is printed are medians of the rounds, and each
ratio beside its goal. Trust ratios, not milliseconds. REDIS_URL in the environment is used, if it is there.

This is no test: the exit status is 1 only if an answer was wrong.

  manage.py bench_api                                100 chapters of 10 problems
  manage.py bench_api --chapters 500 --rounds 5
  manage.py bench_api --json > figures.json
"""


class Command(BaseCommand):
    help = HELP
    # The server brings up a database of its own; ours is not asked.
    requires_system_checks: list[str] = []

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> Any:
        return super().create_parser(prog_name, subcommand, formatter_class=RawDescriptionHelpFormatter, **kwargs)

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--chapters", type=int, default=100, help="chapters of the course (default: 100)")
        parser.add_argument("--problems", type=int, default=10, help="problems in each (default: 10)")
        parser.add_argument("--rounds", type=int, default=9, help="rounds of all cases (default: 9)")
        parser.add_argument("--requests", type=int, default=20, help="requests of a case in each round (default: 20)")
        parser.add_argument("--json", action="store_true", help="print one JSON object and nothing else")

    def handle(self, *args: Any, **options: Any) -> None:
        numbers = {name: options[name] for name in ("chapters", "problems", "rounds", "requests")}
        for name, number in numbers.items():
            if number < 1:
                raise CommandError(f"--{name} must be at least 1.")
        try:
            with (
                served(chapters=options["chapters"], problems=options["problems"]) as server,
                tqdm(total=options["rounds"], desc="measuring", unit="round", file=sys.stderr) as bar,
            ):
                results = measure(
                    server,
                    rounds=options["rounds"],
                    requests=options["requests"],
                    problems=options["chapters"] * options["problems"],
                    on_round=bar.update,
                )
        except ServerFailed as error:
            raise CommandError(str(error)) from error
        if options["json"]:
            self.stdout.write(json.dumps({**numbers, **_as_json(results)}, indent=2))
        else:
            self.stdout.write("\n".join(_lines(results)))


def _as_json(results: list[Measured]) -> dict[str, Any]:
    return {
        "baseline_ms": _ms(results[0].baseline_s),
        "cases": [
            {
                "name": result.case.name,
                "title": result.case.title,
                "ms": _ms(result.samples_s),
                "ratio": round(result.ratio, 3),
                "ratios": [round(ratio, 3) for ratio in result.ratios],
                "bytes": result.bytes,
                **({} if result.is_met is None else {"at_most": result.case.at_most, "is_met": result.is_met}),
            }
            for result in results
        ],
    }


def _lines(results: list[Measured]) -> list[str]:
    lines = [f"{'an empty view':<36}{_ms(results[0].baseline_s):>9.2f} ms"]
    for result in results:
        goal = "" if result.is_met is None else f"  goal at most {result.case.at_most:g}: "
        met = {None: "", True: "met", False: "missed"}[result.is_met]
        lines.append(f"{result.case.title:<36}{_ms(result.samples_s):>9.2f} ms{result.ratio:>8.2f} times{goal}{met}")
    return lines


def _ms(samples_s: tuple[float, ...]) -> float:
    return round(median(samples_s) * 1000, 3)
