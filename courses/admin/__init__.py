"""The admin at `/admin/`: for staff of courses, who see what they are staff of and change it through the services."""

from courses.admin.courses import ChapterAdmin, CourseAdmin
from courses.admin.people import CourseGroupAdmin, EnrollmentAdmin, InvitationAdmin
from courses.admin.problems import ProblemAdmin
from courses.admin.records import AuditEventAdmin, PracticeAnswerAdmin, ProblemProgressAdmin
from courses.admin.site import site

__all__ = [
    "AuditEventAdmin",
    "ChapterAdmin",
    "CourseAdmin",
    "CourseGroupAdmin",
    "EnrollmentAdmin",
    "InvitationAdmin",
    "PracticeAnswerAdmin",
    "ProblemAdmin",
    "ProblemProgressAdmin",
    "site",
]
