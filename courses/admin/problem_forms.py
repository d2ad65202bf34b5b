"""Forms of problems: what all have in common, and the part of each type, checked as the API checks it."""

from typing import Any

from django import forms
from django.forms.models import fields_for_model
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail

from core.errors import FieldError
from courses.admin.base import JSONTextField, ServiceForm, TextAreaField
from courses.answer_keys import ChoiceSpec, FillBlankSpec
from courses.api.given.basics import AlgorithmInputSerializer
from courses.api.given.parts import ChoiceInputSerializer, FillBlankInputSerializer
from courses.authoring import AlgorithmSpec
from courses.models import AlgorithmProblem, ChoiceProblem, Problem

COMMON_FIELDS = (
    *("title", "slug", "difficulty", "audience", "status", "published_from", "published_until"),
    *("statement", "author_notes"),
)


class ProblemForm(ServiceForm):
    """What all problems have in common; `part` is what was given of the part, once the form is valid."""

    kind: Problem.Type
    part_serializer: type[serializers.Serializer[Any]]
    part_spec: type
    part_fields: tuple[str, ...]

    statement = TextAreaField(required=False, help_text="Markdown.")
    author_notes = TextAreaField(required=False, help_text="Markdown, for staff alone.")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        row = getattr(self.instance, self.kind, None) if self.instance.pk else None
        if row is not None:
            for name in self.part_fields:
                self.fields[name].initial = self.part_initial(row, name)

    def part_initial(self, row: Any, name: str) -> Any:
        return getattr(row, name)

    def part_given(self) -> dict[str, Any]:
        """The part as the API would be given it. What was left empty is not said."""
        given = {name: self.cleaned_data.get(name) for name in self.part_fields}
        return {name: value for name, value in given.items() if value is not None}

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        serializer = self.part_serializer(data=self.part_given())
        if serializer.is_valid():
            self.part = dict(serializer.validated_data)
        else:
            for name, details in serializer.errors.items():
                self.add_fault(FieldError(pointer=f"#/{name}", code="invalid", detail=" ".join(_texts(details))))
        return cleaned

    def changes(self) -> dict[str, Any]:
        """What `problem_update` takes."""
        return {**{name: self.cleaned_data[name] for name in COMMON_FIELDS}, str(self.kind): self.part}

    def new(self) -> dict[str, Any]:
        """What `problem_create` takes."""
        return {**self.changes(), "type": str(self.kind), str(self.kind): self.part_spec(**self.part)}


def _texts(details: Any) -> list[str]:
    """The sentences in a serializer's errors, however deep they are."""
    if isinstance(details, ErrorDetail):
        return [str(details)]
    inner = details.values() if isinstance(details, dict) else details
    return [text for each in inner for text in _texts(each)]


class AlgorithmForm(ProblemForm):
    kind = Problem.Type.ALGORITHM
    part_serializer = AlgorithmInputSerializer
    part_spec = AlgorithmSpec
    part_fields = (
        *("time_limit_ms", "memory_limit_mb", "entry_point", "value_encoding", "checker", "checker_options"),
        *("is_partial_credit", "stops_at_first_failure", "isolates_tests"),
        *("languages", "starter_code", "templates", "preludes", "postludes"),
    )
    locals().update(
        fields_for_model(
            AlgorithmProblem,
            fields=part_fields,
            field_classes=dict.fromkeys(
                ("checker_options", "languages", "starter_code", "templates", "preludes", "postludes"), JSONTextField
            ),
        )
    )


class ChoiceForm(ProblemForm):
    kind = Problem.Type.CHOICE
    part_serializer = ChoiceInputSerializer
    part_spec = ChoiceSpec
    part_fields = ("options", "answers", "is_multiple", "scoring")
    locals().update(fields_for_model(ChoiceProblem, fields=part_fields))
    options = JSONTextField(help_text='Texts in Markdown, such as ["a stack", "a queue"]; the first is A.')
    answers = forms.CharField(max_length=100, help_text="The letters of the right options, such as AC.")

    def part_given(self) -> dict[str, Any]:
        letters = [letter for letter in self.cleaned_data.get("answers", "") if letter not in " ,"]
        return {**super().part_given(), "answers": letters}


class FillBlankForm(ProblemForm):
    kind = Problem.Type.FILLBLANK
    part_serializer = FillBlankInputSerializer
    part_spec = FillBlankSpec
    part_fields = ("text", "blanks")
    text = TextAreaField(help_text="Markdown; {{1}} is where the first blank stands.")
    blanks = JSONTextField(help_text='In order, such as [{"accepted": ["LIFO"], "ignores_case": true}].')


FORMS: dict[str, type[ProblemForm]] = {form.kind.value: form for form in (AlgorithmForm, ChoiceForm, FillBlankForm)}
