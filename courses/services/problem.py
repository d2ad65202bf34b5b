"""Problems: their common part and, for algorithm problems, how programs are limited, called and compared."""

from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any, TypedDict, Unpack

from django.db import IntegrityError, transaction

from accounts.audit import audit_record
from accounts.models import User
from core.errors import FieldError, InvalidInput, NotFound
from courses import authoring
from courses.authoring import AlgorithmSpec
from courses.errors import ProblemInUse
from courses.models import AlgorithmProblem, Course, Problem
from courses.selectors import current_test_set
from courses.services.validation import NOT_QUOTED, changes_apply, refuse, row_errors, row_lock
from courses.testdata import errors_of_test_cases

ALGORITHM_FIELDS = tuple(field.name for field in fields(AlgorithmSpec))
# Any of these can hold a driver with test data in it.
UNQUOTED_FIELDS = ("templates", "preludes", "postludes")


class ProblemChanges(TypedDict, total=False):
    title: str
    slug: str
    statement: str
    difficulty: int
    audience: str
    status: str


class AlgorithmChanges(TypedDict, total=False):
    time_limit_ms: int
    memory_limit_mb: int
    entry_point: str
    value_encoding: str
    checker: str
    checker_options: Mapping[str, Any]
    is_partial_credit: bool
    stops_at_first_failure: bool
    isolates_tests: bool
    languages: list[str]
    templates: Mapping[str, str]
    preludes: Mapping[str, str]
    postludes: Mapping[str, str]
    starter_code: Mapping[str, str]


@transaction.atomic
def problem_create(
    *,
    actor: User,
    course_id: int,
    title: str,
    slug: str,
    algorithm: AlgorithmSpec,
    type: str = Problem.Type.ALGORITHM,
    statement: str = "",
    difficulty: int = Problem.Difficulty.EASY,
    audience: str = Problem.Audience.COURSE,
    status: str = Problem.Status.DRAFT,
) -> Problem:
    """Create a problem in a course; its tests follow as a test set.

    Raises:
        NotFound: there is no such course.
        InvalidInput: `errors` names every field at fault, those of the algorithm part below `#/algorithm`.
    """
    if type != Problem.Type.ALGORITHM:
        raise InvalidInput.at("type", "type_unavailable", "Only problems of type algorithm can be authored.")
    course = row_lock(Course.objects.all(), course_id)  # the slug is unique within it
    problem = Problem(
        course=course,
        type=type,
        title=title,
        slug=slug,
        statement=statement,
        difficulty=difficulty,
        audience=audience,
        status=status,
    )
    row = AlgorithmProblem(problem=problem, **_columns(algorithm))
    refuse([*row_errors(problem), *_algorithm_errors(row)])
    problem.save()
    row.save(force_insert=True)
    audit_record(
        actor=actor,
        action="problem.create",
        target=problem,
        organization_id=course.organization_id,
        changes={
            "course_id": [None, course.pk],
            **{name: [None, getattr(problem, name)] for name in ("type", *ProblemChanges.__annotations__)},
            "algorithm": [None, _columns(algorithm) | dict.fromkeys(UNQUOTED_FIELDS, NOT_QUOTED)],
        },
    )
    return problem


@transaction.atomic
def problem_update(
    *,
    actor: User,
    problem_id: int,
    algorithm: AlgorithmChanges | None = None,
    **changes: Unpack[ProblemChanges],
) -> Problem:
    """Change a problem; `algorithm` holds only what changes of that part. What stays is neither written nor recorded.

    A published problem's current tests always fit how it is called and checked: to change both, take it back to
    draft, give it new tests, and publish it again.

    Raises:
        NotFound: there is no such problem.
        InvalidInput: `errors` names every field at fault; `#/algorithm` is `tests_do_not_fit` as said above.
    """
    problem = _lock_with_course(problem_id)
    changed = changes_apply(problem, changes)
    row = AlgorithmProblem.objects.filter(problem=problem).first()
    if row is None and algorithm is not None:
        raise InvalidInput.at("algorithm", "not_algorithm", "This problem is not answered with a program.")
    algorithm_changed = changes_apply(row, algorithm or {}, unquoted=UNQUOTED_FIELDS) if row else {}
    if not changed and not algorithm_changed:
        return problem

    errors = row_errors(problem)
    if row is not None and algorithm_changed:
        errors += _algorithm_errors(row)
    refuse(errors or _fit_errors(problem, row))
    problem.save()
    if row is not None and algorithm_changed:
        row.save()
    is_archived = "status" in changed and problem.status == Problem.Status.ARCHIVED
    audit_record(
        actor=actor,
        action="problem.archive" if is_archived else "problem.update",
        target=problem,
        organization_id=problem.course.organization_id,
        changes={**changed, **{f"algorithm.{name}": pair for name, pair in algorithm_changed.items()}},
    )
    return problem


def problem_archive(*, actor: User, problem_id: int) -> Problem:
    """Take a problem out of its students' sight; it stays, with its submissions, for staff. Twice does no harm."""
    return problem_update(actor=actor, problem_id=problem_id, status=Problem.Status.ARCHIVED)


def problem_delete(*, actor: User, problem_id: int) -> None:
    """Delete a problem that nobody has handed anything in for, with its tests and its places in chapters.

    Raises:
        NotFound: there is no such problem.
        ProblemInUse: it has submissions; archive it instead.
    """
    try:
        with transaction.atomic():
            problem = _lock_with_course(problem_id)
            audit_record(
                actor=actor,
                action="problem.delete",
                target=problem,
                organization_id=problem.course.organization_id,
                changes={
                    "course_id": [problem.course_id, None],
                    "title": [problem.title, None],
                    "slug": [problem.slug, None],
                },
            )
            problem.delete()
    except IntegrityError as error:
        # Either Django found submissions (ProtectedError is one of these), or one came after it had looked, and the
        # database refused at the commit; hence the transaction stands inside.
        raise ProblemInUse("The problem has submissions: archive it instead.") from error


def _lock_with_course(problem_id: int) -> Problem:
    """The problem, its course locked before it (parents first), since its slug is unique within that."""
    course_id = Problem.objects.filter(pk=problem_id).values_list("course_id", flat=True).first()
    if course_id is None:
        raise NotFound
    row_lock(Course.objects.all(), course_id)
    return row_lock(Problem.objects.all(), problem_id)


def _columns(spec: AlgorithmSpec) -> dict[str, Any]:
    return {**asdict(spec), "languages": list(spec.languages)}


def _algorithm_errors(row: AlgorithmProblem) -> list[FieldError]:
    """What is wrong with the algorithm part; the registered checks are asked once its shape is right."""
    spec = AlgorithmSpec(**{name: getattr(row, name) for name in ALGORITHM_FIELDS})
    # Its problem is checked on its own, and may not be there yet.
    errors = [*row_errors(row, at=authoring.POINTER, exclude=["problem"]), *authoring.shape_errors(spec)]
    return errors or authoring.registered_errors(spec)


def _fit_errors(problem: Problem, row: AlgorithmProblem | None) -> list[FieldError]:
    test_set = current_test_set(problem)
    if row is None or test_set is None or problem.status != Problem.Status.PUBLISHED:
        return []
    lacks_checker = row.checker == AlgorithmProblem.Checker.CUSTOM and not test_set.checker_source
    if not lacks_checker and not errors_of_test_cases(list(test_set.test_cases.all()), algorithm=row):
        return []
    return [
        FieldError(
            pointer=authoring.POINTER,
            code="tests_do_not_fit",
            detail=f"Tests of version {test_set.version} do not fit how the problem is called and checked.",
        )
    ]
