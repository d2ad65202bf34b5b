"""How unlocking and due dates are shown to staff."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from courses.models import Chapter, DueExtension, Problem
from courses.services.unlocking import requirements_of


class RequiredSerializer(serializers.Serializer[Any]):
    """Either a chapter or a problem, as it is taken."""

    chapter = serializers.IntegerField(read_only=True, required=False)
    problem = serializers.IntegerField(read_only=True, required=False)


class UnlockingSerializer(serializers.Serializer[Any]):
    """What a chapter or problem waits for; the same as is taken."""

    requires = serializers.SerializerMethodField()
    mode = serializers.ChoiceField(choices=Chapter.RequiresMode.choices, read_only=True, source="requires_mode")
    unlock_at = serializers.DateTimeField(read_only=True, allow_null=True)
    due_at = serializers.DateTimeField(read_only=True, allow_null=True)

    @extend_schema_field(RequiredSerializer(many=True))
    def get_requires(self, row: Chapter | Problem) -> list[dict[str, int]]:
        return [{kind: pk} for kind, pk in requirements_of(row)]


class ExtensionSerializer(serializers.ModelSerializer[DueExtension]):
    class Meta:
        model = DueExtension
        fields = ("id", "enrollment", "chapter", "problem", "due_at", "reason", "created_at")
        read_only_fields = fields
