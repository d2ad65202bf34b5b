"""What the API takes about who is in a course."""

from typing import Any

from rest_framework import serializers

from core.serializers import StrictSerializer
from courses.api.given.fields import IdField, MomentField
from courses.models import Enrollment

CODE_CHARACTERS_MAX = 100
USES_MAX = 1_000_000
GROUP_HELP = "A group of the course; null: none."


class EnrollmentCreateSerializer(StrictSerializer):
    user = serializers.CharField(max_length=254, help_text="The user's e-mail address or username.")
    role = serializers.ChoiceField(choices=Enrollment.Role.choices, required=False)
    group = IdField(source="group_id", allow_null=True, required=False, help_text=GROUP_HELP)


class EnrollmentUpdateSerializer(StrictSerializer):
    role = serializers.ChoiceField(choices=Enrollment.Role.choices, required=False)
    group = IdField(source="group_id", allow_null=True, required=False, help_text=GROUP_HELP)


class JoinByCodeSerializer(StrictSerializer):
    code = serializers.CharField(
        max_length=CODE_CHARACTERS_MAX, help_text="An invitation's code; case, spaces and hyphens do not matter."
    )


class InvitationCreateSerializer(StrictSerializer):
    uses_max = serializers.IntegerField(
        min_value=1, max_value=USES_MAX, allow_null=True, required=False, help_text="null: any number."
    )
    expires_at = MomentField(allow_null=True, required=False, help_text="In the future; null: never.")
    group = IdField(source="group_id", allow_null=True, required=False, help_text="Where those who use it come into.")


class CourseGroupInputSerializer(StrictSerializer):
    name = serializers.CharField(max_length=100)


class RosterUploadSerializer(StrictSerializer):
    file = serializers.FileField(
        help_text="CSV or XLSX with a column `user`, `email` or `username`, and maybe `role` and `group`."
    )
    dry_run = serializers.BooleanField(default=True, help_text="Only say what would happen.")
    skip_errors = serializers.BooleanField(
        default=False, help_text="Leave rows with errors out, where otherwise nothing would be written."
    )

    def to_internal_value(self, data: Any) -> Any:
        values = super().to_internal_value(data)
        return {"data": values["file"].read(), "is_dry_run": values["dry_run"], "skips_errors": values["skip_errors"]}
