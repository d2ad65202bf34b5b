"""A course with words planted where its students may not look, and everything that each of its people can read."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from django.utils import timezone
from rest_framework.test import APIClient

from accounts.models import User
from courses.models import Enrollment, Problem
from executor.models import Submission
from executor.queue.claims import claim_next
from executor.queue.judge import judge_claimed
from executor.services.code_executor import CodeExecutorService
from executor.services.submissions import submission_create
from tests.courses.factories import AlgorithmProblemFactory, EnrollmentFactory
from tests.courses.sweep import asking
from tests.courses.sweep.asking import all_routes
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
    for route in all_routes():
        if route.name not in _SAME_FOR_ALL and not route.name.startswith("admin:") and "get" in route.methods:
            yield from asking.addresses(route)


def all_that(client: APIClient) -> str:
    """All that this client can read of any row, heads and refusals included."""
    told = []
    for address in addresses():
        answer: Any = client.get(address)
        assert answer.status_code in {200, 401, 403, 404, 422}, address
        body = b"".join(answer) if answer.streaming else answer.content
        told += [body.decode("utf-8", "replace"), str(dict(answer.headers))]
    return "\n".join(told)
