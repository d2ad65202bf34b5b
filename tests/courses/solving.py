"""Students who have solved something."""

from datetime import datetime
from decimal import Decimal
from itertools import count

from django.utils import timezone

from accounts.models import User
from courses.models import Problem, ProgressResult
from courses.services import progress_record

_numbers = count(1)


def answered(user: User, problem: Problem, *, score: int = 100, received_at: datetime | None = None) -> None:
    """What becomes of a judged answer: 100 is accepted."""
    progress_record(
        user_id=user.pk,
        problem_id=problem.pk,
        source=ProgressResult.Source.ANSWER,
        source_id=next(_numbers),
        received_at=received_at or timezone.now(),
        score=Decimal(score),
        is_accepted=score == 100,
        time_ms=None,
    )
