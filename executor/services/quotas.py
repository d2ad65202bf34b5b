"""How much one student may hand in: exact, however many requests come at once, and with no cache involved.

Who hands in holds their own user row, so that their submissions are counted and written one after the other. The rates
are sliding windows over the moments at which submissions were stored: under that lock these only go up, as the ids do,
and so the window is full exactly while the submission that was the most-th before lies in it. `received_at` would not
do: requests may be stored in another order than they came in, and each could find the window of the others empty.
"""

from dataclasses import dataclass
from datetime import timedelta
from math import ceil

from django.conf import settings
from django.db import connection
from django.db.models import QuerySet
from django.utils import timezone

from accounts.models import User
from core.errors import TooManyRequests
from executor.errors import ProblemRateExceeded, SubmissionRateExceeded, TooManyPending
from executor.models import Submission
from executor.selectors.queue import live_pending
from executor.services.queueing import Standing, retry_seconds

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rate:
    """At most so many of these submissions within a window."""

    handed_in: QuerySet[Submission]
    most: int
    window: timedelta
    refusal: type[TooManyRequests]
    detail: str


def student_lock(user: User) -> None:
    """Let nobody else hand in for this user until the transaction ends.

    `NO KEY`: what only refers to the user, as their other rows do, need not wait. SQLite has one writer anyway.
    """
    if connection.features.has_select_for_update:
        User.objects.select_for_update(no_key=True).values_list("pk").get(pk=user.pk)


def rates_require(user: User, *, problem_id: int) -> None:
    """Let a submission pass that is within the user's rates. The caller holds `student_lock`.

    Verifications of reference solutions do not count, everything else does, whatever came of it.

    Raises:
        SubmissionRateExceeded: too many within a minute; come back when the oldest of them leaves it.
        ProblemRateExceeded: too many to this problem within an hour; the same.
    """
    handed_in = Submission.objects.filter(user=user).exclude(purpose=Submission.Purpose.VERIFY)
    per_minute, per_hour = settings.EXECUTOR_SUBMISSIONS_PER_MINUTE, settings.EXECUTOR_SUBMISSIONS_PER_PROBLEM_HOUR
    for rate in (
        _Rate(
            handed_in=handed_in,
            most=per_minute,
            window=MINUTE,
            refusal=SubmissionRateExceeded,
            detail=f"You may hand in {per_minute} programs a minute.",
        ),
        _Rate(
            handed_in=handed_in.filter(problem=problem_id),
            most=per_hour,
            window=HOUR,
            refusal=ProblemRateExceeded,
            detail=f"You may hand in {per_hour} programs an hour to one problem.",
        ),
    ):
        _rate_require(rate)


def pending_require(standing: Standing) -> None:
    """Let a submission pass whose student, standing so, has room for another one. The caller holds `student_lock`.

    Raises:
        TooManyPending: come back when the first of them is judged, as far as one can tell.
    """
    most = settings.EXECUTOR_PENDING_PER_STUDENT
    if standing.pending + standing.judging < most:
        return
    ahead = 0
    if not standing.judging and standing.first_start is not None:
        ahead = live_pending().filter(virtual_start__lt=standing.first_start).count()
    raise TooManyPending(
        f"You may have {most} submissions waiting for their verdict; wait until one of them is judged.",
        retry_after_s=retry_seconds(ahead + 1),
    )


def _rate_require(rate: _Rate) -> None:
    newest_first = rate.handed_in.order_by("-pk").values_list("created_at", flat=True)
    leaving = newest_first[rate.most - 1 : rate.most].first()
    if leaving is None:
        return
    left_s = (leaving + rate.window - timezone.now()).total_seconds()
    if left_s > 0:
        # A clock that was put back must not lock anybody out.
        raise rate.refusal(rate.detail, retry_after_s=ceil(min(left_s, rate.window.total_seconds())))
