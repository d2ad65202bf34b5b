"""Submissions, their judgements and results, the queue they wait in, and what programs authors keep."""

from executor.models.queue import QueueSwitch, Worker
from executor.models.quota import RunQuota
from executor.models.run import QueuedRun
from executor.models.solution import ReferenceSolution
from executor.models.submission import Judgement, Submission, SubmissionQuerySet, TestResult

__all__ = [
    "Judgement",
    "QueueSwitch",
    "QueuedRun",
    "ReferenceSolution",
    "RunQuota",
    "Submission",
    "SubmissionQuerySet",
    "TestResult",
    "Worker",
]
