"""What is taken of tests that come one by one, or in an archive."""

from rest_framework import serializers

from core.serializers import StrictSerializer

ARCHIVE_MODES = (("replace", "instead of the tests there are"), ("append", "after them"))


class TestVersionSerializer(StrictSerializer):
    """In which version of the tests the caller saw a test at its place; another one since is a conflict."""

    __test__ = False

    version = serializers.IntegerField(
        min_value=1, required=False, help_text="409 `version_conflict` unless this is the current version."
    )


class TestArchiveSerializer(StrictSerializer):
    __test__ = False

    file = serializers.FileField(help_text="A ZIP of pairs NAME.in with NAME.ans (or NAME.out).")
    mode = serializers.ChoiceField(
        choices=ARCHIVE_MODES, default="replace", help_text="Instead of the tests there are, or after them."
    )
    dry_run = serializers.BooleanField(default=False, help_text="Only say what would happen.")
