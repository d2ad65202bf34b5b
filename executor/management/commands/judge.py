"""`manage.py judge FILE --problem SLUG`: judge a file as if a student had handed it in, keeping nothing."""

import sys
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from core.errors import DomainError
from courses.models import Problem
from courses.selectors import current_test_set
from executor.engines.base import EngineError
from executor.judging.languages import LANGUAGES, Language
from executor.judging.outcome import JudgingOutcome
from executor.judging.plan import JudgingPlan, PlanError
from executor.judging.verdicts import Verdict
from executor.judging.wrapping import WrappingError
from executor.management.inputs import problem_named, program_from
from executor.services.code_executor import CodeExecutorService
from executor.services.judgements import plan_for
from executor.services.sources import language_of

HELP = """\
Judge a file against a problem's present tests, through the same service as students' submissions. Nothing is kept.

The language is told by the file's suffix, or by --language. The exit status is 0 if the program is accepted, else 1.

  manage.py judge solution.py --problem two-sum
  manage.py judge main.cpp helper.cpp --problem matrix --course algorithms
"""


class Command(BaseCommand):
    help = HELP

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> Any:
        return super().create_parser(prog_name, subcommand, formatter_class=RawDescriptionHelpFormatter, **kwargs)

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("files", nargs="+", type=Path, metavar="FILE", help="the program, its main file first")
        parser.add_argument("--problem", required=True, metavar="SLUG", help="the problem's slug")
        parser.add_argument("--course", metavar="SLUG", help="the course's slug, where several have such a problem")
        parser.add_argument("--language", choices=list(LANGUAGES), help="default: told by the first file's suffix")

    def handle(self, *args: Any, **options: Any) -> None:
        language = _language(options["language"], options["files"][0])
        plan = _plan(problem_named(options["problem"], options["course"]), language, options["files"])
        try:
            outcome = CodeExecutorService().run_all_test_cases(plan)
        except (EngineError, PlanError, WrappingError) as error:
            raise CommandError(str(error)) from error
        self._report(outcome)
        if outcome.verdict is not Verdict.ACCEPTED:
            sys.exit(1)

    def _report(self, outcome: JudgingOutcome) -> None:
        if outcome.compilation is not None and outcome.compilation.output:
            self.stdout.write(outcome.compilation.output.rstrip())
        for number, test in enumerate(outcome.tests, start=1):
            figures = f"{test.result.time_ms:6} ms {test.result.memory_kib:8} KiB" if test.result else ""
            message = test.message or test.judge_message
            self.stdout.write(f"test {number:3}  {test.verdict.value:22} {figures}  {message}".rstrip())
        score = "no score" if outcome.score is None else f"score {outcome.score}"
        self.stdout.write(f"{outcome.verdict.value}, {score} ({outcome.engine}, tier {outcome.tier})")


def _language(key: str | None, path: Path) -> Language:
    try:
        if key is None:
            suffixes = {s: language for language in LANGUAGES.values() for s in language.toolchain.source_suffixes}
            if path.suffix not in suffixes:
                raise CommandError(f"No language has files ending in {path.suffix!r}; name one with --language.")
            key = suffixes[path.suffix].key
        return language_of(key)
    except DomainError as error:
        raise CommandError(error.detail) from error


def _plan(problem: Problem, language: Language, paths: list[Path]) -> JudgingPlan:
    files = program_from(paths, language)
    test_set = current_test_set(problem)
    if test_set is None:
        raise CommandError(f"The problem {problem.slug!r} has no tests yet.")
    return plan_for(problem.algorithm, test_set, language=language, files=files)
