"""A small university: one course with a chapter and two problems, everybody who could want something, and strangers."""

from dataclasses import dataclass, field

import pytest

from accounts.models import Membership, Organization, User
from courses.models import Chapter, ChapterProblem, Course, Enrollment, Problem
from tests.accounts.factories import MembershipFactory, OrganizationFactory, UserFactory
from tests.courses.factories import (
    AlgorithmProblemFactory,
    ChapterFactory,
    ChapterProblemFactory,
    CourseFactory,
    EnrollmentFactory,
)

Role = Enrollment.Role


@dataclass(frozen=True, kw_only=True)
class World:
    organization: Organization
    course: Course
    chapter: Chapter
    problem: Problem
    draft: Problem
    placement: ChapterProblem
    owner: User
    admin: User
    instructor: User
    assistant: User
    student: User
    member: User  # of the organization, in no course
    superuser: User = field(default_factory=lambda: UserFactory(is_superuser=True))
    # Another university, with staff of its own.
    foreign_course: Course
    foreign_problem: Problem
    foreign_owner: User

    @property
    def staff(self) -> tuple[User, ...]:
        return (self.owner, self.admin, self.instructor, self.assistant, self.superuser)

    @property
    def strangers(self) -> tuple[User, ...]:
        return (self.member, self.foreign_owner)


@pytest.fixture
def world(db: None) -> World:
    organization = OrganizationFactory()
    course = CourseFactory(organization=organization)
    chapter = ChapterFactory(course=course)
    problem = AlgorithmProblemFactory(problem__course=course).problem
    draft = AlgorithmProblemFactory(problem__course=course, problem__status=Problem.Status.DRAFT).problem
    foreign_course = CourseFactory()

    def member(role: str = Membership.Role.MEMBER) -> User:
        user: User = MembershipFactory(organization=organization, role=role).user
        return user

    def enrolled(role: str) -> User:
        user: User = EnrollmentFactory(course=course, user=member(), role=role).user
        return user

    return World(
        organization=organization,
        course=course,
        chapter=chapter,
        problem=problem,
        draft=draft,
        placement=ChapterProblemFactory(chapter=chapter, problem=problem),
        owner=member(Membership.Role.OWNER),
        admin=member(Membership.Role.ADMIN),
        instructor=enrolled(Role.INSTRUCTOR),
        assistant=enrolled(Role.ASSISTANT),
        student=enrolled(Role.STUDENT),
        member=member(),
        foreign_course=foreign_course,
        foreign_problem=AlgorithmProblemFactory(problem__course=foreign_course).problem,
        foreign_owner=MembershipFactory(organization=foreign_course.organization, role=Membership.Role.OWNER).user,
    )
