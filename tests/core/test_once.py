"""Once per transaction, exactly: whatever is committed was done once, whatever is rolled back is done again."""

import threading
from collections.abc import Callable, Hashable
from contextlib import suppress

import pytest
from django.db import connection, connections, transaction
from pytest_django import DjangoCaptureOnCommitCallbacks

from core.once import once_per_transaction
from tests.parallel import at_once, meeting_point


class RolledBackError(Exception):
    """Leaves a block without committing it."""


class Deed:
    """Something to do once, which counts how often it was done and how often that was committed."""

    def __init__(self, once: Callable[..., bool] = once_per_transaction) -> None:
        self._once = once
        self.done = self.committed = 0

    def call(self, key: Hashable = "key") -> bool:
        return self._once(key, self._do, after_commit=self._after)

    def _do(self) -> None:
        self.done += 1

    def _after(self) -> None:
        self.committed += 1


@pytest.fixture
def deed() -> Deed:
    return Deed()


@pytest.mark.django_db(transaction=True)
class TestTransactions:
    def test_many_calls_one_act(self, deed: Deed) -> None:
        with transaction.atomic():
            assert [deed.call() for _ in range(4)] == [True, False, False, False]
            assert (deed.done, deed.committed) == (1, 0)
        assert (deed.done, deed.committed) == (1, 1)

    def test_each_key_has_its_own(self, deed: Deed) -> None:
        with transaction.atomic():
            assert [deed.call(key) for key in (("enrollment", 1), ("enrollment", 2), ("enrollment", 1))] == [
                True,
                True,
                False,
            ]
        assert (deed.done, deed.committed) == (2, 2)

    def test_each_transaction_does_it_again(self, deed: Deed) -> None:
        for times in (1, 2, 3):
            with transaction.atomic():
                deed.call()
                deed.call()
            assert (deed.done, deed.committed) == (times, times)

    def test_outside_of_any_it_is_done_each_time(self, deed: Deed) -> None:
        assert [deed.call(), deed.call()] == [True, True]
        assert (deed.done, deed.committed) == (2, 2)

    def test_after_a_rollback_it_is_done_again(self, deed: Deed) -> None:
        with suppress(RolledBackError), transaction.atomic():
            deed.call()
            raise RolledBackError
        assert (deed.done, deed.committed) == (1, 0)
        with transaction.atomic():
            assert deed.call()
        assert (deed.done, deed.committed) == (2, 1)

    def test_ten_thousand_calls_look_at_no_more_than_one(self, deed: Deed) -> None:
        comparisons = 0

        class Key:
            """A key that counts how often it is compared to another of its hash."""

            def __hash__(self) -> int:
                return 1

            def __eq__(self, other: object) -> bool:
                nonlocal comparisons
                comparisons += 1
                return self is other

        with transaction.atomic():
            for _ in range(100):
                transaction.on_commit(lambda: None)
            key = Key()
            for _ in range(10_000):
                deed.call(key)
            hooks = len(connection.run_on_commit)
        # A dictionary knows an identical key without comparing; a walk over the hooks would compare each time.
        assert (deed.done, hooks, comparisons) == (1, 101, 0)


@pytest.mark.django_db(transaction=True)
class TestSavepoints:
    def test_rolled_back_with_the_act_it_is_done_again(self, deed: Deed) -> None:
        with transaction.atomic():
            with suppress(RolledBackError), transaction.atomic():
                assert deed.call()
                raise RolledBackError
            assert [deed.call(), deed.call()] == [True, False]
        assert (deed.done, deed.committed) == (2, 1)

    def test_a_naive_set_would_be_stale(self) -> None:
        """The control of the test above."""
        local = threading.local()

        def naive_once(key: Hashable, act: Callable[[], None], *, after_commit: Callable[[], None]) -> bool:
            seen: set[Hashable] = local.__dict__.setdefault("seen", set())
            if key in seen:
                return False
            act()
            seen.add(key)
            transaction.on_commit(after_commit)
            transaction.on_commit(seen.clear)
            return True

        deed = Deed(naive_once)
        with transaction.atomic():
            with suppress(RolledBackError), transaction.atomic():
                deed.call()
                raise RolledBackError
            assert not deed.call()
        # What the first call did is rolled back, and the second left it so.
        assert (deed.done, deed.committed) == (1, 0)

    def test_rolled_back_without_the_act_it_stays_done(self, deed: Deed) -> None:
        with transaction.atomic():
            assert deed.call()
            with suppress(RolledBackError), transaction.atomic():
                assert not deed.call()
                raise RolledBackError
            assert not deed.call()
        assert (deed.done, deed.committed) == (1, 1)

    def test_committed_ones_do_not_repeat_it(self, deed: Deed) -> None:
        with transaction.atomic():
            with transaction.atomic():
                with transaction.atomic():
                    assert deed.call()
                assert not deed.call()
            with transaction.atomic():
                assert not deed.call()
            assert not deed.call()
        assert (deed.done, deed.committed) == (1, 1)

    def test_a_committed_one_in_one_rolled_back_is_rolled_back(self, deed: Deed) -> None:
        with transaction.atomic():
            with suppress(RolledBackError), transaction.atomic():
                with transaction.atomic():
                    assert deed.call()
                raise RolledBackError
            assert deed.call()
        assert (deed.done, deed.committed) == (2, 1)

    def test_a_block_without_a_savepoint_goes_with_the_one_around_it(self, deed: Deed) -> None:
        with transaction.atomic():
            with suppress(RolledBackError), transaction.atomic(), transaction.atomic(savepoint=False):
                assert deed.call()
                raise RolledBackError
            assert deed.call()
        assert (deed.done, deed.committed) == (2, 1)

    def test_many_rolled_back_in_a_row(self, deed: Deed) -> None:
        with transaction.atomic():
            deed.call("kept")
            for _ in range(50):
                with suppress(RolledBackError), transaction.atomic():
                    assert deed.call("dropped")
                    assert not deed.call("kept")
                    raise RolledBackError
        assert (deed.done, deed.committed) == (51, 1)


@pytest.mark.django_db(transaction=True)
class TestActs:
    def test_one_that_fails_has_not_run(self, deed: Deed) -> None:
        def fail() -> None:
            raise RolledBackError

        with transaction.atomic():
            with pytest.raises(RolledBackError):
                once_per_transaction("key", fail, after_commit=deed._after)
            assert [deed.call(), deed.call()] == [True, False]
        assert (deed.done, deed.committed) == (1, 1)

    def test_one_that_leads_back_to_itself_runs_once(self, deed: Deed) -> None:
        inner: list[bool] = []

        def act() -> None:
            inner.append(deed.call("key"))

        with transaction.atomic():
            assert once_per_transaction("key", act)
        assert (inner, deed.done) == ([False], 0)

    def test_one_may_roll_back_a_savepoint_of_its_own(self, deed: Deed) -> None:
        def act() -> None:
            with suppress(RolledBackError), transaction.atomic():
                raise RolledBackError

        with transaction.atomic():
            assert once_per_transaction("key", act)
            assert not deed.call("key")

    @pytest.mark.parametrize("is_atomic", [True, False])
    def test_tidying_that_fails_stops_nothing(self, deed: Deed, is_atomic: bool) -> None:
        from functools import partial

        def fail(message: str) -> None:
            raise RolledBackError(message)

        def work() -> None:
            once_per_transaction("other", lambda: None, after_commit=partial(fail, "no name of its own"))
            deed.call()

        if is_atomic:
            with transaction.atomic():
                work()
        else:
            work()
        assert (deed.done, deed.committed) == (1, 1)

    def test_tidying_may_begin_again(self, deed: Deed) -> None:
        def tidy() -> None:
            with transaction.atomic():
                assert deed.call("key")

        with transaction.atomic():
            once_per_transaction("key", lambda: None, after_commit=tidy)
        assert (deed.done, deed.committed) == (1, 1)


@pytest.mark.django_db(transaction=True)
class TestConnections:
    def test_threads_know_nothing_of_each_other(self) -> None:
        # On SQLite the second transaction begins when the first has ended: nobody comes to the meeting there.
        meet = meeting_point(2)

        def work() -> tuple[bool, bool]:
            with transaction.atomic():
                first = once_per_transaction("key", lambda: None)
                meet()
                return first, once_per_transaction("key", lambda: None)

        assert at_once([work, work]) == [(True, False), (True, False)]

    def test_connections_of_one_thread_know_nothing_of_each_other(self, deed: Deed) -> None:
        other = connection.copy(alias="other")
        # On SQLite a transaction that takes the write lock at its start would wait for the other one for ever.
        other.settings_dict["OPTIONS"].pop("transaction_mode", None)
        other.ensure_connection()
        connections["other"] = other
        try:
            with transaction.atomic(), transaction.atomic(using="other"):
                assert deed.call()
                assert once_per_transaction("key", deed._do, using="other")
                assert not once_per_transaction("key", deed._do, using="other")
                assert not deed.call()
        finally:
            other.close()
            del connections["other"]
        assert deed.done == 2


@pytest.mark.django_db
class TestInATestsTransaction:
    """Tests run in a transaction that is rolled back: what stands for a commit there ends one of ours."""

    def test_within_one_capture_it_is_done_once(
        self, deed: Deed, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
    ) -> None:
        with django_capture_on_commit_callbacks(execute=True):
            with transaction.atomic():
                deed.call()
            with transaction.atomic():
                deed.call()
        assert (deed.done, deed.committed) == (1, 1)

    def test_hooks_that_are_run_begin_another_transaction(
        self, deed: Deed, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
    ) -> None:
        for _ in range(3):
            with django_capture_on_commit_callbacks(execute=True), transaction.atomic():
                deed.call()
        assert (deed.done, deed.committed) == (3, 3)

    @pytest.mark.parametrize("test", ["first", "second"])
    def test_one_leaves_nothing_to_the_next(self, deed: Deed, test: str) -> None:
        assert deed.call("the same in both")
        assert not deed.call("the same in both")
