"""Progress: the fold of what counted, kept with it in one transaction and exact however many verdicts come at once.

Locks are taken in this order, here and wherever progress is touched: course, enrollments ascending, progress rows
ascending. What is folded is read by statements of their own after the locks: a statement that waits for a lock
goes on with what it had read before.
"""

from collections.abc import Collection
from dataclasses import asdict
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from courses.models import Course, Enrollment, Problem, ProblemProgress, ProgressResult
from courses.rules.progress import ProgressFold
from courses.selectors.folding import fold_differences, progress_batches, progress_folds
from courses.selectors.results import Counted
from courses.services.tokens import enrollments_cache_replace
from courses.services.validation import changes_apply, row_lock

FOLDED_FIELDS = tuple(ProgressFold.__dataclass_fields__)


@transaction.atomic
def progress_record(
    *,
    user_id: int,
    problem_id: int,
    source: str,
    source_id: int,
    received_at: datetime,
    score: Decimal,
    is_accepted: bool,
    time_ms: int | None,
) -> None:
    """Let one submission or answer count as it stands today; said again, it replaces what was said before.

    Nothing happens where the user has no place in the problem's course. Who left keeps theirs: what they handed in
    before counts, though it is judged after (law 6).
    """
    enrollment_id = _enrollment_lock(
        Q(user_id=user_id, course__in=Problem.objects.filter(pk=problem_id).values("course"))
    )
    if enrollment_id is None:
        return
    progress = _progress_lock(enrollment_id, problem_id)
    ProgressResult.objects.bulk_create(
        [
            ProgressResult(
                progress=progress,
                source=source,
                source_id=source_id,
                received_at=received_at,
                score=score,
                is_accepted=is_accepted,
                time_ms=time_ms,
            )
        ],
        update_conflicts=True,
        unique_fields=["source", "source_id"],
        update_fields=["received_at", "score", "is_accepted", "time_ms"],
    )
    _fold_anew(progress)


@transaction.atomic
def progress_forget(*, source: str, source_id: int) -> None:
    """Let a submission or answer not count any more, such as one whose judging broke. Twice does no harm."""
    rows = ProgressResult.objects.filter(source=source, source_id=source_id)
    found = rows.values_list("progress__enrollment_id", "progress__problem_id").first()
    if found is None or _enrollment_lock(Q(pk=found[0])) is None:
        return
    progress = _progress_lock(*found)
    rows.delete()
    _fold_anew(progress)


@transaction.atomic
def progress_recompute(
    *, course_id: int, problem_ids: Collection[int] | None = None, enrollment_ids: Collection[int] | None = None
) -> int:
    """Fold anew what due dates, extensions or the late policy changed, in the transaction that changed them.

    None stands for all of the course. Where the course does not mind lateness, dates of some problems or some students
    change nothing, and nothing is read. Returns how many rows of progress are different now.

    Raises:
        NotFound: there is no such course.
    """
    # All enrollments are held, and none is added while the course is: no verdict reads the dates of before and commits
    # after this.
    course = row_lock(Course.objects.all(), course_id)
    if course.late_policy == Course.LatePolicy.NONE and not (problem_ids is None and enrollment_ids is None):
        return 0
    enrollments = Enrollment.objects.filter(course=course_id)
    if enrollment_ids is not None:
        enrollments = enrollments.filter(pk__in=enrollment_ids)
    list(enrollments.order_by("pk").select_for_update(no_key=True).values_list("pk"))
    rows = ProblemProgress.objects.filter(enrollment__in=enrollments)
    if problem_ids is not None:
        rows = rows.filter(problem__in=problem_ids)
    return sum(_batch_recompute(batch) for batch in progress_batches(rows))


@transaction.atomic
def progress_verify(*, progress_id: int, is_repairing: bool) -> dict[str, tuple[Any, Any]]:
    """Where a row of progress is not the fold of its results, as `{field: (stored, folded)}`; told to, mend it."""
    enrollment_id = _enrollment_lock(Q(progress=progress_id))
    if enrollment_id is None:
        return {}
    progress = ProblemProgress.objects.select_for_update(no_key=True).get(pk=progress_id)
    return _fold_anew(progress) if is_repairing else _differences(progress)


@transaction.atomic
def progress_restore(*, source: str, source_id: int, counted: Counted | None) -> None:
    """Let a submission or answer count exactly this, whatever counted for it before; None: nothing."""
    progress_forget(source=source, source_id=source_id)
    if counted is not None:
        progress_record(source=source, source_id=source_id, **asdict(counted))


def _batch_recompute(batch: list[ProblemProgress]) -> int:
    now = timezone.now()
    changed = [row for row, folded in progress_folds(batch) if changes_apply(row, asdict(folded))]
    for row in changed:
        row.updated_at = now
    ProblemProgress.objects.bulk_update(changed, [*FOLDED_FIELDS, "updated_at"])
    # Writes in bulk send no signals.
    enrollments_cache_replace(enrollment_ids={row.enrollment_id for row in changed})
    return len(changed)


def _enrollment_lock(condition: Q) -> int | None:
    """The enrollment's id, held until the transaction ends: who writes its progress waits for who does now."""
    held = Enrollment.objects.filter(condition).select_for_update(no_key=True, of=("self",))
    return held.order_by().values_list("pk", flat=True).first()


def _progress_lock(enrollment_id: int, problem_id: int) -> ProblemProgress:
    """The row of progress, held, and made if need be."""
    rows = ProblemProgress.objects.select_for_update(no_key=True).filter(enrollment=enrollment_id, problem=problem_id)
    progress = rows.first()
    if progress is None:
        # Whoever makes one holds the enrollment; should there be one all the same, it is taken.
        ProblemProgress.objects.bulk_create(
            [ProblemProgress(enrollment_id=enrollment_id, problem_id=problem_id)], ignore_conflicts=True
        )
        progress = rows.get()
    return progress


def _differences(progress: ProblemProgress) -> dict[str, tuple[Any, Any]]:
    [(_, folded)] = progress_folds([progress])
    return fold_differences(progress, folded)


def _fold_anew(progress: ProblemProgress) -> dict[str, tuple[Any, Any]]:
    """Store what the results come to now, and return what that changed."""
    changed = _differences(progress)
    for name, (_, folded) in changed.items():
        setattr(progress, name, folded)
    if changed:
        progress.save(update_fields=[*changed, "updated_at"])
    return changed
