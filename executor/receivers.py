"""What the executor does when courses announce something; each runs in the transaction of what it is told of."""

from collections.abc import Mapping

from executor.services.reference_solutions import (
    problem_solutions_discard,
    problem_solutions_verify,
    solutions_copy,
)


def verify_solutions(*, problem_id: int, **kwargs: object) -> None:
    """Receiver of `problem_judging_changed`."""
    problem_solutions_verify(problem_id=problem_id)


def discard_solutions(*, problem_id: int, **kwargs: object) -> None:
    """Receiver of `problem_deleting`."""
    problem_solutions_discard(problem_id=problem_id)


def copy_solutions(*, actor_id: int, copies: Mapping[int, int], **kwargs: object) -> None:
    """Receiver of `problems_duplicated`."""
    solutions_copy(actor_id=actor_id, copies=copies)
