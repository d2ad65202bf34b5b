"""Tests one by one and from archives: each change a version of its own, whole or not there, and none lost."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError, connection
from hypothesis import given
from hypothesis import strategies as st
from rest_framework.test import APIClient

from core.errors import InvalidInput, NotFound
from courses import services
from courses.errors import VersionConflict
from courses.models import AlgorithmProblem, Problem, TestSet
from courses.selectors import current_test_set
from courses.services import testset_edit
from courses.testarchives import archive_tests
from courses.testdata import TestCaseSpec
from courses.testgroups import GroupSpec
from tests.accounts.factories import UserFactory
from tests.courses.conftest import World
from tests.courses.factories import AlgorithmProblemFactory, ChoiceProblemFactory
from tests.courses.refusals import ApiAs, faults, refusal, refused
from tests.courses.zips import zip_of
from tests.parallel import at_once, meeting_point

V1 = "/api/v1"


def inputs(problem: Problem) -> list[str]:
    test_set = current_test_set(problem)
    return [] if test_set is None else list(test_set.test_cases.order_by("order").values_list("input", flat=True))


def version(problem: Problem) -> int:
    test_set = current_test_set(problem)
    return 0 if test_set is None else test_set.version


class TestOneByOne:
    @pytest.fixture
    def api(self, world: World, api_as: ApiAs) -> APIClient:
        return api_as(world.instructor)

    def address(self, world: World, order: int | str = "") -> str:
        return f"{V1}/problems/{world.problem.pk}/tests/{order}{'/' if order != '' else ''}"

    def test_add_change_remove(self, world: World, api: APIClient) -> None:
        added = api.post(self.address(world), {"input": "5\n", "expected_output": "10\n", "weight": "2.000"})
        assert added.status_code == 201
        assert {name: added.json()[name] for name in ("problem", "version", "test_case_count")} == {
            "problem": world.problem.pk,
            "version": 2,
            "test_case_count": 3,
        }
        assert inputs(world.problem) == ["2\n", "21\n", "5\n"]
        changed = api.patch(self.address(world, 1), {"input": "22\n"})
        assert (changed.status_code, changed.json()["version"]) == (200, 3)
        assert inputs(world.problem) == ["2\n", "22\n", "5\n"]
        removed = api.delete(self.address(world, 0))
        assert (removed.status_code, removed.json()["version"]) == (200, 4)
        assert inputs(world.problem) == ["22\n", "5\n"]
        listed = api.get(self.address(world)).json()["results"]
        assert [(row["order"], row["input"], row["weight"]) for row in listed] == [
            (0, "22\n", "1.000"),
            (1, "5\n", "2.000"),
        ]

    def test_earlier_versions_stay_as_they_were(self, world: World, api: APIClient) -> None:
        first = current_test_set(world.problem)
        assert first is not None
        before = list(first.test_cases.values())
        api.post(self.address(world), {"input": "1", "expected_output": "2"})
        api.patch(self.address(world, 0), {"input": "9"})
        api.delete(self.address(world, 0))
        assert list(first.test_cases.values()) == before
        assert world.problem.test_sets.count() == 4

    def test_groups_and_checker_come_along(self, world: World) -> None:
        AlgorithmProblem.objects.filter(problem=world.problem).update(checker="custom")
        TestSet.objects.filter(problem=world.problem).update(
            checker_language="python", checker_source="print('yes')", groups=[]
        )
        test_set = services.testcase_add(
            actor=world.owner, problem_id=world.problem.pk, test_case=TestCaseSpec(input="1")
        )
        assert (test_set.checker_language, test_set.checker_source) == ("python", "print('yes')")

    def test_groups_are_kept_exactly(self, world: World) -> None:
        groups = [
            GroupSpec(name="a", aggregate="min", points=Decimal("40.5")),
            GroupSpec(name="b", aggregate="threshold", threshold=Decimal("0.25"), requires=["a"]),
        ]
        cases = [TestCaseSpec(input="1", group="a"), TestCaseSpec(input="2", group="b")]
        made = services.testset_create(actor=world.owner, problem_id=world.problem.pk, test_cases=cases, groups=groups)
        added = services.testcase_add(
            actor=world.owner, problem_id=world.problem.pk, test_case=TestCaseSpec(input="3", group="b")
        )
        assert added.groups == made.groups
        with refused(("#/groups/0/name", "group_empty")):
            services.testcase_remove(actor=world.owner, problem_id=world.problem.pk, order=0, based_on=None)

    def test_the_first_one(self, world: World) -> None:
        problem = AlgorithmProblemFactory(problem__course=world.course, tests=[]).problem
        added = services.testcase_add(actor=world.owner, problem_id=problem.pk, test_case=TestCaseSpec(input="1"))
        assert (added.version, inputs(problem)) == (1, ["1"])

    def test_errors_are_told_at_the_test_itself(self, world: World, api: APIClient) -> None:
        AlgorithmProblem.objects.filter(problem=world.problem).update(entry_point="double")
        services.testset_create(actor=world.owner, problem_id=world.problem.pk, test_cases=[TestCaseSpec(input="[1]")])
        fault = ("#/input", "not_arguments")
        assert faults(api.post(self.address(world), {"input": "1"})) == [fault]
        assert faults(api.patch(self.address(world, 0), {"input": "1"})) == [fault]
        assert faults(api.post(self.address(world), {"input": "[1]", "group": "x"})) == [("#/group", "unknown_group")]
        assert faults(api.post(self.address(world), {"order": 0})) == [("#/order", "unknown_field")]
        assert version(world.problem) == 2

    def test_the_last_one_stays(self, world: World, api: APIClient) -> None:
        api.delete(self.address(world, 0))
        assert faults(api.delete(self.address(world, 0))) == [("#/test_cases", "empty")]
        assert inputs(world.problem) == ["21\n"]

    def test_no_such_test(self, world: World, api: APIClient) -> None:
        for order in (2, 10**9, 10**30):
            assert refusal(api.patch(self.address(world, order), {"input": "1"})) == (404, "not_found")
            assert refusal(api.delete(self.address(world, order))) == (404, "not_found")
        bare = AlgorithmProblemFactory(problem__course=world.course, tests=[]).problem
        with pytest.raises(NotFound):
            services.testcase_remove(actor=world.owner, problem_id=bare.pk, order=0, based_on=None)

    def test_nothing_changed_makes_no_version(self, world: World, api: APIClient) -> None:
        response = api.patch(self.address(world, 0), {"input": "2\n", "weight": "1"})
        assert (response.status_code, response.json()["version"]) == (200, 1)
        assert version(world.problem) == 1

    def test_a_test_that_may_have_moved_is_left_alone(self, world: World, api: APIClient) -> None:
        api.delete(self.address(world, 0))
        for answer in (
            api.delete(f"{self.address(world, 0)}?version=1"),
            api.patch(f"{self.address(world, 0)}?version=1", {"input": "1"}),
        ):
            assert refusal(answer) == (409, "version_conflict")
            assert answer.json()["version"] == 2
        assert api.patch(f"{self.address(world, 0)}?version=2", {"input": "1"}).status_code == 200
        assert faults(api.delete(f"{self.address(world, 0)}?version=x")) == [("#/version", "invalid")]
        assert faults(api.delete(f"{self.address(world, 0)}?based_on=1")) == [("#/based_on", "unknown_field")]
        with pytest.raises(VersionConflict):
            services.testcase_remove(actor=world.owner, problem_id=world.problem.pk, order=0, based_on=2)

    def test_other_types_have_no_tests(self, world: World) -> None:
        choice = ChoiceProblemFactory(problem__course=world.course).problem
        with pytest.raises(InvalidInput, match="not answered with a program"):
            services.testcase_add(actor=world.owner, problem_id=choice.pk, test_case=TestCaseSpec())


@pytest.mark.django_db(transaction=True)
class TestTogether:
    """Several authors add a test to one problem at the same moment."""

    AUTHORS = 4

    def added(self, monkeypatch: pytest.MonkeyPatch) -> tuple[list[int | None], Problem]:
        problem = AlgorithmProblemFactory(tests=[("0", None)]).problem
        actor = UserFactory()
        real, meet = testset_edit.version_build, meeting_point(self.AUTHORS)

        def built_together(*args: Any) -> Any:
            built = real(*args)
            meet()
            return built

        monkeypatch.setattr(testset_edit, "version_build", built_together)

        def author(number: int) -> Callable[[], int | None]:
            def add() -> int | None:
                test_case = TestCaseSpec(input=f"{number}")
                try:
                    return services.testcase_add(actor=actor, problem_id=problem.pk, test_case=test_case).version
                except IntegrityError:
                    return None

            return add

        return at_once([author(number) for number in range(1, self.AUTHORS + 1)]), problem

    def test_all_additions_are_in_the_newest_version(self, monkeypatch: pytest.MonkeyPatch) -> None:
        versions, problem = self.added(monkeypatch)
        assert sorted(version or 0 for version in versions) == [2, 3, 4, 5]
        assert sorted(inputs(problem)) == ["0", "1", "2", "3", "4"]

    def test_control_without_the_lock_additions_are_lost(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(testset_edit, "problem_lock", lambda pk: Problem.objects.get(pk=pk))
        if not connection.features.has_select_for_update:
            # SQLite has no row locks: what protects there is the transaction, which takes the write lock at its start.
            monkeypatch.setattr(services, "testcase_add", services.testcase_add.__wrapped__)  # type: ignore[attr-defined]
        versions, problem = self.added(monkeypatch)
        assert None in versions
        assert len(inputs(problem)) < 1 + self.AUTHORS


PAIRS = {
    "data/secret/10.in": "10\n",
    "data/secret/10.ans": "20\n",
    "data/secret/2.in": "2\n",
    "data/secret/2.out": "4\n",
    "data/sample/1.in": "1\n",
    "data/sample/1.ans": "2\n",
}


class TestArchives:
    def names(self, files: dict[str, str | bytes]) -> list[tuple[str, bool]]:
        return [(test.name, test.spec.is_sample) for test in archive_tests(zip_of(files))]

    def codes(self, files: dict[str, str | bytes]) -> list[str]:
        with pytest.raises(InvalidInput) as caught:
            archive_tests(zip_of(files))
        assert {error.pointer for error in caught.value.errors} == {"#/file"}
        return [error.code for error in caught.value.errors]

    def test_pairs_in_judging_order(self) -> None:
        tests = archive_tests(zip_of(PAIRS))
        assert [(test.name, test.spec.is_sample) for test in tests] == [
            ("data/sample/1", True),
            ("data/secret/2", False),
            ("data/secret/10", False),
        ]
        assert [(test.spec.input, test.spec.expected_output) for test in tests] == [
            ("1\n", "2\n"),
            ("2\n", "4\n"),
            ("10\n", "20\n"),
        ]

    @pytest.mark.parametrize(
        ("name", "is_sample"),
        [
            ("sample1", True),
            ("Sample-01", True),
            ("a/sample/x", True),
            ("sample/secret/x", False),
            ("secret/sample1", False),
            ("resample", False),
            ("samples/x", False),
        ],
    )
    def test_what_a_sample_is(self, name: str, is_sample: bool) -> None:
        assert self.names({f"{name}.in": "1", f"{name}.ans": "2"}) == [(name, is_sample)]

    def test_what_file_managers_add_is_passed_over(self) -> None:
        litter = {"__MACOSX/._1.in": b"\x00\x01", ".DS_Store": b"\x00", "a/Thumbs.db": b"\x00"}
        assert self.names({"1.in": "1", "1.ans": "2", **litter}) == [("1", False)]

    @pytest.mark.parametrize(
        ("files", "codes"),
        [
            ({"1.in": "1"}, ["test_unpaired"]),
            ({"1.ans": "1"}, ["test_unpaired"]),
            ({"a/1.in": "1", "b/1.ans": "1"}, ["test_unpaired", "test_unpaired"]),
            ({"1.in": "1", "1.ans": "1", "1.out": "1"}, ["test_expected_twice"]),
            ({"1.in": "1", "1.ans": "1", "problem.yaml": "x"}, ["test_file_unknown"]),
            ({"1.in": b"\xff", "1.ans": "1"}, ["test_not_text"]),
            ({"1.in": "1", "1.ans": "a\x00"}, ["test_not_text"]),
            ({}, ["tests_missing"]),
            ({".DS_Store": "x"}, ["tests_missing"]),
            ({"../1.in": "1", "../1.ans": "1"}, ["archive_unsafe_name"]),
            ({"/1.in": "1", "/1.ans": "1"}, ["archive_unsafe_name"]),
            ({"1.in": "0" * 8_000_000, "1.ans": "1"}, ["archive_bomb"]),
        ],
    )
    def test_faults(self, files: dict[str, str | bytes], codes: list[str]) -> None:
        assert self.codes(files) == codes

    def test_each_file_at_fault_is_named(self) -> None:
        with pytest.raises(InvalidInput) as caught:
            archive_tests(zip_of({"a/7.in": "1", "b/8.ans": "1"}))
        told = " ".join(error.detail for error in caught.value.errors)
        assert "'a/7.in'" in told
        assert "'b/8.ans'" in told

    @given(st.sets(st.integers(0, 2000), min_size=1, max_size=30))
    def test_numbers_come_in_their_order(self, numbers: set[int]) -> None:
        files: dict[str, str | bytes] = {}
        for number in sorted(numbers, key=str):
            files |= {f"t{number}.in": str(number), f"t{number}.ans": ""}
        assert [test.spec.input for test in archive_tests(zip_of(files))] == [str(n) for n in sorted(numbers)]


class TestImport:
    def post(self, api: APIClient, world: World, files: dict[str, str | bytes] = PAIRS, **fields: Any) -> Any:  # type: ignore[assignment]
        body = {"file": SimpleUploadedFile("tests.zip", zip_of(files)), **fields}
        return api.post(f"{V1}/problems/{world.problem.pk}/tests/archive/", body, format="multipart")

    def test_replaces_the_tests(self, world: World, api_as: ApiAs) -> None:
        response = self.post(api_as(world.assistant), world)
        assert response.status_code == 200
        assert response.json() == {
            "version": 2,
            "kept": 0,
            "added": [
                {"name": name, "is_sample": sample, "input_characters": n, "expected_output_characters": m}
                for name, sample, n, m in (
                    ("data/sample/1", True, 2, 2),
                    ("data/secret/2", False, 2, 2),
                    ("data/secret/10", False, 3, 3),
                )
            ],
        }
        assert inputs(world.problem) == ["1\n", "2\n", "10\n"]

    def test_comes_after_them(self, world: World, api_as: ApiAs) -> None:
        report = self.post(api_as(world.assistant), world, mode="append").json()
        assert (report["version"], report["kept"], len(report["added"])) == (2, 2, 3)
        assert inputs(world.problem) == ["2\n", "21\n", "1\n", "2\n", "10\n"]

    def test_a_dry_run_writes_nothing(self, world: World, api_as: ApiAs) -> None:
        report = self.post(api_as(world.assistant), world, dry_run="true").json()
        assert (report["version"], len(report["added"])) == (None, 3)
        assert (version(world.problem), TestSet.objects.filter(problem=world.problem).count()) == (1, 1)

    def test_a_dry_run_refuses_the_same(self, world: World, api_as: ApiAs) -> None:
        AlgorithmProblem.objects.filter(problem=world.problem).update(entry_point="double")
        for dry_run in ("true", "false"):
            response = self.post(api_as(world.owner), world, dry_run=dry_run)
            assert faults(response) == [("#/file", "not_arguments")] * 3
            assert "'data/secret/10'" in response.json()["errors"][2]["detail"]
        assert version(world.problem) == 1

    def test_a_checker_stays(self, world: World) -> None:
        AlgorithmProblem.objects.filter(problem=world.problem).update(checker="custom")
        TestSet.objects.filter(problem=world.problem).update(checker_language="python", checker_source="print(1)")
        services.testset_import(
            actor=world.owner, problem_id=world.problem.pk, data=zip_of(PAIRS), is_appending=False, is_dry_run=False
        )
        test_set = current_test_set(world.problem)
        assert test_set is not None
        assert (test_set.version, test_set.checker_source) == (2, "print(1)")

    def test_bad_forms(self, world: World, api_as: ApiAs) -> None:
        api = api_as(world.owner)
        assert faults(self.post(api, world, mode="merge")) == [("#/mode", "invalid_choice")]
        assert faults(self.post(api, world, version="3")) == [("#/version", "unknown_field")]
        no_zip = {"file": SimpleUploadedFile("tests.zip", b"not a zip")}
        response = api.post(f"{V1}/problems/{world.problem.pk}/tests/archive/", no_zip, format="multipart")
        assert faults(response) == [("#/file", "archive_invalid")]
        assert version(world.problem) == 1

    def test_a_failure_while_writing_leaves_nothing(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        def fail(**kwargs: Any) -> None:
            raise RuntimeError("no audit")

        monkeypatch.setattr("courses.services.testset.audit_record", fail)
        with pytest.raises(RuntimeError, match="no audit"):
            services.testset_import(
                actor=world.owner, problem_id=world.problem.pk, data=zip_of(PAIRS), is_appending=False, is_dry_run=False
            )
        assert (version(world.problem), inputs(world.problem)) == (1, ["2\n", "21\n"])
