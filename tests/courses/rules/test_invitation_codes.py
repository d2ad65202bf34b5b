"""Codes are random, and found again however people write them."""

import math

from hypothesis import given
from hypothesis import strategies as st

from courses.rules.invitation_codes import ALPHABET, CODE_CHARACTERS, code_canonical, code_generate, code_grouped


class TestCodes:
    def test_eighty_bits_or_more(self) -> None:
        assert CODE_CHARACTERS * math.log2(len(set(ALPHABET))) >= 80
        assert len({code_generate() for _ in range(1000)}) == 1000
        assert all(len(code_generate()) == CODE_CHARACTERS for _ in range(100))

    def test_every_character_occurs(self) -> None:
        assert set("".join(code_generate() for _ in range(500))) == set(ALPHABET)

    def test_no_two_characters_look_alike(self) -> None:
        assert not set("ILOU") & set(ALPHABET)

    @given(st.text(alphabet=ALPHABET, min_size=CODE_CHARACTERS, max_size=CODE_CHARACTERS))
    def test_found_however_it_is_written(self, code: str) -> None:
        spelled = code_grouped(code).lower().replace("0", "o").replace("1", "l")
        assert code_canonical(f"  {spelled.replace('-', ' - ')}\n") == code
        assert code_canonical(code_grouped(code)) == code

    @given(st.text())
    def test_whatever_is_entered_comes_out_as_text(self, entered: str) -> None:
        assert code_canonical(code_canonical(entered)) == code_canonical(entered)

    def test_grouped(self) -> None:
        assert code_grouped("ABCDEFGHJKMNPQRSTVWX") == "ABCDE-FGHJK-MNPQR-STVWX"
