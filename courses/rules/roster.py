"""What each row of a roster means for a course: whom it enrolls, brings back, changes, or why it cannot.

A roster has at least one of the columns `user` (an e-mail address or username), `email` and `username`, and may have
`role` and `group`. An empty `role` or `group` leaves what there is; somebody new becomes a student.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from unicodedata import normalize

NAME_COLUMNS = ("user", "email", "username")
COLUMNS = (*NAME_COLUMNS, "role", "group")
STUDENT = "student"
STAFF_ROLES = ("assistant", "instructor")
ROLES = (STUDENT, *STAFF_ROLES)
GROUP_CHARACTERS_MAX = 100
# A cell is quoted in the report only so far: it must not grow with what somebody pasted.
QUOTED_CHARACTERS_MAX = 254

DETAILS = {
    "user_missing": "The row names nobody.",
    "user_unknown": "There is no user with this e-mail address or username.",
    "user_ambiguous": "This is the e-mail address of one user and the username of another; use a column of that name.",
    "user_mismatch": "The row's columns name different users.",
    "duplicate_row": "An earlier row names the same user.",
    "role_unknown": "A role is student, assistant or instructor.",
    "group_too_long": f"The name of a group has at most {GROUP_CHARACTERS_MAX} characters.",
    "own_account": "Nobody changes their own place by a roster.",
    "is_staff": "This user is staff of the course; a roster makes nobody a student who is.",
    "course_full": "The course has no seat left.",
}


class Outcome(StrEnum):
    ENROLLED = "enrolled"
    REVIVED = "revived"
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    ERROR = "error"


# What is written.
EFFECTS = (Outcome.ENROLLED, Outcome.REVIVED, Outcome.CHANGED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """A user whom a roster may mean. Their names are in lower case, as they are compared."""

    user_id: int
    email: str
    username: str
    is_active: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """What somebody has in the course already; `group` is a name. Who left has `is_active` False."""

    enrollment_id: int
    role: str
    group: str | None
    is_active: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One row as it is written: names in lower case by column, `role` and `group` None where it leaves them."""

    number: int
    shown: str
    names: tuple[tuple[str, str], ...]
    role: str | None
    group: str | None
    fault: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What becomes of one row. `code` is set for errors, `user_id` where the row names somebody."""

    number: int
    shown: str
    outcome: Outcome
    code: str | None = None
    user_id: int | None = None
    place: Place | None = None
    role: str = STUDENT
    group: str | None = None

    @property
    def is_effect(self) -> bool:
        return self.outcome in EFFECTS

    @property
    def takes_seat(self) -> bool:
        return self.outcome in (Outcome.ENROLLED, Outcome.REVIVED) and self.role == STUDENT

    @property
    def frees_seat(self) -> bool:
        return self.outcome == Outcome.CHANGED and self._was_student and self.role != STUDENT

    @property
    def _was_student(self) -> bool:
        return self.place is not None and self.place.role == STUDENT


def column_faults(columns: Iterable[str]) -> list[tuple[str, str]]:
    """What is wrong with a header, as (code, detail); names of columns are compared whatever their case."""
    names = [name.casefold() for name in columns]
    known = ", ".join(COLUMNS)
    faults = [
        ("unknown_column", f"A roster has no column {name[:QUOTED_CHARACTERS_MAX]!r}, but: {known}.")
        for name in names
        if name not in COLUMNS
    ]
    faults += [
        ("header_repeated", f"Two columns are called {name!r}.")
        for name, times in Counter(names).items()
        if times > 1 and name in COLUMNS
    ]
    if not set(names) & set(NAME_COLUMNS):
        faults.append(("column_missing", f"A roster needs one of the columns {', '.join(NAME_COLUMNS)}."))
    return faults


def entries_of(rows: Sequence[Mapping[str, str]]) -> list[Entry]:
    """The rows of a table whose header has no faults, numbered from 1."""
    return [_entry(number, row) for number, row in enumerate(rows, start=1)]


def group_name_tidy(name: str) -> str:
    """A group's name without needless spaces, so that no two look alike."""
    return " ".join(name.split())


def decide(
    entries: Sequence[Entry],
    people: Sequence[Person],
    places: Mapping[int, Place],
    *,
    own_user_id: int | None,
    seats_left: int | None,
) -> list[Decision]:
    """What becomes of each row, in order. `places` is by user; `seats_left` None is any number.

    Seats that the roster itself frees are given to the first rows that need one, wherever these stand.
    """
    by_name = _ByName(people)
    seen: set[int] = set()
    decisions = [_decide_one(entry, by_name, places, seen, own_user_id) for entry in entries]
    if seats_left is None:
        return decisions
    seats_left += sum(decision.frees_seat for decision in decisions)
    seated: list[Decision] = []
    for decision in decisions:
        if decision.takes_seat:
            if seats_left <= 0:
                decision = replace(decision, outcome=Outcome.ERROR, code="course_full")
            seats_left -= 1
        seated.append(decision)
    return seated


class _ByName:
    def __init__(self, people: Sequence[Person]) -> None:
        self._by_email = {person.email: person for person in people}
        self._by_username = {person.username: person for person in people}

    def candidates(self, column: str, name: str) -> set[Person]:
        by_email = self._by_email.get(name) if column != "username" else None
        by_username = self._by_username.get(name) if column != "email" else None
        return {person for person in (by_email, by_username) if person is not None}


def _entry(number: int, row: Mapping[str, str]) -> Entry:
    cells = {name.casefold(): cell.strip() for name, cell in row.items()}
    # Folded as names are to sign in with.
    names = tuple((column, normalize("NFKC", cells[column]).lower()) for column in NAME_COLUMNS if cells.get(column))
    shown = next((cells[column] for column in NAME_COLUMNS if cells.get(column)), "")
    role, group = cells.get("role", "").casefold(), group_name_tidy(cells.get("group", ""))
    fault = None
    if not names:
        fault = "user_missing"
    elif role and role not in ROLES:
        fault = "role_unknown"
    elif len(group) > GROUP_CHARACTERS_MAX:
        fault = "group_too_long"
    return Entry(
        number=number,
        shown=shown[:QUOTED_CHARACTERS_MAX],
        names=names,
        role=role or None,
        group=group or None,
        fault=fault,
    )


def _decide_one(
    entry: Entry, by_name: _ByName, places: Mapping[int, Place], seen: set[int], own_user_id: int | None
) -> Decision:
    person, fault = _person(entry, by_name)
    fault = entry.fault or fault
    if person is not None and fault is None:
        fault = "duplicate_row" if person.user_id in seen else None
        seen.add(person.user_id)
    if person is None or fault is not None:
        return _refused(entry, fault or "user_unknown")
    place = places.get(person.user_id)
    decision = Decision(
        number=entry.number,
        shown=entry.shown,
        outcome=Outcome.CHANGED,
        user_id=person.user_id,
        place=place,
        role=entry.role or STUDENT,
        group=entry.group or (place.group if place else None),
    )
    if place is None or not place.is_active:
        decision = replace(decision, outcome=Outcome.ENROLLED if place is None else Outcome.REVIVED)
    else:
        decision = replace(decision, role=entry.role or place.role)
        if (decision.role, decision.group) == (place.role, place.group):
            return replace(decision, outcome=Outcome.UNCHANGED)
        if place.role in STAFF_ROLES and decision.role == STUDENT:
            return _refused(entry, "is_staff")
    return _refused(entry, "own_account") if person.user_id == own_user_id else decision


def _person(entry: Entry, by_name: _ByName) -> tuple[Person | None, str | None]:
    """Whom a row names, or what keeps it from naming anybody."""
    found: set[Person] = set()
    for column, name in entry.names:
        candidates = by_name.candidates(column, name)
        if len(candidates) > 1:
            return None, "user_ambiguous"
        if not candidates:
            return None, "user_unknown"
        found |= candidates
    if len(found) > 1:
        return None, "user_mismatch"
    person = next(iter(found), None)
    # Whoever is disabled answers like nobody.
    return (person, None) if person is not None and person.is_active else (None, "user_unknown")


def _refused(entry: Entry, code: str) -> Decision:
    return Decision(number=entry.number, shown=entry.shown, outcome=Outcome.ERROR, code=code)
