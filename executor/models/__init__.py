"""Submissions, their judgements and results, and what programs authors keep for their problems."""

from executor.models.quota import RunQuota
from executor.models.solution import ReferenceSolution
from executor.models.submission import Judgement, Submission, SubmissionQuerySet, TestResult

__all__ = ["Judgement", "ReferenceSolution", "RunQuota", "Submission", "SubmissionQuerySet", "TestResult"]
