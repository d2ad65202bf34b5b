"""What is shown of a problem's files, to staff and students alike."""

from django.urls import reverse
from rest_framework import serializers

from courses.models import Attachment


class AttachmentSerializer(serializers.ModelSerializer[Attachment]):
    url = serializers.SerializerMethodField(help_text="Where the content is, for those who may see the problem.")

    class Meta:
        model = Attachment
        fields = ("id", "problem", "name", "content_type", "size_bytes", "url", "created_at")
        read_only_fields = fields

    def get_url(self, attachment: Attachment) -> str:
        return reverse("attachment-detail", kwargs={"attachment_id": attachment.pk})
