"""What time alone changes about courses and problems: seen within `[published_from, published_until)`, and not outside.

Nothing runs at the edges: these tests move the application's clock and ask again.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db.models import Q
from django.utils import timezone as clock
from freezegun import freeze_time

from courses import services
from courses.authoring import AlgorithmSpec
from courses.models import Course, Problem
from courses.models.publishing import Publishable
from courses.services import publishing
from tests.courses.conftest import World
from tests.courses.refusals import ApiAs, faults, refused

V1 = "/api/v1"
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
LATER = NOON + timedelta(hours=2)
TICK = timedelta(microseconds=1)
BERLIN = ZoneInfo("Europe/Berlin")
# The hour that is left out in spring, and the one that comes twice in autumn.
SPRING = datetime(2027, 3, 28, 1, tzinfo=UTC)
AUTUMN = datetime(2027, 10, 31, 1, tzinfo=UTC)

Update = Callable[..., Any]


def update_course(world: World, **changes: Any) -> Course:
    return services.course_update(actor=world.owner, course_id=world.course.pk, **changes)


def update_problem(world: World, **changes: Any) -> Problem:
    return services.problem_update(actor=world.owner, problem_id=world.problem.pk, **changes)


UPDATES = pytest.mark.parametrize("update", [update_course, update_problem])


class TimeBasedTestCase:
    """Lines 1-7 of its name in the test plan, as they concern courses."""

    def seen(self, world: World, api_as: ApiAs) -> tuple[bool, bool]:
        """Whether the student sees the problem, by its own route and in the list; both agree."""
        api = api_as(world.student)
        by_route = api.get(f"{V1}/problems/{world.problem.pk}/").status_code == 200
        listed = api.get(f"{V1}/courses/{world.course.pk}/problems/")
        in_list = listed.status_code == 200 and world.problem.pk in [row["id"] for row in listed.json()["results"]]
        return by_route, in_list

    @UPDATES
    def test_4_publish_and_unpublish_happen_at_their_time_by_themselves(
        self, world: World, api_as: ApiAs, update: Update
    ) -> None:
        with freeze_time(NOON - timedelta(days=1)) as frozen:
            update(world, published_from=NOON, published_until=LATER)
            for moment, wanted in (
                (NOON - TICK, False),
                (NOON, True),
                (LATER - TICK, True),
                (LATER, False),
                (LATER + timedelta(days=365), False),
            ):
                frozen.move_to(moment)
                assert self.seen(world, api_as) == (wanted, wanted), moment

    @UPDATES
    def test_4_control_a_window_that_is_not_asked_about_shows_all(
        self, world: World, api_as: ApiAs, update: Update, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def by_status(now: datetime, prefix: str = "") -> Any:
            return Q(**{f"{prefix}status": "published"})

        with freeze_time(NOON):
            update(world, published_from=LATER)
            assert self.seen(world, api_as) == (False, False)
            monkeypatch.setattr(Publishable, "published_at", staticmethod(by_status))
            assert self.seen(world, api_as)[0] is True

    @UPDATES
    def test_4_the_status_decides_too(self, world: World, api_as: ApiAs, update: Update) -> None:
        with freeze_time(NOON - timedelta(days=1)) as frozen:
            update(world, published_from=NOON, status="draft")
            frozen.move_to(LATER)
            assert self.seen(world, api_as) == (False, False)

    def test_4_staff_see_all_of_it_and_what_holds_now(self, world: World, api_as: ApiAs) -> None:
        api, address = api_as(world.assistant), f"{V1}/problems/{world.problem.pk}/"
        with freeze_time(NOON - timedelta(days=1)) as frozen:
            body = {"published_from": NOON.isoformat(), "published_until": LATER.isoformat()}
            assert api.patch(address, body).json()["is_published"] is False
            for moment, wanted in ((NOON - TICK, False), (NOON, True), (LATER, False)):
                frozen.move_to(moment)
                shown = api.get(address).json()
                assert (shown["is_published"], shown["status"]) == (wanted, "published")
                assert shown["published_from"] == "2026-11-20T12:00:00Z"
                assert shown["published_until"] == "2026-11-20T14:00:00Z"

    def test_4_lists_are_filtered_by_what_holds_now(self, world: World, api_as: ApiAs) -> None:
        api, address = api_as(world.owner), f"{V1}/courses/{world.course.pk}/problems/"

        def listed(query: str) -> list[int]:
            return [row["id"] for row in api.get(f"{address}?{query}").json()["results"]]

        with freeze_time(NOON - timedelta(days=1)) as frozen:
            update_problem(world, published_from=NOON)
            assert listed("is_published=true") == []
            assert listed("is_published=false") == [world.problem.pk, world.draft.pk]
            frozen.move_to(NOON)
            assert listed("is_published=true") == [world.problem.pk]
            assert listed("is_published=false") == [world.draft.pk]
            assert [row["id"] for row in api.get(f"{V1}/courses/?is_published=true").json()["results"]] == [
                world.course.pk
            ]
            assert faults(api.get(f"{address}?is_published=maybe")) == [("#/is_published", "invalid_choice")]

    @UPDATES
    def test_5_past_moments_are_refused_and_future_ones_taken(self, world: World, update: Update) -> None:
        with freeze_time(NOON):
            for name in ("published_from", "published_until"):
                for moment in (NOON - timedelta(days=1), NOON - TICK, NOON):
                    with refused((f"#/{name}", "in_the_past")):
                        update(world, **{name: moment})
                assert getattr(update(world, **{name: NOON + TICK}), name) == NOON + TICK
                update(world, **{name: None})

    @UPDATES
    def test_5_what_stays_as_it_was_may_have_passed(self, world: World, update: Update) -> None:
        with freeze_time(NOON - timedelta(days=1)) as frozen:
            update(world, published_from=NOON)
            frozen.move_to(LATER)
            assert update(world, published_from=NOON, title="Other").title == "Other"
            assert update(world, published_until=LATER + timedelta(days=1)).published_from == NOON
            with refused(("#/published_from", "in_the_past")):
                update(world, published_from=NOON + TICK)

    @UPDATES
    def test_5_control_without_the_check_the_past_is_taken(
        self, world: World, update: Update, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(publishing.timezone, "now", lambda: datetime(1970, 1, 1, tzinfo=UTC))
        assert update(world, published_from=NOON - timedelta(days=3650)).published_from < NOON

    def test_5_creating_is_held_to_the_same(self, world: World) -> None:
        course: dict[str, Any] = {"actor": world.owner, "organization_id": world.organization.pk, "title": "A"}
        problem: dict[str, Any] = {"actor": world.owner, "course_id": world.course.pk, "title": "A", "slug": "a"}
        with freeze_time(NOON):
            with refused(("#/published_from", "in_the_past")):
                services.course_create(**course, slug="a", published_from=NOON)
            with refused(("#/published_until", "in_the_past")):
                services.problem_create(**problem, algorithm=AlgorithmSpec(), published_until=NOON)
            made = services.course_create(**course, slug="b", published_from=LATER, published_until=LATER + TICK)
            assert (made.published_from, made.published_until) == (LATER, LATER + TICK)

    @UPDATES
    @pytest.mark.parametrize("until", [LATER, LATER - TICK])
    def test_5_a_window_ends_after_it_begins(self, world: World, update: Update, until: datetime) -> None:
        with freeze_time(NOON), refused(("#/published_until", "not_after_from")):
            update(world, published_from=LATER, published_until=until)

    @pytest.mark.parametrize("moment", ["2027-01-01T12:00:00", "2027-01-01", "tomorrow", 1893456000])
    def test_6_a_moment_without_a_zone_is_refused(self, world: World, api_as: ApiAs, moment: Any) -> None:
        api = api_as(world.owner)
        for address in (f"{V1}/courses/{world.course.pk}/", f"{V1}/problems/{world.problem.pk}/"):
            ((pointer, code),) = faults(api.patch(address, {"published_from": moment}))
            assert pointer == "#/published_from"
            assert code in {"no_zone", "invalid", "date"}
        world.course.refresh_from_db()
        assert world.course.published_from is None

    def test_6_one_moment_in_any_zone_is_the_same(self, world: World, api_as: ApiAs) -> None:
        api, address = api_as(world.owner), f"{V1}/courses/{world.course.pk}/"
        zones = (UTC, timezone(timedelta(hours=5, minutes=45)), timezone(-timedelta(hours=11)), BERLIN)
        with freeze_time(NOON):
            for zone in zones:
                shown = api.patch(address, {"published_from": LATER.astimezone(zone).isoformat()}).json()
                assert shown["published_from"] == "2026-11-20T14:00:00Z"

    @pytest.mark.parametrize("change", [SPRING, AUTUMN], ids=["spring", "autumn"])
    def test_7_the_clocks_change_and_the_moment_stays(self, world: World, api_as: ApiAs, change: datetime) -> None:
        """An hour before the clocks change to an hour after: two hours, whatever a clock on the wall showed."""
        start, end = change - timedelta(hours=1), change + timedelta(hours=1)
        with freeze_time(start - timedelta(days=1)) as frozen:
            update_problem(world, published_from=start.astimezone(BERLIN), published_until=end.astimezone(BERLIN))
            seen = []
            for minutes in range(-30, 151, 30):
                frozen.move_to(start + timedelta(minutes=minutes))
                seen.append(self.seen(world, api_as)[0])
        assert seen == [False, True, True, True, True, False, False]

    def test_7_the_hour_that_comes_twice_is_told_apart(self, world: World, api_as: ApiAs) -> None:
        api, address = api_as(world.owner), f"{V1}/problems/{world.problem.pk}/"
        with freeze_time(AUTUMN - timedelta(days=1)):
            # On walls in Berlin both are half past two.
            body = {"published_from": "2027-10-31T02:30:00+02:00", "published_until": "2027-10-31T02:30:00+01:00"}
            shown = api.patch(address, body).json()
            assert shown["published_from"] == "2027-10-31T00:30:00Z"
            assert shown["published_until"] == "2027-10-31T01:30:00Z"

    def test_1_past_and_future_limits_are_told_apart(self, world: World) -> None:
        problem = world.problem
        for start, end, wanted in (
            (None, None, True),
            (NOON, None, True),
            (NOON + TICK, None, False),
            (None, NOON, False),
            (None, NOON + TICK, True),
            (NOON - TICK, NOON + TICK, True),
        ):
            problem.published_from, problem.published_until = start, end
            problem.save()
            assert problem.is_published_at(NOON) is wanted
            assert Problem.objects.filter(Problem.published_at(NOON), pk=problem.pk).exists() is wanted

    def test_2_created_and_updated_are_moments_with_a_zone(self, world: World, api_as: ApiAs) -> None:
        api = api_as(world.owner)
        with freeze_time(NOON) as frozen:
            body = {"organization": world.organization.pk, "title": "A", "slug": "a"}
            made = api.post(f"{V1}/courses/", body).json()
            assert made["created_at"] == made["updated_at"] == "2026-11-20T12:00:00Z"
            frozen.move_to(LATER)
            changed = api.patch(f"{V1}/courses/{made['id']}/", {"title": "B"}).json()
            assert changed["created_at"] == made["created_at"]
            assert changed["updated_at"] == "2026-11-20T14:00:00Z"
        course = Course.objects.get(pk=made["id"])
        assert course.created_at.tzinfo is not None
        assert course.created_at == NOON

    def test_3_what_is_seen_follows_the_clock_at_once(self, world: World, api_as: ApiAs) -> None:
        """Nothing keeps an answer beyond the edge: the same client asks a microsecond later."""
        with freeze_time(NOON - timedelta(days=1)) as frozen:
            update_course(world, published_until=NOON)
            frozen.move_to(NOON - TICK)
            address = f"{V1}/courses/{world.course.pk}/outline/"
            api = api_as(world.student)
            assert api.get(address).status_code == 200
            frozen.tick(TICK)
            assert clock.now() == NOON
            assert api.get(address).status_code == 404
