"""Programs of authors that tell whether a problem's tests are right."""

from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q

from courses.models import Course, Problem
from executor.judging.verdicts import Verdict
from executor.models.submission import Submission


class ReferenceSolutionQuerySet(models.QuerySet["ReferenceSolution"]):
    def visible_to(self, user: Any) -> "ReferenceSolutionQuerySet":
        """Those of the courses one is staff of: to everybody else there are none (law 7)."""
        return self.filter(problem__course__in=Course.objects.staffed_by(user))


class ReferenceSolution(models.Model):
    """A program of which its author knows what verdict it must get, judged whenever that could be another one."""

    class Expected(models.TextChoices):
        """The verdicts that a program can be written for; `internal_error` and `skipped` are none of these."""

        ACCEPTED = Verdict.ACCEPTED.value
        WRONG_ANSWER = Verdict.WRONG_ANSWER.value
        TIME_LIMIT_EXCEEDED = Verdict.TIME_LIMIT_EXCEEDED.value
        MEMORY_LIMIT_EXCEEDED = Verdict.MEMORY_LIMIT_EXCEEDED.value
        OUTPUT_LIMIT_EXCEEDED = Verdict.OUTPUT_LIMIT_EXCEEDED.value
        RUNTIME_ERROR = Verdict.RUNTIME_ERROR.value
        COMPILATION_ERROR = Verdict.COMPILATION_ERROR.value

    problem = models.ForeignKey(Problem, on_delete=models.CASCADE, related_name="reference_solutions")
    name = models.CharField(max_length=100)
    language = models.CharField(max_length=30)
    # [{"name": ..., "content": ...}], the main file first.
    files = models.JSONField()
    expected_verdict = models.CharField(max_length=30, choices=Expected.choices, default=Expected.ACCEPTED)
    # The last verification; None as long as the problem has no tests. Earlier ones stay, for staff to look at.
    submission = models.OneToOneField(
        Submission, on_delete=models.PROTECT, related_name="reference_solution", null=True, blank=True
    )
    # Who wrote its code last: whose submission a verification is.
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="reference_solutions")
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = ReferenceSolutionQuerySet.as_manager()

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["problem", "language", "name"], name="referencesolution_name_unique"),
            models.CheckConstraint(condition=~Q(name=""), name="referencesolution_name_present"),
            models.CheckConstraint(
                condition=Q(
                    expected_verdict__in=[
                        *("accepted", "wrong_answer", "time_limit_exceeded", "memory_limit_exceeded"),
                        *("output_limit_exceeded", "runtime_error", "compilation_error"),
                    ]
                ),
                name="referencesolution_expected_known",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} in {self.language} for problem {self.problem_id}"
