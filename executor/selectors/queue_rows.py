"""Single rows of the queue, for people who look after it: what waits, runs and ended badly, and who judges."""

from datetime import timedelta
from typing import Any

from django.db.models import Exists, F, OuterRef, QuerySet
from django.utils import timezone

from courses.models import Course
from executor.models import Judgement, Submission, Worker

WAITING_SHOWN = 20
RUNNING_SHOWN = 100
BROKEN_SHOWN = 50
BROKEN_DAYS = 7
# How a submission ends where the fault is ours.
BROKEN = (Submission.Status.INTERNAL_ERROR, Submission.Status.QUARANTINED)

_SHOWN = ("pk", "submission_id", "lane", "virtual_start", "tries", "losses", "faults", "fault", "not_before")


def judgements_seen_by(user: Any) -> QuerySet[Judgement]:
    """All judgements for operators, those of the courses one is staff of for others (law 7)."""
    if user.is_superuser:
        return Judgement.objects.all()
    return Judgement.objects.filter(course_id__in=Course.objects.staffed_by(user).values("pk"))


def waiting_next(user: Any) -> list[dict[str, Any]]:
    """What waits, in the order in which it is taken, the first `WAITING_SHOWN`; some of it may not be due yet."""
    waiting = judgements_seen_by(user).filter(state=Judgement.State.PENDING)
    return list(_named(waiting.order_by("lane", "virtual_start", "pk"))[:WAITING_SHOWN])


def running_now(user: Any) -> list[dict[str, Any]]:
    """What workers hold, the longest held first, up to `RUNNING_SHOWN`."""
    running = judgements_seen_by(user).filter(state=Judgement.State.CLAIMED)
    return list(_named(running.order_by("started_at", "pk"), "started_at", "leased_until", "worker_id")[:RUNNING_SHOWN])


def broken_lately(user: Any) -> list[dict[str, Any]]:
    """Submissions that stand quarantined or given up since some days, the latest first; whether they wait again."""
    again = Judgement.objects.filter(
        submission=OuterRef("submission"), state__in=(Judgement.State.PENDING, Judgement.State.CLAIMED)
    )
    broken = judgements_seen_by(user).filter(
        state=Judgement.State.DONE,
        verdict=Submission.Status.INTERNAL_ERROR,
        finished_at__gte=timezone.now() - timedelta(days=BROKEN_DAYS),
        submission__status__in=BROKEN,
        submission__current_judgement=F("pk"),
    )
    latest = broken.annotate(waits_again=Exists(again)).order_by("-finished_at", "-pk")
    return list(_named(latest, "finished_at", "waits_again")[:BROKEN_SHOWN])


def broken_submission_id(user: Any, submission_id: int) -> int | None:
    """The id of a submission that stands quarantined or given up, if it is one of those this user looks after."""
    seen = judgements_seen_by(user).filter(submission=submission_id, submission__status__in=BROKEN)
    return seen.order_by().values_list("submission", flat=True).first()


def workers() -> list[dict[str, Any]]:
    """Every process that judges, the longest running first. `host` is the machine's name alone."""
    return [
        {**row, "host": row["host"].partition(" ")[0]}
        for row in Worker.objects.order_by("started_at", "pk").values(
            "id", "kind", "host", "process_id", "threads", "started_at", "seen_at"
        )
    ]


def _named(rows: QuerySet[Judgement], *more: str) -> QuerySet[Judgement, dict[str, Any]]:
    """These rows' columns with whose they are; never the program itself."""
    return rows.values(
        *_SHOWN,
        *more,
        student=F("submission__user__username"),
        problem=F("submission__problem__title"),
        problem_id=F("submission__problem_id"),
        status=F("submission__status"),
        purpose=F("submission__purpose"),
    )
