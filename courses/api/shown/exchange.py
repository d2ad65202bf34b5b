"""What the API shows of an imported table of problems."""

from typing import Any

from rest_framework import serializers

from courses.exchange.importing import OUTCOMES


class CellErrorSerializer(serializers.Serializer[Any]):
    column = serializers.CharField(read_only=True, help_text="Empty where no one column is at fault.")
    code = serializers.CharField(read_only=True)
    detail = serializers.CharField(read_only=True)


class ProblemLineSerializer(serializers.Serializer[Any]):
    row = serializers.IntegerField(read_only=True, help_text="From 1, below the header.")
    slug = serializers.CharField(read_only=True)
    outcome = serializers.ChoiceField(choices=OUTCOMES, read_only=True)
    errors = CellErrorSerializer(many=True, read_only=True)  # type: ignore[assignment]


class ProblemTotalsSerializer(serializers.Serializer[Any]):
    created = serializers.IntegerField(read_only=True)
    updated = serializers.IntegerField(read_only=True)
    skipped = serializers.IntegerField(read_only=True)
    error = serializers.IntegerField(read_only=True)


class ProblemImportSerializer(serializers.Serializer[Any]):
    is_written = serializers.BooleanField(read_only=True)
    totals = ProblemTotalsSerializer(read_only=True)
    rows = ProblemLineSerializer(many=True, read_only=True)
