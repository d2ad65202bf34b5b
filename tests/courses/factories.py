"""Courses, problems and enrollments for tests."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import factory
from django.utils import timezone
from factory.django import DjangoModelFactory

from core.contents import content_write
from core.ordering import DIGITS
from courses.answer_keys import FillBlankSpec, blank_from, fillblank_columns
from courses.models import (
    AlgorithmProblem,
    Attachment,
    Chapter,
    ChapterProblem,
    ChoiceProblem,
    CodeDraft,
    Course,
    CourseGroup,
    DueExtension,
    Enrollment,
    FillBlankProblem,
    Invitation,
    PracticeAnswer,
    Problem,
    ProblemProgress,
    TestCase,
    TestSet,
    UnlockRequirement,
)
from courses.rules.invitation_codes import code_generate
from tests.accounts.factories import OrganizationFactory, UserFactory


def nth_position(n: int) -> str:
    """Positions that ascend with `n`: whole numbers of five digits in the notation of `core.ordering`."""
    digits = ""
    for _ in range(5):
        n, digit = divmod(n, len(DIGITS) - 1)
        digits = DIGITS[1 + digit] + digits
    return f"e{digits}"


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
    position = factory.Sequence(nth_position)


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
    position = factory.Sequence(nth_position)


class CourseGroupFactory(DjangoModelFactory):
    class Meta:
        model = CourseGroup

    course = factory.SubFactory(CourseFactory)
    name = factory.Sequence(lambda n: f"Group {n}")


class InvitationFactory(DjangoModelFactory):
    class Meta:
        model = Invitation

    course = factory.SubFactory(CourseFactory)
    code = factory.LazyFunction(code_generate)


class CodeDraftFactory(DjangoModelFactory):
    class Meta:
        model = CodeDraft

    user = factory.SubFactory(UserFactory)
    problem = factory.LazyFunction(lambda: AlgorithmProblemFactory().problem)
    language = "python"
    code = "print(1)\n"


class ProblemProgressFactory(DjangoModelFactory):
    """One that has not been begun: what follows from results is written by the services alone."""

    class Meta:
        model = ProblemProgress

    enrollment = factory.SubFactory(EnrollmentFactory)
    problem = factory.SubFactory(ProblemFactory, course=factory.SelfAttribute("..enrollment.course"))


class ChoiceProblemFactory(DjangoModelFactory):
    """A multiple choice of four, of which A and C are right, worth right minus wrong."""

    class Meta:
        model = ChoiceProblem

    problem = factory.SubFactory(ProblemFactory, type=Problem.Type.CHOICE)
    options = factory.LazyFunction(lambda: ["two", "four", "three", "nine"])
    option_count = factory.LazyAttribute(lambda o: len(o.options))
    answers = "AC"
    is_multiple = True
    scoring = ChoiceProblem.Scoring.RIGHT_MINUS_WRONG


class FillBlankProblemFactory(DjangoModelFactory):
    """A text with two blanks, worth 1 and 3."""

    class Meta:
        model = FillBlankProblem

    problem = factory.SubFactory(ProblemFactory, type=Problem.Type.FILLBLANK)
    text = "A stack is {{1}}, a queue is {{2}}."
    blanks = factory.LazyFunction(
        lambda: [
            {"accepted": ["LIFO", "last in first out"], "ignores_case": True},
            {"accepted": ["FIFO"], "score": "3"},
        ]
    )
    blank_count = factory.LazyAttribute(lambda o: len(o.blanks))

    @classmethod
    def _adjust_kwargs(cls, **kwargs: Any) -> dict[str, Any]:
        """What is not said of a blank is as for an author."""
        spec = FillBlankSpec(text=kwargs["text"], blanks=[blank_from(blank) for blank in kwargs["blanks"]])
        return {**kwargs, "blanks": fillblank_columns(spec)["blanks"]}


class PracticeAnswerFactory(DjangoModelFactory):
    """A wrong answer of an enrolled student to a choice."""

    class Meta:
        model = PracticeAnswer

    problem = factory.LazyFunction(lambda: ChoiceProblemFactory().problem)
    user = factory.LazyAttribute(lambda o: EnrollmentFactory(course=o.problem.course).user)
    answer = factory.LazyFunction(lambda: {"chosen": ["B"]})
    score = Decimal(0)
    is_correct = False
    received_at = factory.LazyFunction(timezone.now)


class UnlockRequirementFactory(DjangoModelFactory):
    """`UnlockRequirementFactory(chapter=..., required_problem=...)`: one of each pair."""

    class Meta:
        model = UnlockRequirement

    course = factory.LazyAttribute(lambda o: (getattr(o, "chapter", None) or o.problem).course)


class DueExtensionFactory(DjangoModelFactory):
    """`DueExtensionFactory(chapter=...)` or `problem=...`: a day more."""

    class Meta:
        model = DueExtension

    enrollment = factory.LazyAttribute(
        lambda o: EnrollmentFactory(course=(getattr(o, "chapter", None) or o.problem).course)
    )
    due_at = factory.LazyAttribute(lambda o: (getattr(o, "chapter", None) or o.problem).due_at + timedelta(days=1))


class AttachmentFactory(DjangoModelFactory):
    """A text that belongs to a problem, with its content: `AttachmentFactory(data=b"...")`."""

    class Meta:
        model = Attachment

    class Params:
        data = b"one\n"

    problem = factory.SubFactory(ProblemFactory)
    name = factory.Sequence(lambda n: f"file-{n}.txt")
    content_type = "text/plain; charset=utf-8"
    size_bytes = factory.LazyAttribute(lambda row: len(row.data))
    sha256 = factory.LazyAttribute(lambda row: content_write(row.data))
