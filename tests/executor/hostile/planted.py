"""Words planted where no student may look. Each is drawn anew, so that finding one proves that it was read there."""

import re
import secrets
from collections.abc import Iterable

WORD = re.compile(r"PLANTED-[a-z]+-[0-9a-f]{16}")
# What an attack prints with whatever it got hold of.
ESCAPED = "ESCAPED"


def plant(place: str) -> str:
    """A word that stands nowhere else; `place`, in small letters, tells where it was planted."""
    word = f"PLANTED-{place}-{secrets.token_hex(8)}"
    assert WORD.fullmatch(word), f"{place!r} is no place's name"
    return word


def words_in(text: str | bytes) -> set[str]:
    """All planted words in a text, whoever planted them."""
    return set(WORD.findall(text if isinstance(text, str) else text.decode("utf-8", "replace")))


def escapes_in(texts: Iterable[bytes]) -> list[str]:
    """What an attack says that it got hold of, a line each."""
    lines = (line for text in texts for line in text.decode("utf-8", "replace").splitlines())
    return [line for line in lines if ESCAPED in line]
