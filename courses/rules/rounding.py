"""How a part of all there is to earn becomes a decimal."""

from decimal import Decimal
from fractions import Fraction
from math import floor

PLACES = 4


def rounded_down(part: Fraction) -> Decimal:
    """A part from 0 to 1, rounded down to 4 places: 1 means all of it, as scores of programs are rounded, too."""
    return Decimal(floor(part * 10**PLACES)).scaleb(-PLACES)
