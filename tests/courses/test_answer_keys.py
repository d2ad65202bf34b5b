"""Keys as authors give them, as rows hold them, and as they grade: there and back without loss."""

import json
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from courses.answer_keys import (
    ChoiceSpec,
    FillBlankSpec,
    blanks_of,
    choice_columns,
    choice_key,
    choice_spec,
    fillblank_columns,
    fillblank_spec,
    plain_decimal,
)
from courses.models import ChoiceProblem, FillBlankProblem
from courses.rules.blank_authoring import blanks_errors
from courses.rules.choice import Scoring, key_errors, letters
from courses.rules.fillblank import Blank, Match
from courses.rules.matching import Spaces

decimals = st.decimals(min_value=Decimal("0.001"), max_value=10_000, places=3)
tolerances = st.none() | st.decimals(min_value=0, max_value=Decimal("1e30"), allow_nan=False, places=12)


@st.composite
def choices(draw: st.DrawFn) -> ChoiceSpec:
    options = draw(st.lists(st.text("abcdefghij ", min_size=1).filter(str.strip), min_size=2, max_size=26, unique=True))
    is_multiple = draw(st.booleans())
    answers = draw(
        st.lists(
            st.sampled_from(letters(len(options))),
            min_size=1,
            max_size=len(options) if is_multiple else 1,
            unique=True,
        )
    )
    return ChoiceSpec(
        options=options, answers=answers, is_multiple=is_multiple, scoring=draw(st.sampled_from(Scoring)).value
    )


@st.composite
def blanks(draw: st.DrawFn) -> Blank:
    match = draw(st.sampled_from(Match))
    texts = st.sampled_from(["1", "-0.5", "1e3"]) if match == Match.NUMBER else st.sampled_from(["a", "B c", "x+"])
    is_number = match == Match.NUMBER
    return Blank(
        accepted=tuple(draw(st.lists(texts, min_size=1, max_size=3))),
        match=match,
        ignores_case=draw(st.booleans()),
        spaces=draw(st.sampled_from(Spaces)),
        tolerance=draw(tolerances) if is_number else None,
        relative_tolerance=draw(tolerances) if is_number else None,
        score=draw(decimals),
    )


class TestChoice:
    @given(choices())
    def test_what_is_stored_is_what_was_said(self, spec: ChoiceSpec) -> None:
        if key_errors(options=spec.options, answers=spec.answers, is_multiple=spec.is_multiple, scoring=spec.scoring):
            return
        row = ChoiceProblem(**json.loads(json.dumps(choice_columns(spec))))
        back = choice_spec(row)
        assert (list(back.options), sorted(back.answers)) == (spec.options, sorted(spec.answers))
        assert choice_columns(back) == choice_columns(spec)
        key = choice_key(row)
        assert (key.answers, key.option_count) == (frozenset(spec.answers), len(spec.options))
        assert (key.is_multiple, key.scoring) == (spec.is_multiple, spec.scoring)


class TestBlanks:
    @given(st.lists(blanks(), min_size=1, max_size=5))
    def test_what_is_stored_is_what_was_said(self, given_blanks: list[Blank]) -> None:
        text = " ".join(f"{{{{{number}}}}}" for number in range(1, len(given_blanks) + 1))
        spec = FillBlankSpec(text=text, blanks=tuple(given_blanks))
        assert blanks_errors(spec.text, spec.blanks) == []
        row = FillBlankProblem(**json.loads(json.dumps(fillblank_columns(spec))))
        assert blanks_of(row) == tuple(given_blanks)
        assert fillblank_spec(row) == spec
        assert row.blank_count == len(given_blanks)

    def test_numbers_are_written_plainly(self) -> None:
        written = [plain_decimal(Decimal(text)) for text in ("1.500", "100", "1E+2", "1e-6", "0.0", "2.000")]
        assert written == ["1.5", "100", "100", "0.000001", "0", "2"]
