"""What must hold of a history and the rows it left, whatever was killed: pure functions, apart from the killing."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tests.reliability.programs import PROGRAMS, TESTS
from tests.reliability.records import Record

UNFINISHED = ("pending", "judging")


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Violation:
    """Something that must never be; `kind` is one of a few words, `detail` a sentence."""

    kind: str
    detail: str


def violations(history: Sequence[Record], events: Sequence[Record], rows: Mapping[str, Any]) -> list[Violation]:
    """Everything that is wrong; an empty list is what the product promises.

    `history` is what clients recorded, `events` what the processes did, `rows` what `tests.reliability.rows` read.
    """
    return sorted(
        [
            *_refused(history),
            *_lost_or_doubled(history, rows),
            *_stuck(rows),
            *_wrongly_judged(history, rows),
            *_judged_again(rows),
            *_applied_twice(events),
            *_wrong_results(rows),
            *_miscounted(rows),
        ]
    )


def acknowledged(history: Sequence[Record]) -> dict[str, Record]:
    """The answers that promised something, by key."""
    return {record["key"]: record for record in history if record["event"] == "acknowledged"}


def _refused(history: Sequence[Record]) -> Iterator[Violation]:
    """Everything that was sent is acceptable, so in the end it has to be accepted."""
    for record in history:
        if record["event"] in ("refused", "given_up"):
            yield Violation(kind=record["event"], detail=f"{record['key']}: {record['why']}")


def _lost_or_doubled(history: Sequence[Record], rows: Mapping[str, Any]) -> Iterator[Violation]:
    by_key = defaultdict(list)
    for row in rows["submissions"]:
        by_key[row["key"]].append(row["id"])
    for key, answer in acknowledged(history).items():
        ids = by_key[key]
        if not ids:
            yield Violation(kind="lost", detail=f"{key} was acknowledged and is not there")
        elif answer["id"] not in ids:
            yield Violation(kind="misnamed", detail=f"{key} was acknowledged as {answer['id']} and is {ids}")
    sent = {record["key"] for record in history if record["event"] == "sent"}
    for key, ids in by_key.items():
        if len(ids) > 1:
            yield Violation(kind="doubled", detail=f"{key} is there {len(ids)} times: {ids}")
        if ids and key not in sent:
            yield Violation(kind="doubled", detail=f"{key} is there and nobody sent it")


def _stuck(rows: Mapping[str, Any]) -> Iterator[Violation]:
    for row in rows["submissions"]:
        if row["status"] in UNFINISHED:
            yield Violation(kind="stuck", detail=f"submission {row['id']} is {row['status']}")
    for row in rows["judgements"]:
        if row["state"] != "done":
            # All workers have ended by now: a claim that is left is nobody's.
            yield Violation(kind="stuck", detail=f"judgement {row['id']} is {row['state']}")


def _wrongly_judged(history: Sequence[Record], rows: Mapping[str, Any]) -> Iterator[Violation]:
    """The verdict under faults is the verdict without."""
    kinds = {record["key"]: record["kind"] for record in history if record["event"] == "sent"}
    for row in rows["submissions"]:
        if row["key"] not in kinds or row["status"] in UNFINISHED:
            continue
        expected = PROGRAMS[kinds[row["key"]]]
        if (row["status"], row["score"]) != (expected.status, expected.score):
            found = f"{row['status']} with {row['score']} instead of {expected.status} with {expected.score}"
            yield Violation(kind="wrong_verdict", detail=f"submission {row['id']} is {found}")


def _judged_again(rows: Mapping[str, Any]) -> Iterator[Violation]:
    """Nobody asks for a rejudge here: a submission has one judgement, number 1, and shows it."""
    by_submission = defaultdict(list)
    for row in rows["judgements"]:
        by_submission[row["submission_id"]].append(row)
    for submission in rows["submissions"]:
        judgements = by_submission[submission["id"]]
        if [row["number"] for row in judgements] != [1] or submission["judgement"] != judgements[0]["id"]:
            detail = f"submission {submission['id']} has judgements {[row['number'] for row in judgements]}"
            yield Violation(kind="judged_again", detail=detail)
        elif judgements[0]["state"] == "done" and judgements[0]["verdict"] != submission["status"]:
            found = f"{submission['status']}, its judgement {judgements[0]['verdict']}"
            yield Violation(kind="wrong_verdict", detail=f"submission {submission['id']} is {found}")


def _applied_twice(events: Sequence[Record]) -> Iterator[Violation]:
    counts = Counter(event["judgement"] for event in events if event["event"] == "applied")
    for judgement, count in counts.items():
        if count > 1:
            yield Violation(kind="applied_twice", detail=f"judgement {judgement} took effect {count} times")


def _wrong_results(rows: Mapping[str, Any]) -> Iterator[Violation]:
    tests = defaultdict(list)
    for result in rows["results"]:
        tests[result["judgement_id"]].append(result["test_case_id"])
    for row in rows["judgements"]:
        found = tests[row["id"]]
        expected = len(TESTS) if row["state"] == "done" and row["verdict"] != "internal_error" else 0
        if len(found) != expected or len(set(found)) != expected:
            detail = f"judgement {row['id']} has results of {len(set(found))} tests, {len(found)} in all"
            yield Violation(kind="wrong_results", detail=detail)


def _miscounted(rows: Mapping[str, Any]) -> Iterator[Violation]:
    """Attempts, recounted without the product's own code; and what that finds wrong by itself."""
    uncounted = (*UNFINISHED, "internal_error", "quarantined")
    expected = Counter(row["student"] for row in rows["submissions"] if row["status"] not in uncounted)
    stored = Counter({row["student"]: row["attempts"] for row in rows["progress"]})
    for student in expected | stored:
        if expected[student] != stored[student]:
            detail = f"student {student} has {stored[student]} attempts, and made {expected[student]}"
            yield Violation(kind="miscounted", detail=detail)
    for drift in rows["drifts"]:
        yield Violation(kind="miscounted", detail=f"check_consistency: {drift}")
