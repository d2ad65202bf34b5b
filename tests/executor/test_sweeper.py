"""The sweeper: what it returns, strikes off, throws away and tells."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.utils import timezone

from core import housekeeping
from executor.models import Judgement, Worker
from executor.queue import sweeper
from executor.queue.claims import claim_next
from executor.queue.registry import worker_register
from executor.queue.sweeper import Swept, sweep
from executor.signals import queue_waits
from tests.executor.factories import SubmissionFactory
from tests.parallel import at_once


@pytest.fixture
def told() -> Iterator[list[dict[str, int]]]:
    heard: list[dict[str, int]] = []

    def receiver(sender: object, counts: dict[str, int], **kwargs: object) -> None:
        heard.append(counts)

    queue_waits.connect(receiver)
    yield heard
    queue_waits.disconnect(receiver)


@pytest.fixture(autouse=True)
def cleaned(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was cleaned up, by a house that has one cleanup, and was never cleaned before."""
    calls: list[str] = []

    def clean() -> int:
        calls.append("dust")
        return 3

    monkeypatch.setattr(housekeeping, "_cleanups", {"dust": clean})
    monkeypatch.setattr(sweeper, "_cleaned_at_s", None)
    return calls


def lose_one() -> None:
    """A worker that is lost with what it holds."""
    SubmissionFactory()
    claim_next(worker_register("embedded", 1))
    long_ago = timezone.now() - timedelta(minutes=1)
    Judgement.objects.update(leased_until=long_ago)
    Worker.objects.update(seen_at=long_ago)


@pytest.mark.django_db
class TestSweep:
    def test_it_does_all_that_has_to_be_done(self, told: list[dict[str, int]]) -> None:
        lose_one()
        expected = Swept(recovered=1, workers_forgotten=1, waiting={"live": 1}, cleaned={"dust": 3})
        assert sweep() == expected
        assert told == [{"live": 1}]

    def test_where_nothing_waits_nobody_is_told(self, told: list[dict[str, int]]) -> None:
        assert sweep().waiting == {}
        assert told == []

    def test_who_does_not_want_to_hear_of_it_disturbs_nobody(self) -> None:
        def broken(sender: object, **kwargs: object) -> None:
            raise RuntimeError("the broker is away")

        queue_waits.connect(broken)
        try:
            SubmissionFactory()
            assert sweep().waiting == {"live": 1}
        finally:
            queue_waits.disconnect(broken)

    def test_it_cleans_up_once_a_minute(self, cleaned: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
        sweep()
        assert sweep().cleaned == {}
        assert len(cleaned) == 1
        monkeypatch.setattr(sweeper, "CLEAN_UP_EVERY_S", 0)
        sweep()
        assert len(cleaned) == 2


@pytest.mark.django_db(transaction=True)
class TestSeveral:
    def test_sweeping_together_returns_each_once(self) -> None:
        for _ in range(5):
            lose_one()
        assert sum(swept.recovered for swept in at_once([sweep] * 4)) == 5
        assert set(Judgement.objects.values_list("state", "tries", "losses")) == {("pending", 1, 1)}
        assert not Worker.objects.exists()
