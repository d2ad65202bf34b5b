"""What courses announce to the apps above them, and what these may say in turn.

Signals are sent with send() inside the transaction that does it: a receiver that fails, fails it.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from django.dispatch import Signal

from courses.models import Problem

# A problem's programs could be judged otherwise from now on: it has other tests, or is called, limited or checked in
# another way. Argument: problem_id. The problem is locked.
problem_judging_changed = Signal()

# A problem is about to be deleted. Argument: problem_id. Its course is locked, and so is the problem.
problem_deleting = Signal()

# Problems were copied. Arguments: actor_id, copies (ids of copies by the ids of their originals).
problems_duplicated = Signal()


@dataclass(frozen=True, slots=True, kw_only=True)
class ProblemWarning:
    """What its staff should know of a problem before students meet it; it keeps nobody from publishing."""

    code: str
    detail: str


WarningSource = Callable[[Problem], Iterable[ProblemWarning]]
_sources: list[WarningSource] = []


def register_warning_source(source: WarningSource) -> None:
    """Ask `source` whenever staff look at a problem. For `AppConfig.ready()`; the same function counts once."""
    if source not in _sources:
        _sources.append(source)


def problem_warnings(problem: Problem) -> list[ProblemWarning]:
    """What the registered sources have to say of a problem."""
    return [warning for source in _sources for warning in source(problem)]
