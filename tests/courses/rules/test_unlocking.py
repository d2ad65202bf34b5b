"""What is open in a course, why not, until when that holds, and what comes next."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from courses.rules import unlocking
from courses.rules.unlocking import (
    Chapter,
    LockState,
    Node,
    Problem,
    Reason,
    ReasonCode,
    RequiresMode,
    lock_states,
    next_opening,
    next_problem,
)
from tests.courses.rules import naive_unlocking
from tests.courses.rules.courses import NOW, courses
from tests.courses.rules.naive_unlocking import Course

HOUR = timedelta(hours=1)
TICK = timedelta(microseconds=1)
ANY = RequiresMode.ANY


def chapter(number: int, *requirements: Node, **fields: Any) -> Chapter:
    return Chapter(id=number, requirements=requirements, **fields)


def problem(number: int, *requirements: Node, stands_in: tuple[int, ...] = (), **fields: Any) -> Problem:
    return Problem(id=number, chapter_ids=stands_in, requirements=requirements, **fields)


def c(number: int) -> Node:
    return ("chapter", number)


def p(number: int) -> Node:
    return ("problem", number)


def states(*rows: Chapter | Problem, solved: Sequence[int] = (), now: datetime = NOW) -> dict[Node, LockState]:
    return lock_states(
        chapters=[row for row in rows if isinstance(row, Chapter)],
        problems=[row for row in rows if isinstance(row, Problem)],
        solved=solved,
        now=now,
    )


def reasons(code: ReasonCode, *missing: Node, opens_at: datetime | None = None) -> tuple[Reason, ...]:
    return (Reason(code=code, missing=missing, opens_at=opens_at),)


class TestRequirements:
    ROWS = (problem(1), problem(2), problem(3, p(1), p(2)), problem(4, p(1), p(2), requires_mode=ANY))

    @pytest.mark.parametrize(
        ("solved", "of_all", "of_any"),
        [
            ([], reasons(ReasonCode.REQUIRES_ALL, p(1), p(2)), reasons(ReasonCode.REQUIRES_ANY, p(1), p(2))),
            ([2], reasons(ReasonCode.REQUIRES_ALL, p(1)), ()),
            ([1, 2], (), ()),
        ],
    )
    def test_all_or_any(self, solved: list[int], of_all: tuple[Reason, ...], of_any: tuple[Reason, ...]) -> None:
        found = states(*self.ROWS, solved=solved)
        assert (found[p(3)].reasons, found[p(4)].reasons) == (of_all, of_any)
        assert (found[p(3)].is_unlocked, found[p(4)].is_unlocked) == (not of_all, not of_any)

    @pytest.mark.parametrize("mode", RequiresMode)
    def test_none_are_met(self, mode: RequiresMode) -> None:
        assert states(problem(1, requires_mode=mode))[p(1)].is_unlocked

    def test_a_chapter_is_complete_with_all_its_visible_problems(self) -> None:
        rows = (
            chapter(1),
            chapter(2, c(1)),
            problem(1, stands_in=(1,)),
            problem(2, stands_in=(1, 2)),
            problem(3, stands_in=(1,), is_visible=False),
        )
        assert states(*rows, solved=[1])[c(2)].reasons == reasons(ReasonCode.REQUIRES_ALL, c(1))
        assert states(*rows, solved=[1, 2])[c(2)].is_unlocked

    def test_a_chapter_can_be_complete_while_it_is_locked(self) -> None:
        rows = (chapter(1, unlock_at=NOW + HOUR), problem(1, stands_in=(1,)), problem(2, c(1)))
        assert states(*rows, solved=[1])[p(2)].is_unlocked

    def test_an_empty_chapter_is_complete(self) -> None:
        assert states(chapter(1), problem(1, c(1)))[p(1)].is_unlocked

    @pytest.mark.parametrize("mode", RequiresMode)
    @pytest.mark.parametrize(
        "row",
        [
            problem(1, is_visible=False),
            chapter(1, is_visible=False),
            problem(1, stands_in=(1,)),
            problem(9),
        ],
    )
    def test_nothing_waits_for_what_nobody_sees(self, row: Chapter | Problem, mode: RequiresMode) -> None:
        hidden: Node = c(1) if isinstance(row, Chapter) else p(1)
        others = [] if isinstance(row, Chapter) else [chapter(1, is_visible=False)]
        found = states(row, *others, problem(2, hidden, requires_mode=mode))
        assert found[p(2)].is_unlocked

    def test_not_even_if_what_is_in_it_is_seen_elsewhere(self) -> None:
        rows = (chapter(1, is_visible=False), chapter(2), problem(1, stands_in=(1, 2)), problem(2, c(1)))
        assert states(*rows)[p(2)].is_unlocked

    def test_what_is_hidden_is_not_told(self) -> None:
        rows = (problem(1), problem(2, is_visible=False), problem(3, p(1), p(2)))
        assert states(*rows)[p(3)].reasons == reasons(ReasonCode.REQUIRES_ALL, p(1))


class TestDates:
    @pytest.mark.parametrize(("opens_in", "is_unlocked"), [(-TICK, True), (0 * TICK, True), (TICK, False)])
    def test_half_open(self, opens_in: timedelta, is_unlocked: bool) -> None:
        opens_at = NOW + opens_in
        found = states(chapter(1, unlock_at=opens_at), problem(1, unlock_at=opens_at))
        expected = () if is_unlocked else reasons(ReasonCode.OPENS_AT, opens_at=opens_at)
        assert (found[c(1)].reasons, found[p(1)].reasons) == (expected, expected)

    def test_all_reasons_are_told(self) -> None:
        later = NOW + HOUR
        rows = (
            chapter(1, unlock_at=later),
            problem(1),
            problem(2, p(1), stands_in=(1,), unlock_at=later),
        )
        assert states(*rows)[p(2)].reasons == (
            *reasons(ReasonCode.REQUIRES_ALL, p(1)),
            *reasons(ReasonCode.OPENS_AT, opens_at=later),
            *reasons(ReasonCode.CHAPTER_LOCKED, c(1)),
        )


class TestChapters:
    LATER = chapter(1, unlock_at=NOW + HOUR)

    def test_a_problem_opens_with_any_of_its_chapters(self) -> None:
        inside = problem(1, stands_in=(1, 2))
        assert states(self.LATER, chapter(2), inside)[p(1)].is_unlocked
        both_locked = states(self.LATER, chapter(2, p(2)), inside, problem(2))
        assert both_locked[p(1)].reasons == reasons(ReasonCode.CHAPTER_LOCKED, c(1), c(2))

    def test_hidden_chapters_open_nothing_and_are_not_told(self) -> None:
        hidden = chapter(2, is_visible=False)
        assert states(self.LATER, hidden, problem(1, stands_in=(1, 2)))[p(1)].reasons == reasons(
            ReasonCode.CHAPTER_LOCKED, c(1)
        )
        assert states(hidden, problem(1, stands_in=(2,)))[p(1)].reasons == reasons(ReasonCode.CHAPTER_LOCKED)


def check_against_the_naive_model(course: Course, solved: set[int]) -> None:
    chapters, problems = course
    found = lock_states(chapters=chapters, problems=problems, solved=solved, now=NOW)
    assert found.keys() == {*(c(row.id) for row in chapters), *(p(row.id) for row in problems)}
    for node, state in found.items():
        assert state.is_unlocked == naive_unlocking.is_unlocked(course, node, solved, NOW), node
        for reason in state.reasons:
            assert all(naive_unlocking.is_seen(course, missing) for missing in reason.missing)
            if reason.code in (ReasonCode.REQUIRES_ALL, ReasonCode.REQUIRES_ANY):
                assert not any(naive_unlocking.is_met(course, missing, solved) for missing in reason.missing)


class TestAgainstTheNaiveModel:
    @given(courses(), st.sets(st.integers(1, 6)))
    def test_states(self, course: Course, solved: set[int]) -> None:
        check_against_the_naive_model(course, solved)

    EXAMPLE: Course = (
        [chapter(1), chapter(2, c(1))],
        [
            problem(1, stands_in=(1,)),
            problem(2, p(1), p(3), requires_mode=ANY, stands_in=(2,)),
            problem(3),
            problem(4, p(1), p(3)),
        ],
    )

    @pytest.mark.parametrize(
        ("name", "broken"),
        [
            ("RequiresMode", type("Swapped", (), {"ALL": RequiresMode.ANY, "ANY": RequiresMode.ALL})),
            ("_incomplete", lambda chapters, problems, solved: {p(row.id) for row in problems} - set(map(p, solved))),
            ("_own_reasons", lambda node, missing, now: ()),
        ],
    )
    def test_control_broken_rules_are_found(self, name: str, broken: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        check_against_the_naive_model(self.EXAMPLE, {3})
        monkeypatch.setattr(unlocking, name, broken)
        with pytest.raises(AssertionError):
            check_against_the_naive_model(self.EXAMPLE, {3})

    @given(courses(), st.sets(st.integers(1, 6)), st.integers(0, 3 * 60))
    def test_states_hold_until_the_next_opening(self, course: Course, solved: set[int], minutes: int) -> None:
        chapters, problems = course

        def at(now: datetime) -> dict[Node, LockState]:
            return lock_states(chapters=chapters, problems=problems, solved=solved, now=now)

        until = next_opening(chapters=chapters, problems=problems, now=NOW)
        later = NOW + minutes * timedelta(minutes=1)
        if until is None:
            assert at(later) == at(NOW)
        else:
            assert until > NOW
            assert at(min(later, until - TICK)) == at(NOW)


class TestNextOpening:
    def test_the_earliest_to_come(self) -> None:
        dates = [NOW - HOUR, NOW, NOW + 3 * HOUR, NOW + 2 * HOUR]
        rows = [problem(index, unlock_at=date) for index, date in enumerate(dates)]
        assert next_opening(chapters=[chapter(1)], problems=rows, now=NOW) == NOW + 2 * HOUR
        assert next_opening(chapters=[chapter(1, unlock_at=NOW + TICK)], problems=rows, now=NOW) == NOW + TICK
        assert next_opening(chapters=[], problems=rows[:2], now=NOW) is None


class TestNextProblem:
    ROWS: tuple[Chapter | Problem, ...] = (
        chapter(1),
        chapter(2),
        *(problem(number) for number in range(1, 7)),
        problem(7, p(1)),
    )
    PLACEMENTS = (("b", "a", 1), ("a", "b", 2), ("a", "b", 3), ("a", "b", 4), ("a", "a", 7), ("b", "b", 2))
    DIFFICULTY = {1: 1, 2: 3, 3: 2, 4: 2, 5: 2, 6: 1, 7: 1}

    def order(self, *, open_after: Sequence[int] = ()) -> list[int]:
        """The problems as a student gets them who solves each one offered."""
        solved = list(open_after)
        while True:
            offered = next_problem(
                placements=self.PLACEMENTS,
                states=states(*self.ROWS, solved=solved),
                solved=solved,
                difficulty=self.DIFFICULTY,
            )
            if offered is None:
                return solved[len(open_after) :]
            solved.append(offered)

    def test_the_authors_order_then_difficulty_then_id_then_those_in_no_chapter(self) -> None:
        # 7 would be first, but waits for 1; as soon as that is solved it comes before all the rest.
        assert self.order() == [3, 4, 2, 1, 7, 6, 5]
        assert self.order(open_after=[1]) == [7, 3, 4, 2, 6, 5]

    def test_only_what_the_student_sees(self) -> None:
        found = next_problem(placements=self.PLACEMENTS, states=states(*self.ROWS), solved=[], difficulty={5: 2, 6: 3})
        assert found == 5

    def test_nothing_left(self) -> None:
        assert self.order(open_after=range(1, 8)) == []


class TestManyNodes:
    def test_ten_thousand_in_a_chain(self) -> None:
        count = 10_000
        rows = [problem(1), *(problem(number, p(number - 1)) for number in range(2, count + 1))]
        found = states(*rows, solved=range(1, count))
        assert all(state.is_unlocked for state in found.values())
        assert [node for node, state in states(*rows, solved=[1]).items() if state.is_unlocked] == [p(1), p(2)]

    def test_hidden_ones_of_a_row_are_as_if_they_were_not_there(self) -> None:
        rows = [problem(number, p(number - 1), is_visible=number != 2) for number in range(1, 4)]
        assert states(*rows)[p(3)].is_unlocked
        assert not states(*(replace(row, is_visible=True) for row in rows))[p(3)].is_unlocked
