"""What is taken of the parts that choices and blanks add to a problem."""

from typing import Any

from rest_framework import serializers

from core.serializers import StrictSerializer
from courses.answer_keys import blank_from
from courses.api.given.fields import CodeField
from courses.models import ChoiceProblem
from courses.rules.blank_authoring import BLANKS_MAX
from courses.rules.choice import OPTIONS_MAX
from courses.rules.fillblank import Blank, Match
from courses.rules.matching import Spaces

TEXT_CHARS_MAX = 100_000
# Far above what the rules allow: they name what is wrong, this only ends what is endless.
ACCEPTED_GIVEN_MAX = 100


class ChoiceInputSerializer(StrictSerializer):
    options = serializers.ListField(
        child=CodeField(), max_length=OPTIONS_MAX, required=False, help_text="Texts in Markdown; the first is A."
    )
    answers = serializers.ListField(
        child=serializers.CharField(max_length=10, allow_blank=True),
        max_length=OPTIONS_MAX,
        required=False,
        help_text="Letters of the right options; for staff only.",
    )
    is_multiple = serializers.BooleanField(required=False, help_text="true: any number of options may be right.")
    scoring = serializers.ChoiceField(choices=ChoiceProblem.Scoring.choices, required=False)


class BlankInputSerializer(StrictSerializer):
    accepted = serializers.ListField(
        child=CodeField(), max_length=ACCEPTED_GIVEN_MAX, help_text="Answers that are right, or expressions in RE2."
    )
    match = serializers.ChoiceField(choices=[(each.value, each.value) for each in Match], required=False)
    ignores_case = serializers.BooleanField(required=False)
    spaces = serializers.ChoiceField(choices=[(each.value, each.value) for each in Spaces], required=False)
    tolerance = serializers.DecimalField(
        max_digits=None, decimal_places=None, allow_null=True, required=False, help_text="A difference, for numbers."
    )
    relative_tolerance = serializers.DecimalField(
        max_digits=None,
        decimal_places=None,
        allow_null=True,
        required=False,
        help_text="A part of the accepted number; where both are given, either is enough.",
    )
    score = serializers.DecimalField(
        max_digits=None, decimal_places=None, required=False, help_text="What the blank is worth; 1 if not said."
    )


class FillBlankInputSerializer(StrictSerializer):
    text = CodeField(
        max_length=TEXT_CHARS_MAX, required=False, help_text="Markdown; {{1}} is where the first blank stands."
    )
    blanks: "serializers.ListSerializer[Any]" = serializers.ListSerializer(
        child=BlankInputSerializer(), max_length=BLANKS_MAX, required=False, help_text="For staff only."
    )

    def validate_blanks(self, given: list[dict[str, Any]]) -> list[Blank]:
        return [blank_from(blank) for blank in given]
