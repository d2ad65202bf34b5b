"""Everything that changes courses, one function per use case.

Who may act is asked at the door: callers let only staff of the course in (`courses.selectors.course_is_staff`). Only
creating a course asks here, since there is no course yet to be staff of.
"""

from courses.services.chapter import (
    chapter_create,
    chapter_delete,
    chapter_update,
    chapterproblem_move,
    chapterproblem_place,
    chapterproblem_remove,
)
from courses.services.course import course_archive, course_create, course_update
from courses.services.enrollment import enrollment_create, enrollment_remove, enrollment_update_role
from courses.services.problem import problem_archive, problem_create, problem_delete, problem_update
from courses.services.testset import testset_create, testset_freeze

__all__ = [
    "chapter_create",
    "chapter_delete",
    "chapter_update",
    "chapterproblem_move",
    "chapterproblem_place",
    "chapterproblem_remove",
    "course_archive",
    "course_create",
    "course_update",
    "enrollment_create",
    "enrollment_remove",
    "enrollment_update_role",
    "problem_archive",
    "problem_create",
    "problem_delete",
    "problem_update",
    "testset_create",
    "testset_freeze",
]
