"""A request that is sent again under its key: once done, always the first result, and no race in it."""

import threading
import uuid
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError, connection, transaction
from django.db.models.functions import Now
from django.utils import timezone
from freezegun import freeze_time
from pytest_django import DjangoAssertNumQueries, Settings
from rest_framework.request import Request
from rest_framework.test import APIRequestFactory

from core import housekeeping, idempotency
from core.errors import Conflict, DomainError
from core.idempotency import (
    IdempotencyInProgress,
    IdempotencyKeyReused,
    InvalidIdempotencyKey,
    Once,
    done_once,
    made_once,
    records_clean_up,
)
from core.models import IdempotencyRecord
from core.parsers import StrictFormParser, StrictJSONParser
from tests.parallel import at_once, meeting_point

pytestmark = pytest.mark.django_db

AddressedAt = Callable[[Request, Callable[[], Any]], Once]
BOTH = pytest.mark.parametrize("once", [made_once, done_once])


def asking(
    key: str | None = "k1",
    *,
    user: int = 1,
    path: str = "/things/",
    body: Any = None,
    raw: str | None = None,
    form: dict[str, Any] | None = None,
) -> Request:
    headers = {} if key is None else {"Idempotency-Key": key}
    factory = APIRequestFactory()
    if form is not None:
        posted = factory.post(path, form, format="multipart", headers=headers)
    elif raw is not None:
        posted = factory.post(path, raw, content_type="application/json", headers=headers)
    else:
        posted = factory.post(path, {"a": 1} if body is None else body, format="json", headers=headers)
    request = Request(posted, parsers=[StrictJSONParser(), StrictFormParser()])
    request.user = SimpleNamespace(pk=user)  # type: ignore[assignment]
    return request


class Counter:
    """Work that tells how often it was done, and refuses when told to."""

    def __init__(self) -> None:
        self.count = 0
        self.error: Exception | None = None

    def __call__(self) -> dict[str, int]:
        self.count += 1
        if self.error is not None:
            raise self.error
        return {"count": self.count}


@BOTH
class TestOneKey:
    def test_the_second_gets_the_first_result(self, once: AddressedAt) -> None:
        work = Counter()
        first, second = once(asking(), work), once(asking(), work)
        assert first.answer == second.answer == {"count": 1}
        assert (first.headers, second.headers) == ({}, {"Idempotency-Replayed": "true"})

    def test_without_a_key_it_is_done_each_time_and_nothing_is_kept(self, once: AddressedAt) -> None:
        work = Counter()
        assert [once(asking(None), work).answer["count"] for _ in range(2)] == [1, 2]
        assert not IdempotencyRecord.objects.exists()

    @pytest.mark.parametrize("key", ["", "x" * 201, "a b", "a\tb", "schlüssel", "a\x7fb"])
    def test_a_key_that_is_none_is_refused(self, once: AddressedAt, key: str) -> None:
        work = Counter()
        with pytest.raises(InvalidIdempotencyKey) as refused:
            once(asking(key), work)
        assert (refused.value.status, refused.value.code, work.count) == (422, "invalid_idempotency_key", 0)

    @pytest.mark.parametrize("key", ["x", "x" * 200, '"8e03978e-40d5"', "~!,;"])
    def test_other_keys_are_taken(self, once: AddressedAt, key: str) -> None:
        once(asking(key), Counter())
        assert IdempotencyRecord.objects.get().key == key

    @pytest.mark.parametrize(
        "other", [{"body": {"a": 2}}, {"body": [1]}, {"body": {"a": "1"}}, {"path": "/others/"}], ids=str
    )
    def test_another_request_is_refused(self, once: AddressedAt, other: dict[str, Any]) -> None:
        work = Counter()
        once(asking(), work)
        with pytest.raises(IdempotencyKeyReused) as refused:
            once(asking(**other), work)
        assert (refused.value.status, refused.value.code, work.count) == (422, "idempotency_key_reused", 1)
        assert once(asking(), work).answer == {"count": 1}

    def test_order_and_spaces_of_the_body_and_the_query_say_nothing(self, once: AddressedAt) -> None:
        work = Counter()
        once(asking(raw='{"a": 1, "b": {"c": 2, "d": 3}}'), work)
        assert once(asking(raw='{"b":{"d":3,"c":2},"a":1}', path="/things/?wait=3"), work).is_replayed

    def test_another_user_s_key_is_another(self, once: AddressedAt) -> None:
        work = Counter()
        once(asking(user=1), work)
        assert once(asking(user=2, body={"b": 2}), work) == Once({"count": 2})

    def test_a_file_is_told_by_its_content(self, once: AddressedAt) -> None:
        def upload(content: bytes, mode: str = "append") -> Once:
            request = asking(form={"file": SimpleUploadedFile("tests.zip", content), "mode": mode})
            given: Any = request.data
            return once(request, lambda: given["file"].read().decode())

        assert upload(b"one") == Once("one")
        assert upload(b"one") == Once("one", is_replayed=True)
        for other in (partial(upload, b"two"), partial(upload, b"one", "replace")):
            with pytest.raises(IdempotencyKeyReused):
                other()

    @pytest.mark.parametrize("error", [Conflict(), ZeroDivisionError()], ids=["refused", "a bug"])
    def test_what_fails_leaves_the_key_free(self, once: AddressedAt, error: Exception) -> None:
        work = Counter()
        work.error = error
        with pytest.raises(type(error)):
            once(asking(), work)
        assert not IdempotencyRecord.objects.exists()
        work.error = None
        assert once(asking(body={"corrected": True}), work) == Once({"count": 2})

    def test_after_a_day_the_key_is_new(self, once: AddressedAt) -> None:
        work = Counter()
        with freeze_time("2026-11-20T10:00:00Z", real_asyncio=True) as clock:
            once(asking(), work)
            clock.move_to("2026-11-21T09:59:59Z")
            assert once(asking(), work).is_replayed
            clock.move_to("2026-11-21T10:00:00Z")
            assert once(asking(body={"other": 1}), work) == Once({"count": 2})
            assert IdempotencyRecord.objects.count() == 1

    def test_few_queries_whatever_there_is(
        self, once: AddressedAt, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        for number in range(30):
            once(asking(f"other{number}"), Counter())
        # Two of them are the savepoint that stands for the transaction here; the lock is PostgreSQL's.
        is_locked = connection.vendor == "postgresql"
        with django_assert_num_queries(2 + 2 + is_locked + (once is done_once)):
            once(asking(), Counter())
        with django_assert_num_queries(2 + 1 + is_locked):
            once(asking(), Counter())


class TestMaking:
    def test_what_is_refused_takes_its_rows_along(self) -> None:
        def make() -> None:
            row(77)
            raise Conflict

        with pytest.raises(Conflict):
            made_once(asking(), make)
        assert not IdempotencyRecord.objects.exists()

    def test_what_the_database_takes_back_at_the_commit_is_tried_once_more(self) -> None:
        work = Counter()

        def refused_at_first() -> dict[str, int]:
            answer = work()
            if work.count == 1:
                raise IntegrityError("at the commit")
            return answer

        assert made_once(asking(), refused_at_first) == Once({"count": 2})
        work.error = IntegrityError("each time")
        with pytest.raises(IntegrityError):
            made_once(asking("k2"), work)
        assert work.count == 4


class TestDoing:
    def test_while_it_runs_the_same_and_another_are_refused(self) -> None:
        refused: list[DomainError] = []

        def work() -> str:
            for again in (asking(), asking(body={"b": 1})):
                with pytest.raises((IdempotencyInProgress, IdempotencyKeyReused)) as raised:
                    done_once(again, work)
                refused.append(raised.value)
            return "done"

        assert done_once(asking(), work) == Once("done")
        assert [(error.status, error.code) for error in refused] == [
            (409, "idempotency_in_progress"),
            (422, "idempotency_key_reused"),
        ]
        assert refused[0].retry_after_s == idempotency.RETRY_S

    def test_the_key_of_a_lost_process_is_free_after_its_lease(self) -> None:
        claimed = {"claim_id": uuid.uuid4(), "fingerprint": "of another", "created_at": timezone.now()}
        lost = IdempotencyRecord.objects.create(
            user_id=1, key="k1", leased_until=timezone.now() + timedelta(days=1), **claimed
        )
        with pytest.raises(IdempotencyKeyReused):
            done_once(asking(), Counter())
        IdempotencyRecord.objects.filter(pk=lost.pk).update(leased_until=Now() - timedelta(seconds=1))
        assert done_once(asking(), Counter()) == Once({"count": 1})

    def test_whoever_lost_the_claim_keeps_nothing(self) -> None:
        def late() -> str:
            IdempotencyRecord.objects.update(leased_until=Now() - timedelta(seconds=1))
            assert done_once(asking(), lambda: "quick") == Once("quick")
            return "late"

        assert done_once(asking(), late) == Once("late")
        assert done_once(asking(), late) == Once("quick", is_replayed=True)

    def test_whoever_lost_the_claim_and_fails_frees_nothing(self) -> None:
        def late() -> str:
            IdempotencyRecord.objects.update(leased_until=Now() - timedelta(seconds=1))
            done_once(asking(), lambda: "quick")
            raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            done_once(asking(), late)
        assert done_once(asking(), late).answer == "quick"


def row(user_id: int) -> None:
    """Any row that a test can count: here one of the same table, of a user who is nobody's."""
    IdempotencyRecord.objects.create(
        user_id=user_id, key=uuid.uuid4().hex, fingerprint="made", answer={}, created_at=timezone.now()
    )


def made_rows() -> int:
    return IdempotencyRecord.objects.filter(fingerprint="made").count()


@pytest.mark.django_db(transaction=True)
class TestAtOnce:
    @pytest.mark.parametrize("threads", [2, 20])
    def test_many_with_one_key_make_one_row(self, threads: int) -> None:
        def ask() -> Once | int:
            number = uuid.uuid4().hex

            def make() -> str:
                row(77)
                return number

            try:
                return made_once(asking(), make)
            except IdempotencyInProgress as error:
                return error.status

        answers = at_once([ask] * threads)
        assert made_rows() == 1
        made = [answer for answer in answers if isinstance(answer, Once)]
        assert {answer for answer in answers if not isinstance(answer, Once)} <= {409}
        assert len({once.answer for once in made}) == 1
        assert [once.is_replayed for once in made].count(False) == 1

    def test_many_with_one_key_run_one_program(self) -> None:
        meet, work = meeting_point(20), Counter()

        def slow() -> dict[str, int]:
            answer = work()
            meet()
            return answer

        def ask() -> int:
            try:
                return 200 if done_once(asking(), slow).answer == {"count": 1} else 500
            except IdempotencyInProgress as error:
                return error.status

        statuses = at_once([ask] * 20)
        assert work.count == 1
        assert set(statuses) <= {200, 409}
        assert 200 in statuses

    def test_many_keys_do_not_meet(self) -> None:
        answers = at_once([partial(made_once, asking(f"k{number}"), partial(row, 77)) for number in range(10)])
        assert not any(once.is_replayed for once in answers)
        assert made_rows() == 10

    def test_while_the_first_is_made_the_others_wait_and_then_say_so(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """PostgreSQL: 409 at the end of their patience. SQLite: they stand in line for its one writer."""
        monkeypatch.setattr(idempotency, "WAIT_S", 0.2)
        inside, finish = threading.Event(), threading.Event()

        def slow() -> str:
            inside.set()
            finish.wait(0.5 if connection.vendor == "sqlite" else 20)
            return "first"

        def second() -> Once | None:
            assert inside.wait(20)
            try:
                return made_once(asking(), lambda: "second")
            except IdempotencyInProgress:
                return None
            finally:
                finish.set()

        calls: list[Callable[[], Once | None]] = [partial(made_once, asking(), slow), second]
        first, then = at_once(calls)
        assert first == Once("first")
        assert then == (Once("first", is_replayed=True) if connection.vendor == "sqlite" else None)
        assert made_once(asking(), lambda: "third").answer == "first"

    def test_the_constraint_alone_keeps_the_second_out(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Both look before either has written; what the loser made is taken back, and it gets the winner's result."""
        assert self.rows_of_two(monkeypatch) == (1, 1)

    def test_control_without_lock_and_constraint_two_rows_appear(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(idempotency, "_record", lambda asked, **columns: None)
        assert self.rows_of_two(monkeypatch) == (2, 2)

    def rows_of_two(self, monkeypatch: pytest.MonkeyPatch) -> tuple[int, int]:
        """How many rows two requests at once make without a lock on their key, and how many answers they get."""
        meet, look = meeting_point(2), idempotency._record_of

        def look_then_meet(asked: Any) -> IdempotencyRecord | None:
            found = look(asked)
            meet()
            return found

        monkeypatch.setattr(idempotency, "_key_lock", lambda asked: None)
        monkeypatch.setattr(idempotency, "_record_of", look_then_meet)

        def make() -> str:
            row(77)
            return uuid.uuid4().hex

        answers = at_once([partial(made_once, asking(), make)] * 2)
        return made_rows(), len({once.answer for once in answers})

    def test_a_rollback_around_it_leaves_the_key_free(self) -> None:
        with transaction.atomic():
            made_once(asking(), partial(row, 77))
            transaction.set_rollback(True)
        assert not made_once(asking(), partial(row, 77)).is_replayed
        assert made_rows() == 1


class TestCleanup:
    def test_what_is_over_goes_in_steps_and_the_rest_stays(
        self, monkeypatch: pytest.MonkeyPatch, settings: Settings
    ) -> None:
        settings.CORE_IDEMPOTENCY_KEPT_S = 60
        monkeypatch.setattr(idempotency, "CLEANUP_STEP_ROWS", 2)
        monkeypatch.setattr(idempotency, "CLEANUP_STEPS_MAX", 2)
        for number in range(6):
            made_once(asking(f"old{number}"), Counter())
        IdempotencyRecord.objects.update(created_at=timezone.now() - timedelta(seconds=60))
        made_once(asking("young"), Counter())
        assert records_clean_up() == 4
        assert housekeeping.clean_up()["idempotency"] == 2
        assert records_clean_up() == 0
        assert IdempotencyRecord.objects.get().key == "young"
