"""A submission that kills its workers is put away, and nothing else is: not a slow one, and not its neighbors."""

from datetime import timedelta

import pytest
from django.utils import timezone
from prometheus_client import Counter
from pytest_django import DjangoCaptureOnCommitCallbacks
from structlog.testing import capture_logs

from courses.models import ProgressResult
from executor import metrics
from executor.models import Judgement, Submission, Worker
from executor.queue import claims
from executor.queue.claims import Claim, claim_next, claim_return, claims_recover
from executor.queue.judge import judge_claimed
from executor.queue.registry import worker_register
from executor.services.code_executor import CodeExecutorService
from executor.services.submissions import judgement_create
from executor.signals import submission_judged
from tests.executor.databases import judge_next
from tests.executor.factories import SubmissionFactory
from tests.executor.fakes import ScriptedEngine

pytestmark = pytest.mark.django_db


def take(*, dies: bool = True) -> Claim:
    """Claim the next one in a new worker, whose lease runs out, be it lost or only slow."""
    worker_id = worker_register("embedded", 1)
    claim = claim_next(worker_id)
    assert claim is not None
    long_ago = timezone.now() - timedelta(minutes=1)
    Judgement.objects.filter(pk=claim.judgement_id).update(leased_until=long_ago)
    if dies:
        Worker.objects.filter(pk=worker_id).update(seen_at=long_ago)
    return claim


def lose() -> None:
    take()
    assert claims_recover() == 1


def counted(counter: Counter) -> float:
    return float(next(sample.value for metric in counter.collect() for sample in metric.samples))


class TestQuarantine:
    def test_what_killed_every_worker_is_put_away_with_an_alert(
        self, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
    ) -> None:
        submission = SubmissionFactory()
        before = [counted(counter) for counter in (metrics.QUARANTINES, metrics.LEASES_EXPIRED, metrics.RETRIES)]
        with capture_logs() as logs, django_capture_on_commit_callbacks(execute=True):
            for _ in range(3):
                lose()
        submission.refresh_from_db()
        judgement = submission.current_judgement
        assert (submission.status, submission.score) == ("quarantined", None)
        assert (judgement.state, judgement.verdict, judgement.score) == ("done", "internal_error", None)
        assert "3 times" in judgement.fault
        [alert] = [line for line in logs if line.get("alert")]
        assert (alert["event"], alert["submission_id"]) == ("submission_quarantined", submission.pk)
        assert claim_next() is None
        after = [counted(counter) for counter in (metrics.QUARANTINES, metrics.LEASES_EXPIRED, metrics.RETRIES)]
        assert [late - early for early, late in zip(before, after, strict=True)] == [1, 3, 2]

    def test_it_is_no_attempt_and_no_progress(self) -> None:
        SubmissionFactory()
        for _ in range(3):
            lose()
        assert not ProgressResult.objects.exists()

    def test_exams_are_told(self) -> None:
        heard: list[object] = []

        def receiver(sender: object, current: object, **kwargs: object) -> None:
            heard.append(current)

        submission_judged.connect(receiver)
        try:
            SubmissionFactory()
            for _ in range(3):
                lose()
        finally:
            submission_judged.disconnect(receiver)
        assert heard == ["quarantined"]

    def test_a_rejudge_may_still_bring_a_verdict(self) -> None:
        submission = SubmissionFactory()
        for _ in range(3):
            lose()
        test_set = submission.current_judgement.test_set
        judgement_create(submission=submission, test_set=test_set, lane=Judgement.Lane.REJUDGE)
        judge_next()
        submission.refresh_from_db()
        assert (submission.status, submission.score) == ("accepted", 100)


class TestNotQuarantined:
    @pytest.mark.parametrize("slow", [0, 1, 2])
    def test_one_lease_of_a_worker_that_lives_makes_it_our_error(self, slow: int) -> None:
        submission = SubmissionFactory()
        for number in range(3):
            take(dies=number != slow)
            claims_recover()
        submission.refresh_from_db()
        assert (submission.status, submission.current_judgement.losses) == ("internal_error", 2)

    def test_so_does_one_fault(self) -> None:
        submission = SubmissionFactory()
        claim = claim_next()
        assert claim is not None
        claim_return(claim, fault="bug", is_charged=True)
        Judgement.objects.update(not_before=None)
        lose()
        lose()
        submission.refresh_from_db()
        assert submission.status == "internal_error"

    def test_an_engine_that_was_away_does_not_make_it_one(self) -> None:
        """What was not charged is no try: all that count killed their worker."""
        submission = SubmissionFactory()
        claim = claim_next()
        assert claim is not None
        claim_return(claim, fault="away", is_charged=False)
        Judgement.objects.update(not_before=None)
        for _ in range(3):
            lose()
        submission.refresh_from_db()
        assert submission.status == "quarantined"

    def test_control_taking_slow_workers_for_lost_ones_puts_the_innocent_away(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(claims, "worker_is_gone", lambda worker_id: True)
        submission = SubmissionFactory()
        for _ in range(3):
            take(dies=False)
            claims_recover()
        submission.refresh_from_db()
        assert submission.status == "quarantined"

    def test_control_without_recovery_it_is_stuck(self) -> None:
        submission = SubmissionFactory()
        take()
        assert claim_next() is None
        submission.refresh_from_db()
        assert submission.status == "judging"


class TestBystander:
    """It ran beside the killer in the same process, twice."""

    def outcome(self) -> str:
        killer, bystander = SubmissionFactory(), SubmissionFactory()
        while Submission.objects.filter(status__in=Submission.UNFINISHED).exists():
            self.process(killer.current_judgement_id)
        killer.refresh_from_db()
        bystander.refresh_from_db()
        assert killer.status == "quarantined"
        return str(bystander.status)

    def process(self, killer_id: int) -> None:
        """A process as `WorkerPool` is one: it dies with all it holds where the killer is in it."""
        taken: list[Claim] = []
        while not any(claim.is_suspect for claim in taken) and (claim := claim_next(takes_suspects=not taken)):
            taken.append(claim)
        if killer_id in [claim.judgement_id for claim in taken]:
            Judgement.objects.filter(state="claimed").update(leased_until=timezone.now() - timedelta(seconds=1))
            claims_recover()
            return
        for claim in taken:
            judge_claimed(claim, CodeExecutorService(ScriptedEngine()))

    def test_it_is_judged(self) -> None:
        assert self.outcome() == "accepted"

    def test_control_where_suspects_are_not_alone_it_is_put_away_too(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(claims, "_losses_of_suspects", lambda: 100)
        assert self.outcome() == "quarantined"
