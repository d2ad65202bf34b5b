"""What should count in students' progress, held against what does."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from core.consistency import Drift
from courses.models import Enrollment, Problem, ProgressResult

COMPARED_FIELDS = ("received_at", "score", "is_accepted", "time_ms")


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """What one submission or answer counts; `progress_record` takes the same."""

    user_id: int
    problem_id: int
    received_at: datetime
    score: Decimal
    is_accepted: bool
    time_ms: int | None


def result_drifts(*, source: str, counted: Mapping[int, Counted | None]) -> list[Drift]:
    """Where stored results differ from what these submissions or answers count, by their ids; None counts nothing.

    What was received before its author had a place in the course may be there or not: it was not asked for then.
    """
    stored = {
        row.source_id: row
        for row in ProgressResult.objects.filter(source=source, source_id__in=counted).select_related(
            "progress__enrollment"
        )
    }
    places = _places([each for each in counted.values() if each is not None])
    drifts: list[Drift] = []
    for source_id, expected in counted.items():
        row = stored.get(source_id)
        if expected is None:
            drifts += [_whole(source, source_id, stored="a result", recomputed=None)] if row else []
        elif row is None:
            since = places.get((expected.user_id, expected.problem_id))
            if since is not None and since <= expected.received_at:
                drifts.append(_whole(source, source_id, stored=None, recomputed="a result"))
        else:
            drifts += _differences(source, row, expected)
    return drifts


def _places(counted: list[Counted]) -> dict[tuple[int, int], datetime]:
    """`{(user, problem): since when the user has had a place in its course}`."""
    courses = dict(Problem.objects.filter(pk__in={each.problem_id for each in counted}).values_list("pk", "course_id"))
    enrollments = Enrollment.objects.filter(
        user__in={each.user_id for each in counted}, course__in=set(courses.values())
    )
    since = {
        (user_id, course_id): created_at
        for user_id, course_id, created_at in enrollments.values_list("user_id", "course_id", "created_at")
    }
    pairs = {(each.user_id, each.problem_id) for each in counted}
    return {
        (user_id, problem_id): since[user_id, courses[problem_id]]
        for user_id, problem_id in pairs
        if (user_id, courses[problem_id]) in since
    }


def _differences(source: str, row: ProgressResult, expected: Counted) -> list[Drift]:
    found = {name: (getattr(row, name), getattr(expected, name)) for name in COMPARED_FIELDS}
    found["problem_id"] = (row.progress.problem_id, expected.problem_id)
    found["user_id"] = (row.progress.enrollment.user_id, expected.user_id)
    return [
        Drift(model=_model(source), pk=row.source_id, field=name, stored=str(stored), recomputed=str(recomputed))
        for name, (stored, recomputed) in found.items()
        if stored != recomputed
    ]


def _whole(source: str, source_id: int, *, stored: str | None, recomputed: str | None) -> Drift:
    return Drift(model=_model(source), pk=source_id, field="", stored=stored, recomputed=recomputed)


def _model(source: str) -> str:
    """Results are named for what they come from: that is what somebody would look at."""
    return f"ProgressResult of {source}"
