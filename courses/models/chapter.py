"""The parts of a course, and which problems stand in them."""

from typing import Any

from django.db import models
from django.db.models import Q

from core.fields import PositionField
from courses.models.course import Course
from courses.models.problem import Problem
from courses.models.unlocking import Unlockable, unlocking_constraints


class ChapterQuerySet(models.QuerySet["Chapter"]):
    def visible_to(self, user: Any) -> "ChapterQuerySet":
        """All chapters of the courses one is staff of, and the published ones of other visible courses."""
        return self.filter(
            Q(course__in=Course.objects.staffed_by(user))
            | Q(course__in=Course.objects.visible_to(user), status=Chapter.Status.PUBLISHED)
        )


class Chapter(Unlockable):
    """A part of a course; problems are placed in it by `ChapterProblem`."""

    class Status(models.TextChoices):
        DRAFT = "draft"
        PUBLISHED = "published"

    course = models.ForeignKey(Course, on_delete=models.CASCADE, related_name="chapters")
    title = models.CharField(max_length=200)
    description = models.TextField(blank=True)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.PUBLISHED)
    position = PositionField()
    problems: "models.ManyToManyField[Problem, ChapterProblem]" = models.ManyToManyField(
        Problem, through="ChapterProblem", related_name="chapters"
    )

    objects = ChapterQuerySet.as_manager()

    class Meta:
        ordering = ["position", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["course", "position"], name="chapter_position_unique"),
            models.CheckConstraint(condition=Q(status__in=["draft", "published"]), name="chapter_status_known"),
            *unlocking_constraints("chapter"),
        ]

    def __str__(self) -> str:
        return self.title


class ChapterProblem(models.Model):
    """A problem's place in a chapter of the same course."""

    chapter = models.ForeignKey(Chapter, on_delete=models.CASCADE, related_name="placements")
    problem = models.ForeignKey(Problem, on_delete=models.CASCADE, related_name="placements")
    position = PositionField()

    class Meta:
        ordering = ["position", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["chapter", "problem"], name="chapterproblem_unique"),
            models.UniqueConstraint(fields=["chapter", "position"], name="chapterproblem_position_unique"),
        ]

    def __str__(self) -> str:
        return f"problem {self.problem_id} in chapter {self.chapter_id}"
