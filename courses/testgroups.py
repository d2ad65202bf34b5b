"""What an author says of groups of tests, and whether that makes sense together with the tests."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models

from core.errors import FieldError
from courses.models import TestCase
from courses.testdata import POINTER as TESTS_POINTER
from courses.testdata import TestCaseSpec

# Pointers of all errors about groups begin here.
POINTER = "#/groups"
GROUPS_MAX = 100
NAME_MAX = 50
THRESHOLD_PLACES = 4


class Aggregate(models.TextChoices):
    """How a group's tests make up what it earns; judging says precisely what each means."""

    SUM = "sum"
    MIN = "min"
    MUL = "mul"
    THRESHOLD = "threshold"


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupSpec:
    """One group as its author gives it. `points` of None are the sum of its tests' weights.

    `threshold`, from above 0 to 1, is the part of the group's weight that must be accepted; only for that aggregate.
    `requires` names groups before this one; it is skipped unless each of them is full.
    """

    name: str
    aggregate: str = Aggregate.SUM
    points: Decimal | None = None
    threshold: Decimal | None = None
    requires: Sequence[str] = ()


def group_as_json(group: GroupSpec) -> dict[str, Any]:
    """A group as `TestSet.groups` holds it: decimals as text, so that none is changed by being stored."""
    return {
        "name": group.name,
        "aggregate": str(group.aggregate),
        "points": None if group.points is None else str(group.points),
        "threshold": None if group.threshold is None else str(group.threshold),
        "requires": list(group.requires),
    }


def group_from_json(stored: Mapping[str, Any]) -> GroupSpec:
    """The group that `group_as_json` wrote."""
    return GroupSpec(
        name=stored["name"],
        aggregate=stored["aggregate"],
        points=None if stored["points"] is None else Decimal(stored["points"]),
        threshold=None if stored["threshold"] is None else Decimal(stored["threshold"]),
        requires=tuple(stored["requires"]),
    )


def errors_of_groups(groups: Sequence[GroupSpec], test_cases: Sequence[TestCaseSpec | TestCase]) -> list[FieldError]:
    """What is wrong with the groups of one set, and with the groups its tests name."""
    if len(groups) > GROUPS_MAX:
        return [FieldError(pointer=POINTER, code="max_length", detail=f"A test set has at most {GROUPS_MAX} groups.")]
    places: dict[str, list[int]] = {group.name: [] for group in groups}
    errors = []
    for index, test_case in enumerate(test_cases):
        if test_case.group in places:
            places[test_case.group].append(index)
        elif test_case.group:
            detail = "The test names a group that the set does not define."
            errors.append(FieldError(pointer=f"{TESTS_POINTER}/{index}/group", code="unknown_group", detail=detail))
    names = [group.name for group in groups]
    for index, group in enumerate(groups):
        found = (*_own_faults(group), *_faults_in_list(group, names, index, places))
        errors += [FieldError(pointer=f"{POINTER}/{index}/{at}", code=code, detail=text) for at, code, text in found]
    if not errors and not _is_worth_something(groups, test_cases):
        detail = "Tests and groups must be worth more than 0 together."
        errors.append(FieldError(pointer=TESTS_POINTER, code="weights_all_zero", detail=detail))
    return errors


def _own_faults(group: GroupSpec) -> Iterator[tuple[str, str, str]]:
    if not group.name:
        yield "name", "blank", "A group has a name."
    elif len(group.name) > NAME_MAX:
        yield "name", "max_length", f"A group's name has at most {NAME_MAX} characters."
    if group.aggregate not in Aggregate.values:
        yield "aggregate", "invalid_choice", f"There is no such aggregate; there are {', '.join(Aggregate.values)}."
    if group.points is not None:
        try:
            # What holds for a weight holds for points: they are added.
            TestCase._meta.get_field("weight").run_validators(group.points)
        except ValidationError as error:
            for fault in error.error_list:
                yield "points", fault.code or "invalid", "; ".join(fault.messages)
    if group.aggregate == Aggregate.THRESHOLD:
        if group.threshold is None:
            yield "threshold", "required", "The aggregate threshold needs a threshold."
        elif not (group.threshold.is_finite() and 0 < group.threshold <= 1) or _places(group) > THRESHOLD_PLACES:
            yield "threshold", "invalid", f"A threshold is above 0, at most 1, with {THRESHOLD_PLACES} decimal places."
    elif group.threshold is not None:
        yield "threshold", "not_a_threshold", f"The aggregate {group.aggregate} has no threshold."


def _faults_in_list(
    group: GroupSpec, names: Sequence[str], index: int, places: dict[str, list[int]]
) -> Iterator[tuple[str, str, str]]:
    if group.name in names[:index]:
        yield "name", "duplicate", "Another group has this name."
    elif group.name and not places[group.name]:
        yield "name", "group_empty", "No test is in this group."
    for place, required in enumerate(group.requires):
        at = f"requires/{place}"
        if required not in names:
            yield at, "unknown_group", "There is no group of this name."
        elif required not in names[:index]:
            yield at, "not_earlier", "A group can require only groups that stand before it."
        elif required in group.requires[:place]:
            yield at, "duplicate", "This group is required twice."
        elif places[required] and places[group.name] and places[required][-1] > places[group.name][0]:
            # Otherwise what is skipped would depend on tests that are judged after it.
            yield at, "judged_later", "Tests of this group come after the first test of the group that requires it."


def _places(group: GroupSpec) -> int:
    exponent = group.threshold.as_tuple().exponent if group.threshold is not None else 0
    return -exponent if isinstance(exponent, int) else 0


def _is_worth_something(groups: Sequence[GroupSpec], test_cases: Sequence[TestCaseSpec | TestCase]) -> bool:
    with_points = {group.name for group in groups if group.points is not None}
    return any(group.points for group in groups) or any(
        test_case.weight for test_case in test_cases if test_case.group not in with_points
    )
