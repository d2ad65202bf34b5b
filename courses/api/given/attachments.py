"""What is taken of a file that is attached to a problem."""

from rest_framework import serializers

from core.serializers import StrictSerializer


class AttachmentUploadSerializer(StrictSerializer):
    file = serializers.FileField(
        allow_empty_file=True, help_text="PNG, JPEG, GIF, WebP, PDF, ZIP or text, under the name it shall have."
    )
