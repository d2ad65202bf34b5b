"""What the rows of a roster mean."""

from typing import Any

import pytest

from courses.models import CourseGroup, Enrollment
from courses.rules import roster
from courses.rules.roster import Decision, Outcome, Person, Place, column_faults, decide, entries_of

ADA, BEN, EVE, GONE, TRICK = 1, 2, 3, 4, 5
PEOPLE = [
    Person(user_id=ADA, email="ada@example.org", username="ada", is_active=True),
    Person(user_id=BEN, email="ben@example.org", username="ben", is_active=True),
    Person(user_id=EVE, email="eve@example.org", username="eve", is_active=True),
    Person(user_id=GONE, email="gone@example.org", username="gone", is_active=False),
    # Made by hand: a username that is somebody else's address.
    Person(user_id=TRICK, email="trick@example.org", username="ada@example.org", is_active=True),
]


def place(role: str = "student", group: str | None = None, *, is_active: bool = True) -> Place:
    return Place(enrollment_id=1, role=role, group=group, is_active=is_active)


def decided(*rows: dict[str, str], seats_left: int | None = None, **more: Any) -> list[Decision]:
    options: dict[str, Any] = {"places": {}, "own_user_id": None, **more}
    return decide(entries_of(rows), PEOPLE, seats_left=seats_left, **options)


def told(*rows: dict[str, str], **more: Any) -> list[str]:
    return [decision.code or decision.outcome.value for decision in decided(*rows, **more)]


class TestHeader:
    @pytest.mark.parametrize(
        ("columns", "codes"),
        [
            (["user"], []),
            (["Email", "ROLE", "Group"], []),
            (["user", "email", "username", "role", "group"], []),
            (["user", "sex", "phone"], ["unknown_column", "unknown_column"]),
            (["role", "group"], ["column_missing"]),
            ([], ["column_missing"]),
            (["User", "user"], ["header_repeated"]),
        ],
    )
    def test_faults(self, columns: list[str], codes: list[str]) -> None:
        assert [code for code, _ in column_faults(columns)] == codes

    def test_unknown_columns_are_named(self) -> None:
        (fault,) = column_faults(["user", "Phone"])
        assert "'phone'" in fault[1]

    def test_roles_and_lengths_are_the_models(self) -> None:
        assert {*roster.ROLES} == {*Enrollment.Role.values}
        assert {*roster.STAFF_ROLES} == {*Enrollment.STAFF_ROLES}
        assert CourseGroup._meta.get_field("name").max_length == roster.GROUP_CHARACTERS_MAX

    def test_every_code_has_a_sentence(self) -> None:
        assert all(detail.endswith(".") for detail in roster.DETAILS.values())


class TestNames:
    @pytest.mark.parametrize(
        "row",
        [
            {"user": "ben"},
            {"user": " BEN@example.org "},
            {"email": "Ben@Example.org"},
            {"Username": "Ben"},
            {"user": "", "username": "ben"},
            {"user": "ben", "email": "ben@example.org", "username": "BEN"},
        ],
    )
    def test_one_user_by_any_name(self, row: dict[str, str]) -> None:
        (decision,) = decided(row)
        assert (decision.outcome, decision.user_id, decision.role) == (Outcome.ENROLLED, BEN, "student")

    @pytest.mark.parametrize(
        ("row", "code"),
        [
            ({"user": "", "role": "student"}, "user_missing"),
            ({"user": "nobody"}, "user_unknown"),
            ({"user": "gone"}, "user_unknown"),
            ({"email": "ben"}, "user_unknown"),
            ({"username": "ben@example.org"}, "user_unknown"),
            ({"user": "ada@example.org"}, "user_ambiguous"),
            ({"user": "ben", "email": "eve@example.org"}, "user_mismatch"),
            ({"user": "ben", "email": "nobody@example.org"}, "user_unknown"),
            ({"user": "ben", "role": "owner"}, "role_unknown"),
            ({"user": "ben", "group": "x" * 101}, "group_too_long"),
        ],
    )
    def test_errors(self, row: dict[str, str], code: str) -> None:
        assert told(row) == [code]

    def test_an_ambiguous_name_is_clear_in_a_column_of_its_own(self) -> None:
        first, second = decided({"email": "ada@example.org"}, {"email": "", "username": "ada@example.org"})
        assert (first.user_id, second.user_id) == (ADA, TRICK)

    def test_a_user_comes_once(self) -> None:
        assert told({"user": "ben"}, {"user": "ben@example.org"}, {"user": "eve"}) == [
            "enrolled",
            "duplicate_row",
            "enrolled",
        ]

    def test_cells_are_quoted_only_so_far(self) -> None:
        assert len(decided({"user": "x" * 10_000})[0].shown) == roster.QUOTED_CHARACTERS_MAX


class TestPlaces:
    @pytest.mark.parametrize(
        ("row", "before", "outcome", "after"),
        [
            ({"role": "", "group": ""}, place("student", "A"), "unchanged", ("student", "A")),
            ({"role": "Student", "group": " A "}, place("student", "A"), "unchanged", ("student", "A")),
            ({"group": "B  1"}, place("student", "A"), "changed", ("student", "B 1")),
            ({"role": "assistant"}, place("student", "A"), "changed", ("assistant", "A")),
            ({"role": "instructor"}, place("assistant"), "changed", ("instructor", None)),
            ({"role": "assistant"}, place("instructor"), "changed", ("assistant", None)),
            ({}, place("assistant"), "unchanged", ("assistant", None)),
            ({"group": "B"}, place("assistant"), "changed", ("assistant", "B")),
            ({}, place("student", "A", is_active=False), "revived", ("student", "A")),
            # Who was staff and left is none any more.
            ({}, place("instructor", "A", is_active=False), "revived", ("student", "A")),
            ({"group": "B"}, None, "enrolled", ("student", "B")),
        ],
    )
    def test_effects(
        self, row: dict[str, str], before: Place | None, outcome: str, after: tuple[str, str | None]
    ) -> None:
        (decision,) = decided({"user": "ben", **row}, places={BEN: before} if before else {})
        assert (decision.outcome, (decision.role, decision.group)) == (outcome, after)

    @pytest.mark.parametrize("role", ["assistant", "instructor"])
    def test_staff_are_not_made_students(self, role: str) -> None:
        assert told({"user": "ben", "role": "student"}, places={BEN: place(role)}) == ["is_staff"]

    @pytest.mark.parametrize("row", [{"role": "student"}, {"role": "assistant"}, {"group": "A"}])
    def test_nobody_changes_their_own_place(self, row: dict[str, str]) -> None:
        places = {BEN: place("instructor")}
        own = told({"user": "ben", **row}, places=places, own_user_id=BEN)
        assert own in (["own_account"], ["is_staff"])
        assert told({"user": "ben"}, own_user_id=BEN) == ["own_account"]
        assert told({"user": "ben"}, places=places, own_user_id=BEN) == ["unchanged"]


class TestSeats:
    ROWS = ({"user": "ben"}, {"user": "eve"}, {"username": "ada"})

    @pytest.mark.parametrize(("seats", "errors"), [(None, 0), (3, 0), (2, 1), (0, 3), (-5, 3)])
    def test_the_first_rows_get_them(self, seats: int | None, errors: int) -> None:
        assert told(*self.ROWS, seats_left=seats) == ["enrolled"] * (3 - errors) + ["course_full"] * errors

    def test_staff_need_none(self) -> None:
        rows = [{**row, "role": "assistant"} for row in self.ROWS]
        assert told(*rows, seats_left=0) == ["enrolled"] * 3

    def test_who_is_seated_needs_no_other(self) -> None:
        places = {BEN: place(), EVE: place()}
        assert told(*self.ROWS, seats_left=1, places=places) == ["unchanged", "unchanged", "enrolled"]

    def test_a_seat_that_the_roster_frees_is_given_on(self) -> None:
        rows = ({"user": "ben"}, {"user": "eve", "role": "assistant"})
        assert told(*rows, seats_left=0, places={EVE: place()}) == ["enrolled", "changed"]
        assert told(*rows, seats_left=-1, places={EVE: place()}) == ["course_full", "changed"]

    def test_who_comes_back_needs_a_seat(self) -> None:
        assert told({"user": "ben"}, seats_left=0, places={BEN: place(is_active=False)}) == ["course_full"]
