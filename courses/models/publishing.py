"""What courses and problems share: a status, and the time within which "published" holds."""

from datetime import datetime

from django.db import models
from django.db.models import Q


class Publishable(models.Model):
    """Drafts are for staff alone; what is published is seen within `[published_from, published_until)`.

    The window is read, never executed: at its edges nothing has to run for the right thing to be seen (law 6).
    """

    class Status(models.TextChoices):
        DRAFT = "draft"
        PUBLISHED = "published"
        ARCHIVED = "archived"

    status = models.CharField(max_length=10, choices=Status.choices, default=Status.DRAFT)
    # None: no limit on this side.
    published_from = models.DateTimeField(null=True, blank=True)
    published_until = models.DateTimeField(null=True, blank=True)

    class Meta:
        abstract = True

    @staticmethod
    def published_at(now: datetime, prefix: str = "") -> Q:
        """The condition for being published at a moment; `prefix` is the path to the row, such as `course__`."""
        return (
            Q(**{f"{prefix}status": Publishable.Status.PUBLISHED})
            & (Q(**{f"{prefix}published_from__isnull": True}) | Q(**{f"{prefix}published_from__lte": now}))
            & (Q(**{f"{prefix}published_until__isnull": True}) | Q(**{f"{prefix}published_until__gt": now}))
        )

    def is_published_at(self, now: datetime) -> bool:
        """Whether others than staff may see it at a moment."""
        return (
            self.status == self.Status.PUBLISHED
            and (self.published_from is None or self.published_from <= now)
            and (self.published_until is None or now < self.published_until)
        )


def publishing_constraints(name: str) -> list[models.BaseConstraint]:
    """The database's part of the promise, for the model of this name."""
    return [
        models.CheckConstraint(condition=Q(status__in=["draft", "published", "archived"]), name=f"{name}_status_known"),
        models.CheckConstraint(
            condition=Q(published_from__isnull=True)
            | Q(published_until__isnull=True)
            | Q(published_from__lt=models.F("published_until")),
            name=f"{name}_published_from_before_until",
        ),
    ]
