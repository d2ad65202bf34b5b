"""What courses refuse, each with its own stable code."""

from core.errors import Conflict


class ProblemInUse(Conflict):
    """Marks are never deleted with something else (law 9): archive the problem instead."""

    code = "problem_in_use"
    title = "The problem has submissions"


class AlreadyPlaced(Conflict):
    """A problem stands at most once in a chapter; move it instead."""

    code = "already_placed"
    title = "The problem is in this chapter already"


class AlreadyEnrolled(Conflict):
    """One user has one place in a course; change its role instead."""

    code = "already_enrolled"
    title = "This user is enrolled already"
