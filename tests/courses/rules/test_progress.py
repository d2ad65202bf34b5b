"""Progress: a fold over results."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from courses.rules.lateness import LateKind, LatePolicy
from courses.rules.progress import ProgressFold, ProgressStatus, Result, fold

DUE = datetime(2027, 3, 1, tzinfo=UTC)
DAY = timedelta(days=1)
TEN = LatePolicy(kind=LateKind.PER_DAY, percent_per_day=Decimal(10))

results = st.lists(
    st.builds(
        Result,
        key=st.integers(0, 10**6),
        received_at=st.integers(-10, 10).map(lambda half_days: DUE + half_days * DAY / 2),
        score=st.decimals(min_value=0, max_value=100, places=2),
        is_accepted=st.booleans(),
        time_ms=st.none() | st.integers(0, 60_000),
    ),
    unique_by=lambda result: result.key,
    max_size=12,
)


def result(key: int, day: float, score: str, *, accepted: bool = False, time_ms: int | None = None) -> Result:
    return Result(key=key, received_at=DUE + day * DAY, score=Decimal(score), is_accepted=accepted, time_ms=time_ms)


class TestFold:
    def test_nothing(self) -> None:
        assert fold([], due_at=DUE, policy=TEN) == ProgressFold(
            status=ProgressStatus.NOT_STARTED,
            attempts=0,
            best_score=Decimal(0),
            credited_score=Decimal(0),
            best_time_ms=None,
            first_at=None,
            last_at=None,
            solved_at=None,
        )

    def test_tried(self) -> None:
        folded = fold([result(1, -2, "40", time_ms=10), result(2, -1, "30")], due_at=DUE, policy=TEN)
        assert folded == ProgressFold(
            status=ProgressStatus.IN_PROGRESS,
            attempts=2,
            best_score=Decimal(40),
            credited_score=Decimal(40),
            best_time_ms=None,  # of what was not accepted, nobody cares how fast it was
            first_at=DUE - 2 * DAY,
            last_at=DUE - DAY,
            solved_at=None,
        )

    def test_solved_late(self) -> None:
        folded = fold(
            [
                result(1, -1, "80", time_ms=1),
                result(2, 2.5, "100", accepted=True, time_ms=70),
                result(3, 1.5, "100", accepted=True, time_ms=90),
                result(4, 5, "10"),
            ],
            due_at=DUE,
            policy=TEN,
        )
        assert folded == ProgressFold(
            status=ProgressStatus.SOLVED,
            attempts=4,
            best_score=Decimal(100),
            credited_score=Decimal(80),  # in time; and 80 of the 100 that came in the second day
            best_time_ms=70,
            first_at=DUE - DAY,
            last_at=DUE + 5 * DAY,
            solved_at=DUE + 1.5 * DAY,
        )

    def test_the_best_credit_need_not_be_that_of_the_best_score(self) -> None:
        folded = fold([result(1, -1, "70"), result(2, 5, "100", accepted=True)], due_at=DUE, policy=TEN)
        assert (folded.best_score, folded.credited_score) == (100, 70)

    def test_accepted_without_a_time(self) -> None:
        folded = fold([result(1, 0, "100", accepted=True)], due_at=None, policy=TEN)
        assert (folded.best_time_ms, folded.solved_at) == (None, DUE)

    def test_one_key_is_one_result(self) -> None:
        once = result(1, 0, "50")
        assert fold([once, replace(once)], due_at=None, policy=TEN).attempts == 1
        assert fold([once, replace(once, key=2)], due_at=None, policy=TEN).attempts == 2
        with pytest.raises(ValueError, match="one key"):
            fold([once, replace(once, score=Decimal(51))], due_at=None, policy=TEN)


class TestOrder:
    @given(results, st.randoms(use_true_random=False))
    def test_it_does_not_matter(self, rows: list[Result], random: Any) -> None:
        shuffled = random.sample(rows, len(rows))
        assert fold(shuffled, due_at=DUE, policy=TEN) == fold(rows, due_at=DUE, policy=TEN)

    @given(results, st.integers(0, 12))
    def test_more_work_never_takes_away(self, rows: list[Result], cut: int) -> None:
        before, after = (fold(some, due_at=DUE, policy=TEN) for some in (rows[:cut], rows))
        assert before.attempts <= after.attempts
        assert before.best_score <= after.best_score
        assert before.credited_score <= after.credited_score <= after.best_score
        assert not (before.status == ProgressStatus.SOLVED != after.status)
        if before.solved_at is not None:
            assert after.solved_at is not None
            assert after.solved_at <= before.solved_at

    @given(results)
    def test_the_parts_agree(self, rows: list[Result]) -> None:
        folded = fold(iter(rows), due_at=DUE, policy=TEN)
        assert folded.attempts == len(rows)
        assert (folded.status == ProgressStatus.NOT_STARTED) == (folded.first_at is None) == (not rows)
        assert (folded.status == ProgressStatus.SOLVED) == (folded.solved_at is not None)
