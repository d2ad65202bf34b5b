"""Filters of the executor's lists."""

from typing import Any

import django_filters
from django.db.models import QuerySet

from executor.models import ReferenceSolution, Submission
from executor.selectors import status_filter


class SubmissionFilter(django_filters.FilterSet):
    """`?problem=`, `?course=`, `?user=`, `?language=`, `?purpose=`, `?status=` (repeatable)."""

    problem = django_filters.NumberFilter(field_name="problem_id")
    course = django_filters.NumberFilter(field_name="problem__course_id")
    user = django_filters.NumberFilter(field_name="user_id")
    language = django_filters.CharFilter(field_name="language")
    purpose = django_filters.ChoiceFilter(choices=Submission.Purpose.choices)
    status = django_filters.MultipleChoiceFilter(choices=Submission.Status.choices, method="filter_status")

    class Meta:
        model = Submission
        fields: list[str] = []

    def filter_status(self, queryset: QuerySet[Submission], name: str, value: list[str]) -> QuerySet[Any]:
        return queryset.filter(status_filter(value)) if value else queryset


class SolutionFilter(django_filters.FilterSet):
    """`?language=`, `?expected_verdict=`, `?status=` (of the last verification; repeatable)."""

    language = django_filters.CharFilter(field_name="language")
    expected_verdict = django_filters.ChoiceFilter(choices=ReferenceSolution.Expected.choices)
    status = django_filters.MultipleChoiceFilter(choices=Submission.Status.choices, field_name="submission__status")
