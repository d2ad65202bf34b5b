"""Blanks: how answers are read and compared, what they earn, and what authors may set."""

import re
from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from courses.rules import blank_authoring, fillblank, matching, rounding
from courses.rules.blank_authoring import ACCEPTED_MAX, BLANKS_MAX, EXPRESSIONS_MAX, blanks_errors
from courses.rules.fillblank import ANSWER_CHARS_MAX, Blank, Match, answer_errors, grade_blanks, is_accepted
from courses.rules.matching import ExpressionInvalid, Spaces, expression_compiled, number_in, tidied
from tests.courses.rules.faults import told, wanted

SPACES = list(Spaces)


def number(*accepted: str, **options: Any) -> Blank:
    return Blank(accepted=accepted, match=Match.NUMBER, **options)


def regex(*accepted: str, **options: Any) -> Blank:
    return Blank(accepted=accepted, match=Match.REGEX, **options)


class TestText:
    @pytest.mark.parametrize(
        ("answer", "right_in"),
        [
            ("a b", SPACES),
            (" a b\n", [Spaces.TRIM, Spaces.COLLAPSE, Spaces.IGNORE]),
            ("\u00a0a\u00a0b\u3000", [Spaces.TRIM, Spaces.COLLAPSE, Spaces.IGNORE]),
            ("a  b", [Spaces.COLLAPSE, Spaces.IGNORE]),
            ("a\r\n\tb", [Spaces.COLLAPSE, Spaces.IGNORE]),
            ("ab", [Spaces.IGNORE]),
            ("\ufeffa\u200b b\u2060", [Spaces.TRIM, Spaces.COLLAPSE, Spaces.IGNORE]),
            ("a\u200db", []),
            ("A b", []),
            ("b a", []),
        ],
    )
    def test_spaces(self, answer: str, right_in: list[Spaces]) -> None:
        blanks = {spaces: Blank(accepted=("x", "a b"), spaces=spaces) for spaces in Spaces}
        assert [spaces for spaces, blank in blanks.items() if is_accepted(blank, answer)] == right_in

    @pytest.mark.parametrize("spaces", Spaces)
    def test_composed_and_decomposed_are_one(self, spaces: Spaces) -> None:
        for accepted, answer in (("caf\u00e9", "cafe\u0301"), ("cafe\u0301", "caf\u00e9"), ("\u212b", "\u00c5")):
            assert is_accepted(Blank(accepted=(accepted,), spaces=spaces), answer)

    @pytest.mark.parametrize(("accepted", "answer"), [("x2", "x\u00b2"), ("A", "\uff21"), ("o", "о")])
    def test_what_looks_alike_is_not_the_same(self, accepted: str, answer: str) -> None:
        assert not is_accepted(Blank(accepted=(accepted,), ignores_case=True), answer)

    @pytest.mark.parametrize(
        ("accepted", "answer"),
        [
            ("Berlin", "bERLIN"),
            ("Straße", "STRASSE"),
            ("ΟΔΟΣ", "οδος"),
            ("É", "e\u0301"),
            ("\u1fb7", "\u0391\u0342\u0399"),
            ("\u1fb3\u0323", "\u0391\u0323\u0399"),
        ],
    )
    def test_case(self, accepted: str, answer: str) -> None:
        assert is_accepted(Blank(accepted=(accepted,), ignores_case=True), answer)
        assert not is_accepted(Blank(accepted=(accepted,)), answer)

    def test_exact_keeps_even_a_space_alone(self) -> None:
        blank = Blank(accepted=(" ",), spaces=Spaces.EXACT)
        assert is_accepted(blank, " ")
        assert not is_accepted(blank, "\u00a0")

    @given(st.text(max_size=20), st.sampled_from(Spaces), st.booleans())
    def test_what_is_accepted_is_accepted(self, text: str, spaces: Spaces, ignores_case: bool) -> None:
        given_at_all = tidied(text, spaces) != ""
        assert is_accepted(Blank(accepted=(text,), spaces=spaces, ignores_case=ignores_case), text) == given_at_all

    @given(st.text(max_size=30), st.sampled_from(Spaces))
    def test_tidying_twice_changes_nothing(self, text: str, spaces: Spaces) -> None:
        assert tidied(tidied(text, spaces), spaces) == tidied(text, spaces)


class TestNumbers:
    @pytest.mark.parametrize(
        ("text", "value"),
        [
            ("12", "12"),
            ("+12", "12"),
            ("-0.50", "-1/2"),
            ("\u22123", "-3"),
            (".5", "1/2"),
            ("5.", "5"),
            ("3,14", "157/50"),
            ("1,000", "1"),
            ("1e3", "1000"),
            ("1E+3", "1000"),
            ("2.5e-1", "1/4"),
            ("1e\u22121", "1/10"),
            ("007", "7"),
            ("١٢", "12"),
            ("１２", "12"),
            ("0e400", "0"),
            ("0." + "3" * 900, f"{'3' * 900}/1{'0' * 900}"),
        ],
    )
    def test_read_exactly(self, text: str, value: str) -> None:
        assert number_in(text) == Fraction(value)

    @pytest.mark.parametrize(
        "text",
        [
            *("", ".", ",", "-", "e3", "1e", "--1", "1 000", "1.000,5", "1,000,000", "1.2.3", "1_000", "0x10", "1/2"),
            *("NaN", "nan", "sNaN", "inf", "-Infinity", "∞", "1²", "½", "Ⅻ", "1e3.5", " 1", "1\n", "1\x00"),
            *("1e401", "1e-401", "0e9999", "1e99999", "1e999999999999", "9" * 1001),
        ],
    )
    def test_what_is_no_number(self, text: str) -> None:
        assert number_in(text) is None

    @given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**20), max_value=10**20, places=6))
    def test_what_python_writes_is_read(self, value: Decimal) -> None:
        assert number_in(str(value)) == Fraction(value)

    @given(st.text(alphabet="0123456789.,eE+-\u2212 _xnaif", max_size=12))
    def test_what_is_read_python_reads_too(self, text: str) -> None:
        value = number_in(text)
        if value is not None:
            assert value == Fraction(Decimal(text.replace(",", ".").replace("\u2212", "-")))

    def test_control_without_bounds_an_exponent_fills_the_memory(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(matching, "EXPONENT_MAX", 10**6)
        value = number_in("1e9999")
        assert value is not None
        assert value.numerator.bit_length() > 30_000

    @pytest.mark.parametrize(
        ("blank", "right", "wrong"),
        [
            (number("2"), ["2", "2.0", "+2", "2,00", "20e-1", " 2 ", "\u200b2"], ["2.0000000001", "two", "", "2 0"]),
            (number("1000", spaces=Spaces.IGNORE), ["1 000", "1\u202f000"], ["1,000", "1.000"]),
            (number("5", spaces=Spaces.EXACT), [" 5 ", "5"], ["6"]),
            (number("0.3"), ["0.3"], ["0.30000000000000004"]),
            (number("0.1", tolerance=Decimal("0.2")), ["0.3", "-0.1"], ["0.3000000001", "-0.10000001"]),
            (number("-200", relative_tolerance=Decimal("0.01")), ["-198", "-202"], ["-197.99", "200"]),
            (number("0", relative_tolerance=Decimal(1)), ["0", "-0"], ["0.0001"]),
            (
                number("10", tolerance=Decimal(1), relative_tolerance=Decimal("0.2")),
                ["8", "9", "11", "12"],
                ["7.9", "12.1"],
            ),
            (number("1", "2"), ["1", "2"], ["1.5", "3"]),
            (number("1e400", tolerance=Decimal(1)), ["1e400"], ["9.99e399"]),
        ],
    )
    def test_tolerances(self, blank: Blank, right: list[str], wrong: list[str]) -> None:
        assert [answer for answer in right if not is_accepted(blank, answer)] == []
        assert [answer for answer in wrong if is_accepted(blank, answer)] == []

    def test_control_floats_would_not_know_a_bound_from_what_is_beyond(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(matching, "Fraction", float)
        assert is_accepted(number("0.3"), "0.29999999999999999")

    @pytest.mark.parametrize("blank", [number("x"), number("1", tolerance=Decimal("NaN"))])
    def test_what_an_author_may_not_set_is_not_graded(self, blank: Blank) -> None:
        with pytest.raises(ValueError, match="not"):
            is_accepted(blank, "1")


# Python's own expressions would take longer than the universe for these.
EXPLOSIVE = ["(x+x+)+y", "(a*)*b", "(a|aa)+$b", "(.*)*c", "(x|x|x)*y", "(a|b|ab)*c", "((a+)+)+$b"]


def check_refused(expressions: Sequence[str]) -> None:
    for expression in expressions:
        with pytest.raises(ExpressionInvalid):
            expression_compiled(expression, ignores_case=False)


class TestExpressions:
    @pytest.mark.parametrize(
        ("blank", "right", "wrong"),
        [
            (regex("colou?r"), ["color", " colour "], ["Color", "colors", "a color"]),
            (regex("colou?r", ignores_case=True), ["COLOUR"], ["colr"]),
            (regex("a|b"), ["a", "b"], ["ab", "ba", "a\nb"]),
            (regex("^a$"), ["a"], ["a\nb", "ba"]),
            (regex("a.c"), ["abc", "aäc", "a😀c"], ["ac", "abbc"]),
            (regex("e\u0301+"), ["\u00e9", "e\u0301\u00e9"], ["e"]),
            (regex(r"\p{Lu}\p{L}*"), ["Éa", "Ω"], ["é", "1"]),
            (regex("x", r"\d+"), ["12", "x"], ["1x", "١"]),
            (regex(".*"), ["anything"], ["", "   ", "\u200b"]),
            (regex("a b", spaces=Spaces.COLLAPSE), ["a \u00a0 b"], ["ab"]),
            (regex(r"a\C"), ["ab"], ["aé"]),
            (regex("(?P<one>a)(b)?"), ["a", "ab"], ["b"]),
        ],
    )
    def test_the_whole_answer_matches(self, blank: Blank, right: list[str], wrong: list[str]) -> None:
        assert [answer for answer in right if not is_accepted(blank, answer)] == []
        assert [answer for answer in wrong if is_accepted(blank, answer)] == []

    @pytest.mark.parametrize("expression", EXPLOSIVE)
    def test_hostile_answers_end(self, expression: str) -> None:
        for char in "xa":
            assert not is_accepted(regex(expression), char * ANSWER_CHARS_MAX)

    BEYOND_RE2 = (r"(a)\1", r"a(?=b)", r"a(?!b)", r"(?<=a)b", r"(?<!a)b", r"(?P<x>a)(?P=x)", r"(?>a)")

    def test_what_would_not_be_linear_is_refused(self) -> None:
        check_refused(self.BEYOND_RE2)

    def test_control_pythons_own_take_it(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(matching.re2, "compile", lambda expression, options: re.compile(expression))
        with pytest.raises(pytest.fail.Exception):
            check_refused(self.BEYOND_RE2)

    TOO_LARGE = (r"\p{L}{500}", "((a{30}){30}){30}", "[^" + "".join(map(chr, range(0x100, 0x900, 3))) + "]{100}")

    def test_what_would_take_much_memory_is_refused(self) -> None:
        check_refused(self.TOO_LARGE)
        check_refused(["a" * 1001])

    def test_control_with_more_memory_it_is_taken(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(matching, "EXPRESSION_BYTES_MAX", 1 << 28)
        with pytest.raises(pytest.fail.Exception):
            check_refused(self.TOO_LARGE)

    @pytest.mark.parametrize(
        "expression", ["(", "[", "*a", "a**", "\\", r"\Z", "(?P<>a)", "a{2,1}", "\ud800", r"\p{X}"]
    )
    def test_faults_are_named(self, expression: str) -> None:
        check_refused([expression])

    @given(st.text(alphabet="ab()[]{}*+?.|^$\\1,2-", max_size=15), st.text(alphabet="ab12.\\", max_size=8))
    def test_any_expression_is_refused_or_answers(self, expression: str, answer: str) -> None:
        errors = blanks_errors("{{1}}", [regex(expression, ignores_case=True)])
        if errors:
            assert told(errors) in (
                wanted("fillblank/blanks/0/accepted/0 regex_invalid"),
                wanted("fillblank/blanks/0/accepted/0 blank"),
            )
        else:
            assert is_accepted(regex(expression, ignores_case=True), answer) in (True, False)


class TestGrading:
    BLANKS = (
        Blank(accepted=("a",), score=Decimal(1)),
        number("2", score=Decimal("0.5")),
        regex("c+", score=Decimal("1.5")),
    )

    @pytest.mark.parametrize(
        ("answers", "right", "fraction"),
        [
            (["a", "2", "cc"], [True, True, True], "1"),
            (["a", "3", "c"], [True, False, True], "0.8333"),
            (["b", "2.0", ""], [False, True, False], "0.1666"),
            (["", "", ""], [False, False, False], "0"),
        ],
    )
    def test_each_blank_and_all(self, answers: list[str], right: list[bool], fraction: str) -> None:
        mark = grade_blanks(self.BLANKS, answers)
        assert [blank.is_correct for blank in mark.blanks] == right
        earned = [blank.score if given_right else 0 for blank, given_right in zip(self.BLANKS, right, strict=True)]
        assert [blank.score for blank in mark.blanks] == earned
        assert (mark.fraction, mark.is_correct) == (Decimal(fraction), all(right))

    ALMOST = (Blank(accepted=("a",), score=Decimal(10_000)), Blank(accepted=("b",), score=Decimal("0.001")))

    def test_almost_all_is_not_all(self) -> None:
        assert grade_blanks(self.ALMOST, ["a", "x"]).fraction == Decimal("0.9999")

    def test_control_rounded_otherwise_it_would_be(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(rounding, "floor", round)
        with pytest.raises(AssertionError):
            self.test_almost_all_is_not_all()

    @pytest.mark.parametrize(
        ("answers", "faults"),
        [
            (["a", "", "x" * ANSWER_CHARS_MAX], ""),
            (["a", "b"], "answer/blanks answer_count"),
            (["a", "b", "c", "d"], "answer/blanks answer_count"),
            (["a", "x" * (ANSWER_CHARS_MAX + 1), "c"], "answer/blanks/1 max_length"),
            (["a", "b", "\udcff"], "answer/blanks/2 surrogate_characters_not_allowed"),
        ],
    )
    def test_answers_that_are_none(self, answers: list[str], faults: str) -> None:
        assert told(answer_errors(self.BLANKS, answers)) == wanted(faults)
        if faults:
            with pytest.raises(ValueError, match="not valid"):
                grade_blanks(self.BLANKS, answers)

    def test_no_blanks_are_not_graded(self) -> None:
        with pytest.raises(ValueError, match="not valid"):
            grade_blanks((), [])

    @given(st.lists(st.text(max_size=1100) | st.sampled_from(["a", "2", "c"]), min_size=3, max_size=3))
    def test_any_answer_ends_in_a_mark_or_a_refusal(self, answers: list[str]) -> None:
        if not answer_errors(self.BLANKS, answers):
            mark = grade_blanks(self.BLANKS, answers)
            assert 0 <= mark.fraction <= 1
            assert (mark.fraction == 1) == mark.is_correct


class TestAuthoring:
    @pytest.mark.parametrize(
        ("text", "blanks", "faults"),
        [
            ("{{1}} is {{2}}", 2, ""),
            ("{{2}} before {{1}}", 2, ""),
            (r"$\frac{{a}}{b}$ {{ 1 }} {{1}}", 1, ""),
            ("nothing", 0, "fillblank/text no_blanks"),
            ("nothing", 1, "fillblank/text no_blanks, fillblank/blanks/0 blank_missing"),
            ("{{1}}", 2, "fillblank/blanks/1 blank_missing"),
            ("{{1}} {{2}}", 1, "fillblank/text blank_unknown"),
            ("{{0}} {{1}}", 1, "fillblank/text blank_unknown"),
            ("{{01}} {{1}}", 1, "fillblank/text blank_unknown"),
            ("{{1}} {{1}}", 1, "fillblank/text blank_repeated"),
            ("{{1}} {{3}}", 2, "fillblank/text blank_unknown, fillblank/blanks/1 blank_missing"),
            ("{{1}} {{" + "9" * 5000 + "}}", 1, "fillblank/text blank_unknown"),
            ("{{1}}", BLANKS_MAX + 1, "fillblank/blanks max_length"),
        ],
    )
    def test_text_and_blanks_belong_together(self, text: str, blanks: int, faults: str) -> None:
        assert told(blanks_errors(text, [Blank(accepted=("a",))] * blanks)) == wanted(faults)

    def test_details_stay_short(self) -> None:
        errors = blanks_errors("{{" + "9" * 5000 + "}}", [Blank(accepted=("(" * 1000,), match=Match.REGEX)])
        assert max(len(error.detail) for error in errors) < 1200

    @pytest.mark.parametrize(
        ("blank", "faults"),
        [
            (Blank(accepted=()), "accepted required"),
            (Blank(accepted=("a",) * (ACCEPTED_MAX + 1)), "accepted max_length"),
            (Blank(accepted=("a", "")), "accepted/1 blank"),
            (Blank(accepted=("a", " \u200b")), "accepted/1 blank"),
            (Blank(accepted=(" ",), spaces=Spaces.EXACT), ""),
            (Blank(accepted=("a" * 1001,)), "accepted/0 max_length"),
            (number("1", "one"), "accepted/1 number_invalid"),
            (number("NaN"), "accepted/0 number_invalid"),
            (number("1e9999"), "accepted/0 number_invalid"),
            (number(" 1,5 "), ""),
            (regex("a", "b", r"(a)\1"), "accepted/2 regex_invalid"),
            (regex("(?=a)"), "accepted/0 regex_invalid"),
            (regex("("), "accepted/0 regex_invalid"),
            (number("1", tolerance=Decimal("0.1"), relative_tolerance=Decimal(0)), ""),
            (number("1", tolerance=Decimal("-0.1")), "tolerance invalid"),
            (number("1", tolerance=Decimal("NaN")), "tolerance invalid"),
            (number("1", tolerance=Decimal("sNaN")), "tolerance invalid"),
            (number("1", tolerance=Decimal("Infinity")), "tolerance invalid"),
            (number("1", tolerance=Decimal("0." + "1" * 50)), ""),
            (number("1", tolerance=Decimal("0." + "1" * 51)), "tolerance invalid"),
            (number("1", relative_tolerance=Decimal("1e-999999")), "relative_tolerance invalid"),
            (number("1", relative_tolerance=Decimal("0e999999")), "relative_tolerance invalid"),
            (Blank(accepted=("a",), tolerance=Decimal(0)), "tolerance tolerance_without_number"),
            (regex("a", relative_tolerance=Decimal(1)), "relative_tolerance tolerance_without_number"),
            (Blank(accepted=("a",), score=Decimal(0)), "score invalid"),
            (Blank(accepted=("a",), score=Decimal(-1)), "score invalid"),
            (Blank(accepted=("a",), score=Decimal("0.0001")), "score invalid"),
            (Blank(accepted=("a",), score=Decimal(10_001)), "score invalid"),
            (Blank(accepted=("a",), score=Decimal("sNaN")), "score invalid"),
            (Blank(accepted=(), score=Decimal("Infinity")), "accepted required, score invalid"),
        ],
    )
    def test_each_fault_is_named(self, blank: Blank, faults: str) -> None:
        at = "fillblank/blanks/1"
        located = ", ".join(f"{at}/{fault}" for fault in faults.split(", ") if fault)
        assert told(blanks_errors("{{1}} {{2}}", [Blank(accepted=("x",)), blank])) == wanted(located)

    def test_the_author_is_told_why_an_expression_fails(self) -> None:
        [error] = blanks_errors("{{1}}", [regex(r"(a)\1")])
        assert r"\1" in error.detail
        assert "RE2" in error.detail

    def test_expressions_are_bounded_in_all(self) -> None:
        full = [regex(*["a"] * ACCEPTED_MAX)] * (EXPRESSIONS_MAX // ACCEPTED_MAX)
        text = " ".join(f"{{{{{index}}}}}" for index in range(1, len(full) + 2))
        assert told(blanks_errors(text, [*full, Blank(accepted=("x",))])) == []
        assert told(blanks_errors(text, [*full, regex("a")])) == wanted("fillblank/blanks too_many_expressions")

    @given(
        st.lists(
            st.builds(
                Blank,
                accepted=st.lists(st.text(max_size=4), max_size=2).map(tuple),
                match=st.sampled_from(Match),
                ignores_case=st.booleans(),
                spaces=st.sampled_from(Spaces),
                tolerance=st.none() | st.decimals(),
                relative_tolerance=st.none() | st.decimals(),
                score=st.decimals(),
            )
            | st.sampled_from([Blank(accepted=("a",)), number("1", tolerance=Decimal(1)), regex("a*")]),
            min_size=1,
            max_size=3,
        ),
        st.lists(st.text(max_size=4) | st.just("1"), min_size=3, max_size=3),
    )
    def test_what_passes_can_always_be_graded(self, blanks: list[Blank], answers: list[str]) -> None:
        text = " ".join(f"{{{{{index}}}}}" for index in range(1, len(blanks) + 1))
        given_answers = answers[: len(blanks)]
        if not blanks_errors(text, blanks) and not answer_errors(blanks, given_answers):
            assert 0 <= grade_blanks(blanks, given_answers).fraction <= 1

    def test_limits_of_authors_fit_those_of_students(self) -> None:
        assert blank_authoring.ACCEPTED_CHARS_MAX <= fillblank.ANSWER_CHARS_MAX
