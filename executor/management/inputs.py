"""What commands are given by their users: a problem's slug, and a program's files."""

from collections.abc import Sequence
from pathlib import Path

from django.core.management.base import CommandError

from core.errors import DomainError
from courses.models import Problem
from executor.engines.base import SourceFile
from executor.judging.languages import Language
from executor.services.sources import source_files


def problem_named(slug: str, course_slug: str | None) -> Problem:
    """The one algorithm problem of this slug, in the course of that slug where several have it.

    Raises:
        CommandError: there is none, or more than one.
    """
    problems = Problem.objects.select_related("algorithm", "course").filter(slug=slug, type=Problem.Type.ALGORITHM)
    if course_slug is not None:
        problems = problems.filter(course__slug=course_slug)
    found = list(problems[:2])
    if not found:
        raise CommandError(f"There is no algorithm problem {slug!r}.")
    if len(found) > 1:
        raise CommandError(f"Several courses have a problem {slug!r}; name one with --course.")
    return found[0]


def program_from(paths: Sequence[Path], language: Language) -> tuple[SourceFile, ...]:
    """The checked files of a program; a single one is named as its language wants, like handed-in code.

    Raises:
        CommandError: a file cannot be read, or would be refused if a student handed it in.
    """
    try:
        texts = [path.read_text(encoding="utf-8") for path in paths]
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(str(error)) from error
    several = [SourceFile(name=path.name, content=text) for path, text in zip(paths, texts, strict=True)]
    try:
        return source_files(language, several if len(several) > 1 else texts[0])
    except DomainError as error:
        raise CommandError(error.detail) from error
