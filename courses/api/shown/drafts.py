"""What is shown of drafts, to their authors alone."""

from rest_framework import serializers

from courses.models import CodeDraft


class DraftSummarySerializer(serializers.ModelSerializer[CodeDraft]):
    class Meta:
        model = CodeDraft
        fields = ("problem", "language", "version", "updated_at")
        read_only_fields = fields


class DraftSerializer(serializers.ModelSerializer[CodeDraft]):
    class Meta:
        model = CodeDraft
        fields = ("problem", "language", "code", "version", "updated_at")
        read_only_fields = fields
