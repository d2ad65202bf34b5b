"""Reference solutions in tests: making one through its service, and reading what came of it."""

from typing import Any

from accounts.models import User
from courses import services
from courses.models import Enrollment, Problem, TestSet
from courses.testdata import TestCaseSpec
from executor.models import Judgement, ReferenceSolution
from executor.selectors.solutions import SolutionReport, solution_report, with_verifications
from executor.services.reference_solutions import referencesolution_create
from tests.courses.factories import EnrollmentFactory
from tests.executor.factories import DOUBLE


def staff_of(problem: Problem) -> User:
    user: User = EnrollmentFactory(course=problem.course, role=Enrollment.Role.INSTRUCTOR).user
    return user


def solution_for(problem: Problem, *, actor: User | None = None, **fields: Any) -> ReferenceSolution:
    return referencesolution_create(
        actor=actor or staff_of(problem), problem_id=problem.pk, **{"language": "python", "code": DOUBLE, **fields}
    )


def report_of(solution: ReferenceSolution) -> SolutionReport:
    return solution_report(with_verifications(ReferenceSolution.objects.all()).get(pk=solution.pk))


def judgement_of(solution: ReferenceSolution) -> Judgement:
    """The judgement of the last verification."""
    return Judgement.objects.select_related("test_set").get(submission__reference_solution=solution)


def new_tests(problem: Problem, *expected: str, actor: User | None = None) -> TestSet:
    """A next version: each test reads 3, and expects one of these."""
    cases = [TestCaseSpec(input="3\n", expected_output=text) for text in expected or ("6\n",)]
    return services.testset_create(actor=actor or staff_of(problem), problem_id=problem.pk, test_cases=cases)
