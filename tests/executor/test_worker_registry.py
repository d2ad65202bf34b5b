"""Workers as rows: seen, forgotten, and found to be gone on the machine they ran on."""

import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.utils import timezone

from executor.models import Judgement, Worker
from executor.queue import registry
from executor.queue.claims import claim_next, claims_recover
from executor.queue.registry import (
    worker_forget,
    worker_is_gone,
    worker_register,
    worker_seen,
    workers_forget_gone,
    workers_lost_here,
)
from tests.executor.factories import SubmissionFactory

pytestmark = pytest.mark.django_db

LONG_AGO = timedelta(minutes=1)


@pytest.fixture
def ended() -> Iterator[int]:
    """The id of a process that was killed and that nobody has asked about yet."""
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"]) as process:
        process.kill()
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        yield process.pid


def worker(**columns: object) -> Worker:
    worker_id = worker_register("embedded", 2)
    Worker.objects.filter(pk=worker_id).update(**columns)
    return Worker.objects.get(pk=worker_id)


def holding(holder: Worker) -> Judgement:
    SubmissionFactory()
    claim = claim_next(holder.pk)
    assert claim is not None
    return Judgement.objects.get(pk=claim.judgement_id)


class TestSeen:
    def test_a_worker_is_written_down(self) -> None:
        found = worker()
        assert (found.kind, found.threads, found.process_id) == ("embedded", 2, os.getpid())
        assert abs(timezone.now() - found.seen_at) < LONG_AGO
        assert not worker_is_gone(found.pk)

    def test_it_is_seen_again(self) -> None:
        found = worker(seen_at=timezone.now() - LONG_AGO)
        assert worker_is_gone(found.pk)
        worker_seen(found.pk)
        assert not worker_is_gone(found.pk)
        assert Worker.objects.get().started_at == found.started_at

    def test_one_that_was_forgotten_while_it_was_frozen_comes_back(self) -> None:
        found = worker()
        Worker.objects.all().delete()
        assert worker_is_gone(found.pk)
        worker_seen(found.pk)
        assert Worker.objects.values_list("pk", "kind", "threads").get() == (found.pk, "embedded", 2)

    def test_one_that_ended_in_order_is_gone(self) -> None:
        found = worker()
        worker_forget(found.pk)
        assert not Worker.objects.exists()

    def test_nobody_in_particular_is_gone(self) -> None:
        assert worker_is_gone(None)


class TestForgetting:
    def test_who_was_not_seen_and_holds_nothing_is_struck_off(self) -> None:
        worker(seen_at=timezone.now() - LONG_AGO)
        alive = worker()
        assert workers_forget_gone() == 1
        assert Worker.objects.get() == alive

    def test_who_holds_something_stays_until_it_is_returned(self) -> None:
        lost = worker()
        holding(lost)
        long_ago = timezone.now() - LONG_AGO
        Worker.objects.update(seen_at=long_ago)
        assert workers_forget_gone() == 0
        Judgement.objects.update(leased_until=long_ago)
        assert claims_recover() == 1
        assert workers_forget_gone() == 1


class TestLostHere:
    def test_claims_of_a_process_that_is_gone_can_be_recovered_at_once(self, ended: int) -> None:
        lost = worker(process_id=ended)
        judgement = holding(lost)
        assert claims_recover() == 0
        assert workers_lost_here() == 1
        assert not Worker.objects.exists()
        assert claims_recover() == 1
        judgement.refresh_from_db()
        assert (judgement.state, judgement.losses) == ("pending", 1)

    def test_one_that_has_its_number_now_is_another(self) -> None:
        judgement = holding(worker(process_started="17"))
        assert workers_lost_here() == 1
        assert claims_recover() == 1
        judgement.refresh_from_db()
        assert judgement.losses == 1

    def test_control_by_its_number_alone_it_would_be_taken_for_alive(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(registry, "_process_started", lambda process_id: None)
        holding(worker(process_started="17"))
        assert workers_lost_here() == 0

    def test_one_that_runs_is_left_alone(self) -> None:
        holding(worker())
        assert workers_lost_here() == 0
        assert Worker.objects.count() == 1

    def test_one_of_another_user_is_left_alone(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def not_yours(process_id: int, number: int) -> None:
            raise PermissionError

        holding(worker())
        monkeypatch.setattr(os, "kill", not_yours)
        monkeypatch.setattr(registry, "_process_started", lambda process_id: None)
        assert workers_lost_here() == 0

    def test_one_of_another_machine_or_another_boot_is_left_alone(self, ended: int) -> None:
        holding(worker(process_id=ended, host="elsewhere"))
        assert workers_lost_here() == 0
        assert Worker.objects.count() == 1

    def test_several_that_start_together_end_each_claim_once(self, ended: int, monkeypatch: pytest.MonkeyPatch) -> None:
        """The other one was quicker, between our looking and our locking."""
        holding(worker(process_id=ended))
        is_running = registry._is_running

        def quicker(process_id: int, started: str) -> bool:
            Worker.objects.all().delete()
            return is_running(process_id, started)

        monkeypatch.setattr(registry, "_is_running", quicker)
        assert workers_lost_here() == 0
        assert claims_recover() == 0

    def test_a_machine_without_proc_has_workers_too(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def no_proc(path: str) -> str:
            raise OSError

        monkeypatch.setattr(os, "readlink", no_proc)
        assert "unknown" in worker().host
        assert workers_lost_here() == 0
