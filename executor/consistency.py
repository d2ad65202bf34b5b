"""What the executor derives elsewhere, recounted: what submissions count in their students' progress."""

from collections.abc import Collection

from courses.consistency import ResultSource
from courses.selectors.results import Counted
from executor.judging.verdicts import Verdict
from executor.models import Judgement, Submission
from executor.services.progress import SOURCE, counted_of


def submissions_counted(pks: Collection[int]) -> dict[int, Counted | None]:
    """What these submissions count: what the last judging says that came to a verdict."""
    judged = Judgement.objects.filter(submission__in=pks, state=Judgement.State.DONE)
    # Ascending, so that the last one stays.
    decided = judged.exclude(verdict=Verdict.INTERNAL_ERROR).order_by("number").select_related("submission")
    last = {judgement.submission_id: judgement for judgement in decided}
    return {pk: counted_of(last[pk].submission, last[pk]) if pk in last else None for pk in pks}


SUBMISSIONS = ResultSource(
    name=SOURCE,
    rows=lambda: Submission.objects.filter(purpose=Submission.Purpose.PRACTICE),
    counted=submissions_counted,
)
