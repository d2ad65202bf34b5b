"""What is taken of answers to choices and blanks."""

from rest_framework import serializers

from core.serializers import StrictSerializer
from courses.api.given.fields import CodeField
from courses.rules.blank_authoring import BLANKS_MAX
from courses.rules.choice import OPTIONS_MAX
from courses.rules.fillblank import ANSWER_CHARS_MAX


class AnswerSerializer(StrictSerializer):
    chosen = serializers.ListField(
        child=serializers.CharField(max_length=10, allow_blank=True),
        max_length=OPTIONS_MAX,
        required=False,
        help_text="For a choice: letters of options.",
    )
    blanks = serializers.ListField(
        child=CodeField(max_length=ANSWER_CHARS_MAX),
        max_length=BLANKS_MAX,
        required=False,
        help_text="For a text with blanks: one text for each, empty where there is no answer.",
    )


class CheckSerializer(StrictSerializer):
    answer = AnswerSerializer()
