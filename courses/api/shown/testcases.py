"""What is shown, to staff, of tests that came one by one or in an archive."""

from typing import Any

from rest_framework import serializers


class ImportedTestSerializer(serializers.Serializer[Any]):
    name = serializers.CharField(read_only=True, help_text="The path of its files, without their endings.")
    is_sample = serializers.BooleanField(read_only=True, source="spec.is_sample")
    input_characters = serializers.SerializerMethodField()
    expected_output_characters = serializers.SerializerMethodField()

    def get_input_characters(self, test: Any) -> int:
        return len(test.spec.input)

    def get_expected_output_characters(self, test: Any) -> int:
        return len(test.spec.expected_output or "")


class ImportReportSerializer(serializers.Serializer[Any]):
    version = serializers.IntegerField(read_only=True, allow_null=True, help_text="null: nothing was written.")
    kept = serializers.IntegerField(read_only=True, help_text="How many tests of the former version are in this one.")
    added = ImportedTestSerializer(read_only=True, many=True)
