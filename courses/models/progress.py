"""How far students are: what counted, and what follows from it."""

from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db import models, transaction
from django.db.models import Q

from courses.models.course import Course, Enrollment
from courses.models.problem import Problem


class PracticeAnswerQuerySet(models.QuerySet["PracticeAnswer"]):
    def visible_to(self, user: Any) -> "PracticeAnswerQuerySet":
        """One's own answers, and all of the courses one is staff of."""
        if not user.is_authenticated:
            return self.none()
        return self.filter(Q(user=user) | Q(problem__course__in=Course.objects.staffed_by(user)))


class PracticeAnswer(models.Model):
    """One answer to a choice or blanks, with the mark it got when it was given."""

    # Marks are never deleted with something else (law 9).
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="practice_answers")
    problem = models.ForeignKey(Problem, on_delete=models.PROTECT, related_name="practice_answers")
    # {"chosen": ["A", "C"]} or {"blanks": ["...", "..."]}.
    answer = models.JSONField()
    score = models.DecimalField(max_digits=5, decimal_places=2)
    is_correct = models.BooleanField()
    received_at = models.DateTimeField()
    created_at = models.DateTimeField(auto_now_add=True)

    objects = PracticeAnswerQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        indexes = [models.Index(fields=["problem", "user", "-id"], name="practiceanswer_of_both")]
        constraints = [
            models.CheckConstraint(condition=Q(score__range=(0, 100)), name="practiceanswer_score_0_to_100"),
        ]

    def __str__(self) -> str:
        return f"answer {self.pk}"


class ProblemProgressQuerySet(models.QuerySet["ProblemProgress"]):
    def visible_to(self, user: Any) -> "ProblemProgressQuerySet":
        """One's own, and all of the courses one is staff of."""
        return self.filter(enrollment__in=Enrollment.objects.visible_to(user))


class ProblemProgress(models.Model):
    """How far one student is with one problem: the fold of its `ProgressResult` rows, and written only with them.

    No row, or a row without results, is `not_started`.
    """

    class Status(models.TextChoices):
        NOT_STARTED = "not_started"
        IN_PROGRESS = "in_progress"
        SOLVED = "solved"

    enrollment = models.ForeignKey(Enrollment, on_delete=models.PROTECT, related_name="progress")
    problem = models.ForeignKey(Problem, on_delete=models.PROTECT, related_name="progress")
    status = models.CharField(max_length=12, choices=Status.choices, default=Status.NOT_STARTED)
    attempts = models.PositiveIntegerField(default=0)
    best_score = models.DecimalField(max_digits=5, decimal_places=2, default=Decimal(0))
    # The best score after what the late policy takes from each result.
    credited_score = models.DecimalField(max_digits=5, decimal_places=2, default=Decimal(0))
    # The least time of an accepted result.
    best_time_ms = models.PositiveIntegerField(null=True, blank=True)
    first_at = models.DateTimeField(null=True, blank=True)
    last_at = models.DateTimeField(null=True, blank=True)
    # The earliest receipt among today's accepted results.
    solved_at = models.DateTimeField(null=True, blank=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = ProblemProgressQuerySet.as_manager()

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["enrollment", "problem"], name="problemprogress_unique"),
            models.CheckConstraint(
                condition=Q(status="solved", solved_at__isnull=False)
                | Q(status="in_progress", solved_at__isnull=True, attempts__gt=0)
                | Q(status="not_started", solved_at__isnull=True, attempts=0),
                name="problemprogress_status_fits",
            ),
            models.CheckConstraint(
                condition=Q(best_score__range=(0, 100)) & Q(credited_score__range=(0, 100)),
                name="problemprogress_scores_0_to_100",
            ),
        ]

    def __str__(self) -> str:
        return f"enrollment {self.enrollment_id} on problem {self.problem_id}: {self.status}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        # One transaction, so that what hangs on this row's signals commits with it.
        with transaction.atomic():
            super().save(*args, **kwargs)


class ProgressResult(models.Model):
    """What one submission or answer counts today. A rejudge changes the row, and with it the progress."""

    class Source(models.TextChoices):
        SUBMISSION = "submission"
        ANSWER = "answer"

    progress = models.ForeignKey(ProblemProgress, on_delete=models.CASCADE, related_name="results")
    source = models.CharField(max_length=10, choices=Source.choices)
    # The submission's or answer's id; submissions stand in a layer above this one.
    source_id = models.BigIntegerField()
    received_at = models.DateTimeField()
    score = models.DecimalField(max_digits=5, decimal_places=2)
    is_accepted = models.BooleanField()
    time_ms = models.PositiveIntegerField(null=True, blank=True)

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["source", "source_id"], name="progressresult_unique"),
            models.CheckConstraint(condition=Q(source__in=["submission", "answer"]), name="progressresult_source"),
            models.CheckConstraint(condition=Q(score__range=(0, 100)), name="progressresult_score_0_to_100"),
        ]

    def __str__(self) -> str:
        return f"{self.source} {self.source_id}: {self.score}"


class CodeDraft(models.Model):
    """What a student is writing: saved as they type, with a version, so that two windows never overwrite each other."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="code_drafts")
    problem = models.ForeignKey(Problem, on_delete=models.CASCADE, related_name="code_drafts")
    language = models.CharField(max_length=30)
    code = models.TextField(blank=True)
    # Counts the saves; 1 is the first.
    version = models.PositiveIntegerField(default=1)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["user", "problem", "language"], name="codedraft_unique"),
        ]

    def __str__(self) -> str:
        return f"draft {self.pk}, version {self.version}"
