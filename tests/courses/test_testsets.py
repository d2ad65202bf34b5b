"""Versions of a problem's tests: what is accepted, that they stay as they are, and making them together."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, connection
from django.utils import timezone

from core.errors import InvalidInput, NotFound
from courses import services
from courses.models import AlgorithmProblem, Problem, TestCase, TestSet
from courses.selectors import current_test_set, sample_tests
from courses.services import testset as testset_module
from courses.testdata import DEPTH_MAX, LITERAL_MAX_BYTES, TEST_CASES_MAX, TestCaseSpec
from courses.testgroups import GroupSpec
from executor.judging.values import LITERAL_LIMIT_BYTES
from tests.accounts.factories import UserFactory
from tests.courses.conftest import World
from tests.courses.factories import AlgorithmProblemFactory, ProblemFactory
from tests.courses.refusals import refused
from tests.parallel import at_once, meeting_point

ONE = [TestCaseSpec(input="1\n", expected_output="2\n")]


def give_tests(world: World, *test_cases: TestCaseSpec, **algorithm: Any) -> TestSet:
    AlgorithmProblem.objects.filter(problem=world.problem).update(**algorithm)
    groups = [GroupSpec(name=name) for name in sorted({case.group for case in test_cases if case.group})]
    return services.testset_create(
        actor=world.instructor, problem_id=world.problem.pk, test_cases=test_cases, groups=groups
    )


class TestCreate:
    def test_the_next_version_is_the_current_one(self, world: World) -> None:
        first = current_test_set(world.problem)
        second = give_tests(
            world,
            TestCaseSpec(input=" 1 \n", expected_output="", is_sample=True),
            TestCaseSpec(input="2", expected_output=None, weight=Decimal("0.125"), group="big"),
        )
        assert (second.version, second.frozen_at) == (2, None)
        assert current_test_set(world.problem) == second != first
        rows = second.test_cases.values_list("order", "input", "expected_output", "is_sample", "weight", "group")
        assert list(rows) == [
            (0, " 1 \n", "", True, Decimal(1), ""),
            (1, "2", None, False, Decimal("0.125"), "big"),
        ]
        assert [case.order for case in sample_tests(world.problem)] == [0]

    def test_samples_are_those_of_the_current_version(self, world: World) -> None:
        give_tests(world, TestCaseSpec(input="now hidden"))
        assert list(sample_tests(world.problem)) == []

    def test_earlier_versions_stay_as_they_are(self, world: World) -> None:
        first = TestSet.objects.get(problem=world.problem)
        before = list(first.test_cases.values())
        give_tests(world, *ONE)
        assert list(first.test_cases.values()) == before

    def test_no_problem_no_tests(self, world: World) -> None:
        with pytest.raises(NotFound):
            services.testset_create(actor=world.owner, problem_id=10**6, test_cases=ONE)
        choice = ProblemFactory(course=world.course, type="choice")
        with pytest.raises(InvalidInput):
            services.testset_create(actor=world.owner, problem_id=choice.pk, test_cases=ONE)
        assert current_test_set(choice) is None


class TestRefusals:
    def refused_at(self, world: World, *test_cases: TestCaseSpec, pointer: str, code: str, **algorithm: Any) -> None:
        with refused((f"#/test_cases{pointer}", code)):
            give_tests(world, *test_cases, **algorithm)
        assert TestSet.objects.filter(problem=world.problem).count() == 1

    def test_an_empty_list(self, world: World) -> None:
        self.refused_at(world, pointer="", code="empty")

    def test_a_list_too_long(self, world: World) -> None:
        self.refused_at(world, *ONE * (TEST_CASES_MAX + 1), pointer="", code="max_length")

    def test_weights_that_come_to_nothing(self, world: World) -> None:
        self.refused_at(world, TestCaseSpec(weight=Decimal(0)), pointer="", code="weights_all_zero")

    @pytest.mark.parametrize(
        ("weight", "code"), [("-1", "min_value"), ("0.0001", "max_decimal_places"), ("1e6", "max_whole_digits")]
    )
    def test_a_weight_the_row_cannot_hold(self, world: World, weight: str, code: str) -> None:
        self.refused_at(world, *ONE, TestCaseSpec(weight=Decimal(weight)), pointer="/1/weight", code=code)

    def test_a_group_too_long(self, world: World) -> None:
        self.refused_at(world, TestCaseSpec(group="g" * 51), pointer="/0/group", code="max_length")

    @pytest.mark.parametrize(
        ("encoding", "arguments"),
        [
            ("json", "2"),
            ("json", "not JSON"),
            ("json", ""),
            ("json", "(1, 2)"),
            ("json", "[NaN]"),
            ("json", "[1] [2]"),
            pytest.param("json", "[" * 10**5, id="json-deep and broken"),
            pytest.param("json", "[" * (DEPTH_MAX + 1) + "]" * (DEPTH_MAX + 1), id="json-deep"),
            ("python-literal", "2"),
            ("python-literal", "{1: 2}"),
            ("python-literal", "{1, 2}"),
            ("python-literal", "[open('x')]"),
            ("python-literal", "'[1]'"),
            pytest.param("python-literal", "(" * 10**4, id="python-literal-deep"),
        ],
    )
    def test_arguments_of_a_function_problem(self, world: World, encoding: str, arguments: str) -> None:
        self.refused_at(
            world,
            TestCaseSpec(input="[1]"),
            TestCaseSpec(input=arguments),
            pointer="/1/input",
            code="not_arguments",
            entry_point="f",
            value_encoding=encoding,
        )

    @pytest.mark.parametrize(
        ("expected", "algorithm"),
        [
            ("(1, 2)", {"entry_point": "f"}),
            ("(1, 2", {"entry_point": "f", "value_encoding": "python-literal"}),
            ("true", {"entry_point": "f", "value_encoding": "python-literal"}),
            ("(1, 2)", {"checker": "json"}),
            ("", {"checker": "json"}),
        ],
    )
    def test_an_expected_output_that_is_no_value(self, world: World, expected: str, algorithm: dict[str, Any]) -> None:
        self.refused_at(
            world,
            TestCaseSpec(input="[1]", expected_output=expected),
            pointer="/0/expected_output",
            code="not_a_value",
            **algorithm,
        )

    def test_a_literal_longer_than_checkers_read(self, world: World) -> None:
        self.refused_at(
            world,
            TestCaseSpec(input="[1]", expected_output=repr("x" * LITERAL_MAX_BYTES)),
            pointer="/0/expected_output",
            code="too_long",
            entry_point="f",
            value_encoding="python-literal",
        )
        assert LITERAL_MAX_BYTES == LITERAL_LIMIT_BYTES

    @pytest.mark.parametrize("expected", ["1e999", "[0, -1e999]", '{"a": 1e999}'])
    def test_a_number_beyond_any_float(self, world: World, expected: str) -> None:
        test = TestCaseSpec(input="[1]", expected_output=expected)
        self.refused_at(world, test, pointer="/0/expected_output", code="not_a_value", checker="json")

    def test_the_refusal_does_not_quote_the_test(self, world: World) -> None:
        with pytest.raises(InvalidInput) as caught:
            give_tests(world, TestCaseSpec(input="SECRET", expected_output="SECRET"), entry_point="f")
        assert "SECRET" not in repr((caught.value.detail, caught.value.errors))


class TestAccepted:
    @pytest.mark.parametrize(
        ("given", "expected", "algorithm"),
        [
            ("[1, [2]]", "3", {"entry_point": "f"}),
            ('{"a": 1}', '{"b": null}', {"entry_point": "f"}),
            ("[]", None, {"entry_point": "f"}),
            ("[(1, 2)]", "(8, 13)", {"entry_point": "f", "value_encoding": "python-literal"}),
            ("((1, 2),)", "None", {"entry_point": "f", "value_encoding": "python-literal"}),
            ("{'a': {1, 2}}", "b'x'", {"entry_point": "f", "value_encoding": "python-literal"}),
            ("anything", "(not JSON", {"value_encoding": "python-literal"}),
            ("anything", "[1, 2]\n", {"checker": "json"}),
        ],
    )
    def test_values(self, world: World, given: str, expected: str | None, algorithm: dict[str, Any]) -> None:
        stored = give_tests(world, TestCaseSpec(input=given, expected_output=expected), **algorithm).test_cases.get()
        assert (stored.input, stored.expected_output) == (given, expected)


class TestFreeze:
    def test_the_first_time_counts(self, world: World) -> None:
        test_set = TestSet.objects.get(problem=world.problem)
        services.testset_freeze(test_set_id=test_set.pk)
        test_set.refresh_from_db()
        assert test_set.frozen_at is not None
        assert timezone.now() - test_set.frozen_at < timedelta(minutes=1)
        first = test_set.frozen_at
        services.testset_freeze(test_set_id=test_set.pk)
        test_set.refresh_from_db()
        assert test_set.frozen_at == first

    def test_no_service_changes_frozen_tests(self, world: World) -> None:
        test_set = TestSet.objects.get(problem=world.problem)
        services.testset_freeze(test_set_id=test_set.pk)
        before = list(TestCase.objects.filter(test_set=test_set).values())
        give_tests(world, *ONE)
        services.problem_update(actor=world.owner, problem_id=world.problem.pk, algorithm={"checker": "exact"})
        services.problem_archive(actor=world.owner, problem_id=world.problem.pk)
        assert list(TestCase.objects.filter(test_set=test_set).values()) == before


@pytest.mark.django_db(transaction=True)
class TestTogether:
    """Several authors, each with a connection of their own, give one problem new tests at the same moment."""

    AUTHORS = 4

    def versions(self, create: Callable[..., TestSet], monkeypatch: pytest.MonkeyPatch) -> list[int | None]:
        """The version each author made; None for one whom the database refused."""
        problem = AlgorithmProblemFactory().problem
        actor = UserFactory()
        real, meet = testset_module._next_version, meeting_point(self.AUTHORS)

        def counted_together(problem: Problem) -> int:
            version = real(problem)
            meet()
            return version

        monkeypatch.setattr(testset_module, "_next_version", counted_together)

        def author() -> int | None:
            try:
                return create(actor=actor, problem_id=problem.pk, test_cases=ONE).version
            except IntegrityError:
                return None

        return at_once([author] * self.AUTHORS)

    def test_every_author_gets_a_version(self, monkeypatch: pytest.MonkeyPatch) -> None:
        versions = self.versions(services.testset_create, monkeypatch)
        assert sorted(version or 0 for version in versions) == [2, 3, 4, 5]

    def test_control_without_the_lock_they_collide(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(testset_module, "problem_lock", lambda pk: Problem.objects.get(pk=pk))
        create: Callable[..., TestSet] = services.testset_create
        if not connection.features.has_select_for_update:
            # SQLite has no row locks: what protects there is the transaction, which takes the write lock at its start.
            monkeypatch.setattr(testset_module, "_create", testset_module._create.__wrapped__)  # type: ignore[attr-defined]
        assert None in self.versions(create, monkeypatch)
