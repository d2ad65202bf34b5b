"""What is taken about unlocking and due dates."""

from typing import Any

from rest_framework import serializers

from core.serializers import StrictSerializer
from courses.api.given.fields import IdField, MomentField
from courses.models import Chapter
from courses.services.unlocking import REQUIREMENTS_MAX


class TargetSerializer(StrictSerializer):
    """A chapter or a problem: one of them, not both."""

    chapter = IdField(required=False)
    problem = IdField(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if len(attrs.keys() & {"chapter", "problem"}) != 1:
            raise serializers.ValidationError("Name either a chapter or a problem.", code="one_target")
        return attrs


class UnlockingInputSerializer(StrictSerializer):
    """All of it: what is left out is not kept, so nothing may be."""

    requires: "serializers.ListSerializer[Any]" = serializers.ListSerializer(
        child=TargetSerializer(), max_length=REQUIREMENTS_MAX, help_text="What has to be solved before."
    )
    mode = serializers.ChoiceField(
        choices=Chapter.RequiresMode.choices, help_text="Whether all of these are needed, or any one of them."
    )
    unlock_at = MomentField(allow_null=True, help_text="Locked until then, whatever is solved.")
    due_at = MomentField(allow_null=True, help_text="Work received at or after this moment is late.")


class ExtensionInputSerializer(TargetSerializer):
    due_at = MomentField(help_text="Later than the regular date.")
    reason = serializers.CharField(max_length=500, allow_blank=True, required=False)
