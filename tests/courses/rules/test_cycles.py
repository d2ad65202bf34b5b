"""Whether anything in a course waits for itself."""

from collections.abc import Callable
from itertools import pairwise

import pytest
from hypothesis import assume, given

from courses.rules import cycles
from courses.rules.cycles import cycle_in
from courses.rules.unlocking import Chapter, Node, Problem
from tests.courses.rules.courses import NOW, courses, placements_of, requirements_of, without_dates
from tests.courses.rules.naive_unlocking import Course, is_seen, solved_in_the_end


def node(name: str) -> Node:
    """`node("c1")`, `node("p1")`."""
    return ("chapter" if name[0] == "c" else "problem", int(name[1:]))


def found(text: str) -> list[Node] | None:
    """`found("c2>c1 c1:p1")`: the cycle where c2 requires c1, and p1 stands in c1."""
    words = text.split()
    requirements = [word.split(">") for word in words if ">" in word]
    placements = [word.split(":") for word in words if ":" in word]
    return cycle_in(
        [(node(waiting), node(required)) for waiting, required in requirements],
        [(int(chapter[1:]), int(problem[1:])) for chapter, problem in placements],
    )


class TestKnownCourses:
    @pytest.mark.parametrize(
        "text",
        [
            "",
            "p2>p1",
            "c1:p1 c1:p2 p2>p1",
            "c2>c1 c1:p1 c2:p2",
            "c2>p1 c1:p1 c2:p2",
            "p2>c1 c1:p1 c2:p2",
            "c1:p1 c2:p1",
            "p3>p1 p3>p2 p2>p1",
            "c3>c1 c3>c2 c2>c1 c1:p1 c2:p2 c3:p3",
        ],
    )
    def test_nothing_waits_for_itself(self, text: str) -> None:
        assert found(text) is None

    @pytest.mark.parametrize(
        ("text", "cycle"),
        [
            ("p1>p1", "p1"),
            ("c1>c1", "c1"),
            ("p1>p2 p2>p1", "p1 p2"),
            ("c1>p1 c1:p1", "c1 p1"),
            ("p1>c1 c1:p1", "p1 c1"),
            ("c1>c2 c2>c1", "c1 c2"),
            ("c1>c2 c2>c1 c1:p1 c2:p2", "c1 c2"),
            ("c1>p2 c2>p1 c1:p1 c2:p2", "c1 p2 c2 p1"),
            ("c2>c1 c1:p1 p1>p2 c2:p2", "c2 c1 p1 p2"),
            ("p9>p1 p1>p2 p2>p3 p3>p1", "p1 p2 p3"),
            # Cautious: p1 could be had through c1 alone, but not if c1 were hidden and something required p1.
            ("c2>c1 c1:p1 c2:p1", "c2 c1 p1"),
        ],
    )
    def test_the_cycle_is_named(self, text: str, cycle: str) -> None:
        names = [node(name) for name in cycle.split()]
        given_cycle = found(text)
        assert given_cycle is not None
        # It may begin anywhere.
        start = given_cycle.index(names[0])
        assert given_cycle[start:] + given_cycle[:start] == names


def waits(course: Course) -> set[tuple[Node, Node]]:
    """Who waits directly for whom: by requirement, by standing in a chapter, and by having a problem in it."""
    placements: list[tuple[Node, Node]] = [
        (("chapter", one), ("problem", other)) for one, other in placements_of(course)
    ]
    return {*requirements_of(course), *placements, *((problem, chapter) for chapter, problem in placements)}


def drains(course: Course) -> bool:
    """Whether all can be crossed out one by one, each when nothing that it waits for is left."""
    left: dict[object, set[object]] = {}
    chapters = {pair[0] for pair in placements_of(course)}
    for waiting, required in requirements_of(course):
        chapters.update(number for kind, number in (waiting, required) if kind == "chapter")
        left.setdefault(waiting, set()).add(("full", required[1]) if required[0] == "chapter" else required)
    for number in chapters:
        left.setdefault(("full", number), set()).add(("chapter", number))
    for chapter_id, problem_id in placements_of(course):
        left.setdefault(("full", chapter_id), set()).add(("problem", problem_id))
        left.setdefault(("problem", problem_id), set()).add(("chapter", chapter_id))
    while True:
        free = [point for point, needs in left.items() if not needs & left.keys()]
        if not free:
            return not left
        for point in free:
            del left[point]


class TestAnyCourse:
    @given(courses())
    def test_a_cycle_is_found_exactly_where_not_all_can_be_crossed_out(self, course: Course) -> None:
        assert (cycle_in(requirements_of(course), placements_of(course)) is None) == drains(course)

    @given(courses())
    def test_what_is_told_is_a_cycle(self, course: Course) -> None:
        cycle = cycle_in(requirements_of(course), placements_of(course))
        assume(cycle is not None)
        assert cycle
        assert len(set(cycle)) == len(cycle)
        assert set(pairwise([*cycle, cycle[0]])) <= waits(course)


def check_everything_can_be_reached(course: Course, cycle_of: Callable[..., list[Node] | None]) -> None:
    """Whatever is hidden, in any mode: who solves what is open has, in the end, solved all that is seen."""
    course = without_dates(course)
    is_refused = cycle_of(requirements_of(course), placements_of(course)) is not None
    seen = {row.id for row in course[1] if is_seen(course, ("problem", row.id))}
    assert is_refused or solved_in_the_end(course, NOW) == seen


class TestPromise:
    @given(courses())
    def test_without_a_cycle_everything_can_be_reached(self, course: Course) -> None:
        check_everything_can_be_reached(course, cycle_in)

    def test_control_without_the_check_something_waits_for_ever(self) -> None:
        course: Course = (
            [],
            [Problem(id=1, requirements=(("problem", 2),)), Problem(id=2, requirements=(("problem", 1),))],
        )
        with pytest.raises(AssertionError):
            check_everything_can_be_reached(course, lambda requirements, placements: None)

    def test_control_so_it_does_if_being_placed_did_not_count(self) -> None:
        course: Course = ([Chapter(id=1, requirements=(("problem", 1),))], [Problem(id=1, chapter_ids=(1,))])
        with pytest.raises(AssertionError):
            check_everything_can_be_reached(course, lambda requirements, placements: cycle_in(requirements, []))

    def test_control_and_if_one_of_several_chapters_were_enough(self) -> None:
        """Chapter 1 is hidden: chapter 2 waits for problem 2, that for problem 1, and that for chapter 2."""
        course: Course = (
            [Chapter(id=1, is_visible=False), Chapter(id=2, requirements=(("problem", 2),))],
            [Problem(id=1, chapter_ids=(1, 2)), Problem(id=2, requirements=(("problem", 1),))],
        )
        with pytest.raises(AssertionError):
            check_everything_can_be_reached(
                course, lambda requirements, placements: cycle_in(requirements, placements[:1])
            )


DEPTH = 10_000
CHAIN: list[tuple[Node, Node]] = [(("problem", number), ("problem", number + 1)) for number in range(DEPTH)]


class TestDeepCourses:
    def test_a_long_chain(self) -> None:
        assert cycle_in(CHAIN, []) is None
        cycle = cycle_in([*CHAIN, (("problem", DEPTH), ("problem", 0))], [])
        assert cycle is not None
        assert len(cycle) == DEPTH + 1

    def test_a_long_chain_of_chapters(self) -> None:
        requirements: list[tuple[Node, Node]] = [(("chapter", n), ("chapter", n + 1)) for n in range(DEPTH)]
        placements = [(number, number) for number in range(DEPTH + 1)]
        assert cycle_in(requirements, placements) is None
        cycle = cycle_in([*requirements, (("chapter", DEPTH), ("chapter", 0))], placements)
        assert cycle is not None
        assert sorted(cycle) == [("chapter", number) for number in range(DEPTH + 1)]

    def test_control_calls_within_calls_would_not_do(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def visit(waits_for: dict[object, list[object]], point: object) -> None:
            for following in waits_for.get(point, ()):
                visit(waits_for, following)

        monkeypatch.setattr(cycles, "_cycle_of", lambda waits_for: visit(waits_for, next(iter(waits_for))))
        with pytest.raises(RecursionError):
            self.test_a_long_chain()

    def test_many_ways_to_one_place_are_walked_once(self) -> None:
        """Layers of two, each requiring both of the next: 2 to the power of 200 ways."""
        requirements: list[tuple[Node, Node]] = [
            (("problem", 2 * layer + one), ("problem", 2 * layer + 2 + other))
            for layer in range(200)
            for one in (0, 1)
            for other in (0, 1)
        ]
        assert cycle_in(requirements, []) is None
