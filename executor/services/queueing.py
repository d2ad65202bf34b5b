"""Where a judgement stands in the queue: a place that is given once, when it is queued, and is fair.

Live judgements are taken by the lowest virtual start. It begins at the front of the queue, since nobody is paid for
having been idle, and goes back by one for each of the same organization that waits and whose student had as little
waiting: organizations take turns, and so do students inside of one. A student's next program stands `OWN_STEP` behind
the one before, and others fit in between. A flood so waits for itself more than others wait for it, and comes through
nonetheless: whatever is handed in later stands behind the front, which moves on until it has reached every place.
"""

from dataclasses import dataclass

from executor.errors import QueueFull
from executor.models import Judgement
from executor.selectors.queue import QueueStatus, estimated_wait_seconds, live_pending, queue_status

# How far behind a student's own last one the next stands. The farther, the less a flood delays those who keep coming;
# at 1 it would get as much as all the others of its organization together, and their queue would grow.
OWN_STEP = 10
# Among what is no live work, authors wait for verifications; rejudges have time.
VERIFICATION_START, REJUDGE_START = 0, 1
RETRY_MAX_S = 60
# Who was refused comes back when so much of the queue has gone: not for the first place that is free.
RETRY_SHARE = 0.01


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What one student has in the live lane, and how far that is: from one statement, so that it fits together.

    `front` is the highest virtual start of those that are judged now, whoever's they are; None where none is.
    """

    pending: int
    judging: int
    first_start: int | None
    last_start: int | None
    front: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A place in the live lane, and how many of the student's wait before it."""

    virtual_start: int
    turn: int


def capacity_require() -> None:
    """Let a submission pass while there is room in the queue.

    No lock is taken for this: everybody would wait for everybody. Requests that are worked on at the same moment may
    therefore exceed the capacity, by as many as there are of them.

    Raises:
        QueueFull: come back when some of it is judged.
    """
    pending = live_pending().count()
    if queue_status(pending) is QueueStatus.FULL:
        detail = "Too many submissions are waiting to be judged; nothing was stored. Hand in again in a moment."
        raise QueueFull(detail, retry_after_s=retry_seconds(max(1, int(pending * RETRY_SHARE))))


def retry_seconds(position: int) -> int:
    """When so many will have been judged, from 1 to `RETRY_MAX_S` seconds from now."""
    return min(RETRY_MAX_S, estimated_wait_seconds(position))


def standing_of(student_id: int) -> Standing:
    """How a student stands in the live lane now."""
    columns = ("state", "student_id", "virtual_start")
    running = Judgement.objects.filter(state=Judgement.State.CLAIMED, lane=Judgement.Lane.LIVE)
    own = live_pending().filter(student_id=student_id)
    # One statement, two indexes: what a worker takes or gives back meanwhile is in one of the two, and in one only.
    rows = list(own.order_by().values_list(*columns).union(running.order_by().values_list(*columns), all=True))
    starts = [start for state, _, start in rows if state == Judgement.State.PENDING]
    return Standing(
        pending=len(starts),
        judging=sum(state == Judgement.State.CLAIMED and owner == student_id for state, owner, _ in rows),
        first_start=min(starts, default=None),
        last_start=max(starts, default=None),
        front=max((start for state, _, start in rows if state == Judgement.State.CLAIMED), default=None),
    )


def place_of(standing: Standing, *, organization_id: int) -> Place:
    """The place of what a student of this standing hands in next, for a course of this organization."""
    ahead = live_pending().filter(organization_id=organization_id, turn__lte=standing.pending).count()
    front = standing.front if standing.front is not None else _front_of_pending()
    return Place(
        virtual_start=virtual_start(front=front, ahead=ahead, own_last=standing.last_start), turn=standing.pending
    )


def virtual_start(*, front: int, ahead: int, own_last: int | None) -> int:
    """Behind `ahead` others of the organization, and `OWN_STEP` behind one's own last one."""
    return front + ahead if own_last is None else max(front + ahead, own_last + OWN_STEP)


def _front_of_pending() -> int:
    """Where the queue begins while nothing is judged.

    What came back after a fault stands where it stood, maybe long ago: it counts only where nothing else waits, for
    otherwise whoever comes now would be put before those who wait.
    """
    for waiting in (live_pending().filter(faults=0), live_pending()):
        first = waiting.order_by("virtual_start", "pk").values_list("virtual_start", flat=True).first()
        if first is not None:
            return first
    return 0
