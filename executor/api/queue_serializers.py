"""Bodies of the API about the queue, and about judging again."""

from typing import Any

from rest_framework import serializers

from core.serializers import StrictSerializer
from executor.models import Submission
from executor.selectors.queue import QueueStatus


class OwnEntryOutput(serializers.Serializer[Any]):
    """One of your own submissions that is not judged yet."""

    id = serializers.IntegerField()
    problem = serializers.IntegerField()
    position = serializers.IntegerField(allow_null=True, help_text="null: it is being judged.")
    estimated_wait_seconds = serializers.IntegerField(allow_null=True)


class QueueStatusOutput(serializers.Serializer[Any]):
    """How the queue of submissions stands. Rejudges are not counted: they delay nobody."""

    status = serializers.ChoiceField(
        choices=[(status.value, status.value) for status in QueueStatus],
        help_text="`busy`: it takes longer than usual; `full`: submissions are refused with 429.",
    )
    pending = serializers.IntegerField()
    running = serializers.IntegerField()
    capacity = serializers.IntegerField(help_text="So many may wait.")
    threads = serializers.IntegerField(help_text="So many can be judged at a time.")
    judged_per_minute = serializers.IntegerField()
    paused = serializers.BooleanField(help_text="Submissions are taken, and judged later.")
    submissions = OwnEntryOutput(many=True)


class RejudgeInput(StrictSerializer):
    """Which of a problem's submissions are judged again; without any of these, all of them."""

    statuses = serializers.ListField(
        child=serializers.ChoiceField(choices=Submission.Status.choices), required=False, max_length=20
    )
    languages = serializers.ListField(child=serializers.CharField(max_length=30), required=False, max_length=50)


class RejudgeOutput(serializers.Serializer[Any]):
    queued = serializers.IntegerField()
    skipped = serializers.IntegerField(help_text="They are waiting to be judged already, or verify a solution.")


class JudgementOutput(serializers.Serializer[Any]):
    """One judging of a submission."""

    number = serializers.IntegerField()
    is_current = serializers.BooleanField(help_text="It is the one that is shown.")
    lane = serializers.CharField()
    state = serializers.CharField()
    verdict = serializers.CharField(allow_null=True)
    score = serializers.DecimalField(max_digits=5, decimal_places=2, allow_null=True)
    test_set_version = serializers.IntegerField()
    engine = serializers.CharField(allow_null=True)
    tier = serializers.CharField(allow_null=True)
    created_at = serializers.DateTimeField()
    started_at = serializers.DateTimeField(allow_null=True)
    finished_at = serializers.DateTimeField(allow_null=True)
    fault = serializers.CharField(help_text="Why it ended as `internal_error`, or what its last try stumbled over.")
