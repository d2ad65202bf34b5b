"""The course that is asked for, and a student half through it."""

from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise

from django.db import transaction
from django.utils import timezone

from accounts.models import Organization, User
from core.ordering import keys_between
from courses.models import Chapter, ChapterProblem, Course, Enrollment, Problem, ProblemProgress, UnlockRequirement


@dataclass(frozen=True, slots=True, kw_only=True)
class Seeded:
    """Ids of the course, and who signs in how."""

    course_id: int
    username: str
    password: str


@transaction.atomic
def seed(*, chapters: int, problems: int, password: str) -> Seeded:
    """Write a course of so many chapters with so many problems each; each chapter requires the one before it."""
    now = timezone.now()
    organization = Organization.objects.create(name="Benchmark", slug="benchmark")
    course = Course.objects.create(organization=organization, title="Benchmark", slug="benchmark", status="published")
    places = keys_between(None, None, max(chapters, problems))
    rows = Chapter.objects.bulk_create(
        Chapter(course=course, title=f"Chapter {n}", position=places[n], due_at=now + timedelta(days=n))
        for n in range(chapters)
    )
    placed = Problem.objects.bulk_create(
        Problem(course=course, type="choice", title=f"Problem {n}", slug=f"problem-{n}", status="published")
        for n in range(chapters * problems)
    )
    ChapterProblem.objects.bulk_create(
        ChapterProblem(chapter=rows[n // problems], problem=problem, position=places[n % problems])
        for n, problem in enumerate(placed)
    )
    UnlockRequirement.objects.bulk_create(
        UnlockRequirement(course=course, chapter=after, required_chapter=before) for before, after in pairwise(rows)
    )
    user = User.objects.create_user("benchmark", "benchmark@example.org", password)
    enrollment = Enrollment.objects.create(course=course, user=user)
    ProblemProgress.objects.bulk_create(
        ProblemProgress(
            enrollment=enrollment, problem=problem, status="solved", attempts=1, best_score=100, solved_at=now
        )
        for problem in placed[: len(placed) // 2]
    )
    return Seeded(course_id=course.pk, username=user.username, password=password)
