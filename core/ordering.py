"""Places in a list as short texts, so that moving one thing writes one row and never renumbers the others.

A key is an integer part and perhaps a fraction, compared byte by byte (on PostgreSQL the column needs collation `C`).
The integer's first letter says how many digits follow: `a` one, `b` two and so on; `Z` one, `Y` two and so on below
zero. So what is always put last (or first) gets keys that grow with the logarithm of how many there are. The idea is
known as fractional indexing.
"""

import re

# In byte order. An integer's digits leave out the lowest, and no fraction ends in it: no key ends in "0", and there is
# always room below a key.
DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
LOWEST, HIGHEST = "1", "z"
FIRST_KEY = "a1"
# Characters that a column for keys holds. A thousand insertions at one and the same place come close to it.
KEY_MAX = 200

_VALUES = {digit: value for value, digit in enumerate(DIGITS)}
_INTEGER_HEAD = re.compile(r"[A-Za-z]")
_INTEGER_DIGITS = re.compile(r"[1-9A-Za-z]+")
_FRACTION = re.compile(r"(?:[0-9A-Za-z]*[1-9A-Za-z])?")


def key_between(before: str | None, after: str | None) -> str:
    """A key after `before` and before `after`; None means that there is no neighbor on that side.

    It is at most one character longer than the longer neighbor, and with one neighbor only most often as long.

    Raises:
        ValueError: `before` is not below `after`, or one of them is no key, or an end of all integers is reached.
    """
    if before is not None and after is not None and before >= after:
        raise ValueError(f"{before!r} is not before {after!r}")
    if before is None and after is None:
        return FIRST_KEY
    if before is None:
        return _key_before(after or "")
    integer, fraction = _split(before)
    if after is None:
        return _successor(integer) or integer + _middle(fraction, None)
    after_integer, after_fraction = _split(after)
    if integer == after_integer:
        return integer + _middle(fraction, after_fraction)
    following = _successor(integer)
    # The next whole number is shorter than any fraction; there may be none in the gap.
    if following is not None and following < after:
        return following
    return integer + _middle(fraction, None)


def keys_between(before: str | None, after: str | None, count: int) -> list[str]:
    """`count` ascending keys between two neighbors, spread evenly where both are given.

    Raises:
        ValueError: as `key_between`, or `count` is negative.
    """
    if count < 0:
        raise ValueError("a negative number of keys")
    keys: list[str] = []
    if after is None:
        for _ in range(count):
            before = key_between(before, None)
            keys.append(before)
        return keys
    if before is None:
        for _ in range(count):
            after = key_between(None, after)
            keys.append(after)
        return keys[::-1]
    if count == 0:
        return keys
    middle = key_between(before, after)
    below = count // 2
    return [*keys_between(before, middle, below), middle, *keys_between(middle, after, count - below - 1)]


def needs_rebalancing(key: str) -> bool:
    """Whether a new key is too long to be stored: then give all of the list new ones, by `keys_between`."""
    return len(key) > KEY_MAX


def _key_before(after: str) -> str:
    integer, fraction = _split(after)
    if fraction:
        return integer
    preceding = _predecessor(integer)
    if preceding is None:
        raise ValueError(f"there is nothing before {after!r}")
    return preceding


def _split(key: str) -> tuple[str, str]:
    """A key's integer part and its fraction, which may be empty. Raises ValueError for what is no key."""
    if _INTEGER_HEAD.match(key):
        length = 1 + _digits_after(key[0])
        integer, fraction = key[:length], key[length:]
        if len(integer) == length and _INTEGER_DIGITS.fullmatch(integer[1:]) and _FRACTION.fullmatch(fraction):
            return integer, fraction
    raise ValueError(f"{key!r} is no key")


def _digits_after(head: str) -> int:
    return ord(head) - ord("a") + 1 if head >= "a" else ord("Z") - ord(head) + 1


def _successor(integer: str) -> str | None:
    head, digits = integer[0], integer[1:]
    kept = digits.rstrip(HIGHEST)
    if kept:
        return head + kept[:-1] + DIGITS[_VALUES[kept[-1]] + 1] + LOWEST * (len(digits) - len(kept))
    if head == "z":
        return None
    head = "a" if head == "Z" else chr(ord(head) + 1)
    return head + LOWEST * _digits_after(head)


def _predecessor(integer: str) -> str | None:
    head, digits = integer[0], integer[1:]
    kept = digits.rstrip(LOWEST)
    if kept:
        return head + kept[:-1] + DIGITS[_VALUES[kept[-1]] - 1] + HIGHEST * (len(digits) - len(kept))
    if head == "A":
        return None
    head = "Z" if head == "a" else chr(ord(head) - 1)
    return head + HIGHEST * _digits_after(head)


def _middle(low: str, high: str | None) -> str:
    """A short fraction strictly between two; `low` may be empty (nought), `high` None (one)."""
    found: list[str] = []
    while True:
        place = len(found)
        below = _VALUES[low[place]] if place < len(low) else 0
        above = len(DIGITS) if high is None else _VALUES[high[place]]
        if above - below > 1:
            return "".join([*found, DIGITS[(below + above) // 2]])
        if above != below:
            # From here on everything after `low` fits. Cut after this digit, a longer `high` is the shorter answer.
            if high is not None and len(high) > place + 1:
                return high[: place + 1]
            high = None
        found.append(DIGITS[below])
