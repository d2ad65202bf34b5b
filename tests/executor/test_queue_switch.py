"""Pausing the queue and letting it go on."""

from functools import partial

import pytest
from django.utils import timezone
from pytest_django import DjangoCaptureOnCommitCallbacks

from accounts.models import AuditEvent, User
from core.errors import InvalidInput
from executor.models import QueueSwitch
from executor.queue import switch
from executor.queue.claims import claim_next
from executor.queue.switch import queue_pause, queue_resume, queue_state
from executor.signals import queue_waits
from tests.accounts.factories import UserFactory
from tests.executor.databases import apply, submit
from tests.executor.factories import SubmissionFactory
from tests.parallel import at_once


@pytest.fixture
def operator() -> User:
    found: User = UserFactory(is_superuser=True)
    return found


@pytest.mark.django_db
class TestSwitch:
    def test_a_queue_that_nobody_touched_runs(self) -> None:
        state = queue_state()
        assert (state.is_paused, state.changed_by, state.changed_at) == (False, None, None)

    def test_paused_it_takes_work_in_and_gives_none_out(self, operator: User) -> None:
        earlier = SubmissionFactory()
        state = queue_pause(actor=operator, reason=" new disks ")
        assert (state.is_paused, state.reason, state.changed_by) == (True, "new disks", operator)
        assert state == queue_state()
        assert submit(earlier.user, earlier.problem).status == "pending"
        assert claim_next() is None
        queue_resume(actor=operator)
        assert claim_next() is not None

    def test_what_is_being_judged_ends(self) -> None:
        SubmissionFactory()
        claim = claim_next()
        queue_pause(actor=None, reason="")
        assert claim is not None
        assert apply(claim)

    def test_going_on_wakes_whoever_works(
        self, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
    ) -> None:
        told: list[dict[str, int]] = []

        def receiver(sender: object, counts: dict[str, int], **kwargs: object) -> None:
            told.append(counts)

        queue_waits.connect(receiver)
        try:
            SubmissionFactory()
            with django_capture_on_commit_callbacks(execute=True):
                queue_pause(actor=None, reason="")
            assert told == []
            with django_capture_on_commit_callbacks(execute=True):
                queue_resume(actor=None)
        finally:
            queue_waits.disconnect(receiver)
        assert told == [{"live": 1}]

    @pytest.mark.parametrize("reason", ["x" * 201, "two\nlines", "nul \x00"])
    def test_a_reason_is_one_line_that_can_be_shown(self, reason: str) -> None:
        with pytest.raises(InvalidInput):
            queue_pause(actor=None, reason=reason)
        assert not QueueSwitch.objects.exists()


@pytest.mark.django_db
class TestAudit:
    def test_both_are_written_down(self, operator: User) -> None:
        queue_pause(actor=operator, reason="new disks")
        queue_resume(actor=operator)
        events = AuditEvent.objects.order_by("pk")
        assert [(event.action, event.actor, event.changes) for event in events] == [
            ("queue.pause", operator, {"is_paused": [False, True], "reason": ["", "new disks"]}),
            ("queue.resume", operator, {"is_paused": [True, False], "reason": ["new disks", ""]}),
        ]

    def test_nothing_where_nothing_changed(self, operator: User) -> None:
        queue_resume(actor=operator)
        queue_pause(actor=operator, reason="a")
        queue_pause(actor=operator, reason="a")
        assert AuditEvent.objects.count() == 1

    def test_an_operator_at_the_shell_is_nobody_in_particular(self) -> None:
        queue_pause(actor=None, reason="a")
        assert not AuditEvent.objects.exists()
        assert QueueSwitch.objects.get().changed_by is None

    def test_what_cannot_be_written_down_is_not_done(self, operator: User, monkeypatch: pytest.MonkeyPatch) -> None:
        def fail(**kwargs: object) -> None:
            raise RuntimeError("no audit")

        monkeypatch.setattr(switch, "audit_record", fail)
        with pytest.raises(RuntimeError, match="no audit"):
            queue_pause(actor=operator, reason="a")
        assert not QueueSwitch.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_several_at_once_turn_it_in_turn() -> None:
    operator = UserFactory(is_superuser=True)
    calls = [partial(queue_pause, actor=operator, reason=f"reason {number}") for number in range(4)]
    at_once(calls)
    changes = [event.changes["reason"] for event in AuditEvent.objects.order_by("pk")]
    # Each found what the one before it had left.
    assert [before for before, _ in changes] == ["", *(after for _, after in changes[:-1])]
    assert QueueSwitch.objects.get().changed_at <= timezone.now()
