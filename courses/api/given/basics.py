"""What the courses API takes. Every field that can be written is listed here; all others are refused by name."""

from decimal import Decimal
from typing import Any

from rest_framework import serializers

from core.serializers import StrictSerializer
from courses.api.given.fields import CodeField, IdField, MomentField
from courses.api.given.parts import ChoiceInputSerializer, FillBlankInputSerializer
from courses.models import AlgorithmProblem, Chapter, Course, Problem
from courses.testdata import TEST_CASES_MAX
from courses.testgroups import GROUPS_MAX, NAME_MAX, Aggregate

LANGUAGES_MAX = 50
# Rendering Markdown takes time in proportion.
TEXT_CHARACTERS_MAX = 100_000
CAPACITY_MAX = 1_000_000


class CourseUpdateSerializer(StrictSerializer):
    title = serializers.CharField(max_length=200)
    slug = serializers.SlugField(max_length=80)
    description = serializers.CharField(allow_blank=True, required=False, max_length=TEXT_CHARACTERS_MAX)
    status = serializers.ChoiceField(choices=Course.Status.choices, required=False)
    published_from = MomentField(allow_null=True, required=False, help_text="Seen from then on; null: at once.")
    published_until = MomentField(allow_null=True, required=False, help_text="Seen until then; null: for good.")
    is_open = serializers.BooleanField(required=False, help_text="Members of the organization may enroll themselves.")
    capacity = serializers.IntegerField(
        min_value=1, max_value=CAPACITY_MAX, allow_null=True, required=False, help_text="Students; null: any number."
    )
    late_policy = serializers.ChoiceField(
        choices=Course.LatePolicy.choices, required=False, help_text="What work is worth that comes after its due date."
    )
    late_percent_per_day = serializers.DecimalField(
        max_digits=5,
        decimal_places=2,
        min_value=Decimal(0),
        max_value=Decimal(100),
        required=False,
        help_text="With `per_day`: what part of the score each day begun takes.",
    )


class CourseCreateSerializer(CourseUpdateSerializer):
    organization = IdField()


class MoveSerializer(StrictSerializer):
    after = IdField(allow_null=True, help_text="What it comes right after; null puts it first.")


class ChapterInputSerializer(StrictSerializer):
    title = serializers.CharField(max_length=200)
    description = serializers.CharField(allow_blank=True, required=False, max_length=TEXT_CHARACTERS_MAX)
    status = serializers.ChoiceField(choices=Chapter.Status.choices, required=False)


class AlgorithmInputSerializer(StrictSerializer):
    time_limit_ms = serializers.IntegerField(min_value=50, max_value=60_000, required=False)
    memory_limit_mb = serializers.IntegerField(min_value=16, max_value=2048, required=False)
    entry_point = serializers.CharField(
        max_length=100, allow_blank=True, required=False, help_text="The function to call; empty for stdio problems."
    )
    value_encoding = serializers.ChoiceField(choices=AlgorithmProblem.ValueEncoding.choices, required=False)
    checker = serializers.ChoiceField(choices=AlgorithmProblem.Checker.choices, required=False)
    checker_options = serializers.DictField(required=False, help_text='Named options, such as {"absolute": 1e-6}.')
    is_partial_credit = serializers.BooleanField(required=False, help_text="false: a score is 100 or 0.")
    stops_at_first_failure = serializers.BooleanField(
        required=False, help_text="Skip all tests after the first that is not accepted."
    )
    isolates_tests = serializers.BooleanField(
        required=False, help_text="true: a submission's tests share no job, as in an exam; judging takes longer."
    )
    languages = serializers.ListField(
        child=serializers.CharField(max_length=30),
        max_length=LANGUAGES_MAX,
        required=False,
        help_text="Keys of the languages allowed; an empty list allows every one.",
    )
    templates = serializers.DictField(child=CodeField(), required=False, help_text="By language key; for staff only.")
    preludes = serializers.DictField(
        child=CodeField(), required=False, help_text="Code before the student's, by language key; for staff only."
    )
    postludes = serializers.DictField(
        child=CodeField(), required=False, help_text="Code after the student's, by language key; for staff only."
    )
    starter_code = serializers.DictField(child=CodeField(), required=False, help_text="By language key.")


class ProblemUpdateSerializer(StrictSerializer):
    title = serializers.CharField(max_length=200)
    slug = serializers.SlugField(max_length=80)
    statement = serializers.CharField(
        trim_whitespace=False, allow_blank=True, required=False, max_length=TEXT_CHARACTERS_MAX
    )
    author_notes = serializers.CharField(
        trim_whitespace=False, allow_blank=True, required=False, help_text="Markdown; for staff only."
    )
    difficulty = serializers.ChoiceField(choices=Problem.Difficulty.choices, required=False)
    audience = serializers.ChoiceField(choices=Problem.Audience.choices, required=False)
    status = serializers.ChoiceField(choices=Problem.Status.choices, required=False)
    published_from = MomentField(allow_null=True, required=False, help_text="Seen from then on; null: at once.")
    published_until = MomentField(allow_null=True, required=False, help_text="Seen until then; null: for good.")
    algorithm = AlgorithmInputSerializer(required=False, help_text="For problems of type `algorithm`, and only these.")
    choice = ChoiceInputSerializer(required=False, help_text="For problems of type `choice`, and only these.")
    fillblank = FillBlankInputSerializer(required=False, help_text="For problems of type `fillblank`, and only these.")


class ProblemCreateSerializer(ProblemUpdateSerializer):
    type = serializers.ChoiceField(choices=Problem.Type.choices, required=False)


class PlacementCreateSerializer(StrictSerializer):
    problem = IdField(help_text="A problem of the chapter's course.")


class TestCaseInputSerializer(StrictSerializer):
    __test__ = False

    input = CodeField(required=False, help_text="Arguments of a function problem, or what is read on stdin.")
    expected_output = CodeField(allow_null=True, required=False, help_text="null: any output is right.")
    is_sample = serializers.BooleanField(required=False)
    weight = serializers.DecimalField(max_digits=8, decimal_places=3, min_value=Decimal(0), required=False)
    group = serializers.CharField(
        max_length=NAME_MAX, allow_blank=True, required=False, help_text="The name of one of the set's groups."
    )


class GroupInputSerializer(StrictSerializer):
    name = serializers.CharField(max_length=NAME_MAX)
    aggregate = serializers.ChoiceField(choices=Aggregate.choices, required=False)
    points = serializers.DecimalField(
        max_digits=8,
        decimal_places=3,
        min_value=Decimal(0),
        allow_null=True,
        required=False,
        help_text="null: the sum of its tests' weights.",
    )
    threshold = serializers.DecimalField(
        max_digits=5,
        decimal_places=4,
        allow_null=True,
        required=False,
        help_text="The part of the group's weight that must be accepted; for the aggregate `threshold` only.",
    )
    requires = serializers.ListField(
        child=serializers.CharField(max_length=NAME_MAX),
        max_length=GROUPS_MAX,
        required=False,
        help_text="Names of earlier groups; unless each is full, this one is skipped.",
    )


class TestSetInputSerializer(StrictSerializer):
    __test__ = False

    test_cases: "serializers.ListSerializer[Any]" = serializers.ListSerializer(
        child=TestCaseInputSerializer(), max_length=TEST_CASES_MAX
    )
    groups: "serializers.ListSerializer[Any]" = serializers.ListSerializer(
        child=GroupInputSerializer(), max_length=GROUPS_MAX, required=False
    )
    checker_language = serializers.CharField(
        max_length=30, required=False, allow_blank=True, help_text="For problems whose checker is `custom`."
    )
    checker_source = CodeField(required=False, help_text="The checker as one text, in that language.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if bool(attrs.get("checker_language")) != bool(attrs.get("checker_source")):
            raise serializers.ValidationError(
                {"checker_source": ["A checker has both a language and a source."]}, code="checker_not_whole"
            )
        return attrs
