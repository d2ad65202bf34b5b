"""Codes that let people into a course: hard to guess, easy to read out and to type."""

import secrets

# Without I, L, O and U: they are taken for other characters, or make words.
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
# 32 ** 20 codes are 100 bits.
CODE_CHARACTERS = 20
GROUP_CHARACTERS = 5

_TAKEN_FOR = str.maketrans("ILO", "110")


def code_generate() -> str:
    """A new code in its canonical form."""
    return "".join(secrets.choice(ALPHABET) for _ in range(CODE_CHARACTERS))


def code_canonical(entered: str) -> str:
    """The code that somebody meant: whatever its case, spaces and hyphens, and with I or L for 1 and O for 0.

    What could be no code comes out as some text that none equals.
    """
    return "".join(entered.split()).replace("-", "").upper().translate(_TAKEN_FOR)


def code_grouped(code: str) -> str:
    """The code as people read it: `ABCDE-FGHJK-...`."""
    return "-".join(code[start : start + GROUP_CHARACTERS] for start in range(0, len(code), GROUP_CHARACTERS))
