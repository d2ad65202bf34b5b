"""Letting something count for a student, and looking at what came of it."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from django.db import transaction

from courses.models import Course, Enrollment, Problem, ProblemProgress
from courses.selectors.folding import fold_differences, progress_folds
from courses.services import progress_record

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


def count(enrollment: Enrollment, problem: Problem, source_id: int, **changes: Any) -> None:
    """A submission that counts in full, received at noon, unless `changes` say otherwise."""
    progress_record(
        user_id=enrollment.user_id,
        problem_id=problem.pk,
        **{
            "source": "submission",
            "source_id": source_id,
            "received_at": NOON,
            "score": Decimal(100),
            "is_accepted": True,
            "time_ms": 10,
            **changes,
        },
    )


def progress_of(enrollment: Enrollment, problem: Problem) -> ProblemProgress:
    return ProblemProgress.objects.get(enrollment=enrollment, problem=problem)


def token_of(enrollment: Enrollment) -> uuid.UUID:
    return Enrollment.objects.values_list("cache_token", flat=True).get(pk=enrollment.pk)


def content_token_of(course: Course) -> uuid.UUID:
    return Course.objects.values_list("content_token", flat=True).get(pk=course.pk)


@contextmanager
def undone() -> Iterator[None]:
    """A transaction, or a savepoint within one, that is rolled back at its end."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def drifted() -> list[int]:
    """Rows of progress that are not the fold of their results (law 4)."""
    rows = list(ProblemProgress.objects.order_by("pk"))
    return [row.pk for row, folded in progress_folds(rows) if fold_differences(row, folded)]
