"""What all problems have in common."""

from typing import Any

from django.db import models
from django.db.models import Q
from django.utils import timezone

from courses.models.course import Course
from courses.models.publishing import Publishable, publishing_constraints
from courses.models.unlocking import Unlockable, unlocking_constraints


class ProblemQuerySet(models.QuerySet["Problem"]):
    def published(self) -> "ProblemQuerySet":
        """Those that students of the course see now.

        Problems of audience `exam_only` exist for students only inside an exam, which the exam's services decide.
        """
        return self.filter(Problem.published_at(timezone.now()), audience=Problem.Audience.COURSE)

    def visible_to(self, user: Any) -> "ProblemQuerySet":
        """All problems of the courses one is staff of; of other visible courses the published ones for the course."""
        # Of the visible courses those that are attended will do: the others are staffed.
        return self.filter(
            Q(course__in=Course.objects.staffed_by(user))
            | Q(
                Problem.published_at(timezone.now()),
                course__in=Course.objects.attended_by(user),
                audience=Problem.Audience.COURSE,
            )
        )


class Problem(Publishable, Unlockable):
    """A task, owned by a course. What is particular to its type stands in a model of its own."""

    class Type(models.TextChoices):
        ALGORITHM = "algorithm"
        CHOICE = "choice"
        FILLBLANK = "fillblank"

    class Audience(models.TextChoices):
        COURSE = "course"
        EXAM_ONLY = "exam_only"

    class Difficulty(models.IntegerChoices):
        EASY = 1
        MEDIUM = 2
        HARD = 3

    course = models.ForeignKey(Course, on_delete=models.PROTECT, related_name="problems")
    type = models.CharField(max_length=10, choices=Type.choices)
    title = models.CharField(max_length=200)
    slug = models.SlugField(max_length=80)
    # Markdown.
    statement = models.TextField(blank=True)
    # Markdown, for staff alone: why the task is as it is, what to look for.
    author_notes = models.TextField(blank=True)
    difficulty = models.PositiveSmallIntegerField(choices=Difficulty.choices, default=Difficulty.EASY)
    audience = models.CharField(max_length=10, choices=Audience.choices, default=Audience.COURSE)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = ProblemQuerySet.as_manager()

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["course", "slug"], name="problem_slug_unique"),
            models.CheckConstraint(condition=Q(difficulty__range=(1, 3)), name="problem_difficulty_1_to_3"),
            models.CheckConstraint(
                condition=Q(type__in=["algorithm", "choice", "fillblank"]), name="problem_type_known"
            ),
            models.CheckConstraint(condition=Q(audience__in=["course", "exam_only"]), name="problem_audience_known"),
            *publishing_constraints("problem"),
            *unlocking_constraints("problem"),
        ]

    def __str__(self) -> str:
        return self.title
