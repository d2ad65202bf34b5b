"""What is shown of the parts that choices and blanks add to a problem."""

from typing import Any

from rest_framework import serializers

from core.markdown import render_markdown
from courses.models import ChoiceProblem, FillBlankProblem


class OptionsHtmlField(serializers.ListField):
    """The options rendered, in order."""

    child = serializers.CharField()

    def to_representation(self, data: list[str]) -> list[str]:
        return [render_markdown(option) for option in data]


class ChoiceForStudentSerializer(serializers.ModelSerializer[ChoiceProblem]):
    options = serializers.ListField(child=serializers.CharField(), read_only=True)
    options_html = OptionsHtmlField(source="options", read_only=True)

    class Meta:
        model = ChoiceProblem
        fields = ("options", "options_html", "is_multiple", "scoring")
        read_only_fields = fields


class ChoiceForStaffSerializer(serializers.ModelSerializer[ChoiceProblem]):
    options = serializers.ListField(child=serializers.CharField(), read_only=True)
    options_html = OptionsHtmlField(source="options", read_only=True)
    # Stored as one text of letters.
    answers = serializers.ListField(child=serializers.CharField(), read_only=True)

    class Meta:
        model = ChoiceProblem
        fields = ("options", "options_html", "answers", "is_multiple", "scoring")
        read_only_fields = fields


class BlankForStudentSerializer(serializers.Serializer[Any]):
    """What a blank is worth. How answers are compared would tell what they look like."""

    score = serializers.CharField(read_only=True)


class BlankForStaffSerializer(serializers.Serializer[Any]):
    accepted = serializers.ListField(child=serializers.CharField(), read_only=True)
    match = serializers.CharField(read_only=True)
    ignores_case = serializers.BooleanField(read_only=True)
    spaces = serializers.CharField(read_only=True)
    tolerance = serializers.CharField(read_only=True, allow_null=True)
    relative_tolerance = serializers.CharField(read_only=True, allow_null=True)
    score = serializers.CharField(read_only=True)


class FillBlankForStudentSerializer(serializers.ModelSerializer[FillBlankProblem]):
    text_html = serializers.SerializerMethodField()
    blanks = BlankForStudentSerializer(many=True, read_only=True)

    class Meta:
        model = FillBlankProblem
        fields = ("text", "text_html", "blank_count", "blanks")
        read_only_fields = fields

    def get_text_html(self, row: FillBlankProblem) -> str:
        return render_markdown(row.text)


class FillBlankForStaffSerializer(serializers.ModelSerializer[FillBlankProblem]):
    text_html = serializers.SerializerMethodField()
    blanks = BlankForStaffSerializer(many=True, read_only=True)

    class Meta:
        model = FillBlankProblem
        fields = ("text", "text_html", "blank_count", "blanks")
        read_only_fields = fields

    def get_text_html(self, row: FillBlankProblem) -> str:
        return render_markdown(row.text)
