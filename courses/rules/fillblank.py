"""Fill-in-the-blank problems: what is accepted in each blank, and what answers earn.

An answer of which nothing is left once its spaces are treated was not given: it is never right, whatever an expression
would say of it.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction

from core.errors import FieldError, pointer_to
from courses.rules.matching import Spaces, exact_fraction, expression_compiled, number_in, tidied, without_case
from courses.rules.rounding import rounded_down

ANSWER_CHARS_MAX = 1_000
_SURROGATE = re.compile("[\ud800-\udfff]")


class Match(StrEnum):
    """How an answer is compared with what is accepted: as text, by an expression, or as a number."""

    TEXT = "text"
    REGEX = "regex"
    NUMBER = "number"


@dataclass(frozen=True, slots=True, kw_only=True)
class Blank:
    """One blank: an answer is right if it matches any of `accepted`, and then earns `score`, above 0.

    Tolerances are for numbers, bounds included; where both are given, either is enough. `tolerance` is a difference,
    `relative_tolerance` a part of the accepted number. Without one, numbers are equal or not; `2.0` equals `2`.
    Spaces around a number never count. `ignores_case` does nothing to numbers.
    """

    accepted: tuple[str, ...]
    match: Match = Match.TEXT
    ignores_case: bool = False
    spaces: Spaces = Spaces.TRIM
    tolerance: Decimal | None = None
    relative_tolerance: Decimal | None = None
    score: Decimal = Decimal(1)


@dataclass(frozen=True, slots=True, kw_only=True)
class BlankMark:
    """What one answer earned: the blank's score, or 0."""

    is_correct: bool
    score: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class BlanksMark:
    """What all answers earned. `fraction` is of all scores, 0 to 1, rounded down to 4 places: 1 means all of it."""

    blanks: tuple[BlankMark, ...]
    fraction: Decimal
    is_correct: bool


def grade_blanks(blanks: Sequence[Blank], answers: Sequence[str]) -> BlanksMark:
    """What these answers, one for each blank in order, earn; "" is an answer that was not given.

    Raises:
        ValueError: `answer_errors` has something against the answers, or `blanks_errors` against the blanks.
    """
    if not blanks or answer_errors(blanks, answers):
        raise ValueError("the answers are not valid for these blanks")
    marks = tuple(_blank_mark(blank, answer) for blank, answer in zip(blanks, answers, strict=True))
    total = sum(Fraction(blank.score) for blank in blanks)
    earned = sum(Fraction(mark.score) for mark in marks)
    return BlanksMark(
        blanks=marks, fraction=rounded_down(Fraction(earned, total)), is_correct=all(mark.is_correct for mark in marks)
    )


def answer_errors(blanks: Sequence[Blank], answers: Sequence[str], *, at: str = "#/answer/blanks") -> list[FieldError]:
    """What is wrong with a student's answers. It tells nothing of what is right.

    Codes: `answer_count`, `max_length`, `surrogate_characters_not_allowed`.
    """
    if len(answers) != len(blanks):
        detail = f"Give {len(blanks)} answers, one for each blank; an empty text where there is none."
        return [FieldError(pointer=at, code="answer_count", detail=detail)]
    errors = []
    for index, answer in enumerate(answers):
        if len(answer) > ANSWER_CHARS_MAX:
            detail = f"An answer has at most {ANSWER_CHARS_MAX} characters."
            errors.append(FieldError(pointer=pointer_to(at, index), code="max_length", detail=detail))
        elif _SURROGATE.search(answer):
            detail = "Half a surrogate pair is no character."
            code = "surrogate_characters_not_allowed"
            errors.append(FieldError(pointer=pointer_to(at, index), code=code, detail=detail))
    return errors


def is_accepted(blank: Blank, answer: str) -> bool:
    """Whether an answer is right in a blank.

    Raises:
        ValueError: an accepted expression or number is not one.
    """
    given = tidied(answer, blank.spaces)
    if not given:
        return False
    match blank.match:
        case Match.TEXT:
            return _is_text(blank, given)
        case Match.REGEX:
            return any(
                expression_compiled(expression, ignores_case=blank.ignores_case).fullmatch(given) is not None
                for expression in blank.accepted
            )
        case Match.NUMBER:
            return _is_number(blank, given)


def _blank_mark(blank: Blank, answer: str) -> BlankMark:
    is_correct = is_accepted(blank, answer)
    return BlankMark(is_correct=is_correct, score=blank.score if is_correct else Decimal(0))


def _is_text(blank: Blank, given: str) -> bool:
    texts = [tidied(text, blank.spaces) for text in blank.accepted]
    if blank.ignores_case:
        return without_case(given) in map(without_case, texts)
    return given in texts


def _is_number(blank: Blank, given: str) -> bool:
    number = number_in(given.strip())
    if number is None:
        return False
    absolute, relative = _tolerance(blank.tolerance), _tolerance(blank.relative_tolerance)
    for text in blank.accepted:
        wanted = number_in(tidied(text, blank.spaces).strip())
        if wanted is None:
            raise ValueError("an accepted number is not one")
        if abs(number - wanted) <= max(absolute, relative * abs(wanted)):
            return True
    return False


def _tolerance(value: Decimal | None) -> Fraction:
    tolerance = Fraction(0) if value is None else exact_fraction(value)
    if tolerance is None:
        raise ValueError("a tolerance is not a number")
    return tolerance
