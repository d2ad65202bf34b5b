"""Keys of places: whatever is inserted or moved, the list stays in the order that people gave it."""

from collections.abc import Callable
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core import ordering
from core.ordering import DIGITS, KEY_MAX, key_between, keys_between, needs_rebalancing

# A slow machine is no failure, and what one run found does not change the next.
UNTIMED = settings(deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow])
# Each number says where among the present places the next thing goes.
PLACES = st.lists(st.integers(min_value=0, max_value=10_000), max_size=150)


def key_at(keys: list[str], place: int) -> str:
    """A key for a thing that is put before `keys[place]`, or last."""
    return key_between(keys[place - 1] if place else None, keys[place] if place < len(keys) else None)


def is_ascending(keys: list[str]) -> bool:
    return all(a < b for a, b in pairwise(keys)) and sorted(keys, key=str.encode) == keys


def insert_at(places: list[int]) -> list[str]:
    keys: list[str] = []
    for number in places:
        place = number % (len(keys) + 1)
        key = key_at(keys, place)
        neighbors = [*keys[max(place - 1, 0) : place], *keys[place : place + 1]]
        assert len(key) <= 1 + max(map(len, neighbors), default=1)
        keys.insert(place, key)
    return keys


class TestOrder:
    @UNTIMED
    @given(places=PLACES)
    def test_any_insertions_keep_a_total_order(self, places: list[int]) -> None:
        keys = insert_at(places)
        assert is_ascending(keys)
        assert len(set(keys)) == len(keys)

    @UNTIMED
    @given(count=st.integers(2, 30), moves=st.lists(st.tuples(st.integers(0, 29), st.integers(0, 29)), max_size=100))
    def test_any_moves_keep_the_order_that_was_asked_for(self, count: int, moves: list[tuple[int, int]]) -> None:
        things = [(key, name) for name, key in enumerate(keys_between(None, None, count))]
        wanted = list(range(count))
        for origin, target in moves:
            _, name = things.pop(origin % count)
            wanted.remove(name)
            place = target % count
            things.insert(place, (key_at([key for key, _ in things], place), name))
            wanted.insert(place, name)
        assert [name for _, name in sorted(things)] == wanted

    @UNTIMED
    @given(places=PLACES)
    def test_no_key_ends_in_the_lowest_digit(self, places: list[int]) -> None:
        assert not any(key.endswith(DIGITS[0]) for key in insert_at(places))

    @UNTIMED
    @given(places=st.lists(st.integers(0, 10_000), min_size=2, max_size=80), count=st.integers(0, 100))
    def test_many_at_once_fit_between_any_two(self, places: list[int], count: int) -> None:
        keys = insert_at(places)
        for before, after in [(None, keys[0]), *pairwise(keys), (keys[-1], None)]:
            new = keys_between(before, after, count)
            assert len(new) == count
            assert is_ascending([each for each in (before, *new, after) if each is not None])

    def test_it_notices_a_middle_that_lies_too_high(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Control: with a midpoint that forgets its upper bound the order breaks, and the test above sees it."""
        real: Callable[[str, str | None], str] = ordering._middle
        monkeypatch.setattr(ordering, "_middle", lambda low, high: real(low, None))
        keys = ["a1", "a2"]
        for _ in range(3):
            keys.insert(1, key_at(keys, 1))
        assert not is_ascending(keys)


class TestLength:
    @pytest.mark.parametrize("at_end", [True, False], ids=["append", "prepend"])
    def test_ten_thousand_at_one_end_stay_short(self, at_end: bool) -> None:
        key, longest = None, 0
        for _ in range(10_000):
            key = key_between(key, None) if at_end else key_between(None, key)
            longest = max(longest, len(key))
        # 61 + 61² keys have up to two digits, and 61³ more have three.
        assert longest == 4

    @UNTIMED
    @given(sides=st.lists(st.booleans(), max_size=400))
    def test_insertions_into_one_gap_cost_a_character_for_five(self, sides: list[bool]) -> None:
        low, high = "a1", "a2"
        for side in sides:
            key = key_between(low, high)
            low, high = (key, high) if side else (low, key)
        assert max(len(low), len(high)) <= 3 + len(sides) / 5

    def test_many_at_once_are_spread_evenly(self) -> None:
        # Two digits of a fraction could hold 3,843 keys; halving reaches within one of that.
        assert max(map(len, keys_between("a1", "a2", 1000))) <= len("a1") + 3
        assert max(map(len, keys_between(None, None, 1000))) == 3

    def test_a_full_column_is_noticed_and_rebalancing_helps(self) -> None:
        keys = ["a1", "a2"]
        while not needs_rebalancing(key := key_at(keys, 1)):
            keys.insert(1, key)
        assert len(keys) > 900
        assert len(key) == KEY_MAX + 1
        assert not any(needs_rebalancing(each) for each in keys)
        assert max(map(len, keys_between(None, None, len(keys)))) <= 4


class TestRefusals:
    @pytest.mark.parametrize(
        ("before", "after"),
        [
            pytest.param("a2", "a1", id="wrong way round"),
            pytest.param("a1", "a1", id="the same"),
            pytest.param("b", None, id="integer cut off"),
            pytest.param("", None, id="empty before"),
            pytest.param(None, "", id="empty after"),
            pytest.param("a0", None, id="lowest digit in an integer"),
            pytest.param("a1V0", None, id="fraction ends in the lowest digit"),
            pytest.param("a1-", None, id="foreign character"),
            pytest.param("a1\n", None, id="line break at the end"),
            pytest.param("á1", None, id="no ASCII"),
            pytest.param(None, "11", id="no head"),
            pytest.param(None, "A" + "1" * 26, id="nothing lies before the first of all"),
        ],
    )
    def test_what_has_no_key_between_is_refused(self, before: str | None, after: str | None) -> None:
        with pytest.raises(ValueError, match=r".+"):
            key_between(before, after)

    def test_a_negative_count_is_refused(self) -> None:
        with pytest.raises(ValueError, match="negative"):
            keys_between(None, None, -1)

    def test_after_the_last_of_all_come_its_fractions(self) -> None:
        last = "z" * 27
        keys = [last, *keys_between(last, None, 50)]
        assert is_ascending(keys)
        assert all(key.startswith(last) for key in keys)

    def test_zero_is_crossed_both_ways(self) -> None:
        assert key_between(None, "a1") == "Zz"
        assert key_between("Zz", None) == "a1"
        assert key_between("Zz", "a1") == "ZzV"
