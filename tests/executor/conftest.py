"""What most tests of the executor begin with: a problem that can be judged, and somebody who may hand in to it."""

import pytest

from accounts.models import User
from courses.models import Enrollment, Problem
from tests.courses.factories import AlgorithmProblemFactory, EnrollmentFactory


@pytest.fixture
def problem() -> Problem:
    return AlgorithmProblemFactory().problem


@pytest.fixture
def enrollment(problem: Problem) -> Enrollment:
    return EnrollmentFactory(course=problem.course)


@pytest.fixture
def student(enrollment: Enrollment) -> User:
    return enrollment.user
