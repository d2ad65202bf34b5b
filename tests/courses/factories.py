"""Courses, problems and enrollments for tests."""

from decimal import Decimal

import factory
from factory.django import DjangoModelFactory

from courses.models import (
    AlgorithmProblem,
    Chapter,
    ChapterProblem,
    Course,
    Enrollment,
    Problem,
    TestCase,
    TestSet,
)
from tests.accounts.factories import OrganizationFactory, UserFactory


class CourseFactory(DjangoModelFactory):
    class Meta:
        model = Course

    organization = factory.SubFactory(OrganizationFactory)
    title = factory.Sequence(lambda n: f"Course {n}")
    slug = factory.Sequence(lambda n: f"course-{n}")
    status = Course.Status.PUBLISHED


class EnrollmentFactory(DjangoModelFactory):
    class Meta:
        model = Enrollment

    course = factory.SubFactory(CourseFactory)
    user = factory.SubFactory(UserFactory)
    role = Enrollment.Role.STUDENT


class ChapterFactory(DjangoModelFactory):
    class Meta:
        model = Chapter

    course = factory.SubFactory(CourseFactory)
    title = factory.Sequence(lambda n: f"Chapter {n}")
    order = factory.Sequence(lambda n: n)


class ProblemFactory(DjangoModelFactory):
    class Meta:
        model = Problem

    course = factory.SubFactory(CourseFactory)
    type = Problem.Type.ALGORITHM
    title = factory.Sequence(lambda n: f"Problem {n}")
    slug = factory.Sequence(lambda n: f"problem-{n}")
    status = Problem.Status.PUBLISHED


class AlgorithmProblemFactory(DjangoModelFactory):
    """A stdio problem that doubles a number, with one sample and one hidden test."""

    class Meta:
        model = AlgorithmProblem
        skip_postgeneration_save = True

    problem = factory.SubFactory(ProblemFactory)

    @factory.post_generation
    def tests(self, create: bool, extracted: list[tuple[str, str | None]] | None, **kwargs: object) -> None:
        """`AlgorithmProblemFactory(tests=[(input, expected), ...])`; the first is the sample. An empty list: no set."""
        if not create:
            return
        cases = [("2\n", "4\n"), ("21\n", "42\n")] if extracted is None else extracted
        if cases:
            test_set = TestSetFactory(problem=self.problem)
            for order, (given, expected) in enumerate(cases):
                TestCaseFactory(
                    test_set=test_set, order=order, input=given, expected_output=expected, is_sample=order == 0
                )


class TestSetFactory(DjangoModelFactory):
    __test__ = False

    class Meta:
        model = TestSet

    problem = factory.SubFactory(ProblemFactory)
    version = 1


class TestCaseFactory(DjangoModelFactory):
    __test__ = False

    class Meta:
        model = TestCase

    test_set = factory.SubFactory(TestSetFactory)
    order = factory.Sequence(lambda n: n)
    input = "2\n"
    expected_output = "4\n"
    weight = Decimal(1)


class ChapterProblemFactory(DjangoModelFactory):
    class Meta:
        model = ChapterProblem

    chapter = factory.SubFactory(ChapterFactory)
    problem = factory.SubFactory(ProblemFactory, course=factory.SelfAttribute("..chapter.course"))
    order = factory.Sequence(lambda n: n)
