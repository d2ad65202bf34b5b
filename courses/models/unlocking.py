"""What a chapter or problem waits for."""

from typing import Any

from django.db import models
from django.db.models import Q

from courses.models.course import Course


class Unlockable(models.Model):
    """Opens when its requirements are met (`UnlockRequirement`) and its date has come; both may be absent."""

    class RequiresMode(models.TextChoices):
        ALL = "all"
        ANY = "any"

    requires_mode = models.CharField(max_length=3, choices=RequiresMode.choices, default=RequiresMode.ALL)
    unlock_at = models.DateTimeField(null=True, blank=True)
    # Work received at or after this moment is late; the course says what that means.
    due_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        abstract = True


def unlocking_constraints(name: str) -> list[models.BaseConstraint]:
    """The database's part of the promise, for the model of this name."""
    return [models.CheckConstraint(condition=Q(requires_mode__in=["all", "any"]), name=f"{name}_requires_mode_known")]


class UnlockRequirement(models.Model):
    """One thing that a chapter or problem waits for: that another chapter or problem of its course is solved."""

    course = models.ForeignKey("courses.Course", on_delete=models.CASCADE, related_name="unlock_requirements")
    chapter = models.ForeignKey(
        "courses.Chapter", on_delete=models.CASCADE, related_name="requirements", null=True, blank=True
    )
    problem = models.ForeignKey(
        "courses.Problem", on_delete=models.CASCADE, related_name="requirements", null=True, blank=True
    )
    required_chapter = models.ForeignKey(
        "courses.Chapter", on_delete=models.CASCADE, related_name="required_by", null=True, blank=True
    )
    required_problem = models.ForeignKey(
        "courses.Problem", on_delete=models.CASCADE, related_name="required_by", null=True, blank=True
    )

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(chapter__isnull=True) ^ Q(problem__isnull=True), name="unlockrequirement_of_one"
            ),
            models.CheckConstraint(
                condition=Q(required_chapter__isnull=True) ^ Q(required_problem__isnull=True),
                name="unlockrequirement_names_one",
            ),
            *(
                models.UniqueConstraint(
                    fields=[owner, required],
                    condition=Q(**{f"{owner}__isnull": False, f"{required}__isnull": False}),
                    name=f"unlockrequirement_{owner}_{required}",
                )
                for owner in ("chapter", "problem")
                for required in ("required_chapter", "required_problem")
            ),
        ]

    def __str__(self) -> str:
        owner = f"chapter {self.chapter_id}" if self.chapter_id else f"problem {self.problem_id}"
        required = (
            f"chapter {self.required_chapter_id}" if self.required_chapter_id else f"problem {self.required_problem_id}"
        )
        return f"{owner} requires {required}"


class DueExtensionQuerySet(models.QuerySet["DueExtension"]):
    def visible_to(self, user: Any) -> "DueExtensionQuerySet":
        """Those of the courses one is staff of: the reason is between them and the student."""
        return self.filter(enrollment__course__in=Course.objects.staffed_by(user))


class DueExtension(models.Model):
    """One student's own due date for a chapter or a problem; it counts where it is the later one."""

    enrollment = models.ForeignKey("courses.Enrollment", on_delete=models.CASCADE, related_name="due_extensions")
    chapter = models.ForeignKey(
        "courses.Chapter", on_delete=models.CASCADE, related_name="due_extensions", null=True, blank=True
    )
    problem = models.ForeignKey(
        "courses.Problem", on_delete=models.CASCADE, related_name="due_extensions", null=True, blank=True
    )
    due_at = models.DateTimeField()
    reason = models.CharField(max_length=500, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = DueExtensionQuerySet.as_manager()

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(chapter__isnull=True) ^ Q(problem__isnull=True), name="dueextension_of_one"
            ),
            *(
                models.UniqueConstraint(
                    fields=["enrollment", target],
                    condition=Q(**{f"{target}__isnull": False}),
                    name=f"dueextension_{target}_once",
                )
                for target in ("chapter", "problem")
            ),
        ]

    def __str__(self) -> str:
        return f"extension {self.pk} for enrollment {self.enrollment_id}"
