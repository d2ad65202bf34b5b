"""A problem and its tests changed as one act: what an author saves on one page, or in one row of a table."""

from collections.abc import Mapping
from typing import Any

from django.db import transaction

from accounts.models import User
from courses.errors import VersionConflict
from courses.models import Problem
from courses.selectors import current_test_set
from courses.services.problem import problem_lock, problem_update
from courses.services.testset import SetSpec, version_build, version_save
from courses.services.testset_edit import current_spec


@transaction.atomic
def problem_rewrite(
    *,
    actor: User | None,
    problem_id: int,
    changes: Mapping[str, Any],
    tests: SetSpec | None = None,
    based_on: int | None = None,
) -> Problem:
    """Change a problem, as `problem_update` does, and its tests where they are others than the current ones.

    What is published goes back to draft on the way, since its tests must fit at every step; nobody sees that. The
    checker in `tests` has been compiled by the caller, before any lock. `based_on` is the version the caller saw.

    Raises:
        NotFound: there is no such problem.
        VersionConflict: the tests are to be others, and the current version is another one than `based_on`.
        InvalidInput: as `problem_update` and `testset_create`; nothing is changed then.
    """
    problem = problem_lock(problem_id)
    if tests is None or current_spec(problem) == tests:
        return problem_update(actor=actor, problem_id=problem_id, **changes)
    current = current_test_set(problem)
    if based_on is not None and (current is None or current.version != based_on):
        raise VersionConflict("Somebody gave the problem other tests meanwhile.")
    status = changes.get("status", problem.status)
    is_published = status == Problem.Status.PUBLISHED
    meanwhile = {**changes, "status": Problem.Status.DRAFT} if is_published else changes
    problem = problem_update(actor=actor, problem_id=problem_id, **meanwhile)
    version_save(actor, version_build(problem, tests))
    return problem_update(actor=actor, problem_id=problem_id, status=status) if is_published else problem
