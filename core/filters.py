"""Filtering of lists by query parameters."""

from collections.abc import Iterator
from typing import Any

from django.db.models import QuerySet
from django_filters.rest_framework import DjangoFilterBackend
from rest_framework.filters import OrderingFilter, SearchFilter
from rest_framework.request import Request

from core.errors import ERRORS_MAX, FieldError, InvalidInput, pointer_to


class StrictFilterBackend(DjangoFilterBackend):
    """django-filter, but a parameter the list does not know is refused: a typo must not look like "everything".

    Neither may one that takes a single value come twice: which of the two counts would be a guess (T-34).
    """

    def filter_queryset(self, request: Request, queryset: QuerySet[Any], view: Any) -> QuerySet[Any]:
        filterset_class = self.get_filterset_class(view, queryset)
        filters = {} if filterset_class is None else filterset_class.base_filters
        repeatable = {
            name for name, each in filters.items() if getattr(each.field.widget, "allow_multiple_selected", False)
        }
        known = {*filters, *_parameters_of_view(view)}
        errors = tuple(_faults(request, known=known, repeatable=repeatable))
        if errors:
            raise InvalidInput(errors[0].detail, errors=errors[:ERRORS_MAX])
        return super().filter_queryset(request, queryset, view)


def _faults(request: Request, *, known: set[str], repeatable: set[str]) -> Iterator[FieldError]:
    for name in sorted(request.query_params):
        pointer = pointer_to("#", name)
        if name not in known:
            yield FieldError(pointer=pointer, code="unknown_filter", detail=f"This list has no filter {pointer[2:]!r}.")
        elif name not in repeatable and len(request.query_params.getlist(name)) > 1:
            yield FieldError(pointer=pointer, code="repeated_filter", detail=f"{name} is given more than once.")


def _parameters_of_view(view: Any) -> Iterator[str]:
    """What the list's pages, search and ordering understand, where it has them."""
    for attribute in ("page_query_param", "page_size_query_param", "cursor_query_param", "limit_query_param"):
        if name := getattr(view.paginator, attribute, None):
            yield name
    for backend in view.filter_backends:
        if issubclass(backend, SearchFilter):
            yield backend.search_param
        elif issubclass(backend, OrderingFilter):
            yield backend.ordering_param
