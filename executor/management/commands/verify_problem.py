"""`manage.py verify_problem`: judge the reference solutions of problems, to know that their tests are right."""

import json
import sys
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from collections.abc import Sequence
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db.models import QuerySet
from tqdm import tqdm

from courses.models import Course, Problem
from courses.selectors import current_test_set
from executor.engines.base import EngineError
from executor.judging.languages import LANGUAGES
from executor.models import ReferenceSolution
from executor.services.code_executor import CodeExecutorService
from executor.services.verification import SHARE_MAX, Verified, solution_verify

HELP = f"""\
Judge the reference solutions of problems on their current tests, here and now, through the same service as students'
submissions. Nothing is kept.

Name problems by slug, or take all of a course, or all there are; archived ones only where they are named. For each
solution a line says which verdict it must get and which it got, its slowest test's time, and how much of the problem's
time limit that is: an accepted solution that takes more than {SHARE_MAX:.0%} of it gets a warning.

The exit status is 1 if any solution got another verdict than it must, or a problem has none, unless --allow-none.

  manage.py verify_problem two-sum
  manage.py verify_problem two-sum matrix --course algorithms --language cpp
  manage.py verify_problem --all --allow-none --json
"""
HEADINGS = ("problem", "language", "solution", "tests", "expected", "verdict", "time", "memory", "of limit", "note")


class Command(BaseCommand):
    help = HELP

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> Any:
        return super().create_parser(prog_name, subcommand, formatter_class=RawDescriptionHelpFormatter, **kwargs)

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("slugs", nargs="*", metavar="SLUG", help="a problem's slug")
        parser.add_argument("--course", metavar="SLUG", help="the problems of the courses of this slug")
        parser.add_argument("--all", action="store_true", help="the problems of all courses")
        parser.add_argument("--language", choices=list(LANGUAGES), help="only the solutions in this language")
        parser.add_argument("--allow-none", action="store_true", help="a problem without a solution is no fault")
        parser.add_argument("--json", action="store_true", help="print one JSON object instead of a table")

    def handle(self, *args: Any, **options: Any) -> None:
        problems = _problems(options["slugs"], options["course"], is_all=options["all"])
        chosen = [(problem, _solutions(problem, options["language"])) for problem in problems]
        verified = _verify_all([solution for _, solutions in chosen for solution in solutions])
        without = [_name(problem) for problem, solutions in chosen if not solutions]
        if options["json"]:
            self.stdout.write(json.dumps(_as_json(verified, without), indent=2))
        else:
            self._print(verified, without)
        if not all(each.is_as_expected for each in verified) or (without and not options["allow_none"]):
            sys.exit(1)

    def _print(self, verified: Sequence[Verified], without: Sequence[str]) -> None:
        for line in _table([HEADINGS, *(_row(each) for each in verified)]) if verified else ():
            self.stdout.write(line)
        for name in without:
            self.stdout.write(f"{name} has no reference solution")
        right = sum(each.is_as_expected for each in verified)
        self.stdout.write(f"{right} of {len(verified)} reference solutions got the verdict they must get")


def _problems(slugs: Sequence[str], course_slug: str | None, *, is_all: bool) -> list[Problem]:
    if not (slugs or course_slug or is_all):
        raise CommandError("Name problems, or a --course, or say --all.")
    if is_all and (slugs or course_slug):
        raise CommandError("--all means all problems: name none beside it.")
    problems: QuerySet[Problem] = (
        Problem.objects.filter(type=Problem.Type.ALGORITHM)
        .select_related("algorithm", "course")
        .order_by("course__slug", "course", "slug")
    )
    if course_slug is not None:
        problems = problems.filter(course__slug=course_slug)
        if not Course.objects.filter(slug=course_slug).exists():
            raise CommandError(f"There is no course {course_slug!r}.")
    if not slugs:
        archived = Problem.Status.ARCHIVED
        return list(problems.exclude(status=archived).exclude(course__status=Course.Status.ARCHIVED))
    found = list(problems.filter(slug__in=slugs))
    if missing := [slug for slug in slugs if slug not in {problem.slug for problem in found}]:
        raise CommandError("There is no algorithm problem " + ", ".join(repr(slug) for slug in missing) + ".")
    return found


def _solutions(problem: Problem, language: str | None) -> list[ReferenceSolution]:
    solutions = list(problem.reference_solutions.all())
    return [solution for solution in solutions if language in (None, solution.language)]


def _verify_all(solutions: Sequence[ReferenceSolution]) -> list[Verified]:
    service, verified = CodeExecutorService(), []
    try:
        with tqdm(solutions, desc="verifying", unit="solution", file=sys.stderr) as bar:
            for solution in bar:
                test_set = current_test_set(solution.problem)
                verified.append(solution_verify(solution, test_set, service=service))
    except EngineError as error:
        raise CommandError(str(error)) from error
    return verified


def _name(problem: Problem) -> str:
    return f"{problem.course.slug}/{problem.slug}"


def _row(verified: Verified) -> tuple[str, ...]:
    solution = verified.solution
    notes = [] if verified.is_as_expected else [f"NOT AS EXPECTED {_plain(verified.fault)}".rstrip()]
    if verified.is_slow:
        notes.append("slow: raise the time limit, or write it better")
    return (
        _name(solution.problem),
        solution.language,
        _plain(solution.name),
        "-" if verified.test_set_version is None else f"v{verified.test_set_version}",
        solution.expected_verdict,
        verified.verdict.value,
        "-" if verified.time_ms is None else f"{verified.time_ms} ms",
        "-" if verified.memory_kib is None else f"{verified.memory_kib / 1024:.1f} MiB",
        "-" if verified.time_share is None else f"{verified.time_share:.0%}",
        "; ".join(notes) or "ok",
    )


def _plain(text: str) -> str:
    """The text on one line, without what a terminal would obey."""
    return "".join(character if character.isprintable() else " " for character in text)


def _table(rows: Sequence[tuple[str, ...]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lined = [rows[0], tuple("-" * width for width in widths), *rows[1:]]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in lined]


def _as_json(verified: Sequence[Verified], without: Sequence[str]) -> dict[str, Any]:
    return {
        "total": len(verified),
        "as_expected": sum(each.is_as_expected for each in verified),
        "without_solution": list(without),
        "solutions": [
            {
                "problem": _name(each.solution.problem),
                "name": each.solution.name,
                "language": each.solution.language,
                "test_set_version": each.test_set_version,
                "expected_verdict": each.solution.expected_verdict,
                "verdict": each.verdict.value,
                "as_expected": each.is_as_expected,
                "time_ms": each.time_ms,
                "memory_kib": each.memory_kib,
                "time_share": None if each.time_share is None else round(each.time_share, 4),
                "is_slow": each.is_slow,
                "fault": each.fault,
            }
            for each in verified
        ],
    }
