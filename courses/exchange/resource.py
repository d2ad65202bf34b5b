"""A row of a table as a problem, and back, by django-import-export; everything is written through the services."""

from collections.abc import Callable, Collection, Iterator, Mapping
from types import SimpleNamespace
from typing import Any

from import_export.fields import Field
from import_export.instance_loaders import BaseInstanceLoader
from import_export.resources import Resource
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail

from accounts.models import User
from core.errors import FieldError, InvalidInput, pointer_to
from courses.answer_keys import ChoiceSpec, FillBlankSpec
from courses.api.given.basics import ProblemCreateSerializer, ProblemUpdateSerializer, TestSetInputSerializer
from courses.authoring import AlgorithmSpec, CheckerProgram
from courses.exchange.columns import COLUMNS, CellWidget, Content
from courses.models import Problem
from courses.services.problem import problem_create
from courses.services.rewriting import problem_rewrite
from courses.services.testset import SetSpec, version_build, version_save
from courses.services.validation import refuse
from courses.testdata import TestCaseSpec
from courses.testgroups import GroupSpec

SPECS: dict[str, Callable[..., Any]] = {
    "algorithm": AlgorithmSpec,
    "choice": ChoiceSpec,
    "fillblank": FillBlankSpec,
}
CheckerFaults = Mapping[CheckerProgram, list[FieldError]]


class Draft:
    """What one row says, by attributes as a problem has them; `problem` is the one of this slug, if there is one."""

    def __init__(self, problem: Problem | None) -> None:
        self.problem = problem
        self.algorithm, self.choice, self.fillblank = SimpleNamespace(), SimpleNamespace(), SimpleNamespace()

    def body(self) -> tuple[dict[str, Any], Any]:
        """The body by which the API would be asked for the same, and that for its tests, if there are any."""
        said = {column.name: getattr(self, column.name) for column in COLUMNS if hasattr(self, column.name)}
        type = self.problem.type if self.problem else said.get("type", Problem.Type.ALGORITHM.value)
        tests = getattr(self.algorithm, "tests", None)
        for part in SPECS:
            given = {name: value for name, value in vars(getattr(self, part)).items() if name != "tests"}
            if part == type or any(given.values()) or (part == "algorithm" and tests is not None):
                said[part] = given
        return said, tests


class ProblemResource(Resource):
    """Problems of one course. `existing` are those that were there before, by slug."""

    vars().update(
        {
            column.name: Field(
                attribute=column.attribute,
                column_name=column.name,
                widget=CellWidget(column.content),
                # In a cell in which nothing is said, nothing is said.
                saves_null_values=False,
            )
            for column in COLUMNS
        }
    )

    class Meta:
        import_id_fields = ["slug"]
        instance_loader_class = BaseInstanceLoader
        export_order = [column.name for column in COLUMNS]
        using_db = "default"
        skip_diff = True
        report_skipped = True

    def __init__(
        self,
        *,
        actor: User | None = None,
        course_id: int = 0,
        existing: Mapping[str, Problem] | None = None,
        on_existing: str = "refuse",
        checker_faults: CheckerFaults | None = None,
        tell: Callable[[int], object] | None = None,
    ) -> None:
        super().__init__()
        self.actor, self.course_id, self.on_existing, self.tell = actor, course_id, on_existing, tell
        self.existing, self.checker_faults = existing or {}, checker_faults or {}
        self.seen: set[str] = set()

    def dehydrate_tests(self, problem: Any) -> str:
        """The current tests, as the API takes them; `courses.exchange.exporting` puts the version in a list."""
        if not problem.current_test_sets:
            return ""
        test_set = problem.current_test_sets[0]
        written: dict[str, Any] = {
            "test_cases": [
                {
                    "input": case.input,
                    "expected_output": case.expected_output,
                    "is_sample": case.is_sample,
                    "weight": str(case.weight),
                    "group": case.group,
                }
                for case in test_set.test_cases.all()
            ]
        }
        if test_set.groups:
            written["groups"] = test_set.groups
        if test_set.checker_source:
            written |= {"checker_language": test_set.checker_language, "checker_source": test_set.checker_source}
        return CellWidget(Content.JSON).render(written)

    def get_or_init_instance(self, instance_loader: Any, row: Mapping[str, str]) -> tuple[Draft, bool]:
        slug = row["slug"].strip()
        if slug in self.seen:
            raise InvalidInput.at("slug", "slug_repeated", "Another row above has this slug.")
        self.seen.add(slug)
        problem = self.existing.get(slug)
        if problem is not None and self.on_existing == "refuse":
            raise InvalidInput.at("slug", "slug_taken", "The course has a problem of this slug.")
        return Draft(problem), problem is None

    def skip_row(self, instance: Draft, original: Any, row: Any, import_validation_errors: Any = None) -> bool:
        return instance.problem is not None and self.on_existing == "skip"

    def save_instance(self, instance: Draft, is_create: bool, row: Any, **kwargs: Any) -> None:
        body, given_tests = instance.body()
        tests = None if given_tests is None else self._tests(given_tests)
        if instance.problem is None:
            self._create(body, tests)
            return
        type = body.pop("type", instance.problem.type)
        if type != instance.problem.type:
            raise InvalidInput.at(
                "type", "type_fixed", f"The problem of this slug has the type {instance.problem.type}."
            )
        changes = checked(ProblemUpdateSerializer(data=body, partial=True))
        problem_rewrite(actor=self.actor, problem_id=instance.problem.pk, changes=changes, tests=tests)

    def after_import_row(self, row: Any, row_result: Any, **kwargs: Any) -> None:
        if self.tell is not None:
            self.tell(1)

    def _create(self, body: Mapping[str, Any], tests: SetSpec | None) -> None:
        values = checked(ProblemCreateSerializer(data=body))
        parts = {name: spec(**values.pop(name)) for name, spec in SPECS.items() if name in values}
        problem = problem_create(actor=self.actor, course_id=self.course_id, **parts, **values)
        if tests is not None:
            version_save(self.actor, version_build(problem, tests))

    def _tests(self, given: Any) -> SetSpec:
        spec = tests_given(given)
        if spec.checker is not None:
            refuse(self.checker_faults[spec.checker])
        return spec


def tests_given(given: Any) -> SetSpec:
    """The tests that a cell holds.

    Raises:
        InvalidInput: they are not as the API takes them.
    """
    values = checked(TestSetInputSerializer(data=given))
    source = values.get("checker_source")
    return SetSpec(
        test_cases=[TestCaseSpec(**case) for case in values["test_cases"]],
        groups=[
            GroupSpec(**{**group, "requires": tuple(group.get("requires", ()))}) for group in values.get("groups", ())
        ],
        checker=CheckerProgram(language=values["checker_language"], source=source) if source else None,
    )


def checked(serializer: "serializers.Serializer[Any]") -> dict[str, Any]:
    """What a serializer makes of its data.

    Raises:
        InvalidInput: `errors` names each fault.
    """
    serializer.is_valid()
    refuse(list(_faults(serializer.errors, "#")))
    return dict(serializer.validated_data)


def _faults(errors: Any, at: str) -> Iterator[FieldError]:
    if isinstance(errors, ErrorDetail):
        yield FieldError(pointer=at, code=str(errors.code), detail=str(errors))
    elif isinstance(errors, Mapping):
        for name, inner in errors.items():
            yield from _faults(inner, at if name == "non_field_errors" else pointer_to(at, name))
    elif isinstance(errors, Collection):
        for index, inner in enumerate(errors):
            yield from _faults(inner, at if isinstance(inner, ErrorDetail) else pointer_to(at, index))
