"""What stored results come to: the fold of `courses.rules.progress` for many rows of progress at once."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import asdict
from typing import Any

from django.db.models import QuerySet

from courses.models import Enrollment, ProblemProgress, ProgressResult
from courses.rules.lateness import LateKind, LatePolicy
from courses.rules.progress import ProgressFold, Result, fold
from courses.selectors.duedates import DueDates, due_dates

# Rows that are folded together: what is held in memory at a time.
BATCH = 500


def progress_folds(rows: Sequence[ProblemProgress]) -> list[tuple[ProblemProgress, ProgressFold]]:
    """Each row with what its results come to today. Five queries at most, however many rows.

    It is as exact as what it reads: whoever writes it holds the enrollments locked by an earlier statement.
    """
    policies = _policies({row.enrollment_id for row in rows})
    results = _results({row.pk for row in rows})
    # Where lateness costs nothing, nobody has to know what is due when.
    late = [row for row in rows if policies[row.enrollment_id].kind is not LateKind.NONE]
    dues = due_dates(enrollment_ids={row.enrollment_id for row in late}, problem_ids={row.problem_id for row in late})
    return [(row, _fold(row, results[row.pk], policies[row.enrollment_id], dues)) for row in rows]


def fold_differences(row: ProblemProgress, folded: ProgressFold) -> dict[str, tuple[Any, Any]]:
    """Where a row differs from a fold: `{field: (stored, folded)}`."""
    pairs = {name: (getattr(row, name), value) for name, value in asdict(folded).items()}
    return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}


def progress_batches(rows: QuerySet[ProblemProgress]) -> Iterator[list[ProblemProgress]]:
    """All of these rows, 500 at a time, those of one enrollment together."""
    ordered = rows.order_by("enrollment_id", "problem_id")
    batch = list(ordered[:BATCH])
    while batch:
        yield batch
        last = batch[-1]
        later = ordered.filter(enrollment_id__gt=last.enrollment_id) | ordered.filter(
            enrollment_id=last.enrollment_id, problem_id__gt=last.problem_id
        )
        batch = list(later[:BATCH])


def _fold(row: ProblemProgress, results: list[Result], policy: LatePolicy, dues: DueDates) -> ProgressFold:
    due_at = None
    if policy.kind is not LateKind.NONE:
        due_at = dues.of(enrollment_id=row.enrollment_id, problem_id=row.problem_id)
    return fold(results, due_at=due_at, policy=policy)


def _policies(enrollment_ids: Collection[int]) -> dict[int, LatePolicy]:
    rows = Enrollment.objects.filter(pk__in=enrollment_ids).values_list(
        "pk", "course__late_policy", "course__late_percent_per_day"
    )
    return {pk: LatePolicy(kind=LateKind(kind), percent_per_day=percent) for pk, kind, percent in rows}


def _results(progress_ids: Collection[int]) -> defaultdict[int, list[Result]]:
    found: defaultdict[int, list[Result]] = defaultdict(list)
    # Plain rows: a student may have handed in a hundred times.
    columns = ("progress", "source", "source_id", "received_at", "score", "is_accepted", "time_ms")
    rows = ProgressResult.objects.filter(progress__in=progress_ids).order_by().values_list(*columns)
    for progress_id, source, source_id, received_at, score, is_accepted, time_ms in rows:
        found[progress_id].append(
            Result(
                key=(source, source_id),
                received_at=received_at,
                score=score,
                is_accepted=is_accepted,
                time_ms=time_ms,
            )
        )
    return found
