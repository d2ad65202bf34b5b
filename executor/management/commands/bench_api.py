"""`manage.py bench_api`: what the API costs, beside a baseline in the same run."""

import json
import os
import sys
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from courses.bench import measuring as outline
from courses.bench import report as outline_report
from courses.bench.client import ServerFailed, served
from executor.bench_api import measuring as whole_way
from executor.bench_api import report as whole_way_report

HELP = """\
Measure the API over HTTP, with a token, beside a baseline that takes turns with it.

outline: a course's outline, cached and not, against an empty view that asks for the same token.
whole-way: submissions a second from the request to the stored verdict, of a Python program with 10 tests, against the
engine alone, which runs the same program on the same inputs with as many threads as there are clients.

Each starts a server of its own on a database of its own (SQLite) and throws it away afterwards; for the whole way
everything is embedded, and the engine alone has a process of its own. What is printed are medians of the rounds, and
each ratio beside its goal. Trust ratios, not milliseconds. The outline uses REDIS_URL, if it is there.

This is no test: the exit status is 1 only if an answer or a verdict was wrong.

  manage.py bench_api                                both
  manage.py bench_api --only outline --chapters 500 --rounds 5
  manage.py bench_api --only whole-way --clients 4
  manage.py bench_api --json > figures.json
"""
OUTLINE, WHOLE_WAY = "outline", "whole-way"
NUMBERS = {
    "rounds": (9, "rounds of all cases"),
    "chapters": (100, "chapters of the course in an outline"),
    "problems": (10, "problems in each"),
    "requests": (20, "requests of an outline's case in each round"),
    "clients": (os.cpu_count() or 1, "clients of the whole way at a time, and workers"),
    "submissions": (60, "submissions of the whole way in each round"),
}


class Command(BaseCommand):
    help = HELP
    # The servers bring up databases of their own; ours is not asked.
    requires_system_checks: list[str] = []

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> Any:
        return super().create_parser(prog_name, subcommand, formatter_class=RawDescriptionHelpFormatter, **kwargs)

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--only", choices=[OUTLINE, WHOLE_WAY], help="this section alone")
        for name, (default, title) in NUMBERS.items():
            parser.add_argument(f"--{name}", type=int, default=default, help=f"{title} (default: {default})")
        parser.add_argument("--json", action="store_true", help="print one JSON object and nothing else")

    def handle(self, *args: Any, **options: Any) -> None:
        for name in NUMBERS:
            if options[name] < 1:
                raise CommandError(f"--{name} must be at least 1.")
        figures: dict[str, Any] = {"rounds": options["rounds"]}
        try:
            for section, work in ((OUTLINE, self._outline), (WHOLE_WAY, self._whole_way)):
                if options["only"] in (None, section):
                    with tqdm(total=options["rounds"], desc=section, unit="round", file=sys.stderr) as bar:
                        figures[section.replace("-", "_")], lines = work(options, bar)
                    if not options["json"]:
                        self.stdout.write("\n".join(lines))
        except ServerFailed as error:
            raise CommandError(str(error)) from error
        if options["json"]:
            self.stdout.write(json.dumps(figures, indent=2))

    def _outline(self, options: dict[str, Any], bar: "tqdm[Any]") -> tuple[dict[str, Any], list[str]]:
        numbers = {name: options[name] for name in ("chapters", "problems", "requests")}
        with served(chapters=options["chapters"], problems=options["problems"]) as server:
            results = outline.measure(
                server,
                rounds=options["rounds"],
                requests=options["requests"],
                problems=options["chapters"] * options["problems"],
                on_round=bar.update,
            )
        return {**numbers, **outline_report.as_json(results)}, outline_report.lines(results)

    def _whole_way(self, options: dict[str, Any], bar: "tqdm[Any]") -> tuple[dict[str, Any], list[str]]:
        result = whole_way.measure(
            rounds=options["rounds"],
            submissions=options["submissions"],
            clients=options["clients"],
            on_round=bar.update,
        )
        return whole_way_report.as_json(result), whole_way_report.lines(result)
