"""What the API takes of drafts."""

from rest_framework import serializers

from core.serializers import StrictSerializer
from courses.api.given.basics import CodeField


class DraftInputSerializer(StrictSerializer):
    code = CodeField(help_text="The whole text; at most 64 KiB.")
    version = serializers.IntegerField(
        min_value=0, max_value=2**31 - 1, help_text="The version this is based on, as last read; 0: there was none."
    )
