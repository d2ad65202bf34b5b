"""Files that belong to a problem."""

from typing import Any

from django.db import models
from django.db.models import Q

from courses.models.problem import Problem


class AttachmentQuerySet(models.QuerySet["Attachment"]):
    def visible_to(self, user: Any) -> "AttachmentQuerySet":
        """Those of the problems one may see."""
        return self.filter(problem__in=Problem.objects.visible_to(user))


class Attachment(models.Model):
    """A picture or document that a statement refers to. The content is kept once per hash."""

    problem = models.ForeignKey(Problem, on_delete=models.CASCADE, related_name="attachments")
    name = models.CharField(max_length=100)
    content_type = models.CharField(max_length=100)
    size_bytes = models.PositiveIntegerField()
    # Hexadecimal SHA-256 of the content, which is also where it is kept.
    sha256 = models.CharField(max_length=64, db_index=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = AttachmentQuerySet.as_manager()

    class Meta:
        ordering = ["name", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["problem", "name"], name="attachment_name_unique"),
            models.CheckConstraint(condition=~Q(name=""), name="attachment_name_present"),
        ]

    def __str__(self) -> str:
        return self.name
