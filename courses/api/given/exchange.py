"""What the API takes to import a table of problems."""

from typing import Any

from rest_framework import serializers

from core.serializers import StrictSerializer
from courses.exchange.importing import ON_EXISTING


class ProblemTableSerializer(StrictSerializer):
    file = serializers.FileField(help_text="CSV (UTF-8) or XLSX with a column `slug`, as the export writes it.")
    dry_run = serializers.BooleanField(default=True, help_text="Try everything and write nothing.")
    on_existing = serializers.ChoiceField(
        choices=ON_EXISTING, default="refuse", help_text="What becomes of rows whose slug the course has."
    )

    def to_internal_value(self, data: Any) -> Any:
        values = super().to_internal_value(data)
        return {
            "data": values["file"].read(),
            "is_dry_run": values["dry_run"],
            "on_existing": values["on_existing"],
        }
