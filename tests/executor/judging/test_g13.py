"""Outputs made to exploit a comparison (G-13) or to make it take long (G-14): each has its verdict, in time."""

import time

import pytest

from courses.authoring import AlgorithmSpec
from courses.testdata import TestCaseSpec, errors_of_test_cases
from executor.judging.checkers import CHECKERS, CheckerSpec, check

COLUMNS = ("exact", "tokens", "lines", "float", "unordered", "json")
# A: accepted, W: wrong answer, in the order of the columns. R: the expected output is refused when the tests are saved.
TABLE: dict[str, tuple[bytes, str, str]] = {
    # Where numbers are compared NaN equals nothing; where text is, it is a word like others.
    "nan for nan": (b"nan", "nan", "AAAWAR"),
    "NaN for NaN": (b"NaN", "NaN", "AAAWAR"),
    "nan for a number": (b"nan", "12", "WWWWWW"),
    "NaN for a number": (b"NaN", "12", "WWWWWW"),
    "inf for inf": (b"inf", "inf", "AAAAAR"),
    "Infinity for Infinity": (b"Infinity", "Infinity", "AAAAAR"),
    "inf for a number": (b"inf", "12", "WWWWWW"),
    "Infinity for a number": (b"Infinity", "12", "WWWWWW"),
    "a number for inf": (b"12", "inf", "WWWWWR"),
    # Beyond a float's range only the same text is the same number.
    "1e999 for 1e999": (b"1e999", "1e999", "AAAAAR"),
    "1e999 for 1e998": (b"1e999", "1e998", "WWWWWR"),
    "1e999 for a number": (b"1e999", "12", "WWWWWW"),
    "an exponent bomb": (b"1e999999999", "12", "WWWWWW"),
    "an exponent bomb downwards": (b"12e-999999999", "12", "WWWWWW"),
    # Notations.
    "-0 for 0": (b"-0", "0", "WWWAWA"),
    "-0.0 for 0": (b"-0.0", "0", "WWWAWA"),
    "12.0 for 12": (b"12.0", "12", "WWWAWA"),
    "1.2e1 for 12": (b"1.2e1", "12", "WWWAWA"),
    "+12 for 12": (b"+12", "12", "WWWAWW"),
    "012 for 12": (b"012", "12", "WWWAWW"),
    "underscores": (b"1_2", "12", "WWWWWW"),
    "hexadecimal": (b"0xc", "12", "WWWWWW"),
    "full-width digits": ("１２".encode(), "12", "WWWWWW"),
    "Arabic digits": ("١٢".encode(), "12", "WWWWWW"),
    "5,000 digits, the same": (b"7" * 5000, "7" * 5000, "AAAAAR"),
    "5,000 digits, the last one other": (b"7" * 4999 + b"8", "7" * 5000, "WWWWWR"),
    "5,000 digits for 12": (b"7" * 5000, "12", "WWWWWW"),
    # Tolerance: 1e-6 absolute or relative is the default of float; json has none unless told.
    "within the tolerance": (b"12.0000001", "12", "WWWAWW"),
    "beyond the tolerance": (b"12.0001", "12", "WWWWWW"),
    # More than the answer.
    "the answer twice": (b"12 12", "12", "WWWWWW"),
    "a second line": (b"12\n12", "12", "WWWWWW"),
    "NUL after it": (b"12\x00", "12", "WWWWWW"),
    "NUL in a line of its own": (b"12\n\x00", "12", "WWWWWW"),
    "an escape before it": (b"\x1b[0m12", "12", "WWWWWW"),
    "a byte order mark": (b"\xef\xbb\xbf12", "12", "WWWWWW"),
    "a zero-width space": ("12\u200b".encode(), "12", "WWWWWW"),
    "a no-break space": ("12\u00a0".encode(), "12", "WWWWWW"),
    "UTF-16": ("12".encode("utf-16"), "12", "WWWWWW"),
    "a lone surrogate": (b"12\xed\xa0\x80", "12", "WWWWWW"),
    "nothing": (b"", "12", "WWWWWW"),
    # White space.
    "trailing spaces": (b"12  ", "12", "WAAAAA"),
    "leading spaces": (b"  12", "12", "WAWAWA"),
    "a last newline": (b"12\n", "12", "WAAAAA"),
    "CRLF": (b"12\r\n", "12", "WAAAAA"),
    "empty lines after it": (b"12\n\n\n", "12", "WAAAAA"),
    "an empty line before it": (b"\n12", "12", "WAWAWA"),
}
CASES = [
    pytest.param(output, expected, name, verdicts[COLUMNS.index(name)], id=f"{oddity}-{name}")
    for oddity, (output, expected, verdicts) in TABLE.items()
    for name in COLUMNS
]


class TestOddities:
    @pytest.mark.parametrize(("output", "expected", "name", "verdict"), CASES)
    def test_has_the_stated_verdict(self, output: bytes, expected: str, name: str, verdict: str) -> None:
        algorithm = AlgorithmSpec(checker=name)
        refused = bool(errors_of_test_cases([TestCaseSpec(expected_output=expected)], algorithm=algorithm))
        assert refused == (verdict == "R")
        if not refused:
            is_right = check(CheckerSpec(name=name), output=output, expected=expected).is_right
            assert is_right == (verdict == "A")

    @pytest.mark.parametrize("output", [output for output, expected, _ in TABLE.values() if expected == "12"])
    def test_tokens_with_a_tolerance_are_as_float(self, output: bytes) -> None:
        tolerant = CheckerSpec(name="tokens", options={"absolute": 1e-6, "relative": 1e-6})
        assert check(tolerant, output=output, expected="12") == check(
            CheckerSpec(name="float"), output=output, expected="12"
        )

    def test_every_checker_has_a_column(self) -> None:
        assert set(COLUMNS) == set(CHECKERS)
        assert all(len(verdicts) == len(COLUMNS) for _, _, verdicts in TABLE.values())


MIB = 1024 * 1024
# Hash of each is 0: a set of them takes the square of its size in time.
SAME_HASH = 2**61 - 1


def filled(unit: bytes, *, before: bytes = b"", after: bytes = b"") -> bytes:
    return before + unit * ((MIB - len(before) - len(after)) // len(unit)) + after


def numbered(unit: str, *, before: bytes, after: bytes, factor: int = 1) -> bytes:
    words = (unit % (number * factor) for number in range(1, MIB // len(unit % (10**5 * factor))))
    return before + ",".join(words).encode() + after


BOMBS: dict[str, bytes] = {
    "tokens": filled(b"1 "),
    "numbers": filled(b"1.0 "),
    "one number": filled(b"1"),
    "almost a number": filled(b"1", after=b"x"),
    "fraction": filled(b"1", before=b"0."),
    "exponent": filled(b"9", before=b"1e"),
    "signs": filled(b"+-"),
    "brackets": filled(b"["),
    "parentheses": filled(b"("),
    "lines": filled(b"a\n"),
    "empty lines": filled(b"\n"),
    "bytes": filled(bytes(range(256))),
    "list": filled(b"1,", before=b"[", after=b"1]"),
    "floats": filled(b"1e9,", before=b"[", after=b"1]"),
    "deep list": filled(b"1,", before=b"[" * 199, after=b"1" + b"]" * 199),
    "deep lists": filled(b"[" * 150 + b"]" * 150 + b",", before=b"[", after=b"1]"),
    "object": numbered('"%d":1', before=b"{", after=b"}"),
    "set of one hash": numbered("%d", before=b"{", after=b"}", factor=SAME_HASH),
    "dict of one hash": numbered("%d:1", before=b"{", after=b"}", factor=SAME_HASH),
    "sum": filled(b"+1j", before=b"1"),
    "minus": filled(b"-", after=b"1"),
    "strings": filled(b"''"),
    "hexadecimal": filled(b"f", before=b"0x"),
}
SPECS = {
    **{name: CheckerSpec(name=name) for name in CHECKERS},
    "tokens, space sensitive": CheckerSpec(name="tokens", options={"space_sensitive": True}),
    "tokens, any case": CheckerSpec(name="tokens", options={"case_sensitive": False, "absolute": 0.1}),
    "unordered tokens": CheckerSpec(name="unordered", options={"unit": "tokens"}),
    "unordered letters": CheckerSpec(name="unordered", options={"unit": "letters"}),
    "json, tolerant": CheckerSpec(name="json", options={"absolute": 0.1, "relative": 0.1}),
    "python literals": CheckerSpec(name="json", options={"encoding": "python-literal"}),
}
# CPU time of the thread: what else the machine does is not the checker's.
SECONDS = 2.0


class TestBombs:
    @pytest.mark.parametrize("spec", SPECS.values(), ids=SPECS)
    @pytest.mark.parametrize("output", BOMBS.values(), ids=BOMBS)
    def test_a_mebibyte_is_wrong_in_time(self, spec: CheckerSpec, output: bytes) -> None:
        started = time.thread_time()
        assert not check(spec, output=output[:MIB], expected="12").is_right
        assert time.thread_time() - started <= SECONDS

    @pytest.mark.parametrize(
        ("spec", "output"),
        [
            ("float", "numbers"),
            ("tokens", "tokens"),
            ("tokens, any case", "numbers"),
            ("lines", "lines"),
            ("unordered", "lines"),
            ("unordered tokens", "tokens"),
            ("unordered letters", "bytes"),
            ("json", "list"),
            ("json", "floats"),
            ("json", "deep list"),
            ("json", "object"),
            ("json, tolerant", "list"),
        ],
    )
    def test_nor_does_comparing_it_to_the_end_take_long(self, spec: str, output: str) -> None:
        given, wanted = BOMBS[output], BOMBS[output].replace(b"1.0", b"1").replace(b"1e9", b"10e8")
        expected = wanted.decode("utf-8", "replace")
        started = time.thread_time()
        check(SPECS[spec], output=given, expected=expected)
        assert time.thread_time() - started <= SECONDS
