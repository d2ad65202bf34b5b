"""What authors say of choices and blanks, and the one place where it becomes rows and rules."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from courses.models import ChoiceProblem, FillBlankProblem
from courses.rules.choice import ChoiceKey, Scoring
from courses.rules.fillblank import Blank, Match
from courses.rules.matching import Spaces


@dataclass(frozen=True, slots=True, kw_only=True)
class ChoiceSpec:
    """A choice as its author gives it: texts of options, the first being A, and the letters of the right ones."""

    options: Sequence[str] = ()
    answers: Sequence[str] = ()
    is_multiple: bool = False
    scoring: str = Scoring.ALL_OR_NOTHING


@dataclass(frozen=True, slots=True, kw_only=True)
class FillBlankSpec:
    """A text with blanks as its author gives it: `{{1}}` is where the first of `blanks` stands."""

    text: str = ""
    blanks: Sequence[Blank] = ()


def choice_spec(row: ChoiceProblem) -> ChoiceSpec:
    """What the author said of a stored choice."""
    return ChoiceSpec(
        options=tuple(row.options), answers=tuple(row.answers), is_multiple=row.is_multiple, scoring=row.scoring
    )


def choice_columns(spec: ChoiceSpec) -> dict[str, Any]:
    """The columns of a choice that `rules.choice.key_errors` has nothing against."""
    return {
        "options": list(spec.options),
        "option_count": len(spec.options),
        "answers": "".join(sorted(spec.answers)),
        "is_multiple": spec.is_multiple,
        "scoring": str(spec.scoring),
    }


def choice_key(row: ChoiceProblem) -> ChoiceKey:
    """What a stored choice is graded by."""
    return ChoiceKey(
        option_count=row.option_count,
        answers=frozenset(row.answers),
        is_multiple=row.is_multiple,
        scoring=Scoring(row.scoring),
    )


def fillblank_spec(row: FillBlankProblem) -> FillBlankSpec:
    """What the author said of a stored text with blanks."""
    return FillBlankSpec(text=row.text, blanks=blanks_of(row))


def fillblank_columns(spec: FillBlankSpec) -> dict[str, Any]:
    """The columns of a text with blanks that `rules.blank_authoring.blanks_errors` has nothing against."""
    return {
        "text": spec.text,
        "blanks": [_blank_as_json(blank) for blank in spec.blanks],
        "blank_count": len(spec.blanks),
    }


def blanks_of(row: FillBlankProblem) -> tuple[Blank, ...]:
    """What a stored text's blanks are graded by, in order."""
    return tuple(blank_from(blank) for blank in row.blanks)


def blank_from(written: Mapping[str, Any]) -> Blank:
    """One blank as it is stored or was sent; what is not said is as `rules.fillblank.Blank` has it.

    {"accepted": ["..."], "match"?, "ignores_case"?, "spaces"?, "tolerance"?, "relative_tolerance"?, "score"?}
    """
    return Blank(
        accepted=tuple(written.get("accepted", ())),
        match=Match(written.get("match", Match.TEXT)),
        ignores_case=written.get("ignores_case", False),
        spaces=Spaces(written.get("spaces", Spaces.TRIM)),
        tolerance=_decimal(written.get("tolerance")),
        relative_tolerance=_decimal(written.get("relative_tolerance")),
        score=Decimal(written.get("score", 1)),
    )


def plain_decimal(value: Decimal) -> str:
    """A number within the rules' bounds, written out without exponent or needless zeros."""
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _blank_as_json(blank: Blank) -> dict[str, Any]:
    return {
        "accepted": list(blank.accepted),
        "match": str(blank.match),
        "ignores_case": blank.ignores_case,
        "spaces": str(blank.spaces),
        "tolerance": None if blank.tolerance is None else plain_decimal(blank.tolerance),
        "relative_tolerance": None if blank.relative_tolerance is None else plain_decimal(blank.relative_tolerance),
        "score": plain_decimal(blank.score),
    }


def _decimal(text: Any) -> Decimal | None:
    return None if text is None else Decimal(text)
