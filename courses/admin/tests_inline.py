"""The current tests of a problem on its page. Versions are frozen: saving them changed makes the next version."""

from decimal import Decimal
from typing import Any, cast

from django import forms
from django.contrib import admin
from django.contrib.admin.checks import InlineModelAdminChecks
from django.forms.models import BaseModelFormSet, modelformset_factory
from django.http import HttpRequest

from courses.admin.base import TextAreaField
from courses.models import Problem, TestCase
from courses.selectors import current_test_set
from courses.testdata import TestCaseSpec

# A form with more does not fit into one request; there are archives, tables and the API for these.
TESTS_MAX = 80
CHARACTERS_MAX = 500_000


class TestCaseForm(forms.ModelForm):
    __test__ = False

    input = TextAreaField(required=False, widget=forms.Textarea(attrs={"rows": 3, "cols": 30}))
    expected_output = TextAreaField(required=False, widget=forms.Textarea(attrs={"rows": 3, "cols": 30}))
    accepts_any = forms.BooleanField(required=False, label="any output", help_text="Any output is right.")

    class Meta:
        model = TestCase
        fields = ("input", "expected_output", "is_sample", "weight", "group")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk is not None:
            self.fields["accepts_any"].initial = self.instance.expected_output is None

    def spec(self) -> TestCaseSpec:
        """The test as it is to be. A text that only looks different as the browser sends it stays as it was."""
        texts = {
            name: self.cleaned_data[name] if name in self.changed_data else self.initial.get(name) or ""
            for name in ("input", "expected_output")
        }
        return TestCaseSpec(
            input=texts["input"],
            expected_output=None if self.cleaned_data["accepts_any"] else texts["expected_output"],
            is_sample=self.cleaned_data["is_sample"],
            weight=self.cleaned_data["weight"] if self.cleaned_data["weight"] is not None else Decimal(1),
            group=self.cleaned_data["group"],
        )


class TestsFormSet(BaseModelFormSet):
    """The tests of the problem's current version. They are no rows of the problem itself, so it knows no such key."""

    def __init__(
        self, data: Any = None, files: Any = None, instance: Any = None, queryset: Any = None, **kwargs: Any
    ) -> None:
        kwargs.pop("save_as_new", None)
        self.test_set = current_test_set(instance) if instance is not None and instance.pk else None
        rows = TestCase.objects.none() if self.test_set is None else self.test_set.test_cases.order_by("order")
        super().__init__(data, files, queryset=rows, **kwargs)

    @classmethod
    def get_default_prefix(cls) -> str:
        return "tests"

    def clean(self) -> None:
        """Refuses a page that was opened when another version was the current one: its rows are not those of today."""
        super().clean()
        known = [form.instance.pk for form in self.initial_forms]
        if None in known or len(known) != len(self.get_queryset()):
            detail = "Somebody gave the problem other tests meanwhile: open the page anew."
            raise forms.ValidationError(detail, code="version_conflict")

    def validate_unique(self) -> None:
        """Their order is their place."""

    def specs(self) -> list[TestCaseSpec]:
        """The tests as they are to be, in order; empty extra rows left out."""
        kept = [
            form
            for form in self.forms
            if not form.cleaned_data.get("DELETE") and (form.instance.pk is not None or form.has_changed())
        ]
        return [cast(TestCaseForm, form).spec() for form in kept]


class TestsInlineChecks(InlineModelAdminChecks):
    """Without those that ask for a foreign key to the problem."""

    __test__ = False

    def _check_exclude_of_parent_model(self, obj: Any, parent_model: Any) -> list[Any]:
        return []

    def _check_relation(self, obj: Any, parent_model: Any) -> list[Any]:
        return []


class TestsInline(admin.TabularInline):
    model = TestCase
    verbose_name = "test"
    verbose_name_plural = "tests of the current version, in judging order"
    extra = 1
    checks_class = TestsInlineChecks
    fields = ("input", "expected_output", "accepts_any", "is_sample", "weight", "group")

    @classmethod
    def fits(cls, problem: Problem) -> bool:
        """Whether a page can hold the problem's current tests."""
        test_set = current_test_set(problem)
        if test_set is None:
            return True
        sizes = test_set.test_cases.values_list("input", "expected_output")[: TESTS_MAX + 1]
        total = sum(len(given) + len(expected or "") for given, expected in sizes)
        return len(sizes) <= TESTS_MAX and total <= CHARACTERS_MAX

    def get_formset(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> Any:
        return modelformset_factory(
            TestCase,
            form=TestCaseForm,
            formset=TestsFormSet,
            extra=self.extra,
            can_delete=True,
            max_num=TESTS_MAX,
            absolute_max=TESTS_MAX + 10,
            validate_max=True,
        )

    def get_queryset(self, request: HttpRequest) -> Any:
        return TestCase.objects.none()

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return True

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return True

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return True

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return True
