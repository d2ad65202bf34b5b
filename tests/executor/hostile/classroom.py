"""A course with words planted where its students may not look, and everything that each of its people can read."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import product
from typing import Any

from django.urls import reverse
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.models import Organization, User
from courses.models import Chapter, Course, Enrollment, Problem, TestSet
from executor.models import Submission
from executor.queue.claims import claim_next
from executor.queue.judge import judge_claimed
from executor.services.code_executor import CodeExecutorService
from executor.services.submissions import submission_create
from tests.authorization.test_matrix import methods_of, routes
from tests.courses.factories import AlgorithmProblemFactory, EnrollmentFactory
from tests.executor.hostile.planted import plant

# Of the API itself, whatever rows there are.
_SAME_FOR_ALL = {"schema", "docs"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Classroom:
    """One problem with a sample and two hidden tests. `hidden` are the words of those; `sample` are public."""

    problem: Problem
    student: User
    peer: User
    staff: User
    hidden: frozenset[str] = field(default=frozenset())
    sample: frozenset[str] = field(default=frozenset())

    def hand_in(self, language: str, code: str, **changes: Any) -> Submission:
        """A submission of the student's, waiting to be judged."""
        return submission_create(
            user=self.student,
            problem_id=self.problem.pk,
            language=language,
            code=code,
            received_at=timezone.now(),
            **changes,
        )


def classroom(*, entry_point: str = "", **algorithm: Any) -> Classroom:
    """A class for a stdio problem whose inputs and outputs are planted words, or for a function of such words."""
    words = [(plant(place), plant(answer)) for place, answer in (("sample", "sample"), *[("input", "expected")] * 2)]
    shown = '["{}"]', '"{}"'
    problem = AlgorithmProblemFactory(
        tests=[
            (shown[0].format(given), shown[1].format(answer)) if entry_point else (given, answer)
            for given, answer in words
        ],
        entry_point=entry_point,
        checker=algorithm.pop("checker", "json" if entry_point else "tokens"),
        **algorithm,
    ).problem
    return Classroom(
        problem=problem,
        student=EnrollmentFactory(course=problem.course).user,
        peer=EnrollmentFactory(course=problem.course).user,
        staff=EnrollmentFactory(course=problem.course, role=Enrollment.Role.INSTRUCTOR).user,
        sample=frozenset(words[0]),
        hidden=frozenset(word for pair in words[1:] for word in pair),
    )


def judge_next(service: CodeExecutorService) -> Submission:
    """Judge what waits, as a worker does, and give it as it is then stored."""
    claim = claim_next()
    assert claim is not None
    judge_claimed(claim, service)
    return Submission.objects.get(current_judgement=claim.judgement_id)


def addresses() -> Iterator[str]:
    """Every address that can be read, on every row there is."""
    rows = {
        "organization_id": Organization,
        "user_id": User,
        "course_id": Course,
        "chapter_id": Chapter,
        "problem_id": Problem,
        "test_set_id": TestSet,
        "enrollment_id": Enrollment,
        "submission_id": Submission,
    }
    for name, pattern in routes().items():
        if name in _SAME_FOR_ALL or "get" not in methods_of(pattern):
            continue
        arguments = list(pattern.pattern.converters)
        for keys in product(*(rows[argument]._default_manager.values_list("pk", flat=True) for argument in arguments)):
            yield reverse(name, kwargs=dict(zip(arguments, keys, strict=True)))


def all_that(client: APIClient) -> str:
    """All that this client can read of any row, heads and refusals included."""
    told = []
    for address in addresses():
        answer = client.get(address)
        assert answer.status_code in {200, 401, 403, 404}, address
        told += [answer.content.decode(), str(dict(answer.headers))]
    return "\n".join(told)
