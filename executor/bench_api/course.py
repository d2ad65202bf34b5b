"""The problem that is solved again and again, and the students who do."""

from dataclasses import dataclass

from django.contrib.auth.hashers import make_password
from django.db import transaction

from accounts.models import Organization, User
from courses.models import AlgorithmProblem, Course, Enrollment, Problem, TestCase, TestSet
from executor.bench import programs


@dataclass(frozen=True, slots=True, kw_only=True)
class Seeded:
    """The problem's id, and who signs in."""

    problem_id: int
    usernames: tuple[str, ...]


@transaction.atomic
def seed(*, students: int, tests: int, password: str) -> Seeded:
    """Write a course with one stdio problem of so many tests, and so many students in it."""
    organization = Organization.objects.create(name="Benchmark", slug="benchmark")
    course = Course.objects.create(organization=organization, title="Benchmark", slug="benchmark", status="published")
    problem = Problem.objects.create(course=course, type="algorithm", title="Sum", slug="sum", status="published")
    AlgorithmProblem.objects.create(
        problem=problem,
        time_limit_ms=programs.LIMITS.time_limit_ms,
        memory_limit_mb=programs.LIMITS.memory_limit_mb,
    )
    test_set = TestSet.objects.create(problem=problem, version=1)
    TestCase.objects.bulk_create(
        TestCase(test_set=test_set, order=order, input=given.decode(), expected_output=answer.decode())
        for order, (given, answer) in enumerate(zip(programs.inputs(tests), programs.answers(tests), strict=True))
    )
    hashed = make_password(password)  # once: it is meant to take long
    users = User.objects.bulk_create(
        User(username=f"benchmark{number}", email=f"benchmark{number}@example.org", password=hashed)
        for number in range(students)
    )
    Enrollment.objects.bulk_create(Enrollment(course=course, user=user) for user in users)
    return Seeded(problem_id=problem.pk, usernames=tuple(user.username for user in users))
