"""Fields of what the courses API takes."""

from datetime import datetime
from typing import Any

from rest_framework import serializers

ID_MAX = 2**63 - 1


class IdField(serializers.IntegerField):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(min_value=1, max_value=ID_MAX, **kwargs)


class CodeField(serializers.CharField):
    """A text in which every space counts."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(trim_whitespace=False, allow_blank=True, **kwargs)


class MomentField(serializers.DateTimeField):
    """A moment in ISO 8601 that says its zone: without one it would be a guess."""

    default_error_messages = {"no_zone": "Say the zone, such as 2026-09-01T08:00:00Z or +02:00."}

    def enforce_timezone(self, value: datetime) -> datetime:
        if value.tzinfo is None:
            self.fail("no_zone")
        return super().enforce_timezone(value)
