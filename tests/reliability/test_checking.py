"""The checker finds each kind of violation where it is planted, and nothing in a run in which all went well."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.reliability.checking import violations
from tests.reliability.figures import percentile, recoveries_s
from tests.reliability.programs import PROGRAMS, TESTS, key_of, source_of
from tests.reliability.records import Record

STUDENT = 7


class Run:
    """A run of two submissions, `good` and `bad`, in which everything went well until a test spoils it."""

    def __init__(self) -> None:
        kinds = {"good": "accepted", "bad": "partial"}
        self.history: list[Record] = []
        self.events: list[Record] = []
        self.rows: dict[str, Any] = {"submissions": [], "judgements": [], "results": [], "drifts": []}
        for pk, (key, kind) in enumerate(kinds.items(), start=1):
            self.history += [
                {"event": "sent", "key": key, "kind": kind},
                {"event": "failed", "key": key, "why": "ConnectionError"},
                {"event": "acknowledged", "key": key, "id": pk},
            ]
            self.events += [
                {"event": "claimed", "judgement": 10 + pk, "pid": 1},
                {"event": "applied", "judgement": 10 + pk, "pid": 1},
            ]
            status, score = PROGRAMS[kind].status, PROGRAMS[kind].score
            own = {"id": pk, "student": STUDENT, "key": key, "judgement": 10 + pk}
            self.rows["submissions"].append({**own, "status": status, "score": score})
            judgement = {"id": 10 + pk, "submission_id": pk, "number": 1, "state": "done", "verdict": status}
            self.rows["judgements"].append({**judgement, "tries": 1, "losses": 0, "finished_at": 100.0 + pk})
            self.rows["results"] += [{"judgement_id": 10 + pk, "test_case_id": test} for test in range(len(TESTS))]
        self.rows["progress"] = [{"student": STUDENT, "attempts": 2}]

    @property
    def bad(self) -> Any:
        return self.rows["submissions"][1]

    @property
    def bad_judgement(self) -> Any:
        return self.rows["judgements"][1]

    def kinds(self) -> list[str]:
        return sorted({violation.kind for violation in violations(self.history, self.events, self.rows)})


def lose(run: Run) -> None:
    """As after a commit that never was: nothing of it is there."""
    del run.rows["submissions"][1], run.rows["judgements"][1]
    run.rows["results"] = run.rows["results"][: len(TESTS)]
    run.rows["progress"][0]["attempts"] = 1


def double(run: Run) -> None:
    """As where a repeated request is a new one."""
    again = {**run.bad, "id": 3, "judgement": 13}
    run.rows["submissions"].append(again)
    run.rows["judgements"].append({**run.bad_judgement, "id": 13, "submission_id": 3})
    run.rows["results"] += [{"judgement_id": 13, "test_case_id": test} for test in range(len(TESTS))]
    run.rows["progress"][0]["attempts"] = 3


def leave_claimed(run: Run) -> None:
    """As after a kill that nobody noticed."""
    run.bad.update(status="judging", score=None)
    run.bad_judgement.update(state="claimed", verdict="")
    run.rows["results"] = run.rows["results"][: len(TESTS)]
    run.rows["progress"][0]["attempts"] = 1


def leave_pending(run: Run) -> None:
    leave_claimed(run)
    run.bad["status"] = "pending"
    run.bad_judgement["state"] = "pending"


def blame(run: Run) -> None:
    """As where a fault of ours becomes the student's."""
    run.bad.update(status="internal_error", score=None)
    run.bad_judgement["verdict"] = "internal_error"
    run.rows["results"] = run.rows["results"][: len(TESTS)]
    run.rows["progress"][0]["attempts"] = 1


def judge_again(run: Run) -> None:
    run.rows["judgements"].append({**run.bad_judgement, "id": 22, "number": 2})
    run.rows["results"] += [{"judgement_id": 22, "test_case_id": test} for test in range(len(TESTS))]


SPOILERS: list[tuple[Callable[[Run], object], list[str]]] = [
    (lose, ["lost"]),
    (double, ["doubled"]),
    (leave_claimed, ["stuck"]),
    (leave_pending, ["stuck"]),
    (blame, ["wrong_verdict"]),
    (judge_again, ["judged_again"]),
    (lambda run: run.history[-1].update(id=99), ["misnamed"]),
    (lambda run: run.bad.update(key="nobody's"), ["doubled", "lost"]),
    (lambda run: run.bad.update(score="49.99"), ["wrong_verdict"]),
    (lambda run: run.bad_judgement.update(verdict="accepted"), ["wrong_verdict"]),
    (lambda run: run.bad_judgement.update(number=2), ["judged_again"]),
    (lambda run: run.bad.update(judgement=11), ["judged_again"]),
    (lambda run: run.events.append(dict(run.events[-1])), ["applied_twice"]),
    (lambda run: run.rows["results"].pop(), ["wrong_results"]),
    (lambda run: run.rows["results"].append(run.rows["results"][-1]), ["wrong_results"]),
    (lambda run: run.rows["progress"][0].update(attempts=3), ["miscounted"]),
    (lambda run: run.rows["progress"].clear(), ["miscounted"]),
    (lambda run: run.rows["drifts"].append("a drift"), ["miscounted"]),
    (lambda run: run.history.append({"event": "refused", "key": "bad", "why": "404"}), ["refused"]),
    (lambda run: run.history.append({"event": "given_up", "key": "bad", "why": "503"}), ["given_up"]),
]


class TestChecker:
    def test_a_run_in_which_all_went_well_violates_nothing(self) -> None:
        assert Run().kinds() == []

    @pytest.mark.parametrize(("spoil", "kinds"), SPOILERS)
    def test_what_is_planted_is_found(self, spoil: Callable[[Run], object], kinds: list[str]) -> None:
        run = Run()
        spoil(run)
        assert run.kinds() == kinds

    def test_what_was_never_acknowledged_may_be_missing_or_there_once(self) -> None:
        run = Run()
        run.history = [record for record in run.history if (record["event"], record["key"]) != ("acknowledged", "bad")]
        assert run.kinds() == []
        lose(run)
        assert run.kinds() == []


class TestFigures:
    def test_a_recovery_is_the_time_from_the_kill_to_the_verdict_of_what_its_victim_held(self) -> None:
        run = Run()
        # Number 11 was applied by process 1; number 12 was held by process 2 when that died.
        run.events[2]["pid"] = 2
        kills = [{"victim": 1, "died_at": 100.5}, {"victim": 2, "died_at": 101.5}, {"victim": 3, "died_at": 90.0}]
        assert recoveries_s(run.events, kills, run.rows) == [0.5]

    def test_percentiles_are_values_that_occurred(self) -> None:
        values = [float(value) for value in range(1, 201)]
        assert percentile(values, 0.5) == 100.0
        assert percentile(values, 0.99) == 198.0
        assert percentile([3.0], 0.99) == 3.0
        assert percentile([], 0.5) is None


class TestPrograms:
    def test_a_program_tells_its_key(self) -> None:
        assert {key_of(source_of(kind, "abc")) for kind in PROGRAMS} == {"abc"}
