"""`manage.py judge_corpus FILE.jsonl`: judge graded programs and compare with what they ought to get."""

import json
import os
import sys
import time
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from executor.corpus.bare import BareUnavailable, is_quick, run_bare
from executor.corpus.judging import CaseResult, judge_cases
from executor.corpus.rows import CorpusCase, CorpusError, read_corpus
from executor.engines.base import Engine
from executor.services.code_executor import CodeExecutorService
from executor.services.engines import default_engine, engine_named

HELP = """\
Judge every program of a corpus, and compare each verdict with those a right judge may give.

A corpus has one JSON object a line: `kind` (function, stdio, script or checker), `program`, `tests`, `checker`, limits
and `accept_verdicts`. The programs go through the same service as students' submissions, in parallel, and each stops
at its first failure. Rows that name their program by reference are counted as skipped; with --programs, a program in
that folder stands in for each, in a file named for the row's id, and a row without one disagrees.

For the sandbox the same programs are then run bare, one plain process a test, inside a single box; the ratio of the two
wall times is what containment, measuring and checking cost together.

The last line of the output is a JSON summary; the exit status is 1 if any verdict disagrees.

  manage.py judge_corpus corpus.jsonl
  manage.py judge_corpus corpus.jsonl --engine judge0 --workers 4
  manage.py judge_corpus rows.refs.jsonl --programs tests/corpus/stdio
"""


class Command(BaseCommand):
    help = HELP

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> Any:
        return super().create_parser(prog_name, subcommand, formatter_class=RawDescriptionHelpFormatter, **kwargs)

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, metavar="FILE.jsonl", help="the corpus")
        parser.add_argument(
            "--programs", type=Path, metavar="FOLDER", help="where programs are that rows name by reference"
        )
        parser.add_argument("--engine", choices=["sandbox", "judge0"], help="default: what EXECUTOR_ENGINE names")
        parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="cases at a time (default: cores)")
        parser.add_argument("--no-bare", action="store_true", help="leave out the comparison with bare runs")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            cases = read_corpus(options["file"], programs=options["programs"])
        except (OSError, CorpusError) as error:
            raise CommandError(str(error)) from error
        engine = self._engine(options["engine"])
        workers = max(1, options["workers"])
        runnable = [case for case in cases if not case.skipped]

        started = time.perf_counter()
        results = self._judge(runnable, engine, workers)
        wall_s = time.perf_counter() - started

        width = max((len(case.id) for case in cases), default=0)
        for result in results:
            self.stdout.write(_line(result, width))
        for case in cases:
            if case.skipped:
                self.stdout.write(f"{case.id:{width}}  skipped: {case.skipped}")
        disagreed = [result for result in results if not result.agrees]
        summary: dict[str, Any] = {
            "total": len(results),
            "agreed": len(results) - len(disagreed),
            "disagreed": len(disagreed),
            "skipped": len(cases) - len(runnable),
            "engine": engine.name,
            "workers": workers,
            "wall_s": round(wall_s, 2),
        }
        if not options["no_bare"]:
            summary |= self._compare_with_bare(results, engine, workers, wall_s)
        self.stdout.write(json.dumps(summary))
        if disagreed:
            sys.exit(1)

    def _engine(self, name: str | None) -> Engine:
        try:
            engine = engine_named(name) if name else default_engine()
        except ValueError as error:
            raise CommandError(str(error)) from error
        health = engine.health()
        if not health.is_ready:
            raise CommandError(f"The engine {engine.name} cannot run anything now: {health.detail}")
        return engine

    def _judge(self, cases: list[CorpusCase], engine: Engine, workers: int) -> list[CaseResult]:
        with tqdm(total=len(cases), desc=f"judging on {engine.name}", unit="case", file=sys.stderr) as bar:
            return judge_cases(
                cases, service=CodeExecutorService(engine), workers=workers, on_result=lambda result: bar.update()
            )

    def _compare_with_bare(
        self, results: list[CaseResult], engine: Engine, workers: int, wall_s: float
    ) -> dict[str, float]:
        if engine.name != "sandbox":
            return {}
        self.stderr.write("running the same programs bare, for comparison …")
        try:
            bare = run_bare(results, workers=workers)
        except BareUnavailable as error:
            self.stderr.write(str(error))
            return {}
        quick_s = sum(result.wall_s for result in results if is_quick(result))
        ratio, quick_ratio = wall_s / bare.wall_s, quick_s / bare.quick_s
        self.stdout.write(
            f"wall time: judged {wall_s:.2f} s, bare {bare.wall_s:.2f} s, ratio {ratio:.2f} "
            f"({quick_ratio:.2f} without the cases that ran into a time limit)"
        )
        return {
            "bare_wall_s": round(bare.wall_s, 2),
            "ratio_to_bare": round(ratio, 2),
            "ratio_without_time_limits": round(quick_ratio, 2),
        }


def _line(result: CaseResult, width: int) -> str:
    expected = "/".join(verdict.value for verdict in result.case.accepted_verdicts)
    given = result.given.value if result.given is not None else result.fault
    mark = "ok" if result.agrees else "DISAGREES"
    return f"{result.case.id:{width}}  expected {expected}  given {given}  {mark}"
