"""Small courses for Hypothesis: few nodes, so that requirements often meet."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st

from courses.rules.unlocking import Chapter, Node, Problem, RequiresMode
from tests.courses.rules.naive_unlocking import Course

NOW = datetime(2027, 3, 1, 12, tzinfo=UTC)

_ids = st.integers(1, 5)
# 6 does not exist.
_nodes = st.tuples(st.sampled_from(["chapter", "problem"]), st.integers(1, 6))
_dates = st.none() | st.integers(-2, 2).map(lambda hours: NOW + timedelta(hours=hours))
_common = {
    "is_visible": st.sampled_from([True, True, True, False]),
    "unlock_at": _dates,
    "requires_mode": st.sampled_from(RequiresMode),
    "requirements": st.lists(_nodes, max_size=3, unique=True).map(tuple),
}


@st.composite
def courses(draw: st.DrawFn) -> Course:
    chapter_ids = draw(st.lists(st.integers(1, 4), unique=True, max_size=4))
    chapters = [Chapter(id=each, **{name: draw(made) for name, made in _common.items()}) for each in chapter_ids]
    around = st.lists(st.sampled_from(chapter_ids), unique=True, max_size=2) if chapter_ids else st.just([])
    problems = [
        Problem(id=each, chapter_ids=tuple(draw(around)), **{name: draw(made) for name, made in _common.items()})
        for each in draw(st.lists(_ids, unique=True, max_size=5))
    ]
    return chapters, problems


def without_dates(course: Course) -> Course:
    chapters, problems = course
    return [replace(row, unlock_at=None) for row in chapters], [replace(row, unlock_at=None) for row in problems]


def requirements_of(course: Course) -> list[tuple[Node, Node]]:
    chapters, problems = course
    return [
        *((("chapter", row.id), required) for row in chapters for required in row.requirements),
        *((("problem", row.id), required) for row in problems for required in row.requirements),
    ]


def placements_of(course: Course) -> list[tuple[int, int]]:
    return [(chapter_id, problem.id) for problem in course[1] for chapter_id in problem.chapter_ids]
