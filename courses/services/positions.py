"""Where a new or moved row comes among its siblings. The caller holds a lock on their parent."""

from typing import TypeVar

from django.db.models import QuerySet

from core.ordering import key_between, keys_between, needs_rebalancing
from courses.models import Chapter, ChapterProblem

RowT = TypeVar("RowT", Chapter, ChapterProblem)


def position_last(siblings: QuerySet[RowT]) -> str:
    """The position after all siblings."""
    return _between(siblings, siblings.order_by("position").values_list("position", flat=True).last(), None)


def position_after(siblings: QuerySet[RowT], row: RowT, *, previous: RowT | None) -> str:
    """The position for `row` right after `previous`, or before all others where that is None.

    `row`'s own where it stands there already, so that a move to where a row is writes nothing.
    """
    before = None if previous is None else previous.position
    others = siblings.exclude(pk=row.pk)
    following = others if before is None else others.filter(position__gt=before)
    after = following.order_by("position").values_list("position", flat=True).first()
    if (before is None or before < row.position) and (after is None or row.position < after):
        return row.position
    return _between(siblings, before, after)


def _between(siblings: QuerySet[RowT], before: str | None, after: str | None) -> str:
    position = key_between(before, after)
    if not needs_rebalancing(position):
        return position
    # Rare: very many moves to one and the same place. The new positions lie beyond all old ones, so that none of them
    # is taken while they are being written.
    rows = list(siblings.order_by("position").only("pk", "position"))
    new = keys_between(rows[-1].position, None, len(rows))
    places = dict(zip((row.position for row in rows), new, strict=True))
    for row in rows:
        row.position = places[row.position]
    siblings.model._default_manager.bulk_update(rows, ["position"], batch_size=500)
    return key_between(places[before] if before else None, places[after] if after else None)
