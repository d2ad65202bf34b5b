"""Reference solutions: kept by authors, and judged whenever their verdict could be another one.

A verification is a submission of purpose `verify`, judged by the ordinary queue. It counts nowhere, and no student
sees it. Locks: course and problem, as in `courses.services`, then solutions by ascending key, then submissions.
"""

from collections.abc import Mapping, Sequence
from typing import Any, TypedDict, Unpack

from django.db import transaction
from django.utils import timezone

from accounts.audit import audit_record
from accounts.models import User
from core.errors import NotFound
from courses.errors import TakesNoCode
from courses.models import Problem
from courses.selectors import current_test_set
from courses.services.problem import problem_lock
from courses.services.validation import changes_apply, refuse, row_errors
from executor.engines.base import SourceFile
from executor.errors import SolutionsFull
from executor.models import Judgement, ReferenceSolution, Submission
from executor.services.sources import language_of, source_files
from executor.services.submissions import ProblemNotReady, files_as_json, judgement_create, judgement_refresh

SOLUTIONS_MAX = 50
UNNAMED = "reference"
# The audit must not hold what students shall not see.
UNQUOTED_FIELDS = ("files",)


class SolutionChanges(TypedDict, total=False):
    name: str
    language: str
    expected_verdict: str


def referencesolution_create(
    *,
    actor: User,
    problem_id: int,
    language: str,
    code: str | None = None,
    files: Sequence[SourceFile] = (),
    name: str = UNNAMED,
    expected_verdict: str = ReferenceSolution.Expected.ACCEPTED,
) -> ReferenceSolution:
    """Keep a program as a reference solution, and have it judged; without tests that follows with the first ones.

    The program is either `code` or `files`, the main file first.

    Raises:
        NotFound: there is no such problem.
        TakesNoCode: it is no algorithm problem.
        SolutionsFull: it has `SOLUTIONS_MAX` of them.
        InvalidInput: the language, a file or a field is not acceptable, or `#/name` is taken in this language.
    """
    program = code if code is not None else tuple(files)
    columns = {"name": name, "expected_verdict": expected_verdict, "language": language}
    # Before any lock: the engine may be asked for its languages.
    columns |= _program_columns(problem_id, language, program)
    with transaction.atomic():
        problem = _lock(problem_id)
        if problem.reference_solutions.count() >= SOLUTIONS_MAX:
            raise SolutionsFull(f"A problem has at most {SOLUTIONS_MAX} reference solutions.")
        solution = ReferenceSolution(problem=problem, author=actor, **columns)
        refuse(row_errors(solution))
        solution.save()
        _verify(problem, [solution])
        _record(actor, "create", solution, {key: [None, columns[key]] for key in ("name", "language")})
    return solution


def referencesolution_update(
    *,
    actor: User,
    solution_id: int,
    code: str | None = None,
    files: Sequence[SourceFile] = (),
    **changes: Unpack[SolutionChanges],
) -> ReferenceSolution:
    """Change a reference solution; another program, or another language, is judged anew.

    Without `code` and `files` the program stays.

    Raises:
        NotFound: there is no such solution.
        InvalidInput: as `referencesolution_create`.
    """
    stored = ReferenceSolution.objects.filter(pk=solution_id).first()
    if stored is None:
        raise NotFound
    columns: dict[str, Any] = {**changes}
    if code is not None or files or "language" in changes:
        program = code if code is not None else tuple(files) or _files_of(stored)
        columns |= _program_columns(stored.problem_id, changes.get("language", stored.language), program)
    with transaction.atomic():
        problem = _lock(stored.problem_id)
        solution = _solution_lock(solution_id)
        changed = changes_apply(solution, columns, unquoted=UNQUOTED_FIELDS)
        if not changed:
            return solution
        refuse(row_errors(solution))
        if {"files", "language"} & changed.keys():
            solution.author, solution.submission = actor, None
        solution.save()
        if solution.submission is None:
            _verify(problem, [solution])
        _record(actor, "update", solution, changed)
    return solution


@transaction.atomic
def referencesolution_delete(*, actor: User, solution_id: int) -> None:
    """Delete a reference solution. What was judged of it stays among the submissions that staff see.

    Raises:
        NotFound: there is no such solution.
    """
    solution = _solution_lock(solution_id)
    _record(actor, "delete", solution, {key: [getattr(solution, key), None] for key in ("name", "language")})
    solution.delete()


@transaction.atomic
def referencesolution_verify(*, actor: User, solution_id: int) -> ReferenceSolution:
    """Have a reference solution judged again, on today's tests.

    Raises:
        NotFound: there is no such solution.
        ProblemNotReady: its problem has no tests.
    """
    problem_id = ReferenceSolution.objects.filter(pk=solution_id).values_list("problem_id", flat=True).first()
    if problem_id is None:
        raise NotFound
    problem = _lock(problem_id)
    solution = _solution_lock(solution_id)
    if current_test_set(problem) is None:
        raise ProblemNotReady("This problem has no tests yet.")
    _verify(problem, [solution])
    _record(actor, "verify", solution, {})
    return solution


@transaction.atomic
def problem_solutions_verify(*, problem_id: int) -> None:
    """Have all reference solutions of a problem judged again: its tests, or how it is judged, are others now."""
    solutions = list(
        ReferenceSolution.objects.select_for_update(of=("self",))
        .select_related("author", "submission")
        .filter(problem=problem_id)
        .order_by("pk")
    )
    if solutions:
        _verify(Problem.objects.select_related("algorithm").get(pk=problem_id), solutions)


@transaction.atomic
def problem_solutions_discard(*, problem_id: int) -> None:
    """Delete a problem's reference solutions and all that was judged of them, which are no marks.

    Without this a problem that nobody has handed anything in for could never be deleted.
    """
    ReferenceSolution.objects.filter(problem=problem_id).delete()
    verifications = Submission.objects.filter(problem=problem_id, purpose=Submission.Purpose.VERIFY)
    # Judgings that wait are locked before their submissions, as who claims one does; the others after them, as who
    # applies a result does.
    waiting = Judgement.objects.filter(submission__in=verifications, state=Judgement.State.PENDING)
    for rows in (waiting, verifications):
        list(rows.select_for_update(of=("self",)).order_by("pk").values_list("pk"))
    verifications.update(current_judgement=None)
    verifications.delete()


@transaction.atomic
def solutions_copy(*, actor_id: int, copies: Mapping[int, int]) -> None:
    """Give copies of problems (`copies`: their ids by the ids of the originals) the reference solutions too.

    They are judged once somebody asks for it, or the tests change: copying a course must not fill the queue.
    """
    solutions = ReferenceSolution.objects.filter(problem__in=copies).order_by("pk")
    ReferenceSolution.objects.bulk_create(
        [
            ReferenceSolution(
                problem_id=copies[solution.problem_id],
                name=solution.name,
                language=solution.language,
                files=solution.files,
                expected_verdict=solution.expected_verdict,
                author_id=actor_id,
            )
            for solution in solutions
        ],
        batch_size=200,
    )


def _verify(problem: Problem, solutions: Sequence[ReferenceSolution]) -> None:
    """Queue a judging of each on the current tests. One that still waits takes them; without tests nothing happens."""
    test_set = current_test_set(problem)
    if test_set is None:
        return
    for solution in solutions:
        if solution.submission is not None:
            solution.submission.problem = problem
            if judgement_refresh(submission=solution.submission, test_set=test_set):
                continue
        submission = Submission.objects.create(
            user=solution.author,
            problem=problem,
            purpose=Submission.Purpose.VERIFY,
            feedback=Submission.Feedback.FULL,
            language=solution.language,
            files=solution.files,
            received_at=timezone.now(),
        )
        # No live work: students do not wait for what authors verify.
        judgement_create(submission=submission, test_set=test_set, lane=Judgement.Lane.REJUDGE)
        solution.submission = submission
        solution.save(update_fields=["submission"])


def _program_columns(problem_id: int, language: str, program: str | Sequence[SourceFile]) -> dict[str, Any]:
    problem = Problem.objects.select_related("algorithm").filter(pk=problem_id).first()
    if problem is None:
        raise NotFound
    if problem.type != Problem.Type.ALGORITHM or not hasattr(problem, "algorithm"):
        raise TakesNoCode
    chosen = language_of(language, allowed=problem.algorithm.languages)
    return {"language": chosen.key, "files": files_as_json(source_files(chosen, program))}


def _files_of(solution: ReferenceSolution) -> tuple[SourceFile, ...]:
    return tuple(SourceFile(name=file["name"], content=file["content"]) for file in solution.files)


def _lock(problem_id: int) -> Problem:
    """The problem, held: names are unique within it, and its tests stay the current ones meanwhile."""
    problem = problem_lock(problem_id)
    return Problem.objects.select_related("algorithm", "course").get(pk=problem.pk)


def _solution_lock(solution_id: int) -> ReferenceSolution:
    solution = (
        ReferenceSolution.objects.select_for_update(of=("self",))
        .select_related("author", "submission", "problem__course")
        .filter(pk=solution_id)
        .first()
    )
    if solution is None:
        raise NotFound
    return solution


def _record(actor: User, verb: str, solution: ReferenceSolution, changes: dict[str, Any]) -> None:
    audit_record(
        actor=actor,
        action=f"referencesolution.{verb}",
        target=solution,
        organization_id=solution.problem.course.organization_id,
        changes={"problem_id": [solution.problem_id, solution.problem_id], **changes},
    )
