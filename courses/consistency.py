"""What courses derive, recounted: progress from results, and results from what they stand for."""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from core.consistency import Drift, Recount, RecountBatch
from courses.models import PracticeAnswer, ProblemProgress, ProgressResult
from courses.selectors.folding import BATCH, fold_differences, progress_batches, progress_folds
from courses.selectors.results import Counted, result_drifts
from courses.services.progress import progress_restore, progress_verify


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultSource:
    """Where results come from: a name as in `ProgressResult.Source`, the rows, and what each of some counts today."""

    name: str
    rows: Callable[[], QuerySet[Any]]
    counted: Callable[[Collection[int]], Mapping[int, Counted | None]]

    def recount(self) -> Recount:
        """Each row counts once, as it stands today, and nothing counts that is not there."""
        return Recount(name=f"results of {self.name}s", count=lambda: self.rows().count(), run=self._run)

    def _run(self, is_repairing: bool) -> Iterator[RecountBatch]:
        last_pk = 0
        while pks := list(self.rows().filter(pk__gt=last_pk).order_by("pk").values_list("pk", flat=True)[:BATCH]):
            suspects = sorted({drift.pk for drift in result_drifts(source=self.name, counted=self.counted(pks))})
            drifts = [drift for pk in suspects for drift in self._settle(pk, is_repairing)]
            yield RecountBatch(row_count=len(pks), drifts=drifts)
            last_pk = pks[-1]
        for pks in self._orphans():
            drifts = result_drifts(source=self.name, counted=dict.fromkeys(pks))
            if is_repairing:
                for pk in pks:
                    progress_restore(source=self.name, source_id=pk, counted=None)
            yield RecountBatch(row_count=0, drifts=drifts)

    @transaction.atomic
    def _settle(self, pk: int, is_repairing: bool) -> list[Drift]:
        """Look again with the row locked: between the first two looks it may have been judged."""
        self.rows().select_for_update(no_key=True).filter(pk=pk).first()
        counted = self.counted([pk])
        drifts = result_drifts(source=self.name, counted=counted)
        if drifts and is_repairing:
            progress_restore(source=self.name, source_id=pk, counted=counted[pk])
        return drifts

    def _orphans(self) -> Iterator[list[int]]:
        known = Exists(self.rows().filter(pk=OuterRef("source_id")))
        orphans = ProgressResult.objects.filter(~known, source=self.name).order_by("source_id")
        last_id = 0
        while ids := list(orphans.filter(source_id__gt=last_id).values_list("source_id", flat=True)[:BATCH]):
            yield ids
            last_id = ids[-1]


def progress_run(is_repairing: bool) -> Iterator[RecountBatch]:
    """Each row of progress is the fold of its results."""
    for batch in progress_batches(ProblemProgress.objects.all()):
        suspects = [row.pk for row, folded in progress_folds(batch) if fold_differences(row, folded)]
        drifts = [
            Drift(model="ProblemProgress", pk=pk, field=field, stored=str(stored), recomputed=str(recomputed))
            for pk in suspects
            for field, (stored, recomputed) in progress_verify(progress_id=pk, is_repairing=is_repairing).items()
        ]
        yield RecountBatch(row_count=len(batch), drifts=drifts)


def answers_counted(pks: Collection[int]) -> dict[int, Counted | None]:
    """What these answers to choices and blanks count: the mark they got."""
    return {
        answer.pk: Counted(
            user_id=answer.user_id,
            problem_id=answer.problem_id,
            received_at=answer.received_at,
            score=answer.score,
            is_accepted=answer.is_correct,
            time_ms=None,
        )
        for answer in PracticeAnswer.objects.filter(pk__in=pks)
    }


PROGRESS = Recount(name="progress", count=lambda: ProblemProgress.objects.count(), run=progress_run)
ANSWERS = ResultSource(
    name=ProgressResult.Source.ANSWER.value, rows=lambda: PracticeAnswer.objects.all(), counted=answers_counted
)
