"""Recounting what is derived (law 4): each app registers what it stores twice, and how to compute it anew."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """A stored value that is not what its sources come to; as text, or None where there is or should be nothing."""

    model: str
    pk: int
    field: str
    stored: str | None
    recomputed: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RecountBatch:
    """So many rows were looked at, and this is what was wrong with them."""

    row_count: int
    drifts: Sequence[Drift] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Recount:
    """One kind of derived data.

    `count` tells how many rows there are to look at. `run` looks at them a batch at a time, in bounded memory, while
    others write; told to, it mends what it yields, each through the service that keeps it right.
    """

    name: str
    count: Callable[[], int]
    run: Callable[[bool], Iterator[RecountBatch]]


_recounts: dict[str, Recount] = {}


def register_recount(recount: Recount) -> None:
    """Let `check_consistency` run it. For `AppConfig.ready()`; what has its name already is replaced."""
    _recounts[recount.name] = recount


def recounts() -> tuple[Recount, ...]:
    """All that is registered, in order: later ones may rest upon earlier ones."""
    return tuple(_recounts.values())
