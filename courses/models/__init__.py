"""Courses and what is in them: chapters, problems of three types, who is enrolled, and how far they are."""

from courses.models.algorithm import AlgorithmProblem
from courses.models.attachment import Attachment
from courses.models.chapter import Chapter, ChapterProblem
from courses.models.choice import ChoiceProblem
from courses.models.course import Course, CourseGroup, Enrollment, Invitation, JoinQuota
from courses.models.fillblank import FillBlankProblem
from courses.models.problem import Problem
from courses.models.progress import CodeDraft, PracticeAnswer, ProblemProgress, ProgressResult
from courses.models.quota import CheckQuota
from courses.models.testset import TestCase, TestSet
from courses.models.unlocking import DueExtension, UnlockRequirement

__all__ = [
    "AlgorithmProblem",
    "Attachment",
    "Chapter",
    "ChapterProblem",
    "CheckQuota",
    "ChoiceProblem",
    "CodeDraft",
    "Course",
    "CourseGroup",
    "DueExtension",
    "Enrollment",
    "FillBlankProblem",
    "Invitation",
    "JoinQuota",
    "PracticeAnswer",
    "Problem",
    "ProblemProgress",
    "ProgressResult",
    "TestCase",
    "TestSet",
    "UnlockRequirement",
]
