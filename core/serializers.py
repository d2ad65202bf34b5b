"""What every input serializer of the API shares."""

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail


class StrictSerializer(serializers.Serializer[Any]):
    """A serializer that refuses, by name, fields it does not list and fields that cannot be written.

    Silently dropping `score` or `is_staff` would let a caller believe it was taken (T-11).
    """

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, Mapping):
            writable = {field.field_name for field in self._writable_fields}
            refused = {
                str(name): [
                    ErrorDetail("This field cannot be set.", code="read_only_field")
                    if name in self.fields
                    else ErrorDetail("There is no such field.", code="unknown_field")
                ]
                for name in data
                if name not in writable
            }
            if refused:
                raise serializers.ValidationError(refused)
        return super().to_internal_value(data)
