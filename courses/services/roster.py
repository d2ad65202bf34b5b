"""Enrolling a whole roster: every row is told what becomes of it, and all is written in a bounded number of statements.

Rows are written in bulk, past the signals: a new or changed row brings a new token itself (law 5), in the statement
that writes it. Of the whole there is one record, which names every user it concerns.
"""

import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, TypeVar

from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Lower

from accounts.audit import audit_record
from accounts.models import Membership, User
from core.errors import ERRORS_MAX, FieldError, InvalidInput
from core.spreadsheets import table_rows
from courses.errors import RosterRefused
from courses.models import Course, CourseGroup, Enrollment
from courses.rules.roster import DETAILS, Decision, Entry, Outcome, Person, Place, column_faults, decide, entries_of
from courses.services.places import seats_left
from courses.services.validation import refuse, row_lock

ROSTER_ROWS_MAX = 10_000
ROSTER_BYTES_MAX = 10 * 1024 * 1024
# Rows a statement reads or writes: it bounds what one holds in memory, and how many there are.
BATCH_ROWS = 2_000
# What a row that is there gets from its roster.
UPDATED_FIELDS = ("role", "group", "left_at", "cache_token", "updated_at")
# Every XLSX file is a ZIP archive, and no text that begins like one is a roster.
_ZIP_SIGNATURE = b"PK\x03\x04"

Tell = Callable[[int], object]
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class RosterLine:
    """What became of one row, or would. `row` counts from 1 below the header, rows without content left out.

    `code` and `detail` say what is wrong with an `error`.
    """

    row: int
    user: str
    outcome: str
    code: str | None
    detail: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RosterReport:
    """What became of a roster. `totals` counts the rows by outcome."""

    is_written: bool
    totals: Mapping[str, int]
    rows: Sequence[RosterLine]


def roster_rows(data: bytes) -> list[dict[str, str]]:
    """The rows of a roster as CSV or XLSX, told apart by content.

    Raises:
        InvalidInput: at `/file`, as `core.spreadsheets.table_rows`, or `roster_empty`.
    """
    is_workbook = data.startswith(_ZIP_SIGNATURE)
    rows = table_rows(data, kind="xlsx" if is_workbook else "csv", rows_max=ROSTER_ROWS_MAX, bytes_max=ROSTER_BYTES_MAX)
    if not rows:
        raise InvalidInput.at("file", "roster_empty", "The roster has no rows below its header.")
    return rows


@transaction.atomic
def roster_import(
    *,
    actor: User | None,
    course_id: int,
    rows: Sequence[Mapping[str, str]],
    is_dry_run: bool,
    skips_errors: bool = False,
    tell: Tell | None = None,
) -> RosterReport:
    """Enroll, bring back and change those a roster names, who become members of the organization if need be.

    `rows` are as `roster_rows` gives them, and their meaning is told in `courses.rules.roster`. Groups come into being
    as they are named. A dry run writes nothing; neither does a roster with errors, unless `skips_errors` leaves those
    rows out. `tell` is called with the number of rows looked up, or written, since. `actor` None is the operator.

    Raises:
        NotFound: there is no such course.
        InvalidInput: at `/file`, code `unknown_column`, `header_repeated` or `column_missing`.
        RosterRefused: rows have errors; its members hold the report.
    """
    course = row_lock(Course.objects.all(), course_id)
    faults = column_faults(rows[0].keys() if rows else ())
    refuse([FieldError(pointer="#/file", code=code, detail=detail) for code, detail in faults[:ERRORS_MAX]])
    entries = entries_of(rows)
    people = _people(entries, tell or _silent)
    decisions = decide(
        entries,
        people,
        _places(course, people),
        own_user_id=actor.pk if actor else None,
        seats_left=seats_left(course),
    )
    is_refused = not skips_errors and any(decision.outcome == Outcome.ERROR for decision in decisions)
    is_written = not is_dry_run and not is_refused
    report = _report(decisions, is_written=is_written)
    if is_refused and not is_dry_run:
        raise RosterRefused(
            f"{report.totals[Outcome.ERROR]} of {len(rows)} rows have errors; nothing was written.",
            members={"totals": dict(report.totals), "rows": [asdict(line) for line in report.rows]},
        )
    if is_written:
        _write(actor, course, [decision for decision in decisions if decision.is_effect], tell or _silent)
    return report


def _silent(rows: int) -> None:
    """Tell nobody."""


def _batches(items: Sequence[T]) -> Iterator[Sequence[T]]:
    for start in range(0, len(items), BATCH_ROWS):
        yield items[start : start + BATCH_ROWS]


def _report(decisions: Sequence[Decision], *, is_written: bool) -> RosterReport:
    counts = Counter(decision.outcome for decision in decisions)
    return RosterReport(
        is_written=is_written,
        totals={outcome.value: counts[outcome] for outcome in Outcome},
        rows=[
            RosterLine(
                row=decision.number,
                user=decision.shown,
                outcome=decision.outcome,
                code=decision.code,
                detail=None if decision.code is None else DETAILS[decision.code],
            )
            for decision in decisions
        ],
    )


def _people(entries: Sequence[Entry], tell: Tell) -> list[Person]:
    """All whom the rows may mean, the disabled too: they are told apart where rows are decided."""
    found: dict[int, Person] = {}
    folded = User.objects.annotate(email_ci=Lower("email"), username_ci=Lower("username"))
    for batch in _batches(entries):
        names = {name for entry in batch for _, name in entry.names}
        users = folded.filter(Q(email_ci__in=names) | Q(username_ci__in=names))
        for user_id, email, username, is_active in users.values_list("pk", "email_ci", "username_ci", "is_active"):
            found[user_id] = Person(user_id=user_id, email=email, username=username, is_active=is_active)
        tell(len(batch))
    return list(found.values())


def _places(course: Course, people: Sequence[Person]) -> dict[int, Place]:
    """What these people have in the course already, by user. It changes only under the lock on the course."""
    found: dict[int, Place] = {}
    for batch in _batches(people):
        rows = Enrollment.objects.filter(course=course, user__in=[person.user_id for person in batch])
        for pk, user_id, role, left_at, group in rows.values_list("pk", "user_id", "role", "left_at", "group__name"):
            found[user_id] = Place(enrollment_id=pk, role=role, group=group, is_active=left_at is None)
    return found


def _write(actor: User | None, course: Course, effects: Sequence[Decision], tell: Tell) -> None:
    group_ids = _groups(course, {decision.group for decision in effects if decision.group is not None})
    # Rows that are there are locked as they are written: in ascending order, as everybody locks them.
    ordered = sorted(effects, key=lambda decision: (decision.place is None, _enrollment_id(decision)))
    for batch in _batches(ordered):
        Enrollment.objects.bulk_create(
            [_row(course, decision, group_ids) for decision in batch],
            update_conflicts=True,
            unique_fields=["course", "user"],
            update_fields=UPDATED_FIELDS,
        )
        tell(len(batch))
    new_members = _memberships(course, [decision.user_id for decision in effects if decision.user_id is not None])
    if effects:
        _record(actor, course, effects, new_members)


def _enrollment_id(decision: Decision) -> int:
    return decision.place.enrollment_id if decision.place else 0


def _row(course: Course, decision: Decision, group_ids: Mapping[str, int]) -> Enrollment:
    assert decision.user_id is not None  # only errors name nobody
    return Enrollment(
        course_id=course.pk,
        user_id=decision.user_id,
        role=decision.role,
        group_id=None if decision.group is None else group_ids[decision.group],
        left_at=None,
        cache_token=uuid.uuid4(),
    )


def _groups(course: Course, names: set[str]) -> dict[str, int]:
    """The ids of the course's groups by name, those of `names` that were missing included."""
    ids = dict(CourseGroup.objects.filter(course=course).values_list("name", "pk"))
    missing = [CourseGroup(course=course, name=name) for name in sorted(names - ids.keys())]
    for group in CourseGroup.objects.bulk_create(missing, batch_size=BATCH_ROWS):
        ids[group.name] = group.pk
    return ids


def _memberships(course: Course, user_ids: Sequence[int]) -> list[int]:
    """Make those members who are none yet, and say who they are."""
    added: list[int] = []
    for batch in _batches(sorted(user_ids)):
        of_course = Membership.objects.filter(organization_id=course.organization_id, user__in=batch)
        known = set(of_course.values_list("user_id", flat=True))
        missing = [user_id for user_id in batch if user_id not in known]
        # Somebody may become a member by another course at this very moment.
        Membership.objects.bulk_create(
            [Membership(organization_id=course.organization_id, user_id=user_id) for user_id in missing],
            ignore_conflicts=True,
        )
        added += missing
    return added


def _record(actor: User | None, course: Course, effects: Sequence[Decision], new_members: list[int]) -> None:
    changes: dict[str, list[Any]] = {}
    for outcome in (Outcome.ENROLLED, Outcome.REVIVED, Outcome.CHANGED):
        concerned = [decision for decision in effects if decision.outcome == outcome]
        before = {decision.user_id: [p.role, p.group] for decision in concerned if (p := decision.place)}
        after = {decision.user_id: [decision.role, decision.group] for decision in concerned}
        if concerned:
            changes[outcome] = [before or None, after]
    if new_members:
        changes["new_members"] = [None, new_members]
    audit_record(
        actor=actor,
        action="enrollment.import",
        target=course,
        organization_id=course.organization_id,
        changes=changes,
    )
