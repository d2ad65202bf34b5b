"""Which event comes next, and how it looks."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from events.wire import NOTHING_SEEN, Seen, Shown, event_of, event_text, seen_of


def shown(version: int, *items: Any, is_final: bool = False) -> Shown:
    return Shown(
        name="submission", version=version, data={"id": 7}, items=[{"number": n} for n in items], is_final=is_final
    )


def told(seen: Seen, what: Shown) -> tuple[str, str, Any] | None:
    event = event_of(seen, what)
    if event is None:
        return None
    name, number, data, *rest = event.text.split("\n")
    assert rest == ["", ""]
    assert number == f"id: {event.seen.version}.{event.seen.items}"
    return name.removeprefix("event: "), number.removeprefix("id: "), json.loads(data.removeprefix("data: "))


class TestNext:
    def test_who_knows_nothing_is_told_everything(self) -> None:
        everything = ("submission", "3.2", {"id": 7, "tests": [{"number": 1}, {"number": 2}]})
        assert told(NOTHING_SEEN, shown(3, 1, 2)) == everything
        assert told(Seen(version=2, items=2), shown(3, 1, 2)) == everything
        assert told(Seen(version=4, items=0), shown(3, 1, 2)) == everything

    def test_who_knows_the_version_is_told_the_new_items(self) -> None:
        assert told(Seen(version=3, items=1), shown(3, 1, 2, 3)) == (
            "progress",
            "3.3",
            {"tests": [{"number": 2}, {"number": 3}]},
        )

    def test_who_knows_all_is_told_nothing(self) -> None:
        assert told(Seen(version=3, items=2), shown(3, 1, 2)) is None
        # What was said of the progress is forgotten again.
        assert told(Seen(version=3, items=2), shown(3)) is None
        assert told(Seen(version=3, items=0), shown(3, 1, 2, is_final=True)) is None


class TestText:
    @pytest.mark.parametrize(("text", "seen"), [("0.0", (0, 0)), ("12.345", (12, 345))])
    def test_an_id_is_what_was_seen(self, text: str, seen: tuple[int, int]) -> None:
        assert seen_of(text) == Seen(version=seen[0], items=seen[1])

    @pytest.mark.parametrize("text", ["", "1", "1.", ".1", "-1.0", "1.1.1", "1.1 ", "١.١", "9" * 11 + ".0", "x", "\n"])
    def test_anything_else_is_nothing(self, text: str) -> None:
        assert seen_of(text) == NOTHING_SEEN

    @given(st.text())
    def test_what_a_program_prints_stays_in_its_line(self, printed: str) -> None:
        text = event_text("submission", {"stdout": printed}, seen=Seen(version=1, items=0))
        assert text.encode()
        lines = text.splitlines()
        assert len(lines) == 4
        assert json.loads(lines[2].removeprefix("data: ")) == {"stdout": printed}
