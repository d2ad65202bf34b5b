"""Each checker against small named families of outputs, hostile ones among them."""

from typing import Any

import pytest

from executor.judging.checkers import CHECKERS, OPTIONS, CheckerSpec, check, option_fault
from executor.judging.values import UnreadableValue


def is_right(name: str, output: bytes, expected: str | None, **options: Any) -> bool:
    return check(CheckerSpec(name=name, options=options), output=output, expected=expected).is_right


class TestExact:
    def test_same_bytes_are_right(self) -> None:
        assert is_right("exact", b"a b\n", "a b\n")

    @pytest.mark.parametrize("output", [b"a b", b"a  b\n", b"a b\r\n", b"a b\n\x00", b"A b\n", b"\xef\xbb\xbfa b\n"])
    def test_any_other_byte_is_wrong(self, output: bytes) -> None:
        assert not is_right("exact", output, "a b\n")

    def test_message_names_the_first_difference(self) -> None:
        result = check(CheckerSpec(name="exact"), output=b"abX", expected="abc")
        assert "byte 3" in result.message


class TestTokens:
    @pytest.mark.parametrize(
        "output",
        [b"1 2 3", b"1\n2\n3\n", b"\t1   2 \r\n3\x0b\x0c", b"1 2 3\n\n\n"],
        ids=["plain", "lines", "odd", "tail"],
    )
    def test_white_space_does_not_count(self, output: bytes) -> None:
        assert is_right("tokens", output, "1 2 3\n")

    @pytest.mark.parametrize(
        "output",
        [b"1 2", b"1 2 3 4", b"12 3", b"1 2 3\x00", b"1 2 \xc2\xa03", b"1 2 \xef\xbc\x93", b"", b"1,2,3"],
        ids=["fewer", "more", "joined", "nul", "nbsp", "full-width digit", "nothing", "commas"],
    )
    def test_other_tokens_are_wrong(self, output: bytes) -> None:
        assert not is_right("tokens", output, "1 2 3\n")

    def test_numbers_are_words_without_a_tolerance(self) -> None:
        assert not is_right("tokens", b"1.0", "1")

    def test_case_counts_unless_told_otherwise(self) -> None:
        assert not is_right("tokens", b"YES", "yes")
        assert is_right("tokens", b"YES", "yes", case_sensitive=False)

    def test_spaces_count_where_told_so(self) -> None:
        assert is_right("tokens", b"a\n b\n", "a\n b\n", space_sensitive=True)
        assert not is_right("tokens", b"a\nb\n", "a\n b\n", space_sensitive=True)

    def test_nothing_equals_nothing(self) -> None:
        assert is_right("tokens", b"", "")
        assert is_right("tokens", b" \n\n", "")


class TestFloat:
    @pytest.mark.parametrize("output", [b"3.1415927", b"3.14159265", b"31.4159265e-1", b"+3.1415926"])
    def test_near_enough_is_right(self, output: bytes) -> None:
        assert is_right("float", output, "3.14159265")

    @pytest.mark.parametrize("output", [b"3.15", b"pi", b"", b"3.14159265 0", b"0x3", b"3_1", b"1e999", b"\xd9\xa3"])
    def test_other_numbers_and_odd_notations_are_wrong(self, output: bytes) -> None:
        assert not is_right("float", output, "3.14159265")

    @pytest.mark.parametrize("text", [b"nan", b"NaN", b"-nan", b"+NAN"])
    def test_nan_equals_nothing_not_even_itself(self, text: bytes) -> None:
        assert not is_right("float", text, text.decode())
        assert not is_right("float", text, "1.0", absolute=1e300)

    def test_infinity_is_only_its_own_text(self) -> None:
        assert not is_right("float", b"0", "inf", absolute=0.5, relative=0.5)
        assert is_right("float", b"inf", "inf")
        assert not is_right("float", b"1e999", "1e998")

    def test_relative_and_absolute_are_each_enough(self) -> None:
        assert is_right("float", b"105", "100", relative=0.1)
        assert not is_right("float", b"105", "100", absolute=0.1)
        assert is_right("float", b"0.05", "0", absolute=0.1)
        assert not is_right("float", b"0.05", "0", relative=0.1)

    def test_text_between_numbers_is_compared(self) -> None:
        assert is_right("float", b"x = 1.0000001", "x = 1")
        assert not is_right("float", b"y = 1", "x = 1")

    def test_a_number_with_5000_digits_raises_nothing(self) -> None:
        digits = "1" * 5000
        assert is_right("float", digits.encode(), digits)
        assert not is_right("float", (digits + "2").encode(), digits)


class TestLines:
    def test_trailing_space_and_empty_last_lines_do_not_count(self) -> None:
        assert is_right("lines", b"a  \nb\t\r\n\n\n", "a\nb")

    @pytest.mark.parametrize("output", [b" a\nb", b"a\n\nb", b"a", b"a b", b"a\nb\nc"])
    def test_other_lines_are_wrong(self, output: bytes) -> None:
        assert not is_right("lines", output, "a\nb")


class TestUnordered:
    def test_lines_may_come_in_any_order_but_as_often(self) -> None:
        assert is_right("unordered", b"b\na\na\n", "a\nb\na")
        assert not is_right("unordered", b"b\na\n", "a\nb\na")
        assert not is_right("unordered", b"b\na\na\na", "a\nb\na")

    def test_units(self) -> None:
        assert is_right("unordered", b"3 1 2", "1 2 3", unit="tokens")
        assert not is_right("unordered", b"3 1 2", "1 2 3", unit="lines")
        assert is_right("unordered", b"o l l e H", "Hello", unit="letters")


class TestJson:
    @pytest.mark.parametrize(
        ("output", "expected"),
        [
            (b"1.0", "1"),
            (b'{"b": [1, 2], "a": null}', '{"a": null, "b": [1, 2]}'),
            (b' "x" ', '"x"'),
            (b"100000000000000000000000000001", "100000000000000000000000000001"),
        ],
    )
    def test_the_same_value_in_another_notation_is_right(self, output: bytes, expected: str) -> None:
        assert is_right("json", output, expected)

    @pytest.mark.parametrize(
        ("output", "expected"),
        [
            (b"true", "1"),
            (b"1", "true"),
            (b"NaN", "NaN"),
            (b"[NaN]", "[0]"),
            (b"Infinity", "1"),
            (b'"1"', "1"),
            (b"[1]", "[1, 2]"),
            (b'{"a": 1}', '{"a": 1, "b": 2}'),
            (b"100000000000000000000000000001", "100000000000000000000000000002"),
            (b"", "null"),
            (b"{", "{}"),
            (b"[" * 100_000, "[]"),
            (b"1" * 5000, "1"),
            (b"\xff", "1"),
            (b"1e999", "1"),
        ],
    )
    def test_another_value_or_none_is_wrong(self, output: bytes, expected: str) -> None:
        assert not is_right("json", output, expected)

    def test_tolerance(self) -> None:
        assert not is_right("json", b"[0.30000000000000004]", "[0.3]")
        assert is_right("json", b"[0.30000000000000004]", "[0.3]", absolute=1e-9)
        assert not is_right("json", b"1", "Infinity", relative=0.1)

    def test_python_literals_keep_tuples_apart_from_lists(self) -> None:
        assert is_right("json", b"(1, 2)", "(1, 2)", encoding="python-literal")
        assert not is_right("json", b"[1, 2]", "(1, 2)", encoding="python-literal")
        assert is_right("json", b"{5: 'a'}", "{5: 'a'}", encoding="python-literal")

    @pytest.mark.parametrize("output", [b"__import__('os')", b"(" * 5000, b"1+", b"\x00", b"b'x' * 10"])
    def test_hostile_literals_are_wrong_and_raise_nothing(self, output: bytes) -> None:
        assert not is_right("json", output, "1", encoding="python-literal")

    def test_an_unreadable_expected_output_is_no_verdict(self) -> None:
        with pytest.raises(UnreadableValue):
            is_right("json", b"1", "{broken")


class TestEveryChecker:
    @pytest.mark.parametrize("name", CHECKERS)
    def test_an_expected_output_of_none_takes_any(self, name: str) -> None:
        assert is_right(name, b"\x00anything\xff", None)

    @pytest.mark.parametrize("name", CHECKERS)
    @pytest.mark.parametrize("output", [b"\x00\xff\xfe", b"\xed\xa0\x80", b"\x1b[31m", b"a" * 100_000, b"\n" * 10_000])
    def test_hostile_bytes_raise_nothing_and_the_message_is_bounded(self, name: str, output: bytes) -> None:
        result = check(CheckerSpec(name=name), output=output, expected='"x"')
        assert not result.is_right
        assert len(result.message) < 1000
        result.message.encode("utf-8")

    def test_an_unknown_checker_raises(self) -> None:
        with pytest.raises(KeyError):
            check(CheckerSpec(name="magic"), output=b"", expected="")


class TestOptionFault:
    @pytest.mark.parametrize("name", OPTIONS)
    def test_no_options_are_fine(self, name: str) -> None:
        assert option_fault(CheckerSpec(name=name)) is None

    @pytest.mark.parametrize(
        ("name", "options"),
        [
            ("magic", {}),
            ("exact", {"absolute": 1}),
            ("float", {"absolute": -1}),
            ("float", {"absolute": "1e-6"}),
            ("float", {"relative": float("nan")}),
            ("float", {"relative": True}),
            ("tokens", {"case_sensitive": "yes"}),
            ("unordered", {"unit": "pages"}),
        ],
    )
    def test_what_cannot_be_is_named(self, name: str, options: dict[str, Any]) -> None:
        assert option_fault(CheckerSpec(name=name, options=options))

    def test_sound_options_pass(self) -> None:
        assert option_fault(CheckerSpec(name="float", options={"absolute": 1e-3, "relative": 0})) is None
        assert option_fault(CheckerSpec(name="unordered", options={"unit": "tokens"})) is None
