"""The filters of the lists. They narrow what the caller may see anyway, and answer alike for what is foreign."""

from django import forms
from django_filters import rest_framework as filters
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field

from courses.models import Course, Enrollment, Problem


@extend_schema_field(OpenApiTypes.INT)
class IdFilter(filters.Filter):
    """By a row's id. It does not ask whether there is such a row: that would tell strangers of it (T-04)."""

    field_class = forms.IntegerField


class CourseFilter(filters.FilterSet):
    organization = IdFilter(field_name="organization__id")
    status = filters.ChoiceFilter(choices=Course.Status.choices)


class ProblemFilter(filters.FilterSet):
    difficulty = filters.ChoiceFilter(choices=Problem.Difficulty.choices)
    type = filters.ChoiceFilter(choices=Problem.Type.choices)
    status = filters.ChoiceFilter(choices=Problem.Status.choices)


class EnrollmentFilter(filters.FilterSet):
    role = filters.ChoiceFilter(choices=Enrollment.Role.choices)
