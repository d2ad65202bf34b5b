"""Two organizations with everything in them, and one user for each way of standing to it."""

from dataclasses import dataclass
from typing import Any

from django.contrib.auth.hashers import make_password
from rest_framework.test import APIClient

from accounts.models import Membership, Organization, User
from courses.models import Chapter, ChapterProblem, Course, Enrollment, Problem, TestSet
from executor.models import Submission
from tests.accounts.factories import MembershipFactory, OrganizationFactory, UserFactory
from tests.courses.factories import (
    AlgorithmProblemFactory,
    ChapterFactory,
    ChapterProblemFactory,
    CourseFactory,
    EnrollmentFactory,
    ProblemFactory,
)
from tests.executor.factories import SubmissionFactory

PASSWORD = "correct horse battery staple"

# In this order in every row of the matrix.
ROLES = (
    "anonymous",
    "stranger",  # signed in, member of nothing
    "foreign",  # owner of another organization, instructor of its course
    "member",  # of this organization, not enrolled
    "student",  # enrolled; the submission is theirs
    "peer",  # enrolled; the submission is not theirs
    "assistant",
    "instructor",
    "admin",  # of the organization, not enrolled
    "owner",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """The rows that the matrix addresses, and who knocks."""

    organization: Organization
    course: Course
    chapter: Chapter
    problem: Problem
    unplaced: Problem
    placement: ChapterProblem
    test_set: TestSet
    enrollment: Enrollment
    submission: Submission
    plain_member: User
    users: dict[str, User]

    def client(self, role: str) -> APIClient:
        """A client that is signed in as the role, the way a program would be."""
        client = APIClient()
        if role != "anonymous":
            client.force_authenticate(self.users[role])
        return client


def make_world(state: str) -> World:
    """All rows, in a course that is in this state (`published`, `draft` or `archived`)."""
    organization = OrganizationFactory()
    course = CourseFactory(organization=organization, status=state)
    password = make_password(PASSWORD)
    users: dict[str, User] = {role: UserFactory(password=password) for role in ROLES if role != "anonymous"}
    for role, membership in (
        ("member", Membership.Role.MEMBER),
        ("student", Membership.Role.MEMBER),
        ("peer", Membership.Role.MEMBER),
        ("assistant", Membership.Role.MEMBER),
        ("instructor", Membership.Role.MEMBER),
        ("admin", Membership.Role.ADMIN),
        ("owner", Membership.Role.OWNER),
    ):
        MembershipFactory(organization=organization, user=users[role], role=membership)
    enrollment = EnrollmentFactory(course=course, user=users["student"])
    EnrollmentFactory(course=course, user=users["peer"])
    EnrollmentFactory(course=course, user=users["assistant"], role=Enrollment.Role.ASSISTANT)
    EnrollmentFactory(course=course, user=users["instructor"], role=Enrollment.Role.INSTRUCTOR)
    foreign = CourseFactory()
    MembershipFactory(organization=foreign.organization, user=users["foreign"], role=Membership.Role.OWNER)
    EnrollmentFactory(course=foreign, user=users["foreign"], role=Enrollment.Role.INSTRUCTOR)
    chapter = ChapterFactory(course=course)
    problem = AlgorithmProblemFactory(problem__course=course).problem
    return World(
        organization=organization,
        course=course,
        chapter=chapter,
        problem=problem,
        unplaced=ProblemFactory(course=course),
        placement=ChapterProblemFactory(chapter=chapter, problem=problem),
        test_set=problem.test_sets.get(),
        enrollment=enrollment,
        submission=SubmissionFactory(problem=problem, user=users["student"]),
        plain_member=MembershipFactory(organization=organization, user__password=password).user,
        users=users,
    )


def path_arguments(world: World) -> dict[str, Any]:
    """What fills the placeholders of addresses."""
    return {
        "organization_id": world.organization.pk,
        "user_id": world.plain_member.pk,
        "course_id": world.course.pk,
        "chapter_id": world.chapter.pk,
        "problem_id": world.problem.pk,
        "test_set_id": world.test_set.pk,
        "enrollment_id": world.enrollment.pk,
        "submission_id": world.submission.pk,
    }
