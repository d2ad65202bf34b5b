"""Choice problems: keys, choices, and what they earn."""

from decimal import Decimal
from string import ascii_uppercase
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from courses.rules.choice import (
    OPTION_CHARS_MAX,
    OPTIONS_MAX,
    ChoiceKey,
    Scoring,
    choice_errors,
    grade_choice,
    key_errors,
    letters,
)
from tests.courses.rules.faults import told, wanted

MINUS = Scoring.RIGHT_MINUS_WRONG


def key(answers: str, *, options: int = 5, multiple: bool = True, scoring: Scoring = MINUS) -> ChoiceKey:
    return ChoiceKey(option_count=options, answers=frozenset(answers), is_multiple=multiple, scoring=scoring)


@st.composite
def keys(draw: st.DrawFn) -> ChoiceKey:
    count = draw(st.integers(2, OPTIONS_MAX))
    is_multiple = draw(st.booleans())
    answers = draw(st.sets(st.sampled_from(letters(count)), min_size=1, max_size=count if is_multiple else 1))
    return key("".join(answers), options=count, multiple=is_multiple, scoring=draw(st.sampled_from(Scoring)))


@st.composite
def keys_and_choices(draw: st.DrawFn) -> tuple[ChoiceKey, list[str]]:
    made = draw(keys())
    most = made.option_count if made.is_multiple else 1
    chosen = draw(st.lists(st.sampled_from(letters(made.option_count)), unique=True, max_size=most))
    return made, chosen


class TestGrading:
    @pytest.mark.parametrize(
        ("answers", "chosen", "fraction"),
        [
            ("ABC", "ABC", "1"),
            ("ABC", "CBA", "1"),
            ("ABC", "AB", "0.6666"),
            ("ABC", "A", "0.3333"),
            ("ABC", "ABD", "0.3333"),
            ("ABC", "ABCD", "0.6666"),
            ("ABC", "AD", "0"),
            ("ABC", "DE", "0"),
            ("ABC", "ABCDE", "0.3333"),
            ("ABC", "", "0"),
            ("A", "B", "0"),
        ],
    )
    def test_right_minus_wrong(self, answers: str, chosen: str, fraction: str) -> None:
        mark = grade_choice(key(answers), chosen)
        assert (mark.fraction, mark.is_correct) == (Decimal(fraction), fraction == "1")

    @pytest.mark.parametrize(
        ("chosen", "fraction"), [("AB", 1), ("BA", 1), ("A", 0), ("ABC", 0), ("C", 0), ("", 0), ("AC", 0)]
    )
    def test_all_or_nothing(self, chosen: str, fraction: int) -> None:
        mark = grade_choice(key("AB", scoring=Scoring.ALL_OR_NOTHING), chosen)
        assert (mark.fraction, mark.is_correct) == (Decimal(fraction), fraction == 1)

    @pytest.mark.parametrize("scoring", Scoring)
    def test_single(self, scoring: Scoring) -> None:
        single = key("C", multiple=False, scoring=scoring)
        assert [grade_choice(single, letter).fraction for letter in "ABCDE"] == [0, 0, 1, 0, 0]

    @given(keys_and_choices())
    def test_one_is_exactly_wholly_right(self, pair: tuple[ChoiceKey, list[str]]) -> None:
        made, chosen = pair
        mark = grade_choice(made, chosen)
        assert 0 <= mark.fraction <= 1
        assert mark.is_correct == (mark.fraction == 1) == (set(chosen) == made.answers)
        assert mark.fraction == mark.fraction.quantize(Decimal("0.0001"))

    @given(keys_and_choices(), st.randoms(use_true_random=False))
    def test_order_does_not_matter(self, pair: tuple[ChoiceKey, list[str]], random: Any) -> None:
        made, chosen = pair
        shuffled = random.sample(chosen, len(chosen))
        assert grade_choice(made, shuffled) == grade_choice(made, chosen)

    @given(keys_and_choices())
    def test_one_wrong_option_more_never_pays(self, pair: tuple[ChoiceKey, list[str]]) -> None:
        made, chosen = pair
        wrong = sorted(set(letters(made.option_count)) - made.answers - set(chosen))
        if made.is_multiple and wrong:
            assert grade_choice(made, [*chosen, wrong[0]]).fraction <= grade_choice(made, chosen).fraction


class TestChoices:
    @pytest.mark.parametrize(
        ("chosen", "faults"),
        [
            (["A", "E"], ""),
            ([], ""),
            (["F"], "answer/chosen/0 unknown_option"),
            (["a"], "answer/chosen/0 unknown_option"),
            ([""], "answer/chosen/0 unknown_option"),
            (["AB"], "answer/chosen/0 unknown_option"),
            (["Ａ"], "answer/chosen/0 unknown_option"),
            (["A", "A"], "answer/chosen/1 duplicate"),
            (["A", "Z", "A"], "answer/chosen/1 unknown_option, answer/chosen/2 duplicate"),
            (list("ABCDEA"), "answer/chosen max_length"),
        ],
    )
    def test_each_fault_is_named(self, chosen: list[str], faults: str) -> None:
        assert told(choice_errors(key("AB"), chosen)) == wanted(faults)

    def test_one_for_a_single_choice(self) -> None:
        single = key("A", multiple=False)
        assert told(choice_errors(single, ["A", "B"])) == wanted("answer/chosen max_length")
        assert choice_errors(single, ["B"]) == []

    def test_the_place_is_the_callers(self) -> None:
        assert told(choice_errors(key("A"), ["?"], at="#/answers/3/chosen")) == wanted(
            "answers/3/chosen/0 unknown_option"
        )

    @given(keys(), st.lists(st.text(max_size=2), max_size=30))
    def test_what_is_refused_is_not_graded(self, made: ChoiceKey, chosen: list[str]) -> None:
        if choice_errors(made, chosen):
            with pytest.raises(ValueError, match="not valid"):
                grade_choice(made, chosen)
        else:
            assert grade_choice(made, chosen).fraction >= 0

    @given(keys(), keys(), st.lists(st.sampled_from(ascii_uppercase), max_size=30))
    def test_refusals_tell_nothing_of_the_answers(self, made: ChoiceKey, other: ChoiceKey, chosen: list[str]) -> None:
        if (made.option_count, made.is_multiple) == (other.option_count, other.is_multiple):
            assert choice_errors(made, chosen) == choice_errors(other, chosen)


class TestKeys:
    @pytest.mark.parametrize(
        ("changes", "faults"),
        [
            ({}, ""),
            ({"options": ["x"] * 27}, "choice/options max_length"),
            ({"options": ["x"]}, "choice/options min_length"),
            ({"options": [], "answers": []}, "choice/options min_length, choice/answers required"),
            ({"options": ["x", " ", "y"]}, "choice/options/1 blank"),
            ({"options": ["x", "y", "x"]}, "choice/options/2 duplicate"),
            ({"options": ["x y", " x\u00a0 y "]}, "choice/options/1 duplicate"),
            ({"options": ["\u00e9", "e\u0301"]}, "choice/options/1 duplicate"),
            ({"options": [" x", "x "]}, "choice/options/1 duplicate"),
            ({"options": ["x", "X"]}, ""),
            ({"options": ["x", "y" * (OPTION_CHARS_MAX + 1)]}, "choice/options/1 max_length"),
            ({"answers": []}, "choice/answers required"),
            ({"answers": ["A", "B"]}, "choice/answers one_answer"),
            ({"answers": ["A", "B"], "is_multiple": True}, ""),
            ({"answers": ["A", "A"], "is_multiple": True}, "choice/answers/1 duplicate"),
            ({"answers": ["A", "A"]}, "choice/answers/1 duplicate"),
            ({"answers": ["D"]}, "choice/answers/0 unknown_option"),
            ({"answers": ["A"] * 27, "is_multiple": True}, "choice/answers max_length"),
            ({"scoring": "half"}, "choice/scoring invalid_choice"),
        ],
    )
    def test_each_fault_is_named(self, changes: dict[str, Any], faults: str) -> None:
        good = {"options": ["x", "y", "z"], "answers": ["A"], "is_multiple": False, "scoring": "all_or_nothing"}
        assert told(key_errors(**{**good, **changes})) == wanted(faults)

    @given(
        st.lists(st.text(max_size=3), max_size=28),
        st.lists(st.sampled_from(ascii_uppercase) | st.text(max_size=2), max_size=28),
        st.booleans(),
        st.sampled_from(Scoring),
    )
    def test_what_passes_makes_a_key(
        self, options: list[str], answers: list[str], is_multiple: bool, scoring: Scoring
    ) -> None:
        if not key_errors(options=options, answers=answers, is_multiple=is_multiple, scoring=scoring):
            made = key("".join(answers), options=len(options), multiple=is_multiple, scoring=scoring)
            assert grade_choice(made, answers).is_correct

    @pytest.mark.parametrize(
        ("answers", "options", "multiple"),
        [("", 3, True), ("D", 3, True), ("AB", 3, False), ("A", 1, True), ("A", 27, True)],
    )
    def test_no_key_that_nobody_could_grade_by(self, answers: str, options: int, multiple: bool) -> None:
        with pytest.raises(ValueError, match="answer"):
            key(answers, options=options, multiple=multiple)
