"""`manage.py bench_engine`: how fast the embedded sandbox is beside bare runs, and what it leaves behind."""

import json
import os
import sys
import tempfile
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from executor.bench import report
from executor.bench.cases import JUDGE0_CASE, Case
from executor.bench.machine import machine_facts, pinned
from executor.bench.rounds import CaseResult
from executor.bench.soak import soak
from executor.bench.suite import chosen_cases, measure_cases
from executor.bench.timing import AnsweredWrongly
from executor.bench.watching import run_watched
from executor.engines.base import Engine, EngineError
from executor.engines.sandbox import SandboxEngine
from executor.judging.languages import LANGUAGES

HELP = """\
Measure the embedded sandbox against bare runs of the same programs on this machine.

A bare run is one plain process a test, started by the interpreter's absolute path, with stdin from a file. Both sides
take turns, round by round; what is printed are medians of the rounds, and each ratio beside its target. A ratio says
what judging costs: 0.20 is a fifth of the time that the bare runs take. Trust ratios, not milliseconds.

This is no test: the exit status is 1 only if a program answered wrongly or an engine failed.

  manage.py bench_engine                                   everything, some minutes
  manage.py bench_engine --cores 1                         the same, kept to one core
  manage.py bench_engine --only python-20 cpp-20-bits --rounds 3
  manage.py bench_engine --json > figures.json             with units, rounds, and the machine's versions
  manage.py bench_engine --only python-20 --judge0-url http://127.0.0.1:2358

With --soak, it is one: so many submissions, right ones, failing ones and some that run into limits, and then memory,
descriptors, processes and temporary files have to be where they were after the first 100; else the status is 1.

  manage.py bench_engine --soak 10000

Cases: python-1, python-20, python-100 (so many tests), python-20-exclusive (a fresh interpreter for each submission),
python-20-over-one (20 tests over one bare run), python-20-cpu (CPU time of all processes), cpp-20-run (compiled
before), cpp-20-iostream and cpp-20-bits (with the compilation, never seen before), node-20, java-20, two-at-a-time and
sustained (tests per second).
"""


class Command(BaseCommand):
    help = HELP

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> Any:
        return super().create_parser(prog_name, subcommand, formatter_class=RawDescriptionHelpFormatter, **kwargs)

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--rounds", type=int, default=9, help="rounds of each case (default: 9)")
        parser.add_argument("--only", nargs="+", default=[], metavar="NAME", help="these cases alone")
        parser.add_argument("--cores", type=int, choices=[1, 2], help="keep everything to so many cores")
        parser.add_argument("--json", action="store_true", help="print one JSON object and nothing else")
        parser.add_argument(
            "--judge0-url", default="", metavar="URL", help=f"a Judge0 that takes part in {JUDGE0_CASE}"
        )
        parser.add_argument(
            "--judge0-token",
            default=settings.JUDGE0_AUTH_TOKEN,
            metavar="TOKEN",
            help="its authentication token (default: JUDGE0_AUTH_TOKEN)",
        )
        parser.add_argument("--soak", type=int, metavar="N", help="hand in N submissions and look for leaks instead")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["rounds"] < 1:
            raise CommandError("--rounds must be at least 1.")
        if options["soak"] is not None and options["soak"] < 1:
            raise CommandError("--soak must be at least 1.")
        try:
            with pinned(options["cores"]) as cores:
                status = self._soak(options, cores) if options["soak"] else self._bench(options, cores)
        except ValueError as error:
            raise CommandError(str(error)) from error
        if status != 0:
            sys.exit(status)

    def _bench(self, options: dict[str, Any], cores: int) -> int:
        cases = chosen_cases(options["only"], cores=cores)
        judge0 = self._judge0(options, cases)
        engine = _sandbox()
        results: list[CaseResult] = []
        with tqdm(total=len(cases) * options["rounds"], desc="measuring", unit="round", file=sys.stderr) as bar:
            for number, found in enumerate(
                measure_cases(cases, engine=engine, judge0=judge0, rounds=options["rounds"], on_round=bar.update)
            ):
                bar.update((number + 1) * options["rounds"] - bar.n)  # a case that is left out has no rounds
                results += found
                if not options["json"]:
                    bar.clear()
                    for result in found:
                        self.stdout.write(report.line(result, cores=cores))
        if options["json"]:
            self._write_json(
                tier=engine.health().tier,
                rounds=options["rounds"],
                cases=[report.as_json(result, cores=cores) for result in results],
            )
        else:
            self.stdout.write("\n".join(["", *report.table(results, cores=cores)]))
        return 1 if any(result.fault for result in results) else 0

    def _judge0(self, options: dict[str, Any], cases: list[Case]) -> Engine | None:
        if not options["judge0_url"]:
            return None
        if JUDGE0_CASE not in [case.name for case in cases]:
            raise CommandError(f"A Judge0 takes part in {JUDGE0_CASE}, which --only leaves out.")
        from executor.engines.judge0 import Judge0Engine

        toolchain = LANGUAGES["python"].toolchain
        judge0 = Judge0Engine(
            base_url=options["judge0_url"], auth_token=options["judge0_token"], toolchains=[toolchain]
        )
        health = judge0.health()
        if not health.is_ready:
            raise CommandError(f"The Judge0 cannot run anything now: {health.detail}")
        return judge0

    def _soak(self, options: dict[str, Any], cores: int) -> int:
        return run_watched(lambda root: self._serve_soak(options, cores, root))

    def _serve_soak(self, options: dict[str, Any], cores: int, root: int) -> None:
        """In a process of its own: the server whose holdings are counted."""
        with tempfile.TemporaryDirectory(prefix="soak") as directory:
            # A temporary directory of its own, open to all as the real one is: others' files are not ours to count.
            os.chmod(directory, 0o1777)  # noqa: S103
            os.environ["TMPDIR"] = tempfile.tempdir = directory
            try:
                with tqdm(total=options["soak"], desc="submissions", file=sys.stderr) as bar:
                    result = soak(
                        _sandbox(),
                        submissions=options["soak"],
                        workers=cores,
                        directories=[Path(directory), settings.ASSAY_DATA_DIR],
                        root=root,
                        on_submission=bar.update,
                    )
            except (AnsweredWrongly, EngineError, CommandError) as error:
                self.stderr.write(f"{type(error).__name__}: {error}")
                sys.exit(1)
        if options["json"]:
            self._write_json(**report.soak_json(result))
        else:
            self.stdout.write("\n".join(report.soak_lines(result)))
        sys.exit(0 if result.is_clean else 1)

    def _write_json(self, **figures: Any) -> None:
        self.stdout.write(json.dumps({"machine": machine_facts(), **figures}, indent=2))


def _sandbox() -> Engine:
    # One of its own: boxes that this process has kept would not stay on the cores that are asked for.
    engine = SandboxEngine(tiers=settings.EXECUTOR_TIERS, kit_directory=settings.EXECUTOR_KIT_DIRECTORY)
    health = engine.health()
    if not health.is_ready:
        raise CommandError(f"The sandbox cannot run anything now: {health.detail}")
    return engine
