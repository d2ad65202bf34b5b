"""Filtering of lists by query parameters."""

from typing import Any

from django.db.models import QuerySet
from django_filters.rest_framework import DjangoFilterBackend
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

COMMON_PARAMETERS = frozenset({"page", "page_size", "ordering", "search", "cursor"})


class StrictFilterBackend(DjangoFilterBackend):
    """django-filter, but a parameter the list does not know is refused: a typo must not look like "everything"."""

    def filter_queryset(self, request: Request, queryset: QuerySet[Any], view: Any) -> QuerySet[Any]:
        known = set(COMMON_PARAMETERS)
        filterset_class = self.get_filterset_class(view, queryset)
        if filterset_class is not None:
            known |= set(filterset_class.base_filters)
        unknown = sorted(set(request.query_params) - known)
        if unknown:
            raise ValidationError(
                {name: f"This list has no filter {name!r}." for name in unknown}, code="unknown_filter"
            )
        return super().filter_queryset(request, queryset, view)
