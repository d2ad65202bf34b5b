"""Tests changed one by one or from an archive. Versions are frozen: each change is the next version, never half of one.

Who adds at the same time as somebody else adds to what they made: both additions are in the newest version.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TypedDict, Unpack

from django.db import transaction

from accounts.models import User
from core.errors import FieldError, InvalidInput, NotFound
from courses.authoring import CheckerProgram
from courses.errors import VersionConflict
from courses.models import Problem, TestCase, TestSet
from courses.selectors import current_test_set
from courses.services.problem import problem_lock
from courses.services.testset import SetSpec, version_build, version_save
from courses.testarchives import NamedTest, archive_tests, errors_by_name
from courses.testdata import POINTER, TestCaseSpec
from courses.testgroups import group_from_json


class TestCaseChanges(TypedDict, total=False):
    input: str
    expected_output: str | None
    is_sample: bool
    weight: Decimal
    group: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportReport:
    """What an archive brought, or would bring: its tests in judging order. `version` is None in a dry run."""

    version: int | None
    kept: int
    added: Sequence[NamedTest]


@transaction.atomic
def testcase_add(*, actor: User, problem_id: int, test_case: TestCaseSpec) -> TestSet:
    """Add one test after all others of the current version, or as the first one there is.

    Raises:
        NotFound: there is no such problem.
        InvalidInput: as `testset_create`; what is wrong with the test itself is told at its own fields.
    """
    problem = problem_lock(problem_id)
    spec = current_spec(problem)
    wanted = replace(spec, test_cases=[*spec.test_cases, test_case])
    return _save(actor, problem, wanted, changed=len(spec.test_cases))


@transaction.atomic
def testcase_update(
    *, actor: User, problem_id: int, order: int, based_on: int | None, **changes: Unpack[TestCaseChanges]
) -> TestSet:
    """Change one test of the current version. What stays as it was makes no new version.

    `based_on` is the version in which the caller saw the test at this place, if they care.

    Raises:
        NotFound: there is no such problem, or no such test in its current version.
        VersionConflict: the current version is another one than `based_on`.
        InvalidInput: as `testset_create`; what is wrong with the test itself is told at its own fields.
    """
    problem, test_set = _current_lock(problem_id, based_on)
    spec = current_spec(problem)
    cases = list(spec.test_cases)
    place = _place_of(test_set, order)
    wanted = replace(cases[place], **changes)
    if wanted == cases[place]:
        return test_set
    cases[place] = wanted
    return _save(actor, problem, replace(spec, test_cases=cases), changed=place)


@transaction.atomic
def testcase_remove(*, actor: User, problem_id: int, order: int, based_on: int | None) -> TestSet:
    """Leave one test of the current version out of the next one. `based_on` as for `testcase_update`.

    Raises:
        NotFound: there is no such problem, or no such test in its current version.
        VersionConflict: the current version is another one than `based_on`.
        InvalidInput: it is the only one, or the only one of a group.
    """
    problem, test_set = _current_lock(problem_id, based_on)
    spec = current_spec(problem)
    cases = list(spec.test_cases)
    del cases[_place_of(test_set, order)]
    return _save(actor, problem, replace(spec, test_cases=cases), changed=None)


def testset_import(*, actor: User, problem_id: int, data: bytes, is_appending: bool, is_dry_run: bool) -> ImportReport:
    """Give a problem the tests of a ZIP archive (`courses.testarchives`), instead of or after those it has.

    A checker that comes with the tests stays; groups stay with the tests that are in them. A dry run says what would
    happen and writes nothing.

    Raises:
        NotFound: there is no such problem.
        InvalidInput: at `/file`, naming each file at fault.
    """
    # Before the transaction: unpacking takes a while, and nothing else may wait for a lock as long.
    tests = archive_tests(data)
    return _import(actor, problem_id, tests, is_appending=is_appending, is_dry_run=is_dry_run)


@transaction.atomic
def _import(
    actor: User, problem_id: int, tests: Sequence[NamedTest], *, is_appending: bool, is_dry_run: bool
) -> ImportReport:
    problem = problem_lock(problem_id)
    spec = current_spec(problem)
    kept = list(spec.test_cases) if is_appending else []
    wanted = SetSpec(
        test_cases=[*kept, *(test.spec for test in tests)],
        groups=spec.groups if is_appending else (),
        checker=spec.checker,
    )
    built = _told_otherwise(
        lambda: version_build(problem, wanted), lambda errors: errors_by_name(errors, tests, first=len(kept))
    )
    version = None if is_dry_run else version_save(actor, built).version
    return ImportReport(version=version, kept=len(kept), added=tests)


def _current_lock(problem_id: int, based_on: int | None) -> tuple[Problem, TestSet]:
    problem = problem_lock(problem_id)
    test_set = current_test_set(problem)
    if test_set is None:
        raise NotFound
    if based_on is not None and based_on != test_set.version:
        raise VersionConflict(
            f"The current version is {test_set.version}, not {based_on}.", members={"version": test_set.version}
        )
    return problem, test_set


def current_spec(problem: Problem) -> SetSpec:
    """What the current version is made of; where there is none yet, nothing."""
    test_set = current_test_set(problem)
    if test_set is None:
        return SetSpec(test_cases=())
    checker = None
    if test_set.checker_source:
        checker = CheckerProgram(language=test_set.checker_language, source=test_set.checker_source)
    return SetSpec(
        test_cases=[_as_spec(row) for row in test_set.test_cases.order_by("order")],
        groups=[group_from_json(group) for group in test_set.groups],
        checker=checker,
    )


def _as_spec(row: TestCase) -> TestCaseSpec:
    return TestCaseSpec(
        input=row.input,
        expected_output=row.expected_output,
        is_sample=row.is_sample,
        weight=row.weight,
        group=row.group,
    )


def _place_of(test_set: TestSet, order: int) -> int:
    """At which place of the list the test of this order stands."""
    orders = list(test_set.test_cases.order_by("order").values_list("order", flat=True))
    if order not in orders:
        raise NotFound
    return orders.index(order)


def _save(actor: User, problem: Problem, spec: SetSpec, *, changed: int | None) -> TestSet:
    """The next version; errors of the test at place `changed` are told at its own fields, as the caller gave them."""
    own = f"{POINTER}/{changed}/"

    def told(errors: Sequence[FieldError]) -> tuple[FieldError, ...]:
        return tuple(
            replace(error, pointer="#/" + error.pointer.removeprefix(own)) if error.pointer.startswith(own) else error
            for error in errors
        )

    return version_save(actor, _told_otherwise(lambda: version_build(problem, spec), told))


def _told_otherwise(
    build: Callable[[], tuple[TestSet, list[TestCase]]],
    told: Callable[[Sequence[FieldError]], tuple[FieldError, ...]],
) -> tuple[TestSet, list[TestCase]]:
    try:
        return build()
    except InvalidInput as error:
        errors = told(error.errors)
        raise InvalidInput(errors[0].detail if errors else error.detail, errors=errors) from error
