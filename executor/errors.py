"""What the executor's services refuse besides what each says itself."""

from core.errors import Conflict, TooManyRequests


class SolutionsFull(Conflict):
    """Each change of the tests judges all reference solutions again, so a problem has only so many."""

    code = "solutions_full"
    title = "The problem has as many reference solutions as it may"


class QueueFull(TooManyRequests):
    """As many submissions wait to be judged as may."""

    code = "queue_full"
    title = "The judging queue is full"


class TooManyPending(TooManyRequests):
    """One student's share of the queue."""

    code = "too_many_pending"
    title = "You have as many submissions waiting as you may"


class SubmissionRateExceeded(TooManyRequests):
    code = "submission_rate_exceeded"
    title = "You have handed in as much as you may for now"


class ProblemRateExceeded(TooManyRequests):
    code = "problem_rate_exceeded"
    title = "You have handed in to this problem as often as you may for now"


class VerificationNotRejudged(Conflict):
    """What verifies a reference solution is no submission of anybody's."""

    code = "verification_not_rejudged"
    title = "This verifies a reference solution"
