"""What every input serializer of the API shares."""

from collections.abc import Mapping
from itertools import islice
from typing import Any

from django.core.validators import MaxValueValidator, MinValueValidator
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail

from core.converters import ID_MAX
from core.errors import ERRORS_MAX


class StrictSerializer(serializers.Serializer[Any]):
    """A serializer that refuses, by name, fields it does not list and fields that cannot be written.

    Silently dropping `score` or `is_staff` would let a caller believe it was taken (T-11). Integers
    without bounds of their own are held to 64 bits, so that none fails in the database.
    """

    def get_fields(self) -> dict[str, Any]:
        fields = super().get_fields()
        for field in fields.values():
            _bound_integers(field)
        return fields

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, Mapping):
            writable = {
                field.field_name for field in self._writable_fields if not isinstance(field, serializers.HiddenField)
            }
            refused = {
                str(name): [
                    ErrorDetail("This field cannot be set.", code="read_only_field")
                    if name in self.fields
                    else ErrorDetail("There is no such field.", code="unknown_field")
                ]
                for name in islice((name for name in data if name not in writable), ERRORS_MAX)
            }
            if refused:
                raise serializers.ValidationError(refused)
        return super().to_internal_value(data)


def _bound_integers(field: Any) -> None:
    if isinstance(field, serializers.IntegerField):
        if field.max_value is None:
            field.validators.append(MaxValueValidator(ID_MAX))
        if field.min_value is None:
            field.validators.append(MinValueValidator(-ID_MAX - 1))
    elif isinstance(field, serializers.ListField | serializers.DictField):
        _bound_integers(field.child)
