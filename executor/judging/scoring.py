"""From verdicts to a score: weights, groups of tests, and which tests are skipped. Pure, and exact: no float anywhere.

A test is accepted or not; there is no outcome between. Tests without a group earn their weight each. A group earns its
points times its share (see `Aggregate`), or nothing where a group it requires is not full. The score is what was earned
of all there is to earn, from 0 to 100, rounded down to 0.01: 100 means all of it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from math import floor
from typing import Protocol

from executor.judging.verdicts import Verdict


class Aggregate(StrEnum):
    """How a group's tests make up its share, from 0 to 1. A group whose tests weigh nothing is all or nothing.

    `sum`: the accepted tests' part of the group's weight.
    `min`: 1 if every test is accepted, else 0; after its first failure the rest of the group is skipped.
    `mul`: the product of the outcomes. Since these are 0 or 1, it is `min`; both names are known, for both are in use.
    `threshold`: 1 if the accepted tests' part of the group's weight is at least the group's threshold, else 0.

    Source: the score types Sum, GroupMin, GroupMul and GroupThreshold of CMS, and the batches of DMOJ, which are `min`.
    Two differences: CMS multiplies and minimizes outcomes between 0 and 1, which we do not have; and its threshold is
    an upper bound on each outcome, while ours is a lower bound on the part of the group that was solved.
    """

    SUM = "sum"
    MIN = "min"
    MUL = "mul"
    THRESHOLD = "threshold"


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreGroup:
    """A group of tests. `points` of None are the sum of its tests' weights; `threshold` is a part from 0 to 1.

    `requires` names groups that stand before it in the list. It is skipped where one of them is not full, that is,
    where the share of that one is less than 1 or what that one requires is not full.
    """

    name: str
    aggregate: Aggregate = Aggregate.SUM
    points: Decimal | None = None
    threshold: Decimal = Decimal(1)
    requires: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoringRules:
    """What a problem says of scoring, beyond the weights of its tests.

    Without partial credit a score is 100 or 0. With `stops_at_first_failure` all tests after the first that is not
    accepted are skipped.
    """

    groups: tuple[ScoreGroup, ...] = ()
    is_partial_credit: bool = True
    stops_at_first_failure: bool = False


class Weighted(Protocol):
    """What scoring knows of a test. A `group` that no rule defines is none."""

    @property
    def weight(self) -> Decimal: ...

    @property
    def group(self) -> str: ...


FULL_SCORE = Decimal(100)
_SKIP_AFTER_FAILURE = frozenset({Aggregate.MIN, Aggregate.MUL})
_NO_GROUP = ScoreGroup(name="")


def groups_fault(groups: Sequence[ScoreGroup]) -> str | None:
    """What makes groups unusable, as a sentence; None where all is well. Saving a test set refuses all of it."""
    names: list[str] = []
    for group in groups:
        if not group.name or group.name in names:
            return f"Groups need different names; {group.name!r} is not one."
        for required in group.requires:
            if required not in names:
                return f"The group {group.name!r} requires {required!r}, which is no group before it."
        names.append(group.name)
    return None


@dataclass(slots=True)
class _Tally:
    """One group while its tests are decided. What cannot be full any more never can again, nor what requires it."""

    group: ScoreGroup
    dependents: list["_Tally"] = field(default_factory=list)
    total: Fraction = Fraction(0)
    lost: Fraction = Fraction(0)
    failures: int = 0
    left: int = 0
    is_blocked: bool = False
    can_be_full: bool = True

    @property
    def points(self) -> Fraction:
        return self.total if self.group.points is None else Fraction(self.group.points)

    @property
    def share(self) -> Fraction:
        """The group's share if all its tests that are left were accepted; once none is left, its share."""
        if self.failures == 0:
            return Fraction(1)
        if self.total == 0 or self.group.aggregate in _SKIP_AFTER_FAILURE:
            return Fraction(0)
        reached = (self.total - self.lost) / self.total
        if self.group.aggregate is Aggregate.SUM:
            return reached
        return Fraction(int(reached >= Fraction(self.group.threshold)))

    @property
    def is_closed(self) -> bool:
        """Whether its tests that are left are skipped."""
        return self.is_blocked or (self.failures > 0 and self.group.aggregate in _SKIP_AFTER_FAILURE)

    def fail(self, weight: Decimal) -> None:
        """Count a test that is not accepted."""
        self.failures += 1
        self.lost += Fraction(weight)
        if self.can_be_full and self.share < 1:
            self._block_dependents()

    def _block_dependents(self) -> None:
        self.can_be_full = False
        for dependent in self.dependents:
            dependent.is_blocked = True
            if dependent.can_be_full:
                dependent._block_dependents()


class ScoreSheet:
    """Takes the verdicts of the tests one by one, in judging order, and says what is skipped and what it comes to.

    Whether a test is skipped is decided by the verdicts before it alone. After an `internal_error` all are: nothing
    else counts then.
    """

    def __init__(self, tests: Sequence[Weighted], rules: ScoringRules) -> None:
        """The groups of the rules must have no fault; see `groups_fault`."""
        self._rules = rules
        self._tallies = {"": _Tally(_NO_GROUP)}
        for group in rules.groups:
            tally = self._tallies[group.name] = _Tally(group)
            for name in group.requires:
                self._tallies[name].dependents.append(tally)
        self._tests = tests
        self._of_test = [self._tallies.get(test.group) or self._tallies[""] for test in tests]
        for test, tally in zip(tests, self._of_test, strict=True):
            tally.total += Fraction(test.weight)
            tally.left += 1
        self._entered = 0
        self._is_stopped = False

    @property
    def skips_next(self) -> bool:
        """Whether the next test is skipped, whatever its run may have given."""
        return self._is_stopped or self._of_test[self._entered].is_closed

    @property
    def is_over(self) -> bool:
        """Whether all tests that are left are skipped."""
        return self._is_stopped or all(tally.is_closed for tally in self._tallies.values() if tally.left)

    def enter(self, verdict: Verdict) -> Verdict:
        """Enter the next test's verdict, and give the one that counts: `skipped` where it is skipped."""
        counted = Verdict.SKIPPED if self.skips_next else verdict
        tally = self._of_test[self._entered]
        if counted is not Verdict.ACCEPTED:
            tally.fail(self._tests[self._entered].weight)
            if counted is Verdict.INTERNAL_ERROR:
                self._is_stopped = True
            elif counted is not Verdict.SKIPPED:
                self._is_stopped = self._is_stopped or self._rules.stops_at_first_failure
        tally.left -= 1
        self._entered += 1
        return counted

    def score(self) -> Decimal:
        """The score once all tests are entered; where there is nothing to earn, 100 if all are accepted, else 0."""
        tallies = self._tallies.values()
        total = sum((tally.points for tally in tallies), Fraction(0))
        if total == 0:
            return Decimal(0) if any(tally.failures for tally in tallies) else FULL_SCORE
        earned = sum((tally.points * tally.share for tally in tallies if not tally.is_blocked), Fraction(0))
        if not self._rules.is_partial_credit:
            return FULL_SCORE if earned == total else Decimal(0)
        return Decimal(floor(earned / total * 10_000)) / 100
