"""`manage.py show_wrapped --problem SLUG --language KEY [FILE]`: what a problem makes of a program."""

from argparse import ArgumentParser, RawDescriptionHelpFormatter
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from core.errors import DomainError
from executor.judging.languages import LANGUAGES
from executor.management.inputs import problem_named, program_from
from executor.services.preview import wrapped_preview

HELP = """\
Print every file of a program as it would run for a problem: template, prelude and postlude filled in. Nothing is run.

Without a FILE it is shown around the problem's starter code in that language.

  manage.py show_wrapped --problem two-sum --language python
  manage.py show_wrapped --problem matrix --language c main.c helper.c
"""


class Command(BaseCommand):
    help = HELP

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> Any:
        return super().create_parser(prog_name, subcommand, formatter_class=RawDescriptionHelpFormatter, **kwargs)

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("files", nargs="*", type=Path, metavar="FILE", help="the program, its main file first")
        parser.add_argument("--problem", required=True, metavar="SLUG", help="the problem's slug")
        parser.add_argument("--course", metavar="SLUG", help="the course's slug, where several have such a problem")
        parser.add_argument("--language", required=True, choices=list(LANGUAGES))

    def handle(self, *args: Any, **options: Any) -> None:
        problem = problem_named(options["problem"], options["course"])
        language = LANGUAGES[options["language"]]
        files = program_from(options["files"], language) if options["files"] else ()
        code = None if files else problem.algorithm.starter_code.get(language.key, "")
        if not files and not code:
            raise CommandError(f"The problem has no starter code in {language.name}; name a FILE.")
        try:
            program = wrapped_preview(problem=problem, language=language.key, code=code, files=files)
        except DomainError as error:
            raise CommandError(error.detail) from error
        for file in program.files:
            self.stdout.write(f"==> {file.name} <==")
            self.stdout.write(file.content, ending="" if file.content.endswith("\n") else "\n")
