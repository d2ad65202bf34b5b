"""How one text of an answer is read: as text, as a number, or against an author's expression.

Characters. Texts are compared in Unicode's NFC, so that `é` is `é` however it was typed. NFKC is not applied: it would
make `x²` the same as `x2`. Every kind of space (non-breaking, narrow, ideographic, tabs, line ends) is a space; the
characters of no width that come along unseen when text is pasted (U+200B, U+2060, U+FEFF) are dropped. The joiners
U+200C and U+200D stay: they belong to how words are written. Where spaces count exactly, NFC is all that is done.
"""

import re
import unicodedata
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction

import re2

EXPRESSION_CHARS_MAX = 1_000
# What one compiled expression may take; it and some 100 others are kept for reuse by the library.
EXPRESSION_BYTES_MAX = 256 * 1024
# No quantity is further from 1 than this power of ten, and none of its digits; what is would cost memory to compare.
EXPONENT_MAX = 400
NUMBER_DIGITS_MAX = 1_000

_UNSEEN = str.maketrans("", "", "\u200b\u2060\ufeff")
_NUMBER = re.compile(
    r"(?P<sign>[+\-\u2212]?)(?P<digits>\d+(?:[.,]\d*)?|[.,]\d+)(?:[eE](?P<power>[+\-\u2212]?\d{1,4}))?"
)


class Spaces(StrEnum):
    """What happens to spaces before a text is compared.

    `exact`: nothing. `trim`: those at both ends go. `collapse`: those, and each run between words becomes one space.
    `ignore`: all go.
    """

    EXACT = "exact"
    TRIM = "trim"
    COLLAPSE = "collapse"
    IGNORE = "ignore"


class ExpressionInvalid(ValueError):
    """The expression cannot be used; the message says why, for its author."""


def tidied(text: str, spaces: Spaces) -> str:
    """A text as it is compared: NFC, its spaces treated (see above)."""
    if spaces == Spaces.EXACT:
        return unicodedata.normalize("NFC", text)
    words = unicodedata.normalize("NFC", text.translate(_UNSEEN))
    match spaces:
        case Spaces.TRIM:
            return "".join(" " if char.isspace() else char for char in words.strip())
        case Spaces.COLLAPSE:
            return " ".join(words.split())
        case Spaces.IGNORE:
            return "".join(words.split())


def without_case(text: str) -> str:
    """A text for comparing without regard to case, by Unicode's full folding: `Straße` is `STRASSE`."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", text).casefold())


def number_in(text: str) -> Fraction | None:
    """The number that a text writes, exactly; None where it is no number.

    `12`, `-0.5`, `.5`, `5.`, `1e3`; the sign may be U+2212, the digits any of Unicode's decimal ones. `,` is a decimal
    sign like `.`, never one that groups thousands: `1,000` is one. No infinity, no NaN, no `_`, no `0x`, no spaces
    inside.
    """
    found = _NUMBER.fullmatch(text) if len(text) <= NUMBER_DIGITS_MAX else None
    if found is None:
        return None
    written = f"{found['sign']}{found['digits']}e{found['power'] or 0}".replace("\u2212", "-").replace(",", ".")
    return exact_fraction(Decimal(written))


def exact_fraction(value: Decimal) -> Fraction | None:
    """The same number as a fraction; None where it is not finite, or too large or too small to be a quantity."""
    exponent = value.as_tuple().exponent
    if not isinstance(exponent, int) or (value and abs(value.adjusted()) > EXPONENT_MAX):
        return None
    # Such as 0e999999: nothing, but costly to write out.
    if not -(EXPONENT_MAX + NUMBER_DIGITS_MAX) <= exponent <= EXPONENT_MAX:
        return None
    return Fraction(value)


def expression_compiled(expression: str, *, ignores_case: bool) -> "re2._Regexp":
    """An author's expression, ready to match in time linear in the answer, whatever expression and answer are.

    Syntax: RE2, which has neither backreferences nor look-around. It is read in NFC, as answers are.

    Raises:
        ExpressionInvalid: it is faulty, uses what RE2 does not have, or is too large.
    """
    if len(expression) > EXPRESSION_CHARS_MAX:
        raise ExpressionInvalid(f"an expression has at most {EXPRESSION_CHARS_MAX} characters")
    options = re2.Options()
    options.max_mem = EXPRESSION_BYTES_MAX
    options.case_sensitive = not ignores_case
    # What groups hold is of no use here.
    options.never_capture = True
    options.log_errors = False
    try:
        return re2.compile(unicodedata.normalize("NFC", expression), options=options)
    except re2.error as error:
        reason = error.args[0]
        raise ExpressionInvalid(
            reason.decode(errors="replace") if isinstance(reason, bytes) else str(reason)
        ) from error
    except UnicodeEncodeError as error:
        raise ExpressionInvalid("half a surrogate pair is no character") from error
