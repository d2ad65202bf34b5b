"""Fields computed from a row for showing it: its Markdown as HTML, and whether others than staff see it now."""

from typing import Any

from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from core.markdown import render_markdown


@extend_schema_field(OpenApiTypes.STR)
class HtmlField(serializers.Field):
    """The HTML of a text in Markdown, safe to put into a page as it is."""

    def __init__(self, source: str, **kwargs: Any) -> None:
        super().__init__(read_only=True, source=source, **kwargs)

    def to_representation(self, value: str) -> str:
        return render_markdown(value)


@extend_schema_field(OpenApiTypes.BOOL)
class IsPublishedField(serializers.Field):
    """Whether a row's status and window let students see it at this moment."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(read_only=True, source="*", **kwargs)

    def to_representation(self, value: Any) -> bool:
        return bool(value.is_published_at(timezone.now()))
