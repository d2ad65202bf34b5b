"""Submissions and judgements for tests, as `submission_create` leaves them."""

import factory
from django.utils import timezone
from factory.django import DjangoModelFactory

from courses.selectors import current_test_set
from executor.models import Judgement, ReferenceSolution, Submission
from tests.accounts.factories import UserFactory
from tests.courses.factories import AlgorithmProblemFactory, EnrollmentFactory

DOUBLE = "print(int(input()) * 2)\n"


class SubmissionFactory(DjangoModelFactory):
    """A pending submission of an enrolled student, with its first judgement."""

    class Meta:
        model = Submission
        skip_postgeneration_save = True

    problem = factory.LazyFunction(lambda: AlgorithmProblemFactory().problem)
    user = factory.LazyAttribute(lambda o: EnrollmentFactory(course=o.problem.course).user)
    language = "python"
    files = factory.LazyFunction(lambda: [{"name": "main.py", "content": DOUBLE}])
    received_at = factory.LazyFunction(timezone.now)

    @factory.post_generation
    def judgement(self, create: bool, extracted: object, **kwargs: object) -> None:
        if create:
            self.current_judgement = JudgementFactory(submission=self)
            self.save(update_fields=["current_judgement"])


class JudgementFactory(DjangoModelFactory):
    class Meta:
        model = Judgement

    submission = factory.SubFactory(SubmissionFactory)
    number = 1
    test_set = factory.LazyAttribute(lambda o: current_test_set(o.submission.problem))
    checker = "tokens"
    time_limit_ms = 2000
    memory_limit_mb = 256


class ReferenceSolutionFactory(DjangoModelFactory):
    """A right program that was never judged."""

    class Meta:
        model = ReferenceSolution

    problem = factory.LazyFunction(lambda: AlgorithmProblemFactory().problem)
    name = factory.Sequence(lambda n: f"solution {n}")
    language = "python"
    files = factory.LazyFunction(lambda: [{"name": "main.py", "content": DOUBLE}])
    author = factory.SubFactory(UserFactory)
