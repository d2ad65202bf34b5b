"""What late work is worth, and when it is due."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from courses.rules import lateness
from courses.rules.lateness import LateKind, LatePolicy, credit, days_late, effective_due_at

DUE = datetime(2027, 3, 1, 12, tzinfo=UTC)
TICK = timedelta(microseconds=1)
DAY = timedelta(hours=24)
TEN = LatePolicy(kind=LateKind.PER_DAY, percent_per_day=Decimal(10))
CUT = LatePolicy(kind=LateKind.CUT_OFF)
FULL = LatePolicy()

moments = st.datetimes(min_value=datetime(2000, 1, 1), max_value=datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - Hypothesis adds the zone
scores = st.decimals(min_value=0, max_value=100, places=2)
policies = st.builds(
    LatePolicy,
    kind=st.sampled_from(LateKind),
    percent_per_day=st.decimals(min_value=0, max_value=100, places=2),
)


class TestCredit:
    @pytest.mark.parametrize(
        ("late", "credited"),
        [
            (-DAY, "80"),
            (-TICK, "80"),
            (timedelta(0), "72"),  # half-open: what is due at noon is late at noon
            (DAY - TICK, "72"),
            (DAY, "64"),
            (9 * DAY - TICK, "8"),
            (9 * DAY, "0"),
            (4000 * DAY, "0"),
        ],
    )
    def test_each_day_begun_costs(self, late: timedelta, credited: str) -> None:
        assert credit(Decimal(80), DUE + late, DUE, TEN) == Decimal(credited)

    @pytest.mark.parametrize(("late", "credited"), [(-TICK, "80"), (timedelta(0), "0"), (DAY, "0")])
    def test_cut_off(self, late: timedelta, credited: str) -> None:
        assert credit(Decimal(80), DUE + late, DUE, CUT) == Decimal(credited)

    def test_no_policy_takes_nothing(self) -> None:
        assert credit(Decimal("80.25"), DUE + 100 * DAY, DUE, FULL) == Decimal("80.25")

    @pytest.mark.parametrize("policy", [FULL, TEN, CUT])
    def test_what_is_never_due_is_never_late(self, policy: LatePolicy) -> None:
        assert credit(Decimal(80), DUE, None, policy) == 80

    @pytest.mark.parametrize(
        ("score", "percent", "credited"),
        [("33.33", "50", "16.67"), ("0.01", "50", "0.01"), ("0.01", "51", "0.00"), ("100", "33.335", "66.67")],
    )
    def test_rounded_to_cents_halves_up(self, score: str, percent: str, credited: str) -> None:
        policy = LatePolicy(kind=LateKind.PER_DAY, percent_per_day=Decimal(percent))
        given_credit = credit(Decimal(score), DUE, DUE, policy)
        assert str(given_credit) == credited

    @pytest.mark.parametrize("percent", ["-1", "100.01", "NaN", "sNaN", "Infinity"])
    def test_a_percentage_is_one(self, percent: str) -> None:
        with pytest.raises(ValueError, match="percent"):
            LatePolicy(kind=LateKind.PER_DAY, percent_per_day=Decimal(percent))

    @given(scores, moments, moments, moments, policies)
    def test_waiting_never_pays(
        self, score: Decimal, one: datetime, other: datetime, due_at: datetime, policy: LatePolicy
    ) -> None:
        earlier, later = sorted((one, other))
        first, second = (credit(score, moment, due_at, policy) for moment in (earlier, later))
        assert 0 <= second <= first <= score

    def test_times_without_zone_are_refused(self) -> None:
        naive = DUE.replace(tzinfo=None)
        for received_at, due_at in ((naive, DUE), (DUE, naive)):
            with pytest.raises(ValueError, match="zone"):
                credit(Decimal(1), received_at, due_at, TEN)


# (zone, the night of the change, hours that the calendar's day has)
CHANGES = [
    pytest.param("Europe/Berlin", datetime(2027, 3, 28), 23, id="Berlin, spring"),  # noqa: DTZ001
    pytest.param("Europe/Berlin", datetime(2027, 10, 31), 25, id="Berlin, autumn"),  # noqa: DTZ001
    pytest.param("America/New_York", datetime(2027, 3, 14), 23, id="New York, spring"),  # noqa: DTZ001
    pytest.param("America/New_York", datetime(2027, 11, 7), 25, id="New York, autumn"),  # noqa: DTZ001
]


def check_a_day_is_24_hours(zone: str, midnight: datetime, hours: int) -> None:
    """Work due at midnight before the change; both moments in the zone of the course."""
    due_at = midnight.replace(tzinfo=ZoneInfo(zone))
    next_midnight = due_at + timedelta(days=1)  # by the wall's clock
    assert next_midnight.astimezone(UTC) - due_at.astimezone(UTC) == timedelta(hours=hours)
    second_day = (due_at.astimezone(UTC) + DAY).astimezone(ZoneInfo(zone))
    assert [days_late(moment, due_at) for moment in (second_day - TICK, second_day)] == [1, 2]
    # 23 hours after it was due is still the first day; 25 hours after is the second.
    assert days_late(next_midnight, due_at) == (1 if hours == 23 else 2)


class TestDaylightSaving:
    @pytest.mark.parametrize(("zone", "midnight", "hours"), CHANGES)
    def test_a_day_is_24_hours(self, zone: str, midnight: datetime, hours: int) -> None:
        check_a_day_is_24_hours(zone, midnight, hours)

    @pytest.mark.parametrize(("zone", "midnight", "hours"), CHANGES)
    def test_control_by_the_walls_clock_it_is_not(
        self, zone: str, midnight: datetime, hours: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(lateness, "_in_utc", lambda moment: moment)
        with pytest.raises(AssertionError):
            check_a_day_is_24_hours(zone, midnight, hours)

    @pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York"])
    def test_the_hour_that_comes_twice(self, zone: str) -> None:
        """Due at 2:30 the first time; handed in at 2:15 the second time, which is later by 45 minutes."""
        night = {"Europe/Berlin": datetime(2027, 10, 31, 2), "America/New_York": datetime(2027, 11, 7, 1)}[zone]  # noqa: DTZ001
        due_at = night.replace(minute=30, tzinfo=ZoneInfo(zone))
        received_at = night.replace(minute=15, tzinfo=ZoneInfo(zone), fold=1)
        assert received_at < due_at  # says Python, which looks at the wall
        assert days_late(received_at, due_at) == 1
        assert days_late(night.replace(minute=15, tzinfo=ZoneInfo(zone)), due_at) == 0

    @given(moments, moments, st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu"]))
    def test_the_zone_does_not_matter(self, received_at: datetime, due_at: datetime, zone: str) -> None:
        inside = [moment.astimezone(ZoneInfo(zone)) for moment in (received_at, due_at)]
        assert days_late(*inside) == days_late(received_at, due_at)


class TestDue:
    @pytest.mark.parametrize(
        ("problem", "chapters", "extensions", "due"),
        [
            (None, (), (), None),
            (1, (), (), 1),
            (1, (5, None), (), 1),
            (None, (2, 5, 3), (), 5),
            (None, (2, None), (), None),
            (1, (), (4,), 4),
            (5, (), (4, 2), 5),
            (None, (3,), (2, 7), 7),
            (None, (), (7,), None),
            (None, (3, None), (7,), None),
        ],
    )
    def test_which_date_wins(
        self, problem: int | None, chapters: tuple[int | None, ...], extensions: tuple[int, ...], due: int | None
    ) -> None:
        def day(number: int | None) -> datetime | None:
            return None if number is None else DUE + number * DAY

        extended = [DUE + number * DAY for number in extensions]
        assert effective_due_at(day(problem), [day(number) for number in chapters], extended) == day(due)

    def test_the_latest_is_by_the_moment(self) -> None:
        berlin = ZoneInfo("Europe/Berlin")
        second_half_past_two = datetime(2027, 10, 31, 2, 10, tzinfo=berlin, fold=1)
        first_half_past_two = datetime(2027, 10, 31, 2, 50, tzinfo=berlin)
        due_at = effective_due_at(None, [second_half_past_two, first_half_past_two])
        assert due_at == datetime(2027, 10, 31, 1, 10, tzinfo=UTC)

    def test_times_without_zone_are_refused(self) -> None:
        with pytest.raises(ValueError, match="zone"):
            effective_due_at(DUE.replace(tzinfo=None), [])
        with pytest.raises(ValueError, match="zone"):
            effective_due_at(DUE, [], [DUE.replace(tzinfo=None)])
