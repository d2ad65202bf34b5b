"""Bodies of the API of reference solutions, which is for staff alone."""

from typing import Any

from rest_framework import serializers

from core.serializers import StrictSerializer
from executor.api.serializers import SourceFileInput, SourceFileOutput
from executor.engines.base import SourceFile
from executor.models import ReferenceSolution
from executor.services.reference_solutions import UNNAMED


class SolutionInput(StrictSerializer):
    """A program as `code` or as `files`, with the verdict it must get."""

    name = serializers.CharField(max_length=100, required=False, help_text=f"`{UNNAMED}` where nothing is said.")
    language = serializers.CharField(max_length=30, help_text="A key of `GET /languages/`, such as `python`.")
    expected_verdict = serializers.ChoiceField(choices=ReferenceSolution.Expected.choices, required=False)
    code = serializers.CharField(
        required=False, allow_blank=True, trim_whitespace=False, help_text="The program as one text."
    )
    files = SourceFileInput(many=True, required=False, help_text="Several files, the main one first.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        given = ("code" in attrs) + ("files" in attrs)
        if given > 1 or (given == 0 and not self.partial):
            raise serializers.ValidationError("Give either code or files.", code="code_or_files")
        if "files" in attrs:
            attrs["files"] = tuple(SourceFile(**file) for file in attrs["files"])
        return attrs


class SolutionRowOutput(serializers.Serializer[Any]):
    """A reference solution and what came of its last verification, without its code."""

    id = serializers.IntegerField()
    problem = serializers.IntegerField()
    name = serializers.CharField()
    language = serializers.CharField()
    expected_verdict = serializers.CharField()
    author = serializers.IntegerField()
    status = serializers.CharField(help_text="`unverified`, `pending`, `judging`, or the verdict.")
    verdict = serializers.CharField(allow_null=True)
    as_expected = serializers.BooleanField(
        allow_null=True, help_text="null: not known, since it was not judged yet or could not be."
    )
    test_set_version = serializers.IntegerField(allow_null=True, help_text="The version of the tests it was judged on.")
    is_stale = serializers.BooleanField(help_text="The problem has newer tests than those.")
    score = serializers.DecimalField(max_digits=5, decimal_places=2, allow_null=True)
    time_ms = serializers.IntegerField(allow_null=True)
    memory_kib = serializers.IntegerField(allow_null=True)
    submission = serializers.IntegerField(allow_null=True, help_text="The last verification.")
    results = serializers.CharField(allow_null=True, help_text="The address of its results, test by test.")
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()


class SolutionOutput(SolutionRowOutput):
    """A reference solution with its code."""

    files = SourceFileOutput(many=True)
    fault = serializers.CharField(help_text="Why it could not be judged; empty where it could.")
