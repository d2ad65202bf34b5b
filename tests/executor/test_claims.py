"""Claims and leases: who may judge, for how long, and that a lost claim can change nothing."""

import threading
import uuid
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from executor.judging.outcome import JudgingOutcome, TestOutcome
from executor.judging.verdicts import Verdict
from executor.models import Judgement, Submission, TestResult
from executor.queue import claims
from executor.queue.claims import (
    Claim,
    claim_next,
    claim_release,
    claim_return,
    claims_recover,
    claims_renew,
)
from executor.queue.registry import worker_register
from executor.services.judgements import judgement_apply
from tests.executor.factories import JudgementFactory, SubmissionFactory
from tests.executor.fakes import run_result

pytestmark = pytest.mark.django_db


def taken() -> Claim:
    claim = claim_next()
    assert claim is not None
    return claim


def expire(claim: Claim) -> None:
    past = timezone.now() - timedelta(seconds=1)
    Judgement.objects.filter(pk=claim.judgement_id).update(leased_until=past)


def outcome_of(submission: Submission, verdict: Verdict = Verdict.ACCEPTED) -> JudgingOutcome:
    judgement = submission.current_judgement
    assert judgement is not None
    cases = judgement.test_set.test_cases.all()
    tests = tuple(TestOutcome(key=case.pk, verdict=verdict, result=run_result(), printed=b"x") for case in cases)
    score = 100 if verdict is Verdict.ACCEPTED else 0
    return JudgingOutcome(
        verdict=verdict,
        score=score,  # type: ignore[arg-type]
        tests=tests,
        compilation=None,
        time_ms=5,
        memory_kib=9,
        engine="scripted",
        tier="A",
    )


class TestClaimNext:
    def test_nothing_waits(self) -> None:
        assert claim_next() is None

    def test_the_oldest_is_taken_first_and_shows_as_judging(self) -> None:
        first, second = SubmissionFactory(), SubmissionFactory()
        assert taken().judgement_id == first.current_judgement_id
        first.refresh_from_db()
        second.refresh_from_db()
        assert (first.status, second.status) == ("judging", "pending")
        assert first.current_judgement.tries == 1
        assert first.current_judgement.leased_until > timezone.now() + timedelta(seconds=10)

    def test_each_is_taken_once(self) -> None:
        SubmissionFactory()
        taken()
        assert claim_next() is None

    def test_one_that_has_to_wait_is_left_alone_until_then(self) -> None:
        judgement = SubmissionFactory().current_judgement
        judgement.not_before = timezone.now() + timedelta(minutes=1)
        judgement.save()
        assert claim_next() is None
        judgement.not_before = timezone.now() - timedelta(minutes=1)
        judgement.save()
        assert taken().judgement_id == judgement.pk


@pytest.mark.django_db(transaction=True)
class TestClaimRace:
    """Several workers at once, each with a connection of its own."""

    THREADS = 6
    JUDGEMENTS = 30

    def race(self) -> list[int]:
        claimed: list[int] = []
        lock = threading.Lock()
        barrier = threading.Barrier(self.THREADS)

        def work() -> None:
            try:
                barrier.wait()
                while (claim := claim_next()) is not None:
                    with lock:
                        claimed.append(claim.judgement_id)
            finally:
                connection.close()

        threads = [threading.Thread(target=work) for _ in range(self.THREADS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return claimed

    def test_every_judgement_is_claimed_exactly_once(self) -> None:
        expected = [SubmissionFactory().current_judgement_id for _ in range(self.JUDGEMENTS)]
        assert sorted(self.race()) == expected

    def test_control_read_then_write_claims_twice(self) -> None:
        """Without the condition in the UPDATE, and the row's lock, two who read at the same time both take it."""
        judgement_id = SubmissionFactory().current_judgement_id
        claimed: list[int] = []
        barrier = threading.Barrier(2)

        def naive() -> None:
            try:
                found = Judgement.objects.filter(state=Judgement.State.PENDING).values_list("pk", flat=True).first()
                barrier.wait()
                Judgement.objects.filter(pk=found).update(
                    state=Judgement.State.CLAIMED, claim_id=uuid.uuid4(), leased_until=timezone.now()
                )
                claimed.append(found or 0)
            finally:
                connection.close()

        threads = [threading.Thread(target=naive) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert claimed == [judgement_id, judgement_id]


class TestApply:
    def test_everything_is_stored_once(self) -> None:
        submission = SubmissionFactory()
        claim = taken()
        outcome = outcome_of(submission)
        assert judgement_apply(judgement_id=claim.judgement_id, claim_id=claim.claim_id, outcome=outcome)
        assert not judgement_apply(judgement_id=claim.judgement_id, claim_id=claim.claim_id, outcome=outcome)
        submission.refresh_from_db()
        assert (submission.status, submission.score) == ("accepted", 100)
        assert TestResult.objects.count() == 2
        judgement = submission.current_judgement
        assert (judgement.state, judgement.verdict, judgement.engine, judgement.tier) == (
            "done",
            "accepted",
            "scripted",
            "A",
        )
        assert judgement.finished_at is not None

    def test_a_result_under_a_lost_claim_changes_nothing(self) -> None:
        submission = SubmissionFactory()
        late = taken()
        expire(late)
        assert claims_recover() == 1
        live = taken()
        wrong = outcome_of(submission, Verdict.WRONG_ANSWER)
        assert not judgement_apply(judgement_id=late.judgement_id, claim_id=late.claim_id, outcome=wrong)
        submission.refresh_from_db()
        assert submission.status == "judging"
        assert TestResult.objects.count() == 0
        right = outcome_of(submission)
        assert judgement_apply(judgement_id=live.judgement_id, claim_id=live.claim_id, outcome=right)
        submission.refresh_from_db()
        assert submission.status == "accepted"

    def test_control_without_the_fence_the_late_result_wins(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def unfenced(judgement_id: int, **conditions: Any) -> Judgement:
            return Judgement.objects.select_related("submission").get(pk=judgement_id)

        submission = SubmissionFactory()
        late = taken()
        expire(late)
        claims_recover()
        taken()
        monkeypatch.setattr("executor.services.judgements.claimed_lock", unfenced)
        wrong = outcome_of(submission, Verdict.WRONG_ANSWER)
        assert judgement_apply(judgement_id=late.judgement_id, claim_id=late.claim_id, outcome=wrong)
        submission.refresh_from_db()
        assert submission.status == "wrong_answer"

    def test_hostile_output_is_stored_bounded(self) -> None:
        submission = SubmissionFactory()
        claim = taken()
        outcome = outcome_of(submission)
        hostile = b"\x00\xff\x1b[31m<script>" + b"A" * 100_000
        object.__setattr__(outcome.tests[0], "printed", hostile)
        judgement_apply(judgement_id=claim.judgement_id, claim_id=claim.claim_id, outcome=outcome)
        stored = TestResult.objects.get(order=0).stdout
        assert stored.startswith("\\x00\\xff\x1b[31m<script>")
        assert len(stored) < 5000


class TestLeases:
    def test_a_live_lease_is_left_alone(self) -> None:
        SubmissionFactory()
        taken()
        assert claims_recover() == 0

    def test_renewal_moves_the_lease(self) -> None:
        SubmissionFactory()
        claim = taken()
        expire(claim)
        claims_renew([claim])
        assert claims_recover() == 0

    def test_control_without_renewal_it_runs_out(self) -> None:
        SubmissionFactory()
        expire(taken())
        assert claims_recover() == 1

    def test_a_stranger_s_claim_is_not_renewed(self) -> None:
        SubmissionFactory()
        claim = taken()
        expire(claim)
        stranger = replace(claim, claim_id=uuid.uuid4())
        assert claims_renew([stranger]) == [stranger]
        assert claims_recover() == 1

    def test_one_that_is_renewed_while_the_sweeper_comes_is_left_alone(self, monkeypatch: pytest.MonkeyPatch) -> None:
        SubmissionFactory()
        claim = taken()
        expire(claim)
        lock = claims.claimed_lock

        def renewed_first(judgement_id: int, **conditions: Any) -> Judgement | None:
            claims_renew([claim])
            return lock(judgement_id, **conditions)

        monkeypatch.setattr(claims, "claimed_lock", renewed_first)
        assert claims_recover() == 0
        assert Judgement.objects.get().claim_id == claim.claim_id

    def test_after_three_tries_of_a_worker_that_lives_it_is_our_error_and_costs_nothing(self) -> None:
        submission = SubmissionFactory()
        worker_id = worker_register("embedded", 1)
        for _ in range(3):
            claim = claim_next(worker_id)
            assert claim is not None
            expire(claim)
            claims_recover()
        submission.refresh_from_db()
        assert (submission.status, submission.score) == ("internal_error", None)
        assert "3 times" in submission.current_judgement.fault
        assert submission.current_judgement.losses == 0
        assert claim_next() is None


class TestReturn:
    def test_an_uncharged_fault_waits_and_keeps_its_tries(self) -> None:
        submission = SubmissionFactory()
        for _ in range(5):
            claim_return(taken(), fault="engine away", is_charged=False, retry_after_s=60)
            submission.refresh_from_db()
            assert submission.status == "pending"
            assert submission.current_judgement.not_before > timezone.now()
            Judgement.objects.update(not_before=None)
        assert submission.current_judgement.tries == 0

    def test_pauses_grow_and_are_bounded(self) -> None:
        judgement = SubmissionFactory().current_judgement
        pauses = []
        for _ in range(8):
            claim_return(taken(), fault="engine away", is_charged=False)
            judgement.refresh_from_db()
            pauses.append(round((judgement.not_before - timezone.now()).total_seconds()))
            Judgement.objects.update(not_before=None)
        assert pauses == sorted(pauses)
        assert pauses[0] <= 2
        assert 55 <= pauses[-1] <= 60

    def test_charged_faults_end_as_our_error(self) -> None:
        submission = SubmissionFactory()
        for _ in range(3):
            claim_return(taken(), fault="bug", is_charged=True)
            Judgement.objects.update(not_before=None)
        submission.refresh_from_db()
        assert (submission.status, submission.score) == ("internal_error", None)

    def test_a_lost_claim_returns_nothing(self) -> None:
        submission = SubmissionFactory()
        claim = taken()
        claim_return(replace(claim, claim_id=uuid.uuid4()), fault="x", is_charged=True)
        claim_release(replace(claim, claim_id=uuid.uuid4()))
        submission.refresh_from_db()
        assert submission.status == "judging"

    def test_a_released_claim_can_be_taken_at_once_and_costs_no_try(self) -> None:
        submission = SubmissionFactory()
        claim_release(taken())
        submission.refresh_from_db()
        assert submission.status == "pending"
        taken()
        submission.refresh_from_db()
        assert submission.current_judgement.tries == 1


class TestRejudges:
    """A rejudge comes and goes without its submission's status, until it is applied."""

    @pytest.fixture
    def rejudge(self) -> Judgement:
        submission = SubmissionFactory()
        first = taken()
        judgement_apply(judgement_id=first.judgement_id, claim_id=first.claim_id, outcome=outcome_of(submission))
        return JudgementFactory(submission=submission, number=2, lane="rejudge")

    def shown(self) -> tuple[str, int]:
        return Submission.objects.values_list("status", "version").get()

    def test_taking_and_returning_it_shows_nothing(self, rejudge: Judgement) -> None:
        before = self.shown()
        assert before[0] == "accepted"
        assert taken().judgement_id == rejudge.pk
        assert self.shown() == before
        expire(Claim(rejudge.pk, uuid.uuid4(), rejudge.submission_id, "rejudge", 0))
        assert claims_recover() == 1
        claim_return(taken(), fault="engine away", is_charged=False)
        Judgement.objects.update(not_before=None)
        claim_release(taken())
        assert self.shown() == before
        rejudge.refresh_from_db()
        assert (rejudge.state, rejudge.tries) == ("pending", 1)

    def test_returning_it_leaves_a_live_judging_of_its_submission_alone(self, rejudge: Judgement) -> None:
        claim = taken()
        submission = rejudge.submission
        submission.current_judgement = JudgementFactory(submission=submission, number=3, state="pending")
        submission.status = "pending"
        submission.save()
        taken()
        claim_release(claim)
        assert self.shown()[0] == "judging"

    def test_one_that_breaks_takes_no_verdict_away(self, rejudge: Judgement) -> None:
        before = self.shown()
        for _ in range(3):
            claim_return(taken(), fault="bug", is_charged=True)
            Judgement.objects.update(not_before=None)
        rejudge.refresh_from_db()
        assert (rejudge.state, rejudge.verdict) == ("done", "internal_error")
        assert self.shown() == before

    def test_one_that_kills_its_workers_takes_no_verdict_away(self, rejudge: Judgement) -> None:
        before = self.shown()
        for _ in range(3):
            expire(taken())
            claims_recover()
        rejudge.refresh_from_db()
        assert (rejudge.state, rejudge.losses) == ("done", 3)
        assert self.shown() == before

    def test_a_verdict_is_shown_in_place_of_the_earlier_one(self, rejudge: Judgement) -> None:
        claim = taken()
        outcome = outcome_of(rejudge.submission, Verdict.WRONG_ANSWER)
        assert judgement_apply(judgement_id=claim.judgement_id, claim_id=claim.claim_id, outcome=outcome)
        assert self.shown()[0] == "wrong_answer"
        assert Submission.objects.get().current_judgement == rejudge
