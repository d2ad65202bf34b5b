"""How the queue stands: how much waits, how fast it is judged, and when whose turn comes."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from datetime import timedelta
from enum import StrEnum
from math import ceil

from django.conf import settings
from django.db.models import Avg, F, Q, QuerySet, Sum, Window
from django.db.models.functions import Now, RowNumber
from django.utils import timezone

from core.single_flight import cached
from executor.models import Judgement, QueueSwitch, Submission, Worker
from executor.selectors.metrics import running_by_lane, waiting_by_lane

# States of a judgement that is still to come to something.
UNENDED = (Judgement.State.PENDING, Judgement.State.CLAIMED)
OVERVIEW_KEY = "executor.queue_overview"
OVERVIEW_KEPT_S = 1
OWN_SHOWN_MAX = 50
RATE_WINDOW_S = 60
RECENT_JUDGEMENTS = 50
# What a judging takes where none was measured yet.
USUAL_JUDGING_S = 1.0


class QueueStatus(StrEnum):
    """`busy` still takes everything, and lets people know that it takes longer; `full` takes no submissions."""

    AVAILABLE = "available"
    BUSY = "busy"
    FULL = "full"


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueOverview:
    """The queue at one moment. Ages are None where nothing waits, and the mean where nothing was judged yet."""

    pending_live: int
    running_live: int
    pending_rejudge: int
    running_rejudge: int
    oldest_live_s: float | None
    oldest_rejudge_s: float | None
    threads: int
    judged_per_minute: int
    mean_judging_s: float | None
    capacity: int
    status: str
    is_paused: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnEntry:
    """A student's submission that is not judged yet. One that is being judged has no position any more."""

    id: int
    problem: int
    position: int | None
    estimated_wait_seconds: int | None


def live_pending() -> QuerySet[Judgement]:
    """The live judgements that wait for a worker."""
    return Judgement.objects.filter(state=Judgement.State.PENDING, lane=Judgement.Lane.LIVE)


def threads_live() -> int:
    """How many judgings can go on at a time, over all workers seen within a lease's length."""
    seen = Worker.objects.filter(seen_at__gte=Now() - timedelta(seconds=settings.EXECUTOR_LEASE_S))
    return int(seen.aggregate(total=Sum("threads"))["total"] or 0)


def queue_status(pending: int) -> QueueStatus:
    """What so many waiting live judgements mean for whoever wants to hand in."""
    capacity = settings.EXECUTOR_QUEUE_CAPACITY
    if pending >= capacity:
        return QueueStatus.FULL
    return QueueStatus.BUSY if pending >= capacity * settings.EXECUTOR_QUEUE_BUSY_SHARE else QueueStatus.AVAILABLE


def queue_overview() -> QueueOverview:
    """The queue as it stands now, in six queries however long it is."""
    waiting = {row["lane"]: row for row in waiting_by_lane()}
    running = {row["lane"]: row["number"] for row in running_by_lane()}
    live, rejudge = (waiting.get(lane, {"number": 0, "oldest": None}) for lane in ("live", "rejudge"))
    now = timezone.now()
    live_age_s, rejudge_age_s = (
        None if lane["oldest"] is None else max(0.0, (now - lane["oldest"]).total_seconds()) for lane in (live, rejudge)
    )
    since = Now() - timedelta(seconds=RATE_WINDOW_S)
    return QueueOverview(
        pending_live=live["number"],
        running_live=running.get("live", 0),
        pending_rejudge=rejudge["number"],
        running_rejudge=running.get("rejudge", 0),
        oldest_live_s=live_age_s,
        oldest_rejudge_s=rejudge_age_s,
        threads=threads_live(),
        judged_per_minute=Judgement.objects.filter(state=Judgement.State.DONE, finished_at__gte=since).count(),
        mean_judging_s=_mean_judging_s(),
        capacity=settings.EXECUTOR_QUEUE_CAPACITY,
        status=queue_status(live["number"]).value,
        is_paused=QueueSwitch.objects.filter(is_paused=True).exists(),
    )


def queue_overview_lately() -> QueueOverview:
    """The same, at most a second old: for what many ask again and again."""
    overview = cached(OVERVIEW_KEY, lambda: asdict(queue_overview()), ttl_s=OVERVIEW_KEPT_S, is_valid=_is_overview)
    return QueueOverview(**overview)


def queue_position(submission: Submission) -> int | None:
    """How many judgements are taken before this one, plus one; None once it is being judged or has been."""
    judgement = submission.current_judgement
    if judgement is None or judgement.state != Judgement.State.PENDING:
        return None
    place = Q(virtual_start__lt=judgement.virtual_start) | Q(
        virtual_start=judgement.virtual_start, pk__lte=judgement.pk
    )
    position = Judgement.objects.filter(place, state=Judgement.State.PENDING, lane=judgement.lane).count()
    # Live work goes first.
    return position if judgement.lane == Judgement.Lane.LIVE else position + live_pending().count()


def own_entries(student_id: int, overview: QueueOverview) -> Sequence[OwnEntry]:
    """A student's submissions that are not judged yet, in the order of the queue, the first `OWN_SHOWN_MAX` of them."""
    position = Window(RowNumber(), order_by=[F("virtual_start").asc(), F("pk").asc()])
    columns = ("submission_id", "submission__problem_id")
    running = (
        Judgement.objects.filter(state=Judgement.State.CLAIMED, lane=Judgement.Lane.LIVE, student_id=student_id)
        .order_by("pk")
        .values_list(*columns)
    )
    entries = [
        OwnEntry(id=pk, problem=problem, position=None, estimated_wait_seconds=None)
        for pk, problem in running[:OWN_SHOWN_MAX]
    ]
    # Everything that waits is numbered once, instead of counted for each. No position is below 1: that makes the
    # database choose the student's own after the numbering, not before.
    waiting = (
        live_pending()
        .annotate(position=position)
        .filter(Q(student_id=student_id) | Q(position__lt=1))
        .order_by("position")
        .values_list(*columns, "position")
    )
    entries += [
        OwnEntry(id=pk, problem=problem, position=place, estimated_wait_seconds=_wait_seconds(overview, place))
        for pk, problem, place in waiting[: OWN_SHOWN_MAX - len(entries)]
    ]
    return entries


def estimated_wait_seconds(position: int) -> int:
    """A guess at how long the submission at this position waits for its verdict, at least a second."""
    return _wait_seconds(queue_overview_lately(), position)


def _wait_seconds(overview: QueueOverview, position: int) -> int:
    """By what was judged in the last minute, or by what the workers there are could judge, whichever is more.

    A minute in which little was handed in says nothing of how fast a long queue goes.
    """
    could_s = (overview.mean_judging_s or USUAL_JUDGING_S) / max(1, overview.threads)
    did_s = RATE_WINDOW_S / overview.judged_per_minute if overview.judged_per_minute else could_s
    return max(1, ceil(position * min(could_s, did_s)))


def _mean_judging_s() -> float | None:
    recent = Judgement.objects.filter(state=Judgement.State.DONE, finished_at__isnull=False).order_by("-finished_at")
    took = Judgement.objects.filter(pk__in=recent.values("pk")[:RECENT_JUDGEMENTS]).aggregate(
        mean=Avg(F("finished_at") - F("started_at"))
    )["mean"]
    return took.total_seconds() if isinstance(took, timedelta) else None


def _is_overview(value: object) -> bool:
    if not isinstance(value, dict):
        return False
    types = {field.name: field.type for field in fields(QueueOverview)}
    return value.keys() == types.keys() and all(isinstance(value[name], types[name]) for name in types)  # type: ignore[arg-type]
