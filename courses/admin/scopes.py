"""Which rows of each model somebody works with in the admin: those of the courses they are staff of (law 7)."""

from typing import Any

from django.db.models import Model, QuerySet

from accounts.models import AuditEvent, Organization
from courses.models import (
    Chapter,
    ChapterProblem,
    Course,
    CourseGroup,
    Enrollment,
    Invitation,
    PracticeAnswer,
    Problem,
    ProblemProgress,
    TestCase,
)

# The way from a row to its course.
COURSE_PATHS: dict[type[Model], str] = {
    Course: "pk",
    Chapter: "course",
    ChapterProblem: "chapter__course",
    CourseGroup: "course",
    Enrollment: "course",
    Invitation: "course",
    PracticeAnswer: "problem__course",
    Problem: "course",
    ProblemProgress: "enrollment__course",
    TestCase: "test_set__problem__course",
}
# What belongs to organizations is for their owners and admins.
ORGANIZATION_PATHS: dict[type[Model], str] = {AuditEvent: "organization", Organization: "pk"}


def scoped(model: type[Model], user: Any) -> QuerySet[Any]:
    """The rows of a model within a user's scope; none of a model that has no scope."""
    rows = model._default_manager.all()
    if path := COURSE_PATHS.get(model):
        return rows.filter(**{f"{path}__in": Course.objects.staffed_by(user).values("pk")})
    if path := ORGANIZATION_PATHS.get(model):
        return rows.filter(**{f"{path}__in": Organization.objects.administered_by(user).values("pk")})
    return rows.none()
