"""What each language is tried with: one program for each thing that it has to do."""

from collections.abc import Callable
from dataclasses import dataclass, field


def _as_typed(words: str) -> bytes:
    return words.encode()


@dataclass(frozen=True, kw_only=True)
class Programs:
    """The programs of one language; None where it cannot do such a thing.

    `hello` greets the name on stdin, `unicode` prints an é, the name and its length; `total` adds up the numbers on
    stdin, one a line. `given` turns such words into the stdin that this language's programs take. `deep` prints "deep"
    from the bottom of `depth` calls, `endless` calls itself for ever. `huge` asks for far more memory than there is, at
    once, and dies of the refusal.
    """

    hello: str
    several: tuple[str, dict[str, str]] | None
    fails: str
    fails_with: int = 3
    crashes: str
    broken: str
    spins: str
    sleeps: str | None
    grows: str
    huge: str | None
    floods: str
    unicode: str
    total: str
    deep: str | None
    depth: int = 50_000
    endless: str | None
    given: Callable[[str], bytes] = field(default=_as_typed)
