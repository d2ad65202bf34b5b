"""What an author may set for a fill-in-the-blank problem, with each fault named at its place.

In the text, blanks are written `{{1}}`, `{{2}}` and so on, each once, in any order. Anything else between double
braces, such as `{{a}}` in a formula, is text.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from decimal import Decimal

from core.errors import FieldError, pointer_to
from courses.rules.fillblank import Blank, Match
from courses.rules.matching import ExpressionInvalid, exact_fraction, expression_compiled, number_in, tidied

BLANKS_MAX = 50
ACCEPTED_MAX = 20
ACCEPTED_CHARS_MAX = 1_000
# In a whole problem: each may take some milliseconds to compile.
EXPRESSIONS_MAX = 100
SCORE_MAX = Decimal(10_000)
SCORE_PLACES = 3
TOLERANCE_DIGITS_MAX = 50

_PLACE = re.compile(r"\{\{([0-9]+)\}\}")
Fault = tuple[str, str, str]


def blanks_errors(text: str, blanks: Sequence[Blank], *, at: str = "#/fillblank") -> list[FieldError]:
    """What is wrong with a text and its blanks.

    Codes. At the text: `no_blanks`, `blank_unknown`, `blank_repeated`. At `blanks`: `max_length`,
    `too_many_expressions`. At a blank: `blank_missing` (from the text). At its `accepted`: `required`, `max_length`,
    `blank`, `regex_invalid`, `number_invalid`; at its tolerances `invalid`, `tolerance_without_number`; at its `score`
    `invalid`.
    """
    faults = [*_text_faults(text, len(blanks))]
    if len(blanks) > BLANKS_MAX:
        faults.append(("blanks", "max_length", f"A text has at most {BLANKS_MAX} blanks."))
    elif sum(len(blank.accepted) for blank in blanks if blank.match == Match.REGEX) > EXPRESSIONS_MAX:
        detail = f"A problem has at most {EXPRESSIONS_MAX} expressions in all its blanks."
        faults.append(("blanks", "too_many_expressions", detail))
    else:
        written = set(_PLACE.findall(text))
        for index, blank in enumerate(blanks):
            if str(index + 1) not in written:
                faults.append((f"blanks/{index}", "blank_missing", f"The text has no {{{{{index + 1}}}}}."))
            faults += [(f"blanks/{index}/{name}", code, detail) for name, code, detail in _blank_faults(blank)]
    return [FieldError(pointer=f"{at}/{name}", code=code, detail=detail) for name, code, detail in faults]


def _text_faults(text: str, blank_count: int) -> Iterator[Fault]:
    counted = Counter(_PLACE.findall(text))
    if not counted:
        yield "text", "no_blanks", "The text has no blank; write {{1}} where the first one stands."
    known = {str(number) for number in range(1, blank_count + 1)}
    for number, count in counted.items():
        shown = pointer_to("", number)[1:]
        if number not in known:
            yield "text", "blank_unknown", f"The text has a {{{{{shown}}}}}, but {blank_count} blanks are given."
        elif count > 1:
            yield "text", "blank_repeated", f"The text has {{{{{shown}}}}} {count} times."


def _blank_faults(blank: Blank) -> Iterator[Fault]:
    if not blank.accepted:
        yield "accepted", "required", "A blank has at least one accepted answer."
    elif len(blank.accepted) > ACCEPTED_MAX:
        yield "accepted", "max_length", f"A blank has at most {ACCEPTED_MAX} accepted answers."
    else:
        for index, accepted in enumerate(blank.accepted):
            fault = _accepted_fault(blank, accepted)
            if fault is not None:
                yield f"accepted/{index}", *fault
    yield from _tolerance_faults(blank)
    if not (blank.score.is_finite() and 0 < blank.score <= SCORE_MAX) or _places(blank.score) > SCORE_PLACES:
        yield "score", "invalid", f"A score is above 0, at most {SCORE_MAX}, with {SCORE_PLACES} decimal places."


def _accepted_fault(blank: Blank, accepted: str) -> tuple[str, str] | None:
    if len(accepted) > ACCEPTED_CHARS_MAX:
        return "max_length", f"An accepted answer has at most {ACCEPTED_CHARS_MAX} characters."
    if not tidied(accepted, blank.spaces):
        # No answer could match it: one that is empty counts as not given.
        return "blank", "An accepted answer is not empty."
    if blank.match == Match.NUMBER and number_in(tidied(accepted, blank.spaces).strip()) is None:
        return "number_invalid", "This is no number, such as 12, -0.5 or 1e3."
    if blank.match == Match.REGEX:
        try:
            expression_compiled(accepted, ignores_case=blank.ignores_case)
        except ExpressionInvalid as error:
            return "regex_invalid", f"The expression cannot be used: {error}. The syntax is that of RE2."
    return None


def _tolerance_faults(blank: Blank) -> Iterator[Fault]:
    given = (("tolerance", blank.tolerance), ("relative_tolerance", blank.relative_tolerance))
    for name, tolerance in given:
        if tolerance is None:
            continue
        if blank.match != Match.NUMBER:
            yield name, "tolerance_without_number", "Only a blank that takes a number has a tolerance."
        elif (
            exact_fraction(tolerance) is None
            or tolerance < 0
            or len(tolerance.as_tuple().digits) > TOLERANCE_DIGITS_MAX
        ):
            yield name, "invalid", "A tolerance is a number from 0 up."


def _places(value: Decimal) -> int:
    exponent = value.as_tuple().exponent
    return -exponent if isinstance(exponent, int) else 0
