"""What is taken of a copy that is to be made."""

from rest_framework import serializers

from core.serializers import StrictSerializer
from courses.api.given.fields import IdField
from courses.services.duplicating import SHIFT_DAYS_MAX


class ProblemDuplicateSerializer(StrictSerializer):
    course = IdField(required=False, source="course_id", help_text="Another course that you are staff of.")
    title = serializers.CharField(max_length=200, required=False)
    slug = serializers.SlugField(max_length=80, required=False)


class CourseDuplicateSerializer(StrictSerializer):
    title = serializers.CharField(max_length=200)
    slug = serializers.SlugField(max_length=80)
    organization = IdField(required=False, source="organization_id", help_text="Another one that you administer.")
    shift_days = serializers.IntegerField(
        min_value=-SHIFT_DAYS_MAX,
        max_value=SHIFT_DAYS_MAX,
        allow_null=True,
        required=False,
        help_text="All dates are moved by so many days of 24 hours; null: the copy has none.",
    )
