"""Test sets: each change of a problem's tests is a new version, and what was judged with stays as it was."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from accounts.audit import audit_record
from accounts.models import User
from core.errors import FieldError, InvalidInput
from courses.announcements import problem_judging_changed
from courses.authoring import CheckerProgram, checker_program_errors
from courses.models import AlgorithmProblem, Problem, TestCase, TestSet
from courses.services.problem import problem_lock
from courses.services.validation import field_errors, refuse
from courses.testdata import POINTER, TestCaseSpec, errors_of_test_cases
from courses.testgroups import GroupSpec, errors_of_groups, group_as_json

BATCH = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class SetSpec:
    """All that one version of tests is made of. A `checker` is for problems whose checker is `custom`."""

    test_cases: Sequence[TestCaseSpec]
    groups: Sequence[GroupSpec] = ()
    checker: CheckerProgram | None = None


def testset_create(
    *,
    actor: User,
    problem_id: int,
    test_cases: Sequence[TestCaseSpec],
    groups: Sequence[GroupSpec] = (),  # noqa: PT028 - no test, whatever its name begins with
    checker: CheckerProgram | None = None,  # noqa: PT028
) -> TestSet:
    """Give a problem its next version of tests: the complete list, in judging order. It is the current one at once.

    A `checker` is for problems whose checker is `custom`, and those need one with every version.

    Raises:
        NotFound: there is no such problem.
        InvalidInput: the list is empty or too long; tests, groups or checker do not fit each other or how the problem
            is called and checked; or the checker does not compile. `errors` names each, as `#/test_cases/3/input`,
            `#/groups/1/requires/0` or `#/checker_source`.
    """
    if checker is not None:
        # Before the transaction: compiling takes seconds, and nothing else may wait for a lock as long.
        refuse(checker_program_errors(checker))
    return _create(actor, problem_id, SetSpec(test_cases=test_cases, groups=groups, checker=checker))


@transaction.atomic
def _create(actor: User, problem_id: int, spec: SetSpec) -> TestSet:
    # Locked so that two versions made together get different numbers, and the problem does not change meanwhile.
    return version_save(actor, version_build(problem_lock(problem_id), spec))


def version_build(problem: Problem, spec: SetSpec) -> tuple[TestSet, list[TestCase]]:
    """The next version of a problem's tests, unsaved. The caller holds the problem, and has had the checker checked.

    Raises:
        InvalidInput: as `testset_create`.
    """
    algorithm = AlgorithmProblem.objects.filter(problem=problem).first()
    if algorithm is None:
        raise InvalidInput("This problem is not answered with a program, so it has no tests.")
    test_set = TestSet(
        problem=problem,
        version=_next_version(problem),
        groups=[group_as_json(group) for group in spec.groups],
        checker_language=spec.checker.language if spec.checker else "",
        checker_source=spec.checker.source if spec.checker else "",
    )
    rows = [
        TestCase(
            test_set=test_set,
            order=order,
            input=test_case.input,
            expected_output=test_case.expected_output,
            is_sample=test_case.is_sample,
            weight=test_case.weight,
            group=test_case.group,
        )
        for order, test_case in enumerate(spec.test_cases)
    ]
    refuse(
        [*_checker_errors(algorithm, spec.checker), *errors_of_test_cases(spec.test_cases, algorithm=algorithm)]
        or _rows_errors(rows)
        or errors_of_groups(spec.groups, spec.test_cases)
    )
    return test_set, rows


def version_save(actor: User | None, version: tuple[TestSet, list[TestCase]]) -> TestSet:
    """Write what `version_build` made; it is the current version at once."""
    test_set, rows = version
    test_set.save()
    TestCase.objects.bulk_create(rows, batch_size=BATCH)
    audit_record(
        actor=actor,
        action="testset.create",
        target=test_set,
        organization_id=test_set.problem.course.organization_id,
        changes={
            "problem_id": [None, test_set.problem_id],
            "version": [None, test_set.version],
            "test_cases": [None, len(rows)],
            "samples": [None, sum(row.is_sample for row in rows)],
            "groups": [None, len(test_set.groups)],
            "checker_language": [None, test_set.checker_language],
        },
    )
    problem_judging_changed.send(sender=Problem, problem_id=test_set.problem_id)
    return test_set


def testset_freeze(*, test_set_id: int) -> None:
    """Note that a judgement uses this version from now on; only the first time counts.

    Nothing changes the tests of a version in any case; this tells those that judged something from those that did not.
    """
    TestSet.objects.filter(pk=test_set_id, frozen_at__isnull=True).update(frozen_at=timezone.now())


def _next_version(problem: Problem) -> int:
    return int(problem.test_sets.aggregate(last=Max("version"))["last"] or 0) + 1


def _checker_errors(algorithm: AlgorithmProblem, checker: CheckerProgram | None) -> list[FieldError]:
    is_custom = algorithm.checker == AlgorithmProblem.Checker.CUSTOM
    if is_custom and checker is None:
        detail = "The problem's checker is custom, so its tests bring one along."
        return [FieldError(pointer="#/checker_source", code="checker_missing", detail=detail)]
    if not is_custom and checker is not None:
        detail = f"The problem's checker is {algorithm.checker}; only with custom the tests bring one along."
        return [FieldError(pointer="#/checker_source", code="checker_not_custom", detail=detail)]
    return []


def _rows_errors(rows: Sequence[TestCase]) -> list[FieldError]:
    """What the model has against the tests, without a query for each: their order is counted, their set new."""
    return [error for index, row in enumerate(rows) for error in field_errors(row, at=f"{POINTER}/{index}")]
