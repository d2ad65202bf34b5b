"""Choice problems: what an author may set, what a student may choose, and what a choice earns.

Options are known by letters, A to Z, in the order in which the author gives them. They keep their letters even where
they are shown in another order.
"""

import unicodedata
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from string import ascii_uppercase

from core.errors import FieldError, pointer_to
from courses.rules.rounding import rounded_down

OPTIONS_MIN = 2
OPTIONS_MAX = len(ascii_uppercase)
OPTION_CHARS_MAX = 5_000

Fault = tuple[str, str, str]


class Scoring(StrEnum):
    """What a choice earns that is not wholly right.

    `all_or_nothing`: nothing.
    `right_minus_wrong`: each right option chosen counts one, each wrong one minus one, of as many as are right; never
    less than nothing.
    """

    ALL_OR_NOTHING = "all_or_nothing"
    RIGHT_MINUS_WRONG = "right_minus_wrong"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChoiceKey:
    """Which options are right. One is only made from what `key_errors` has nothing against, so it can always grade.

    Raises:
        ValueError: nobody could grade by it.
    """

    option_count: int
    answers: frozenset[str]
    is_multiple: bool
    scoring: Scoring = Scoring.ALL_OR_NOTHING

    def __post_init__(self) -> None:
        if not (OPTIONS_MIN <= self.option_count <= OPTIONS_MAX and self.answers <= set(letters(self.option_count))):
            raise ValueError("the answers are not among the options")
        if not self.answers or (len(self.answers) > 1 and not self.is_multiple):
            raise ValueError("a choice has at least one answer, and a single choice one")


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """What a choice earned: `fraction` from 0 to 1, rounded down to 4 places; 1 means, exactly, wholly right."""

    fraction: Decimal
    is_correct: bool


def letters(option_count: int) -> str:
    """The letters of that many options, in order."""
    return ascii_uppercase[:option_count]


def grade_choice(key: ChoiceKey, chosen: Collection[str]) -> Mark:
    """What choosing these letters earns. Choosing none is allowed and earns nothing.

    Raises:
        ValueError: `choice_errors` has something against the choice.
    """
    if choice_errors(key, chosen):
        raise ValueError("the choice is not valid for this key")
    picked = frozenset(chosen)
    is_correct = picked == key.answers
    if key.scoring == Scoring.ALL_OR_NOTHING:
        return Mark(fraction=Decimal(int(is_correct)), is_correct=is_correct)
    earned = len(picked & key.answers) - len(picked - key.answers)
    return Mark(fraction=rounded_down(Fraction(max(0, earned), len(key.answers))), is_correct=is_correct)


def choice_errors(key: ChoiceKey, chosen: Collection[str], *, at: str = "#/answer/chosen") -> list[FieldError]:
    """What is wrong with a student's choice. It tells nothing of which options are right.

    Codes: `max_length` (more letters than can be chosen), `unknown_option`, `duplicate`.
    """
    most = key.option_count if key.is_multiple else 1
    if len(chosen) > most:
        detail = "Choose each option at most once." if key.is_multiple else "Choose one option only."
        return [FieldError(pointer=at, code="max_length", detail=detail)]
    known = letters(key.option_count)
    return _located(_letter_faults(list(chosen), known), at)


def key_errors(
    *, options: Sequence[str], answers: Sequence[str], is_multiple: bool, scoring: str, at: str = "#/choice"
) -> list[FieldError]:
    """What is wrong with a choice problem as its author gives it: texts of options, and letters of the right ones.

    Codes: at the options `min_length`, `max_length`, `blank`, `duplicate`; at the answers `required`, `one_answer`,
    `max_length`, `unknown_option`, `duplicate`; at the scoring `invalid_choice`.
    """
    errors = _located(_option_faults(options), pointer_to(at, "options"))
    errors += _located(_answer_faults(answers, letters(len(options)), is_multiple), pointer_to(at, "answers"))
    if scoring not in list(Scoring):
        detail = f"There is no such scoring; there are {', '.join(Scoring)}."
        errors.append(FieldError(pointer=pointer_to(at, "scoring"), code="invalid_choice", detail=detail))
    return errors


def _option_faults(options: Sequence[str]) -> Iterator[Fault]:
    if len(options) < OPTIONS_MIN:
        yield "", "min_length", f"A choice has at least {OPTIONS_MIN} options."
    if len(options) > OPTIONS_MAX:
        yield "", "max_length", f"A choice has at most {OPTIONS_MAX} options."
        return
    seen: set[str] = set()
    for index, option in enumerate(options):
        # Texts that look the same are the same: nobody could tell which of two is meant.
        text = " ".join(unicodedata.normalize("NFC", option).split())
        if not text:
            yield str(index), "blank", "An option has a text."
        elif len(option) > OPTION_CHARS_MAX:
            yield str(index), "max_length", f"An option has at most {OPTION_CHARS_MAX} characters."
        elif text in seen:
            yield str(index), "duplicate", "Another option has this text."
        seen.add(text)


def _answer_faults(answers: Sequence[str], known: str, is_multiple: bool) -> Iterator[Fault]:
    if not answers:
        yield "", "required", "At least one option is right."
    elif len(answers) > OPTIONS_MAX:
        yield "", "max_length", f"At most {OPTIONS_MAX} options are right."
    else:
        if len(set(answers)) > 1 and not is_multiple:
            yield "", "one_answer", "Of a single choice, one option is right."
        yield from _letter_faults(answers, known)


def _letter_faults(chosen: Sequence[str], known: str) -> Iterator[Fault]:
    for index, letter in enumerate(chosen):
        if letter not in tuple(known):
            yield str(index), "unknown_option", "There is no option of this letter."
        elif letter in chosen[:index]:
            yield str(index), "duplicate", "This option is named twice."


def _located(faults: Iterator[Fault], at: str) -> list[FieldError]:
    return [
        FieldError(pointer=pointer_to(at, name) if name else at, code=code, detail=detail)
        for name, code, detail in faults
    ]
