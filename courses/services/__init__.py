"""Everything that changes courses, one function per use case.

Who may act is asked at the door: callers let only staff of the course in (`courses.selectors.course_is_staff`). Only
creating a course asks here, since there is no course yet to be staff of.
"""

from courses.services.answer import answer_check
from courses.services.attachment import attachment_create, attachment_delete
from courses.services.chapter import (
    chapter_create,
    chapter_delete,
    chapter_move,
    chapter_update,
    chapterproblem_move,
    chapterproblem_place,
    chapterproblem_remove,
)
from courses.services.course import course_archive, course_create, course_update
from courses.services.draft import draft_delete, draft_save
from courses.services.duedates import dueextension_create, dueextension_delete
from courses.services.duplicating import course_duplicate, problem_duplicate
from courses.services.enrollment import enrollment_create, enrollment_remove, enrollment_update
from courses.services.gradebook import gradebook_export_record
from courses.services.group import coursegroup_create, coursegroup_delete, coursegroup_update
from courses.services.invitation import invitation_create, invitation_revoke
from courses.services.joining import enrollment_join, enrollment_join_by_code, enrollment_leave
from courses.services.problem import problem_archive, problem_create, problem_delete, problem_update
from courses.services.progress import progress_forget, progress_recompute, progress_record
from courses.services.roster import roster_import
from courses.services.testset import testset_create, testset_freeze
from courses.services.testset_edit import testcase_add, testcase_remove, testcase_update, testset_import
from courses.services.tokens import course_cache_replace, enrollment_cache_replace, enrollments_cache_replace
from courses.services.unlocking import chapter_unlocking_update, problem_unlocking_update

__all__ = [
    "answer_check",
    "attachment_create",
    "attachment_delete",
    "chapter_create",
    "chapter_delete",
    "chapter_move",
    "chapter_unlocking_update",
    "chapter_update",
    "chapterproblem_move",
    "chapterproblem_place",
    "chapterproblem_remove",
    "course_archive",
    "course_cache_replace",
    "course_create",
    "course_duplicate",
    "course_update",
    "coursegroup_create",
    "coursegroup_delete",
    "coursegroup_update",
    "draft_delete",
    "draft_save",
    "dueextension_create",
    "dueextension_delete",
    "enrollment_cache_replace",
    "enrollment_create",
    "enrollment_join",
    "enrollment_join_by_code",
    "enrollment_leave",
    "enrollment_remove",
    "enrollment_update",
    "enrollments_cache_replace",
    "gradebook_export_record",
    "invitation_create",
    "invitation_revoke",
    "problem_archive",
    "problem_create",
    "problem_delete",
    "problem_duplicate",
    "problem_unlocking_update",
    "problem_update",
    "progress_forget",
    "progress_recompute",
    "progress_record",
    "roster_import",
    "testcase_add",
    "testcase_remove",
    "testcase_update",
    "testset_create",
    "testset_freeze",
    "testset_import",
]
