"""Two organizations with everything in them, and one user for each way of standing to it."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.contrib.auth.hashers import make_password
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.models import Membership, Organization, User
from courses.models import (
    Attachment,
    Chapter,
    ChapterProblem,
    Course,
    CourseGroup,
    DueExtension,
    Enrollment,
    Invitation,
    Problem,
    TestSet,
)
from executor.models import ReferenceSolution, Submission
from tests.accounts.factories import MembershipFactory, OrganizationFactory, UserFactory
from tests.courses.factories import (
    AlgorithmProblemFactory,
    AttachmentFactory,
    ChapterFactory,
    ChapterProblemFactory,
    ChoiceProblemFactory,
    CodeDraftFactory,
    CourseFactory,
    CourseGroupFactory,
    DueExtensionFactory,
    EnrollmentFactory,
    FillBlankProblemFactory,
    InvitationFactory,
    ProblemFactory,
)
from tests.executor.factories import DOUBLE, ReferenceSolutionFactory, SubmissionFactory

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
    choice: Problem
    fillblank: Problem
    placement: ChapterProblem
    test_set: TestSet
    attachment: Attachment
    enrollment: Enrollment
    extension: DueExtension
    submission: Submission
    solution: ReferenceSolution
    group: CourseGroup
    invitation: Invitation
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
    chapter = ChapterFactory(course=course, due_at=timezone.now() + timedelta(days=7))
    problem = AlgorithmProblemFactory(problem__course=course).problem
    CodeDraftFactory(user=users["student"], problem=problem, code=DOUBLE)
    return World(
        organization=organization,
        course=course,
        chapter=chapter,
        problem=problem,
        unplaced=ProblemFactory(course=course),
        choice=ChoiceProblemFactory(problem__course=course).problem,
        fillblank=FillBlankProblemFactory(problem__course=course).problem,
        placement=ChapterProblemFactory(chapter=chapter, problem=problem),
        test_set=problem.test_sets.get(),
        attachment=AttachmentFactory(problem=problem),
        enrollment=enrollment,
        extension=DueExtensionFactory(enrollment=enrollment, chapter=chapter),
        submission=SubmissionFactory(problem=problem, user=users["student"]),
        # By one who is no staff any more.
        solution=ReferenceSolutionFactory(problem=problem, author=users["student"]),
        group=CourseGroupFactory(course=course),
        invitation=InvitationFactory(course=course),
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
        "attachment_id": world.attachment.pk,
        "order": 0,
        "enrollment_id": world.enrollment.pk,
        "extension_id": world.extension.pk,
        "submission_id": world.submission.pk,
        "solution_id": world.solution.pk,
        "language": "python",
        "group_id": world.group.pk,
        "invitation_id": world.invitation.pk,
    }
