"""What is shown of answers to choices and blanks: what was answered and what it earned, never what is right."""

from decimal import ROUND_DOWN
from typing import Any

from rest_framework import serializers

from courses.models import PracticeAnswer
from courses.services.answer import CheckedAnswer


class BlankResultSerializer(serializers.Serializer[Any]):
    is_correct = serializers.BooleanField(read_only=True)
    score = serializers.DecimalField(max_digits=8, decimal_places=3, read_only=True)
    score_max = serializers.DecimalField(max_digits=8, decimal_places=3, read_only=True)


class CheckedAnswerSerializer(serializers.Serializer[CheckedAnswer]):
    id = serializers.IntegerField(source="row.pk", read_only=True)
    score = serializers.DecimalField(
        source="row.score", max_digits=5, decimal_places=2, read_only=True, help_text="From 0 to 100."
    )
    percentage = serializers.SerializerMethodField(help_text="The score in whole percent; 100 only where all is right.")
    is_correct = serializers.BooleanField(source="row.is_correct", read_only=True)
    blanks = BlankResultSerializer(many=True, read_only=True, allow_null=True, help_text="null for a choice.")
    received_at = serializers.DateTimeField(source="row.received_at", read_only=True)

    def get_percentage(self, checked: CheckedAnswer) -> int:
        return int(checked.row.score.to_integral_value(rounding=ROUND_DOWN))


class PracticeAnswerSerializer(serializers.ModelSerializer[PracticeAnswer]):
    """One recorded answer, for whoever gave it and for staff."""

    answer = serializers.DictField(
        child=serializers.ListField(child=serializers.CharField()),
        read_only=True,
        help_text='{"chosen": [...]} or {"blanks": [...]}.',
    )

    class Meta:
        model = PracticeAnswer
        fields = ("id", "problem", "user", "answer", "score", "is_correct", "received_at")
        read_only_fields = fields
