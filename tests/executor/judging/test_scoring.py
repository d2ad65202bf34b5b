"""Weights, groups, dependencies and early stop: tables of named cases, and seeded random ones against a plain model."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

import pytest

from executor.judging import scoring
from executor.judging.scoring import Aggregate, ScoreGroup, ScoreSheet, ScoringRules, groups_fault
from executor.judging.verdicts import Verdict

OK, WA, SKIP, IE = Verdict.ACCEPTED, Verdict.WRONG_ANSWER, Verdict.SKIPPED, Verdict.INTERNAL_ERROR
LETTERS = {"A": OK, "W": WA, "T": Verdict.TIME_LIMIT_EXCEEDED, "S": SKIP, "I": IE}


@dataclass(frozen=True)
class Scored:
    weight: Decimal
    group: str = ""


def weighted(text: str) -> list[Scored]:
    """`weighted("1 2 a:3")`: weights, each with its group before a colon."""
    pairs = [word.rpartition(":") for word in text.split()]
    return [Scored(Decimal(weight), group) for group, _, weight in pairs]


def group(name: str, aggregate: str = "sum", points: str | None = None, **changes: object) -> ScoreGroup:
    made = {"threshold": Decimal(1), "requires": (), **changes}
    return ScoreGroup(
        name=name,
        aggregate=Aggregate(aggregate),
        points=None if points is None else Decimal(points),
        **made,  # type: ignore[arg-type]
    )


def settle(tests: Sequence[Scored], rules: ScoringRules, verdicts: Sequence[Verdict]) -> tuple[list[Verdict], Decimal]:
    sheet = ScoreSheet(tests, rules)
    return [sheet.enter(verdict) for verdict in verdicts], sheet.score()


def settled(tests: str, verdicts: str, *groups: ScoreGroup, partial: bool = True, stops: bool = False) -> str:
    """The verdicts that count and the score, as text: `AWS 33.33`."""
    rules = ScoringRules(groups=groups, is_partial_credit=partial, stops_at_first_failure=stops)
    counted, score = settle(weighted(tests), rules, [LETTERS[letter] for letter in verdicts])
    letters = {verdict: letter for letter, verdict in LETTERS.items()}
    return f"{''.join(letters[verdict] for verdict in counted)} {score}"


class TestWeights:
    @pytest.mark.parametrize(
        ("tests", "verdicts", "result"),
        [
            ("1 1 1", "AAA", "AAA 100"),
            ("1 1 1", "AWW", "AWW 33.33"),
            ("1 1 1", "AAT", "AAT 66.66"),
            ("0 1", "WA", "WA 100"),
            ("3 1", "AW", "AW 75"),
            ("0 0", "AA", "AA 100"),
            ("0 0", "AW", "AW 0"),
            ("99999 1", "AW", "AW 99.99"),
            ("0.001 99999.999", "AW", "AW 0"),
        ],
    )
    def test_share_of_the_weight_rounded_down(self, tests: str, verdicts: str, result: str) -> None:
        assert settled(tests, verdicts) == result

    @pytest.mark.parametrize(("verdicts", "result"), [("AAA", "AAA 100"), ("AAW", "AAW 0"), ("WAA", "WAA 0")])
    def test_all_or_nothing(self, verdicts: str, result: str) -> None:
        assert settled("1 2 3", verdicts, partial=False) == result

    def test_a_group_that_no_rule_defines_is_none(self) -> None:
        assert settled("x:1 x:1 1 1", "AWAW") == "AWAW 50"

    def test_stopping_at_the_first_failure(self) -> None:
        assert settled("1 1 1 1", "AWAA", stops=True) == "AWSS 25"
        assert settled("1 1", "AA", stops=True) == "AA 100"

    def test_thirds_add_up(self) -> None:
        """Two inexact shares that are half together are half, to the last digit."""
        tests = "a:1 a:1 a:1 b:1 b:1 b:1"
        assert settled(tests, "AWWAAW", group("a", points="50"), group("b", points="50")) == "AWWAAW 50"


class TestAggregates:
    @pytest.mark.parametrize(
        ("aggregate", "verdicts", "result"),
        [
            ("sum", "AAAA", "AAAA 100"),
            ("sum", "AAWA", "AAWA 85"),
            ("sum", "WWWA", "WWWA 40"),
            ("min", "AAAA", "AAAA 100"),
            ("min", "AAWA", "AAWA 40"),
            ("min", "AWAA", "AWSA 40"),
            ("mul", "AAAA", "AAAA 100"),
            ("mul", "WAAA", "WSSA 40"),
            ("mul", "WAAW", "WSSW 0"),
        ],
    )
    def test_sum_min_mul(self, aggregate: str, verdicts: str, result: str) -> None:
        """Weights 1, 2 and 1 in the group, and 40 points beside it; the group's points are 60 if not its weight."""
        tests = "g:1 g:2 g:1 40"
        assert settled(tests, verdicts, group("g", aggregate, "60")) == result

    @pytest.mark.parametrize(
        ("threshold", "verdicts", "score"),
        [
            ("1", "AAA", "100"),
            ("1", "AAW", "0"),
            ("0.5", "AWW", "0"),
            ("0.5", "WAW", "100"),
            ("0.75", "AAW", "100"),
            ("0.751", "AAW", "0"),
            ("0.25", "AWW", "100"),
            ("0.25", "WWW", "0"),
        ],
    )
    def test_threshold_is_reached_or_not(self, threshold: str, verdicts: str, score: str) -> None:
        one = group("g", "threshold", threshold=Decimal(threshold))
        assert settled("g:1 g:2 g:1", verdicts, one) == f"{verdicts} {score}"

    @pytest.mark.parametrize("aggregate", ["sum", "min", "mul", "threshold"])
    def test_a_group_without_weight_is_all_or_nothing(self, aggregate: str) -> None:
        one = group("g", aggregate, "10", threshold=Decimal("0.5"))
        assert settled("g:0 g:0", "AA", one) == "AA 100"
        assert settled("g:0 g:0", "AW", one) == "AW 0"

    def test_points_default_to_the_weights(self) -> None:
        assert settled("g:3 1", "AW", group("g", "min")) == "AW 75"
        assert settled("g:3 1", "AW", group("g", "min", "1")) == "AW 50"

    def test_a_group_without_tests_is_full(self) -> None:
        assert settled("b:1", "A", group("a"), group("b", requires=("a",))) == "A 100"


class TestRequires:
    def test_what_requires_a_group_that_is_not_full_is_skipped(self) -> None:
        groups = (group("a"), group("b", requires=("a",)), group("c", requires=("b",)))
        assert settled("a:1 a:1 b:1 b:1 c:2", "AAAAA", *groups) == "AAAAA 100"
        assert settled("a:1 a:1 b:1 b:1 c:2", "AWAAA", *groups) == "AWSSS 16.66"
        assert settled("a:1 a:1 b:1 b:1 c:2", "AAWAA", *groups) == "AAWAS 50"

    def test_a_reached_threshold_is_full(self) -> None:
        groups = (group("a", "threshold", threshold=Decimal("0.5")), group("b", requires=("a",)))
        assert settled("a:1 a:1 b:2", "AWA", *groups) == "AWA 100"
        assert settled("a:1 a:1 b:2", "WWA", *groups) == "WWS 0"

    def test_a_failure_that_weighs_nothing_leaves_a_sum_full(self) -> None:
        groups = (group("a"), group("b", requires=("a",)))
        assert settled("a:0 a:1 b:1", "WAA", *groups) == "WAA 100"

    def test_one_of_several(self) -> None:
        groups = (group("a"), group("b"), group("c", requires=("a", "b")))
        assert settled("a:1 b:1 c:2", "AWA", *groups) == "AWS 25"

    def test_a_group_failing_later_takes_the_points_and_leaves_the_verdicts(self) -> None:
        """Saving refuses such an order; were it there, what was judged stays visible and earns nothing."""
        assert settled("b:1 a:1", "AW", group("a"), group("b", requires=("a",))) == "AW 0"

    def test_a_hundred_groups_each_requiring_all_before_it(self) -> None:
        names = [f"g{number}" for number in range(100)]
        groups = [group(name, requires=tuple(names[:number])) for number, name in enumerate(names)]
        tests = " ".join(f"{name}:1" for name in names for _ in range(10))
        assert settled(tests, "A" * 1000, *groups) == "A" * 1000 + " 100"
        assert settled(tests, "W" + "A" * 999, *groups) == "W" + "A" * 9 + "S" * 990 + " 0.9"


class TestIsOver:
    def told_to_stop_after(self, tests: str, verdicts: str, *groups: ScoreGroup, stops: bool = False) -> int | None:
        """After how many tests the engine is told to stop; None if it never is."""
        sheet = ScoreSheet(weighted(tests), ScoringRules(groups=groups, stops_at_first_failure=stops))
        for number, letter in enumerate(verdicts, start=1):
            sheet.enter(LETTERS[letter])
            if sheet.is_over:
                return number if number < len(verdicts) else None
        return None

    def test_as_soon_as_all_that_is_left_is_skipped(self) -> None:
        assert self.told_to_stop_after("1 1 1", "AWA") is None
        assert self.told_to_stop_after("1 1 1", "AWA", stops=True) == 2
        assert self.told_to_stop_after("g:1 g:1 g:1", "WAA", group("g", "min")) == 1
        assert self.told_to_stop_after("g:1 g:1 1", "WAA", group("g", "min")) is None
        chain = (group("a", "min"), group("b", requires=("a",)), group("c", requires=("b",)))
        assert self.told_to_stop_after("a:1 a:1 b:1 c:1", "WAAA", *chain) == 1
        assert self.told_to_stop_after("a:1 b:1 b:1 c:1", "AWAA", *chain) == 3

    def test_after_an_internal_error_nothing_else_counts(self) -> None:
        assert self.told_to_stop_after("1 1 1", "AIA") == 2
        assert settled("1 1 1", "AIA").startswith("AIS")

    def test_an_internal_error_of_a_skipped_test_does_not_count(self) -> None:
        assert settled("g:1 g:1 1", "WIA", group("g", "min")) == "WSA 33.33"


class TestGroupsFault:
    @pytest.mark.parametrize(
        "groups",
        [
            [group("a"), group("a")],
            [group("")],
            [group("a", requires=("a",))],
            [group("a", requires=("b",)), group("b")],
            [group("a", requires=("b",)), group("b", requires=("a",))],
            [group("a", requires=("gone",))],
        ],
        ids=["twice", "no name", "itself", "later", "cycle", "unknown"],
    )
    def test_what_cannot_be_is_named(self, groups: list[ScoreGroup]) -> None:
        assert groups_fault(groups)

    def test_sound_groups_pass(self) -> None:
        assert groups_fault([group("a"), group("b", requires=("a",))]) is None


def plain_model(
    tests: Sequence[Scored], rules: ScoringRules, verdicts: Sequence[Verdict]
) -> tuple[list[Verdict], Decimal]:
    """The rules said again, slowly: every question is answered from all verdicts so far, and nothing is remembered."""
    by_name = {one.name: one for one in rules.groups}
    members = {name: [i for i, test in enumerate(tests) if test.group == name] for name in by_name}
    loose = [i for i, test in enumerate(tests) if test.group not in by_name]

    def weight(indexes: Sequence[int]) -> Fraction:
        return sum((Fraction(tests[i].weight) for i in indexes), Fraction(0))

    def share(name: str, seen: Sequence[Verdict]) -> Fraction:
        """Tests not seen yet are taken for accepted."""
        good = [i for i in members[name] if i >= len(seen) or seen[i] is OK]
        total = weight(members[name])
        everything = Fraction(int(len(good) == len(members[name])))
        if total == 0 or by_name[name].aggregate in {"min", "mul"}:
            return everything
        part = weight(good) / total
        if by_name[name].aggregate == "threshold":
            return Fraction(int(part >= Fraction(by_name[name].threshold)))
        return part

    def full(name: str, seen: Sequence[Verdict]) -> bool:
        return share(name, seen) == 1 and all(full(one, seen) for one in by_name[name].requires)

    counted: list[Verdict] = []
    for test, verdict in zip(tests, verdicts, strict=True):
        own = by_name.get(test.group)
        failed = [i for i, given in enumerate(counted) if given is not OK]
        skips = IE in counted or (rules.stops_at_first_failure and bool(failed))
        if own is not None:
            skips = skips or any(not full(name, counted) for name in own.requires)
            is_strict = own.aggregate in {"min", "mul"}
            skips = skips or (is_strict and any(i in failed for i in members[own.name]))
        counted.append(SKIP if skips else verdict)

    def points(name: str) -> Fraction:
        given = by_name[name].points
        return weight(members[name]) if given is None else Fraction(given)

    total = weight(loose) + sum((points(name) for name in by_name), Fraction(0))
    if total == 0:
        return counted, Decimal(100) if all(verdict is OK for verdict in counted) else Decimal(0)
    earned = weight([i for i in loose if counted[i] is OK])
    for name, one in by_name.items():
        if all(full(required, counted) for required in one.requires):
            earned += points(name) * share(name, counted)
    if not rules.is_partial_credit:
        return counted, Decimal(100 if earned == total else 0)
    return counted, Decimal(int(earned * 10_000 / total)) / 100


def episode(seed: int) -> tuple[list[Scored], ScoringRules, list[Verdict]]:
    """A random problem and a random solution of it; small numbers, so that zeros and ties are common."""
    luck = random.Random(seed)
    names = [f"g{number}" for number in range(luck.randrange(5))]
    groups = tuple(
        ScoreGroup(
            name=name,
            aggregate=luck.choice(list(Aggregate)),
            points=luck.choice([None, Decimal(luck.randrange(4)), Decimal("0.125")]),
            threshold=luck.choice([Decimal("0.25"), Decimal("0.5"), Decimal("0.667"), Decimal(1)]),
            requires=tuple(earlier for earlier in names[:number] if luck.random() < 0.3),
        )
        for number, name in enumerate(names)
    )
    weights = [Decimal(0), Decimal(1), Decimal(2), Decimal("0.333"), Decimal(7)]
    tests = [
        Scored(luck.choice(weights), luck.choice(["", "unknown", *names, *names])) for _ in range(luck.randrange(1, 14))
    ]
    if luck.random() < 0.7:  # as saving demands; sometimes mixed all the same
        tests.sort(key=lambda test: test.group)
    bad = luck.choice([[WA], [WA, Verdict.RUNTIME_ERROR], [WA, WA, WA, WA, IE]])
    chance = luck.choice([0.1, 0.3, 0.6])
    verdicts = [luck.choice(bad) if luck.random() < chance else OK for _ in tests]
    rules = ScoringRules(
        groups=groups, is_partial_credit=luck.random() < 0.8, stops_at_first_failure=luck.random() < 0.2
    )
    return tests, rules, verdicts


class TestAgainstThePlainModel:
    EPISODES = 600

    def disagreements(self) -> list[int]:
        episodes = [episode(seed) for seed in range(self.EPISODES)]
        return [seed for seed, given in enumerate(episodes) if settle(*given) != plain_model(*given)]

    def test_same_verdicts_and_scores(self) -> None:
        assert self.disagreements() == []

    @pytest.mark.parametrize("aggregate", [Aggregate.MIN, Aggregate.MUL])
    def test_control_without_skipping_they_disagree(
        self, monkeypatch: pytest.MonkeyPatch, aggregate: Aggregate
    ) -> None:
        others = scoring._SKIP_AFTER_FAILURE - {aggregate}
        monkeypatch.setattr(scoring, "_SKIP_AFTER_FAILURE", others)
        assert len(self.disagreements()) > 10

    def test_control_without_dependencies_they_disagree(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(scoring._Tally, "_block_dependents", lambda self: None)
        assert len(self.disagreements()) > 10

    def test_properties(self) -> None:
        for seed in range(self.EPISODES):
            tests, rules, verdicts = episode(seed)
            counted, score = settle(tests, rules, verdicts)
            assert 0 <= score <= 100
            assert score == score.quantize(Decimal("0.01"))
            if all(verdict is OK for verdict in verdicts):
                assert score == 100
            # Whatever was skipped changes nothing.
            others = [verdict if verdict is not SKIP else OK for verdict in counted]
            assert settle(tests, rules, others) == (counted, score)

    def test_stopping_early_changes_nothing(self) -> None:
        stopped = 0
        for seed in range(self.EPISODES):
            tests, rules, verdicts = episode(seed)
            sheet = ScoreSheet(tests, rules)
            counted: list[Verdict] = []
            for verdict in verdicts:
                counted.append(sheet.enter(verdict))
                if sheet.is_over:
                    break
            stopped += len(counted) < len(verdicts)
            counted += [SKIP] * (len(verdicts) - len(counted))
            assert counted == settle(tests, rules, verdicts)[0]
        assert stopped > 30

    def test_a_failure_found_later_skips_no_less(self) -> None:
        """What is skipped while some verdicts are still taken for accepted is skipped in the end (custom checkers)."""
        for seed in range(self.EPISODES):
            tests, rules, verdicts = episode(seed)
            luck = random.Random(seed)
            hopeful = [OK if verdict is WA and luck.random() < 0.5 else verdict for verdict in verdicts]
            if IE in verdicts:
                continue
            before, _ = settle(tests, rules, hopeful)
            after, _ = settle(tests, rules, verdicts)
            assert {i for i, verdict in enumerate(before) if verdict is SKIP} <= {
                i for i, verdict in enumerate(after) if verdict is SKIP
            }
