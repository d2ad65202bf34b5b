"""What the executor's services refuse besides what each says itself."""

from core.errors import Conflict


class SolutionsFull(Conflict):
    """Each change of the tests judges all reference solutions again, so a problem has only so many."""

    code = "solutions_full"
    title = "The problem has as many reference solutions as it may"
