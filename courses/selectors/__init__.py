"""What is read of courses across models."""

from typing import Any

from django.db.models import Count, Prefetch, QuerySet
from django.utils import timezone

from courses.models import Chapter, ChapterProblem, Course, Problem, TestCase, TestSet


def course_is_staff(user: Any, course: Course) -> bool:
    """Whether a user is staff of a course, by the one definition: `CourseQuerySet.staffed_by`."""
    return Course.objects.staffed_by(user).filter(pk=course.pk).exists()


def is_seen_by_students(row: Problem | Chapter) -> bool:
    """Whether a student of the course, whatever they have done in it, may see a row now, be it locked or not."""
    now = timezone.now()
    if not row.course.is_published_at(now):
        return False
    if isinstance(row, Chapter):
        return row.status == Chapter.Status.PUBLISHED
    return row.is_published_at(now) and row.audience == Problem.Audience.COURSE


def current_test_set(problem: Problem) -> TestSet | None:
    """The tests that count today: the highest version; None where there are none yet."""
    return problem.test_sets.order_by("-version").first()


def current_tests(problem: Problem) -> QuerySet[TestCase]:
    """All tests of the current version, in judging order."""
    newest = problem.test_sets.order_by("-version").values("pk")[:1]
    return TestCase.objects.filter(test_set__in=newest).order_by("order")


def sample_tests(problem: Problem) -> QuerySet[TestCase]:
    """The public tests of the current version, in judging order."""
    return current_tests(problem).filter(is_sample=True)


def chapters_with_problems(user: Any) -> QuerySet[Chapter]:
    """The chapters a user may see, each with those placements in `placed`, in order, whose problems they may see."""
    visible = Problem.objects.visible_to(user).values("pk")
    placements = ChapterProblem.objects.filter(problem__in=visible).select_related("problem").order_by("position", "pk")
    return (
        Chapter.objects.visible_to(user)
        .select_related("course")
        .prefetch_related(Prefetch("placements", queryset=placements, to_attr="placed"))
    )


def testsets_of(problem: Problem) -> QuerySet[TestSet]:
    """A problem's versions of tests, the newest first, each with its `test_case_count`."""
    return problem.test_sets.annotate(test_case_count=Count("test_cases")).order_by("-version")
