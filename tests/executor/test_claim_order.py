"""Whose turn it is: lanes, virtual starts, the share of rejudges, suspects, and the locks that taking one needs."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.db import OperationalError, connection, transaction
from django.db.models import QuerySet
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from executor import metrics
from executor.models import Judgement, QueueSwitch, Submission, Worker
from executor.queue import claims
from executor.queue.claims import Claim, claim_next, claims_due
from executor.queue.registry import worker_register
from tests.executor.factories import SubmissionFactory
from tests.parallel import at_once, meeting_point


def waiting(**columns: Any) -> int:
    """A judgement that waits, with these columns; its id."""
    judgement: Judgement = SubmissionFactory().current_judgement
    Judgement.objects.filter(pk=judgement.pk).update(**columns)
    return judgement.pk


def order(**options: Any) -> list[int]:
    """All that can be taken, in the order in which it is."""
    return [claim.judgement_id for claim in iter(partial(claim_next, **options), None)]


def reads(call: Callable[[], object]) -> list[str]:
    with CaptureQueriesContext(
        connection,
    ) as queries:
        call()
    return [query["sql"] for query in queries if not query["sql"].startswith(("SAVEPOINT", "RELEASE", "BEGIN"))]


@pytest.mark.django_db
class TestOrder:
    def test_the_lowest_virtual_start_is_next_and_then_the_oldest(self) -> None:
        last, first, second, third = (waiting(virtual_start=start) for start in (7, 1, 3, 3))
        assert order() == [first, second, third, last]

    def test_live_work_comes_before_rejudges(self) -> None:
        rejudge, live = waiting(lane="rejudge", virtual_start=0), waiting(virtual_start=9)
        assert order() == [live, rejudge]

    def test_a_worker_takes_from_its_own_lanes(self) -> None:
        waiting(lane="rejudge")
        assert order(lanes=["live"]) == []
        live = waiting()
        # Not as long as live work is due, be it for others.
        assert order(lanes=["rejudge"]) == []
        assert order(lanes=["live"]) == [live]
        assert len(order(lanes=["rejudge"])) == 1

    @pytest.mark.parametrize(("threads", "expected"), [((), 1), ((1,), 1), ((4,), 2), ((4, 5), 4)])
    def test_rejudges_run_on_a_part_of_all_threads(self, threads: tuple[int, ...], expected: int) -> None:
        for count in threads:
            worker_register("command", count)
        for _ in range(6):
            waiting(lane="rejudge")
        assert len(order()) == expected
        live = waiting()
        assert order() == [live]

    def test_threads_of_lost_workers_do_not_count(self) -> None:
        worker_register("command", 8)
        Worker.objects.update(seen_at=timezone.now() - timedelta(minutes=1))
        for _ in range(2):
            waiting(lane="rejudge")
        assert len(order()) == 1

    def test_live_work_that_pauses_does_not_hold_rejudges_up(self) -> None:
        waiting(not_before=timezone.now() + timedelta(minutes=1))
        rejudge = waiting(lane="rejudge")
        assert order() == [rejudge]

    def test_it_says_what_was_taken_and_by_whom(self) -> None:
        judgement_id, worker_id = waiting(losses=1), worker_register("embedded", 1)
        claim = claim_next(worker_id)
        judgement = Judgement.objects.get(pk=judgement_id)
        assert judgement.claim_id is not None
        assert claim == Claim(judgement_id, judgement.claim_id, judgement.submission_id, "live", 1)
        assert judgement.worker_id == worker_id


@pytest.mark.django_db
class TestSuspects:
    def test_who_takes_none_gets_nothing_while_one_is_next(self) -> None:
        suspect, innocent = waiting(losses=2), waiting()
        assert order(takes_suspects=False) == []
        assert order() == [suspect, innocent]

    def test_one_that_is_not_next_holds_nobody_up(self) -> None:
        suspect, innocent = waiting(losses=2, virtual_start=5), waiting()
        assert order(takes_suspects=False) == [innocent]
        assert order() == [suspect]

    def test_one_lost_worker_makes_nobody_a_suspect(self) -> None:
        judgement_id = waiting(losses=1)
        assert order(takes_suspects=False) == [judgement_id]


@pytest.mark.django_db
class TestPaused:
    def test_nothing_is_taken_and_nothing_is_due(self) -> None:
        judgement_id = waiting()
        switch = QueueSwitch.objects.create(pk=QueueSwitch.ONLY, is_paused=True, changed_at=timezone.now())
        assert (order(), claims_due()) == ([], {})
        switch.is_paused = False
        switch.save()
        assert claims_due() == {"live": 1}
        assert order() == [judgement_id]

    def test_due_work_is_counted_by_lane_and_to_a_bound(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(claims, "DUE_COUNTED_MAX", 2)
        for lane in ("live", "live", "live", "rejudge"):
            waiting(lane=lane)
        waiting(lane="rejudge", not_before=timezone.now() + timedelta(minutes=1))
        assert claims_due() == {"live": 2, "rejudge": 1}


@pytest.mark.django_db
class TestCost:
    def test_looking_in_vain_is_one_read(self) -> None:
        statements = reads(claim_next)
        assert len(statements) == 1
        assert statements[0].startswith("SELECT")

    def test_taking_costs_the_same_however_many_wait(self) -> None:
        waiting()
        few = reads(claim_next)
        for _ in range(20):
            waiting(losses=1)
        # SQLite has no rows to lock: what was read is taken if nobody was quicker.
        assert len(reads(claim_next)) == len(few) == (3 if connection.vendor == "sqlite" else 4)

    @pytest.mark.parametrize(
        ("columns", "least_s"),
        [
            ({"created_at": timezone.now() - timedelta(seconds=40)}, 40),
            (
                {
                    "created_at": timezone.now() - timedelta(hours=9),
                    "not_before": timezone.now() - timedelta(seconds=20),
                },
                20,
            ),
        ],
        ids=["since it was queued", "since its pause was over"],
    )
    def test_how_long_it_waited_is_counted(self, columns: dict[str, Any], least_s: float) -> None:
        waiting(**columns)
        before_s, before = _waited()
        claim_next()
        after_s, after = _waited()
        assert after == before + 1
        assert least_s - 1 < after_s - before_s < 3600


def _waited() -> tuple[float, float]:
    """The sum and the number of all waits counted so far."""
    samples = {
        sample.name.rpartition("_")[2]: sample.value
        for metric in metrics.WAIT_SECONDS.collect()
        for sample in metric.samples
        if sample.labels == {"lane": "live"} and not sample.name.endswith("_created")
    }
    return samples.get("sum", 0.0), samples.get("count", 0.0)


@pytest.mark.django_db(transaction=True)
class TestLocks:
    def test_an_idle_poll_waits_for_no_writer(self) -> None:
        """On SQLite there is one writer at a time; who only looks must not queue behind it."""
        with transaction.atomic():
            Worker.objects.update(threads=1)
            assert at_once([claim_next]) == [None]

    def test_rejudges_are_not_taken_beyond_their_share_by_several_at_once(self) -> None:
        for _ in range(6):
            waiting(lane="rejudge")
        claimed = [claim for claim in at_once([claim_next] * 6) if claim]
        assert len(claimed) == 1

    def test_control_without_waiting_for_each_other_they_are(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """On SQLite transactions do not overlap anyway; there the count is made before any of them begins."""
        met = meeting_point(3)
        for _ in range(3):
            waiting(lane="rejudge")
        free = Judgement.objects.filter(state="claimed").count() < 1

        def counted_together() -> bool:
            if connection.vendor == "postgresql":
                met()
            return free

        monkeypatch.setattr(claims, "_has_place_for_rejudge", counted_together)
        assert len([claim for claim in at_once([claim_next] * 3) if claim]) > 1

    def claim_against(self, monkeypatch: pytest.MonkeyPatch, *, takes_judgement_only: bool) -> list[BaseException]:
        """Take a judgement while somebody who holds its submission asks for it; what went wrong."""
        judgement_id = waiting()
        submission_id = Judgement.objects.values_list("submission_id", flat=True).get()
        met = meeting_point(2, timeout_s=5 if connection.vendor == "postgresql" else 0.1)
        faults: list[BaseException] = []
        move = claims.submission_status_move

        if takes_judgement_only:

            def lock_judgement(queryset: QuerySet[Judgement], **options: Any) -> QuerySet[Judgement]:
                return select_for_update(queryset, **{**options, "of": ("self",)})

            select_for_update = QuerySet.select_for_update
            monkeypatch.setattr(type(Judgement.objects.all()), "select_for_update", lock_judgement)

        def meet_and_move(*args: Any, **kwargs: Any) -> bool:
            met()
            return move(*args, **kwargs)

        monkeypatch.setattr(claims, "submission_status_move", meet_and_move)

        def take() -> None:
            try:
                claim_next()
            except OperationalError as error:
                faults.append(error)

        def parent_first() -> None:
            try:
                with transaction.atomic():
                    Submission.objects.filter(pk=submission_id).update(version=5)
                    met()
                    Judgement.objects.filter(pk=judgement_id).update(faults=1)
            except OperationalError as error:
                faults.append(error)

        at_once([take, parent_first])
        return faults

    def test_taking_one_meets_nobody_in_a_deadlock(self, monkeypatch: pytest.MonkeyPatch) -> None:
        assert self.claim_against(monkeypatch, takes_judgement_only=False) == []

    def test_control_with_the_judgement_s_lock_alone_it_does(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """SQLite has one lock, and no order to get wrong."""
        faults = self.claim_against(monkeypatch, takes_judgement_only=True)
        assert len(faults) == (1 if connection.vendor == "postgresql" else 0)
        assert all("deadlock" in str(fault) for fault in faults)
