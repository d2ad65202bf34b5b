"""Groups of tests as authors give them: what is accepted, and where each fault is named."""

from decimal import Decimal
from typing import Any

import pytest

from courses import services
from courses.authoring import CheckerProgram
from courses.models import AlgorithmProblem, TestSet
from courses.testdata import TestCaseSpec
from courses.testgroups import GROUPS_MAX, GroupSpec
from tests.courses.conftest import World
from tests.courses.refusals import refused


def weighted(text: str) -> list[TestCaseSpec]:
    """`weighted("1 a:2")`: weights, each with its group before a colon."""
    pairs = [word.rpartition(":") for word in text.split()]
    return [TestCaseSpec(input="1\n", weight=Decimal(weight), group=group) for group, _, weight in pairs]


def give(world: World, tests: str, *groups: GroupSpec) -> TestSet:
    return services.testset_create(
        actor=world.instructor, problem_id=world.problem.pk, test_cases=weighted(tests), groups=groups
    )


class TestAccepted:
    def test_stored_as_text_that_changes_no_number(self, world: World) -> None:
        made = give(
            world,
            "a:1 b:0",
            GroupSpec(name="a", aggregate="threshold", threshold=Decimal("0.3333")),
            GroupSpec(name="b", aggregate="mul", points=Decimal("0.125"), requires=("a",)),
        )
        made.refresh_from_db()
        assert made.groups == [
            {"name": "a", "aggregate": "threshold", "points": None, "threshold": "0.3333", "requires": []},
            {"name": "b", "aggregate": "mul", "points": "0.125", "threshold": None, "requires": ["a"]},
        ]

    def test_points_may_stand_for_weights(self, world: World) -> None:
        assert give(world, "a:0", GroupSpec(name="a", points=Decimal(1))).groups


class TestRefusals:
    @pytest.mark.parametrize(
        ("tests", "groups", "faults"),
        [
            ("a:1", [], "test_cases/0/group unknown_group"),
            ("1 b:1", [{"name": "a"}], "test_cases/1/group unknown_group, groups/0/name group_empty"),
            ("1", [{"name": ""}], "groups/0/name blank"),
            ("1", [{"name": "n" * 51}], "groups/0/name max_length, groups/0/name group_empty"),
            ("a:1", [{"name": "a"}, {"name": "a"}], "groups/1/name duplicate"),
            ("a:1", [{"name": "a", "aggregate": "avg"}], "groups/0/aggregate invalid_choice"),
            ("a:1", [{"name": "a", "points": Decimal(-1)}], "groups/0/points min_value"),
            ("a:1", [{"name": "a", "points": Decimal("0.0001")}], "groups/0/points max_decimal_places"),
            ("a:1", [{"name": "a", "points": Decimal("1e6")}], "groups/0/points max_whole_digits"),
            ("a:1", [{"name": "a", "aggregate": "threshold"}], "groups/0/threshold required"),
            (
                "a:1",
                [{"name": "a", "aggregate": "min", "threshold": Decimal(1)}],
                "groups/0/threshold not_a_threshold",
            ),
            ("a:1", [{"name": "a", "requires": ["z"]}], "groups/0/requires/0 unknown_group"),
            ("a:1", [{"name": "a", "requires": ["a"]}], "groups/0/requires/0 not_earlier"),
            (
                "a:1 b:1",
                [{"name": "a", "requires": ["b"]}, {"name": "b", "requires": ["a"]}],
                "groups/0/requires/0 not_earlier",
            ),
            ("a:1 b:1", [{"name": "a"}, {"name": "b", "requires": ["a", "a"]}], "groups/1/requires/1 duplicate"),
            ("a:1 b:1 a:1", [{"name": "a"}, {"name": "b", "requires": ["a"]}], "groups/1/requires/0 judged_later"),
            ("a:5", [{"name": "a", "points": Decimal(0)}], "test_cases weights_all_zero"),
        ],
    )
    def test_each_fault_is_named(self, world: World, tests: str, groups: list[dict[str, Any]], faults: str) -> None:
        wanted = [f"#/{fault}".split() for fault in faults.split(", ")]
        with refused(*[(pointer, code) for pointer, code in wanted]):
            give(world, tests, *[GroupSpec(**group) for group in groups])
        assert TestSet.objects.filter(problem=world.problem).count() == 1

    @pytest.mark.parametrize("value", ["0", "-0.5", "1.0001", "0.00001", "NaN", "sNaN", "Infinity"])
    def test_a_threshold_is_a_part(self, world: World, value: str) -> None:
        with refused(("#/groups/0/threshold", "invalid")):
            give(world, "a:1", GroupSpec(name="a", aggregate="threshold", threshold=Decimal(value)))

    def test_too_many(self, world: World) -> None:
        groups = [GroupSpec(name=f"g{number}") for number in range(GROUPS_MAX + 1)]
        with refused(("#/groups", "max_length")):
            give(world, " ".join(f"{group.name}:1" for group in groups), *groups)

    def test_a_checker_for_a_problem_that_has_none(self, world: World) -> None:
        with refused(("#/checker_source", "checker_not_custom")):
            services.testset_create(
                actor=world.instructor,
                problem_id=world.problem.pk,
                test_cases=weighted("1"),
                checker=CheckerProgram(language="python", source="exit(42)"),
            )

    def test_a_problem_with_one_whose_tests_bring_none(self, world: World) -> None:
        AlgorithmProblem.objects.filter(problem=world.problem).update(checker="custom")
        with refused(("#/checker_source", "checker_missing")):
            give(world, "1")
