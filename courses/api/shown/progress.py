"""What is shown of progress."""

from rest_framework import serializers

from courses.models import ProblemProgress


class ProgressSerializer(serializers.ModelSerializer[ProblemProgress]):
    user = serializers.IntegerField(source="enrollment.user_id", read_only=True)

    class Meta:
        model = ProblemProgress
        fields = (
            *("user", "problem", "status", "attempts", "best_score", "credited_score", "best_time_ms"),
            *("first_at", "last_at", "solved_at"),
        )
        read_only_fields = fields
