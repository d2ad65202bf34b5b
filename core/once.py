"""Once per transaction: a token replaced, a total recomputed, however many changes the transaction makes."""

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any

from django.db import DEFAULT_DB_ALIAS, transaction
from django.db.backends.base.base import BaseDatabaseWrapper


class _Mark:
    """ "This was done", kept among the transaction's commit hooks: Django drops those of a savepoint rolled back."""

    def __init__(self, key: Hashable, after_commit: Callable[[], None] | None) -> None:
        self.key = key
        self.after_commit = after_commit
        self.is_valid = True
        # Django names a hook that failed by it.
        self.__qualname__ = str(getattr(after_commit, "__qualname__", f"once_per_transaction({key!r})"))

    def __call__(self) -> None:
        # Tests run hooks in the middle of a transaction that stands for many: what follows is another one.
        self.is_valid = False
        if self.after_commit is not None:
            self.after_commit()


@dataclass(slots=True)
class _Seen:
    """The marks among `hooks`, by key: right for as long as the connection has that very list.

    Django puts another list in its place at every commit and rollback, of savepoints too. The list is held here,
    so that no new one can have its identity.
    """

    hooks: list[Any]
    marks: dict[Hashable, _Mark]


def once_per_transaction(
    key: Hashable,
    act: Callable[[], None],
    *,
    after_commit: Callable[[], None] | None = None,
    using: str = DEFAULT_DB_ALIAS,
) -> bool:
    """Run `act` unless it ran for `key` in this transaction, and tell whether it ran now.

    It runs again once the savepoint in which it ran is rolled back, and in the next transaction; outside of any it
    runs each time. An `act` that fails has not run; while it runs, it counts as done. `after_commit` runs once what
    `act` did is committed; its failure is logged and stops nothing. A call costs the same however many there were.

    Savepoints are those of `transaction.atomic`: Django keeps the hooks of one rolled back by hand, hence so do we.
    """
    connection = transaction.get_connection(using)
    mark = _Mark(key, after_commit)
    if not connection.in_atomic_block:
        act()
        connection.on_commit(mark, robust=True)
        return True
    seen = _marks_of(connection).get(key)
    if seen is not None and seen.is_valid:
        return False
    connection.on_commit(mark, robust=True)
    _marks_of(connection)[key] = mark
    try:
        act()
    except BaseException:
        mark.is_valid, mark.after_commit = False, None
        raise
    return True


def _marks_of(connection: BaseDatabaseWrapper) -> dict[Hashable, _Mark]:
    """The marks of the current transaction; they belong to the connection, and with it to one thread."""
    hooks: list[Any] = connection.run_on_commit
    seen: _Seen | None = getattr(connection, "_assay_once", None)
    if seen is None or seen.hooks is not hooks:
        marks = {hook.key: hook for _, hook, _ in hooks if isinstance(hook, _Mark)}
        seen = _Seen(hooks, marks)
        connection._assay_once = seen  # type: ignore[attr-defined]
    return seen.marks
